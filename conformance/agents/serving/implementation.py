# SPDX-License-Identifier: MIT
"""What an agent brings to the conversation: the calls of one implementation, an operation a method."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from conformance.agents.serving.outcomes import Call, outcome
from conformance.agents.serving.workers import Workers

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from typing import Any

LONGEST_DATA = 3_000_000
"""Octets that fit in a line as base64; more can be received with a digest."""


class Implementation:
    """The calls of one implementation: the base of every agent of the suite.

    For each operation of `ops` there is a method of its name (`socket` is `new_socket`) that makes one call. It is
    given a `Call`, which takes the times (`call.timed(function)`), the socket as `handle`, and the request's arguments
    by name, and returns the result as the protocol has it. It raises OSError or `Refused` for what the
    implementation answers, `NothingCame` for a time that was over, `Unsupported`, or anything else for a failure of
    the agent. Methods that may block are called in threads of their own.
    """

    ops: tuple[str, ...] = ()
    mechanisms: tuple[str, ...] = ()
    """How posted operations can be asked to complete: `event`, `routine`, `port`."""

    def __init__(self) -> None:
        self.indicate: Callable[[dict[str, Any]], None] = lambda event: None
        """Tell a notice: type, socket, error, at (and name, args), without its `n`. It belongs to the present
        generation and falls silent with `reset`: keep it with the socket that it is for."""
        self.workers = Workers()

    def hello(self, clock: str) -> dict[str, Any]:
        """Return what the agent says of itself and of the implementation."""
        raise NotImplementedError

    def handle(self, number: int) -> Any:
        """Return the socket of that number, which is or was, or stands for an invalid one (-1); raises LookupError."""
        raise NotImplementedError

    def may_block(self, op: str, arguments: dict[str, Any]) -> bool:
        """Whether this call has to be made in a thread of its own; `arguments` as the method gets them."""
        raise NotImplementedError

    def drop_all(self) -> None:
        """Abort every connection, so that every call that blocks returns; called again until they all have."""
        raise NotImplementedError

    def forget_all(self) -> None:
        """Forget all sockets and start their numbers again: no call is under way any more."""
        raise NotImplementedError

    def post_recv(
        self, call: Call, handle: Any, length: int, complete: Callable[[dict[str, Any]], None]
    ) -> dict[str, Any]:
        """Post a receive. `complete` is told once how it ended: `result` or `error`, `mechanism`, `at`.

        Here: a receive in a thread, by the method `recv` with `wait_ms` None. Returns {}; the token is the
        conversation's.
        """
        if not 0 <= length <= LONGEST_DATA:
            raise ValueError(f"a posted receive takes 0 to {LONGEST_DATA} octets, not {length}")
        receiving = Call()
        recv: Any = getattr(self, "recv", None)

        def receive() -> None:
            came: dict[str, Any] = {"timeout": True}
            while "timeout" in came:  # a limit that an earlier receive had set is none for this one
                came = outcome(receiving, lambda: recv(receiving, handle, length, wait_ms=None))
            if "failure" in came:
                # A completion cannot say it; a death is at least not taken for an answer of the implementation.
                sys.stderr.write(f"posted receive: {came['failure']}\n")
                os._exit(1)
            _, at = came.pop("call")
            complete({**came, "mechanism": "thread", "at": at})

        call.timed(lambda: self.workers.run(receive))
        return {}
