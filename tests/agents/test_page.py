# SPDX-License-Identifier: MIT
"""The vendors' page holds: its examples keep to the schema, its table has every operation, its agent works."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]

from conformance.agents.checking import check_agent
from conformance.agents.kernel.calls import OPTIONS
from conformance.agents.operations import REQUESTS
from conformance.agents.schema import stored_schema

PAGE = (Path(__file__).parents[2] / "docs" / "agent-protocol.md").read_text("utf-8")


def test_every_operation_has_its_arguments_in_the_table() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    for op, kind in REQUESTS.items():
        (row,) = [row for row in rows if f"`{op}`" in row.split("|")[1]]
        for argument in set(kind.__struct_fields__) - {"id"}:
            assert f"`{argument}`" in row, (op, argument)


def test_the_examples_keep_to_the_schema() -> None:
    validator = jsonschema.Draft202012Validator(stored_schema())
    examples = re.findall(r"`(\{\"(?:id|event|completion)\".*?\})`", PAGE)
    assert len(examples) == 9
    for text in examples:
        validator.validate(json.loads(text.replace("{…}", "{}").replace("t0,t1", "1,2").replace(":t}", ":1}")))
    (hello,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    reply = {"$ref": "#/$defs/reply_to_hello", "$defs": stored_schema()["$defs"]}
    jsonschema.Draft202012Validator(reply).validate({"id": 0, "result": json.loads(hello)})


def test_every_option_of_the_kernel_agent_is_named() -> None:
    for name in OPTIONS:
        assert f"`{name}`" in PAGE


def test_the_minimal_agent_speaks_the_protocol(tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    script = tmp_path / "minimal.py"
    script.write_text(program, "utf-8")
    assert [check for check in check_agent([sys.executable, str(script)]) if not check.ok] == []
