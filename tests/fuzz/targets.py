# SPDX-License-Identifier: MIT
"""Everything that reads what others wrote, each as a function of octets that raises only what must never be raised.

A target takes whatever octets, gives them to a reader, and swallows the reader's documented errors: what is left is a
crash. hypothesis (test_readers) and atheris (`python -m tests.fuzz`) drive the same targets, from the same samples. A
new reader of foreign files belongs into `TARGETS`, and is then fuzzed by both.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import msgspec

from conformance.agents.client import Agent
from conformance.agents.problems import AgentProblem, ProtocolViolation
from conformance.agents.protocol import Reply, check_reply, decode_line
from conformance.execution import profile
from conformance.oracle.results import judge_case
from conformance.reporting import baseline, rebaselining, results
from conformance.reporting.certificate.bundle import MANIFEST, REPORT, STATEMENT
from conformance.reporting.certificate.verifying import Verification, verify
from conformance.reporting.text import clean
from conformance.trace import pcapng, store
from tests.fuzz import samples
from tests.fuzz.samples import file_of
from tests.reporting.certificate.bundles import packed, quiet, signed_again

OPERATIONS = ("recv", "hello", "names", "poll", "enum_events", "post_recv")
"""Operations whose results have shapes of their own."""


@dataclass(frozen=True)
class Target:
    """`read` raises for a crash alone; `samples` are inputs that it accepts; `form` is what they are written in."""

    read: Callable[[bytes], object]
    samples: tuple[bytes, ...]
    form: str = "octets"


# --- the agent protocol -----------------------------------------------------------------------------------------------


def protocol_line(octets: bytes) -> None:
    """One line of an agent, for whatever operation it answers."""
    with contextlib.suppress(ProtocolViolation):
        message = decode_line(octets)
        if isinstance(message, Reply):
            for op in OPERATIONS:
                with contextlib.suppress(ProtocolViolation):
                    check_reply(message, op, octets)


def agent_output(octets: bytes, pieces: int = 1) -> list[str]:
    """An agent's whole output, to a client that has made requests; what the client took from it."""
    channel = _Saying(octets, pieces)
    agent = Agent("fuzzed", channel)
    took = list[str]()
    try:
        requests = [agent.submit(op, **arguments) for op, arguments in _ASKED.items()]
        while agent.wait_notice(0):
            took += map(repr, agent.take_notices())
        for request in requests:
            with contextlib.suppress(KeyError):  # one from before a reset is never answered
                took.append(repr(agent.reply(request, deadline_s=0)))
    except AgentProblem as problem:
        took.append(f"{type(problem).__name__}: {problem.why}")
    finally:
        agent.close()
    return took


_ASKED: dict[str, dict[str, object]] = {
    "recv": {"socket": 3, "length": 16},
    "names": {"socket": 3},
    "get_error": {"socket": 3},
    "reset": {},
    "another": {},
}


