# SPDX-License-Identifier: MIT
"""The topologies: where the two ends of a connection live, and what of the link between them can be seen.

| name | the ends live in | the link |
|---|---|---|
| `loopback` | one private namespace | its `lo`, captured |
| `wire` | a private namespace each | TUN devices; the harness relays every packet, and rules may interfere |
| `veth` | a private namespace each | a veth pair, captured at both ends |
| `host` | the host as it is | its `lo`, captured if that is allowed |
| `remote` | another machine (the IUT), and the host as it is | an interface of the host, captured if that is allowed |

Nothing is ever configured on the host's own interfaces. Each topology is separate from every other, so several may be
open at once, in one process or in many. `remote` is many topologies: which one, a `Remote` says.
"""

from __future__ import annotations

import itertools
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias

from conformance.stderr import StderrDrain
from conformance.trace.events import End
from conformance.wire.custody import Custody
from conformance.wire.errors import CustodianLost, CustodianRefused, TopologyUnavailable
from conformance.wire.station import Station
from conformance.wire.tap import Link

if TYPE_CHECKING:
    from conformance.wire.capture import WholeRing

REMOTE = "remote"
PRIVATE: tuple[str, ...] = ("loopback", "wire", "veth")
"""The ones in namespaces of their own."""
TOPOLOGIES: tuple[str, ...] = (*PRIVATE, "host", REMOTE)

LISTENER_PORTS = range(10_000, 32_768)
"""Below 32,768, where the ephemeral ports of a fresh network namespace begin (net.ipv4.ip_local_port_range)."""

LOOPBACK = {"inet": "127.0.0.1", "inet6": "::1"}
ADDRESSES = {
    End.IUT: {"inet": "10.77.0.1", "inet6": "fd00:77::1"},
    End.PEER: {"inet": "10.77.0.2", "inet6": "fd00:77::2"},
}
PREFIX, PREFIX6 = 24, 64
DEVICES = {End.IUT: "iut0", End.PEER: "peer0"}

Places: TypeAlias = Mapping[End, int | None]
"""The namespace of each end, by the custodian's number; None is the host's."""
Addresses: TypeAlias = Mapping[End, Mapping[str, str]]
"""The addresses of each end, by family."""


