# SPDX-License-Identifier: MIT
"""Group C, the exchange of eight steps: recognised in any trace, whichever end is the client, and judged at the IUT.

1 the client's SendDisconnect with its total; 2 the server's notice; 3 its RecvDisconnect; 5 its SendDisconnect with the
grand total; 5' its close; 6 the client's notice; 7 its RecvDisconnect; 8 its close. Step 4 is the server's own work.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

from conformance.oracle.departing import Observed, brought_about, failed
from conformance.oracle.disconnect_data import within_limit
from conformance.oracle.findings import Expectation, Finding, Told
from conformance.oracle.goodbyes import (
    Fetch,
    Goodbye,
    Notice,
    compared,
    data_of,
    final_reports,
    first_fetch,
    goodbye,
    notices,
)
from conformance.oracle.indicating import another_matter
from conformance.oracle.judging import judges
from conformance.oracle.notifications import not_told
from conformance.oracle.reading import in_vain
from conformance.oracle.registrations import another_cause, for_close, receiving_until
from conformance.oracle.registrations import told as registered_told
from conformance.trace.direction import Direction
from conformance.trace.events import End, Outcome
from conformance.trace.history import Connection
from conformance.trace.operations import Operation, Side


@dataclass(frozen=True)
class Exchange:
    """The steps that a trace holds; None for one that was not taken."""

    connection: Connection
    client: End
    total: Operation
    """1"""
    told_server: Notice | None
    """2"""
    fetched_total: Operation | None
    """3"""
    grand_total: Operation | None
    """5"""
    told_client: Notice | None
    """6"""
    fetched_grand_total: Operation | None
    """7"""
    client_closed: Operation | None
    """8"""
    server_closed: Operation | None
    """5'"""

    @property
    def role(self) -> str:
        """Which of the two the IUT is."""
        return "client" if self.client is End.IUT else "server"

    @property
    def calls(self) -> tuple[Operation, ...]:
        """The calls that were made, of both ends."""
        made = (
            self.total,
            self.fetched_total,
            self.grand_total,
            self.server_closed,
            self.fetched_grand_total,
            self.client_closed,
        )
        return tuple(call for call in made if call is not None)

    def calls_of(self, end: End) -> tuple[Operation, ...]:
        """The calls that were made by that end."""
        return tuple(call for call in self.calls if call.end is end)

    @property
    def events(self) -> tuple[int, ...]:
        """The events of all its steps."""
        told = [notice for notice in (self.told_server, self.told_client) if notice is not None]
        return (*(n for call in self.calls for n in call.events), *(n for notice in told for n in notice.events))

    @property
    def is_whole(self) -> bool:
        """Every call of it was made, and both ends had their notice."""
        return len(self.calls) == 6 and self.told_server is not None and self.told_client is not None

    @property
    def leaves_out(self) -> tuple[int, ...]:
        """Which of the steps 3 and 7 were left out. A fetch of the client's that nothing told of an end is no step."""
        left = [3] if self.fetched_total is None else []
        fetches = any(True for _ in self.connection.side(self.client).calls("recv_disconnect"))
        if self.fetched_grand_total is None and (self.told_client is not None or not fetches):
            left.append(7)
        return tuple(left)


def exchange(connection: Connection) -> Exchange | None:
    """The exchange that the connection saw, if one end gave its total before the other had ended."""
    for client in End:
        found = _exchange(connection, client)
        if found is not None:
            return found
    return None


def _exchange(connection: Connection, client: End) -> Exchange | None:
    asker, server = connection.side(client), connection.side(client.other)
    total = asker.ending
    if total is None or total.op != "send_disconnect" or not data_of(total):
        return None
    grand = next(
        (c for c in server.operations if c.ends_sending and _answered(c) and not _gave_up_a_copy(server, c)), None
    )
    if grand is not None and (grand.entered < total.over or not _is_a_total(grand, connection)):
        return None
    told_server = _told(connection.from_(client), connection)
    if told_server is None or (grand is not None and grand.entered < told_server.at):
        return None
    told_client = _told(connection.from_(client.other), connection)
    return Exchange(
        connection,
        client,
        total,
        told_server,
        _call_after(server, "recv_disconnect", told_server.at, grand),
        grand,
        told_client,
        _call_after(asker, "recv_disconnect", told_client.at if told_client else None, None),
        _close_of(asker),
        _close_of(server),
    )


