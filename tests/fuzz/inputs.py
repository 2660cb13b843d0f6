# SPDX-License-Identifier: MIT
"""Foreign input to draw: octets, sound samples with octets changed, and sound documents with values changed."""

from __future__ import annotations

import json
from typing import Any

import tomlkit
from hypothesis import strategies as st

from tests.fuzz.targets import Target

_TOKENS = (b"{", b"}", b"[", b'"', b"\\", b"\n", b"\0", b"\xff", b"\xed\xa0\x80", b"NaN", b"1e999", b"-0", b"[" * 2000)
_NUMBERS = st.integers() | st.sampled_from([-1, 2**31, 2**32, 2**53 + 1, 2**63, 2**64, 10**18, 10**30]) | st.floats()
_WORDS = st.sampled_from(["", "send", "recv", "close", "shutdown", "both", "\x1b[31m", "\u202e", "\ud800", "A" * 5000])
VALUES = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _WORDS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS | st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def edited(draw: st.DrawFn, samples: tuple[bytes, ...]) -> bytes:
    """A sample with pieces left out, put in, or said twice."""
    octets = draw(st.sampled_from(samples))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(octets)))
        end = min(len(octets), start + draw(st.integers(0, 12)))
        new = draw(st.binary(max_size=8) | st.sampled_from(_TOKENS) | st.just(octets[start : start + 200] * 2))
        octets = octets[:start] + new + octets[end:]
    return octets


@st.composite
def changed(draw: st.DrawFn, document: Any) -> Any:
    """A document with some values replaced, left out or added."""
    for _ in range(draw(st.integers(1, 3))):
        document = _changed_once(draw, document)
    return document


def _changed_once(draw: st.DrawFn, document: Any) -> Any:
    if not isinstance(document, dict | list) or not document or draw(st.integers(0, 5)) == 0:
        return draw(VALUES)
    if isinstance(document, list):
        at = draw(st.integers(0, len(document) - 1))
        inside = draw(st.sampled_from(["change", "drop", "twice"]))
        new = [_changed_once(draw, document[at])] if inside == "change" else [document[at]] * 2 * (inside == "twice")
        return [*document[:at], *new, *document[at + 1 :]]
    key = draw(st.sampled_from(sorted(document)))
    match draw(st.sampled_from(["change", "change", "drop", "add"])):
        case "drop":
            return {k: v for k, v in document.items() if k != key}
        case "add":
            return {**document, draw(_WORDS): draw(VALUES)}
        case _:
            return {**document, key: _changed_once(draw, document[key])}


def inputs(target: Target) -> st.SearchStrategy[bytes]:
    """Whatever may be given to that target."""
    drawn = st.binary(max_size=200) | edited(target.samples)
    match target.form:
        case "json":
            documents = st.sampled_from([json.loads(sample) for sample in target.samples])
            return drawn | documents.flatmap(changed).map(_json)
        case "json lines":
            return drawn | st.sampled_from(target.samples).flatmap(_lines)
        case "toml":
            documents = st.sampled_from([tomlkit.parse(sample.decode()).unwrap() for sample in target.samples])
            return drawn | documents.flatmap(changed).filter(lambda d: isinstance(d, dict)).map(_toml)
        case _:
            return drawn


def _lines(sample: bytes) -> st.SearchStrategy[bytes]:
    documents = [json.loads(line) for line in sample.splitlines()]
    return changed(documents).map(lambda said: b"\n".join(map(_json, said if isinstance(said, list) else [said])))


def _json(document: Any) -> bytes:
    return json.dumps(document).encode()


def _toml(document: dict[str, Any]) -> bytes:
    try:
        return tomlkit.dumps(document).encode("utf-8", "surrogatepass")
    except Exception:  # a document that TOML has no form for
        return b""
