# SPDX-License-Identifier: MIT
"""Lets an agent that speaks on its standard streams listen: `python served.py HOST:PORT PROGRAM ARGUMENTS`.

Each connection gets a process of its own, as an agent with `--listen` gives it.
"""

from __future__ import annotations

import os
import signal
import socket
import sys


def main(address: str, command: list[str]) -> None:
    """Serve for ever."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    host, _, port = address.rpartition(":")
    with socket.create_server((host, int(port))) as listener:
        print(f"listening on port {listener.getsockname()[1]}", file=sys.stderr, flush=True)
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for stream in (0, 1):
                    os.dup2(connection.fileno(), stream)
                os.execvp(command[0], command)
            connection.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
