# SPDX-License-Identifier: MIT
"""`python -m conformance.agents.reference [--form F] [--listen HOST:PORT]`."""

from __future__ import annotations

import sys

from conformance.agents.reference.provider import FORMS, Provider
from conformance.agents.serving import program

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from typing import NoReturn

USAGE = f"""\
usage: python -m conformance.agents.reference [--form {"|".join(FORMS)}] [--listen HOST:PORT]

The reference provider: Winsock's calls over the suite's own transport on top of TCP. {program.LISTEN_USAGE}
--form is how the provider acts: by messages, ending with WSAEDISCON, or as a stream of octets, ending with 0 bytes; a
pseudo-stream is a stream over a protocol of messages (default: message).
"""


def main(arguments: list[str]) -> NoReturn:
    """Run the agent."""
    program.main(arguments, USAGE, "--form", list(FORMS), Provider)


if __name__ == "__main__":
    main(sys.argv[1:])
