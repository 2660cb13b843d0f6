# SPDX-License-Identifier: MIT
"""The exchange of eight steps in every order and with every step gone wrong; and step 6 without disconnect data."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import msgspec
import pytest

from conformance.catalogue.statement import Limits, Statement
from conformance.oracle.findings import Conclusion
from tests.oracle.story import (
    IUT,
    KERNEL_TCP,
    MS,
    PEER,
    REFERENCE,
    REFERENCE_STREAM,
    UNIX_SEQPACKET,
    UNIX_STREAM,
    Story,
    Teller,
)

SATISFIED, VIOLATED, UNDETERMINED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}, {Conclusion.UNDETERMINED}
NOTHING: set[Conclusion] = set()
TOTAL, GRAND_TOTAL = b"total 7", b"grand total 42"
ORDERS = {
    "before 6": ["1", "2", "3", "5", "5'", "6", "7", "8"],
    "between 6 and 7": ["1", "2", "3", "5", "6", "5'", "7", "8"],
    "between 7 and 8": ["1", "2", "3", "5", "6", "7", "5'", "8"],
    "after 8": ["1", "2", "3", "5", "6", "7", "8", "5'"],
}
ROLES = pytest.mark.parametrize("client", [IUT, PEER], ids=["as-client", "as-server"])
WIRED = pytest.mark.parametrize("wire", [True, False], ids=["link", "no-link"])


class Exchange:
    """Tells the steps. `wrong` maps a step to what it does instead: an error, other data, or "" to leave it out."""

    def __init__(self, client: object, *, wire: bool = True, claimed: Statement = REFERENCE) -> None:
        self.story = Story(claimed, wire=wire)
        first, second = self.story.iut, self.story.peer
        self.client, self.server = (first, second) if client is IUT else (second, first)
        self.wire = wire

    def tell(self, order: Sequence[str], wrong: dict[str, str | bytes] | None = None) -> Story:
        for step in order:
            self.step(step, (wrong or {}).get(step))
        return self.story

    def step(self, step: str, wrong: str | bytes | None) -> None:
        error, data = (wrong if isinstance(wrong, str) else ""), (wrong if isinstance(wrong, bytes) else None)
        match step:
            case "1":
                self.say(self.client, TOTAL, data, error)
            case "2":
                self.server.recv(error=error or "WSAEDISCON")
            case "3":
                self.server.recv_disconnect(TOTAL if data is None else data, error=error)
            case "5":
                self.say(self.server, GRAND_TOTAL, data, error)
            case "5'":
                self.server.close(error=error)
            case "6":
                self.client.recv(error=error or "WSAEDISCON")
            case "7":
                self.client.recv_disconnect(GRAND_TOTAL if data is None else data, error=error)
            case "8":
                self.client.close(error=error)

    def say(self, teller: Teller, given: bytes, put: bytes | None, error: str) -> None:
        """SendDisconnect; `put` is what the link shows, if that is something else."""
        teller.send_disconnect(given, error=error)
        if self.wire and not error:
            self.story.pdu(teller.end, "RELEASE", given if put is None else put)


# --- DD-SCN-01, -02, -03 ----------------------------------------------------------------------------------------------


@ROLES
@WIRED
@pytest.mark.parametrize("place", ORDERS)
def test_every_order_comes_to_the_same(client: object, wire: bool, place: str) -> None:
    story = Exchange(client, wire=wire).tell(ORDERS[place])
    assert story.conclusions("DD-SCN-01") == SATISFIED
    (finding,) = story.judge("DD-SCN-02")
    assert {finding.outcome} == SATISFIED
    assert f"5' {place}," in finding.because
    assert ("the IUT as client" if client is IUT else "the IUT as server") in finding.because
    assert story.conclusions("DD-SCN-03") == (SATISFIED if place == "before 6" else NOTHING)
    assert story.conclusions("DD-SCN-06") == NOTHING


@pytest.mark.parametrize("requirement", ["DD-SCN-01", "DD-SCN-02", "DD-SCN-03"])
@ROLES
@pytest.mark.parametrize("step", ["3", "7"])
@pytest.mark.parametrize("got", [b"", b"total", b"total 7 grand total 42", b"other"])
def test_a_total_that_was_fetched_wrongly(requirement: str, client: object, step: str, got: bytes) -> None:
    """What the IUT fetched is its doing; what the peer fetched is not, where the link shows what was given."""
    story = Exchange(client).tell(ORDERS["before 6"], {step: got})
    by_the_iut = (client is IUT) == (step == "7")
    assert story.conclusions(requirement) == (VIOLATED if by_the_iut else UNDETERMINED)
    story = Exchange(client, wire=False).tell(ORDERS["before 6"], {step: got})
    assert story.conclusions(requirement) == VIOLATED


@ROLES
@pytest.mark.parametrize("step", ["1", "5"])
def test_a_total_that_was_put_on_the_link_wrongly(client: object, step: str) -> None:
    by_the_iut = (client is IUT) == (step == "1")
    fetched = {"1": "3", "5": "7"}[step]
    story = Exchange(client).tell(ORDERS["after 8"], {step: b"cut", fetched: b"cut"})
    assert story.conclusions("DD-SCN-01") == (VIOLATED if by_the_iut else UNDETERMINED)


@ROLES
@pytest.mark.parametrize("step", ["3", "7", "8", "5'"])
def test_a_call_that_failed(client: object, step: str) -> None:
    by_the_iut = (client is IUT) == (step in ("7", "8"))
    story = Exchange(client).tell(ORDERS["after 8"], {step: "WSAEINVAL"})
    found = story.conclusions("DD-SCN-01")
    assert Conclusion.SATISFIED not in found
    assert (Conclusion.VIOLATED in found) is by_the_iut


def test_the_iut_as_server_cannot_answer() -> None:
    """Without a direction left to send in, step 5 fails: the very point of the scenario."""
    story = Exchange(PEER).tell(["1", "2", "3", "5"], {"5": "WSAENOTCONN"})
    assert story.conclusions("DD-SCN-01") == VIOLATED
    assert Exchange(IUT).tell(["1", "2", "3", "5"], {"5": "WSAENOTCONN"}).conclusions("DD-SCN-01") == NOTHING


def test_the_iut_as_client_is_never_told() -> None:
    exchange = Exchange(IUT)
    exchange.tell(["1", "2", "3", "5"])
    exchange.story.iut.recv(timeout=True, takes=1500, wait_ms=1500)
    assert exchange.story.conclusions("DD-SCN-01") == VIOLATED


@WIRED
def test_the_iut_as_server_sends_nothing_until_it_closes(wire: bool) -> None:
    """Step 5 succeeded, the client looked for long, and nothing had left: 5' before 6 was not free to be left out."""
    exchange = Exchange(PEER, wire=wire)
    exchange.tell(["1", "2", "3"])
    exchange.story.iut.send_disconnect(GRAND_TOTAL)
    exchange.story.peer.recv(timeout=True, takes=1500, wait_ms=1500)
    for requirement in ("DD-SCN-01", "DD-SCN-02"):
        assert exchange.story.conclusions(requirement) == VIOLATED


