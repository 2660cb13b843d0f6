# SPDX-License-Identifier: MIT
"""The JSON Schema of every message, made from the types that the suite itself encodes and decodes with.

`schema.json` beside this module is what it makes, for vendors; `python -m conformance.agents.schema` prints it.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import msgspec

from conformance.agents.operations import CONTROL_OPS, REQUESTS, RESULTS
from conformance.agents.protocol import CompletionNotice, Event
from conformance.trace.events import ErrorValue

_URI = "https://json-schema.org/draft/2020-12/schema"
_NATURAL = {"type": "integer", "minimum": 0}
_REPLY = {
    "type": "object",
    "properties": {
        "id": _NATURAL,
        "result": {"type": "object"},
        "error": {"$ref": "#/$defs/ErrorValue"},
        "timeout": {"const": True},
        "unsupported": {"type": "string"},
        "failure": {"type": "string"},
        "call": {"type": "array", "prefixItems": [_NATURAL, _NATURAL], "items": False, "minItems": 2},
    },
    "required": ["id"],
    "oneOf": [{"required": [name]} for name in ("result", "error", "timeout", "unsupported", "failure")],
    "additionalProperties": False,
}


def make_schema() -> dict[str, Any]:
    """Return the schema. `$defs` has `request`, `reply`, `notice`, and `reply_to_OP` for each operation."""
    kinds = [*REQUESTS.values(), *RESULTS.values(), Event, CompletionNotice, ErrorValue]
    distinct = list(dict.fromkeys(kinds))
    references, definitions = msgspec.json.schema_components(distinct, ref_template="#/$defs/{name}")
    of = dict(zip(distinct, references, strict=True))
    definitions["ErrorValue"]["properties"]["name"]["minLength"] = 1
    definitions["CompletionNotice"]["oneOf"] = [{"required": ["result"]}, {"required": ["error"]}]
    definitions["Event"] |= {
        "if": {"properties": {"type": {"const": "UPCALL"}}},
        "then": {"required": ["name"]},
        "else": {"required": ["socket", "error"]},
    }
    notices = [
        {"type": "object", "properties": {name: of[kind]}, "required": [name], "additionalProperties": False}
        for name, kind in (("event", Event), ("completion", CompletionNotice))
    ]
    return {
        "$schema": _URI,
        "title": "Agent protocol, version 1",
        "description": "One line in either direction: a request of the suite, or a reply or a notice of the agent.",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in ("request", "reply", "notice")],
        "$defs": {
            "request": {"oneOf": [of[kind] for kind in REQUESTS.values()]},
            "reply": _REPLY,
            "notice": {"oneOf": notices},
            **{f"reply_to_{op}": _reply_to(op, of[RESULTS[kind]]) for op, kind in REQUESTS.items()},
            **definitions,
        },
    }


def stored_schema() -> dict[str, Any]:
    """Return the schema that is shipped as `schema.json`."""
    schema: dict[str, Any] = json.loads(files("conformance.agents").joinpath("schema.json").read_text("utf-8"))
    return schema


def _reply_to(op: str, result: dict[str, Any]) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"$ref": "#/$defs/reply"}, {"properties": {"result": result}}]
    if op not in CONTROL_OPS:
        # Whatever made a call of the implementation has its times.
        parts.append({"anyOf": [{"required": [name]} for name in ("call", "unsupported", "failure")]})
    return {"allOf": parts}


if __name__ == "__main__":
    print(json.dumps(make_schema(), indent=1))
