# SPDX-License-Identifier: MIT
"""Making connections: the library's server, its client on a UDP socket of its own, and a certificate for both."""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
from collections.abc import Callable
from functools import cache
from typing import Any

from aioquic.asyncio.server import QuicServer, serve
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from conformance.agents.quic.ends import End, Opened, answered

NAME = "shutdown-conformance"
"""The server's name, and the application protocol that both ends agree on (ALPN)."""
FAMILIES = {"inet": socket.AF_INET, "inet6": socket.AF_INET6}
LIFE = datetime.timedelta(days=1)


@cache
def certificate() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Make a self-signed certificate, which nobody verifies, and its key; both live as long as the process."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    unsigned = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now - LIFE, now + LIFE
    )
    return unsigned.sign(key, hashes.SHA256()), key


def configuration(*, client: bool, idle_timeout_ms: int | None) -> QuicConfiguration:
    """Make an end's configuration: the library's own values but for names, trust and the idle time-out."""
    made = QuicConfiguration(alpn_protocols=[NAME], is_client=client)
    if client:
        made.server_name, made.verify_mode = NAME, ssl.CERT_NONE
    else:
        made.certificate, made.private_key = certificate()
    limit_idleness(made, idle_timeout_ms)
    return made


def limit_idleness(settings: QuicConfiguration | None, idle_timeout_ms: int | None) -> None:
    """Set the idle time-out of connections that are made with these settings from now on."""
    if settings is not None and idle_timeout_ms is not None:
        settings.idle_timeout = idle_timeout_ms / 1000


class Listener:
    """A server: streams that clients opened wait in `opened`."""

    def __init__(self, make: Callable[[QuicConnection, Opened], End]) -> None:
        self.opened: asyncio.Queue[End] = asyncio.Queue()
        self._make = make
        self._server: QuicServer | None = None

    async def listen(self, address: dict[str, Any], settings: QuicConfiguration) -> dict[str, Any]:
        """Bind and serve; the address with its port. Raises OSError."""
        family, host = FAMILIES[address["family"]], address["host"]
        with socket.socket(family, socket.SOCK_DGRAM) as probe:  # the library does not say which port it was given
            probe.bind((host, address["port"]))
            port = probe.getsockname()[1]
        self._server = await serve(host, port, configuration=settings, create_protocol=self._protocol)
        return {"family": address["family"], "host": host, "port": port}

    def _protocol(self, quic: QuicConnection, stream_handler: object = None) -> Any:
        return self._make(quic, self.opened.put_nowait).protocol

    def drop(self) -> None:
        """Close every connection, and the UDP socket."""
        if self._server is not None:
            self._server.close()


async def connect(
    address: dict[str, Any], settings: QuicConfiguration, make: Callable[[QuicConnection], End]
) -> tuple[End, dict[str, Any]]:
    """Make a connection and open its stream; the end, and its own address. Raises Refused, OSError."""
    family, target = FAMILIES[address["family"]], (address["host"], address["port"])
    with socket.socket(family, socket.SOCK_DGRAM) as probe:  # which address of ours leads there
        probe.connect(target)
        host = probe.getsockname()[0]
        where = probe.getpeername()
    end = make(QuicConnection(configuration=settings))
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: end.protocol, local_addr=(host, 0), family=family
    )
    try:
        with answered():
            end.protocol.connect(where)
            await end.protocol.wait_connected()
            await end.open()
    except BaseException:
        end.drop()
        transport.close()
        raise
    closing = asyncio.ensure_future(end.protocol.wait_closed())
    closing.add_done_callback(lambda _: transport.close())
    local = transport.get_extra_info("sockname")
    return end, {"family": address["family"], "host": local[0], "port": local[1]}
