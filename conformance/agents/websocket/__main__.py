# SPDX-License-Identifier: MIT
"""`python -m conformance.agents.websocket [--library L] [--listen HOST:PORT]`."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from conformance.agents.serving import program
from conformance.agents.serving.implementation import Implementation

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from typing import NoReturn

LIBRARIES = ["websockets", "wsproto"]
USAGE = f"""\
usage: python -m conformance.agents.websocket [--library {"|".join(LIBRARIES)}] [--listen HOST:PORT]

The agent for WebSocket: `websockets` by its threading API, or an endpoint made of `wsproto`. {program.LISTEN_USAGE}
"""


def main(arguments: list[str]) -> NoReturn:
    """Run the agent."""
    program.main(arguments, USAGE, "--library", LIBRARIES, _make)


def _make(library: str) -> Implementation:
    """The calls of that library; ends the agent where it is not installed."""
    if find_spec(library) is None:
        program.unavailable(f"the library {library} is not installed", "pip install 'shutdown-conformance[websocket]'")
    if library == "websockets":
        from conformance.agents.websocket.library import Library

        return Library()
    from conformance.agents.websocket.frames import Frames

    return Frames()


if __name__ == "__main__":
    main(sys.argv[1:])
