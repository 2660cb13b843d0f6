# SPDX-License-Identifier: MIT
"""WebSocket's own rows, on traces told by hand: both sides of each edge."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from msgspec.structs import replace

from conformance.oracle.findings import Conclusion
from conformance.trace.conditions import Condition, canonical
from conformance.trace.events import End, ErrorValue, Established, Outcome, Pdu, Returned, Segment
from tests.oracle.story import IUT, PEER, Story, statement

SATISFIED, VIOLATED, UNDETERMINED = Conclusion.SATISFIED, Conclusion.VIOLATED, Conclusion.UNDETERMINED
WEBSOCKET = statement(
    "websocket",
    "MESSAGE_ORIENTED",
    "DISCONNECT_DATA",
    family="runtime",
    surfaces=("blocking",),
    ops=("send", "recv", "send_disconnect", "recv_disconnect", "close"),
    platform=None,
)


def payload(code: int, reason: str = "") -> bytes:
    return code.to_bytes(2, "big") + reason.encode()


class Web(Story):
    """A WebSocket story; the IUT is the client."""

    def __init__(self, **options: Any) -> None:
        super().__init__(WEBSOCKET, **options)

    def as_server(self) -> Web:
        """The same, but the IUT is the server."""
        answer, opening, told, *later = self.events
        assert isinstance(answer, Segment)
        assert isinstance(opening, Segment)
        assert isinstance(told, Established)
        here, there = told.client_address, told.listener_address
        self.events = [
            replace(opening, at=answer.at, flags="S"),
            replace(answer, at=opening.at, flags="SA"),
            replace(told, client=PEER, client_address=there, listener_address=here),
            *later,
        ]
        return self

    def closes(self, sender: End, code: int | None = 1000, reason: str = "") -> None:
        """A Close on the link."""
        data = b"" if code is None else payload(code, reason)
        self.pdu(sender, "CLOSE", data, overhead=2, code=code, reason=reason)

    def closes_with_fin(self, sender: End) -> None:
        """A Close and the end of TCP in one segment."""
        self.segment(sender, "FPA", 4)
        upto, data = self.next[sender] - 1, payload(1000)
        self.add(Pdu(at=self.now, sender=sender, name="CLOSE", upto=upto, length=2, data=data, fields={"code": 1000}))

    def message(self, sender: End, length: int = 5) -> None:
        """A message that is sent, and on the link."""
        (self.iut if sender is IUT else self.peer).send(length)
        self.pdu(sender, "BINARY", bytes(range(length)), overhead=2)

    def hears(self, name: str, code: int | None) -> None:
        """The IUT's receive fails with this error."""
        call = self.iut.begin("recv", length=65536)
        error = ErrorValue(name, code)
        self.add(Returned(at=self.tick(), end=IUT, call=call, outcome=Outcome.ERROR, error=error))

    def says(self, requirement: str) -> set[Conclusion]:
        """What the judge of that row concludes."""
        return self.conclusions(requirement)


def closed_by_peer(code: int | None = 1000, reason: str = "", **options: Any) -> Web:
    """The peer, who is the server, closes; the IUT answers, and both end TCP, the server first."""
    story = Web(**options)
    given = None if code is None else payload(code, reason)
    story.peer.send_disconnect(given)
    story.closes(PEER, code, reason)
    story.closes(IUT, code, reason)
    return story


# --- WS-01 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "told"), [(1000, 1000), (4999, 4999), (None, 1005)])
def test_the_code_is_told_as_it_came(code: int | None, told: int) -> None:
    for said, expected in ((told, SATISFIED), (1011, VIOLATED), (1006, VIOLATED)):
        story = closed_by_peer(code)
        story.hears("ConnectionClosedError", said)
        assert story.says("WS-01") == {expected}, said


def test_an_error_without_a_number_tells_no_code() -> None:
    story = closed_by_peer(1000)
    story.hears("ConnectionClosedOK", None)
    assert story.says("WS-01") == set()


