# SPDX-License-Identifier: MIT
"""Agents that are wrong in one known way: a sound agent, and a filter between it and the suite.

`messages` is what a filter sees, `mutants` is how one is written and found, `conversation` passes the lines through it,
and `python -m conformance.agents.mutating FILE NAME -- COMMAND...` is the agent. Standard library only.
"""

from conformance.agents.mutating.messages import Completion, Event, Message, Outcome, Reply, Request
from conformance.agents.mutating.mutants import Mutant, mutant

__all__ = ["Completion", "Event", "Message", "Mutant", "Outcome", "Reply", "Request", "mutant"]
