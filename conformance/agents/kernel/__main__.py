# SPDX-License-Identifier: MIT
"""`python -m conformance.agents.kernel [--transport T] [--listen HOST:PORT]`: the agent's own loop."""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys

from conformance.agents.kernel.lines import TRANSPORTS, Conversation

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from typing import NoReturn

USAGE = f"""\
usage: python -m conformance.agents.kernel [--transport {"|".join(TRANSPORTS)}] [--listen HOST:PORT]

The agent for the kernel's own sockets. It speaks the agent protocol on standard input and output, or with --listen
to whoever connects, each in a process of its own. --transport is what it says of itself in `hello` (default: tcp).
"""


def converse(transport: str, clock: str, input_fd: int, output_fd: int) -> NoReturn:
    """Answer requests until `bye` or end of file, then exit, whatever still blocks."""
    conversation = Conversation(transport, clock, output_fd)
    with os.fdopen(input_fd, "rb", closefd=False) as lines:
        for line in lines:
            if not conversation.take(line):
                break
    os._exit(0)


def listen(transport: str, host: str, port: int) -> NoReturn:
    """Fork a process for each suite that connects. The clock is shared with a suite on this machine only."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    sys.stderr.write(f"listening on port {listener.getsockname()[1]}\n")
    sys.stderr.flush()
    while True:
        connection, (peer, *_) = listener.accept()
        if os.fork() == 0:
            listener.close()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            clock = "realtime" if peer == "::1" or peer.startswith("127.") else "foreign"
            converse(transport, clock, connection.fileno(), connection.fileno())
        connection.close()


def main(arguments: list[str]) -> NoReturn:
    """Read the arguments by hand: argparse would cost a fifth of the start-up time."""
    options = {"--transport": "tcp", "--listen": ""}
    while arguments:
        name, _, value = arguments.pop(0).partition("=")
        if name in ("-h", "--help"):
            sys.stdout.write(USAGE)
            sys.exit(0)
        if name not in options or not (value or arguments):
            sys.exit(f"{USAGE}\nwhat is {name!r} without a value?")
        options[name] = value or arguments.pop(0)
    transport = options["--transport"]
    if transport not in TRANSPORTS:
        sys.exit(f"{USAGE}\nno transport {transport!r}")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if options["--listen"]:
        host, _, port = options["--listen"].rpartition(":")
        listen(transport, host.strip("[]"), int(port))
    converse(transport, "realtime", 0, 1)


if __name__ == "__main__":
    main(sys.argv[1:])
