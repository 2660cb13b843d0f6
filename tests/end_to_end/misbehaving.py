# SPDX-License-Identifier: MIT
"""Agents that are wrong as agents, and one that is wrong in nothing: what they do must not be taken for a verdict."""

import sys

from conformance.agents.mutating import Reply, mutant

OVER = "kernel-tcp"
KILLS = "IND-STREAM-01"


@mutant(kills=KILLS, over=OVER)
def identity(reply: Reply) -> Reply:
    """Nothing is wrong."""
    return reply


@mutant(kills=KILLS, over=OVER)
def crash_at_the_end(reply: Reply) -> Reply:
    """It crashes when it is to tell of the end."""
    if reply.is_end:
        sys.stderr.write("a crash, as a stack might\n")
        raise SystemExit(70)
    return reply


@mutant(kills=KILLS, over=OVER)
def hang_at_the_end(reply: Reply) -> Reply | None:
    """It never answers the receive that reaches the end."""
    return None if reply.is_end else reply


@mutant(kills=KILLS, over=OVER)
def in_the_future(reply: Reply) -> Reply:
    """Its calls happen ten seconds from now."""
    return _shifted(reply, 10**10)


@mutant(kills=KILLS, over=OVER)
def on_another_clock(reply: Reply) -> Reply:
    """Its times are of another clock, and it says so."""
    said = {"clock": "foreign"} if reply.op == "hello" else {}
    return _shifted(reply.as_result(**{**reply.result, **said}) if said and reply.result else reply, 10**15)


@mutant(kills=KILLS, over=OVER)
def on_another_transport(reply: Reply) -> Reply:
    """It says that its transport is another than it is."""
    return reply.as_result(**{**reply.result, "transport": "sctp"}) if reply.op == "hello" and reply.result else reply


def _shifted(reply: Reply, ns: int) -> Reply:
    return reply.but(call=[at + ns for at in reply.body["call"]]) if "call" in reply.body else reply
