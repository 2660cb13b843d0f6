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


LINK = """
[remote]
interface = "eth1"
address = "192.0.2.7"
peer_address = "192.0.2.1"
"""
FAR = GOOD.replace('command = ["{python}", "agent.py"]', 'connect = "tcp://198.51.100.7:7007"') + LINK
FAR = FAR.replace("[remote]", '[peer]\nprovider = "kernel-tcp"\n[remote]')


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
        (('["GRACEFUL_CLOSE"]', f'["GRACEFUL_CLOSE"]\n{LINK}'), ["[remote]", "agent.connect"]),
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


def test_a_profile_of_another_machine(tmp_path: Path) -> None:
    far = profile.load(written(tmp_path, FAR))
    assert far.remote is not None
    assert (far.remote.interface, far.remote.address, far.remote.peer_address) == ("eth1", "192.0.2.7", "192.0.2.1")
    assert (far.address_family, far.control_shares_the_link) == ("inet", False)
    six = FAR.replace("192.0.2.7", "2001:db8::7").replace("192.0.2.1", "2001:db8::1")
    assert profile.load(written(tmp_path, six)).address_family == "inet6"
    shared = profile.load(written(tmp_path, FAR.replace("198.51.100.7", "192.0.2.7")))
    assert shared.control_shares_the_link


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('interface = "eth1"\n', ""), ["remote", "interface"]),
        (('interface = "eth1"', 'interface = ""'), ["remote", "interface", "eth1"]),
        (('address = "192.0.2.7"\n', ""), ["remote", "address"]),
        (('"192.0.2.7"', '"winbox.example"'), ["remote", "address", "an IP address", "no name"]),
        (('"192.0.2.7"', '"127.0.0.1"'), ["remote", "address 127.0.0.1", "on the link under test"]),
        (('"192.0.2.7"', '"2001:db8::7"'), ["remote", "one family"]),
        (('"192.0.2.7"', '"192.0.2.1"'), ["remote", "two addresses"]),
        (("peer_address", "peer_adress"), ["remote", "peer_adress"]),
        (('[peer]\nprovider = "kernel-tcp"\n', ""), ["[remote]", "peer.provider", "kernel-tcp"]),
        (('"tcp"', '"unix"'), ["[remote]", "statement.transport"]),
        (("[remote]", '[run]\naddress_family = "inet6"\n[remote]'), ["[remote]", "run.address_family", "'inet'"]),
    ],
)
def test_a_wrong_link_to_another_machine_names_file_and_key(
    tmp_path: Path, change: tuple[str, str], says: list[str]
) -> None:
    assert change[0] in FAR
    path = written(tmp_path, FAR.replace(*change))
    with pytest.raises(BadProfile) as raised:
        profile.load(path)
    for part in (str(path), *says):
        assert part in str(raised.value)
