# SPDX-License-Identifier: MIT
"""Disconnect data by its size: within the limit that the statement names, and such that the transport can carry it."""

import pytest

from conformance.catalogue.statement import Limits, Statement
from conformance.execution.calling import CannotExercise
from conformance.execution.lastword import LastWord, octets_of


def claiming(transport: str = "reference", limit: int | None = 512) -> Statement:
    return Statement(family="runtime", transport=transport, limits=Limits(disconnect_data_max=limit))


@pytest.mark.parametrize(
    ("word", "length"),
    [
        (LastWord.EMPTY, 0),
        (LastWord.ONE, 1),
        (LastWord.TYPICAL, 20),
        (LastWord.MAXIMUM, 512),
        (LastWord.ABOVE_MAXIMUM, 513),
        (LastWord.EVERY_OCTET, 256),
    ],
)
def test_sizes(word: LastWord, length: int) -> None:
    octets = octets_of(word, claiming())
    assert octets is not None and len(octets) == length


def test_null_is_not_empty() -> None:
    assert octets_of(LastWord.NULL, claiming()) is None


def test_a_small_limit_is_kept_by_what_is_typical() -> None:
    assert len(octets_of(LastWord.TYPICAL, claiming(limit=19)) or b"") == 19
    assert len(octets_of(LastWord.TYPICAL, claiming(limit=None)) or b"") == 20


def test_every_octet_is_there() -> None:
    assert set(octets_of(LastWord.EVERY_OCTET, claiming(limit=256)) or b"") == set(range(256))
    with pytest.raises(CannotExercise):
        octets_of(LastWord.EVERY_OCTET, claiming(limit=255))


@pytest.mark.parametrize("word", [LastWord.MAXIMUM, LastWord.ABOVE_MAXIMUM])
def test_no_limit_has_no_maximum(word: LastWord) -> None:
    with pytest.raises(CannotExercise, match="limit"):
        octets_of(word, claiming(limit=None))


def test_a_websocket_is_given_a_code_and_text() -> None:
    word = octets_of(LastWord.MAXIMUM, claiming("websocket", 125)) or b""
    assert (len(word), int.from_bytes(word[:2])) == (125, 1000)
    assert word[2:].decode().isascii()
    with pytest.raises(CannotExercise, match="code"):
        octets_of(LastWord.ONE, claiming("websocket", 125))
