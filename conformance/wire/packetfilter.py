# SPDX-License-Identifier: MIT
"""The filters of the packet sockets, in the kernel's classic BPF: which packets to keep, and how much of each.

Packets of both IP versions, without ICMP; a SOCK_DGRAM packet socket starts at the IP header. TCP is told apart by
port, so that some ports' packets can be kept whole and the others' headers only; a packet whose TCP header does not
follow the IP header at once has no port here.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from typing import TypeAlias

INSTRUCTION = struct.Struct("HBBI")
Instruction: TypeAlias = tuple[int, int, int, int]
"""Code, how far to jump if true and if not, operand."""

WHOLE = 1 << 18
"""More octets than a packet has."""
DROP = 0
MOST_PORTS = 500
"""Four instructions each, of the 4,096 that the kernel takes."""

_LOAD_OCTET, _LOAD_PAIR_INDEXED, _LOAD_LENGTH = 0x30, 0x48, 0x80
_INDEX_BEHIND_IPV4, _INDEX_CONSTANT = 0xB1, 0x01
_AND, _JUMP, _JUMP_IF_EQUAL, _JUMP_IF_GREATER, _RETURN = 0x54, 0x05, 0x15, 0x25, 0x06
_TCP, _ICMP, _ICMPV6 = 6, 1, 58


def headers(whole_ports: Collection[int], kept: int) -> bytes:
    """Keep the first octets of every packet, except those of TCP with one of these ports."""
    return _program(whole_ports, of_ports=DROP, of_others=kept)


def whole(ports: Collection[int], octets: range) -> bytes:
    """Keep whole the packets of TCP with one of these ports and so many octets, and nothing else."""
    too_long = [(_LOAD_LENGTH, 0, 0, 0), (_JUMP_IF_GREATER, 0, 1, octets.stop - 1), (_RETURN, 0, 0, DROP)]
    too_short = [(_JUMP_IF_GREATER, 1, 0, octets.start - 1), (_RETURN, 0, 0, DROP)] if octets.start else []
    sized = b"".join(INSTRUCTION.pack(*instruction) for instruction in (*too_long, *too_short))
    return sized + _program(ports, of_ports=WHOLE, of_others=DROP)


def _program(ports: Collection[int], *, of_ports: int, of_others: int) -> bytes:
    program: list[Instruction] = [
        (_LOAD_OCTET, 0, 0, 0),
        (_AND, 0, 0, 0xF0),
        (_JUMP_IF_EQUAL, 0, 3, 0x40),  # else +3: not IPv4
        (_LOAD_OCTET, 0, 0, 9),  # the protocol
        (_INDEX_BEHIND_IPV4, 0, 0, 0),
        (_JUMP, 0, 0, 4),
        (_JUMP_IF_EQUAL, 1, 0, 0x60),  # else: not IPv6 either
        (_RETURN, 0, 0, DROP),
        (_LOAD_OCTET, 0, 0, 6),  # the next header
        (_INDEX_CONSTANT, 0, 0, 40),
        (_JUMP_IF_EQUAL, 4, 0, _TCP),  # if so, on to the ports
        (_JUMP_IF_EQUAL, 1, 0, _ICMP),
        (_JUMP_IF_EQUAL, 0, 1, _ICMPV6),
        (_RETURN, 0, 0, DROP),
        (_RETURN, 0, 0, of_others),
        *_by_port(sorted(ports)[:MOST_PORTS], of_ports),
        (_RETURN, 0, 0, of_others),
    ]
    return b"".join(INSTRUCTION.pack(*instruction) for instruction in program)


def _by_port(ports: Collection[int], verdict: int) -> Iterator[Instruction]:
    for place in (0, 2) if ports else ():
        yield _LOAD_PAIR_INDEXED, 0, 0, place
        for port in ports:
            yield _JUMP_IF_EQUAL, 0, 1, port
            yield _RETURN, 0, 0, verdict