def test_code_and_reason_are_fetched_as_they_came() -> None:
    for got, expected in ((payload(3000, "é"), SATISFIED), (payload(3000), VIOLATED), (b"", VIOLATED)):
        story = closed_by_peer(3000, "é")
        story.hears("ConnectionClosedError", 3000)
        story.iut.recv_disconnect(got)
        assert expected in story.says("WS-01")
        assert (VIOLATED in story.says("WS-01")) is (expected is VIOLATED)


def test_a_fetch_before_any_word_is_not_judged() -> None:
    story = closed_by_peer(3000)
    story.iut.recv_disconnect(b"")
    assert story.says("WS-01") == set()


@pytest.mark.parametrize("sent", [payload(1000, "bye"), payload(1000, "by"), payload(1001, "bye"), b""])
def test_code_and_reason_go_as_they_were_given(sent: bytes) -> None:
    story = Web()
    story.iut.send_disconnect(payload(1000, "bye"))
    story.closes(IUT, int.from_bytes(sent[:2], "big") if sent else None, sent[2:].decode())
    assert story.says("WS-01") == {SATISFIED if sent == payload(1000, "bye") else VIOLATED}


def test_a_close_that_answers_the_peers_may_repeat_what_that_had() -> None:
    story = Web()
    story.peer.send_disconnect(payload(1001))
    story.closes(PEER, 1001)
    story.iut.send_disconnect(payload(1000, "bye"))
    story.closes(IUT, 1001)
    assert VIOLATED not in story.says("WS-01")


NEVER = [payload(1000, "a" * 124), payload(1005), payload(1006), payload(1015), payload(999), payload(5000)]


@pytest.mark.parametrize("given", [*NEVER, payload(1000) + b"\xff"])
def test_what_no_close_may_carry_is_refused(given: bytes) -> None:
    story = Web()
    story.iut.send_disconnect(given, error="ProtocolError")
    assert story.says("WS-01") == {SATISFIED}


@pytest.mark.parametrize("given", NEVER)
def test_what_no_close_may_carry_is_not_sent_otherwise(given: bytes) -> None:
    """Cut short, replaced by another code, or sent although it was refused."""
    for options in ({}, {"error": "ProtocolError"}):
        story = Web()
        story.iut.send_disconnect(given, **options)
        story.closes(IUT, 1000, "a" * 123)
        assert story.says("WS-01") == {VIOLATED}
    story = Web()
    story.iut.send_disconnect(given)
    assert story.says("WS-01") == {VIOLATED}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        *((payload(code), set[Conclusion]()) for code in (1000, 1003, 1007, 1014, 3000, 4999)),
        *((payload(code), {SATISFIED}) for code in (999, 1004, 1005, 1006, 1015, 2999, 5000)),
        (b"", set[Conclusion]()),
        (b"\x03", {SATISFIED}),
    ],
)
def test_only_what_no_close_may_carry_is_to_be_refused(given: bytes, expected: set[Conclusion]) -> None:
    story = Web()
    story.iut.send_disconnect(given, error="ProtocolError")
    assert story.says("WS-01") == expected


@pytest.mark.parametrize(
    ("given", "words"),
    [(b"\x03", "a Close without a code"), (payload(1006), "a Close with code 1006 and 0 octets of reason")],
)
def test_what_was_asked_for_is_named(given: bytes, words: str) -> None:
    story = Web()
    story.iut.send_disconnect(given, error="ProtocolError")
    (finding,) = story.judge("WS-01")
    assert f"asked for {words}, " in finding.because


def test_a_close_of_nothing_goes_as_it_was_given() -> None:
    for code, expected in ((None, SATISFIED), (1000, VIOLATED)):
        story = Web()
        story.iut.send_disconnect(b"")
        story.closes(IUT, code)
        assert story.says("WS-01") == {expected}


