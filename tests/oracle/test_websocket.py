# SPDX-License-Identifier: MIT
"""WebSocket's own rows, on traces told by hand: both sides of each edge."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.oracle.findings import Conclusion
from conformance.trace.conditions import Condition, canonical
from conformance.trace.events import End, ErrorValue, Outcome, Returned
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

    def closes(self, sender: End, code: int | None = 1000, reason: str = "") -> None:
        """A Close on the link."""
        data = b"" if code is None else payload(code, reason)
        self.pdu(sender, "CLOSE", data, overhead=2, code=code, reason=reason)

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
    hanging.fin(PEER)
    hanging.settle(2000)
    assert hanging.says("WS-02") == {VIOLATED}


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
