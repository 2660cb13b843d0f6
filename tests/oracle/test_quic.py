# SPDX-License-Identifier: MIT
"""QUIC: how a stream's directions ended by the calls of both ends, and the judge of what was told, at every edge."""

from __future__ import annotations

import pytest

from conformance.oracle.findings import Conclusion
from conformance.trace.conditions import Condition, canonical
from conformance.trace.direction import EndKind
from conformance.trace.events import Called, ErrorValue, Established, Indicated, Noted, Outcome, Returned
from tests.oracle.story import IUT, MS, PATIENCE, PEER, Story, Teller, statement

SATISFIED, VIOLATED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}
UNDETERMINED, NOTHING = {Conclusion.UNDETERMINED}, set[Conclusion]()
QUIC = statement("quic", family="runtime", surfaces=("callback",))
CODE, REASON = 7, "good night \u2014"
LAST_WORD = CODE.to_bytes(8, "big") + REASON.encode()


def story() -> Story:
    return Story(QUIC)


def fails(teller: Teller, name: str, code: int | None = None, detail: str = "", *, op: str = "recv") -> None:
    """A call that the library answered with an error of that code."""
    call = teller.begin(op, length=65536)
    error = ErrorValue(name, code, detail)
    teller.story.add(Returned(at=teller.story.tick(), end=teller.end, call=call, outcome=Outcome.ERROR, error=error))


def resets(told: Story, code: int | None = None) -> None:
    """The peer resets the stream, with a code of the case's choice if one is given."""
    if code is not None:
        told.peer.call("set_option", name="ERROR_CODE", value=code)
    told.peer.linger(0)
    told.peer.close()


# --- how directions end ---


@pytest.mark.parametrize(
    ("calls", "kind"),
    [
        ((), EndKind.OPEN),
        (("fin",), EndKind.GRACEFUL),
        (("both",), EndKind.GRACEFUL),
        (("close",), EndKind.GRACEFUL),
        (("fin", "close"), EndKind.GRACEFUL),
        (("linger", "close"), EndKind.ABORTED_BY_SENDER),
        (("disconnect",), EndKind.ABORTED_BY_SENDER),
        (("fin", "disconnect"), EndKind.RESET_AFTER_END),
        (("fin", "linger", "close"), EndKind.RESET_AFTER_END),
        (("dies",), EndKind.OPEN),
        (("fin", "dies"), EndKind.GRACEFUL),
        (("stop",), EndKind.OPEN),
        (("iut stops",), EndKind.ABORTED_BY_RECEIVER),
        (("iut stops", "fin"), EndKind.ABORTED_BY_RECEIVER),
        (("fin", "iut stops"), EndKind.GRACEFUL),
        (("iut closes",), EndKind.ABORTED_BY_RECEIVER),
        (("fin", "iut closes"), EndKind.GRACEFUL),
        (("iut disconnects",), EndKind.ABORTED_BY_RECEIVER),
    ],
)
def test_a_direction_ends_as_the_calls_tell(calls: tuple[str, ...], kind: EndKind) -> None:
    told = story()
    for call in calls:
        match call:
            case "fin":
                told.peer.shutdown("send")
            case "both":
                told.peer.shutdown("both")
            case "stop":
                told.peer.shutdown("receive")
            case "close":
                told.peer.close()
            case "linger":
                told.peer.linger(0)
            case "disconnect":
                told.peer.send_disconnect(LAST_WORD)
            case "dies":
                told.peer.dies()
            case "iut stops":
                told.iut.shutdown("receive")
            case "iut closes":
                told.iut.close()
            case "iut disconnects":
                told.iut.send_disconnect(LAST_WORD)
    assert told.connection().peer_to_iut.ending.kind is kind


def test_what_failed_ends_nothing() -> None:
    told = story()
    told.peer.shutdown("send", error="RuntimeError")
    told.peer.send_disconnect(LAST_WORD, error="RuntimeError")
    assert told.connection().peer_to_iut.ending.kind is EndKind.OPEN


def test_a_fin_of_one_that_died_is_certain_at_no_time() -> None:
    told = story()
    told.peer.shutdown("send")
    assert told.connection().peer_to_iut.ending.certain_at is not None
    told.peer.dies()
    assert told.connection().peer_to_iut.ending.certain_at is None


def test_two_ends_at_the_same_time_are_not_known() -> None:
    told = story()
    one, other = told.peer.begin("shutdown", how="send"), told.iut.begin("close")
    told.peer.finish(one)
    told.iut.finish(other)
    assert told.connection().peer_to_iut.ending.kind is EndKind.NOT_KNOWN
    told.iut.recv()
    assert told.conclusions("QUIC-01") == UNDETERMINED


# --- FIN ---


