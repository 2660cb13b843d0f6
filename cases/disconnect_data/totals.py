# SPDX-License-Identifier: MIT
"""Group C: the exchange of transaction totals in eight steps, in every order that its source leaves open.

[Winsock SPI, Connection Shutdown, Exchanging User Data at Shutdown Time]
"""

from dataclasses import dataclass

import pytest

from conformance.execution.casework import IUT, PEER, Connection, End, both_roles, exercises, on, thorough, waits, where
from conformance.execution.scenario import Notice, Order, Part, Scenario, Told, linear_extensions, play, shown

pytestmark = where("DISCONNECT_DATA", "op:send_disconnect", "op:recv_disconnect", "feature:two-phase-release")

TOTAL, OTHERS = 1_234_567, 9_000_000_000_000
"""Transactions of this client, and of all the clients before it."""


def send_total(part: Part) -> None:
    """Step 1."""
    part.endpoint.send_disconnect(_encoded(TOTAL))


def fetch_total(part: Part) -> None:
    """Steps 3 and 7."""
    part.kept["fetched"] = part.endpoint.fetch_disconnect_data()


def accumulate(part: Part) -> None:
    """Step 4: the grand total, of whatever step 3 has brought."""
    part.kept["grand total"] = OTHERS + int.from_bytes(part.kept.get("fetched", b""))


def send_grand_total(part: Part) -> None:
    """Step 5."""
    part.endpoint.send_disconnect(_encoded(part.kept["grand total"]))


def close(part: Part) -> None:
    """Steps 5' and 8."""
    part.endpoint.close()


def send_nothing(part: Part) -> None:
    """Steps 1 and 5 with a null pointer."""
    part.endpoint.send_disconnect(None)


def _encoded(total: int) -> bytes:
    """A number of transactions in 8 octets."""
    return (total % (1 << 64)).to_bytes(8)


@dataclass(frozen=True)
class ToldOnceItArrives(Told):
    """Let go of what is held back on the link, then wait to be told."""

    def __call__(self, part: Part) -> bool:
        """Release, and wait."""
        part.link.release()
        return super().__call__(part)


def send_grand_total_over_a_slow_link(part: Part) -> None:
    """Step 5, while nothing that carries data gets through."""
    part.link.hold(part.endpoint.end, data=True)
    send_grand_total(part)


TOTALS = Scenario(
    client={1: send_total, 6: Told(Notice.RECEIVE), 7: fetch_total, 8: close},
    server={2: Told(Notice.RECEIVE), 3: fetch_total, 4: accumulate, 5: send_grand_total, "5'": close},
    order=[(1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, 7), (7, 8), (5, "5'")],
)
ORDERS = list(linear_extensions(TOTALS))
CLOSED_AT_ONCE: Order = (1, 2, 3, 4, 5, "5'", 6, 7, 8)
CLOSED_LAST: Order = (1, 2, 3, 4, 5, 6, 7, 8, "5'")

ROLES = [
    pytest.param(IUT, marks=exercises("DD-SCN-04"), id="iut-is-client"),
    pytest.param(PEER, id="iut-is-server"),
]
NOTICES = [
    pytest.param(Notice.EVENT, marks=where("surface:event")),
    pytest.param(Notice.MESSAGE, marks=where("surface:message")),
    pytest.param(Notice.RECEIVE),
    pytest.param(Notice.COMPLETION, marks=where("op:post_recv")),
]
USUAL_NOTICE = [
    pytest.param(Notice.EVENT, marks=where("surface:event")),
    pytest.param(Notice.RECEIVE, marks=where("not surface:event")),
]


@both_roles
@exercises("DD-SCN-01", "DD-SCN-02", "DD-SEND-01", "DD-RECV-01")
@pytest.mark.parametrize("notice", USUAL_NOTICE, ids=str)
@pytest.mark.parametrize("client", ROLES)
@pytest.mark.parametrize("order", ORDERS, ids=shown)
def test_totals_in_every_order(connection: Connection, order: Order, client: End, notice: Notice) -> None:
    """The eight steps, in each order that their source leaves open."""
    play(connection, TOTALS.with_steps({2: Told(notice), 6: Told(notice)}), order, client=client)


@exercises("DD-SCN-01", "DD-SCN-02", "DD-RECV-01")
@pytest.mark.parametrize("step_6", NOTICES, ids="6-by-{}".format)
@pytest.mark.parametrize("step_2", NOTICES, ids="2-by-{}".format)
def test_totals_by_every_notice(connection: Connection, step_2: Notice, step_6: Notice) -> None:
    """Steps 2 and 6 are told by each kind of notice, in each pair; the server closes last.

    What is told unasked is told when it comes: it cannot be kept waiting for another step as a call can. The
    implementation is the client in every other pair, so that in each role it is told by each kind.
    """
    kinds = list(Notice)
    client = (IUT, PEER)[(kinds.index(step_2) + kinds.index(step_6)) % 2]
    play(connection, TOTALS.with_steps({2: Told(step_2), 6: Told(step_6)}), CLOSED_LAST, client=client)


@thorough
@both_roles
@exercises("DD-SCN-01", "DD-SCN-02", "DD-SEND-01", "DD-RECV-01")
@pytest.mark.parametrize("step_6", NOTICES, ids="6-by-{}".format)
@pytest.mark.parametrize("step_2", NOTICES, ids="2-by-{}".format)
@pytest.mark.parametrize("client", ROLES)
@pytest.mark.parametrize("order", ORDERS, ids=shown)
def test_totals_in_every_order_by_every_notice(
    connection: Connection, order: Order, client: End, step_2: Notice, step_6: Notice
) -> None:
    """Every order with every pair of notices."""
    play(connection, TOTALS.with_steps({2: Told(step_2), 6: Told(step_6)}), order, client=client)


@exercises("DD-SCN-06")
@pytest.mark.parametrize("left_out", [(3,), (7,), (3, 7)], ids="without-{}".format)
@pytest.mark.parametrize("client", ROLES)
def test_totals_that_nobody_fetches(connection: Connection, client: End, left_out: Order) -> None:
    """One end, or neither, fetches the other's total."""
    order = tuple(label for label in CLOSED_AT_ONCE if label not in left_out)
    play(connection, TOTALS.without(*left_out), order, client=client)


@exercises("DD-SEND-03")
@pytest.mark.parametrize("order", [CLOSED_LAST, CLOSED_AT_ONCE], ids=shown)
@pytest.mark.parametrize("client", ROLES)
def test_steps_without_data(connection: Connection, client: End, order: Order) -> None:
    """The eight steps with null pointers for the totals; both ends ask for data all the same."""
    play(connection, TOTALS.with_steps({1: send_nothing, 5: send_nothing}), order, client=client)


@on("wire")
@waits(0.2)
@exercises("DD-SCN-01", "DD-SCN-03")
@pytest.mark.parametrize("notice", USUAL_NOTICE, ids=str)
@pytest.mark.parametrize("client", ROLES)
def test_totals_over_a_slow_link(connection: Connection, client: End, notice: Notice) -> None:
    """The server answers and closes back to back, while its answer is still held up on the link."""
    slow = TOTALS.with_steps({2: Told(notice), 5: send_grand_total_over_a_slow_link, 6: ToldOnceItArrives(notice)})
    play(connection, slow, CLOSED_AT_ONCE, client=client)
