# SPDX-License-Identifier: MIT
"""The exchange of eight steps in every order and with every step gone wrong; and step 6 without disconnect data."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from conformance.catalogue.statement import Statement
from conformance.oracle.findings import Conclusion
from tests.oracle.story import (
    IUT,
    KERNEL_TCP,
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
    assert story.conclusions("DD-SCN-06") == SATISFIED
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
