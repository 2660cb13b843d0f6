# SPDX-License-Identifier: MIT
"""Planning: what a provider is given follows from its statement, and what was left unsaid from what was found."""

import msgspec

from conformance.agents.operations import Hello
from conformance.catalogue.statement import Limits, Statement
from conformance.execution import planning
from tests.oracle.story import KERNEL_TCP, UNIX_SEQPACKET

HELLO = msgspec.convert(
    {
        "protocol": 1,
        "agent": {"name": "a", "version": "1"},
        "implementation": {"name": "i", "version": "2"},
        "family": "posix",
        "transport": "tcp",
        "service_flags": ["GRACEFUL_CLOSE"],
        "limits": {"disconnect_data_max": 0, "message_max": None},
        "surfaces": ["blocking", "poll"],
        "ops": ["send", "recv"],
        "reads_ahead": False,
        "concurrent": True,
    },
    Hello,
)


def test_a_case_is_planned_where_something_that_it_exercises_applies() -> None:
    assert planning.is_planned(KERNEL_TCP, ["IND-STREAM-01", "IND-MSG-01"], [], {})
    assert planning.is_planned(UNIX_SEQPACKET, ["IND-STREAM-01", "IND-MSG-01"], [], {})
    assert not planning.is_planned(KERNEL_TCP, ["IND-MSG-01"], [], {})


def test_a_case_over_a_surface_is_planned_where_the_surface_is_claimed() -> None:
    assert planning.is_planned(KERNEL_TCP, ["IND-STREAM-01"], [], {"surface": "epoll"})
    assert not planning.is_planned(KERNEL_TCP, ["IND-STREAM-01"], [], {"surface": "wsapoll"})


def test_a_probe_is_planned_for_every_provider() -> None:
    assert planning.is_planned(KERNEL_TCP, [], [], {}, ["MESSAGE_ORIENTED"])
    assert not planning.is_planned(KERNEL_TCP, [], ["op:send_disconnect"], {}, ["DISCONNECT_DATA"])


def test_conditions_of_a_case_must_hold() -> None:
    assert planning.is_planned(KERNEL_TCP, ["IND-STREAM-01"], ["transport:tcp"], {})
    assert not planning.is_planned(KERNEL_TCP, ["IND-STREAM-01"], ["transport:unix"], {})


def test_what_the_statement_leaves_unsaid_is_taken_from_what_was_found() -> None:
    claimed = Statement(family="posix", transport="tcp", service_flags=("GRACEFUL_CLOSE",))
    completed = planning.completed(claimed, HELLO)
    assert (completed.surfaces, completed.ops) == (("blocking", "poll"), ("send", "recv"))
    assert completed.limits.disconnect_data_max == 0
    spoken = Statement(
        family="posix",
        transport="tcp",
        service_flags=(),
        surfaces=("blocking",),
        ops=("send",),
        limits=Limits(message_max=9),
    )
    assert planning.completed(spoken, HELLO) == spoken


def test_contradictions_name_what_is_claimed_and_what_was_found() -> None:
    same = Statement(family="posix", transport="tcp", service_flags=("GRACEFUL_CLOSE",))
    assert planning.contradictions(same, HELLO) == ()
    other = Statement(family="posix", transport="tcp", service_flags=("MESSAGE_ORIENTED",), surfaces=("epoll",))
    items = {c.item: (c.claimed, c.found) for c in planning.contradictions(other, HELLO)}
    assert items["service_flags"] == ("MESSAGE_ORIENTED", "GRACEFUL_CLOSE")
    assert items["surfaces"][0] == "epoll"
