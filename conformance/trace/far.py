# SPDX-License-Identifier: MIT
"""A link that is seen at the peer's end only: what shows that a segment was lost beyond the place where it was seen.

What the peer sent may not have reached the IUT then, and what the IUT sent may not have come. Where that is data or a
FIN it shows: the peer sends it again (or does so for nothing, because an acknowledgement took its time), or what
follows it comes before it. The loss of a segment that nobody sends again, such as a reset, leaves no trace: the link
has to be one that does not lose packets.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from conformance.trace.direction import Direction, EndKind
from conformance.trace.events import End, Segment

_MODULUS = 1 << 32
SENT_TWICE = "the peer sent something twice: the first copy may have been lost on its way to the IUT"
CAME_LATE = "a segment of the IUT's came after the one that follows it: a first copy may have been lost on its way"


def lost_beyond(segments: Iterable[Segment], end: End) -> str:
    """Why what that end sent need not have come to the other one as these segments, in order, say; or empty."""
    upto: dict[End, int] = {}
    skipped: dict[End, list[int]] = {end: [] for end in End}
    for segment in segments:
        sender, length = segment.sender, segment.length + ("S" in segment.flags) + ("F" in segment.flags)
        if not length or "R" in segment.flags:
            continue
        ahead = _from(upto.get(sender, segment.seq), segment.seq)
        if ahead < 0 and sender is end is End.PEER:
            return SENT_TWICE
        if segment.seq in skipped[sender] and sender is end is End.IUT:
            return CAME_LATE
        if ahead > 0:
            skipped[sender].append(upto[sender])
        if ahead + length > 0:
            upto[sender] = (segment.seq + length) % _MODULUS
    return ""


def unseen_from_afar(direction: Direction, latency_ns: int) -> Direction:
    """The direction to a receiver that is far away, where no link was seen: what the sender did gets there later.

    A reset may never get there, and nothing shows whether it has.
    """
    ending = direction.ending
    certain = ending.certain_at if ending.kind is EndKind.GRACEFUL else None
    return replace(direction, ending=replace(ending, certain_at=None if certain is None else certain + latency_ns))


def _from(one: int, other: int) -> int:
    """How far the other sequence number is from the one; negative if it is before it."""
    half = _MODULUS >> 1
    return (other - one + half) % _MODULUS - half
