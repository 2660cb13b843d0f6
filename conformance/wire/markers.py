# SPDX-License-Identifier: MIT
"""Markers: numbered datagrams that the harness sends behind what is on the link, to learn when it has all come in."""

from __future__ import annotations

from conformance.wire import dissect

MAGIC = b"shutdown-conformance marker "
UDP_HEADER_OCTETS = 8


def marker(number: int) -> bytes:
    """The payload of the marker of this number (from 1)."""
    return MAGIC + b"%d" % number


def marker_number(data: bytes) -> int:
    """The number of the marker in this IP packet; 0 if it is none."""
    protocol, offset = dissect.transport(data)
    if protocol != dissect.UDP:
        return 0
    payload = data[offset + UDP_HEADER_OCTETS :]
    digits = payload[len(MAGIC) :]
    return int(digits) if payload.startswith(MAGIC) and digits.isdigit() else 0
