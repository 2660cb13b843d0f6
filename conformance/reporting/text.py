# SPDX-License-Identifier: MIT
"""Text that others said, made fit to print: an agent's words must not move the cursor or hide a line."""

from __future__ import annotations

import textwrap


def clean(text: str, limit: int = 0) -> str:
    """The text in one line of printable characters, the others escaped; cut to `limit` characters unless that is 0."""
    plain = text
    if not text.isprintable():
        plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return plain if not limit or len(plain) <= limit else f"{plain[: limit - 1]}…"


def flat(text: str) -> str:
    """The same for text of several lines that has to do with one."""
    return clean(" ".join(text.splitlines()))


def clean_lines(text: str) -> list[str]:
    """The same for text that may have several lines, such as a traceback."""
    return [clean(line) for line in text.expandtabs(4).splitlines()]


def wrapped(label: str, text: str, *, width: int = 100, column: int = 12) -> list[str]:
    """A label and its text, the text wrapped beside it in a column of its own."""
    lines = textwrap.wrap(flat(text), width - column, break_on_hyphens=False) or [""]
    labels = [clean(label), *[""] * (len(lines) - 1)]
    return [f"{head:<{column - 1}} {line}".rstrip() for head, line in zip(labels, lines, strict=True)]


def several(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: `1 case`, `3 cases`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