def _is_a_total(call: Operation, connection: Connection) -> bool:
    data = data_of(call) if call.op == "send_disconnect" else None
    return within_limit(data, connection.statement) if data else False


def _answered(call: Operation) -> bool:
    return call.outcome in (Outcome.RESULT, Outcome.ERROR, Outcome.TIMEOUT)


def _gave_up_a_copy(side: Side, call: Operation) -> bool:
    return call.op == "close" and len(side.sockets) > 1 and call is not side.closed


def _told(direction: Direction, connection: Connection) -> Notice | None:
    """The first notice of a graceful end in that direction, once that had come."""
    at = direction.ending.at
    told = (n for n in notices(direction, connection.statement) if n.is_graceful)
    return next((n for n in told if at is not None and n.at >= at), None)


def _call_after(side: Side, op: str, since: int | None, until: Operation | None) -> Operation | None:
    """The first such call that was made from then on, and before that other one."""
    if since is None:
        return None
    calls = takewhile(lambda call: call is not until, side.operations)
    return next((c for c in calls if c.op == op and _answered(c) and c.entered >= since), None)


def _close_of(side: Side) -> Operation | None:
    return next((c for c in side.calls("close") if _answered(c) and not _gave_up_a_copy(side, c)), None)


# --- judges -----------------------------------------------------------------------------------------------------------


