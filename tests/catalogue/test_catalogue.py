# SPDX-License-Identifier: MIT
"""The catalogue is whole, readable, and applies where it should."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

import pytest

from conformance.catalogue import catalogue
from conformance.catalogue.conditions import parse
from conformance.catalogue.requirement import Requirement
from conformance.catalogue.statement import Limits, Statement

POSIX_OPS = (
    "socket",
    "listen",
    "accept",
    "connect",
    "send",
    "recv",
    "shutdown",
    "close",
    "duplicate",
    "set_linger",
    "get_linger",
    "set_blocking",
    "set_option",
    "get_error",
    "names",
    "poll",
)
POSIX_SURFACES = ("blocking", "nonblocking", "select", "poll", "epoll", "epoll-et")
RELIABLE = ("GUARANTEED_DELIVERY", "GUARANTEED_ORDER", "GRACEFUL_CLOSE")

KERNEL_TCP = Statement(
    family="posix",
    transport="tcp",
    service_flags=RELIABLE,
    surfaces=POSIX_SURFACES,
    ops=POSIX_OPS,
    platform="linux",
)
UNIX_STREAM = Statement(
    family="posix",
    transport="unix",
    service_flags=RELIABLE,
    surfaces=POSIX_SURFACES,
    ops=POSIX_OPS,
    platform="linux",
)
UNIX_SEQPACKET = Statement(
    family="posix",
    transport="unix",
    service_flags=(*RELIABLE, "MESSAGE_ORIENTED"),
    surfaces=POSIX_SURFACES,
    ops=POSIX_OPS,
    platform="linux",
)
PROVIDER = Statement(
    family="winsock-spi",
    transport="reference",
    service_flags=(*RELIABLE, "MESSAGE_ORIENTED", "PARTIAL_MESSAGE", "DISCONNECT_DATA"),
    surfaces=("blocking", "nonblocking", "select", "event", "message", "overlapped"),
    limits=Limits(disconnect_data_max=512),
    features=("two-phase-release",),
)
RUNTIME = Statement(
    family="runtime",
    transport="other",
    service_flags=(*RELIABLE, "MESSAGE_ORIENTED"),
    surfaces=("callback",),
)
STATEMENTS = {
    "kernel-tcp": KERNEL_TCP,
    "unix-stream": UNIX_STREAM,
    "unix-seqpacket": UNIX_SEQPACKET,
    "provider": PROVIDER,
    "runtime": RUNTIME,
}


def every_requirement() -> list[Requirement]:
    return list(catalogue.load().values())


def applying(statement: Statement) -> set[str]:
    return {requirement.id for requirement in every_requirement() if requirement.unmet(statement) is None}


def accepted(identifier: str, statement: Statement) -> list[str]:
    return [outcome.outcome for outcome in catalogue.load()[identifier].accepted_for(statement)]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the catalogue's files that a test may spoil."""
    return shutil.copytree(str(files("conformance.catalogue") / "requirements"), tmp_path / "requirements")


def spoil(copy: Path, old: str, new: str) -> None:
    file = copy / "indicating.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_groups_are_in_order_and_hold_everything() -> None:
    loaded = catalogue.load()
    assert list(loaded.groups) == list("ABCDEFG")
    assert [requirement.id for letter in loaded.groups for requirement in loaded.group(letter)] == list(loaded)


@pytest.mark.parametrize("requirement", every_requirement(), ids=lambda requirement: requirement.id)
def test_a_row_is_complete(requirement: Requirement) -> None:
    for text in (requirement.statement, requirement.stimulus, requirement.observed_by):
        assert text.endswith(".")
    assert all(source.text for source in requirement.sources)
    assert all(source.verified or source.note for source in requirement.sources), "what was not read says why"
    assert all(outcome.says.endswith(".") and outcome.provenance for outcome in requirement.accepted)
    for clause in (*requirement.applies_if, *(clause for outcome in requirement.accepted for clause in outcome.when)):
        assert parse(clause)


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
def test_what_applies_accepts_something(statement: Statement) -> None:
    assert [i for i in applying(statement) if not accepted(i, statement)] == []


def test_no_requirement_applies_to_everybody_by_oversight() -> None:
    assert {r.id for r in every_requirement() if not r.applies_if} == {"ERR-05"}


def test_what_applies_to_kernel_tcp() -> None:
    found = applying(KERNEL_TCP)
    assert found >= {
        "INIT-SHUT-01",
        "INIT-CLOSE-02",
        "INIT-CLOSE-11",
        "IND-STREAM-01",
        "IND-ABORT-01",
        "IND-SEL-01",
        "DD-SCN-05",
        "WIRE-FIN-01",
        "WIRE-TMO-02",
        "POSIX-POLL-04",
        "POSIX-CLOSE-01",
        "ERR-01",
    }
    assert not found & {
        "INIT-SHUT-04",
        "INIT-SHUT-12",
        "INIT-SDISC-01",
        "INIT-CLOSE-07",
        "IND-MSG-01",
        "IND-ABORT-03",
        "IND-FDC-01",
        "IND-OVL-01",
        "DD-SEND-01",
        "DD-SEND-02",
        "DD-RECV-05",
        "WIRE-RST-02",
        "SEQ-01",
        "UNIX-01",
        "WS-01",
        "ERR-04",
    }