@dataclass(frozen=True, slots=True)
class Remote:
    """The link to another machine: the interface of ours that it begins at, and the addresses of the two ends on it."""

    interface: str
    address: str
    """Where the IUT is."""
    peer_address: str
    """Where we are."""

    @property
    def family(self) -> str:
        """The family of both addresses."""
        return "inet6" if ":" in self.address else "inet"


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a topology is not to be had here: the one thing that is missing, and how to get it."""

    what: str
    remedy: str


class Topology:
    """Two stations and the link between them; a context manager. Made by `open_topology`."""

    def __init__(self, name: str, iut: Station, peer: Station, link: Link | None, link_missing: str, held: ExitStack):
        self.name = name
        self.iut = iut
        self.peer = peer
        self.link = link
        """None where nothing can be captured; `link_missing` then says why."""
        self.link_missing = link_missing
        self._held = held

    def close(self) -> None:
        """End every process, and take away every namespace, device and file of this topology."""
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def open_topology(name: str, remote: Remote | None = None) -> Topology:
    """Build a topology of `TOPOLOGIES`; `remote` says which one `remote` is, and does not matter to the others.

    Raises:
        TopologyUnavailable: this machine or this user cannot have it; `hint` is the remedy.
        ValueError: there is no topology of that name.
    """
    if name not in TOPOLOGIES:
        raise ValueError(f"no topology {name!r}; there are {', '.join(TOPOLOGIES)}")
    if sys.platform != "linux":
        raise TopologyUnavailable(name, f"this system is {sys.platform}", "run the suite on Linux")
    with ExitStack() as held:
        try:
            return build_remote(remote, held) if name == REMOTE else BUILDERS[name](name, held)
        except (CustodianRefused, CustodianLost) as problem:
            raise TopologyUnavailable(name, problem.why, problem.hint) from problem
        except OSError as problem:  # the ring's 32 MiB, say
            raise TopologyUnavailable(
                name, str(problem), "is there memory and are there descriptors left?"
            ) from problem


def availability(name: str, remote: Remote | None = None) -> Missing | None:
    """What is missing for this topology; None if nothing is. Found out by building it (0.1 s).

    Without a `remote` the topology of that name is none in particular, and nothing is missing for it.
    """
    if name == REMOTE and remote is None:
        return None
    try:
        open_topology(name, remote).close()
    except TopologyUnavailable as problem:
        return Missing(problem.why, problem.hint)
    return None


class Builder:
    """The parts that every topology is made of, and the order in which they go away again."""

    def __init__(self, held: ExitStack, *, isolated: bool) -> None:
        self.held = held
        self.custody = Custody(isolated=isolated)
        held.callback(self.custody.close)
        self.drain = StderrDrain()
        held.callback(self.drain.close)
        self._ports = itertools.cycle(LISTENER_PORTS)
        self._counting = threading.Lock()

    def next_port(self) -> int:
        """The next port for a listener, at either station."""
        with self._counting:
            return next(self._ports)

    def namespace(self) -> int:
        """A fresh network namespace."""
        return int(self.custody.ask("namespace")["where"])

    def station(
        self, where: int | None, addresses: Mapping[str, str], next_port: Callable[[], int] | None = None
    ) -> Station:
        """A station with those of the addresses that can be used."""
        usable = {
            family: address
            for family, address in addresses.items()
            if self.custody.ask("bindable", where=where, address=address)["bindable"]
        }
        return Station(self.custody, self.drain, where, usable, next_port or self.next_port)

    def unbound(self, where: int | None, family: int) -> int:
        """A datagram socket in that namespace, bound to nothing."""
        fd, _ = self.custody.ask_for_descriptor("socket", where=where, family=family, kind=socket.SOCK_DGRAM)
        return fd

    def markers(self, places: Places, addresses: Addresses) -> dict[End, socket.socket]:
        """A UDP socket at each station, connected to each other."""
        made = {}
        for end, where in places.items():
            made[end] = socket.socket(fileno=self.unbound(where, socket.AF_INET))
            made[end].bind((addresses[end]["inet"], 0))
        for end, sock in made.items():
            sock.connect(made[end.other].getsockname())
        return made

    def captured(self, name: str, devices: Mapping[str, int | None], places: Places, addresses: Addresses) -> Link:
        """The link as it is seen on these devices, the IUT's first. Raises CustodianRefused if that is not allowed."""
        from conformance.wire.capture import CapturedLink, Ring

        rings = [Ring(self.unbound(where, socket.AF_PACKET), device) for device, where in devices.items()]
        link = CapturedLink(name, rings, self.markers(places, addresses), lambda: self.whole_rings(devices))
        self.held.callback(link.close)
        return link

    def whole_rings(self, devices: Mapping[str, int | None]) -> list[WholeRing]:
        """Rings for whole packets on these devices."""
        from conformance.wire.capture import LargeRing, WholeRing

        return [
            kind(self.unbound(where, socket.AF_PACKET), device)
            for kind in (WholeRing, LargeRing)
            for device, where in devices.items()
        ]

    def topology(
        self,
        name: str,
        places: Places,
        addresses: Addresses,
        link: Link | None,
        link_missing: str = "",
        next_port: Callable[[], int] | None = None,
    ) -> Topology:
        """All of it together."""
        iut, peer = (self.station(places[end], addresses[end], next_port) for end in (End.IUT, End.PEER))
        return Topology(name, iut, peer, link, link_missing, self.held.pop_all())


def build_loopback(name: str, held: ExitStack) -> Topology:
    """Both ends in one private namespace."""
    build = Builder(held, isolated=True)
    places = dict.fromkeys(End, build.namespace())
    addresses = dict.fromkeys(End, LOOPBACK)
    link = build.captured(name, {"lo": places[End.IUT]}, places, addresses)
    return build.topology(name, places, addresses, link)


def build_wire(name: str, held: ExitStack) -> Topology:
    """A private namespace for each end; the harness carries each packet across."""
    from conformance.wire.relay import RelayedLink

    build = Builder(held, isolated=True)
    places = {End.IUT: build.namespace(), End.PEER: build.namespace()}
    devices = {}
    for end, where in places.items():
        addresses = ADDRESSES[end]
        devices[end], _ = build.custody.ask_for_descriptor(
            "tun",
            where=where,
            name=DEVICES[end],
            inet=addresses["inet"],
            inet6=addresses["inet6"],
            prefix=PREFIX,
            prefix6=PREFIX6,
        )
        build.custody.ask("await_running", where=where, name=DEVICES[end])

    def dropped() -> int:
        return sum(
            int(build.custody.ask("dropped", where=where, name=DEVICES[end])["packets"])
            for end, where in places.items()
        )

    link = RelayedLink(name, devices, build.markers(places, ADDRESSES), dropped)
    held.callback(link.close)
    return build.topology(name, places, ADDRESSES, link)


