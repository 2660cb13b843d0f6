# SPDX-License-Identifier: MIT
"""The engine's thread may come late, on a busy machine: a call tells what TCP had brought before it all the same."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import pytest

from conformance.agents.reference import tpdus
from conformance.agents.reference.association import Association
from conformance.agents.reference.carrier import Carrier
from conformance.agents.reference.engine import Engine
from conformance.agents.reference.handles import Handle
from conformance.agents.reference.provider import Provider
from conformance.agents.reference.sockets import Socket


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Socket, Handle, Provider, socket.socket]]:
    """A connection of a provider whose engine never gets to run, and its raw peer."""
    monkeypatch.setattr(Engine, "_run", lambda self: None)
    provider = Provider("message")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer = socket.create_connection(listener.getsockname())
        tcp, _ = listener.accept()
    tcp.setblocking(False)
    ours = Socket(provider._engine, "inet", messages=True, tcp=tcp)
    ours.association = Association(messages=True)
    ours.carrier = Carrier(provider._engine, tcp, ours.association, ours.changed)
    with peer:
        yield ours, Handle(ours), provider, peer
    ours.carrier.discard()


def test_a_call_takes_up_what_came(late: tuple[Socket, Handle, Provider, socket.socket]) -> None:
    ours, handle, provider, peer = late
    peer.sendall(tpdus.release(b"word"))
    assert ours.association is not None
    assert not ours.association.peer_released
    with provider._on(handle):
        assert ours.association.peer_released


def test_also_a_reset_behind_the_release(late: tuple[Socket, Handle, Provider, socket.socket]) -> None:
    ours, handle, provider, peer = late
    peer.sendall(tpdus.release(b"word"))
    with provider._on(handle):
        pass
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
    assert ours.association is not None
    assert ours.association.error is None
    with provider._on(handle):
        assert ours.association.error == "WSAECONNRESET"