def test_challenge_acks_are_for_who_claims_them() -> None:
    assert catalogue.load()["WIRE-RST-02"].unmet(KERNEL_TCP) == "not claimed: feature RFC5961"


def test_what_applies_to_unix_streams() -> None:
    found = applying(UNIX_STREAM)
    assert found >= {"INIT-SHUT-01", "IND-STREAM-01", "POSIX-RECV-01", "UNIX-01", "ERR-01"}
    assert not any(identifier.startswith("WIRE-") for identifier in found)
    assert not found & {"SEQ-01", "SEQ-02", "IND-MSG-01"}


def test_what_applies_to_unix_messages() -> None:
    found = applying(UNIX_SEQPACKET)
    assert found >= {"IND-MSG-01", "IND-MSG-02", "IND-MSG-03", "SEQ-01", "SEQ-02", "UNIX-01", "IND-ABORT-01"}
    assert not found & {"IND-STREAM-01", "IND-MSG-05", "POSIX-RECV-01"}


def test_what_applies_to_a_provider_with_disconnect_data() -> None:
    found = applying(PROVIDER)
    assert found >= {
        "INIT-SHUT-04",
        "INIT-SDISC-01",
        "IND-MSG-01",
        "IND-MSG-05",
        "IND-FDC-01",
        "IND-FDC-13",
        "IND-OVL-03",
        "DD-SEND-01",
        "DD-RECV-01",
        "DD-SCN-01",
        "ERR-10",
    }
    assert not found & {"IND-STREAM-01", "DD-SEND-02", "DD-RECV-05", "POSIX-RECV-01", "WIRE-FIN-01", "IND-OVL-06"}


def test_the_end_of_a_message_protocol_is_told_in_the_way_of_its_family() -> None:
    assert accepted("IND-MSG-01", PROVIDER) == ["EDISCON"]
    assert accepted("IND-MSG-01", UNIX_SEQPACKET) == ["ZERO_BYTES"]
    assert accepted("IND-MSG-01", RUNTIME) == ["GRACEFUL"]


def test_linger_zero_must_abort_on_every_transport() -> None:
    assert accepted("INIT-CLOSE-03", KERNEL_TCP) == ["ABORT_REMOTE"]
    assert accepted("INIT-CLOSE-03", UNIX_STREAM) == ["ABORT_REMOTE"]


def test_an_abort_is_accepted_only_as_a_reset() -> None:
    for statement in STATEMENTS.values():
        assert accepted("IND-ABORT-01", statement) == ["ECONNRESET"]


def test_a_misspelt_identifier_has_neighbours() -> None:
    assert catalogue.nearest("ind-stream-1")[0] == "IND-STREAM-01"
    assert catalogue.nearest("nothing like it") == []


def test_the_digest_follows_what_is_said() -> None:
    assert catalogue.digest() == catalogue.digest()
    assert catalogue.digest().startswith("sha256:")
    assert len(catalogue.digest()) == len("sha256:") + 64


def test_a_copy_reads_the_same(copy: Path) -> None:
    assert dict(catalogue.read(copy)) == dict(catalogue.load())


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('level = "mandatory"', 'level = "important"', "IND-STREAM-01"),
        ('"GRACEFUL_CLOSE"', '"GRACEFULL_CLOSE"', "IND-STREAM-01.*GRACEFUL_CLOSE"),
        ("verified = true", 'verified = "yes"', "IND-STREAM-01"),
        ('outcome = "ZERO_BYTES"', 'outcome = "zero bytes"', "IND-STREAM-01.*UPPER_CASE"),
        ("stimulus =", "stimuli =", "IND-STREAM-01.*stimuli"),
        ('id = "IND-STREAM-02"', 'id = "IND-STREAM-01"', "IND-STREAM-01.*taken"),
        ('title = "', 'tilte = "', "tilte"),
        ("[[requirement]]", "[[requirement", "indicating"),
    ],
)
def test_a_bad_row_is_named_with_its_file(copy: Path, old: str, new: str, expected: str) -> None:
    spoil(copy, old, new)
    with pytest.raises(catalogue.BadCatalogue, match=expected) as caught:
        catalogue.read(copy)
    assert "indicating.toml" in str(caught.value)


def test_a_row_without_an_accepted_outcome_is_refused(copy: Path) -> None:
    file = copy / "errors.toml"
    before, _, rest = file.read_text(encoding="utf-8").partition("accepted = [\n")
    _, _, after = rest.partition("]\n")
    file.write_text(before + "accepted = []\n" + after, encoding="utf-8")
    with pytest.raises(catalogue.BadCatalogue, match=r"ERR-01.*accepted"):
        catalogue.read(copy)
