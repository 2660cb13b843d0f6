# SPDX-License-Identifier: MIT
"""Group G: calls that must fail, and must leave the connection as it was."""

from typing import Any

import pytest

from conformance.execution.casework import IUT, Connection, exercises, where


@exercises("ERR-01")
@pytest.mark.parametrize("how", ["send", "receive", "both"])
def test_shutdown_when_not_connected(ends: Connection, how: str) -> None:
    """A socket that was never connected is shut down."""
    ends.iut.open(ends.family)
    ends.iut.shutdown(how)


NEEDED_BY = {"send_disconnect": where("op:send_disconnect"), "recv_disconnect": where("op:recv_disconnect")}


@exercises("ERR-01")
@pytest.mark.parametrize("call", [pytest.param(call, marks=mark) for call, mark in NEEDED_BY.items()])
def test_disconnect_when_not_connected(ends: Connection, call: str) -> None:
    """A socket that was never connected is to say goodbye, or to fetch the peer's last word."""
    ends.iut.open(ends.family)
    if call == "send_disconnect":
        ends.iut.send_disconnect(None)
    else:
        ends.iut.recv_disconnect(ends.disconnect_room)


@exercises("ERR-02", "ERR-08")
@pytest.mark.parametrize("how", [3, 7, -1])
def test_shutdown_of_an_unknown_direction(connection: Connection, how: int) -> None:
    """The implementation is asked to shut a direction that there is not; then data flows both ways, and ends."""
    connection.iut.shutdown(how)
    connection.iut.look_in_vain()
    connection.iut.send(1460)
    connection.peer.read()
    connection.peer.send(1460)
    connection.iut.read()
    connection.iut.shutdown("send")
    connection.peer.read_to_the_end()


@exercises("ERR-03")
@pytest.mark.parametrize(
    "how",
    [
        pytest.param("send", marks=where("UNI_RECV", "not UNI_SEND")),
        pytest.param("receive", marks=where("UNI_SEND", "not UNI_RECV")),
    ],
)
def test_shutdown_of_the_direction_that_is_not_there(connection: Connection, how: str) -> None:
    """The protocol goes one way; the other direction is shut down."""
    connection.iut.shutdown(how)


@where("CONNECTIONLESS")
@exercises("INIT-SHUT-12")
@pytest.mark.parametrize("how", ["send", "receive"])
def test_shutdown_without_connections(ends: Connection, how: str) -> None:
    """The protocol knows no connections; a socket is shut down one way, and used that way."""
    ends.iut.open(ends.family)
    ends.iut.shutdown(how)
    if how == "send":
        ends.iut.send(1, wait_ms=0)
    else:
        ends.iut.read(wait_ms=0)


@exercises("ERR-05")
@pytest.mark.parametrize(
    "call",
    [
        pytest.param("shutdown", marks=where("op:shutdown")),
        "recv",
        "send",
        *(pytest.param(call, marks=mark) for call, mark in NEEDED_BY.items()),
    ],
)
def test_call_on_a_closed_handle(connection: Connection, call: str) -> None:
    """The handle has been closed, and is used all the same."""
    connection.iut.close()
    if call == "shutdown":
        connection.iut.shutdown("send")
    elif call == "recv":
        connection.iut.read(wait_ms=0)
    elif call == "send":
        connection.iut.send(1, wait_ms=0)
    elif call == "send_disconnect":
        connection.iut.send_disconnect(None)
    else:
        connection.iut.recv_disconnect()


@exercises("ERR-04")
def test_every_call_on_no_socket_at_all(ends: Connection) -> None:
    """Every call that the agent has is made with an invalid handle."""
    for op, arguments in _calls(ends).items():
        if ends.iut.has(op):
            ends.iut.call(op, socket=-1, **arguments)


def _calls(ends: Connection) -> dict[str, dict[str, Any]]:
    """The calls of this suite, each with arguments that would be right."""
    address = ends.address_for(IUT)
    return {
        "listen": {"address": address, "backlog": 1},
        "accept": {},
        "connect": {"address": address},
        "send": {"pattern": {"seed": 0, "length": 1}},
        "recv": {"length": 1},
        "post_recv": {"length": 1},
        "post_send": {"pattern": {"seed": 0, "length": 1}},
        "shutdown": {"how": "send"},
        "send_disconnect": {},
        "recv_disconnect": {"length": 64},
        "disconnect_ex": {},
        "close": {},
        "duplicate": {},
        "set_linger": {"on": False, "seconds": 0},
        "get_linger": {},
        "set_blocking": {"on": False},
        "set_option": {"name": "KEEPALIVE", "value": 1},
        "get_error": {},
        "names": {},
        "event_select": {"events": ["FD_CLOSE"], "mechanism": "event"},
        "enum_events": {},
        **({"poll": {"surface": "select", "events": ["IN"]}} if ends.iut.offers("select") else {}),
    }


@exercises("ERR-06")
@pytest.mark.parametrize("how", ["send", "receive"])
def test_shutdown_of_a_listener(ends: Connection, how: str) -> None:
    """A listening socket is shut down."""
    ends.iut.open(ends.family)
    ends.iut.call("listen", address=ends.address_for(IUT), backlog=1)
    ends.iut.shutdown(how)
