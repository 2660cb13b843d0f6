# SPDX-License-Identifier: MIT
"""The receive window as the link shows it: the field of a segment, scaled as both SYNs agreed. [RFC 7323, 2]"""

from __future__ import annotations

from collections.abc import Sequence

from conformance.trace.events import End, Fate, Segment


def shift_of(segments: Sequence[Segment], end: End) -> int:
    """By how many bits that end's window fields are shifted, on one connection: by none unless both SYNs offer it.

    What an end has room for beyond the last multiple of 2 to that power it cannot say. [RFC 7323, 2.2 and 2.3]
    """
    offered = {s.sender: s.scale for s in segments if "S" in s.flags and s.fate is not Fate.FORGED}
    scale = offered.get(end)
    return scale if scale is not None and offered.get(end.other) is not None else 0


def window_of(segment: Segment, shift: int) -> int:
    """The octets that this segment's sender says it has room for; a SYN's own field is never scaled."""
    return segment.window if "S" in segment.flags else segment.window << shift
