# SPDX-License-Identifier: MIT
"""The operations of the agent protocol: the arguments and the result of each, as types.

A request type names its operation in its tag and its result type in `RESULTS`. `protocol` encodes and checks with
them, and the JSON Schema is made from them; `docs/agent-protocol.md` says what they mean.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from conformance.agents.addresses import Address
from conformance.trace.events import ErrorValue

Natural = Annotated[int, Meta(ge=0)]
"""A non-negative integer."""
Text = Annotated[str, Meta(min_length=1)]
"""Text that is not empty."""
Octets = Annotated[str, Meta(extra_json_schema={"contentEncoding": "base64"})]
"""Octets as base64 text; a request may also be given `bytes`, which are encoded so."""


class Pattern(msgspec.Struct, frozen=True):
    """Bulk data made from a seed: see `conformance.trace.pattern`."""

    seed: int
    length: Natural


# --- requests ---------------------------------------------------------------------------------------------------


class Request(msgspec.Struct, frozen=True, kw_only=True, tag_field="op", forbid_unknown_fields=True):
    """What the suite asks. `id` is unique within the agent's life."""

    id: Natural


class HelloRequest(Request, frozen=True, tag="hello"):
    """The first request: the protocol's version and the suite's."""

    protocol: Literal[1]
    suite: str


class Reset(Request, frozen=True, tag="reset"):
    """Abort every connection and drop all state."""


class Bye(Request, frozen=True, tag="bye"):
    """Answer, then exit 0."""


class Socket(Request, frozen=True, tag="socket"):
    """Make a socket."""

    family: Literal["inet", "inet6", "unix"]
    kind: Literal["stream", "message"]


class SocketRequest(Request, frozen=True):
    """A request about one socket; -1 asks for the call with an invalid handle."""

    socket: Annotated[int, Meta(ge=-1)]


class WaitingRequest(SocketRequest, frozen=True, kw_only=True):
    """A request that can block, for at most `wait_ms` milliseconds; 0 is "only what can be done now"."""

    wait_ms: Natural = 0


class Listen(SocketRequest, frozen=True, tag="listen"):
    """Bind and listen."""

    address: Address
    backlog: Natural = 128


class Accept(WaitingRequest, frozen=True, tag="accept"):
    """Take one connection."""


class Connect(WaitingRequest, frozen=True, tag="connect"):
    """Connect to a listener."""

    address: Address


class Send(WaitingRequest, frozen=True, tag="send"):
    """Send `data` or `pattern`: one of the two."""

    data: Octets | UnsetType = UNSET
    pattern: Pattern | UnsetType = UNSET


class Recv(WaitingRequest, frozen=True, tag="recv"):
    """Receive at most `length` octets."""

    length: Natural
    flags: list[Literal["PEEK", "PARTIAL", "WAITALL"]] | UnsetType = UNSET
    digest: bool | UnsetType = UNSET


class PostRecv(SocketRequest, frozen=True, tag="post_recv"):
    """Start a receive whose end a completion notice tells; `mechanism` is how the agent shall learn of it."""

    length: Natural
    mechanism: Literal["event", "routine", "port"] | UnsetType = UNSET


class PostSend(SocketRequest, frozen=True, tag="post_send"):
    """Start a send of `data` or `pattern`, one of the two, whose end a completion notice tells."""

    data: Octets | UnsetType = UNSET
    pattern: Pattern | UnsetType = UNSET
    mechanism: Literal["event", "routine", "port"] | UnsetType = UNSET


class Shutdown(SocketRequest, frozen=True, tag="shutdown"):
    """Shut one direction or both; an integer is passed through as it is."""

    how: Literal["send", "receive", "both"] | int


class SendDisconnect(SocketRequest, frozen=True, tag="send_disconnect"):
    """Shut the sending direction, with disconnect data; absent data is a null pointer.

    `unreadable` asks for a buffer of four octets at an address that cannot be read, instead of data.
    """

    data: Octets | UnsetType = UNSET
    unreadable: bool | UnsetType = UNSET


class DisconnectEx(WaitingRequest, frozen=True, tag="disconnect_ex"):
    """End the connection by DisconnectEx, not overlapped; `reuse` asks for a socket that can connect again."""

    reuse: bool = False


class RecvDisconnect(SocketRequest, frozen=True, tag="recv_disconnect"):
    """Shut the receiving direction and take disconnect data; an absent length is a null pointer."""

    length: Natural | UnsetType = UNSET


class Close(WaitingRequest, frozen=True, tag="close"):
    """Close the handle."""


class Duplicate(SocketRequest, frozen=True, tag="duplicate"):
    """Make a second handle of the same socket."""


class SetLinger(SocketRequest, frozen=True, tag="set_linger"):
    """Set SO_LINGER."""

    on: bool
    seconds: int


class GetLinger(SocketRequest, frozen=True, tag="get_linger"):
    """Read SO_LINGER."""


class SetBlocking(SocketRequest, frozen=True, tag="set_blocking"):
    """Make calls on the socket block, or not."""

    on: bool


class SetOption(SocketRequest, frozen=True, tag="set_option"):
    """Set an option by the suite's name for it."""

    name: Text
    value: int


class GetError(SocketRequest, frozen=True, tag="get_error"):
    """Read SO_ERROR or its like."""