def test_what_was_not_given_or_not_answered_is_not_judged() -> None:
    story = Web()
    story.iut.send_disconnect()
    story.closes(IUT, None)
    assert story.says("WS-01") == set()
    story = Web()
    story.iut.begin("send_disconnect", data=base64.b64encode(payload(1006)).decode())
    story.settle()
    assert story.says("WS-01") == set()
    story = Web()
    story.iut.send_disconnect(payload(1000))
    assert story.says("WS-01") == set()


def test_the_first_that_is_not_refused_makes_the_close() -> None:
    story = Web()
    story.message(IUT)
    story.iut.send_disconnect(error="ProtocolError")
    story.iut.send_disconnect(payload(1000))
    story.closes(IUT, 1000)
    assert story.says("WS-01") == {SATISFIED}
    story = Web()
    story.iut.close()
    story.iut.send_disconnect(payload(1001))
    story.closes(IUT, 1000)
    assert story.says("WS-01") == set()


def test_a_close_at_the_time_of_the_call_is_of_that_call() -> None:
    for given, expected in ((payload(1000), SATISFIED), (payload(1006), VIOLATED)):
        story = Web()
        call = story.iut.begin("send_disconnect", data=base64.b64encode(given).decode())
        story.wait(-1)
        story.closes(IUT, 1000)
        story.iut.finish(call)
        assert story.says("WS-01") == {expected}


def test_a_close_at_the_time_of_a_call_that_is_refused_is_sent_in_spite_of_that() -> None:
    story = Web()
    call = story.iut.begin("send_disconnect", data=base64.b64encode(payload(1006)).decode())
    story.wait(-1)
    story.closes(IUT, 1000)
    story.iut.finish(call, error="ProtocolError")
    assert story.says("WS-01") == {VIOLATED}


def test_what_follows_a_refusal_and_is_no_close_of_its_own() -> None:
    story = Web()
    story.iut.send_disconnect(payload(1006), error="ProtocolError")
    story.message(IUT)
    story.message(PEER)
    assert story.says("WS-01") == {SATISFIED}
    story.closes(PEER, 1000)
    story.closes(IUT, 1000)
    assert story.says("WS-01") == {SATISFIED}


def test_a_close_in_spite_of_a_refusal_is_no_answer_to_what_comes_later() -> None:
    story = Web()
    story.message(PEER)
    story.iut.send_disconnect(payload(1006), error="ProtocolError")
    story.closes(IUT, 1000)
    story.closes(PEER, 1000)
    assert story.says("WS-01") == {VIOLATED}


def test_another_frame_that_is_malformed_is_no_close() -> None:
    story = Web()
    story.pdu(IUT, "MALFORMED", overhead=4, problem="a reserved bit")
    assert story.says("WS-01") == set()


def test_what_is_told_at_the_time_of_the_close_is_of_that_close() -> None:
    story = Web()
    call = story.iut.begin("recv", length=65536)
    story.peer.send_disconnect(payload(3000))
    story.pdu(PEER, "CLOSE", payload(3000), overhead=2, acked=False, code=3000)
    error = ErrorValue("ConnectionClosedError", 3001)
    story.add(Returned(at=story.now, end=IUT, call=call, outcome=Outcome.ERROR, error=error))
    assert story.says("WS-01") == {VIOLATED}


def test_a_later_close_of_its_own_is_no_effect_of_one_that_was_refused() -> None:
    story = Web()
    story.iut.send_disconnect(payload(1006), error="ProtocolError")
    story.iut.send_disconnect(payload(1000))
    story.closes(IUT, 1000)
    assert story.says("WS-01") == {SATISFIED}


def test_the_longest_reason_is_none_too_long() -> None:
    story = Web()
    story.iut.send_disconnect(payload(1000, "a" * 123), error="ProtocolError")
    assert story.says("WS-01") == set()
    story.closes(IUT, 1000, "a" * 123)
    assert VIOLATED not in story.says("WS-01")


