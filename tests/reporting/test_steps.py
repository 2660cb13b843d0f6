# SPDX-License-Identifier: MIT
"""The steps of a ladder beyond their words: which events they tell of, how long they last, what belongs together."""

from __future__ import annotations

import msgspec

from conformance.reporting.steps import FATES, Kind, Step, caveats, steps
from conformance.trace.events import End, Fate
from tests.oracle.story import MS, PEER, REFERENCE, Story


def told(story: Story, *highlight: int) -> list[Step]:
    return steps(story.trace(), highlight)


def test_a_call_that_returned_at_once_tells_of_both_its_events() -> None:
    story = Story()
    story.iut.recv(5)
    step = told(story)[-1]
    assert step.kind is Kind.CALL
    assert step.events == (4, 5)
    assert step.until == step.at + MS


def test_a_call_that_waited_has_an_entry_and_a_return_that_belong_together() -> None:
    story = Story()
    call = story.iut.begin("recv", length=10)
    story.peer.shutdown("send")
    story.iut.finish(call, length=0)
    entry, _, left = told(story)[-3:]
    assert (entry.kind, left.kind) == (Kind.CALL, Kind.RETURN)
    assert entry.call == left.call == call
    assert entry.until == left.at
    assert entry.events + left.events == (4, 7)


def test_a_call_that_never_returned_has_no_end() -> None:
    story = Story()
    story.iut.begin("recv", length=10)
    assert told(story)[-1].until is None


def test_a_held_segment_lasts_until_its_delivery() -> None:
    story = Story()
    at = story.now + 50 * MS
    story.segment(PEER, "FA", fate=Fate.HELD, delivered_at=at)
    held, note = told(story)[-2:]
    assert (held.kind, held.until, held.flags) == (Kind.SEGMENT, at, "FA")
    assert (note.kind, note.events) == (Kind.NOTE, ())


def test_in_full_a_segment_tells_what_it_acknowledges() -> None:
    story = Story()
    story.data(PEER, 10)
    data, ack = told(story)[-2:]
    assert (data.text, data.full) == ("PSH ACK seq=1 len=10", "PSH ACK seq=1 ack=1 len=10")
    assert ack.text == ack.full == "ACK ack=11"
    story.segment(End.IUT, "R")
    assert told(story)[-1].full == "RST seq=1 len=0"


def test_what_the_implementation_says_by_itself_units_and_notes_are_kinds_of_their_own() -> None:
    story = Story(REFERENCE)
    story.iut.indicates("FD_CLOSE")
    story.iut.completes("t1", 0)
    story.pdu(PEER, "RELEASE", flags=0)
    story.note("rule")
    assert [step.kind for step in told(story)] == [Kind.CONNECTED, Kind.TOLD, Kind.TOLD, Kind.UNIT, Kind.NOTE]


def test_a_fold_lasts_as_long_as_what_it_folds() -> None:
    story = Story()
    for _ in range(20):
        story.data(PEER, 100)
    (fold,) = [step for step in told(story) if step.kind is Kind.FOLD]
    assert fold.events == ()
    assert fold.until is not None and fold.until > fold.at + 30 * MS


def test_every_interference_has_a_sign_of_its_own() -> None:
    assert set(FATES) == set(Fate) - {Fate.DELIVERED}
    assert len({sign for sign, _ in FATES.values()}) == len(FATES)


def test_what_a_reader_has_to_know_besides() -> None:
    header = Story(wire=False).trace().header
    assert caveats(header) == []
    doubtful = msgspec.structs.replace(header, wire_missing="no\x1b", foreign_clock=True, doubtful="slow", lost=3)
    said = caveats(doubtful)
    assert [each.split(":")[0] for each in said] == [
        "the link was not captured",
        "the IUT's agent has another clock",
        "nothing was judged",
        "the capture is known to have lost packets",
    ]
    assert "\x1b" not in "".join(said)
