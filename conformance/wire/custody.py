# SPDX-License-Identifier: MIT
"""The harness's end of the socket to a `custodian`: one request at a time, from any thread."""

from __future__ import annotations

import array
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from conformance.wire import custodian
from conformance.wire.errors import CustodianLost, CustodianRefused

ANSWER_LIMIT_S = 30.0
"""Longer than any step takes on a machine that still works; the slowest, `ip` for a veth pair, takes 0.1 s."""
LONGEST_PARENT_OCTETS = 60
"""sockaddr_un.sun_path has 108 octets; the rest is for our own directory's name and the socket's."""


class Custody:
    """A running custodian, and what it is asked for. Closing it ends everything that it holds."""

    def __init__(self, *, isolated: bool) -> None:
        """Start the custodian; `isolated` says whether it is to make namespaces.

        Raises:
            CustodianRefused: the kernel does not let this user make them.
            CustodianLost: it did not start.
        """
        self._lock = threading.Lock()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket = ours
        ours.settimeout(ANSWER_LIMIT_S)
        parent = tempfile.gettempdir()
        if len(os.fsencode(parent)) > LONGEST_PARENT_OCTETS:
            parent = "/tmp"
        ourselves = os.pidfd_open(os.getpid())
        with theirs:
            self._process = subprocess.Popen(
                # -I -S: nothing of the user's Python environment is needed, and leaving it out is quicker
                [sys.executable, "-I", "-S", custodian.__file__, str(theirs.fileno()), str(ourselves),
                 "isolated" if isolated else "plain", parent],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(theirs.fileno(), ourselves),
                start_new_session=True,
            )  # fmt: skip
        os.close(ourselves)
        self._directory: Path | None = None
        try:
            hello, _ = self._receive("a private place for the topology")
        except BaseException:
            self.close()
            raise
        self._directory = Path(hello["directory"])

    @property
    def directory(self) -> Path:
        """The private directory; it goes when the custodian goes."""
        assert self._directory is not None
        return self._directory

    def ask(self, do: str, fds: tuple[int, ...] = (), **arguments: Any) -> dict[str, Any]:
        """Have a step done that hands out no descriptor.

        Raises:
            CustodianRefused: the step failed; the reason is in it.
            CustodianLost: there is no custodian any more.
        """
        return self._exchange(do, fds, arguments)[0]

    def ask_for_descriptor(self, do: str, fds: tuple[int, ...] = (), **arguments: Any) -> tuple[int, dict[str, Any]]:
        """Have a step done whose result is a descriptor; it is ours to close."""
        reply, given = self._exchange(do, fds, arguments)
        return given[0], reply

    def _exchange(self, do: str, fds: tuple[int, ...], arguments: dict[str, Any]) -> tuple[dict[str, Any], list[int]]:
        message = json.dumps({"do": do, **arguments}).encode()
        with self._lock:
            try:
                ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
                self._socket.sendmsg([message], ancillary)
            except ConnectionError as problem:
                raise CustodianLost(str(problem)) from None
            except OSError as problem:
                if self._socket.fileno() < 0:
                    raise CustodianLost("it has been closed") from None
                raise CustodianRefused(do, problem.strerror or str(problem), "", problem.errno) from None
            return self._receive(do)

    def _receive(self, what: str) -> tuple[dict[str, Any], list[int]]:
        try:
            message, given, _, _ = socket.recv_fds(
                self._socket, custodian.LARGEST_MESSAGE_OCTETS, custodian.FDS_PER_MESSAGE
            )
        except OSError as problem:  # also the time limit; a late answer must not be taken for the next one
            self._socket.close()
            raise CustodianLost(str(problem)) from None
        if not message:
            raise CustodianLost(self._last_words() or "it ended by itself")
        reply = json.loads(message)
        if "why" in reply:
            raise CustodianRefused(what, reply["why"], reply["hint"], reply["errno"])
        return reply, given

    def _last_words(self) -> str:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            _, words = self._process.communicate(timeout=2.0)
            return words.decode(errors="replace").strip()
        return ""

    def close(self) -> None:
        """End the custodian and, with it, every process, namespace, device and file of the topology."""
        self._socket.close()
        try:
            self._process.wait(ANSWER_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)  # only if somebody killed the guard
