# SPDX-License-Identifier: MIT
"""The ladder: two ends and the link, in order, folded where nothing is lost by it, and never wider than asked for."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.reporting.ladder import ladder
from conformance.trace.events import End, ErrorValue, Established, Fate, Noted, Outcome, Pdu, Returned, Segment
from tests.oracle.story import IUT, MS, PEER, REFERENCE, UNIX_STREAM, Story


def drawn(story: Story, *highlight: int, width: int = 100) -> list[str]:
    return ladder(story.trace(), highlight, width).splitlines()


def line_with(text: str, lines: list[str]) -> str:
    (found,) = [line for line in lines if text in line]
    return found


def number_of(story: Story, wanted: type, place: int = -1) -> int:
    return [event.n for event in story.trace().events if isinstance(event, wanted)][place]


def test_the_set_up_is_one_line() -> None:
    story = Story()
    lines = drawn(story)
    assert len(lines) == 3
    assert "connected: the iut at 127.0.0.1:40000 called the peer at 127.0.0.1:10000" in lines[2]


def test_calls_of_the_set_up_are_folded_and_others_are_not() -> None:
    story = Story(UNIX_STREAM, connected=False)
    story.peer.call("socket", socket=None, result={"socket": 5}, family="unix", kind="stream")
    story.peer.call("listen", socket=5, address={"family": "unix", "path": "/x/1.sock"}, result={})
    story.iut.call("connect", address={"family": "unix", "path": "/x/1.sock"}, result={})
    story.peer.call("accept", socket=5, result={"socket": 3})
    story.peer.close(socket=5)
    path = {"family": "unix", "path": "/x/1.sock"}
    story.add(Established(at=story.tick(), iut=3, peer=3, client=IUT, client_address=path, listener_address=path))
    story.peer.close()
    lines = drawn(story)
    assert len(lines) == 4
    assert "connected" in lines[2]
    assert lines[3].endswith("close: ok")


def test_a_set_up_that_failed_is_shown() -> None:
    story = Story(UNIX_STREAM, connected=False)
    story.iut.call("connect", error="ECONNREFUSED", address={"family": "inet", "host": "127.0.0.1", "port": 7})
    assert "connect#3(127.0.0.1:7):" in " ".join(drawn(story))


def test_a_highlighted_part_of_the_set_up_is_shown() -> None:
    story = Story()
    assert line_with("SYN seq=0", drawn(story, 1)).startswith(">")


def test_times_are_milliseconds_from_the_first_event() -> None:
    story = Story()
    story.wait(1500)
    story.iut.recv(0)
    assert line_with("recv: 0 bytes", drawn(story)).split()[0] == "1503.000"


def test_each_end_has_its_column_and_the_link_its_own() -> None:
    story = Story()
    story.peer.shutdown("send")
    story.fin(PEER)
    story.iut.recv(0)
    heading, *_, call, fin, ack, read = drawn(story)[1:]
    assert heading.index("peer") == call.index("shutdown(send): ok")
    assert heading.index("link") == fin.index("◀") == ack.index("──")
    assert heading.index("iut") == read.index("recv: 0 bytes")


def test_sequence_numbers_are_relative_also_across_the_wrap() -> None:
    story = Story()
    story.data(PEER, 1460)  # the peer's numbers pass 2**32 here
    story.fin(PEER)
    lines = drawn(story)
    assert "PSH ACK seq=1 len=1460" in line_with("PSH", lines)
    assert "FIN ACK seq=1461 len=0" in line_with("FIN", lines)
    assert "ACK ack=1462" in lines[-1]


def test_arrows_point_to_the_receiver() -> None:
    story = Story()
    story.fin(PEER)
    story.fin(IUT)
    fins = [line for line in drawn(story) if "FIN" in line]
    assert "◀" in fins[0] and "▶" not in fins[0]
    assert fins[1].endswith("▶")


@pytest.mark.parametrize(
    ("fate", "mark"), [(Fate.DROPPED, "✗"), (Fate.HELD, "⏸"), (Fate.REPEATED, "⟳"), (Fate.FORGED, "✎")]
)
def test_what_the_suite_did_to_a_segment_is_marked_and_explained(fate: Fate, mark: str) -> None:
    story = Story()
    story.segment(PEER, "FA", fate=fate)
    lines = drawn(story)
    assert mark in line_with("FIN", lines)
    assert mark in lines[-1]


def test_a_held_segment_says_how_long() -> None:
    story = Story()
    story.segment(PEER, "FA", fate=Fate.HELD, delivered_at=story.now + 51 * MS)
    assert "(delivered 50.000 ms later)" in line_with("delivered", drawn(story))


def test_a_call_during_which_nothing_happened_is_one_line() -> None:
    story = Story()
    story.iut.recv(5)
    assert [line.split(maxsplit=1)[1] for line in drawn(story)[3:]] == ["recv: 5 bytes"]


def test_a_call_during_which_something_happened_has_an_entry_and_a_return() -> None:
    story = Story()
    call = story.iut.begin("recv", length=10)
    story.peer.shutdown("send")
    story.iut.finish(call, length=0)
    assert [line.split(maxsplit=1)[1] for line in drawn(story)[3:]] == [
        "recv …",
        "shutdown(send): ok",
        "… recv: 0 bytes",
    ]


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ({"error": "ECONNRESET"}, "recv: ECONNRESET"),
        ({"timeout": True}, "recv: nothing in 1500 ms"),
        ({"unsupported": "no such thing"}, "recv: unsupported: no"),
    ],
)
def test_what_a_call_was_answered(outcome: dict[str, object], said: str) -> None:
    story = Story()
    call = story.iut.begin("recv", length=10, wait_ms=1500)
    story.iut.finish(call, **outcome)  # type: ignore[arg-type]
    assert said in drawn(story)[3]


def test_a_call_that_was_never_answered() -> None:
    story = Story()
    call = story.iut.begin("recv", length=10)
    story.add(Returned(at=story.tick(), end=IUT, call=call, outcome=Outcome.UNANSWERED))
    story.peer.begin("close")
    lines = drawn(story)
    assert "recv: never answered" in lines[3]
    assert lines[4].endswith("close …")


def test_notices_and_notes_stand_with_their_end() -> None:
    story = Story()
    story.iut.indicates("FD_CLOSE", "WSAECONNRESET")
    story.iut.completes("t1", 0)
    story.add(Noted(at=story.tick(), what="rule", details={"rule": "drop the first FIN"}))
    story.peer.dies()
    lines = drawn(story)
    assert "! FD_CLOSE WSAECONNRESET" in lines[3]
    assert "! t1 completed: 0 bytes" in lines[4]
    assert "(rule: drop the first FIN)" in lines[5]
    assert lines[6].endswith("(killed)")


def test_highlighted_events_are_marked() -> None:
    story = Story()
    story.peer.shutdown("send")
    story.fin(PEER)
    story.iut.recv(0)
    lines = drawn(story, number_of(story, Returned), number_of(story, Segment, -2))
    assert [line.split()[2] for line in lines[2:] if line.startswith("> ")] == ["◀─────────────FIN", "recv:"]
    assert "> what the finding rests on" in lines[-1]


def bulk() -> Story:
    story = Story()
    for _ in range(20):
        story.peer.send(65536)
        story.data(PEER, 65536)
        story.iut.recv(65536)
    return story


def test_bulk_is_folded_into_one_line_that_counts_it() -> None:
    lines = drawn(bulk())
    assert len(lines) <= 12
    told = " ".join(" ".join(lines).split())
    assert "19 segments from the peer, 1245184 bytes" in told
    assert "19 recv calls at the iut, 1245184 bytes" in told or "18 recv calls at the iut" in told


def test_a_highlighted_event_is_never_folded() -> None:
    story = bulk()
    middle = number_of(story, Segment, 22)
    lines = drawn(story, middle)
    assert len([line for line in lines if line.startswith("> ")]) == 1
    assert len([line for line in lines if "…" in line]) >= 2


def test_a_call_whose_entry_and_return_are_apart_counts_once() -> None:
    story = Story()
    for _ in range(20):
        call = story.iut.begin("recv", length=100)
        story.data(PEER, 100)
        story.iut.finish(call, length=100)
    told = " ".join(" ".join(drawn(story)).split())
    assert "19 recv calls at the iut, 1900 bytes" in told


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_is_wider_than_asked_for(width: int) -> None:
    story = bulk()
    story.iut.recv(error="E" * 300)
    story.add(Noted(at=story.tick(), what="note", details={"long": "word " * 50}))
    story.segment(PEER, "FSRPAUEC", 65535)
    story.iut.poll("IN", "OUT", "RDHUP", "HUP", "ERR", surface="epoll-et")
    assert max(map(len, drawn(story, width=width))) <= width


def test_what_an_agent_says_cannot_move_the_cursor() -> None:
    story = Story()
    story.iut.recv(error="\x1b[2JE\r\nOK\u202e")
    story.iut.get_error("\x07")
    story.iut.indicates("FD\x9b1m")
    call = story.iut.begin("recv", length=1)
    story.add(Returned(at=story.tick(), end=IUT, call=call, outcome=Outcome.ERROR, error=ErrorValue("E\x00", code=5)))
    assert all(line.isprintable() for line in drawn(story))


def test_a_second_connection_is_told_apart() -> None:
    story = Story()
    addresses = {"family": "inet", "host": "127.0.0.1", "port": 40001}, {"family": "inet", "host": "::1", "port": 10001}
    story.add(
        Established(
            at=story.tick(), iut=7, peer=8, client=End.PEER, client_address=addresses[0], listener_address=addresses[1]
        )
    )
    story.iut.recv(0)
    lines = drawn(story)
    assert "[::1]:10001 (sockets iut#7, peer#8)" in " ".join(" ".join(lines).split())
    assert "recv#3: 0 bytes" in lines[-1]


def test_a_link_that_was_not_seen_says_why() -> None:
    import msgspec

    trace = Story(wire=False).trace()
    header = msgspec.structs.replace(trace.header, wire_missing="it needs CAP_NET_RAW", lost=3)
    text = ladder(msgspec.structs.replace(trace, header=header))
    assert "the link was not captured: it needs CAP_NET_RAW" in text
    assert "lost packets: 3" in text


def test_a_trace_of_nothing() -> None:
    assert "nothing was seen" in ladder(Story(connected=False).trace())


# --- units on TCP -----------------------------------------------------------------------------------------------------


def test_units_are_told_by_their_names_and_the_segments_that_carried_them_are_not_told_too() -> None:
    story = Story(REFERENCE)
    story.pdu(PEER, "DATA", bytes(1460), whole=False, flags=0)
    story.pdu(PEER, "DATA", b"x", flags=1)
    story.pdu(PEER, "RELEASE", b"last", flags=1)
    story.pdu(IUT, "RELEASE", flags=0)
    story.fin(PEER)
    lines = drawn(story)
    assert [line[39:].strip(" ◀▶─") for line in lines[3:]] == [
        "DATA 1460 octets, more follows",
        "DATA 1 octet",
        "RELEASE 4 octets",
        "RELEASE",
        "FIN ACK seq=1484 len=0",
    ]
    assert "▶" in line_with("─RELEASE──", lines)


@pytest.mark.parametrize(
    ("name", "fields", "words"),
    [
        ("RELEASE", {"flags": 1}, "─RELEASE 0 octets─"),
        ("ABORT", {"reason": 0}, "─ABORT─"),
        ("ABORT", {"reason": 1}, "─ABORT reason 1─"),
        ("CLOSE", {"code": None, "reason": ""}, "─CLOSE─"),
        ("CLOSE", {"code": 1001, "reason": "bye"}, '─CLOSE 1001 "bye"─'),
        ("PING", {}, "─PING─"),
        ("BINARY", {}, "─BINARY 0 octets─"),
    ],
)
def test_what_a_unit_carries_besides_its_data(name: str, fields: dict[str, Any], words: str) -> None:
    story = Story(REFERENCE)
    story.pdu(IUT, name, **fields)
    assert words in drawn(story)[-1]


def test_what_is_wrong_with_a_unit_is_said_below_it() -> None:
    story = Story(REFERENCE)
    story.pdu(PEER, "MALFORMED", problem="the version of TPKT is 4, not 3, \x1b[2Jand more words follow")
    lines = drawn(story)
    assert "MALFORMED" in lines[3]
    assert "(the version of TPKT is 4" in lines[4]
    assert all(line.isprintable() and len(line) <= 100 for line in lines)


def test_segments_that_say_more_than_units_stay() -> None:
    story = Story(REFERENCE)
    story.pdu(PEER, "DATA", b"good", flags=1)
    story.segment(PEER, "PA", 3)  # the first octets of a unit that never became whole
    story.segment(PEER, "PA", 3, start=0, fate=Fate.REPEATED)
    story.rst(PEER)
    told = " ".join(drawn(story))
    assert "seq=11 len=3" in told and "seq=1 len=3" in told and "RST" in told
    assert "len=10" not in told and "ACK ack=" not in told


def test_a_highlighted_segment_is_shown_beside_its_unit() -> None:
    story = Story(REFERENCE)
    story.pdu(PEER, "RELEASE", flags=0)
    lines = drawn(story, number_of(story, Segment, -2), number_of(story, Pdu))
    assert [line for line in lines if line.startswith("> ") and "◀" in line] == lines[3:5]


def test_many_units_are_folded() -> None:
    story = Story(REFERENCE)
    for _ in range(20):
        story.pdu(PEER, "DATA", bytes(10), flags=1)
    assert "16 DATA units from the peer, 160 bytes" in " ".join(drawn(story))


def test_without_units_every_segment_is_told() -> None:
    story = Story()
    story.data(PEER, 100)
    told = " ".join(drawn(story))
    assert "len=100" in told and "ACK ack=101" in told
