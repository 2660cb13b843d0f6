# SPDX-License-Identifier: MIT
"""How a command says that it cannot go on: one clear message, and the next step."""

from __future__ import annotations

import sys

WRONG_USAGE = 2
NOTHING_JUDGED = 3
INTERRUPTED = 130
"""By Ctrl-C, as shells have it: 128 and the number of SIGINT."""


class Stop(Exception):
    """The command ends here: what is wrong, `hint` (the next step, may be empty), and the exit `status`."""

    def __init__(self, message: str, hint: str = "", status: int = WRONG_USAGE) -> None:
        super().__init__(message)
        self.hint = hint
        self.status = status


def tell(message: str, hint: str = "") -> None:
    """Say it on standard error."""
    print(f"shutdown-conformance: {message}", file=sys.stderr)
    if hint:
        print(f"hint: {hint}", file=sys.stderr)
