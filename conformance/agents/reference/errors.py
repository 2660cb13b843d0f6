# SPDX-License-Identifier: MIT
"""Winsock's errors by name and number, and what the errors of TCP underneath are in them."""

from __future__ import annotations

import errno

from conformance.agents.serving.outcomes import Refused

CODES = {
    "WSA_OPERATION_ABORTED": 995,
    "WSAEINTR": 10004,
    "WSAEACCES": 10013,
    "WSAEFAULT": 10014,
    "WSAEINVAL": 10022,
    "WSAEMFILE": 10024,
    "WSAEWOULDBLOCK": 10035,
    "WSAEALREADY": 10037,
    "WSAENOTSOCK": 10038,
    "WSAEMSGSIZE": 10040,
    "WSAENOPROTOOPT": 10042,
    "WSAEOPNOTSUPP": 10045,
    "WSAEADDRINUSE": 10048,
    "WSAEADDRNOTAVAIL": 10049,
    "WSAENETUNREACH": 10051,
    "WSAECONNABORTED": 10053,
    "WSAECONNRESET": 10054,
    "WSAENOBUFS": 10055,
    "WSAEISCONN": 10056,
    "WSAENOTCONN": 10057,
    "WSAESHUTDOWN": 10058,
    "WSAETIMEDOUT": 10060,
    "WSAECONNREFUSED": 10061,
    "WSAEHOSTUNREACH": 10065,
    "WSAEDISCON": 10101,
    "WSASYSCALLFAILURE": 10107,
}


def refused(name: str, detail: str = "") -> Refused:
    """Return the error of that name, with its number."""
    return Refused(name, CODES[name], detail)


def translated(error: OSError) -> Refused:
    """Return what a failed call of TCP is to Winsock's user: the error of the same name where there is one."""
    name = "WSA" + errno.errorcode.get(error.errno or 0, "")
    return refused(name if name in CODES else "WSASYSCALLFAILURE", str(error))


def end_of_tcp(number: int) -> str:
    """Return how the end of an established connection by this errno of TCP is told: only a reset is the peer's."""
    return "WSAECONNRESET" if number in (errno.ECONNRESET, errno.EPIPE) else "WSAECONNABORTED"
