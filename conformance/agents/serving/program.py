# SPDX-License-Identifier: MIT
"""The command line of an agent: on standard input and output, or with --listen to whoever connects."""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
from collections.abc import Callable

from conformance.agents.serving.conversation import Conversation
from conformance.agents.serving.implementation import Implementation

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from typing import NoReturn

LISTEN_USAGE = """\
It speaks the agent protocol on standard input and output, or with --listen to whoever connects, each in a process of
its own."""


def main(
    arguments: list[str], usage: str, option: str, values: list[str], make: Callable[[str], Implementation]
) -> NoReturn:
    """Run an agent that has one option, whose value is one of `values` (the first by default) and is given to `make`.

    The arguments are read by hand: argparse would cost a fifth of the start-up time.
    """
    options = {option: values[0], "--listen": ""}
    while arguments:
        name, _, value = arguments.pop(0).partition("=")
        if name in ("-h", "--help"):
            sys.stdout.write(usage)
            sys.exit(0)
        if name not in options or not (value or arguments):
            sys.exit(f"{usage}\nwhat is {name!r} without a value?")
        options[name] = value or arguments.pop(0)
    chosen = options[option]
    if chosen not in values:
        sys.exit(f"{usage}\nno {option.removeprefix('--')} {chosen!r}")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if options["--listen"]:
        host, _, port = options["--listen"].rpartition(":")
        _listen(lambda: make(chosen), host.strip("[]"), int(port))
    _converse(make(chosen), "realtime", 0, 1)


def _converse(implementation: Implementation, clock: str, input_fd: int, output_fd: int) -> NoReturn:
    """Answer requests until `bye` or end of file, then exit, whatever still blocks."""
    conversation = Conversation(implementation, clock, output_fd)
    with os.fdopen(input_fd, "rb", closefd=False) as lines:
        for line in lines:
            if not conversation.take(line):
                break
    os._exit(0)


def _listen(make: Callable[[], Implementation], host: str, port: int) -> NoReturn:
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
            _converse(make(), clock, connection.fileno(), connection.fileno())
        connection.close()


def unavailable(what: str, remedy: str) -> NoReturn:
    """End an agent that lacks something on this machine: say what, and what to do. The suite knows it by the status."""
    sys.stderr.write(f"{what}\n{remedy}\n")
    sys.exit(os.EX_UNAVAILABLE)
