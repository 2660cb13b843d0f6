# SPDX-License-Identifier: MIT
"""A case may name who plays the other end; one that speaks the layer below only is known as raw, and not believed."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from conformance.execution import planning, profile, running
from conformance.execution.connection import Connection
from conformance.execution.running import Case, Provider
from conformance.execution.stage import Stage
from conformance.execution.tpkt import data, release
from conformance.session.runner import Runner
from conformance.trace.direction import EndKind
from conformance.trace.events import End
from conformance.trace.history import History
from conformance.wire.errors import TopologyUnavailable
from tests.oracle.story import REFERENCE

HELLO: Any = None
PROFILE = profile.find("reference")


Mark = tuple[str, tuple[str, ...]]


def planned(*marks: Mark, keyword: str = "") -> Case | None:
    """What becomes of a case with these marks, as pytest has collected it for the reference provider."""
    config: Any = SimpleNamespace(
        option=SimpleNamespace(keyword=keyword, markexpr=""),
        getoption=lambda name: "",
        pluginmanager=SimpleNamespace(has_plugin=lambda name: False),
    )
    known = [SimpleNamespace(name=name, args=args) for name, args in (("exercises", ("IND-MSG-01",)), *marks)]
    item: Any = SimpleNamespace(
        nodeid="a.py::b[reference]",
        originalname="b",
        obj=lambda: None,
        callspec=SimpleNamespace(params={"connection": ("reference", End.IUT)}, id="reference"),
        iter_markers=lambda name: [mark for mark in known if mark.name == name],
        get_closest_marker=lambda name: next((mark for mark in known if mark.name == name), None),
    )
    runner = Runner(config, {"reference": PROFILE}, "host", Path())
    runner.providers["reference"] = Provider(PROFILE, HELLO, REFERENCE, PROFILE)
    try:
        return runner._case(item)
    finally:
        runner.stage.close()


def test_the_other_end_is_whom_the_profile_names_unless_the_case_says_otherwise() -> None:
    usual, raw = planned(), planned(("peer", ("kernel-tcp",)))
    assert usual is not None and (usual.peer.name, usual.raw_peer) == ("reference", False)
    assert raw is not None and (raw.peer.name, raw.raw_peer) == ("kernel-tcp", True)
    assert raw.peer.kind == "stream"


def test_a_peer_of_the_same_transport_is_not_raw() -> None:
    case = planned(("peer", ("reference-stream",)))
    assert case is not None and (case.peer.name, case.raw_peer) == ("reference-stream", False)


def test_a_thorough_case_is_planned_only_where_it_is_asked_for() -> None:
    assert planned(("thorough", ())) is None
    assert planned(("thorough", ()), keyword="thorough and totals") is not None


def octet_by_octet(connection: Connection) -> None:
    connection.peer.send_octets(data(b"whole"))
    connection.peer.send_octets(data(b"cut", flags=0))
    connection.peer.send_octets(data(b" in two") + release(b"bye"))
    connection.iut.read_to_the_end()


def test_what_a_raw_peer_offers_is_what_its_units_carry() -> None:
    stage = Stage()
    try:
        provider = planning.meet(PROFILE, stage, "loopback")
        case = Case("raw", provider, "loopback", (), octet_by_octet, {}, other=profile.find("kernel-tcp"))
        trace, _ = running.run(case, stage)
    except TopologyUnavailable as problem:
        pytest.skip(str(problem))
    finally:
        stage.close()
    assert (trace.header.problem, trace.header.raw_peer, trace.header.peer) == ("", True, "kernel-tcp")
    direction = History(trace).connections[0].peer_to_iut
    assert direction.offered == (b"whole", b"cut in two")
    assert direction.ending.kind is EndKind.GRACEFUL

    unseen = msgspec.structs.replace(trace, header=msgspec.structs.replace(trace.header, wire=False))
    for direction in (History(unseen).connections[0].peer_to_iut, History(unseen).connections[0].iut_to_peer):
        assert direction.ending.kind is EndKind.NOT_KNOWN
        assert "peer" in direction.ending.reason
