# SPDX-License-Identifier: MIT
"""The octets of the reference transport (docs/reference-transport.md), right and wrong ones, for a raw peer to send."""

from __future__ import annotations

import struct

VERSION = 3
HEADER_OCTETS = 4
DATA, RELEASE, ABORT = 1, 2, 3
EOM = DATA_PRESENT = 1
"""Bit 0 of the flags: of DATA, the message ends here; of RELEASE, disconnect data was given."""
DISCONNECT_DATA_MAX = 512


def tpkt(tpdu: bytes, *, version: int = VERSION, reserved: int = 0, length: int | None = None) -> bytes:
    """A packet [RFC 1006, 6]; `length` is what it says of itself, by default the truth."""
    return struct.pack("!BBH", version, reserved, HEADER_OCTETS + len(tpdu) if length is None else length) + tpdu


def data(octets: bytes, *, flags: int = EOM) -> bytes:
    """A DATA, whole unless the flags say otherwise."""
    return tpkt(bytes((DATA, flags)) + octets)


def release(octets: bytes | None = None, *, flags: int | None = None) -> bytes:
    """A RELEASE with disconnect data, or (None) without."""
    given = 0 if octets is None else DATA_PRESENT
    return tpkt(bytes((RELEASE, given if flags is None else flags)) + (octets or b""))


def abort(octets: bytes = b"", *, reason: int = 0) -> bytes:
    """An ABORT."""
    return tpkt(bytes((ABORT, reason)) + octets)
