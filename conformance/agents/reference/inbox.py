# SPDX-License-Identifier: MIT
"""What has come and was not received yet: octets, in the message form with the bounds of messages."""

from __future__ import annotations

from collections import deque

_COST = 64
"""Octets that a part counts for besides its own, so that a flood of empty messages is bounded too."""


class Inbox:
    """The unread parts of one direction, in order. The first may belong to a message that is not complete yet."""

    def __init__(self, *, messages: bool) -> None:
        self._parts: deque[tuple[bytes, bool]] = deque()
        self._taken = 0
        self._bounds = messages
        self.octets = 0
        self.whole = 0
        """Messages that are there to their end."""

    @property
    def weight(self) -> int:
        """What it takes to keep all this, in octets."""
        return self.octets + _COST * len(self._parts)

    def add(self, data: bytes, *, last: bool) -> None:
        """Append one DATA's octets; in a stream, none at all leave no trace."""
        if not (data or (last and self._bounds)):
            return
        self._parts.append((data, last))
        self.octets += len(data)
        self.whole += last

    def clear(self) -> None:
        """Drop everything."""
        self._parts.clear()
        self._taken = self.octets = self.whole = 0

    def __bool__(self) -> bool:
        return bool(self._parts)

    def take(self, length: int, *, peek: bool = False) -> tuple[bytes, bool]:
        """Return up to `length` octets, of one message at most, and whether a message was cut; `peek` leaves them."""
        taken: list[bytes] = []
        room, used, ended = length, 0, False
        start = self._taken
        for data, last in self._parts:
            piece = data[start : start + room]
            room -= len(piece)
            taken.append(piece)
            if start + len(piece) < len(data):
                start += len(piece)
                break
            used += 1
            start = 0
            if last and self._bounds:
                ended = True
                break
            if not room and not self._bounds:
                break
        octets = b"".join(taken)
        if not peek:
            for _ in range(used):
                self.whole -= self._parts.popleft()[1]
            self._taken = start
            self.octets -= len(octets)
        return octets, self._bounds and not ended
