# SPDX-License-Identifier: MIT
"""What a captured link shows of a transport with units of its own on TCP: values; `framed` derives them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from conformance.trace.events import Pdu

DATA_UNITS = frozenset({"DATA", "TEXT", "BINARY", "CONTINUATION"})
"""The names of the units that carry user data, of whatever transport."""


@dataclass(frozen=True)
class Farewell:
    """A unit or a TCP end by which the sender put its end on the link of a framed direction, at `at` (nanoseconds).

    `graceful`: it releases the direction; the others abort, or break the transport's rules, which is told as an abort.
    """

    at: int
    graceful: bool
    name: str
    """The unit's own name, or FIN or RST for an end of TCP that comes too early."""
    events: tuple[int, ...]


@dataclass(frozen=True)
class Framing:
    """What TCP carried of a transport with units of its own: `units` in order, and when each reached the receiver.

    `arrivals` are pairs of a time (nanoseconds) and the offset in TCP before which everything had arrived by then.
    `farewells` are in the order in which they were put on the link. `raw`: the sender's calls handed over TCP's octets,
    not user data. `meddled`: the harness dropped, held or repeated something.
    """

    units: tuple[Pdu, ...] = ()
    arrivals: tuple[tuple[int, int], ...] = ()
    farewells: tuple[Farewell, ...] = ()
    raw: bool = False
    meddled: bool = False

    @cached_property
    def data(self) -> tuple[Pdu, ...]:
        """The units that carry user data, up to the first that ends the direction."""
        ended = (p for p, unit in enumerate(self.units) if unit.problem or unit.name in ("RELEASE", "CLOSE", "ABORT"))
        return tuple(unit for unit in self.units[: next(ended, None)] if unit.name in DATA_UNITS)

    @cached_property
    def counted(self) -> bool:
        """The lengths of the units are those of the user data; not if some of them are compressed."""
        return not any(unit.fields.get("compressed") for unit in self.data)

    def arrived(self, time: int) -> int:
        """How many octets of TCP had come through without a gap by that time."""
        return max((upto for at, upto in self.arrivals if at <= time), default=0)

    @property
    def total(self) -> int:
        """How many bytes of user data there are."""
        return sum(unit.length for unit in self.data)

    def carried_by(self, time: int) -> int:
        """How many bytes of user data had come through by that time."""
        return self.user_data_before(self.arrived(time))

    def user_data_before(self, upto: int) -> int:
        """How many bytes of user data there are before that offset in TCP; a unit's data are its last octets."""
        whole = bisect_right(self._uptos, upto)
        if whole == len(self.data):
            return self._totals[whole]
        return self._totals[whole] + max(0, self.data[whole].length - (self._uptos[whole] - upto))

    @cached_property
    def _uptos(self) -> tuple[int, ...]:
        return tuple(unit.upto for unit in self.data)

    @cached_property
    def _totals(self) -> tuple[int, ...]:
        return tuple(accumulate((unit.length for unit in self.data), initial=0))

    def sent_by(self, time: int) -> int:
        """How many bytes of user data the units had that were on the link whole by that time."""
        return sum(unit.length for unit in self.data if unit.at <= time)

    @cached_property
    def messages(self) -> tuple[bytes, ...]:
        """The messages that the units make; the last may be one that is not whole."""
        return tuple(_messages(self.data))


def _messages(units: Iterable[Pdu]) -> Iterator[bytes]:
    message: bytes | None = None
    for unit in units:
        message = (message or b"") + unit.data
        if unit.whole:
            yield message
            message = None
    if message is not None:
        yield message
