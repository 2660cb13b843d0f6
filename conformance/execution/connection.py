# SPDX-License-Identifier: MIT
"""A case's two ends and the link between them: what a case function is given as `connection` or `ends`."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from conformance.agents.protocol import Reply
from conformance.catalogue.statement import Statement
from conformance.execution.calling import CannotExercise, Limits
from conformance.execution.endings import Close
from conformance.execution.endpoint import DISCONNECT_ROOM, Endpoint, would_block
from conformance.execution.lastword import LastWord, octets_of
from conformance.execution.recorder import Recorder
from conformance.trace.events import End, Established, Fate, Segment
from conformance.wire.errors import PortClaimed
from conformance.wire.forging import Forgery, Place
from conformance.wire.pdus import DECODERS
from conformance.wire.rewriting import Rewriter
from conformance.wire.rules import Action, Passing, Rule, Selection
from conformance.wire.tap import Tap
from conformance.wire.topology import Topology

_SETUP_MS = 5000
_ACCEPTING_S = 0.002
_LISTENS = 5
RELEASES = ("RELEASE", "CLOSE")
"""The units by which a direction ends, in transports with units of their own."""
INVISIBLE = ("unix", "quic")
"""Transports of which the link shows nothing: no packets at all, or encrypted ones."""
_paths = itertools.count(1)


@dataclass
class Link:
    """The link, where it can be seen; where it cannot, waiting for it ends at once and says so."""

    tap: Tap | None
    recorder: Recorder
    limits: Limits

    def wait_for(
        self,
        sender: End,
        flags: str = "",
        *,
        data: bool | None = None,
        more: int = 0,
        after: Segment | None = None,
        limit_ms: int | None = None,
    ) -> Segment | None:
        """Wait until that end has put such a segment (and so many `more`) on the link; None if it does not.

        What came before the segment `after` does not count, and what was forged in that end's name never does.
        """
        if self.tap is None:
            return None
        selection = Selection(sender=sender, flags=flags, has_data=data)
        matching = set[int]()

        def wanted(segment: Segment) -> bool:
            own = segment.fate is not Fate.FORGED and segment.frame > (after.frame if after else 0)
            if own and selection.matches(Passing(segment.sender, segment.flags, segment.length > 0)):
                matching.add(segment.frame)
            return len(matching) > more

        found = self.tap.wait_for(wanted, (limit_ms or self.limits.patience_ms) / 1000)
        if found is None:
            self.recorder.note("waited in vain", segment=str(selection))
        return found

    def wait_for_unit(self, sender: End, *names: str) -> None:
        """Wait until that end has put a unit of the transport of one of these names on the link."""
        if self.tap is None:
            return
        tap = self.tap

        def arrived(segment: Segment) -> bool:
            return segment.sender is sender and any(u.sender is sender and u.name in names for u in tap.pdus())

        if tap.wait_for(arrived, self.limits.patience_ms / 1000) is None:
            self.recorder.note("waited in vain", unit=" or ".join(names))

    def apply(self, rule: Rule) -> None:
        """Treat what passes from now on by this rule."""
        assert self.tap is not None
        self.recorder.note("rule", rule=str(rule))
        self.tap.apply(rule)

    def drop(self, sender: End, flags: str = "", *, first: int | None = None, data: bool | None = None) -> None:
        """Drop segments of that end: the first so many, or all from now on."""
        self.apply(Rule(Action.DROP, Selection(sender=sender, flags=flags, has_data=data), count=first))

    def hold(self, sender: End, flags: str = "", *, first: int | None = None, data: bool | None = None) -> None:
        """Hold segments of that end back, the first so many or all from now on, until `release`."""
        self.apply(Rule(Action.HOLD, Selection(sender=sender, flags=flags, has_data=data), count=first))

    def release(self) -> None:
        """Let go of all that is held, and hold no more."""
        assert self.tap is not None
        self.recorder.note("released")
        self.tap.release()

    def repeat(self, segment: Segment) -> Segment:
        """Put a copy of this segment on the link again; the copy."""
        assert self.tap is not None
        self.tap.flush()  # no older answer may still be on its way
        self.recorder.note("repeated", frame=segment.frame)
        return self.tap.repeat(segment)

    def catch_up(self) -> None:
        """Have all seen that the ends have put on the link by now."""
        if self.tap is not None:
            self.tap.flush()

    def forge(self, sender: End, flags: str, place: Place = Place.SENT, offset: int = 0, *, octets: int = 0) -> Segment:
        """Put a segment on the link that this end has not sent, its sequence number so far from that place."""
        assert self.tap is not None
        self.tap.flush()  # where things stand is read from the link, and no older answer may still be on its way
        forgery = Forgery(sender, flags, place, offset, octets)
        self.recorder.note("forged", segment=str(forgery))
        return self.tap.forge(forgery)


@dataclass
class Connection:
    """The two ends. `iut` is the implementation under test, `peer` the tester; `link` is what joins them."""

    iut: Endpoint
    peer: Endpoint
    link: Link
    limits: Limits
    recorder: Recorder
    topology: Topology
    family: str
    """The address family of the case: `inet`, `inet6`, `unix`."""
    statement: Statement
    """What is claimed of the implementation: a case may ask it for limits."""
    rewriter: Rewriter | None = None
    """What stands between the implementation and the link, where it is a mutant."""

    @property
    def framed(self) -> bool:
        """Whether the transport has units of its own on TCP, one of which ends or aborts a direction."""
        return self.statement.transport in DECODERS

    def at(self, end: End) -> Endpoint:
        """The endpoint of that end."""
        return self.iut if end is End.IUT else self.peer

    @property
    def user_timeout_ms(self) -> int:
        """The shortest user time-out worth asking for: Winsock's TCP_MAXRT counts whole seconds."""
        return 1000 if self.statement.family.startswith("winsock") else 300

    @property
    def disconnect_room(self) -> int | None:
        """Room for disconnect data where it is claimed; elsewhere None, the null pointer, which is right anywhere."""
        return DISCONNECT_ROOM if "DISCONNECT_DATA" in self.statement.service_flags else None

    def last_word(self, word: LastWord) -> bytes | None:
        """Disconnect data of that size, as the transport can carry it. Raises CannotExercise where it cannot."""
        return octets_of(word, self.statement)

    def settle(self) -> None:
        """Wait for the settle time: what has not come by then is absent."""
        self.idle(self.limits.settle_ms / 1000)

    def idle(self, seconds: float) -> None:
        """Do nothing for so long, which is the stimulus: the ends are left alone."""
        time.sleep(seconds)
        for endpoint in (self.iut, self.peer):
            endpoint.look()
        self.recorder.note("settled")

    def peer_aborts(self, *, unread: bool) -> None:
        """The peer aborts: by closing with linger 0, or by closing while it has data unread."""
        if unread:
            self.iut.send(100)
            self.peer.read(flags=["PEEK"])
        self.peer.end_by(Close() if unread else Close(linger=0))

    def wait_for_abort(self, sender: End) -> None:
        """Wait until the link shows that the sender has aborted; without a link, not at all."""
        if self.link.tap is None:
            return
        if self.framed:  # by a unit of its own, after which it closes TCP, or by a reset of TCP
            passed = self.link.tap.wait_for(
                lambda s: s.sender is sender and bool({"F", "R"} & set(s.flags)), self.limits.patience_ms / 1000
            )
            if passed is None:
                self.recorder.note("waited in vain", segment="FIN or RST")
        else:
            self.link.wait_for(sender, "R")

    def address_for(self, end: End) -> dict[str, Any]:
        """A fresh address to listen on at that end."""
        return address_at(self.topology, end, self.family)

    def listen_again(self) -> dict[str, Any]:
        """The peer listens once more, elsewhere; the address."""
        listener = self.peer.call("socket", family=self.family, kind=self.peer.kind)
        address = self.address_for(End.PEER)
        socket = int(_needed(listener.result, "socket")["socket"])
        return dict(
            _needed(self.peer.call("listen", socket=socket, address=address, backlog=1).result, "listen")["address"]
        )

    def wait_until_told(self, sender: End) -> None:
        """Wait until the link shows that the receiver has acknowledged the sender's FIN; without a link, not at all.

        Where the sender ends by a unit of its transport: until that is on the link, and for the settle time.
        """
        if self.link.tap is None:
            return
        if self.framed:
            self.link.wait_for_unit(sender, *RELEASES)
            self.settle()
            return
        fin = self.link.wait_for(sender, "F")
        if fin is not None:
            upto = (fin.seq + fin.length + 1) % 2**32
            self.link.tap.wait_for(
                lambda s: s.sender is sender.other and "A" in s.flags and s.ack == upto, self.limits.patience_ms / 1000
            )