def test_fin_is_told_as_the_end() -> None:
    told = story()
    told.peer.shutdown("send")
    told.iut.recv()
    assert told.conclusions("QUIC-01") == SATISFIED


@pytest.mark.parametrize("name", ["StreamReset", "ConnectionTerminated", "SomethingElse"])
def test_fin_is_not_told_as_an_error(name: str) -> None:
    told = story()
    told.peer.shutdown("send")
    fails(told.iut, name, 0)
    assert told.conclusions("QUIC-01") == VIOLATED


@pytest.mark.parametrize(("wait_ms", "expected"), [(998, NOTHING), (PATIENCE, VIOLATED)])
@pytest.mark.parametrize("reset", [False, True], ids=["fin", "reset"])
def test_an_end_that_is_never_told(reset: bool, wait_ms: int, expected: set[Conclusion]) -> None:
    told = story()
    if reset:
        resets(told)
    else:
        told.peer.shutdown("send")
    told.iut.recv(timeout=True, takes=wait_ms, wait_ms=wait_ms)
    assert told.conclusions("QUIC-01") == expected


@pytest.mark.parametrize("error", ["", "StreamReset"])
def test_an_end_that_nobody_made(error: str) -> None:
    told = story()
    told.iut.recv(error=error)
    assert told.conclusions("QUIC-01") == VIOLATED
    told.peer.shutdown("send")
    assert told.conclusions("QUIC-01") == VIOLATED


def test_a_send_that_is_refused_is_no_word_of_the_other_direction() -> None:
    told = story()
    told.peer.shutdown("receive")
    fails(told.iut, "RuntimeError", detail="Cannot send data after the stream was reset", op="send")
    assert told.conclusions("QUIC-01") == NOTHING
    told.peer.shutdown("send")
    told.iut.recv()
    assert told.conclusions("QUIC-01") == SATISFIED


# --- RESET_STREAM and CONNECTION_CLOSE ---


@pytest.mark.parametrize(
    ("sent", "name", "code", "expected"),
    [
        (42, "StreamReset", 42, SATISFIED),
        (42, "StreamReset", 41, VIOLATED),
        (42, "StreamReset", None, VIOLATED),
        (None, "StreamReset", None, SATISFIED),
        (None, "SomethingElse", 0, VIOLATED),
    ],
)
def test_a_reset_is_told_with_its_code(
    sent: int | None, name: str, code: int | None, expected: set[Conclusion]
) -> None:
    told = story()
    resets(told, sent)
    fails(told.iut, name, code)
    assert told.conclusions("QUIC-01") == expected


@pytest.mark.parametrize("closing", [False, True], ids=["reset", "close"])
def test_no_abort_is_told_as_an_end(closing: bool) -> None:
    told = story()
    if closing:
        told.peer.send_disconnect(LAST_WORD)
    else:
        resets(told, 42)
    told.iut.recv()
    assert told.conclusions("QUIC-01") == VIOLATED


@pytest.mark.parametrize(
    ("code", "detail", "expected"),
    [
        (CODE, REASON, SATISFIED),
        (CODE, f"because: {REASON}", SATISFIED),
        (CODE, "", VIOLATED),
        (CODE + 1, REASON, VIOLATED),
        (None, REASON, VIOLATED),
    ],
)
def test_a_closed_connection_is_told_with_code_and_reason(
    code: int | None, detail: str, expected: set[Conclusion]
) -> None:
    told = story()
    told.peer.send_disconnect(LAST_WORD)
    fails(told.iut, "ConnectionTerminated", code, detail)
    assert told.conclusions("QUIC-01") == expected


def notices(told: Story, code: int | None = None) -> int:
    """The library tells by itself, of an error with that code if one is given; returns where it is in the trace."""
    error = None if code is None else ErrorValue("ConnectionTerminated", code, REASON)
    told.add(Indicated(at=told.tick(), end=IUT, notice=1, socket=3, type="CLOSED", error=error))
    return len(told.events)


@pytest.mark.parametrize(("code", "expected"), [(CODE, SATISFIED), (CODE + 1, VIOLATED)])
def test_code_and_reason_may_be_told_by_a_notice(code: int, expected: set[Conclusion]) -> None:
    told = story()
    told.peer.send_disconnect(LAST_WORD)
    other, shown, second = notices(told), notices(told, code), notices(told, code)
    fails(told.iut, "ConnectionResetError")
    (finding,) = told.judge("QUIC-01")
    assert {finding.outcome} == expected
    assert shown in finding.events
    assert not {other, second} & {*finding.events}


def test_a_notice_before_the_end_is_not_of_it() -> None:
    told = story()
    notices(told, CODE)
    told.peer.send_disconnect(LAST_WORD)
    fails(told.iut, "ConnectionResetError")
    assert told.conclusions("QUIC-01") == VIOLATED


