# SPDX-License-Identifier: MIT
"""The reference transport on the wire: its packets as scapy layers, and the decoder that reads a direction with them.

A unit is a TPKT (RFC 1006, section 6) with one TPDU: `TPKT() / TPDU() / DATA(flags="EOM") / b"goodbye"`. This module
imports scapy, so whoever may not need it imports it late.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from scapy.fields import ByteEnumField, ByteField, FlagsField, ShortField
from scapy.packet import Packet, bind_layers

from conformance.trace.events import End
from conformance.wire.pdus import MALFORMED, Decoders, Unit

HEADER_OCTETS = 6
"""TPKT's four, the type, and the flags or the reason."""
LONGEST_FAREWELL_OCTETS = 512
"""The most user data that RELEASE and ABORT may carry."""
VERSION = 3
TYPES = {1: "DATA", 2: "RELEASE", 3: "ABORT"}
EOM = 1
DATA_PRESENT = 1


def _flags(first: str) -> FlagsField:
    return FlagsField("flags", 0, 8, [first, *(f"bit{number}" for number in range(1, 8))])


class TPKT(Packet):
    """The packet of RFC 1006; its length counts all of it, and is filled in if it is not given."""

    name = "TPKT"
    fields_desc: ClassVar = [ByteField("version", VERSION), ByteField("reserved", 0), ShortField("length", None)]

    def post_build(self, pkt: bytes, pay: bytes) -> bytes:
        """Fill in the length."""
        if self.length is None:
            pkt = pkt[:2] + (len(pkt) + len(pay)).to_bytes(2, "big")
        return pkt + pay


class TPDU(Packet):
    """The type of a unit."""

    name = "reference TPDU"
    fields_desc: ClassVar = [ByteEnumField("type", 1, TYPES)]


class DATA(Packet):
    """A part of a message, or all of it."""

    name = "reference DATA"
    fields_desc: ClassVar = [_flags("EOM")]


class RELEASE(Packet):
    """The end of a direction, with disconnect data if there is any."""

    name = "reference RELEASE"
    fields_desc: ClassVar = [_flags("DATA_PRESENT")]


class ABORT(Packet):
    """The end of everything."""

    name = "reference ABORT"
    fields_desc: ClassVar = [ByteEnumField("reason", 0, {0: "user", 1: "protocol violation"})]


bind_layers(TPKT, TPDU)
bind_layers(TPDU, DATA, type=1)
bind_layers(TPDU, RELEASE, type=2)
bind_layers(TPDU, ABORT, type=3)


def decoders(client: End) -> Decoders:
    """A decoder for each direction; they are alike, whoever is the client."""
    return {end: ReferenceDecoder() for end in End}


class ReferenceDecoder:
    """Reads one direction. A unit that breaks the format is told as soon as its octets show it."""

    def __init__(self) -> None:
        self._octets = bytearray()
        self._over = False

    def feed(self, octets: bytes) -> Iterator[Unit]:
        """The units that these octets complete; none after MALFORMED or ABORT."""
        self._octets += octets
        while not self._over:
            if problem := _problem(self._octets):
                yield self._malformed(problem)
                return
            length = int.from_bytes(self._octets[2:4], "big")
            if len(self._octets) < max(length, HEADER_OCTETS):
                return
            packet = bytes(self._octets[:length])
            del self._octets[:length]
            unit = _unit(packet)
            self._over = unit.name == "ABORT"
            yield unit

    def finish(self) -> Iterator[Unit]:
        """TCP ended in order: a unit that is not whole is malformed."""
        if self._octets and not self._over:
            yield self._malformed(f"TCP ended after {len(self._octets)} octets of a unit")

    def _malformed(self, problem: str) -> Unit:
        self._over = True
        return Unit(MALFORMED, len(self._octets), problem=problem)


def _problem(octets: bytes | bytearray) -> str:
    """What is wrong with the unit that begins so; empty as long as it may still be well-formed."""
    if octets and octets[0] != VERSION:
        return f"the version of TPKT is {octets[0]}, not {VERSION}"
    if len(octets) > 1 and octets[1]:
        return f"the reserved octet of TPKT is {octets[1]}, not 0"
    length = int.from_bytes(octets[2:4], "big")
    if len(octets) >= 4 and length < HEADER_OCTETS:
        return f"the length of TPKT is {length}, less than {HEADER_OCTETS}"
    if len(octets) > 4 and octets[4] not in TYPES:
        return f"the type {octets[4]} is not known"
    kind = TYPES[octets[4]] if len(octets) > 4 else "DATA"
    if kind != "DATA" and length - HEADER_OCTETS > LONGEST_FAREWELL_OCTETS:
        return f"{kind} with {length - HEADER_OCTETS} octets of data, more than {LONGEST_FAREWELL_OCTETS}"
    if len(octets) > 5 and kind != "ABORT" and octets[5] & ~1:
        return f"{kind} with flags {octets[5]:#04x}, some of which are not known"
    if len(octets) > 5 and kind == "RELEASE" and length > HEADER_OCTETS and not octets[5] & DATA_PRESENT:
        return f"RELEASE with {length - HEADER_OCTETS} octets of data, and a flag that says that there are none"
    return ""


def _unit(octets: bytes) -> Unit:
    """The unit of a well-formed packet."""
    packet = TPKT(octets)
    body = packet[TPDU].payload
    data = bytes(body.payload)
    name = TYPES[packet[TPDU].type]
    if name == "ABORT":
        return Unit(name, len(octets), len(data), data, fields={"reason": int(body.reason)})
    flags = int(body.flags)
    return Unit(name, len(octets), len(data), data, name != "DATA" or bool(flags & EOM), {"flags": flags})
