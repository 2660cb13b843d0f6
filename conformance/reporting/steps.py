# SPDX-License-Identifier: MIT
"""The steps of a ladder: what of a trace is shown, where, and in which words; drawing them is for `ladder` and `page`.

Set-up and bulk are folded into a step each; events that a finding points at are marked and never folded. How single
events are worded is for `wording`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from conformance.reporting import wording
from conformance.reporting.wording import Bulk
from conformance.trace.events import Called, End, Established, Fate, Outcome, Pdu, Returned, Segment
from conformance.trace.trace import Trace

_LONGEST_RUN = 12
"""More lines of bulk in a row than this are folded."""
_KEPT = 2
"""Lines of bulk that stay at each end of what is folded."""
_SETUP = ("socket", "listen", "accept", "connect")


@dataclass(frozen=True)
class Step:
    """One step of the ladder: `column` is "iut", "link", "peer", or "" for a line of its own across all three.

    `bulk` says what kind of bulk it is, if it is, `octets` how many bytes of it, and `counts` is False for the entry of
    a call whose return has a line of its own. `sender` draws the text as an arrow.
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


def steps(trace: Trace, highlight: Collection[int] = ()) -> list[Step]:
    """What is shown of a trace, in order of time. The events numbered in `highlight` are marked."""
    return list(_folded(list(_all(trace, frozenset(highlight)))))


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
                    yield _of_call(event, speaker.whole(event, returned), returned, marked)
                else:
                    entry = _of_call(event, speaker.entry(event), returned, marked)
                    yield replace(entry, octets=0, counts=False)
            case Returned() if event.n in joined:
                pass
            case Returned():
                call = calls.get((event.end, event.call))
                if call is not None:
                    yield replace(_of_call(call, speaker.exit(call, event), event, marked), at=event.at)
            case Segment():
                yield Step(
                    event.at, "link", speaker.segment(event), marked, wording.bulk_of_segment(event), event.length,
                    sender=event.sender, fate=event.fate,
                )  # fmt: skip
                if event.fate is Fate.HELD and event.delivered_at is not None:
                    held_ms = (event.delivered_at - event.at) / 1e6
                    yield Step(event.at, "link", f"(delivered {held_ms:.3f} ms later)", marked)
            case Pdu():
                yield Step(
                    event.at, "link", wording.unit(event), marked, wording.bulk_of_unit(event), event.length,
                    sender=event.sender,
                )  # fmt: skip
                if event.problem:
                    yield Step(event.at, "link", f"({event.problem})", marked)
            case Established():
                yield Step(event.at, "", speaker.connected(event), marked)
            case _:
                column, text = speaker.other(event)
                yield Step(event.at, column, text, marked)


def _of_call(call: Called, text: str, returned: Returned | None, marked: bool) -> Step:
    bulk, octets = wording.bulk_of_call(call, returned)
    return Step(call.at, str(call.end), text, marked, bulk, octets)


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
        yield Step(inner[0].at, "", f"… {_counted(inner)} …")
        yield from stretch[-_KEPT:]


def _counted(lines: Iterable[Step]) -> str:
    kinds: dict[Bulk, list[Step]] = {}
    for line in lines:
        if line.bulk is not None and line.counts:
            kinds.setdefault(line.bulk, []).append(line)
    return "; ".join(bulk.counted(len(each), sum(line.octets for line in each)) for bulk, each in kinds.items())
