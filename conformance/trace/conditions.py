# SPDX-License-Identifier: MIT
"""Canonical conditions: one vocabulary for the error names of all implementations.

An agent reports its implementation's own symbolic name; the oracle compares canonical conditions. A name that is not
known here stays `OTHER` and equals nothing, so an unexpected error can never pass for an expected one.
"""

from __future__ import annotations

from enum import StrEnum

from conformance.trace.events import ErrorValue


class Condition(StrEnum):
    """The conditions of the agent protocol; EPIPE is kept apart until the caller's own history explains it."""

    EDISCON = "EDISCON"
    ECONNRESET = "ECONNRESET"
    ECONNABORTED = "ECONNABORTED"
    ENETRESET = "ENETRESET"
    ETIMEDOUT = "ETIMEDOUT"
    ESHUTDOWN = "ESHUTDOWN"
    EPIPE = "EPIPE"
    """A POSIX send that has nowhere to go: ESHUTDOWN after the caller's own shutdown, else "the connection is gone"."""
    ENOTCONN = "ENOTCONN"
    EISCONN = "EISCONN"
    EWOULDBLOCK = "EWOULDBLOCK"
    EINVAL = "EINVAL"
    ENOTSOCK = "ENOTSOCK"
    EFAULT = "EFAULT"
    ENOPROTOOPT = "ENOPROTOOPT"
    EMSGSIZE = "EMSGSIZE"
    EOPNOTSUPP = "EOPNOTSUPP"
    ECANCELED = "ECANCELED"
    OTHER = "OTHER"


_BY_ALIAS = {
    "EAGAIN": Condition.EWOULDBLOCK,
    "EBADF": Condition.ENOTSOCK,
    "ENOTSUP": Condition.EOPNOTSUPP,  # one number on Linux, where Python knows it by this name
    "WSA_OPERATION_ABORTED": Condition.ECANCELED,
    "ERROR_OPERATION_ABORTED": Condition.ECANCELED,
    # What a completion port tells of the same operations, in numbers of the system instead of Winsock's (winerror.h).
    "ERROR_NETNAME_DELETED": Condition.ECONNRESET,
    "ERROR_CONNECTION_ABORTED": Condition.ECONNABORTED,
    "ERROR_GRACEFUL_DISCONNECT": Condition.EDISCON,
    "BrokenPipeError": Condition.EPIPE,
    "ConnectionAbortedError": Condition.ECONNABORTED,
    "ConnectionResetError": Condition.ECONNRESET,
    "TimeoutError": Condition.ETIMEDOUT,
    "ConnectionClosedOK": Condition.EDISCON,  # websockets, after Closes of both ends
    "LocalProtocolError": Condition.ESHUTDOWN,  # wsproto, of whatever is to be sent after an own Close
    "StreamReset": Condition.ECONNRESET,  # aioquic's event for RESET_STREAM
    "ConnectionTerminated": Condition.ECONNRESET,  # its event for a CONNECTION_CLOSE, and for more: see below
}
_BY_DETAIL = {
    ("ConnectionTerminated", "Idle timeout"): Condition.ETIMEDOUT,
    ("ProtocolError", "control frame too long"): Condition.EMSGSIZE,  # websockets, of a Close that it refuses to send
    ("ProtocolError", "invalid status code"): Condition.EINVAL,
    ("RuntimeError", "Cannot send data after FIN"): Condition.ESHUTDOWN,
    ("RuntimeError", "Cannot send data after the stream was reset"): Condition.ECONNRESET,
}
"""Where an implementation gives different conditions one name, and only its words tell them apart."""
_ABNORMAL = 1006
_BY_CLOSE_CODE = frozenset({"ConnectionClosedError", "CloseConnection"})
"""The words of WebSocket libraries (websockets, wsproto) for an end with and without a Close of the other end: the code
tells which it was, 1006 being the one that no Close can carry (RFC 6455, 7.1.5). How the library itself values the code
of a Close is kept in the name. Without a code nobody knows."""


def canonical(error: ErrorValue) -> Condition:
    """Map an implementation's error to its canonical condition; what is not known is `OTHER`."""
    if told_apart := _BY_DETAIL.get((error.name, error.detail)):
        return told_apart
    if error.name in _BY_CLOSE_CODE and error.code is not None:
        return Condition.ECONNRESET if error.code == _ABNORMAL else Condition.EDISCON
    plain = error.name.removeprefix("WSA")
    if alias := _BY_ALIAS.get(error.name) or _BY_ALIAS.get(plain):
        return alias
    try:
        return Condition(plain)
    except ValueError:
        return Condition.OTHER
