# SPDX-License-Identifier: MIT
"""Profiles: every wrong one is refused with the file, the key and what was expected."""

from pathlib import Path

import pytest

from conformance.execution import profile
from conformance.execution.profile import BadProfile

GOOD = """
[implementation]
name = "mine"
[agent]
command = ["{python}", "agent.py"]
[statement]
family = "posix"
transport = "tcp"
service_flags = ["GRACEFUL_CLOSE"]
"""


def written(directory: Path, text: str) -> Path:
    path = directory / "mine.toml"
    path.write_text(text)
    return path


def test_every_profile_of_the_suite_loads() -> None:
    assert {"kernel-tcp", "kernel-tcp6", "unix-stream", "unix-seqpacket"} <= set(profile.names())
    for name in profile.names():
        assert profile.find(name).name == name


def test_defaults_of_a_small_profile(tmp_path: Path) -> None:
    mine = profile.load(written(tmp_path, GOOD))
    assert (mine.name, mine.address_family, mine.kind, mine.peer.provider) == ("mine", "inet", "stream", "self")
    assert "{python}" not in mine.agent.argv[0]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("family = ", "famly = "), ["statement", "famly"]),
        (('family = "posix"', "family = 3"), ["statement.family", "str"]),
        (('family = "posix"', 'family = "posicks"'), ["statement", "did you mean posix"]),
        (("[agent]\n", "[agent]\nconnect = 'tcp://127.0.0.1:1'\n"), ["agent", "either"]),
        (('command = ["{python}", "agent.py"]\n', ""), ["agent", "either"]),
        (('name = "mine"\n', ""), ["implementation", "name"]),
        (('"GRACEFUL_CLOSE"', '"GRACEFULCLOSE"'), ["statement", "GRACEFUL_CLOSE"]),
        (("[implementation]", "[implementation"), ["not TOML"]),
        (('name = "mine"', 'name = "../mine"'), ["implementation", "letters"]),
        (('name = "mine"', 'name = ""'), ["implementation", "letters"]),
        (('["GRACEFUL_CLOSE"]', '["GRACEFUL_CLOSE"]\n[run]\naddress_family = "unix"'), ["address_family", "transport"]),
    ],
)
def test_wrong_profile_names_file_and_key(tmp_path: Path, change: tuple[str, str], says: list[str]) -> None:
    path = written(tmp_path, GOOD.replace(*change))
    with pytest.raises(BadProfile) as raised:
        profile.load(path)
    assert str(path) in str(raised.value)
    for word in says:
        assert word in str(raised.value)
    assert raised.value.hint


def test_unknown_provider_gets_the_nearest_names() -> None:
    with pytest.raises(BadProfile) as raised:
        profile.find("kernel-tpc")
    assert "kernel-tcp" in raised.value.hint


def test_two_providers_of_one_name_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD.replace('"mine"', '"kernel-tcp"'))
    assert list(profile.find_all(["kernel-tcp", "kernel-tcp", "unix-stream"])) == ["kernel-tcp", "unix-stream"]
    with pytest.raises(BadProfile, match="already"):
        profile.find_all(["kernel-tcp", str(path)])


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadProfile, match="cannot be read"):
        profile.find(str(tmp_path / "none.toml"))
