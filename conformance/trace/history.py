# SPDX-License-Identifier: MIT
"""The history of a case: facts derived once from a raw trace, so that judges can be short.

For each end: what it called and what it was told. For each direction of the connection: what was offered, what was
carried, and how it ended. All the difficult reading of traces lives here and in the modules beside it (`operations`:
calls paired with their returns; `direction`: segments and endings; `framed`: units on TCP; `wireless`: calls alone).
Nothing here judges.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from conformance.catalogue.statement import Statement
from conformance.trace.direction import (
    FRAMED_TRANSPORTS,
    Direction,
    Ending,
    EndKind,
    direction_of,
)
from conformance.trace.events import End, Established, Event, Noted, Pdu, Segment
from conformance.trace.far import lost_beyond, unseen_from_afar
from conformance.trace.framed import framed_directions
from conformance.trace.operations import Operation, Side, operations_of
from conformance.trace.quic import ends_of_quic
from conformance.trace.trace import Header, Trace
from conformance.trace.wireless import ends_of_wireless

__all__ = ["Connection", "Direction", "EndKind", "Ending", "History", "Operation", "Side"]


@dataclass(frozen=True)
class Connection:
    """One connection: its two ends and its two directions."""

    header: Header
    established: Established
    iut: Side
    peer: Side
    iut_to_peer: Direction
    peer_to_iut: Direction
    waits: tuple[int, ...] = ()
    """When the harness noted that it had waited for nothing more to come, or for something in vain (nanoseconds)."""
    uncertain: str = ""
    """Why it is not known when the peer's segments reached the IUT, though they were seen. Endings take care of that by
    themselves: the first sight of a FIN is the earliest time, its acknowledgement the latest."""

    @property
    def statement(self) -> Statement:
        """What the vendor claims of the implementation."""
        return self.header.statement

    @property
    def unseen(self) -> bool:
        """The link was watched, and what the IUT put on it cannot be told all the same."""
        return self.header.wire and not self.iut_to_peer.witnessed

    def side(self, end: End) -> Side:
        """The side of that end."""
        return self.iut if end is End.IUT else self.peer

    def from_(self, end: End) -> Direction:
        """The direction in which that end sends."""
        return self.iut_to_peer if end is End.IUT else self.peer_to_iut


@dataclass(frozen=True)
class History:
    """Everything derived from one trace."""

    trace: Trace

    @property
    def header(self) -> Header:
        """What this is the history of."""
        return self.trace.header

    @property
    def statement(self) -> Statement:
        """What the vendor claims of the implementation."""
        return self.header.statement

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """Every operation of both ends, in the order of entry."""
        return operations_of(self.trace)

    def of(self, end: End) -> tuple[Operation, ...]:
        """Every operation of one end, in the order of entry, on whatever socket."""
        return tuple(operation for operation in self.operations if operation.end is end)

    @cached_property
    def connections(self) -> tuple[Connection, ...]:
        """The connections that the case established, in order."""
        return tuple(self._connection(event) for event in self.trace.events if isinstance(event, Established))

    def notes(self, what: str) -> Iterator[Noted]:
        """The harness's notes of that kind."""
        return (event for event in self.trace.events if isinstance(event, Noted) and event.what == what)

    def _connection(self, established: Established) -> Connection:
        iut = Side.of(self.trace, self.operations, End.IUT, established.iut)
        peer = Side.of(self.trace, self.operations, End.PEER, established.peer)
        segments = _segments_of(self.trace.events, established)
        uncertain = ""
        if self.header.wire:
            lost = self.header.wire_missing or (
                f"the capture lost {self.header.lost} packets" if self.header.lost else ""
            )
            # Relayed by the harness, or by a link at whose near end it looks: a segment has yet to reach the IUT then.
            far = self.header.topology == "remote"
            relayed = far or self.header.topology == "wire"
            if far:
                uncertain = lost_beyond(segments, End.PEER)
                lost = lost or lost_beyond(segments, End.IUT)
            if self.statement.transport in FRAMED_TRANSPORTS:
                lost = lost or uncertain
                units = _units_of(self.trace.events, segments)
                iut_to_peer, peer_to_iut = framed_directions(
                    iut, peer, segments, units, self.statement,
                    lost=lost, relayed=relayed, far=far, raw_peer=self.header.raw_peer,
                )  # fmt: skip
            else:
                iut_to_peer = direction_of(iut, peer, segments, lost=lost, relayed=relayed)
                peer_to_iut = direction_of(peer, iut, segments, lost=lost, relayed=relayed, far=far)
        elif self.header.raw_peer:
            unseen = "no link is visible, and the peer wrote units itself"
            iut_to_peer, peer_to_iut = framed_directions(
                iut, peer, (), (), self.statement, lost=unseen, relayed=False, raw_peer=True
            )
        elif self.statement.transport == "quic":
            iut_to_peer, peer_to_iut = ends_of_quic(iut, peer)
        else:
            iut_to_peer, peer_to_iut = ends_of_wireless(iut, peer, self.statement)
        if self.header.topology == "remote" and not self.header.wire:
            peer_to_iut = unseen_from_afar(peer_to_iut, self.header.latency_ns)
        waits = tuple(note.at for what in ("settled", "waited in vain") for note in self.notes(what))
        return Connection(self.header, established, iut, peer, iut_to_peer, peer_to_iut, waits, uncertain)


def _segments_of(events: Iterable[Event], established: Established) -> tuple[Segment, ...]:
    """The segments between the connection's ports, from its own SYN on; ports may be used again within a case."""
    segments = [event for event in events if isinstance(event, Segment) and _belongs(event, established)]
    openings = [s for s in segments if s.sender is established.client and "S" in s.flags]
    own = next((s for s in reversed(openings) if s.at <= established.at), None)
    if own is None:
        return tuple(segments)
    first = next(s.at for s in openings if s.seq == own.seq)
    last = next((s.at for s in openings if s.at > established.at and s.seq != own.seq), None)
    return tuple(s for s in segments if first <= s.at and (last is None or s.at < last))


def _units_of(events: Iterable[Event], segments: Sequence[Segment]) -> tuple[Pdu, ...]:
    """The units that were told with one of those segments, of one connection."""
    carriers = {(segment.at, segment.frame) for segment in segments}
    return tuple(event for event in events if isinstance(event, Pdu) and (event.at, event.frame) in carriers)


def _belongs(segment: Segment, established: Established) -> bool:
    ports = (established.client_address.get("port"), established.listener_address.get("port"))
    if segment.sender is not established.client:
        ports = ports[::-1]
    return (segment.source_port, segment.destination_port) == ports
