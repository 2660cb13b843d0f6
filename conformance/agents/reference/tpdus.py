# SPDX-License-Identifier: MIT
"""The wire format of the reference transport: TPDUs in TPKTs (RFC 1006 section 6), written and read.

Nothing here knows of sockets or of the state of a connection: a `Reader` tells the TPDUs of one direction of octets in
their order, or that the octets are none (`Violation`). What may follow what is the association's to know.
"""

from __future__ import annotations

from collections.abc import Iterator

DATA = 1
RELEASE = 2
ABORT = 3
NAMES = {DATA: "DATA", RELEASE: "RELEASE", ABORT: "ABORT"}

EOM = 1
"""Flag of DATA: it ends a message."""
DATA_PRESENT = 1
"""Flag of RELEASE: disconnect data was given, if only of no octets."""

BY_USER = 0
PROTOCOL_VIOLATION = 1
"""Reasons of ABORT; any other means what 0 means."""

VERSION = 3
HEADER = 4
"""Octets of a TPKT's header: version, reserved, length of the whole packet in two octets, big endian."""
SHORTEST = HEADER + 2
LONGEST = 0xFFFF
"""Octets of a whole packet."""
DATA_MAX = LONGEST - SHORTEST
"""User octets that fit in one DATA: 65529."""
DISCONNECT_DATA_MAX = 512
"""User octets that a RELEASE or an ABORT may carry."""


class Violation(Exception):
    """What came is not the protocol; the text says why."""


class Tpdu:
    """One TPDU: `type`, its second octet (`flags` of DATA and RELEASE, `reason` of ABORT), and its user `data`."""

    __slots__ = ("data", "octet", "type")

    def __init__(self, type: int, octet: int, data: bytes) -> None:
        self.type = type
        self.octet = octet
        self.data = data

    @property
    def end_of_message(self) -> bool:
        """Whether this DATA ends a message."""
        return bool(self.octet & EOM)

    @property
    def disconnect_data(self) -> bytes | None:
        """The disconnect data of this RELEASE; None where its sender gave none."""
        return self.data if self.octet & DATA_PRESENT else None

    def encoded(self) -> bytes:
        """Return the whole packet; raises ValueError where it would be too long."""
        length = SHORTEST + len(self.data)
        if length > longest(self.type):
            raise ValueError(f"{len(self.data)} octets do not fit in one {NAMES[self.type]}")
        return bytes((VERSION, 0, length >> 8, length & 0xFF, self.type, self.octet)) + self.data

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tpdu):
            return NotImplemented
        return (self.type, self.octet, self.data) == (other.type, other.octet, other.data)

    def __hash__(self) -> int:
        return hash((self.type, self.octet, self.data))

    def __repr__(self) -> str:
        return f"Tpdu({NAMES[self.type]}, {self.octet}, {self.data!r})"


def longest(type: int) -> int:
    """Return how many octets the whole packet of such a TPDU may have."""
    return LONGEST if type == DATA else SHORTEST + DISCONNECT_DATA_MAX


def data(octets: bytes, *, end_of_message: bool = True) -> Iterator[bytes]:
    """Yield the packets of one send, in order: as many full ones as it takes, EOM on the last (one, if it is empty)."""
    last = max(0, len(octets) - 1) // DATA_MAX * DATA_MAX
    for start in range(0, last + 1, DATA_MAX):
        flags = EOM if start == last and end_of_message else 0
        yield Tpdu(DATA, flags, octets[start : start + DATA_MAX]).encoded()


def release(disconnect_data: bytes | None = None) -> bytes:
    """Return the packet that ends a direction; None is a null pointer, no octets are data of no octets."""
    return Tpdu(RELEASE, 0 if disconnect_data is None else DATA_PRESENT, disconnect_data or b"").encoded()


def abort(reason: int = BY_USER, data: bytes = b"") -> bytes:
    """Return the packet that ends the connection at once."""
    return Tpdu(ABORT, reason, data).encoded()


class Reader:
    """Reads one direction's octets, however they were cut; holds less than one packet of them."""

    def __init__(self) -> None:
        self._unread = bytearray()
        self._enough = 0
        """Octets of the packet that has begun, as far as known."""

    def tpdus(self, octets: bytes) -> Iterator[Tpdu]:
        """Yield the TPDUs that are complete with these octets; raises Violation as soon as octets show one.

        After a violation, or where the iteration was not carried on to its end, the reader is of no more use.
        """
        unread = self._unread
        if unread:
            unread += octets
            if len(unread) < self._enough:
                return
            octets = bytes(unread)
            unread.clear()
        start, end, self._enough = 0, len(octets), 0
        while end - start >= 1:
            self._enough = length = _length(octets, start, end)
            if length == 0 or end - start < length:
                break
            yield Tpdu(octets[start + 4], octets[start + 5], octets[start + SHORTEST : start + length])
            start += length
        unread += octets[start:]

    def finish(self) -> None:
        """Take note of the end of TCP; raises Violation if it cut a packet."""
        if self._unread:
            raise Violation(f"TCP ended {len(self._unread)} octets into a packet")


def _length(octets: bytes, start: int, end: int) -> int:
    """Check as much as there is of a packet's first octets; return its length, 0 while that is not known.

    Raises Violation at the first octet that no packet can have there.
    """
    count = end - start
    if octets[start] != VERSION:
        raise Violation(f"version {octets[start]}, not {VERSION}")
    if count < 2:
        return 0
    if octets[start + 1]:
        raise Violation(f"reserved octet {octets[start + 1]}, not 0")
    if count < HEADER:
        return 0
    length = octets[start + 2] << 8 | octets[start + 3]
    if length < SHORTEST:
        raise Violation(f"length {length}, less than {SHORTEST}")
    if count < SHORTEST:
        if count > HEADER:
            _check_type(octets[start + 4], length)
        return 0
    type, octet = octets[start + 4], octets[start + 5]
    _check_type(type, length)
    if type != ABORT and octet & ~1:
        raise Violation(f"flags {octet:#04x} of {NAMES[type]}, of which only bit 0 is known")
    if type == RELEASE and not octet and length > SHORTEST:
        raise Violation("disconnect data in a RELEASE whose flag says that there is none")
    return length


def _check_type(type: int, length: int) -> None:
    if type not in NAMES:
        raise Violation(f"type {type}, which is unknown")
    if length > longest(type):
        raise Violation(f"{NAMES[type]} of {length} octets; {longest(type)} are allowed")