def test_a_client_that_is_not_told_of_what_the_link_shows_is_not_the_iuts_doing() -> None:
    exchange = Exchange(PEER)
    exchange.tell(["1", "2", "3", "5"])
    exchange.story.peer.recv(timeout=True, takes=1500, wait_ms=1500)
    for requirement in ("DD-SCN-01", "DD-SCN-02"):
        assert exchange.story.conclusions(requirement) == NOTHING


def test_a_client_that_looked_too_briefly_shows_nothing() -> None:
    exchange = Exchange(PEER)
    exchange.tell(["1", "2", "3"])
    exchange.story.iut.send_disconnect(GRAND_TOTAL)
    exchange.story.peer.recv(timeout=True, takes=500, wait_ms=500)
    for requirement in ("DD-SCN-01", "DD-SCN-02"):
        assert exchange.story.conclusions(requirement) == NOTHING


def test_an_exchange_that_is_not_finished_proves_nothing() -> None:
    for length in range(1, 8):
        story = Exchange(IUT).tell(ORDERS["after 8"][:length])
        assert story.conclusions("DD-SCN-01") == NOTHING
        assert Conclusion.VIOLATED not in story.conclusions("DD-SCN-06")


@ROLES
def test_both_at_once_are_no_exchange(client: object) -> None:
    story = Exchange(client).tell(["1", "5", "2", "3", "6", "7", "5'", "8"])
    assert story.conclusions("DD-SCN-01") == NOTHING