def test_a_reserved_code_on_the_link() -> None:
    story = Web()
    story.iut.close()
    story.pdu(IUT, "MALFORMED", overhead=4, problem="a Close with code 1006, which is never sent", frame="CLOSE")
    assert story.says("WS-01") == {VIOLATED}


def test_without_a_link_nobody_knows_what_was_sent() -> None:
    story = Web(wire=False)
    story.iut.send_disconnect(payload(1000))
    assert story.says("WS-01") == {UNDETERMINED}


# --- WS-02 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [1000, 1001, None])
def test_a_close_is_answered_and_tcp_closed(answer: int | None) -> None:
    story = Web()
    story.peer.send_disconnect(payload(1000))
    story.closes(PEER, 1000)
    story.closes(IUT, answer)
    story.fin(PEER)
    story.fin(IUT)
    assert story.says("WS-02") == {SATISFIED}


def test_a_close_that_is_never_answered() -> None:
    for waited_ms, expected in ((2000, {VIOLATED}), (500, set[Conclusion]())):
        story = Web()
        story.message(PEER)
        story.peer.send_disconnect(payload(1000))
        story.closes(PEER, 1000)
        story.iut.recv(content=bytes(range(5)))
        story.settle(waited_ms)
        assert story.says("WS-02") == expected


def test_a_close_behind_messages_that_were_not_read_need_not_be_answered() -> None:
    story = Web()
    story.message(PEER)
    story.peer.send_disconnect(payload(1000))
    story.closes(PEER, 1000)
    story.settle(2000)
    assert story.says("WS-02") == set()


@pytest.mark.parametrize("name", ["BINARY", "TEXT", "CONTINUATION"])
def test_nothing_is_sent_after_an_own_close(name: str) -> None:
    story = closed_by_peer()
    story.pdu(IUT, name, b"late", overhead=2)
    story.fin(PEER)
    story.fin(IUT)
    assert VIOLATED in story.says("WS-02")


def test_data_before_an_own_close_are_none_after_it() -> None:
    story = Web()
    story.message(IUT)
    story.closes(IUT, 1000)
    story.closes(PEER, 1000)
    story.fin(PEER)
    story.fin(IUT)
    assert story.says("WS-02") == {SATISFIED}


def test_a_pong_after_an_own_close_is_no_data() -> None:
    story = closed_by_peer()
    story.pdu(IUT, "PONG", overhead=2)
    story.fin(PEER)
    story.fin(IUT)
    assert story.says("WS-02") == {SATISFIED}


def test_a_client_waits_for_the_server_and_then_closes_tcp() -> None:
    waiting = closed_by_peer()
    waiting.settle(2000)
    assert waiting.says("WS-02") == set()
    hanging = closed_by_peer()
    hanging.settle(2000)
    hanging.fin(PEER)
    hanging.settle(500)
    assert hanging.says("WS-02") == set()
    hanging.settle(2000)
    assert hanging.says("WS-02") == {VIOLATED}
    hanging.rst(PEER)
    assert hanging.says("WS-02") == {VIOLATED}


@pytest.mark.parametrize("how", ["reset", "peer", "iut"])
def test_a_client_need_not_close_tcp_when_an_end_is_gone(how: str) -> None:
    story = closed_by_peer()
    story.rst(PEER) if how == "reset" else story.fin(PEER)
    if how != "reset":
        (story.peer if how == "peer" else story.iut).dies()
    story.settle(2000)
    assert story.says("WS-02") == set()


def test_a_server_closes_tcp_at_once() -> None:
    story = closed_by_peer().as_server()
    story.settle(500)
    assert story.says("WS-02") == set()
    story.settle(1000)
    story.fin(PEER)
    story.settle(500)
    assert story.says("WS-02") == {VIOLATED}