def build_veth(name: str, held: ExitStack) -> Topology:
    """A private namespace for each end, joined by a veth pair."""
    build = Builder(held, isolated=True)
    places = {End.IUT: build.namespace(), End.PEER: build.namespace()}
    has_inet6 = "inet6" in build.station(places[End.IUT], LOOPBACK).addresses
    pair = f"link add {DEVICES[End.IUT]} type veth peer name {DEVICES[End.PEER]} netns {{{places[End.PEER]}}}\n"
    for end, where in places.items():
        device, addresses = DEVICES[end], ADDRESSES[end]
        lines = [f"addr add {addresses['inet']}/{PREFIX} dev {device}", f"link set {device} up"]
        if has_inet6:
            lines.append(f"addr add {addresses['inet6']}/{PREFIX6} dev {device} nodad")
        build.custody.ask("ip", where=where, batch=(pair if end is End.IUT else "") + "\n".join(lines) + "\n")
    for end, where in places.items():
        build.custody.ask("await_running", where=where, name=DEVICES[end])
    link = build.captured(name, {DEVICES[end]: where for end, where in places.items()}, places, ADDRESSES)
    return build.topology(name, places, ADDRESSES, link)


def build_host(name: str, held: ExitStack) -> Topology:
    """The host as it is: nothing is made, and `lo` is looked at if that is allowed."""
    build = Builder(held, isolated=False)
    places = {End.IUT: None, End.PEER: None}
    link, missing = None, ""
    try:
        link = build.captured(name, {"lo": None}, places, dict.fromkeys(End, LOOPBACK))
    except CustodianRefused as problem:
        missing = f"capturing the host's lo: {problem.why}; it needs CAP_NET_RAW (or use --topology loopback)"
    # Ports of the host are not ours to give out.
    return build.topology(name, places, dict.fromkeys(End, LOOPBACK), link, missing, next_port=lambda: 0)


def build_remote(remote: Remote | None, held: ExitStack) -> Topology:
    """The IUT is on another machine, the peer on the host as it is: an interface of the host is looked at."""
    from conformance.wire.capture import Ring
    from conformance.wire.nearby import NearbyLink

    if remote is None:
        hint = "it is for a profile with a [remote] table: docs/your-own-provider.md"
        raise TopologyUnavailable(REMOTE, "nothing says where the other machine is", hint)
    if remote.interface not in (name for _, name in socket.if_nameindex()):
        why = f"[remote] interface: this machine has no interface {remote.interface!r}"
        raise TopologyUnavailable(REMOTE, why, f"it has {', '.join(name for _, name in socket.if_nameindex())}")
    build = Builder(held, isolated=False)
    peer = build.station(None, {remote.family: remote.peer_address}, lambda: 0)
    if not peer.addresses:
        why = f"[remote] peer_address: no interface of this machine has the address {remote.peer_address}"
        raise TopologyUnavailable(REMOTE, why, f"give {remote.interface} that address, or name the one that it has")
    iut = Station(build.custody, build.drain, None, {remote.family: remote.address}, lambda: 0)
    link, missing = None, ""
    addresses = {End.IUT: remote.address, End.PEER: remote.peer_address}
    try:
        ring = Ring(build.unbound(None, socket.AF_PACKET), remote.interface)
        link = NearbyLink(REMOTE, [ring], lambda: build.whole_rings({remote.interface: None}), addresses)
        held.callback(link.close)
    except (CustodianRefused, PermissionError) as problem:
        why = problem.why if isinstance(problem, CustodianRefused) else str(problem.strerror)
        missing = f"capturing {remote.interface}: {why}; it needs CAP_NET_RAW"
    return Topology(REMOTE, iut, peer, link, missing, held.pop_all())


BUILDERS: dict[str, Callable[[str, ExitStack], Topology]] = {
    "loopback": build_loopback,
    "wire": build_wire,
    "veth": build_veth,
    "host": build_host,
}
