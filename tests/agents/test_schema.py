# SPDX-License-Identifier: MIT
"""The schema that vendors get is the one the suite works with, and both sides' real traffic keeps to it."""

from __future__ import annotations

import json
import sys
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from conformance.agents import client
from conformance.agents.checking import check_agent
from conformance.agents.operations import REQUESTS
from conformance.agents.protocol import decode_line, encode_request
from conformance.agents.schema import make_schema, stored_schema

SCHEMA = stored_schema()


def validator(of: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{of}", "$defs": SCHEMA["$defs"]})


def test_the_shipped_schema_is_current() -> None:
    assert make_schema() == SCHEMA, "python -m conformance.agents.schema > conformance/agents/schema.json"
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("transport", ["tcp", "unix-stream", "unix-seqpacket"])
def test_real_sessions_keep_to_it(transport: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []
    said: list[bytes] = []

    def encode(*arguments: Any, **named: Any) -> bytes:
        asked.append(encode_request(*arguments, **named))
        return asked[-1]

    def decode(line: bytes) -> Any:
        said.append(line)
        return decode_line(line)

    monkeypatch.setattr(client, "encode_request", encode)
    monkeypatch.setattr(client, "decode_line", decode)
    command = [sys.executable, "-m", "conformance.agents.kernel", "--transport", transport]
    assert all(check.ok for check in check_agent(command))

    requests = [json.loads(line) for line in asked]
    known = [request for request in requests if request["op"] in REQUESTS]
    assert len(requests) - len(known) == 1  # the operation that does not exist
    assert {"hello", "reset", "bye", "send", "recv", "post_recv", "poll"} <= {request["op"] for request in known}
    check_request, check_notice = validator("request"), validator("notice")
    for request in known:
        check_request.validate(request)
    check_line = validator("reply")
    replies = [message for message in map(json.loads, said) if "id" in message]
    for message in replies:
        check_line.validate(message)
    notices = [message for message in map(json.loads, said) if "id" not in message]
    assert notices
    for message in notices:
        check_notice.validate(message)


def test_replies_keep_to_the_schema_of_their_operation(tcp: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[bytes] = []

    def decode(line: bytes) -> Any:
        said.append(line)
        return decode_line(line)

    monkeypatch.setattr(client, "decode_line", decode)
    for op, arguments in (
        ("get_linger", {}),
        ("names", {}),
        ("get_error", {}),
        ("send", {"data": b"x"}),
        ("recv", {"length": 5}),
        ("duplicate", {}),
        ("poll", {"surface": "poll", "events": ["OUT"]}),
        ("shutdown", {"how": 9}),
    ):
        tcp.iut.request(op, socket=tcp.a, **arguments)
        validator(f"reply_to_{op}").validate(json.loads(said[-1]))


@pytest.mark.parametrize(
    ("of", "message"),
    [
        ("request", {"id": 1, "op": "recv", "socket": 1}),
        ("request", {"id": -1, "op": "reset"}),
        ("request", {"id": 1, "op": "reset", "hard": True}),
        ("reply", {"id": 1}),
        ("reply", {"id": 1, "timeout": False}),
        ("reply", {"id": 1, "result": {}, "failure": ""}),
        ("reply", {"id": 1, "error": {"name": ""}}),
        ("reply", {"id": 1, "result": {}, "call": [1]}),
        ("reply_to_recv", {"id": 1, "result": {"length": 0}}),
        ("reply_to_listen", {"id": 1, "result": {}, "call": [1, 2]}),
        ("notice", {"event": {"n": 0, "socket": 1, "type": "END", "error": None, "at": 1}}),
        ("notice", {"event": {"n": 1, "socket": 1, "type": "END", "at": 1}}),
        ("notice", {"completion": {"n": 1, "token": "t", "mechanism": "event", "at": 1}}),
    ],
)
def test_wrong_messages_do_not(of: str, message: dict[str, Any]) -> None:
    assert not validator(of).is_valid(message)


def test_events_and_upcalls_do() -> None:
    check = validator("notice")
    error = {"name": "WSAECONNRESET", "code": 10054, "detail": ""}
    check.validate({"event": {"n": 1, "socket": 1, "type": "FD_CLOSE", "error": error, "at": 1}})
    check.validate({"event": {"n": 2, "type": "UPCALL", "name": "WPUPostMessage", "args": [1], "at": 1}})
    check.validate({"completion": {"n": 3, "token": "t", "error": error, "mechanism": "event", "at": 1}})