def address_at(topology: Topology, end: End, family: str) -> dict[str, Any]:
    """A fresh address to listen on at that end. Raises CannotExercise where the topology has none of that family."""
    station = topology.iut if end is End.IUT else topology.peer
    if family == "unix":
        return {"family": "unix", "path": str(station.directory / f"{next(_paths)}.sock")}
    if family not in station.addresses:
        raise CannotExercise(f"the topology {topology.name} has no {family} address here")
    return {"family": family, "host": station.addresses[family], "port": station.next_port()}


def establish(connection: Connection, client: End, *, on_listener: Callable[[Endpoint], object] | None = None) -> None:
    """Join the two ends: one listens, the other (`client`) connects; from then on the link is watched.

    `on_listener` is done at the listening end, whose `socket` is the listener then, before anybody connects.
    Raises CannotExercise where the implementation or the topology does not let them be joined.
    """
    caller, listener = connection.at(client), connection.at(client.other)
    listening, address = _listen(connection, listener)
    caller.open(connection.family)
    if on_listener is None:
        connected, accepted = _joined(caller, listener, address)
    else:
        on_listener(listener)
        connected = _needed(caller.call("connect", address=address, wait_ms=_SETUP_MS).result, "connect")
        accepted = _accepted_sooner_or_later(listener)
    listener.socket = int(_needed(accepted.result, "accept")["socket"])
    listener.call("close", socket=listening, wait_ms=_SETUP_MS)
    _note_established(connection, client, connected, address)