@ROLES
@pytest.mark.parametrize("between", ["linger", "names"])
def test_closing_directly_is_directly_and_with_default_linger(client: object, between: str) -> None:
    exchange = Exchange(client)
    exchange.tell(["1", "2", "3", "5"])
    if between == "linger":
        exchange.server.linger(5)
    else:
        exchange.server.call("names")
    story = exchange.tell(["5'", "6", "7", "8"])
    assert story.conclusions("DD-SCN-01") == SATISFIED
    assert story.conclusions("DD-SCN-03") == NOTHING


@pytest.mark.parametrize("got", [b"", GRAND_TOTAL])
def test_a_clock_may_show_no_time_between_entry_and_return_of_step_5(got: bytes) -> None:
    exchange = Exchange(PEER)
    exchange.tell(["1", "2", "3"])
    exchange.story.iut.send_disconnect(GRAND_TOTAL, takes=0)
    exchange.story.pdu(IUT, "RELEASE", got)
    story = exchange.tell(["5'", "6", "7", "8"], {"7": got})
    assert story.conclusions("DD-SCN-03") == (SATISFIED if got else VIOLATED)


def test_a_reset_of_the_peers_excuses_the_iut() -> None:
    exchange = Exchange(IUT)
    exchange.tell(["1", "2", "3", "5", "6"])
    exchange.story.peer.close()
    story = exchange.tell(["7"], {"7": "WSAECONNRESET"})
    assert story.conclusions("DD-SCN-01") == VIOLATED
    exchange = Exchange(PEER)
    exchange.tell(["1", "2"])
    exchange.story.pdu(PEER, "ABORT", reason=0)
    story = exchange.tell(["3", "5"], {"3": "WSAECONNRESET", "5": "WSAECONNRESET"})
    assert story.conclusions("DD-SCN-01") == UNDETERMINED


@ROLES
@pytest.mark.parametrize("by", ["FD_CLOSE", "posted"])
def test_the_notices_may_be_of_other_kinds(client: object, by: str) -> None:
    exchange = Exchange(client)
    for teller in (exchange.client, exchange.server):
        if by == "posted":
            teller.post("r1")
        else:
            teller.event_select("FD_CLOSE")
    for step in ORDERS["before 6"]:
        teller = exchange.server if step == "2" else exchange.client
        if step not in ("2", "6"):
            exchange.step(step, None)
        elif by == "posted":
            teller.completes("r1", error="WSAEDISCON")
        else:
            teller.enum_events(("FD_CLOSE", ""))
    (finding,) = exchange.story.judge("DD-SCN-01")
    assert {finding.outcome} == SATISFIED
    assert {"posted": "a posted receive failed", "FD_CLOSE": "FD_CLOSE told"}[by] in finding.because


def test_the_client_may_be_told_while_the_server_closes() -> None:
    """5' comes directly after 5, and the posted receive ends in between: they are back to back all the same."""
    exchange = Exchange(PEER)
    exchange.story.peer.post("r1")
    exchange.tell(["1", "2", "3", "5"])
    exchange.story.peer.completes("r1", error="WSAEDISCON")
    story = exchange.tell(["5'", "7", "8"])
    assert story.conclusions("DD-SCN-03") == SATISFIED


# --- DD-SCN-06 --------------------------------------------------------------------------------------------------------


@ROLES
@WIRED
@pytest.mark.parametrize("left_out", [{"3"}, {"7"}, {"3", "7"}])
def test_fetching_may_be_left_out(client: object, wire: bool, left_out: set[str]) -> None:
    order = [step for step in ORDERS["before 6"] if step not in left_out]
    story = Exchange(client, wire=wire).tell(order)
    (finding,) = story.judge("DD-SCN-06")
    assert {finding.outcome} == SATISFIED
    assert f"without step {' and '.join(sorted(left_out))}, " in finding.because
    assert story.conclusions("DD-SCN-01") == NOTHING


