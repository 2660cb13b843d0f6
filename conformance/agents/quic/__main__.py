# SPDX-License-Identifier: MIT
"""`python -m conformance.agents.quic [--api events|streams] [--listen HOST:PORT]`."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import NoReturn

from conformance.agents.serving import program
from conformance.agents.serving.implementation import Implementation

APIS = ["events", "streams"]
USAGE = f"""\
usage: python -m conformance.agents.quic [--api {"|".join(APIS)}] [--listen HOST:PORT]

The agent for QUIC by the library aioquic. {program.LISTEN_USAGE}
--api is which of its two interfaces makes the calls (default: events).
"""


def main(arguments: list[str]) -> NoReturn:
    """Run the agent."""
    helping = {"-h", "--help"} & set(arguments)
    if not helping and find_spec("aioquic") is None:
        program.unavailable("the library aioquic is not installed", "pip install 'shutdown-conformance[quic]'")
    program.main(arguments, USAGE, "--api", APIS, _make)


def _make(api: str) -> Implementation:
    from conformance.agents.quic.calls import Calls

    return Calls(api)


if __name__ == "__main__":
    main(sys.argv[1:])
