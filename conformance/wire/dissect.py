# SPDX-License-Identifier: MIT
"""From a raw frame to what it says: the ports by hand (for every packet), the TCP segment by scapy (where it matters).

scapy is imported when the first segment is dissected, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable

from conformance.trace.events import End, Segment
from conformance.trace.frames import Frame

TCP, UDP = 6, 17
FRAGMENT_HEADER, AUTHENTICATION_HEADER = 44, 51
SKIPPED_EXTENSION_HEADERS = frozenset({0, 43, 60, 135})  # RFC 8200: hop-by-hop, routing, destination; RFC 6275 mobility
SHORTEST_TCP_HEADER_OCTETS = 20
LARGEST_SCALE = 14
"""RFC 7323, 2.3: a larger shift count is taken for this one."""
FLAGS = tuple("".join(letter for bit, letter in enumerate("FSRPAUEC") if octet >> bit & 1) for octet in range(256))


def transport(data: bytes) -> tuple[int, int]:
    """Protocol number and offset of what an IP packet carries; protocol -1 where that cannot be told.

    A fragment that is not the first carries no header, and counts as what cannot be told.
    """
    if len(data) < 20:
        return -1, 0
    version = data[0] >> 4
    if version == 4:
        if data[6] & 0x1F or data[7]:
            return -1, 0
        return data[9], (data[0] & 0x0F) * 4
    if version != 6 or len(data) < 40:
        return -1, 0
    protocol, offset = data[6], 40
    while protocol in SKIPPED_EXTENSION_HEADERS or protocol in (FRAGMENT_HEADER, AUTHENTICATION_HEADER):
        if len(data) < offset + 8:
            return -1, 0
        if protocol == FRAGMENT_HEADER:
            if data[offset + 2] or data[offset + 3] & 0xF8:
                return -1, 0
            size = 8
        else:
            size = (data[offset + 1] + 2) * 4 if protocol == AUTHENTICATION_HEADER else (data[offset + 1] + 1) * 8
        protocol, offset = data[offset], offset + size
    return protocol, offset


def ports(data: bytes) -> tuple[int, int] | None:
    """Source and destination port of a TCP packet; None for everything else."""
    protocol, offset = transport(data)
    if protocol != TCP or len(data) < offset + 4:
        return None
    return data[offset] << 8 | data[offset + 1], data[offset + 2] << 8 | data[offset + 3]


def contents(data: bytes) -> tuple[str, int] | None:
    """Flag letters (in the order of `FSRPAUEC`) and payload octets of a whole TCP packet; None for everything else."""
    protocol, offset = transport(data)
    if protocol != TCP or len(data) < offset + SHORTEST_TCP_HEADER_OCTETS:
        return None
    header_octets = (data[offset + 12] >> 4) * 4
    return FLAGS[data[offset + 13]], ip_length(data, len(data)) - offset - header_octets


def segment(frame: Frame, number: int, port: int, listener: End) -> Segment | None:
    """The TCP segment of a frame; None if it holds no whole TCP header (a fragment, another protocol, cut short).

    `number` is the frame's in the case, `port` the listener's, and `listener` the end that listens there.
    """
    from scapy.layers.inet import TCP as ScapyTCP

    data = frame.data
    protocol, offset = transport(data)
    if protocol != TCP or len(data) < offset + SHORTEST_TCP_HEADER_OCTETS:
        return None
    header_octets = (data[offset + 12] >> 4) * 4
    if header_octets < SHORTEST_TCP_HEADER_OCTETS or len(data) < offset + header_octets:
        return None
    tcp = ScapyTCP(data[offset : offset + header_octets])
    to_listener = tcp.dport == port
    return Segment(
        at=frame.at,
        sender=listener.other if to_listener else listener,
        flags=str(tcp.flags),
        seq=tcp.seq,
        ack=tcp.ack,
        window=tcp.window,
        length=ip_length(data, frame.length) - offset - header_octets,
        source_port=tcp.sport,
        destination_port=tcp.dport,
        frame=number,
        fate=frame.fate,
        delivered_at=frame.delivered_at,
        scale=_scale(tcp.options) if "S" in tcp.flags else None,
    )


def _scale(options: Iterable[tuple[object, object]]) -> int | None:
    """The shift count of the window scale option among these, as scapy reads them."""
    found = (value for name, value in options if name == "WScale" and isinstance(value, int))
    return next((min(value, LARGEST_SCALE) for value in found), None)


def payload(frame: Frame, length: int) -> bytes:
    """The first `length` octets after the TCP header of a frame; fewer if the capture kept fewer."""
    _, offset = transport(frame.data)
    begin = offset + (frame.data[offset + 12] >> 4) * 4
    return frame.data[begin : begin + length]


def ip_length(data: bytes, otherwise: int) -> int:
    """Octets of the whole IP packet by its own header; `otherwise` where the header leaves it open (offload, jumbo)."""
    if data[0] >> 4 == 4:
        return data[2] << 8 | data[3] or otherwise
    payload = data[4] << 8 | data[5]
    return 40 + payload if payload else otherwise
