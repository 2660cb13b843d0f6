# SPDX-License-Identifier: MIT
"""A frame: one packet as it was on the link, raw. What it says is for `wire.dissect`, how it is stored for `pcapng`."""

from __future__ import annotations

import msgspec

from conformance.trace.events import Fate


class Frame(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One IP packet, seen at the edge of the implementation under test.

    `data` begins with the IP header and may have been cut; `length` counts the octets on the link. `at` is when it
    was seen, `delivered_at` when the harness let it go on if it had held it (both nanoseconds since 1970-01-01 UTC).
    """

    at: int
    data: bytes
    length: int
    fate: Fate = Fate.DELIVERED
    delivered_at: int | None = None
    comment: str = ""
    """Why the harness interfered; empty where it did not."""
