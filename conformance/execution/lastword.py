# SPDX-License-Identifier: MIT
"""Disconnect data that cases are parametrised over: named by its size, made when the provider's limit is known."""

from __future__ import annotations

from enum import StrEnum

from conformance.catalogue.statement import Statement
from conformance.execution.calling import CannotExercise

TYPICAL_OCTETS = 20
_CODE = (1000).to_bytes(2)
"""A WebSocket's last word begins with a code; this is the one of a normal closure. [RFC 6455, 7.4.1]"""


class LastWord(StrEnum):
    """What is given to SendDisconnect."""

    NULL = "null"
    """A null pointer."""
    EMPTY = "empty"
    """A pointer to no octets."""
    ONE = "1"
    TYPICAL = "20"
    MAXIMUM = "maximum"
    """As many octets as the statement says."""
    ABOVE_MAXIMUM = "above-maximum"
    """One more."""
    EVERY_OCTET = "every-octet"
    """All the values that an octet can have."""


def octets_of(word: LastWord, statement: Statement) -> bytes | None:
    """The octets of it, None for the null pointer. Raises CannotExercise where the provider cannot be given such."""
    limit = statement.limits.disconnect_data_max
    match word:
        case LastWord.NULL:
            return None
        case LastWord.EMPTY:
            return b""
        case LastWord.ONE:
            return _pattern(1, statement.transport, first=0x5A)
        case LastWord.TYPICAL:
            return _pattern(min(TYPICAL_OCTETS, limit or TYPICAL_OCTETS), statement.transport)
        case LastWord.MAXIMUM | LastWord.ABOVE_MAXIMUM:
            if limit is None:
                raise CannotExercise("the statement names no limit of disconnect data (limits.disconnect_data_max)")
            return _pattern(limit + (word is LastWord.ABOVE_MAXIMUM), statement.transport)
        case LastWord.EVERY_OCTET:
            if statement.transport != "reference" or (limit is not None and limit < 256):
                raise CannotExercise("no room for octets of every value, or no octets of every value are possible")
            return bytes(range(256))


def _pattern(length: int, transport: str, *, first: int = 0xE0) -> bytes:
    """So many octets: for a WebSocket a code and text, for the reference transport whatever octets, else text."""
    if transport == "reference":
        return bytes((first + 7 * place) & 0xFF for place in range(length))
    prefix = _CODE if transport == "websocket" else b""
    if length < len(prefix):
        raise CannotExercise("a WebSocket's last word has a code of two octets")
    return prefix + bytes(ord("a") + (first + place) % 26 for place in range(length - len(prefix)))