@ROLES
@pytest.mark.parametrize("step", ["5", "8", "5'"])
def test_a_call_that_fails_for_what_was_not_fetched(client: object, step: str) -> None:
    order = [each for each in ORDERS["before 6"] if each not in ("3", "7")]
    order = order[: order.index(step) + 1] if step == "5" else order
    story = Exchange(client).tell(order, {step: "WSAENOTCONN"})
    by_the_iut = (client is IUT) == (step == "8")
    assert (Conclusion.VIOLATED in story.conclusions("DD-SCN-06")) is by_the_iut
    assert Conclusion.SATISFIED not in story.conclusions("DD-SCN-06")
    assert story.conclusions("DD-SCN-03") == NOTHING


@ROLES
@pytest.mark.parametrize("left_out", [{"3", "8"}, {"3", "5'"}, {"7", "8"}, {"3", "6", "7"}, {"3", "6", "7", "8"}])
def test_what_is_left_out_is_step_3_or_7_and_nothing_else(client: object, left_out: set[str]) -> None:
    story = Exchange(client).tell([step for step in ORDERS["before 6"] if step not in left_out])
    assert story.conclusions("DD-SCN-06") == NOTHING


# --- which calls are an exchange, and when ----------------------------------------------------------------------------

EXCHANGES = ("DD-SCN-01", "DD-SCN-02", "DD-SCN-03", "DD-SCN-06")


def nothing_of_an_exchange(story: Story) -> bool:
    return all(story.conclusions(requirement) == NOTHING for requirement in EXCHANGES)


@ROLES
@WIRED
@pytest.mark.parametrize("step", ["1", "5"])
@pytest.mark.parametrize("how", ["null", "empty", "shutdown", "close"])
def test_an_exchange_is_one_of_totals(client: object, wire: bool, step: str, how: str) -> None:
    exchange = Exchange(client, wire=wire)
    for each in ORDERS["after 8"]:
        teller = exchange.client if step == "1" else exchange.server
        if each != step:
            exchange.step(each, None)
            continue
        match how:
            case "null":
                teller.send_disconnect(None)
            case "empty":
                teller.send_disconnect(b"")
            case _:
                teller.call(how, how="send")
        if wire:
            exchange.story.pdu(teller.end, "RELEASE")
    assert nothing_of_an_exchange(exchange.story)


@ROLES
@pytest.mark.parametrize(("limit", "exchanged"), [(len(GRAND_TOTAL), True), (len(GRAND_TOTAL) - 1, False)])
def test_a_grand_total_that_is_too_much_is_none(client: object, limit: int, exchanged: bool) -> None:
    claimed = msgspec.structs.replace(REFERENCE, limits=Limits(disconnect_data_max=limit))
    story = Exchange(client, claimed=claimed).tell(ORDERS["after 8"])
    assert story.conclusions("DD-SCN-01") == (SATISFIED if exchanged else NOTHING)


@ROLES
@pytest.mark.parametrize("what", ["copy", "failed-close"])
def test_a_server_that_closes_a_copy_has_not_closed(client: object, what: str) -> None:
    exchange = Exchange(client)
    exchange.tell(["1", "2", "3"])
    if what == "copy":
        exchange.server.call("duplicate", result={"socket": 4})
        exchange.server.close(socket=4)
    else:
        exchange.server.close(error="WSAEINTR")
    story = exchange.tell(["5", "6", "7", "8", "5'"])
    if what == "failed-close":
        assert nothing_of_an_exchange(story)
        return
    assert story.conclusions("DD-SCN-01") == SATISFIED
    (finding,) = story.judge("DD-SCN-02")
    assert "5' after 8," in finding.because


@ROLES
def test_a_notice_before_the_end_is_none_of_it(client: object) -> None:
    exchange = Exchange(client, wire=False)
    exchange.server.post("r1")
    exchange.server.completes("r1", error="WSAEDISCON")
    assert nothing_of_an_exchange(exchange.tell(["1", "3", "5", "5'", "6", "7", "8"]))