class _Saying:
    """A channel to an agent that has said all that it will ever say."""

    owned = False

    def __init__(self, octets: bytes, pieces: int) -> None:
        self._pieces = [octets[n * len(octets) // pieces : (n + 1) * len(octets) // pieces] for n in range(pieces)]
        self.reading, self._said = os.pipe()
        self.writing = os.open(os.devnull, os.O_WRONLY)
        os.set_blocking(self.reading, False)
        for piece in self._pieces:
            os.write(self._said, piece)
        os.close(self._said)

    def finish(self) -> None:
        """Nothing to say it to."""

    def ended(self, timeout_s: float) -> tuple[int | None, str]:
        """It has said everything."""
        return 0, "exit status 0"

    def stderr_tail(self) -> str:
        """Nothing."""
        return ""

    def kill(self) -> None:
        """Nothing to kill."""

    def close(self) -> None:
        """Give the descriptors back."""
        os.close(self.reading)
        os.close(self.writing)


# --- files ------------------------------------------------------------------------------------------------------------


def stored_trace(octets: bytes) -> None:
    """A file of evidence."""
    with file_of(octets, ".jsonl") as path, contextlib.suppress(store.BadEvidence):
        store.load(path)


def sealed_trace(octets: bytes) -> None:
    """The same with a seal that fits, and judged: evidence may be made up by whoever can compute a digest."""
    body = octets.rstrip(b"\n") + b"\n"
    seal = {"events": body.count(b"\n") - 1, "sha256": hashlib.sha256(body).hexdigest()}
    with file_of(body + msgspec.json.encode(seal) + b"\n", ".jsonl") as path, contextlib.suppress(store.BadEvidence):
        judge_case(store.load(path))


def capture(octets: bytes) -> None:
    """A capture beside a trace."""
    with file_of(octets, ".pcapng") as path:
        try:
            pcapng.read(path)
        except ValueError as problem:
            assert str(path) in str(problem), "the message does not name the file"


def provider_profile(octets: bytes) -> None:
    """A provider's profile."""
    with file_of(octets, ".toml") as path, contextlib.suppress(profile.BadProfile):
        profile.load(path)


def stored_results(octets: bytes) -> None:
    """The results of a run."""
    with file_of(octets, ".json") as path, contextlib.suppress(results.BadResults):
        results.load(path)


def known_failures(octets: bytes) -> None:
    """A baseline, and the same made to fit a run: what cannot be read or edited is refused, and the rest is kept."""
    with file_of(octets, ".toml") as path, contextlib.suppress(baseline.BadBaseline):
        text = baseline.read_text(path)
        entries = baseline.parse(text, path)
        done = rebaselining.update(_RUN, text, path, _TODAY)
        kept = {entry for entry in entries if entry not in {each.entry for each in done.removed}}
        assert set(baseline.parse(done.text, path)) == kept | set(done.added), "the update lost or invented an entry"
        list(rebaselining.lines(done))


_TODAY = date(2026, 11, 22)
_RUN = msgspec.json.decode(samples.results()[0], type=results.Results)


def bundle(octets: bytes) -> None:
    """A certificate's bundle, from whoever sent it."""
    with file_of(octets, ".zip") as path:
        _told(verify(path, None, quiet))


def lying_bundle(octets: bytes) -> None:
    """One whose signer put something else in the place of a file: packed, listed and signed as it should be."""
    names = list(samples.bundled())
    number, content = (octets[0] % len(names), octets[1:]) if octets else (0, b"")
    with file_of(b"", ".zip") as path, contextlib.suppress(results.BadResults):
        files = {**samples.bundled(), names[number]: content}
        if names[number] != REPORT:
            del files[REPORT]  # it takes longer to draw than everything else together
        if names[number] in (MANIFEST, STATEMENT):
            packed(path, files)
        else:
            signed_again(path, files, path.with_name("key.pem"), results=_RUN)
        _told(verify(path, None, quiet))


def _told(found: Verification) -> None:
    """What is said of it can be said."""
    assert found.status in (0, 1, 3)
    said = [found.sentence, *found.account.verified, *found.account.unverified, *map(str, found.account.wrong)]
    "\n".join(map(clean, said)).encode()


_SEALED = tuple(trace.rstrip(b"\n").rpartition(b"\n")[0] for trace in samples.traces())
TARGETS = {
    "protocol": Target(protocol_line, samples.LINES, "json"),
    "agent": Target(agent_output, (b"\n".join(samples.LINES) + b"\n",), "json lines"),
    "trace": Target(stored_trace, samples.traces()),
    "sealed": Target(sealed_trace, _SEALED, "json lines"),
    "pcapng": Target(capture, samples.captures()),
    "profile": Target(provider_profile, samples.profiles(), "toml"),
    "results": Target(stored_results, samples.results(), "json"),
    "baselines": Target(known_failures, samples.baselines(), "toml"),
    "bundles": Target(bundle, (samples.bundle(),)),
    "lying-bundles": Target(lying_bundle, samples.lies()),
}
