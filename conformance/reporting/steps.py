# SPDX-License-Identifier: MIT
"""The steps of a ladder: what of a trace is shown, where, and in which words; drawing them is for `ladder` and `page`.

Set-up and bulk are folded into a step each; events that a finding points at are marked and never folded. How single
events are worded is for `wording`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby

from conformance.reporting import wording
from conformance.reporting.text import clean
from conformance.reporting.wording import Bulk
from conformance.trace.events import (
    Called,
    Completed,
    End,
    Established,
    Fate,
    Indicated,
    Outcome,
    Pdu,
    Returned,
    Segment,
)
from conformance.trace.trace import Header, Trace

_LONGEST_RUN = 12
"""More lines of bulk in a row than this are folded."""
_KEPT = 2
"""Lines of bulk that stay at each end of what is folded."""
_SETUP = ("socket", "listen", "accept", "connect")
FATES: dict[Fate, tuple[str, str]] = {
    Fate.DROPPED: ("✗", "dropped by the suite"),
    Fate.HELD: ("⏸", "held back by the suite"),
    Fate.REPEATED: ("⟳", "repeated by the suite"),
    Fate.FORGED: ("✎", "forged by the suite"),
}
"""What the suite did to a segment: its sign in a ladder, and what that means."""


class Kind(StrEnum):
    """What a step tells of."""

    CALL = "call"
    RETURN = "return"
    """The return of a call whose entry has a step of its own."""
    TOLD = "told"
    """An indication or a completion: what the implementation said by itself."""
    SEGMENT = "segment"
    UNIT = "unit"
    CONNECTED = "connected"
    NOTE = "note"
    FOLD = "fold"


@dataclass(frozen=True)
class Step:
    """One step of the ladder: `column` is "iut", "link", "peer", or "" for a line of its own across all three.

    `bulk` says what kind of bulk it is, if it is, `octets` how many bytes of it, and `counts` is False for the entry of
    a call whose return has a line of its own. `sender` draws the text as an arrow.

    `events` are the numbers of the events that it tells of (none for a fold). `until` is when it was over (nanoseconds,
    as `at`): the return of a call, the delivery of a segment that was held, the last event of a fold; None for what has
    no length, and for a call that never returned. `call` pairs an entry with its return. `flags` are a segment's, and
    `full` tells all of its numbers, where `text` has room for the most telling ones.
    """

    at: int
    column: str
    text: str
    marked: bool = False
    bulk: Bulk | None = None
    octets: int = 0
    counts: bool = True
    sender: End | None = None
    fate: Fate = Fate.DELIVERED
    kind: Kind = Kind.NOTE
    events: tuple[int, ...] = ()
    until: int | None = None
    call: int | None = None
    flags: str = ""
    full: str = ""


def steps(trace: Trace, highlight: Collection[int] = ()) -> list[Step]:
    """What is shown of a trace, in order of time. The events numbered in `highlight` are marked."""
    return list(_folded(list(_all(trace, frozenset(highlight)))))


def caveats(header: Header) -> list[str]:
    """What a reader of the ladder has to know besides: what was not seen, or cannot be relied on."""
    said = []
    if header.wire_missing:
        said.append(f"the link was not captured: {clean(header.wire_missing)}")
    if header.foreign_clock:
        said.append(
            "the IUT's agent has another clock: its calls are shown from request to reply as seen from here, what it"
            " told unasked when it was read"
        )
    if header.doubtful:
        said.append(f"nothing was judged: {clean(header.doubtful)}")
    if header.lost:
        said.append(f"the capture is known to have lost packets: {header.lost}")
    return said


def _all(trace: Trace, highlight: frozenset[int]) -> Iterator[Step]:
    """The lines of a trace in order of time, the set-up folded, and calls joined with returns that follow at once."""
    returns = {(e.end, e.call): e for e in trace.events if isinstance(e, Returned)}
    calls = {(e.end, e.call): e for e in trace.events if isinstance(e, Called)}
    speaker = wording.Speaker(trace)
    hidden = (_setup(trace, returns) | _told_by_units(trace)) - highlight
    joined: set[int] = set()
    shown = [event for event in trace.events if event.n not in hidden]
    for event, following in zip(shown, [*shown[1:], None], strict=False):
        marked = event.n in highlight
        match event:
            case Called():
                returned = returns.get((event.end, event.call))
                if returned is not None and returned is following:
                    joined.add(returned.n)
                    marked = marked or returned.n in highlight
                    whole = _of_call(event, speaker.whole(event, returned), returned, marked)
                    yield replace(whole, events=(event.n, returned.n))
                else:
                    entry = _of_call(event, speaker.entry(event), returned, marked)
                    yield replace(entry, octets=0, counts=False)
            case Returned() if event.n in joined:
                pass
            case Returned():
                call = calls.get((event.end, event.call))
                if call is not None:
                    left = _of_call(call, speaker.exit(call, event), event, marked)
                    yield replace(left, at=event.at, kind=Kind.RETURN, events=(event.n,), until=None)
            case Segment():
                yield Step(
                    event.at, "link", speaker.segment(event), marked, wording.bulk_of_segment(event), event.length,
                    sender=event.sender, fate=event.fate, kind=Kind.SEGMENT, events=(event.n,),
                    until=event.delivered_at, flags=event.flags, full=speaker.segment_in_full(event),
                )  # fmt: skip
                if event.fate is Fate.HELD and event.delivered_at is not None:
                    held_ms = (event.delivered_at - event.at) / 1e6
                    yield Step(event.at, "link", f"(delivered {held_ms:.3f} ms later)", marked)
            case Pdu():
                yield Step(
                    event.at, "link", wording.unit(event), marked, wording.bulk_of_unit(event), event.length,
                    sender=event.sender, kind=Kind.UNIT, events=(event.n,),
                )  # fmt: skip
                if event.problem:
                    yield Step(event.at, "link", f"({event.problem})", marked)
            case Established():
                yield Step(event.at, "", speaker.connected(event), marked, kind=Kind.CONNECTED, events=(event.n,))
            case _:
                column, text = speaker.other(event)
                kind = Kind.TOLD if isinstance(event, Indicated | Completed) else Kind.NOTE
                yield Step(event.at, column, text, marked, kind=kind, events=(event.n,))


def _of_call(call: Called, text: str, returned: Returned | None, marked: bool) -> Step:
    bulk, octets = wording.bulk_of_call(call, returned)
    return Step(
        call.at, str(call.end), text, marked, bulk, octets,
        kind=Kind.CALL, events=(call.n,), until=returned.at if returned else None, call=call.call,
    )  # fmt: skip


def _setup(trace: Trace, returns: dict[tuple[End, int], Returned]) -> frozenset[int]:
    """The events by which connections came about: what succeeded up to the last `Established`, and the handshakes."""
    last = max((e.n for e in trace.events if isinstance(e, Established)), default=0)
    listeners = {(e.end, e.socket) for e in trace.events if isinstance(e, Called) and e.op == "listen"}
    folded: set[int] = set()
    openings: dict[tuple[int, int], Segment] = {}
    for event in trace.events:
        if isinstance(event, Called) and event.n < last:
            returned = returns.get((event.end, event.call))
            is_setup = event.op in _SETUP or (event.op == "close" and (event.end, event.socket) in listeners)
            if is_setup and returned is not None and returned.outcome is Outcome.RESULT:
                folded |= {event.n, returned.n}
        elif isinstance(event, Segment) and last and event.fate is Fate.DELIVERED:
            if "S" in event.flags and "R" not in event.flags:
                folded.add(event.n)
                if "A" in event.flags:
                    openings[event.destination_port, event.source_port] = event
            elif event.flags == "A" and not event.length:
                opening = openings.pop((event.source_port, event.destination_port), None)
                if opening is not None and (event.ack - opening.seq) % 2**32 == 1:
                    folded.add(event.n)
    return frozenset(folded)


def _told_by_units(trace: Trace) -> frozenset[int]:
    """The undisturbed segments that say no more than the units do: their octets are all units', or they have none.

    Nothing of the kind where there are no units, or where it is not clear to which connection they belong.
    """
    upto = dict.fromkeys(End, 0)
    for event in trace.events:
        if isinstance(event, Pdu) and event.name != "UNREADABLE":
            upto[event.sender] = max(upto[event.sender], event.upto)
    segments = [event for event in trace.events if isinstance(event, Segment)]
    first = {(e.sender, e.source_port, e.destination_port, e.seq) for e in segments if "S" in e.flags}
    isn = {sender: seq for sender, _, _, seq in first}
    if not any(upto.values()) or len(first) != len(End) or len(isn) != len(End):
        return frozenset()
    plain = (e for e in segments if e.fate is Fate.DELIVERED and not set(e.flags) - set("APEC"))
    return frozenset(
        e.n for e in plain if not e.length or (e.seq - isn[e.sender] - 1) % 2**32 + e.length <= upto[e.sender]
    )


def _folded(lines: Sequence[Step]) -> Iterator[Step]:
    """Long runs of unmarked bulk become one line that counts them."""
    for is_bulk, run in groupby(lines, key=lambda line: bool(line.bulk) and not line.marked):
        stretch = list(run)
        if not is_bulk or len(stretch) <= _LONGEST_RUN:
            yield from stretch
            continue
        inner = stretch[_KEPT:-_KEPT]
        yield from stretch[:_KEPT]
        yield Step(inner[0].at, "", f"… {_counted(inner)} …", kind=Kind.FOLD, until=inner[-1].at)
        yield from stretch[-_KEPT:]


def _counted(lines: Iterable[Step]) -> str:
    kinds: dict[Bulk, list[Step]] = {}
    for line in lines:
        if line.bulk is not None and line.counts:
            kinds.setdefault(line.bulk, []).append(line)
    return "; ".join(bulk.counted(len(each), sum(line.octets for line in each)) for bulk, each in kinds.items())