@ROLES
def test_a_fetch_before_the_notice_is_no_step(client: object) -> None:
    exchange = Exchange(client)
    exchange.server.recv_disconnect(error="WSAENOTCONN")
    exchange.client.recv_disconnect(error="WSAENOTCONN")
    assert exchange.tell(ORDERS["after 8"]).conclusions("DD-SCN-01") == SATISFIED


@ROLES
def test_a_fetch_that_nobody_answered_is_no_step(client: object) -> None:
    exchange = Exchange(client)
    exchange.tell(["1", "2"])
    exchange.server.begin("recv_disconnect", length=4096)
    story = exchange.tell(["5", "5'", "6", "7", "8"])
    assert story.conclusions("DD-SCN-01") == NOTHING


@ROLES
@pytest.mark.parametrize("entered", ["after", "as", "before"])
def test_the_grand_total_comes_once_the_total_was_given(client: object, entered: str) -> None:
    """The notice comes while the client's call still runs; a clock may show no time between its return and step 5."""
    exchange = Exchange(client, wire=False)
    story = exchange.story
    total = exchange.client.begin("send_disconnect", data=base64.b64encode(TOTAL).decode())
    story.wait(-1)
    exchange.server.indicates("END")
    story.wait(-1)
    exchange.step("3", None)
    if entered != "before":
        exchange.client.finish(total)
        story.wait(-1 if entered == "as" else 0)
    grand = exchange.server.begin("send_disconnect", data=base64.b64encode(GRAND_TOTAL).decode())
    if entered == "before":
        exchange.client.finish(total)
    exchange.server.finish(grand)
    exchange.tell(["6", "7", "8", "5'"])
    assert story.conclusions("DD-SCN-01") == (NOTHING if entered == "before" else SATISFIED)


@ROLES
@pytest.mark.parametrize("left_out", ["nothing", "3"])
def test_a_clock_may_show_no_time_from_the_notice_to_the_grand_total(client: object, left_out: str) -> None:
    exchange = Exchange(client, wire=False)
    story = exchange.story
    exchange.step("1", None)
    exchange.server.indicates("END")
    if left_out != "3":
        story.wait(-1)
        exchange.server.recv_disconnect(TOTAL, takes=0)
    story.wait(-1)
    exchange.tell(["5", "6", "7", "8", "5'"])
    assert story.conclusions("DD-SCN-06") == (SATISFIED if left_out == "3" else NOTHING)
    assert story.conclusions("DD-SCN-01") == (NOTHING if left_out == "3" else SATISFIED)


@ROLES
@pytest.mark.parametrize(("before", "place"), [("6", "between 6 and 7"), ("7", "between 7 and 8"), ("8", "after 8")])
def test_a_close_at_the_instant_of_a_step_of_the_clients_comes_after_it(
    client: object, before: str, place: str
) -> None:
    exchange = Exchange(client)
    order = ["1", "2", "3", "5", "6", "7", "8"]
    for step in order:
        exchange.step(step, None)
        if step == before:
            exchange.story.wait(-1)
            exchange.step("5'", None)
    (finding,) = exchange.story.judge("DD-SCN-02")
    assert f"5' {place}," in finding.because


def test_closing_at_the_instant_of_the_return_of_step_5_is_directly() -> None:
    exchange = Exchange(PEER)
    exchange.tell(["1", "2", "3", "5"])
    exchange.story.wait(-3)
    assert exchange.tell(["5'", "6", "7", "8"]).conclusions("DD-SCN-03") == SATISFIED


@ROLES
@pytest.mark.parametrize("at", ["the return of step 5", "the entry of step 5'"])
def test_what_the_client_does_at_the_instant_of_a_step_may_be_between_the_two(client: object, at: str) -> None:
    exchange = Exchange(client, wire=False)
    exchange.tell(["1", "2", "3", "5"])
    exchange.story.wait(-1 if at == "the return of step 5" else 0)
    exchange.client.call("names", takes=0)
    exchange.story.wait(-1 if at == "the entry of step 5'" else 0)
    assert exchange.tell(["5'", "6", "7", "8"]).conclusions("DD-SCN-03") == NOTHING


