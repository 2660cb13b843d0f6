# SPDX-License-Identifier: MIT
"""Each kind of condition holds and fails where it should, and says why it failed."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.catalogue.conditions import BadCondition, first_unmet, parse
from conformance.catalogue.statement import SERVICE_FLAGS, Limits, Statement


def statement(**claims: Any) -> Statement:
    return Statement(**{"family": "posix", "transport": "tcp", **claims})


MESSAGES = statement(service_flags=("MESSAGE_ORIENTED",))
DATAGRAMS = statement(service_flags=("CONNECTIONLESS", "MESSAGE_ORIENTED"))

BOTH_SIDES = [
    # clause, a statement for which it holds, one for which it does not, the reason
    ("CONNECTION_ORIENTED", statement(), DATAGRAMS, "ruled out by CONNECTIONLESS"),
    ("not CONNECTION_ORIENTED", DATAGRAMS, statement(), "not claimed: CONNECTIONLESS"),
    ("stream", statement(), MESSAGES, "ruled out by MESSAGE_ORIENTED"),
    ("not stream", MESSAGES, statement(), "only for protocols that keep message boundaries"),
    ("family:posix", statement(), statement(family="runtime"), "only for family posix, not runtime"),
    ("not family:posix", statement(family="runtime"), statement(), "not for family posix"),
    ("transport:tcp", statement(), statement(transport="unix"), "only for transport tcp, not unix"),
    ("not transport:unix", statement(), statement(transport="unix"), "not for transport unix"),
    (
        "transport:tcp | transport:mptcp",
        statement(transport="mptcp"),
        statement(transport="unix"),
        "only for transport tcp or mptcp, not unix",
    ),
    (
        "platform:linux",
        statement(platform="linux"),
        statement(platform="freebsd"),
        "only for platform linux, not freebsd",
    ),
    ("platform:linux", statement(platform="linux"), statement(), "only for platform linux, not stated"),
    ("not platform:linux", statement(), statement(platform="linux"), "not for platform linux"),
    ("surface:select", statement(surfaces=("select",)), statement(), "not claimed: surface select"),
    ("not surface:select", statement(), statement(surfaces=("select",)), "ruled out by surface select"),
    ("op:set_option", statement(ops=("set_option",)), statement(), "not claimed: op set_option"),
    ("not op:set_option", statement(), statement(ops=("set_option",)), "ruled out by op set_option"),
    ("feature:RFC5961", statement(features=("RFC5961",)), statement(), "not claimed: feature RFC5961"),
    (
        "limit:disconnect_data_max",
        statement(limits=Limits(disconnect_data_max=1)),
        statement(limits=Limits(disconnect_data_max=0)),
        "not claimed: limit disconnect_data_max",
    ),
    (
        "limit:message_max",
        statement(limits=Limits(message_max=1)),
        statement(),
        "not claimed: limit message_max",
    ),
    (
        "op:send_disconnect | family:winsock-api | family:winsock-spi",
        statement(family="winsock-api"),
        statement(),
        "not claimed: op send_disconnect; only for family winsock-api or winsock-spi, not posix",
    ),
    (
        "family:posix | PSEUDO_STREAM",
        statement(family="runtime", service_flags=("PSEUDO_STREAM",)),
        statement(family="runtime"),
        "only for family posix, not runtime; not claimed: PSEUDO_STREAM",
    ),
]


@pytest.mark.parametrize(("clause", "holds", "fails", "reason"), BOTH_SIDES)
def test_both_sides_of_a_clause(clause: str, holds: Statement, fails: Statement, reason: str) -> None:
    assert first_unmet([clause], holds) is None
    assert first_unmet([clause], fails) == reason


@pytest.mark.parametrize("flag", SERVICE_FLAGS)
def test_both_sides_of_every_service_flag(flag: str) -> None:
    claimed = statement(service_flags=(flag,))
    assert first_unmet([flag], claimed) is None
    assert first_unmet([flag], statement()) == f"not claimed: {flag}"
    assert first_unmet([f"not {flag}"], statement()) is None
    assert first_unmet([f"not {flag}"], claimed) == f"ruled out by {flag}"


def test_all_clauses_must_hold_and_the_first_that_does_not_is_told() -> None:
    clauses = ["CONNECTION_ORIENTED", "GRACEFUL_CLOSE", "family:runtime"]
    assert first_unmet(clauses, statement()) == "not claimed: GRACEFUL_CLOSE"


def test_no_clause_holds_always() -> None:
    assert first_unmet([], statement()) is None


@pytest.mark.parametrize(
    ("clause", "named"),
    [
        ("GRACEFUL", "GRACEFUL_CLOSE"),
        ("surfaces:select", "surface"),
        ("surface:selekt", "select"),
        ("family:winsok-api", "winsock-api"),
        ("platform:Linux", "linux"),
        ("limit:disconnect_data", "disconnect_data_max"),
        ("GRACEFUL_CLOSE | ", "known are"),
        ("", "known are"),
        ("not not GRACEFUL_CLOSE", "GRACEFUL_CLOSE"),
    ],
)
def test_a_clause_that_nobody_can_read_is_refused(clause: str, named: str) -> None:
    with pytest.raises(BadCondition) as caught:
        parse(clause)
    assert repr(clause) in str(caught.value)
    assert named in str(caught.value)