@judges("DD-SCN-01")
def the_totals_are_exchanged(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """In the exchange of eight steps both totals arrive as they were sent, and every call succeeds.

    [Winsock SPI, Connection Shutdown, Exchanging User Data at Shutdown Time, scenario]
    """
    found = exchange(connection)
    if found is None or found.grand_total is None:
        return
    if not found.leaves_out or failed(found.grand_total):
        yield from _both_totals(found, accepted, f"the IUT as {found.role}")
    elif found.told_client is None:
        yield from _client_never_told(found, accepted, f"the IUT as {found.role}")


def _client_never_told(found: Exchange, accepted: Expectation, heading: str) -> Iterator[Finding]:
    """The server gave its grand total, and the client looked in vain for a notice: for want of the IUT, either way."""
    connection, header = found.connection, found.connection.header
    if found.fetched_total is None or not found.fetched_total.succeeded or found.grand_total is None:
        return
    if found.client is End.IUT:
        ending = connection.peer_to_iut.ending
        vain = in_vain(connection.iut, ending, prompt_ns=header.prompt_ns, settle_ns=header.settle_ns)
        if ending.is_graceful and vain is not None:
            yield accepted.violated(f"{heading}: the server had ended, and {vain.seen}", found, vain)
    elif found.grand_total.succeeded:
        came = brought_about(connection, found.grand_total)
        if came is not None and came.told != "GRACEFUL":
            yield accepted.violated(f"{heading}: {came.seen}", found, came)


@judges("DD-SCN-02")
def the_result_is_the_same_in_every_order(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Wherever the server's close falls after step 5, the result is the same. [Winsock SPI, scenario, note]"""
    found = exchange(connection)
    if found is None:
        return
    if found.is_whole and (place := place_of_the_close(found)) is not None:
        yield from _both_totals(found, accepted, f"5' {place}, the IUT as {found.role}")
    elif found.told_client is None and found.server_closed is None:
        yield from _client_never_told(found, accepted, f"5' not before 6, the IUT as {found.role}")


def place_of_the_close(found: Exchange) -> str | None:
    """Where 5' fell: by its entry and the returns of the client's steps before it, for two ends share only a clock."""
    closed, told = found.server_closed, found.told_client
    fetched, left = found.fetched_grand_total, found.client_closed
    if closed is None or told is None or fetched is None or left is None:
        return None
    steps = (("after 8", left.returned), ("between 7 and 8", fetched.returned), ("between 6 and 7", told.at))
    return next((place for place, at in steps if at is not None and closed.entered >= at), "before 6")


@judges("DD-SCN-03")
def the_server_may_close_at_once(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """The server closes directly after step 5, with default linger; the client gets its notice and the grand total.

    [Winsock SPI, scenario, note; WSPCloseSocket]
    """
    found = exchange(connection)
    if found is None or found.leaves_out or found.grand_total is None or found.server_closed is None:
        return
    server = connection.side(found.client.other)
    later = server.operations[server.operations.index(found.grand_total) + 1 :]
    following = next((o for o in later if o.entered >= found.grand_total.over), None)
    linger_was_set = next(server.calls("set_linger"), None) is not None
    acted = _acted(connection.side(found.client), found.grand_total.last_at, found.server_closed.entered)
    if following is found.server_closed and not linger_was_set and not acted:
        yield from _both_totals(found, accepted, f"5' directly after 5, the IUT as {found.role}")


def _acted(client: Side, since: int, until: int) -> bool:
    """The client made a call, or one returned there, between 5 and 5': then they were not back to back."""
    times = (at for call in client.operations for at in (call.entered, call.returned) if at is not None)
    return any(since <= at <= until for at in times)


def _both_totals(found: Exchange, accepted: Expectation, heading: str) -> Iterator[Finding]:
    """What an exchange came to: the calls of the IUT first, then both totals, then what was the peer's doing."""
    broken = next((call for call in found.calls_of(End.IUT) if failed(call)), None)
    if broken is not None:
        yield _failure(found, accepted, heading, broken)
        return
    if not found.is_whole:
        return
    totals = [_arrival(found, found.client, "total"), _arrival(found, found.client.other, "grand total")]
    words = "; ".join(arrival.words for arrival in totals)
    theirs = next((call for call in found.calls_of(End.PEER) if failed(call)), None)
    if any(arrival.outcome == "lost" for arrival in totals):
        yield accepted.violated(f"{heading}: {words}", found)
    elif theirs is not None:
        yield accepted.undetermined(f"{heading}: at the peer {theirs.seen}; {words}", found)
    elif any(arrival.outcome == "not shown" for arrival in totals):
        yield accepted.undetermined(f"{heading}: {words}", found)
    else:
        yield accepted.satisfied(f"{heading}: {words}; every call succeeded", found)


def _failure(found: Exchange, accepted: Expectation, heading: str, broken: Operation) -> Finding:
    """A call of the IUT's failed: its own doing, unless the peer had reset the connection before."""
    reset_at = found.connection.peer_to_iut.ending.reset_at
    words = f"{heading}: {broken.seen}"
    if reset_at is not None and reset_at <= broken.last_at:
        return accepted.undetermined(f"{words}; but the peer had reset the connection", found, broken)
    return accepted.violated(words, found, broken)


@dataclass(frozen=True)
class _Arrival:
    """What became of one total: "arrived", "lost" by the IUT, or "not shown"."""

    outcome: str
    words: str


def _arrival(found: Exchange, giver: End, name: str) -> _Arrival:
    connection = found.connection
    parting = goodbye(connection.from_(giver))
    fetch = first_fetch(parting, connection.statement) if parting is not None else None
    if parting is None or not parting.given:
        return _Arrival("not shown", f"no {name} was given")
    wanted = parting.wanted if giver is End.PEER else parting.given
    if giver is End.IUT and parting.sent_as_given is False and parting.carried is not None:
        return _Arrival("lost", f"of the {name}, the link shows {compared(parting.carried.data, parting.given)}")
    if fetch is None:
        return _Arrival("not shown", f"the {name} was not fetched as it should be")
    return _fetched(parting, fetch, wanted, giver, name)


def _fetched(parting: Goodbye, fetch: Fetch, wanted: bytes, giver: End, name: str) -> _Arrival:
    words = f"of the {name}, told by {fetch.after}, {compared(fetch.data, wanted)}"
    if fetch.data == wanted:
        faithful = giver is End.IUT or parting.sent_as_given is not False
        return _Arrival("arrived" if faithful else "not shown", words)
    by_the_peer = giver is End.IUT and parting.sent_as_given
    return _Arrival("not shown" if by_the_peer else "lost", words)


@judges("DD-SCN-04")
def the_end_that_began_is_told_of_the_other(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Step 6: the IUT, which ended first, is told of the peer's end: by one FD_CLOSE without error, and by a receive.

    [Winsock SPI, Connection Shutdown, Indicating Remote Shutdown; scenario, step 6]
    """
    own, peers, direction = connection.iut.ending, connection.peer.ending, connection.peer_to_iut
    ending = direction.ending
    if own is None or peers is None or own.op == "close" or peers.entered < own.over:
        return
    if not ending.is_graceful or ending.at is None:
        return
    header = connection.header
    vain = in_vain(connection.iut, ending, prompt_ns=header.prompt_ns, settle_ns=header.settle_ns)
    report = next((r for r in final_reports(direction, connection.statement) if r.at >= ending.at), None)
    if vain is not None and (report is None or vain.at < report.at):
        yield accepted.violated(f"the peer ended too, and {vain.seen}", own, peers, ending, vain)
        return
    if report is not None and another_matter(connection, report):
        report = None
    told = Observed(_graceful(report.told), report.seen, report.events) if report is not None else None
    if told is not None and told.told != "GRACEFUL":
        yield accepted.weigh(told, own, peers, ending, after="after both ends had ended")
        return
    shown: list[Told] = []
    for registration in (r for r in for_close(connection) if r.entered <= ending.at):
        of_the_end = [n for n in registered_told(connection, registration) if n.at >= ending.at]
        closes = [n for n in of_the_end if not another_cause(connection, n)]
        first = next(iter(closes), None)
        missing = not_told(connection, registration, first, receiving_until(connection))
        if missing is not None:
            yield accepted.violated("FD_CLOSE had not been told", own, peers, ending, registration.call, *missing)
            return
        wrong = next((n for n in closes if n.error is not None), None)
        if wrong is not None:
            yield accepted.violated(f"the peer ended gracefully too, and {wrong.seen}", own, peers, ending, wrong)
            return
        if len(closes) > 1:
            yield accepted.violated(f"FD_CLOSE was told {len(closes)} times", own, peers, ending, *closes)
            return
        shown += closes
    shown += [] if report is None else [report]
    if shown:
        words = " and ".join(each.seen for each in shown)
        yield accepted.satisfied(f"after both ends had ended, {words}", own, peers, ending, *shown)


def _graceful(told: str) -> str:
    return "GRACEFUL" if told in ("ZERO_BYTES", "EDISCON") else told


@judges("DD-SCN-06")
def fetching_is_the_callers_choice(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """The exchange without step 3 or step 7: every other call succeeds. [Winsock SPI, scenario]"""
    found = exchange(connection)
    if found is None or not found.leaves_out or found.grand_total is None:
        return
    steps = " and ".join(map(str, found.leaves_out))
    heading = f"without step {steps}, the IUT as {found.role}"
    broken = next((call for call in found.calls_of(End.IUT) if failed(call)), None)
    if broken is not None:
        yield _failure(found, accepted, heading, broken)
    elif found.told_client is not None and found.client_closed is not None and found.server_closed is not None:
        theirs = next((call for call in found.calls_of(End.PEER) if failed(call)), None)
        if theirs is not None:
            yield accepted.undetermined(f"{heading}: at the peer {theirs.seen}", found, theirs)
        else:
            yield accepted.satisfied(f"{heading}: every other call succeeded", found)
