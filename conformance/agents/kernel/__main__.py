# SPDX-License-Identifier: MIT
"""`python -m conformance.agents.kernel [--transport T] [--listen HOST:PORT]`."""

from __future__ import annotations

import sys

from conformance.agents.kernel.calls import TRANSPORTS, Calls
from conformance.agents.serving import program

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from typing import NoReturn

USAGE = f"""\
usage: python -m conformance.agents.kernel [--transport {"|".join(TRANSPORTS)}] [--listen HOST:PORT]

The agent for the kernel's own sockets. {program.LISTEN_USAGE}
--transport is what it says of itself in `hello` (default: tcp).
"""


def main(arguments: list[str]) -> NoReturn:
    """Run the agent."""
    program.main(arguments, USAGE, "--transport", list(TRANSPORTS), Calls)


if __name__ == "__main__":
    main(sys.argv[1:])