def establish_two(first: Connection, client: End) -> Connection:
    """Join the two agents twice, from one client to one listener; the result is the second connection.

    Raises CannotExercise where the implementation or the topology does not let them be joined.
    """
    second = replace(first, iut=first.iut.beside(), peer=first.peer.beside())
    second.iut.other, second.peer.other = second.peer, second.iut
    listening, address = _listen(first, first.at(client.other))
    for connection in (first, second):
        caller, listener = connection.at(client), connection.at(client.other)
        listener.socket = listening
        caller.open(connection.family)
        connected, accepted = _joined(caller, listener, address)
        listener.socket = int(_needed(accepted.result, "accept")["socket"])
        _note_established(connection, client, connected, address)
    first.at(client.other).call("close", socket=listening, wait_ms=_SETUP_MS)
    return second


def _joined(caller: Endpoint, listener: Endpoint, address: dict[str, Any]) -> tuple[dict[str, Any], Reply]:
    """What connect told, and how accept ended."""
    accepting = listener.begin("accept", wait_ms=_SETUP_MS)
    connected = _needed(caller.call("connect", address=address, wait_ms=_SETUP_MS).result, "connect")
    return connected, listener.finish(accepting)


def _note_established(connection: Connection, client: End, connected: dict[str, Any], address: dict[str, Any]) -> None:
    connection.recorder.add(
        Established(
            at=time.time_ns(),
            iut=connection.iut.socket,
            peer=connection.peer.socket,
            client=client,
            client_address=connected["local"],
            listener_address=address,
        )
    )


def _listen(connection: Connection, listener: Endpoint) -> tuple[int, dict[str, Any]]:
    """Have that end listen where the link can be watched; its socket and address.

    Where the system chooses ports it may choose one that another case's connection still has: then once more.
    """
    topology = connection.topology
    for _ in range(_LISTENS):
        wanted = address_at(topology, listener.end, connection.family)
        listening = listener.open(connection.family)
        address = _needed(listener.call("listen", address=wanted, backlog=1).result, "listen")["address"]
        if topology.link is None or connection.statement.transport in INVISIBLE:
            return listening, address
        transport = connection.statement.transport if connection.framed else ""
        try:
            connection.link.tap = topology.link.claim(address["port"], listener.end, transport)
            if connection.rewriter is not None:
                connection.link.tap.rewrite(connection.rewriter)
        except PortClaimed:
            listener.call("close", wait_ms=_SETUP_MS)
            continue
        return listening, address
    raise CannotExercise("every port that the system gave to a listener is watched by another case")


def _accepted_sooner_or_later(listener: Endpoint) -> Reply:
    """Accept, again and again where that does not block."""
    limit = time.monotonic() + _SETUP_MS / 1000
    while True:
        reply = listener.call("accept", wait_ms=_SETUP_MS)
        if not would_block(reply) or time.monotonic() > limit:
            return reply
        time.sleep(_ACCEPTING_S)


def _needed(result: dict[str, Any] | None, op: str) -> dict[str, Any]:
    if result is None:
        raise CannotExercise(f"the case could not be set up: {op} did not succeed")
    return result