def test_a_finding_names_what_was_done_and_what_was_told() -> None:
    told = story()
    resets(told, 42)
    fails(told.iut, "StreamReset", 41)
    (finding,) = told.judge("QUIC-01")
    assert "after RESET_STREAM with code 0x2a, " in finding.because
    assert "StreamReset 0x29" in finding.because
    told = story()
    told.peer.send_disconnect(LAST_WORD)
    fails(told.iut, "ConnectionTerminated", CODE, REASON)
    (finding,) = told.judge("QUIC-01")
    assert f"after CONNECTION_CLOSE with code 0x7 and reason {REASON!r}, " in finding.because


def test_the_code_of_a_reset_is_the_last_that_was_set_before_it() -> None:
    told = story()
    told.peer.call("set_option", name="ERROR_CODE", value=41)
    told.peer.call("set_option", name="ERROR_CODE", value=42)
    told.peer.call("set_option", name="ERROR_CODE", value=43, error="EINVAL")
    told.peer.call("set_option", name="NODELAY", value=1)
    resets(told)
    told.peer.call("set_option", name="ERROR_CODE", value=44)
    fails(told.iut, "StreamReset", 42)
    assert told.conclusions("QUIC-01") == SATISFIED


@pytest.mark.parametrize(("early_ms", "expected"), [(0, SATISFIED), (1, VIOLATED)])
def test_an_end_is_told_at_the_time_of_the_call_at_the_earliest(early_ms: int, expected: set[Conclusion]) -> None:
    told = story()
    waiting = told.iut.begin("recv", length=65536)
    told.wait(early_ms)
    call = told.peer.begin("shutdown", how="send")
    told.wait(-1 - early_ms)
    told.iut.finish(waiting, length=0)
    told.wait(early_ms)
    told.peer.finish(call)
    assert told.conclusions("QUIC-01") == expected


# --- silence ---


def silent(idle_ms: int | None = 500) -> Story:
    """The peer has died; the listener, which is no end of the connection, had set the idle time-out."""
    told = idle(idle_ms)
    told.peer.dies()
    told.wait(600)
    return told


def idle(idle_ms: int | None = 500) -> Story:
    told = story()
    if idle_ms is not None:
        arguments = {"name": "IDLE_TIMEOUT", "value": idle_ms}
        told.add(Called(at=told.tick(), end=IUT, call=900, op="set_option", socket=99, arguments=arguments))
        told.add(Returned(at=told.tick(), end=IUT, call=900, outcome=Outcome.RESULT, result={}))
    return told


@pytest.mark.parametrize(
    ("name", "detail", "expected"),
    [
        ("ConnectionTerminated", "Idle timeout", SATISFIED),
        ("IdleTimeoutError", "", SATISFIED),
        ("ConnectionTerminated", "", VIOLATED),
    ],
)
def test_the_idle_time_out_is_told_as_an_error_of_this_side(name: str, detail: str, expected: set[Conclusion]) -> None:
    told = silent()
    fails(told.iut, name, 1, detail)
    assert told.conclusions("QUIC-01") == expected


def test_the_idle_time_out_is_not_told_as_an_end() -> None:
    told = silent()
    told.iut.recv()
    assert told.conclusions("QUIC-01") == VIOLATED
    assert told.conclusions("IND-STREAM-01") == VIOLATED


@pytest.mark.parametrize(("wait_ms", "expected"), [(898, NOTHING), (899, VIOLATED)])
def test_an_idle_time_out_that_never_comes(wait_ms: int, expected: set[Conclusion]) -> None:
    told = silent()
    told.iut.call("set_option", name="IDLE_TIMEOUT", value=1, error="EINVAL")
    told.iut.call("set_option", name="NODELAY", value=1)
    told.wait(-4)
    told.iut.recv(timeout=True, takes=wait_ms, wait_ms=wait_ms)
    assert told.conclusions("QUIC-01") == expected


def test_an_idle_time_out_that_never_comes_is_found_once() -> None:
    told = silent()
    for _ in range(2):
        told.iut.recv(timeout=True, takes=2000, wait_ms=2000)
    assert len(told.judge("QUIC-01")) == 1


def test_no_idle_time_out_where_the_peer_lives_or_had_ended() -> None:
    told = idle()
    told.iut.recv(timeout=True, takes=2000, wait_ms=2000)
    assert told.conclusions("QUIC-01") == NOTHING
    told = idle()
    told.peer.shutdown("send")
    told.peer.dies()
    told.iut.recv()
    assert told.conclusions("QUIC-01") == SATISFIED


