# SPDX-License-Identifier: MIT
"""A mutant and the records that `enum_events` reads: their entries are events like those that are posted."""

from __future__ import annotations

import time
from typing import Any

from conformance.agents.mutating import Event, Reply
from tests.agents.test_mutating import Between

CLOSE, READ = {"type": "FD_CLOSE", "error": None}, {"type": "FD_READ", "error": None}


def registered(between: Between, *sockets: int, mechanism: str = "event") -> None:
    for socket in sockets:
        between.request(id=100 + socket, op="event_select", socket=socket, events=["FD_CLOSE"], mechanism=mechanism)
        between.answer(id=100 + socket, result={}, call=[1, 2])


def record(between: Between, number: int, *entries: dict[str, Any], socket: int = 3) -> Any:
    """What the suite is told of a record that holds these at the sound agent."""
    between.request(id=number, op="enum_events", socket=socket)
    between.answer(id=number, result={"events": list(entries), "slots": [0]}, call=[1, 2])
    assert between.told[-1]["result"]["slots"] == [0]
    return between.told[-1]["result"]["events"]


def test_an_entry_of_a_record_passes_the_same_filter_as_a_notice() -> None:
    def reset_for_an_end(event: Event) -> Event | None:
        """FD_CLOSE has the error of a reset, and FD_READ is never told."""
        return event.as_error("ECONNRESET") if event.type == "FD_CLOSE" else None

    between = Between(reset_for_an_end, "winsock-api")
    registered(between, 3)
    reset = {"name": "WSAECONNRESET", "code": None}
    assert record(between, 1, READ, CLOSE) == [{"type": "FD_CLOSE", "error": reset}]
    between.answer(event={"n": 1, "socket": 3, "type": "FD_CLOSE", "error": None, "at": 5})
    assert between.told[-1]["event"]["error"] == reset


def test_a_record_that_no_filter_changes_passes_as_it_is() -> None:
    def same(event: Event) -> Event:
        """Nothing is wrong."""
        return event

    between = Between(same)
    registered(between, 3)
    assert record(between, 1, READ, CLOSE) == [READ, CLOSE]
    assert record(between, 2) == []


def test_an_entry_may_be_told_twice_and_of_another_socket() -> None:
    def of_both(event: Event) -> list[Event]:
        """FD_CLOSE is told of the next socket too."""
        return [event, event.but(socket=(event.socket or 0) + 1)]

    between = Between(of_both)
    registered(between, 3, 4)
    assert record(between, 1, CLOSE) == [CLOSE]
    assert record(between, 2, socket=4) == [CLOSE]
    assert record(between, 3, socket=4) == []


def test_an_entry_that_is_late_is_in_the_record_from_then_on() -> None:
    def late(event: Event) -> Event:
        """It is late."""
        return event.later(20)

    between = Between(late)
    registered(between, 3)
    assert record(between, 1, CLOSE) == []
    time.sleep(0.03)
    assert record(between, 2) == [CLOSE]


def test_what_a_mutant_makes_is_told_as_the_socket_is_registered() -> None:
    def invented(reply: Reply) -> list[Any]:
        """A receive raises FD_CLOSE."""
        return [reply, reply.event("FD_CLOSE")] if reply.op == "recv" else [reply]

    for mechanism, told in (("event", [CLOSE]), ("message", [])):
        between = Between(invented)
        registered(between, 3, mechanism=mechanism)
        between.received(1, result={"length": 0, "data": ""})
        assert ["event" in line for line in between.told] == [False, False, *[True] * (mechanism == "message")]
        assert record(between, 2) == told


def test_the_records_end_with_the_case() -> None:
    def late(event: Event) -> Event:
        """It is late."""
        return event.later(1)

    between = Between(late)
    registered(between, 3)
    assert record(between, 1, CLOSE) == []
    between.request(id=2, op="reset")
    between.answer(id=2, result={}, call=[1, 2])
    time.sleep(0.005)
    assert record(between, 3) == []