@ROLES
def test_a_failed_fetch_and_no_close_are_no_closing_at_once(client: object) -> None:
    story = Exchange(client).tell(["1", "2", "3", "5"], {"3": "WSAEINVAL"})
    assert story.conclusions("DD-SCN-03") == NOTHING


# --- a client that is never told --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "wrong", "first", "second"),
    [
        (["1", "2", "3", "5"], {}, VIOLATED, VIOLATED),
        (["1", "2", "3", "5"], {"3": "WSAEINVAL"}, NOTHING, NOTHING),
        (["1", "2", "5"], {}, NOTHING, NOTHING),
        (["1", "2", "3", "5", "5'"], {}, VIOLATED, NOTHING),
    ],
    ids=["never", "fetch-failed", "not-fetched", "closed"],
)
def test_what_the_client_waits_for(
    steps: list[str], wrong: dict[str, str | bytes], first: set[Conclusion], second: set[Conclusion]
) -> None:
    """With 5' before the wait, its place among the steps is known, and 5' may be what it waits in vain for."""
    exchange = Exchange(IUT)
    exchange.tell(steps, wrong)
    exchange.story.iut.recv(timeout=True, takes=1500, wait_ms=1500)
    assert exchange.story.conclusions("DD-SCN-01") == first
    assert exchange.story.conclusions("DD-SCN-02") == second


def test_a_client_that_is_told_late_is_told() -> None:
    exchange = Exchange(IUT)
    exchange.tell(["1", "2", "3", "5"])
    exchange.story.iut.recv(timeout=True, takes=1500, wait_ms=1500)
    exchange.tell(["6"])
    for requirement in ("DD-SCN-01", "DD-SCN-02"):
        assert exchange.story.conclusions(requirement) == NOTHING


# --- whose doing it was -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("earlier_ms", "expected"), [(0, VIOLATED), (1, UNDETERMINED)])
def test_a_reset_by_the_return_of_the_call_explains_that_it_failed(earlier_ms: int, expected: set[Conclusion]) -> None:
    exchange = Exchange(PEER)
    exchange.tell(["1", "2", "3"], {"3": "WSAECONNRESET"})
    exchange.story.wait(-earlier_ms)
    exchange.story.pdu(PEER, "ABORT", reason=0, acked=False)
    story = exchange.tell(["5"], {"5": "WSAECONNRESET"})
    assert story.conclusions("DD-SCN-01") == expected


def test_a_total_that_a_library_had_put_on_the_link_before_was_not_given() -> None:
    exchange = Exchange(IUT)
    exchange.story.pdu(IUT, "RELEASE", TOTAL)
    exchange.client.send_disconnect(TOTAL)
    assert exchange.tell(["2", "3", "5", "6", "7", "8", "5'"]).conclusions("DD-SCN-01") == UNDETERMINED


def test_what_the_link_shows_of_a_total_is_not_mended_by_what_the_peer_says() -> None:
    story = Exchange(IUT).tell(ORDERS["after 8"], {"1": b"cut"})
    assert story.conclusions("DD-SCN-01") == VIOLATED


# --- DD-SCN-04 --------------------------------------------------------------------------------------------------------


def half_closed(claimed: Statement, *, wire: bool, by: str = "shutdown") -> Story:
    """The IUT ends, and then the peer."""
    story = Story(claimed, wire=wire)
    for teller in (story.iut, story.peer):
        if by == "shutdown":
            teller.shutdown("send")
        else:
            teller.send_disconnect(b"data")
        if wire and claimed.transport == "tcp":
            story.fin(teller.end)
        elif wire:
            story.pdu(teller.end, "RELEASE", b"" if by == "shutdown" else b"data")
    return story


