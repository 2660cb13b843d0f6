# SPDX-License-Identifier: MIT
"""The ways to end one's side of a connection, as values that cases are parametrised over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from conformance.execution.endpoint import Endpoint


class Ending(Protocol):
    """A way to end: carries itself out at an endpoint; its text names it in case ids."""

    def carry_out(self, endpoint: Endpoint) -> None:
        """Do it."""


@dataclass(frozen=True)
class Shutdown:
    """shutdown with this `how`."""

    how: str

    def carry_out(self, endpoint: Endpoint) -> None:
        """Shut the direction or both."""
        endpoint.shutdown(self.how)

    def __str__(self) -> str:
        return f"shutdown-{self.how}"


@dataclass(frozen=True)
class Close:
    """close, with linger as it was found, or set before to `linger` seconds (0 is the hard close)."""

    linger: int | None = None

    def carry_out(self, endpoint: Endpoint) -> None:
        """Set linger if asked for, then close."""
        if self.linger is not None:
            endpoint.set_linger(self.linger)
        endpoint.close()

    def __str__(self) -> str:
        return "close" if self.linger is None else f"close-linger-{self.linger}"


@dataclass(frozen=True)
class ShutdownThenClose:
    """shutdown of sending, then close."""

    def carry_out(self, endpoint: Endpoint) -> None:
        """Shut down sending, and close right after."""
        endpoint.shutdown("send")
        endpoint.close()

    def __str__(self) -> str:
        return "shutdown-send-close"


@dataclass(frozen=True)
class DisconnectEx:
    """DisconnectEx, with TF_REUSE_SOCKET if `reuse`."""

    reuse: bool = False

    def carry_out(self, endpoint: Endpoint) -> None:
        """End the connection as a whole."""
        endpoint.disconnect_ex(reuse=self.reuse)

    def __str__(self) -> str:
        return "disconnect-ex-reuse" if self.reuse else "disconnect-ex"


@dataclass(frozen=True)
class Death:
    """The process is killed, and the kernel closes for it."""

    def carry_out(self, endpoint: Endpoint) -> None:
        """Kill the agent."""
        endpoint.die()

    def __str__(self) -> str:
        return "death"


@dataclass(frozen=True)
class SendDisconnect:
    """SendDisconnect, with disconnect data or (None) a null pointer."""

    data: bytes | None = None

    def carry_out(self, endpoint: Endpoint) -> None:
        """Say that nothing more will be sent, and hand the data over."""
        endpoint.say_goodbye(self.data)

    def __str__(self) -> str:
        return "send-disconnect" if self.data is None else f"send-disconnect-{len(self.data)}"