class Names(SocketRequest, frozen=True, tag="names"):
    """Read both ends' addresses."""


class EventSelect(SocketRequest, frozen=True, tag="event_select"):
    """Ask for notifications; an empty list cancels."""

    events: list[Text]
    mechanism: Literal["event", "message"]


class EnumEvents(SocketRequest, frozen=True, tag="enum_events"):
    """Read and clear the record of notifications."""


class Startup(Request, frozen=True, tag="startup"):
    """WSPStartup, once: service providers only."""


class Cleanup(Request, frozen=True, tag="cleanup"):
    """WSPCleanup, once: service providers only."""


class Poll(WaitingRequest, frozen=True, tag="poll"):
    """Ask a readiness interface. `register` makes a lasting registration (epoll-et) anew."""

    surface: Literal["select", "poll", "epoll", "epoll-et", "wsapoll"]
    events: list[Text]
    register: bool | UnsetType = UNSET


# --- results ----------------------------------------------------------------------------------------------------
# A result may have further members; the suite keeps them with the evidence.


class Nothing(msgspec.Struct, frozen=True):
    """A result that says no more than that the call succeeded."""


class NewSocket(msgspec.Struct, frozen=True):
    """A handle, of the agent's own choice."""

    socket: Natural


class Listening(msgspec.Struct, frozen=True):
    """The address with the port that was chosen."""

    address: Address


class Accepted(msgspec.Struct, frozen=True):
    """The new connection."""

    socket: Natural
    peer: Address


class Connected(msgspec.Struct, frozen=True):
    """The own address."""

    local: Address


class Sent(msgspec.Struct, frozen=True):
    """How many octets were accepted."""

    length: Natural


class Received(msgspec.Struct, frozen=True):
    """What was received: `data`, or `sha256` where a digest was asked for; `partial` where a message was cut."""

    length: Natural
    data: Octets | UnsetType = UNSET
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")] | UnsetType = UNSET
    partial: bool = False


class Posted(msgspec.Struct, frozen=True):
    """The token that the completion will carry."""

    token: Text


class Linger(msgspec.Struct, frozen=True):
    """SO_LINGER."""

    on: bool
    seconds: int


class PendingError(msgspec.Struct, frozen=True):
    """SO_ERROR; null for none."""

    error: ErrorValue | None


class BothNames(msgspec.Struct, frozen=True):
    """Both ends' addresses."""

    local: Address
    peer: Address


class RecordedEvent(msgspec.Struct, frozen=True):
    """One entry of the record of notifications; `error` is null for success."""

    type: Text
    error: ErrorValue | None


class Recorded(msgspec.Struct, frozen=True):
    """The record; `slots` holds the raw error slots where there are any.

    `signalled` says whether the event object was set directly before the call, and directly after it.
    """

    events: list[RecordedEvent]
    slots: list[int] | UnsetType = UNSET
    signalled: tuple[bool, bool] | UnsetType = UNSET


class Ready(msgspec.Struct, frozen=True):
    """The native names of the events that were told, at least one (none at all is a `timeout`)."""

    events: Annotated[list[Text], Meta(min_length=1)]


class AgentName(msgspec.Struct, frozen=True):
    """Who speaks."""

    name: Text
    version: str


class ImplementationName(msgspec.Struct, frozen=True):
    """What is tested."""

    name: Text
    version: str
    vendor: str = ""


class Limits(msgspec.Struct, frozen=True):
    """What the implementation can carry, in octets; null for "no limit known"."""

    disconnect_data_max: Natural | None
    message_max: Natural | None


class Hello(msgspec.Struct, frozen=True):
    """What the agent says of itself and of the implementation it is built on."""

    protocol: Literal[1]
    agent: AgentName
    implementation: ImplementationName
    family: Literal["posix", "winsock-api", "winsock-spi", "runtime"]
    transport: Literal["tcp", "mptcp", "unix", "sctp", "websocket", "quic", "reference", "other"]
    service_flags: list[Text]
    limits: Limits
    surfaces: list[Text]
    ops: list[Text]
    reads_ahead: bool
    concurrent: bool
    clock: Literal["realtime", "foreign"] = "realtime"


RESULTS: dict[type[Request], Any] = {
    HelloRequest: Hello,
    Reset: Nothing,
    Bye: Nothing,
    Socket: NewSocket,
    Listen: Listening,
    Accept: Accepted,
    Connect: Connected,
    Send: Sent,
    Recv: Received,
    PostRecv: Posted,
    PostSend: Posted,
    Shutdown: Nothing,
    SendDisconnect: Nothing,
    DisconnectEx: Nothing,
    RecvDisconnect: Received,
    Close: Nothing,
    Duplicate: NewSocket,
    SetLinger: Nothing,
    GetLinger: Linger,
    SetBlocking: Nothing,
    SetOption: Nothing,
    GetError: PendingError,
    Names: BothNames,
    EventSelect: Nothing,
    EnumEvents: Recorded,
    Startup: Nothing,
    Cleanup: Nothing,
    Poll: Ready,
}

REQUESTS: dict[str, type[Request]] = {str(kind.__struct_config__.tag): kind for kind in RESULTS}
"""Request types by the name of their operation."""

CONTROL_OPS = frozenset({"hello", "reset", "bye"})
"""Operations that make no call of the implementation: their replies need no `call` times."""
