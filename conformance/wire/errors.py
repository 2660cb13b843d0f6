# SPDX-License-Identifier: MIT
"""What can go wrong on the wire's side: each error says what happened, where, and what to do next (`hint`)."""

from __future__ import annotations

from collections.abc import Sequence


class WireProblem(Exception):
    """A topology, its processes or its capture did not do what was asked; `why` and `hint` are for people."""

    def __init__(self, what: str, why: str, hint: str) -> None:
        super().__init__(f"{what}: {why}" + (f" ({hint})" if hint else ""))
        self.why = why
        self.hint = hint


class TopologyUnavailable(WireProblem):
    """This topology cannot be had on this machine, or not by this user."""

    def __init__(self, name: str, why: str, hint: str) -> None:
        super().__init__(f"the topology {name!r} is not available", why, hint)
        self.name = name


class LaunchFailed(WireProblem):
    """A program could not be started at a station."""

    def __init__(self, command: Sequence[str], why: str, hint: str) -> None:
        super().__init__(f"cannot start {command[0] if command else 'a program without a name'!r}", why, hint)
        self.command = tuple(command)


class RulesNotPossible(WireProblem):
    """Only a link that relays each packet can drop, hold, repeat or forge one."""

    def __init__(self, topology: str) -> None:
        super().__init__("rules cannot be applied", f"the topology {topology!r} only looks on", "use --topology wire")


class NotForged(WireProblem):
    """A forged segment could not be put on the link."""

    def __init__(self, forgery: str, why: str) -> None:
        super().__init__(f"the segment was not forged ({forgery})", why, "run the case again")


class PortClaimed(ValueError):
    """Another case still watches this port at this end: the system has given the same one to two listeners."""

    def __init__(self, port: int) -> None:
        super().__init__(f"port {port} has been claimed already")


class CustodianRefused(WireProblem):
    """The custodian could not do one step; `errno` is the kernel's reason, if it was the kernel."""

    def __init__(self, what: str, why: str, hint: str, errno: int | None) -> None:
        super().__init__(what, why, hint)
        self.errno = errno


class CustodianLost(WireProblem):
    """The process that holds the namespaces is gone, and everything in them with it."""

    def __init__(self, why: str) -> None:
        super().__init__("the custodian of the topology is gone", why, "open the topology again")
