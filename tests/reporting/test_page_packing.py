# SPDX-License-Identifier: MIT
"""Data packed into a page: it comes back, pages are compared by it, and nothing can be hidden in it."""

from __future__ import annotations

import base64
import zlib
from pathlib import Path

import pytest

from conformance.reporting.page import render, same_page
from conformance.reporting.page.packing import pack, packed, unpack
from tests.reporting.runs import kept_run


def repacked(text: str, level: int = 1) -> str:
    return base64.b64encode(zlib.compress(zlib.decompress(base64.b64decode(text)), level)).decode()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    directory: Path = tmp_path_factory.mktemp("run")
    return render(kept_run(directory), directory)


def test_what_is_packed_comes_back() -> None:
    data = {"a": ["</script>", "ü\u2028", 1, None]}
    assert unpack(pack(data)) == data
    assert set(pack(data)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")


def test_a_page_is_the_same_as_itself_and_as_one_by_another_compressor(page: str) -> None:
    assert same_page(page, page)
    other = page
    for text in packed(page).values():
        other = other.replace(text, repacked(text))
    assert other != page
    assert same_page(page, other) and same_page(other, page)


def test_another_word_is_another_page(page: str) -> None:
    assert not same_page(page, page.replace("The gate", "The great"))
    assert not same_page(page, page.replace('id="vocabulary"', 'id="vocabularies"'))
    assert not same_page(page, page + " ")


@pytest.mark.parametrize(
    "change",
    [
        lambda whole: zlib.compress(whole.replace(b"violated", b"satisfied")),
        lambda whole: zlib.compress(whole + b" "),
        lambda whole: zlib.compress(whole[:-1]),
        lambda whole: zlib.compress(whole)[:-9],
        lambda whole: zlib.compress(whole) + b"more",
        lambda whole: b"no zlib",
        lambda whole: b"",
        lambda whole: zlib.compress(whole + bytes(200_000_000)),  # a bomb is unpacked no further than it is equal
    ],
)
def test_other_data_is_another_page(page: str, change: object) -> None:
    text = packed(page)["evidence-0"]
    changed = base64.b64encode(change(zlib.decompress(base64.b64decode(text)))).decode()  # type: ignore[operator]
    other = page.replace(text, changed)
    assert not same_page(page, other)
    assert not same_page(other, page)


def test_base64_has_one_form(page: str) -> None:
    text = next(text for text in packed(page).values() if text.endswith("="))
    place = -2 if text.endswith("==") else -1
    last = text.rstrip("=")[-1]
    following = chr(ord(last) + 1)  # the same octets: the lowest bits of the last character stand for nothing
    other = page.replace(text, text.rstrip("=")[:-1] + following + text[place:].lstrip(last)[-abs(place) :])
    assert other != page
    assert not same_page(page, other)


@pytest.mark.parametrize("text", ["", "====", "AAAA", "eJw", "eJyrVkrLz1eyUkpKLFKqBQAkHwT3" + "AAAA", "€"])
def test_what_was_never_packed_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        unpack(text)
