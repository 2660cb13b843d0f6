# SPDX-License-Identifier: MIT
"""What a vendor claims of an implementation: its family, transport, service flags and surfaces (ISO/IEC 9646: ICS).

The words that a statement may use are all here, so that a misspelt claim is refused instead of silently making
requirements inapplicable. Which requirements follow from a claim is told by `conditions`.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

import msgspec

FAMILIES: tuple[str, ...] = ("posix", "winsock-api", "winsock-spi", "runtime")
TRANSPORTS: tuple[str, ...] = ("tcp", "mptcp", "unix", "sctp", "websocket", "quic", "reference", "other")

# dwServiceFlags1 of WSAPROTOCOL_INFO, without the prefix XP1_.
SERVICE_FLAGS: tuple[str, ...] = (
    "CONNECTIONLESS",
    "GUARANTEED_DELIVERY",
    "GUARANTEED_ORDER",
    "MESSAGE_ORIENTED",
    "PSEUDO_STREAM",
    "GRACEFUL_CLOSE",
    "EXPEDITED_DATA",
    "CONNECT_DATA",
    "DISCONNECT_DATA",
    "UNI_SEND",
    "UNI_RECV",
    "IFS_HANDLES",
    "PARTIAL_MESSAGE",
)

# The ways in which an application can be told of something.
SURFACES: tuple[str, ...] = (
    "blocking",
    "nonblocking",
    "select",
    "poll",
    "epoll",
    "epoll-et",
    "event",
    "message",
    "callback",
    "overlapped",
    "overlapped-event",
    "overlapped-routine",
    "overlapped-port",
    "wsapoll",
)

# The operations of the agent protocol, version 1.
OPERATIONS: tuple[str, ...] = (
    "hello",
    "reset",
    "bye",
    "socket",
    "listen",
    "accept",
    "connect",
    "send",
    "recv",
    "post_recv",
    "post_send",
    "shutdown",
    "send_disconnect",
    "recv_disconnect",
    "disconnect_ex",
    "close",
    "duplicate",
    "set_linger",
    "get_linger",
    "set_blocking",
    "set_option",
    "get_error",
    "names",
    "event_select",
    "enum_events",
    "startup",
    "cleanup",
    "poll",
)

# Claims beyond the service flags that some requirement asks for.
FEATURES: dict[str, str] = {
    "RFC5961": "answers an in-window RST that is not exact with a challenge ACK",
    "two-phase-release": "each end releases its own direction, and either release may carry data",
    "abortive-release-data": "an abortive release may carry data",
    "COTP": "ISO 8073 connection-oriented transport protocol, or RFC 1006 or RFC 2126 over TCP",
    "sctp-events": "SCTP notifications can be switched on",
    "unreadable-buffers": "buffers are addresses, so that a call can be given one that it cannot read",
}


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Sizes in octets; None where there is no limit, or none is stated."""

    disconnect_data_max: int | None = None
    message_max: int | None = None


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An implementation conformance statement.

    `platform` is the system it runs on, in lower case ("linux", "windows"). Raises ValueError for a word that is in
    no vocabulary above, naming it and the nearest known ones; `msgspec.convert` turns that into a ValidationError.
    """

    family: str
    transport: str
    service_flags: tuple[str, ...] = ()
    surfaces: tuple[str, ...] = ()
    ops: tuple[str, ...] = ()
    limits: Limits = Limits()
    platform: str | None = None
    features: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _expect("family", [self.family], FAMILIES)
        _expect("transport", [self.transport], TRANSPORTS)
        _expect("service flag", self.service_flags, SERVICE_FLAGS)
        _expect("surface", self.surfaces, SURFACES)
        _expect("operation", self.ops, OPERATIONS)
        _expect("feature", self.features, FEATURES)
        if self.platform is not None and (not self.platform or self.platform != self.platform.lower()):
            raise ValueError(f"platform {self.platform!r}: expected a name in lower case, such as 'linux'")

    @property
    def is_stream(self) -> bool:
        """Whether receives act as on a byte stream: no message boundaries, or a pseudo stream that hides them."""
        return "MESSAGE_ORIENTED" not in self.service_flags or "PSEUDO_STREAM" in self.service_flags


def unknown_word(what: str, word: str, known: Iterable[str]) -> str:
    """A sentence that says that `word` is no known `what`, and which known words are nearest (or all of them)."""
    known = list(known)
    folded = {name.casefold(): name for name in known}
    bare = word.removeprefix("XP1_").casefold()
    near = [folded[match] for match in get_close_matches(bare, folded, n=3, cutoff=0.6)]
    if near:
        return f"unknown {what} {word!r}; did you mean {' or '.join(near)}?"
    return f"unknown {what} {word!r}; known are {', '.join(known)}"


def _expect(what: str, words: Iterable[str], known: Iterable[str]) -> None:
    for word in words:
        if word not in known:
            raise ValueError(unknown_word(what, word, known))


class Contradiction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the statement claims one thing and the implementation was found to be another.

    `cases` are the ids of the cases that showed it; none where the agent's hello says so.
    """

    item: str
    claimed: str
    found: str
    cases: tuple[str, ...] = ()
