# SPDX-License-Identifier: MIT
"""Group C without disconnect data: the exchange of totals as a plain half-close exchange."""

import pytest

from conformance.execution.casework import IUT, PEER, Connection, End, exercises


@exercises("DD-SCN-05")
@pytest.mark.parametrize("client", [IUT, PEER], ids=["iut-begins", "peer-begins"])
def test_half_close_exchange(connection: Connection, client: End) -> None:
    """One end says that it is done; the other reads to the end, answers, ends too, and both close."""
    first, second = connection.at(client), connection.at(client.other)
    first.send(100)
    first.shutdown("send")
    second.read_to_the_end()
    second.send(1460)
    second.shutdown("send")
    first.read_to_the_end()
    second.close()
    first.close()
