# SPDX-License-Identifier: MIT
"""The addresses of the agent protocol, as types: one for each family."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta


class Inet(msgspec.Struct, frozen=True, tag_field="family", tag="inet"):
    """An IPv4 address and port; port 0 asks for one."""

    host: str
    port: Annotated[int, Meta(ge=0, le=65535)]


class Inet6(msgspec.Struct, frozen=True, tag_field="family", tag="inet6"):
    """An IPv6 address and port; port 0 asks for one."""

    host: str
    port: Annotated[int, Meta(ge=0, le=65535)]


class Unix(msgspec.Struct, frozen=True, tag_field="family", tag="unix"):
    """A path in the file system; empty for an end without a name."""

    path: str


Address: TypeAlias = Inet | Inet6 | Unix
