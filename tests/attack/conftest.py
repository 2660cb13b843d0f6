# SPDX-License-Identifier: MIT
"""A host that is looked at before and after: whatever a run meets, it leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attack.host import Host

FAKE = Path(__file__).with_name("fake.py")
PROFILE = """
[implementation]
name = "{name}"
[agent]
command = ["{{python}}", {command}]
[statement]
family = "posix"
transport = "tcp"
platform = "linux"
service_flags = ["GUARANTEED_DELIVERY", "GUARANTEED_ORDER", "GRACEFUL_CLOSE"]
[peer]
provider = "{peer}"
"""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """The host, on which a run may leave nothing."""
    host = Host(tmp_path)
    try:
        yield host
        assert host.remains() == []
    finally:
        host.close()


def profile(directory: Path, name: str, *arguments: str, peer: str = "kernel-tcp", program: Path = FAKE) -> str:
    """Write the profile of a provider whose agent is that program; the path."""
    words = [str(program), *arguments, "--transport", "tcp"]
    path = directory / f"{name}.toml"
    path.write_text(PROFILE.format(name=name, command=", ".join(f'"{word}"' for word in words), peer=peer))
    return str(path)
