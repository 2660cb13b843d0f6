# SPDX-License-Identifier: MIT
"""Claims against behaviour: what one case shows of a service flag, and what all of them come to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from conformance.catalogue.statement import Contradiction, Limits, Statement
from conformance.oracle import claims
from conformance.oracle.claims import Shown, contradicted, shown
from conformance.oracle.results import judge_case
from conformance.oracle.verdicts import Verdict
from conformance.trace.events import Established
from conformance.trace.history import Connection
from conformance.trace.pattern import pattern
from tests.oracle.story import (
    IUT,
    KERNEL_TCP,
    PEER,
    REFERENCE,
    REFERENCE_PSEUDO_STREAM,
    REFERENCE_STREAM,
    UNIX_SEQPACKET,
    UNIX_STREAM,
    Story,
    reference,
)

TOTAL = b"the total"
WIRED = pytest.mark.parametrize("wire", [True, False], ids=["link", "no-link"])


def seen(story: Story, claim: str) -> bool | None:
    """Whether the story shows the claim to hold; None if it shows nothing."""
    return next((each.holds for each in shown(story.history()) if each.claim == claim), None)


def without(claimed: Statement, flag: str) -> Statement:
    flags = tuple(each for each in claimed.service_flags if each != flag)
    return msgspec.structs.replace(claimed, service_flags=flags)


# --- GRACEFUL_CLOSE ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("claimed", [KERNEL_TCP, without(KERNEL_TCP, "GRACEFUL_CLOSE")])
@pytest.mark.parametrize("how", ["shutdown", "close"])
@pytest.mark.parametrize(("sign", "holds"), [("F", True), ("R", False)])
def test_a_graceful_call_brings_a_graceful_end_or_an_abort(
    claimed: Statement, how: str, sign: str, holds: bool
) -> None:
    story = Story(claimed)
    getattr(story.iut, how)()
    if sign == "F":
        story.fin(IUT)
    else:
        story.rst(IUT)
    story.peer.recv(error="" if holds else "ECONNRESET")
    assert seen(story, "GRACEFUL_CLOSE") is holds


@pytest.mark.parametrize("excuse", ["linger-0", "linger", "unread", "peer-reset", "failed", "nothing"])
def test_an_abort_that_something_else_explains_shows_nothing(excuse: str) -> None:
    story = Story(KERNEL_TCP)
    match excuse:
        case "linger-0":
            story.iut.linger(0)
        case "linger":
            story.iut.linger(1)
        case "unread":
            story.peer.send(5)
            story.data(PEER, 5)
        case "peer-reset":
            story.rst(PEER)
    story.iut.close(error="ENOTCONN" if excuse == "failed" else "")
    if excuse != "nothing":
        story.rst(IUT)
    assert seen(story, "GRACEFUL_CLOSE") is None


def test_unread_data_and_a_graceful_end_show_nothing_either() -> None:
    story = Story(KERNEL_TCP)
    story.peer.send(5)
    story.data(PEER, 5)
    story.iut.close()
    story.fin(IUT)
    assert seen(story, "GRACEFUL_CLOSE") is None


def test_linger_that_is_off_again_explains_nothing() -> None:
    story = Story(KERNEL_TCP)
    story.iut.linger(5)
    story.iut.linger(5, on=False)
    story.iut.close()
    story.rst(IUT)
    assert seen(story, "GRACEFUL_CLOSE") is False


def test_linger_of_a_shutdown_explains_nothing() -> None:
    story = Story(KERNEL_TCP)
    story.iut.linger(5)
    story.iut.shutdown("both")
    story.rst(IUT)
    assert seen(story, "GRACEFUL_CLOSE") is False


@WIRED
def test_a_goodbye_with_data_is_judged_by_its_data(wire: bool) -> None:
    story = Story(REFERENCE, wire=wire)
    story.iut.send_disconnect(TOTAL)
    if wire:
        story.pdu(IUT, "RELEASE", TOTAL)
    story.peer.recv(error="WSAEDISCON")
    assert seen(story, "GRACEFUL_CLOSE") is None


@WIRED
@pytest.mark.parametrize(("unit", "told", "holds"), [("RELEASE", "EDISCON", True), ("ABORT", "ECONNRESET", False)])
def test_a_graceful_end_in_units(wire: bool, unit: str, told: str, holds: bool) -> None:
    story = Story(REFERENCE, wire=wire)
    story.iut.send_disconnect(None)
    if wire:
        story.pdu(IUT, unit)
    story.peer.recv(error=f"WSA{told}")
    assert seen(story, "GRACEFUL_CLOSE") is holds


# --- DISCONNECT_DATA --------------------------------------------------------------------------------------------------


@WIRED
@pytest.mark.parametrize("claimed", [REFERENCE, without(REFERENCE, "DISCONNECT_DATA")])
@pytest.mark.parametrize(("got", "holds"), [(TOTAL, True), (b"", False), (b"other", None)])
def test_disconnect_data_is_delivered_or_dropped(
    wire: bool, claimed: Statement, got: bytes, holds: bool | None
) -> None:
    story = Story(claimed, wire=wire)
    story.iut.send_disconnect(TOTAL)
    if wire:
        story.pdu(IUT, "RELEASE", got)
    story.peer.recv(error="WSAEDISCON")
    story.peer.recv_disconnect(got)
    assert seen(story, "DISCONNECT_DATA") is holds
    if holds is False:
        (found,) = (each for each in shown(story.history()) if each.claim == "DISCONNECT_DATA")
        assert found.found == "accepts disconnect data and drops it"


@pytest.mark.parametrize(
    ("given", "put", "holds"),
    [
        (b"\x03\xe8bye", b"\x03\xe8bye", True),
        (b"\x03\xe8", b"\x03\xe8", True),
        (b"\x03\xe8bye", b"\x03\xe8", False),
        (b"\x03\xe8bye", b"", False),
    ],
)
def test_a_code_alone_is_dropped_data_unless_it_was_given(given: bytes, put: bytes, holds: bool) -> None:
    story = Story(msgspec.structs.replace(REFERENCE, transport="websocket", family="runtime"))
    story.iut.send_disconnect(given)
    story.pdu(IUT, "CLOSE", put, code=1000)
    story.peer.recv(error="WSAEDISCON")
    story.peer.recv_disconnect(put)
    assert seen(story, "DISCONNECT_DATA") is holds


def test_what_the_peer_drops_shows_nothing() -> None:
    story = Story(REFERENCE)
    story.iut.send_disconnect(TOTAL)
    story.pdu(IUT, "RELEASE", TOTAL)
    story.peer.recv(error="WSAEDISCON")
    story.peer.recv_disconnect(b"")
    assert seen(story, "DISCONNECT_DATA") is None


@pytest.mark.parametrize(
    ("error", "holds"),
    [("WSAENOPROTOOPT", False), ("WSAEOPNOTSUPP", False), ("WSAENOTCONN", None), ("WSAEFAULT", None)],
)
def test_disconnect_data_is_refused(error: str, holds: bool | None) -> None:
    story = Story(REFERENCE)
    story.iut.send_disconnect(TOTAL, error=error)
    assert seen(story, "DISCONNECT_DATA") is holds


@pytest.mark.parametrize(("limit", "holds"), [(3, None), (8, None), (9, False), (0, False)])
def test_more_than_the_limit_shows_nothing(limit: int, holds: bool | None) -> None:
    story = Story(msgspec.structs.replace(REFERENCE, limits=Limits(disconnect_data_max=limit)), wire=False)
    story.iut.send_disconnect(TOTAL)
    story.peer.recv(error="WSAEDISCON")
    story.peer.recv_disconnect(b"")
    assert seen(story, "DISCONNECT_DATA") is holds


def test_a_refusal_of_no_data_shows_nothing() -> None:
    story = Story(REFERENCE)
    story.iut.send_disconnect(None, error="WSAENOPROTOOPT")
    assert seen(story, "DISCONNECT_DATA") is None


def test_a_refusal_after_a_reset_shows_nothing() -> None:
    story = Story(REFERENCE)
    story.pdu(PEER, "ABORT")
    story.iut.send_disconnect(TOTAL, error="WSAEOPNOTSUPP")
    assert seen(story, "DISCONNECT_DATA") is None


def test_a_call_that_was_never_answered_shows_nothing() -> None:
    story = Story(REFERENCE)
    story.iut.begin("send_disconnect", data="dGhlIHRvdGFs")
    story.pdu(IUT, "RELEASE")
    story.peer.recv(error="WSAEDISCON")
    story.peer.recv_disconnect(b"")
    assert seen(story, "DISCONNECT_DATA") is None


def test_of_a_second_call_the_unanswered_one_before_it_may_have_sent_the_end() -> None:
    story = Story(REFERENCE)
    story.iut.begin("send_disconnect", data="dGhlIHRvdGFs")
    story.iut.send_disconnect(TOTAL)
    story.pdu(IUT, "RELEASE")
    assert seen(story, "DISCONNECT_DATA") is None


def test_a_fetch_that_fails_at_the_peer_shows_nothing() -> None:
    story = Story(REFERENCE, wire=False)
    story.iut.send_disconnect(TOTAL)
    story.peer.recv(error="WSAEDISCON")
    story.peer.recv_disconnect(error="WSAENOTCONN")
    assert seen(story, "DISCONNECT_DATA") is None


def test_a_link_that_was_not_seen_whole_shows_nothing() -> None:
    story = Story(REFERENCE, lost=3)
    story.iut.send_disconnect(TOTAL)
    story.peer.recv(error="WSAEDISCON")
    story.peer.recv_disconnect(b"")
    assert seen(story, "DISCONNECT_DATA") is None


def test_without_a_link_a_library_may_have_ended_before() -> None:
    story = Story(msgspec.structs.replace(REFERENCE, transport="websocket", family="runtime"), wire=False)
    story.peer.send_disconnect(None)
    story.iut.recv(error="WSAEDISCON")
    story.iut.send_disconnect(TOTAL)
    story.peer.recv(error="WSAEDISCON")
    story.peer.recv_disconnect(b"")
    assert seen(story, "DISCONNECT_DATA") is None


@pytest.mark.parametrize(
    ("got", "error", "put", "holds"),
    [
        (b"", "", TOTAL, False),
        (b"", "WSAENOPROTOOPT", TOTAL, False),
        (b"", "", b"", None),
        (b"", "WSAENOPROTOOPT", b"", None),
        (b"", "WSAENOPROTOOPT", b"the other", None),
        (TOTAL, "", TOTAL, None),
        (b"", "WSAENOTCONN", TOTAL, None),
    ],
)
def test_the_iut_drops_what_came(got: bytes, error: str, put: bytes, holds: bool | None) -> None:
    story = Story(REFERENCE)
    story.peer.send_disconnect(TOTAL)
    story.pdu(PEER, "RELEASE", put)
    story.iut.recv(error="WSAEDISCON")
    story.iut.recv_disconnect(got, error=error)
    assert seen(story, "DISCONNECT_DATA") is holds


def test_what_the_peer_did_not_give_cannot_be_dropped() -> None:
    story = Story(REFERENCE, wire=False)
    story.peer.send_disconnect(None)
    story.iut.recv(error="WSAEDISCON")
    story.iut.recv_disconnect(error="WSAENOPROTOOPT")
    assert seen(story, "DISCONNECT_DATA") is None


def test_a_fetch_after_an_error_shows_nothing() -> None:
    story = Story(REFERENCE)
    story.peer.send_disconnect(TOTAL)
    story.pdu(PEER, "RELEASE", TOTAL)
    story.iut.recv(error="WSAEDISCON")
    story.iut.recv(error="WSAECONNRESET")
    story.iut.recv_disconnect(b"")
    assert seen(story, "DISCONNECT_DATA") is None


# --- MESSAGE_ORIENTED, PSEUDO_STREAM ----------------------------------------------------------------------------------


def two_sends(claimed: Statement, *, settled: bool = True) -> Story:
    story = Story(claimed, wire=False)
    story.peer.send(10)
    story.peer.send(20, seed=10)
    if settled:
        story.settle()
    return story


ALL = pytest.mark.parametrize(
    "claimed", [KERNEL_TCP, UNIX_STREAM, UNIX_SEQPACKET, REFERENCE, REFERENCE_STREAM, REFERENCE_PSEUDO_STREAM]
)


@ALL
@pytest.mark.parametrize("settled", [True, False])
def test_one_receive_of_two_sends_keeps_no_boundaries(claimed: Statement, settled: bool) -> None:
    story = two_sends(claimed, settled=settled)
    story.iut.recv(30)
    pseudo = "PSEUDO_STREAM" in claimed.service_flags
    assert seen(story, "PSEUDO_STREAM" if pseudo else "MESSAGE_ORIENTED") is pseudo
    assert len(shown(story.history())) == 1


@ALL
def test_a_receive_across_a_boundary(claimed: Statement) -> None:
    story = two_sends(claimed)
    story.iut.recv(5)
    story.iut.recv(25, offset=5)
    pseudo = "PSEUDO_STREAM" in claimed.service_flags
    assert seen(story, "PSEUDO_STREAM" if pseudo else "MESSAGE_ORIENTED") is pseudo


@ALL
@pytest.mark.parametrize("settled", [True, False])
def test_one_receive_for_each_send(claimed: Statement, settled: bool) -> None:
    """A byte stream may return less than there is: only of what claims messages does it show something."""
    story = two_sends(claimed, settled=settled)
    story.iut.recv(10)
    story.iut.recv(20, seed=10)
    messages = not claimed.is_stream and settled
    assert seen(story, "MESSAGE_ORIENTED") is (True if messages else None)
    assert seen(story, "PSEUDO_STREAM") is None


@ALL
@pytest.mark.parametrize("how", ["partial", "dropped", "refused"])
def test_a_message_without_room(claimed: Statement, how: str) -> None:
    story = two_sends(claimed)
    match how:
        case "partial":
            call = story.iut.begin("recv", length=5)
            story.iut.finish(call, length=5, data="AAECAwQ=", partial=True)
        case "dropped":
            story.iut.recv(5)
            story.iut.recv(20, seed=10)
        case "refused":
            story.iut.recv(error="WSAEMSGSIZE")
    pseudo = "PSEUDO_STREAM" in claimed.service_flags
    assert seen(story, "PSEUDO_STREAM" if pseudo else "MESSAGE_ORIENTED") is (not pseudo)
    (found,) = shown(story.history())
    assert found.found == "message boundaries are kept"


@pytest.mark.parametrize("read", [0, 5, 10])
def test_other_bytes_than_were_sent_show_nothing(read: int) -> None:
    story = two_sends(KERNEL_TCP)
    if read:
        story.iut.recv(read)
    story.iut.recv(15, seed=77)
    assert seen(story, "MESSAGE_ORIENTED") is None


@pytest.mark.parametrize("read", [0, 10])
def test_a_jump_from_a_boundary_drops_no_rest(read: int) -> None:
    story = two_sends(KERNEL_TCP)
    if read:
        story.iut.recv(read)
    story.iut.recv(5, offset=read + 1)
    assert seen(story, "MESSAGE_ORIENTED") is None


@pytest.mark.parametrize(("read", "follows", "holds"), [(0, 10, None), (9, 10, True), (9, 30, None), (10, 30, None)])
def test_a_message_of_which_nothing_was_read_had_no_rest(read: int, follows: int, holds: bool | None) -> None:
    story = two_sends(KERNEL_TCP)
    story.peer.send(40, seed=30)
    if read:
        story.iut.recv(read)
    story.iut.recv(20, seed=follows)
    assert seen(story, "MESSAGE_ORIENTED") is holds


def test_the_rest_of_the_last_message_is_followed_by_nothing() -> None:
    story = two_sends(KERNEL_TCP)
    story.iut.recv(10)
    story.iut.recv(5, offset=10)
    story.iut.recv(5)
    assert seen(story, "MESSAGE_ORIENTED") is None


def test_a_receive_that_found_nothing_yet_tells_nothing() -> None:
    story = two_sends(KERNEL_TCP)
    story.iut.recv(error="EAGAIN")
    story.iut.recv(30)
    assert seen(story, "MESSAGE_ORIENTED") is False


def test_after_an_end_nothing_is_shown() -> None:
    story = two_sends(KERNEL_TCP)
    story.iut.recv()
    story.iut.recv(30)
    assert seen(story, "MESSAGE_ORIENTED") is None


def test_posted_receives_show_nothing() -> None:
    story = two_sends(REFERENCE)
    story.iut.post("r1")
    story.iut.completes("r1", 30)
    assert seen(story, "MESSAGE_ORIENTED") is None


@pytest.mark.parametrize(("room", "holds"), [(29, None), (30, True), (31, True)])
def test_a_receive_keeps_a_boundary_if_it_had_room_for_both(room: int, holds: bool | None) -> None:
    story = two_sends(REFERENCE)
    story.iut.call("recv", length=room, result={"length": 10, "data": "AAECAwQFBgcICQ=="})
    assert seen(story, "MESSAGE_ORIENTED") is holds


@pytest.mark.parametrize(
    "change", [{"problem": "the agent died"}, {"unavailable": "no link"}, {"doubtful": "a clock"}, {"raw_peer": True}]
)
def test_a_case_that_broke_or_is_of_the_layer_below_shows_nothing(change: dict[str, Any]) -> None:
    story = two_sends(KERNEL_TCP)
    story.iut.recv(30)
    story.header = msgspec.structs.replace(story.header, **change)
    assert shown(story.history()) == ()


def test_a_probe_that_breaks_shows_nothing_and_keeps_none_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(connection: Connection) -> Iterator[Shown]:
        raise RuntimeError(connection)

    monkeypatch.setattr(claims, "_PROBES", (breaks, claims.message_boundaries))
    story = two_sends(KERNEL_TCP)
    story.iut.recv(30)
    assert [each.claim for each in shown(story.history())] == ["MESSAGE_ORIENTED"]


def test_a_trace_that_cannot_be_shows_nothing() -> None:
    story = Story(KERNEL_TCP, connected=False)
    story.add(Established(at=story.tick(), iut=3, peer=3, client=IUT, client_address={}, listener_address={}))
    story.iut.call("duplicate", result={})  # of which socket it is a duplicate, nobody said
    with pytest.raises(KeyError):
        story.history().connections  # noqa: B018
    assert shown(story.history()) == ()


@pytest.mark.parametrize("linked", ["carried", "not carried"])
def test_the_link_shows_that_both_were_there(linked: str) -> None:
    story = Story(REFERENCE)
    story.peer.send(10)
    story.peer.send(20, seed=10)
    story.pdu(PEER, "DATA", pattern(0, 10))
    if linked == "carried":
        story.pdu(PEER, "DATA", pattern(0, 20, 10))
    story.iut.recv(10)
    assert seen(story, "MESSAGE_ORIENTED") is (True if linked == "carried" else None)


# --- over all cases ---------------------------------------------------------------------------------------------------


def told(claim: str, holds: bool, found: str = "none") -> Shown:
    return Shown(claim=claim, holds=holds, found=found, because="so it was", events=(1,))


def test_a_claim_that_was_shown_not_to_hold_anywhere_is_contradicted() -> None:
    cases = {
        "a": [told("GRACEFUL_CLOSE", True)],
        "c": [told("GRACEFUL_CLOSE", False)],
        "b": [told("GRACEFUL_CLOSE", False)],
        "d": [told("GRACEFUL_CLOSE", False, "found by the way")],
    }
    assert contradicted(KERNEL_TCP, cases) == (
        Contradiction(item="GRACEFUL_CLOSE", claimed="yes", found="none: so it was", cases=("b", "c", "d")),
    )


def test_what_is_not_claimed_is_contradicted_if_it_always_held() -> None:
    claimed = without(REFERENCE, "DISCONNECT_DATA")
    data = [told("DISCONNECT_DATA", True, "disconnect data")]
    (found,) = contradicted(claimed, {"a": data, "b": []})
    assert (found.item, found.claimed, found.cases) == ("DISCONNECT_DATA", "no", ("a",))
    assert contradicted(claimed, {"a": data, "b": [told("DISCONNECT_DATA", False)]}) == ()
    assert contradicted(claimed, {}) == ()


@pytest.mark.parametrize(("claimed", "holds"), [(REFERENCE, True), (without(REFERENCE, "DISCONNECT_DATA"), False)])
def test_what_agrees_is_no_contradiction(claimed: Statement, holds: bool) -> None:
    assert contradicted(claimed, {"a": [told("DISCONNECT_DATA", holds)]}) == ()


def test_a_probe_is_recorded_and_what_exercises_something_is_not() -> None:
    story = two_sends(KERNEL_TCP)
    story.iut.recv(30)
    result = judge_case(story.trace())
    assert [each.claim for each in result.shown] == ["MESSAGE_ORIENTED"]
    assert result.verdict is Verdict.RECORDED
    story.header = msgspec.structs.replace(story.header, exercises=("IND-STREAM-01",))
    assert judge_case(story.trace()).verdict is Verdict.INCONCLUSIVE
    story.header = msgspec.structs.replace(story.header, exercises=())
    story.peer.shutdown("send")
    story.iut.recv()
    beside = judge_case(story.trace())
    assert beside.findings  # of what it was not meant to exercise
    assert beside.verdict is Verdict.RECORDED
    assert judge_case(Story(reference()).trace()).verdict is Verdict.INCONCLUSIVE


def test_an_old_result_has_shown_nothing() -> None:
    old = msgspec.to_builtins(judge_case(Story(KERNEL_TCP).trace()))
    del old["shown"]
    assert msgspec.convert(old, type(judge_case(Story(KERNEL_TCP).trace()))).shown == ()
