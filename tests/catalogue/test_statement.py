# SPDX-License-Identifier: MIT
"""A statement is refused, with the nearest known words, where it uses a word that nothing would understand."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from conformance.catalogue.statement import FEATURES, OPERATIONS, SERVICE_FLAGS, SURFACES, Limits, Statement


def statement(**claims: Any) -> Statement:
    return Statement(**{"family": "posix", "transport": "tcp", **claims})


def test_a_statement_needs_only_family_and_transport() -> None:
    assert statement() == msgspec.convert({"family": "posix", "transport": "tcp"}, Statement)


def test_every_known_word_is_taken() -> None:
    full = statement(service_flags=SERVICE_FLAGS, surfaces=SURFACES, ops=OPERATIONS, features=tuple(FEATURES))
    assert full.service_flags == SERVICE_FLAGS


def test_it_is_read_from_a_profile() -> None:
    profile = {
        "family": "winsock-spi",
        "transport": "reference",
        "service_flags": ["MESSAGE_ORIENTED", "DISCONNECT_DATA"],
        "limits": {"disconnect_data_max": 64, "message_max": None},
        "platform": "windows",
    }
    read = msgspec.convert(profile, Statement)
    assert read.service_flags == ("MESSAGE_ORIENTED", "DISCONNECT_DATA")
    assert read.limits == Limits(disconnect_data_max=64)


@pytest.mark.parametrize(
    ("claims", "named", "suggested"),
    [
        ({"service_flags": ("GRACEFULL_CLOSE",)}, "GRACEFULL_CLOSE", "GRACEFUL_CLOSE"),
        ({"service_flags": ("XP1_GRACEFUL_CLOSE",)}, "XP1_GRACEFUL_CLOSE", "GRACEFUL_CLOSE"),
        ({"service_flags": ("graceful_close",)}, "graceful_close", "GRACEFUL_CLOSE"),
        ({"surfaces": ("epol",)}, "epol", "epoll"),
        ({"ops": ("send_disconect",)}, "send_disconect", "send_disconnect"),
        ({"features": ("rfc5961",)}, "rfc5961", "RFC5961"),
        ({"family": "winsock"}, "winsock", "winsock-"),
        ({"transport": "zzz"}, "zzz", "tcp, mptcp, unix"),
        ({"platform": "Linux"}, "Linux", "lower case"),
        ({"platform": ""}, "''", "lower case"),
    ],
)
def test_an_unknown_word_is_named_with_the_nearest(claims: dict[str, Any], named: str, suggested: str) -> None:
    with pytest.raises(ValueError, match=r"expected|unknown") as caught:
        statement(**claims)
    assert named in str(caught.value)
    assert suggested in str(caught.value)


def test_a_profile_with_an_unknown_word_gets_the_same_message() -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown family 'winsock'; did you mean winsock-"):
        msgspec.convert({"family": "winsock", "transport": "tcp"}, Statement)


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="flags"):
        msgspec.convert({"family": "posix", "transport": "tcp", "flags": []}, Statement)


@pytest.mark.parametrize(
    ("flags", "is_stream"),
    [
        ((), True),
        (("PSEUDO_STREAM",), True),
        (("MESSAGE_ORIENTED", "PSEUDO_STREAM"), True),
        (("MESSAGE_ORIENTED",), False),
    ],
)
def test_what_acts_as_a_byte_stream(flags: tuple[str, ...], is_stream: bool) -> None:
    assert statement(service_flags=flags).is_stream is is_stream