@pytest.mark.parametrize(("early_ms", "expected"), [(0, VIOLATED), (2, NOTHING)])
def test_an_error_that_comes_as_the_peer_dies(early_ms: int, expected: set[Conclusion]) -> None:
    told = idle()
    told.note("nothing")
    call = told.iut.begin("recv", length=65536)
    told.wait(5)
    told.add(Noted(at=told.now, what="killed", end=PEER))
    error, at = ErrorValue("StreamReset", 1), told.now - early_ms * MS
    told.add(Returned(at=at, end=IUT, call=call, outcome=Outcome.ERROR, error=error))
    told.add(Noted(at=told.tick(), what="dead", end=PEER))
    found = [f for f in told.judge("QUIC-01") if "idle" in f.because]
    assert {f.outcome for f in found} == expected


def test_a_connection_that_lives_does_not_hide_one_whose_peer_died() -> None:
    told = idle()
    second = {"family": "inet", "host": "127.0.0.1", "port": 40001}
    listener = {"family": "inet", "host": "127.0.0.1", "port": 10000}
    told.add(Established(at=told.tick(), iut=4, peer=4, client=IUT, client_address=second, listener_address=listener))
    told.peer.shutdown("send")
    told.peer.dies()
    told.wait(600)
    told.iut.recv(socket=4)
    assert told.conclusions("QUIC-01") == VIOLATED


def test_each_connection_has_a_time_out_of_its_own() -> None:
    told = idle()
    told.peer.dies()
    second = {"family": "inet", "host": "127.0.0.1", "port": 40001}
    listener = {"family": "inet", "host": "127.0.0.1", "port": 10000}
    told.add(Established(at=told.tick(), iut=4, peer=4, client=IUT, client_address=second, listener_address=listener))
    told.wait(600)
    fails(told.iut, "IdleTimeoutError", 1)
    told.iut.recv(socket=4)
    assert sorted(f.outcome for f in told.judge("QUIC-01")) == [Conclusion.SATISFIED, Conclusion.VIOLATED]


@pytest.mark.parametrize("before_ms", [0, 1], ids=["after", "as it died"])
def test_what_was_sent_into_the_silence_may_have_put_it_off(before_ms: int) -> None:
    told = idle()
    told.peer.dies()
    told.wait(-before_ms)
    told.iut.send(1)
    told.iut.recv(timeout=True, takes=3000, wait_ms=3000)
    assert told.conclusions("QUIC-01") == NOTHING


def test_what_was_sent_before_the_silence_does_not_put_it_off() -> None:
    told = idle()
    told.iut.send(1)
    told.peer.dies()
    told.iut.recv(timeout=True, takes=3000, wait_ms=3000)
    assert told.conclusions("QUIC-01") == VIOLATED


def test_without_a_time_out_of_the_case_silence_says_nothing() -> None:
    told = silent(idle_ms=None)
    told.iut.recv(timeout=True, takes=5000, wait_ms=5000)
    assert told.conclusions("QUIC-01") == NOTHING


# --- names ---


@pytest.mark.parametrize(
    ("name", "detail", "condition"),
    [
        ("StreamReset", "", Condition.ECONNRESET),
        ("ConnectionTerminated", "", Condition.ECONNRESET),
        ("ConnectionTerminated", "Idle timeout", Condition.ETIMEDOUT),
        ("ConnectionTerminated", "Idle timeout of mine", Condition.ECONNRESET),
        ("RuntimeError", "Cannot send data after FIN", Condition.ESHUTDOWN),
        ("RuntimeError", "Cannot send data after the stream was reset", Condition.ECONNRESET),
        ("RuntimeError", "anything else", Condition.OTHER),
    ],
)
def test_the_library_names_conditions_by_events_and_words(name: str, detail: str, condition: Condition) -> None:
    assert canonical(ErrorValue(name, 1, detail)) is condition


def test_other_transports_are_another_matter() -> None:
    told = Story(statement("unix"))
    told.peer.shutdown("send")
    told.iut.recv()
    assert told.conclusions("QUIC-01") == NOTHING


# --- other judges ---


def test_a_notice_of_the_end_is_a_word_of_a_graceful_end() -> None:
    told = story()
    told.iut.shutdown("send")
    told.peer.indicates("END")
    told.peer.recv()
    assert told.conclusions("INIT-SHUT-01") == SATISFIED


@pytest.mark.parametrize(("stopped", "expected"), [(False, VIOLATED), (True, NOTHING)])
def test_a_shutdown_that_fails_after_the_peer_has_stopped_the_sending(stopped: bool, expected: set[Conclusion]) -> None:
    told = story()
    if stopped:
        told.peer.shutdown("receive")
    told.iut.shutdown("both", error="RuntimeError")
    assert told.conclusions("INIT-SHUT-02") == expected
