# SPDX-License-Identifier: MIT
"""The ladder of a trace as plain text: the two ends, the link between them, and time running down.

         ms  iut                      link                                peer
      1.613  connected: the iut at 127.0.0.1:40000 called the peer at 127.0.0.1:10000
      1.950                                                               shutdown(send): ok
>     2.010                           ◀─────────────FIN ACK seq=1 len=0──
>     2.400  recv: 0 bytes

What is shown, and in which words, is for `steps`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator, Sequence

from conformance.reporting.steps import FATES, Step, caveats, steps
from conformance.reporting.text import clean
from conformance.trace.events import End, Fate
from conformance.trace.trace import Header, Trace

WIDTH = 100
_LEAST_WIDTH = 60
_TIME = 10
_LINK_SHARE = 0.42


def ladder(trace: Trace, highlight: Collection[int] = (), width: int = WIDTH) -> str:
    """Draw a trace, `width` columns wide at most (60 at least). The events numbered in `highlight` are marked."""
    width = max(width, _LEAST_WIDTH)
    lines = steps(trace, highlight)
    start = trace.events[0].at if trace.events else 0
    drawn = [_heading(trace.header, width), _columns(width)]
    for line in lines:
        drawn.extend(_draw(line, start, width))
    if not lines:
        drawn.append("  nothing was seen")
    return "\n".join([*drawn, *_legend(lines, trace.header, width)])


# --- drawing --------------------------------------------------------------------------------------------------------


def _heading(header: Header, width: int) -> str:
    peer = f", peer {clean(header.peer)}" if header.peer else ""
    return clean(f"{header.case} ({header.provider} on {header.topology}{peer})", width)


def _widths(width: int) -> dict[str, int]:
    room = width - 2 - _TIME - 2 - 2
    link = int(room * _LINK_SHARE)
    end = (room - link) // 2
    return {"iut": end, "link": link, "peer": end}


def _columns(width: int) -> str:
    widths = _widths(width)
    return f"  {'ms':>{_TIME}}  {'iut':<{widths['iut']}} {'link':<{widths['link']}} peer"


def _draw(line: Step, start: int, width: int) -> Iterator[str]:
    widths = _widths(width)
    margin = f"{'>' if line.marked else ' '} {(line.at - start) / 1e6:>{_TIME}.3f}  "
    indent = " " * len(margin)
    if line.column == "":
        for number, text in enumerate(textwrap.wrap(clean(line.text), width - len(margin), break_on_hyphens=False)):
            yield (indent if number else margin) + text
        return
    before = {"iut": 0, "link": widths["iut"] + 1, "peer": widths["iut"] + widths["link"] + 2}[line.column]
    if line.sender is not None:
        yield margin + " " * before + _arrow(line, widths["link"])
        return
    for number, text in enumerate(textwrap.wrap(clean(line.text), widths[line.column], break_on_hyphens=False)):
        yield (indent if number else margin) + " " * before + text


def _arrow(line: Step, width: int) -> str:
    head = {Fate.DROPPED: "✗", Fate.HELD: "⏸"}.get(line.fate, "▶" if line.sender is End.IUT else "◀")
    tail = {Fate.REPEATED: "⟳", Fate.FORGED: "✎"}.get(line.fate, "─")
    text = line.text if len(line.text) <= width - 4 else line.text.replace("PSH ", "")  # the least telling of all flags
    text = clean(text, width - 4)
    if line.sender is End.IUT:
        return f"{tail}─{text}{'─' * (width - len(text) - 3)}{head}"
    return f"{head}{'─' * (width - len(text) - 3)}{text}─{tail}"


def _legend(lines: Sequence[Step], header: Header, width: int) -> Iterator[str]:
    for caveat in caveats(header):
        yield from _wrapped(caveat, width)
    marks = ["> what the finding rests on"] if any(line.marked for line in lines) else []
    marks += [f"{sign} {what}" for fate, (sign, what) in FATES.items() if any(line.fate is fate for line in lines)]
    if marks:
        yield from _wrapped(", ".join(marks), width)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