def test_a_close_and_the_end_of_tcp_may_be_one_segment() -> None:
    story = Web()
    story.iut.send_disconnect(payload(1000))
    story.closes(IUT)
    story.closes_with_fin(PEER)
    story.settle(2000)
    assert story.says("WS-02") == {VIOLATED}
    story = Web()
    story.peer.send_disconnect(payload(1000))
    story.closes(PEER)
    story.closes_with_fin(IUT)
    assert story.says("WS-02") == {SATISFIED}


@pytest.mark.parametrize(
    ("own", "server", "first", "words"),
    [
        (False, False, False, "the peer's Close (1001) was answered with 1000, nothing followed, {} second"),
        (True, False, False, "the IUT's Close (1000) was answered with 1001, nothing followed, {} second"),
        (
            True,
            False,
            True,
            "the IUT's Close (1000) was answered with 1001, nothing followed, {} first, being the client",
        ),
        (
            True,
            True,
            True,
            "the IUT's Close (1000) was answered with 1001, nothing followed, {} first, being the server",
        ),
        (True, True, False, "the IUT's Close (1000) was answered with 1001, nothing followed, {} second"),
    ],
)
@pytest.mark.parametrize("both", [True, False])
def test_who_closed_and_in_which_order_is_named(own: bool, server: bool, first: bool, words: str, both: bool) -> None:
    story = Web().as_server() if server else Web()
    for sender, code in ((IUT, 1000), (PEER, 1001)) if own else ((PEER, 1001), (IUT, 1000)):
        story.closes(sender, code)
    story.iut.close()
    for sender in (IUT, PEER) if first else (PEER, IUT):
        if both or not first or sender is IUT:
            story.fin(sender)
    (finding,) = story.judge("WS-02")
    assert finding.outcome is SATISFIED
    assert words.format("and the IUT closed TCP") in finding.because


@pytest.mark.parametrize("gone", ["reset", "closed", "dead"])
def test_a_close_that_met_no_connection_need_not_be_answered(gone: str) -> None:
    story = Web()
    story.message(PEER)
    story.iut.recv(content=bytes(range(5)))
    story.peer.send_disconnect(payload(1000))
    story.closes(PEER, 1000)
    match gone:
        case "reset":
            story.rst(PEER)
        case "closed":
            story.iut.close()
        case "dead":
            story.peer.dies()
    story.settle(2000)
    assert story.says("WS-02") == set()


def test_a_close_is_never_answered_by_one_that_was_not_even_asked() -> None:
    story = Web()
    story.closes(PEER, 1000)
    story.settle(2000)
    assert story.says("WS-02") == {VIOLATED}


def test_an_own_close_that_is_answered() -> None:
    story = Web()
    story.iut.send_disconnect(payload(1000))
    story.closes(IUT, 1000)
    story.closes(PEER, 1000)
    story.fin(PEER)
    story.fin(IUT)
    assert story.says("WS-02") == {SATISFIED}


def test_a_reset_after_both_closes_is_no_clear_end() -> None:
    story = closed_by_peer()
    story.rst(IUT)
    assert story.says("WS-02") == {UNDETERMINED}


def test_without_a_link_the_handshake_is_not_known() -> None:
    for exercises, expected in ((("WS-02",), {UNDETERMINED}), ((), set[Conclusion]())):
        story = Web(wire=False, exercises=exercises)
        story.peer.send_disconnect(payload(1000))
        story.hears("ConnectionClosedOK", 1000)
        assert story.says("WS-02") == expected


# --- WS-03 ------------------------------------------------------------------------------------------------------------


def tcp_ends(by: str) -> Web:
    story = Web()
    if by == "cut":
        story.data(PEER, 3)
        story.pdu(PEER, "MALFORMED", overhead=0, problem="TCP ended within a frame")
    if by == "rst":
        story.rst(PEER)
    else:
        story.fin(PEER)
    return story