@pytest.mark.parametrize(
    ("claimed", "wire", "error", "expected"),
    [
        (KERNEL_TCP, True, "", SATISFIED),
        (KERNEL_TCP, True, "ECONNRESET", VIOLATED),
        (KERNEL_TCP, False, "", SATISFIED),
        (UNIX_STREAM, False, "", SATISFIED),
        (UNIX_SEQPACKET, False, "", SATISFIED),
        (REFERENCE, True, "WSAEDISCON", SATISFIED),
        (REFERENCE, True, "WSAECONNRESET", VIOLATED),
        (REFERENCE, False, "WSAEDISCON", SATISFIED),
        (REFERENCE_STREAM, True, "", SATISFIED),
    ],
)
def test_the_end_that_began_is_told(claimed: Statement, wire: bool, error: str, expected: set[Conclusion]) -> None:
    story = half_closed(claimed, wire=wire)
    story.iut.recv(error=error)
    assert story.conclusions("DD-SCN-04") == expected


@pytest.mark.parametrize("claimed", [KERNEL_TCP, REFERENCE])
def test_the_end_that_began_is_never_told(claimed: Statement) -> None:
    story = half_closed(claimed, wire=True)
    story.iut.recv(timeout=True, takes=1500, wait_ms=1500)
    assert story.conclusions("DD-SCN-04") == VIOLATED


def test_who_ended_second_is_not_asked() -> None:
    story = Story(KERNEL_TCP)
    story.peer.shutdown("send")
    story.fin(PEER)
    story.iut.shutdown("send")
    story.fin(IUT)
    story.iut.recv(0)
    assert story.conclusions("DD-SCN-04") == NOTHING


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([("FD_CLOSE", "")], SATISFIED),
        ([("FD_CLOSE", "WSAECONNRESET")], VIOLATED),
        ([("FD_CLOSE", ""), ("FD_CLOSE", "")], VIOLATED),
    ],
)
@pytest.mark.parametrize("by", ["shutdown", "send_disconnect"])
def test_fd_close_tells_it_once_without_error(by: str, told: list[tuple[str, str]], expected: set[Conclusion]) -> None:
    story = Story(REFERENCE)
    story.iut.event_select("FD_CLOSE")
    for teller in (story.iut, story.peer):
        if by == "shutdown":
            teller.shutdown("send")
        else:
            teller.send_disconnect(b"data")
        story.pdu(teller.end, "RELEASE", b"" if by == "shutdown" else b"data")
    story.iut.enum_events(*told)
    assert story.conclusions("DD-SCN-04") == expected
    story.iut.recv(error="WSAEDISCON")
    assert story.conclusions("DD-SCN-04") == expected


@pytest.mark.parametrize(("earlier_ms", "expected"), [(1, SATISFIED), (2, NOTHING)])
def test_ending_second_is_ending_once_the_first_had(earlier_ms: int, expected: set[Conclusion]) -> None:
    story = Story(UNIX_STREAM)
    story.iut.shutdown("send")
    story.wait(-earlier_ms)
    story.peer.shutdown("send")
    story.iut.recv()
    assert story.conclusions("DD-SCN-04") == expected


@pytest.mark.parametrize(("earlier_ms", "expected"), [(1, SATISFIED), (2, NOTHING)])
def test_an_fd_close_at_the_instant_of_the_end_is_of_it(earlier_ms: int, expected: set[Conclusion]) -> None:
    story = Story(REFERENCE)
    story.iut.event_select("FD_CLOSE", mechanism="message")
    story.iut.shutdown("send")
    story.pdu(IUT, "RELEASE")
    story.peer.shutdown("send")
    story.pdu(PEER, "RELEASE", acked=False)
    story.wait(-earlier_ms)
    story.iut.indicates("FD_CLOSE")
    assert story.conclusions("DD-SCN-04") == expected


@pytest.mark.parametrize("told", [True, False])
def test_a_peer_that_ends_by_an_abort_is_not_asked(told: bool) -> None:
    story = Story(REFERENCE)
    story.iut.shutdown("send")
    story.pdu(IUT, "RELEASE")
    story.peer.shutdown("send")
    story.pdu(PEER, "ABORT", reason=0)
    if told:
        story.iut.recv(error="WSAECONNRESET")
    else:
        story.iut.recv(timeout=True, takes=1500, wait_ms=1500)
    assert story.conclusions("DD-SCN-04") == NOTHING


