# SPDX-License-Identifier: MIT
"""Sound inputs to begin from: stored traces with an event of every kind, a capture, a profile, results, bundles."""

from __future__ import annotations

import contextlib
import functools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import tomlkit

from conformance.oracle.results import judge_case
from conformance.reporting.certificate.bundle import MANIFEST, REPORT, STATEMENT
from conformance.trace import pcapng, store
from conformance.trace.events import Fate
from conformance.trace.frames import Frame
from tests.oracle.story import IUT, PEER, REFERENCE, SERVICE_PROVIDER, Story, statement
from tests.reporting.certificate.bundles import certified, contents, good_run, signed_again
from tests.reporting.runs import BAD, GOOD, bad_story, good_story, named, results_of

LINES = (
    b'{"id":0,"result":{"length":3,"data":"AAEC"},"call":[1732269000123456789,1732269000123456790]}',
    b'{"id":1,"error":{"name":"ECONNRESET","code":104},"call":[1,2]}',
    b'{"id":2,"timeout":true,"call":[1,2]}',
    b'{"id":3,"unsupported":"no such thing"}',
    b'{"event":{"n":1,"type":"FD_CLOSE","at":5,"socket":3,"error":null}}',
    b'{"event":{"n":2,"type":"UPCALL","at":5,"name":"WPUPostMessage","args":{"a":[1,{}]}}}',
    b'{"completion":{"n":3,"token":"a","at":6,"mechanism":"port","result":{"length":1,"data":"AA=="}}}',
    b'{"id":1,"result":{"protocol":1,"agent":{"name":"a","version":"1"},"implementation":{"name":"i","version":"1"},'
    b'"family":"posix","transport":"tcp","service_flags":[],"limits":{"disconnect_data_max":0,"message_max":null},'
    b'"surfaces":["blocking"],"ops":["socket"],"reads_ahead":false,"concurrent":true,"clock":"realtime"}}',
)
PROFILE = {
    "implementation": {"name": "fuzzed", "version": "1"},
    "agent": {"connect": "tcp://192.0.2.7:7007"},
    "statement": {
        "family": "posix",
        "transport": "tcp",
        "service_flags": ["GRACEFUL_CLOSE"],
        "surfaces": ["poll"],
        "ops": ["send"],
        "platform": "linux",
        "limits": {"disconnect_data_max": 512},
    },
    "run": {"settle_ms": 30, "prompt_ms": 1000, "address_family": "inet"},
    "peer": {"provider": "kernel-tcp"},
    "remote": {"interface": "eth1", "address": "192.0.2.7", "peer_address": "192.0.2.1"},
}
BASELINE = """\
# why these are here

[[excused]]
provider = "kernel-tcp"
requirement = "IND-STREAM-01"  # not yet
reason = "the kernel lets it"
owner = "net team"
expires = 2030-12-31

# another
[[ "excused" ]]
provider = "unix-stream"
requirement = "ERR-01"
reason = '''it is
known'''
owner = "nobody"
expires = "2026-01-01"
"""


@contextlib.contextmanager
def file_of(octets: bytes, suffix: str = "") -> Iterator[Path]:
    """A file with these octets, for as long as it is looked at."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / f"fuzzed{suffix}"
        path.write_bytes(octets)
        yield path


def profiles() -> tuple[bytes, ...]:
    """A profile with every key."""
    return (tomlkit.dumps(PROFILE).encode(),)


def captures() -> tuple[bytes, ...]:
    """A capture of two packets, of which one was held."""
    frames = [
        Frame(at=1_732_269_000_123_456_789, data=b"E" * 40, length=40),
        Frame(
            at=1_732_269_000_123_456_790, data=b"E" * 40, length=50, fate=Fate.HELD, delivered_at=10**18, comment="é"
        ),
    ]
    with file_of(b"") as path:
        pcapng.write(path, frames, comment="a case", interface="iut0")
        return (path.read_bytes(),)


def results() -> tuple[bytes, ...]:
    """The results of two cases."""
    cases = [judge_case(named(good_story(), GOOD)), judge_case(named(bad_story(), BAD))]
    return (msgspec.json.encode(results_of(*cases)),)


def baselines() -> tuple[bytes, ...]:
    """Baselines: with entries of all forms, and with none."""
    return (BASELINE.encode(), BASELINE.replace("\n", "\r\n").encode(), b"# nothing yet\n")


@functools.cache
def bundled() -> dict[str, bytes]:
    """The files that a certificate's bundle holds, by name."""
    with tempfile.TemporaryDirectory() as directory:
        good_run(Path(directory) / "run")
        return contents(certified(Path(directory) / "run"))