@pytest.mark.parametrize("by", ["fin", "rst", "cut"])
@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [
        ("ConnectionClosedError", 1006, SATISFIED),
        ("ConnectionClosedError", 1000, VIOLATED),
        ("ConnectionClosedError", 1005, VIOLATED),
        ("ConnectionClosedOK", 1000, VIOLATED),
        ("ConnectionClosedOK", 1006, VIOLATED),
        ("ECONNRESET", 104, SATISFIED),
        ("ECONNRESET", 999, SATISFIED),
        ("ECONNRESET", 1000, VIOLATED),
        ("ECONNRESET", 1002, VIOLATED),
        ("ECONNRESET", 1006, SATISFIED),
        ("SomethingElse", None, SATISFIED),
    ],
)
def test_an_end_without_a_close_is_told_as_abnormal(by: str, name: str, code: int | None, expected: Conclusion) -> None:
    story = tcp_ends(by)
    story.hears(name, code)
    assert story.says("WS-03") == {expected}


@pytest.mark.parametrize(("fetched", "expected"), [(b"", {SATISFIED}), (payload(1006), {SATISFIED, VIOLATED})])
def test_there_is_no_data_to_fetch_then(fetched: bytes, expected: set[Conclusion]) -> None:
    story = tcp_ends("fin")
    story.hears("ConnectionClosedError", 1006)
    story.iut.recv_disconnect(fetched)
    assert story.says("WS-03") == expected


def test_an_end_may_be_told_in_the_tick_in_which_it_came() -> None:
    story = Web()
    call = story.iut.begin("recv", length=65536)
    story.fin(PEER, acked=False)
    error = ErrorValue("ConnectionClosedError", 1006)
    story.add(Returned(at=story.now, end=IUT, call=call, outcome=Outcome.ERROR, error=error))
    assert story.says("WS-03") == {SATISFIED}


def test_an_end_without_a_close_is_told_as_a_graceful_one() -> None:
    story = tcp_ends("fin")
    story.iut.recv(0)
    assert story.says("WS-03") == {VIOLATED}


def test_an_end_that_is_never_told() -> None:
    story = tcp_ends("fin")
    story.iut.recv(timeout=True, takes=2000, wait_ms=2000)
    assert story.says("WS-03") == {VIOLATED}


def test_with_a_close_it_is_no_matter_of_this_row() -> None:
    story = closed_by_peer()
    story.fin(PEER)
    story.hears("ConnectionClosedOK", 1000)
    assert story.says("WS-03") == set()


def test_a_forbidden_frame_is_no_matter_of_this_row() -> None:
    story = Web()
    story.pdu(PEER, "MALFORMED", overhead=2, problem="a reserved bit")
    story.fin(PEER)
    story.hears("ConnectionClosedError", 1002)
    assert story.says("WS-03") == set()


# --- the words --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [
        ("ConnectionClosedOK", 1000, Condition.EDISCON),
        ("ConnectionClosedOK", None, Condition.EDISCON),
        ("ConnectionClosedError", 4999, Condition.EDISCON),
        ("ConnectionClosedError", 1006, Condition.ECONNRESET),
        ("ConnectionClosedError", None, Condition.OTHER),
        ("CloseConnection", 1005, Condition.EDISCON),
        ("CloseConnection", 1006, Condition.ECONNRESET),
        ("ParseFailed", 1002, Condition.OTHER),
    ],
)
def test_the_words_of_the_libraries(name: str, code: int | None, expected: Condition) -> None:
    assert canonical(ErrorValue(name, code)) is expected


def test_what_a_peer_cut_off_is_not_known_without_a_link() -> None:
    """Nothing shows whether a frame or the Close was cut: neither an end nor an abort may be asked for."""
    story = Web(wire=False)
    story.peer.call("set_option", name="CUT_FRAME", value=0)
    story.peer.close()
    story.hears("ConnectionClosedError", 1006)
    for requirement in ("IND-MSG-01", "IND-ABORT-01", "IND-ABORT-02"):
        assert story.says(requirement) == {UNDETERMINED}
    assert story.says("WS-03") == set()