@pytest.mark.parametrize(("earlier_ms", "expected"), [(1, SATISFIED), (2, NOTHING)])
def test_the_first_word_of_an_end_that_has_come_counts(earlier_ms: int, expected: set[Conclusion]) -> None:
    story = Story(REFERENCE)
    story.iut.shutdown("send")
    story.pdu(IUT, "RELEASE")
    waiting = story.iut.begin("recv", length=65536)
    story.peer.shutdown("send")
    story.pdu(PEER, "RELEASE", acked=False)
    story.wait(-earlier_ms)
    story.iut.finish(waiting, error="WSAEDISCON")
    assert story.conclusions("DD-SCN-04") == expected


@pytest.mark.parametrize(("when", "expected"), [("before", VIOLATED), ("as", SATISFIED), ("after", SATISFIED)])
def test_a_receive_that_waits_in_vain_before_another_tells(when: str, expected: set[Conclusion]) -> None:
    """Of two that return at one instant nobody knows which was first; what comes after the end was told is no want."""
    story = Story(REFERENCE)
    for teller in (story.iut, story.peer):
        teller.shutdown("send")
        story.pdu(teller.end, "RELEASE")
    story.iut.post("r1")
    if when == "after":
        story.iut.completes("r1", error="WSAEDISCON")
    story.iut.recv(timeout=True, takes=1500, wait_ms=1500)
    if when != "after":
        story.wait(-1 if when == "as" else 0)
        story.iut.completes("r1", error="WSAEDISCON")
    assert story.conclusions("DD-SCN-04") == expected


@pytest.mark.parametrize(
    ("asked", "too_early", "expected"),
    [(-5, False, VIOLATED), (-5, True, VIOLATED), (0, False, VIOLATED), (1, False, NOTHING)],
)
def test_what_was_asked_for_as_the_end_came(asked: int, too_early: bool, expected: set[Conclusion]) -> None:
    """FD_CLOSE is asked for so many milliseconds after the end; one that was told before that is not of the end."""
    story = Story(REFERENCE)
    story.iut.shutdown("send")
    story.pdu(IUT, "RELEASE")
    story.wait(10)
    story.peer.shutdown("send")
    story.pdu(PEER, "RELEASE", acked=False)
    came = story.now
    story.wait(asked - 1)
    story.iut.event_select("FD_CLOSE", takes=0)
    if too_early:
        story.iut.enum_events(("FD_CLOSE", ""))
    story.now = came + 10 * MS
    story.segment(IUT, "A")
    assert story.conclusions("DD-SCN-04") == NOTHING
    story.wait(2000)
    story.iut.enum_events()
    assert story.conclusions("DD-SCN-04") == expected


def test_fd_close_never_comes() -> None:
    story = Story(REFERENCE)
    story.iut.event_select("FD_CLOSE")
    for teller in (story.iut, story.peer):
        teller.shutdown("send")
        story.pdu(teller.end, "RELEASE")
    story.iut.recv(error="WSAEDISCON")
    story.wait(1500)
    story.iut.enum_events()
    assert story.conclusions("DD-SCN-04") == VIOLATED


# --- DD-SCN-05, where the request ends by SendDisconnect --------------------------------------------------------------


@ROLES
@pytest.mark.parametrize("data", [None, b"some"])
def test_the_half_close_exchange_by_send_disconnect(client: object, data: bytes | None) -> None:
    story = Story(REFERENCE, wire=False)
    first, second = (story.iut, story.peer) if client is IUT else (story.peer, story.iut)
    first.send_disconnect(data)
    second.recv(error="WSAEDISCON")
    second.send(5)
    second.send_disconnect(None)
    first.recv(5)
    first.recv(error="WSAEDISCON")
    second.close()
    first.close()
    assert story.conclusions("DD-SCN-05") == (SATISFIED if data is None else NOTHING)


# --- what does not apply ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("requirement", ["DD-SCN-01", "DD-SCN-02", "DD-SCN-03"])
def test_a_one_phase_release_is_not_asked_for_the_exchange(requirement: str) -> None:
    one_phase = msgspec.structs.replace(REFERENCE, features=())
    story = Exchange(IUT, claimed=one_phase).tell(ORDERS["before 6"])
    assert story.conclusions(requirement) == NOTHING