def bundle() -> bytes:
    """A bundle, without its report, which is larger than everything else together."""
    files = {name: content for name, content in bundled().items() if name != REPORT}
    with file_of(b"") as path:
        return signed_again(path, files, path.with_name("key.pem")).read_bytes()


def lies() -> tuple[bytes, ...]:
    """For each file of the bundle but those that are made of the others: its number, and its content."""
    made = (MANIFEST, REPORT, STATEMENT)
    return tuple(bytes([n]) + content for n, (name, content) in enumerate(bundled().items()) if name not in made)


def traces() -> tuple[bytes, ...]:
    """Stored traces."""
    stored = list[bytes]()
    for story in (_of_tcp(), _of_units(), _of_events(), _of_calls()):
        with file_of(b"") as path:
            store.save(story.trace(), path)
            stored.append(path.read_bytes())
    return tuple(stored)


def _of_tcp() -> Story:
    story = Story(exercises=("IND-STREAM-01", "INIT-CLOSE-01"))
    story.peer.send(5)
    story.data(PEER, 5)
    story.segment(PEER, "PA", 5, fate=Fate.HELD, delivered_at=story.now + 5)
    story.iut.send(7)
    story.data(IUT, 7)
    story.iut.recv(5)
    story.iut.poll("IN", "RDHUP")
    story.peer.shutdown("send")
    story.fin(PEER)
    story.iut.recv(0)
    story.iut.get_error("ECONNRESET")
    story.iut.linger(0)
    story.iut.call("duplicate", result={"socket": 4})
    story.iut.close()
    story.settle()
    story.rst(IUT)
    story.peer.dies()
    return story


def _of_units() -> Story:
    story = Story(REFERENCE)
    story.pdu(PEER, "DATA", b"abc")
    story.iut.recv(3, content=b"abc")
    story.peer.send_disconnect(b"bye")
    story.pdu(PEER, "RELEASE", b"bye")
    story.iut.recv(error="WSAEDISCON")
    story.iut.recv_disconnect(b"bye")
    story.iut.send_disconnect(b"end")
    story.pdu(IUT, "RELEASE", b"end")
    story.iut.close()
    return story


def _of_events() -> Story:
    story = Story(SERVICE_PROVIDER)
    story.iut.call("startup")
    story.iut.event_select("FD_READ", "FD_CLOSE")
    story.iut.post("a")
    story.iut.post_send("b", 3)
    story.iut.sent("b", 3)
    story.pdu(PEER, "RELEASE")
    story.iut.completes("a", error="WSAEDISCON")
    story.iut.upcall("WPUCompleteOverlappedRequest", bytes=0)
    story.iut.indicates("FD_CLOSE", "WSAECONNABORTED")
    story.iut.enum_events(("FD_CLOSE", ""))
    story.iut.call("cleanup")
    return story


def _of_calls() -> Story:
    story = Story(statement("quic", "PARTIAL_MESSAGE"))
    story.peer.send(3)
    story.peer.close()
    story.iut.recv(3)
    story.iut.recv(error="StreamReset")
    story.iut.shutdown(1, error="ENOTCONN")
    return story
