# SPDX-License-Identifier: MIT
"""Frames as a pcapng file, which Wireshark and tshark read. What the harness did to a frame stands in its comment.

The link type is RAW (each packet begins with its IP header), times are in nanoseconds, and the original length is kept
where the capture was cut.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from pathlib import Path

from conformance.trace.events import Fate
from conformance.trace.frames import Frame
from conformance.trace.whole import beside

LINKTYPE_RAW = 101
NANOSECONDS = b"\x09"
"""if_tsresol: 10^-9 s."""
LONGEST_PACKET_OCTETS = 1 << 18

COMMENT = re.compile(
    rf"(?P<fate>{'|'.join(Fate)})(?:, delivered at (?P<seconds>\d+)\.(?P<nanoseconds>\d{{9}}))?(?:: (?P<comment>.*))?",
    re.DOTALL,
)


def write(path: Path, frames: Iterable[Frame], *, comment: str, interface: str) -> None:
    """Write frames to a file, whole; `comment` says what the file is, `interface` where the frames were seen.

    Raises:
        OSError: the file cannot be written.
    """
    from pcapng import FileWriter
    from pcapng.blocks import EnhancedPacket, InterfaceDescription, SectionHeader

    declare_resolution()
    section = SectionHeader(options={"opt_comment": comment, "shb_userappl": "shutdown-conformance"})
    section.new_member(
        InterfaceDescription,
        link_type=LINKTYPE_RAW,
        snaplen=LONGEST_PACKET_OCTETS,
        options={"if_name": interface, "if_tsresol": NANOSECONDS},
    )
    with beside(path) as place, place.open("wb") as file:
        writer = FileWriter(file, section)
        for frame in frames:
            said = comment_of(frame)
            packet = section.new_member(
                EnhancedPacket,
                interface_id=0,
                timestamp_high=frame.at >> 32,
                timestamp_low=frame.at & 0xFFFFFFFF,
                packet_data=frame.data,
                packet_len=frame.length,
                options={"opt_comment": said} if said else {},
            )
            writer.write_block(packet)


def read(path: Path) -> list[Frame]:
    """The frames of a file that `write` made.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not such a file; the message names it.
    """
    from pcapng import FileScanner
    from pcapng.blocks import EnhancedPacket, InterfaceDescription

    declare_resolution()
    frames = []
    interface = None
    octets = io.BytesIO(path.read_bytes())
    try:
        for block in FileScanner(octets):
            if isinstance(block, InterfaceDescription):
                interface = block.link_type, block.options.get("if_tsresol")
            if isinstance(block, EnhancedPacket):
                frames.append(
                    with_comment(
                        block.options.get("opt_comment", ""),
                        at=block.timestamp_high << 32 | block.timestamp_low,
                        data=block.packet_data,
                        length=block.packet_len,
                    )
                )
    except Exception as problem:  # python-pcapng raises whatever its reading of a broken block ran into
        raise ValueError(f"{path}: not a whole pcapng file: {problem}") from problem
    if interface != (LINKTYPE_RAW, NANOSECONDS):
        raise ValueError(f"{path}: not written by this suite: its packets are not raw IP with times in nanoseconds")
    return frames


def declare_resolution() -> None:
    """Tell python-pcapng (2.1.1) the type of if_tsresol; it leaves it open, and then warns of that at each use."""
    from pcapng.blocks import InterfaceDescription
    from pcapng.structs import TYPE_BYTES

    known = next(field for name, field, _ in InterfaceDescription.schema if name == "options").options_schema
    known[:] = [option._replace(ftype=TYPE_BYTES) if option.name == "if_tsresol" else option for option in known]


def comment_of(frame: Frame) -> str:
    """What a reader of the file is told of the frame: nothing if the harness left it alone."""
    if frame.fate is Fate.DELIVERED:
        return frame.comment
    delivered = ""
    if frame.delivered_at is not None:
        seconds, nanoseconds = divmod(frame.delivered_at, 1_000_000_000)
        delivered = f", delivered at {seconds}.{nanoseconds:09}"
    return f"{frame.fate}{delivered}" + (f": {frame.comment}" if frame.comment else "")


def with_comment(comment: str, *, at: int, data: bytes, length: int) -> Frame:
    """The frame of which `comment_of` said this."""
    found = COMMENT.fullmatch(comment)
    if found is None:
        return Frame(at=at, data=data, length=length, comment=comment)
    return Frame(
        at=at,
        data=data,
        length=length,
        fate=Fate(found["fate"]),
        delivered_at=int(found["seconds"] + found["nanoseconds"]) if found["seconds"] else None,
        comment=found["comment"] or "",
    )
