# SPDX-License-Identifier: MIT
"""A kernel agent that is wrong in one known way, or several: `python mutant.py RULE[,RULE] --transport tcp`.

It runs the sound agent and changes what goes in or what comes out by one rule, so that the suite's own tests can see
the suite notice.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

Message = dict[str, Any]
requests: dict[int, Message] = {}
ended: set[int] = set()


def is_end(request: Message, reply: Message) -> bool:
    return request.get("op") == "recv" and reply.get("result", {}).get("length") == 0


def replaced(reply: Message, **by: Any) -> Message:
    return {"id": reply["id"], "call": reply["call"], **by}


def reset_told_as_end(request: Message, reply: Message) -> Message:
    if request.get("op") == "recv" and reply.get("error", {}).get("name") == "ECONNRESET":
        return replaced(reply, result={"length": 0, "data": ""})
    return reply


def end_told_as_reset(request: Message, reply: Message) -> Message:
    if is_end(request, reply):
        return replaced(reply, error={"name": "ECONNRESET", "code": 104})
    return reply


def end_not_told(request: Message, reply: Message) -> Message:
    if is_end(request, reply):
        time.sleep(request.get("wait_ms", 0) / 1000)  # as a stack that has lost the end would: nothing comes
        return {"id": reply["id"], "timeout": True, "call": [reply["call"][0], time.time_ns()]}
    return reply


def end_told_once(request: Message, reply: Message) -> Message:
    if is_end(request, reply):
        if request["socket"] in ended:
            return replaced(reply, error={"name": "ENOTCONN", "code": 107})
        ended.add(request["socket"])
    return reply


def last_byte_lost(request: Message, reply: Message) -> Message:
    data = base64.b64decode(reply.get("result", {}).get("data") or "")
    if request.get("op") == "recv" and len(data) > 1:
        return replaced(reply, result={"length": len(data) - 1, "data": base64.b64encode(data[:-1]).decode()})
    return reply


def first_byte_changed(request: Message, reply: Message) -> Message:
    data = bytearray(base64.b64decode(reply.get("result", {}).get("data") or ""))
    if request.get("op") == "recv" and data:
        data[0] ^= 1
        return replaced(reply, result={"length": len(data), "data": base64.b64encode(data).decode()})
    return reply


def hang_up_invented(request: Message, reply: Message) -> Message:
    events = reply.get("result", {}).get("events", [])
    if request.get("op") == "poll" and "RDHUP" in events:
        return replaced(reply, result={"events": [*events, "HUP"]})
    return reply


def shutdown_ignored(request: Message) -> Message:
    if request["op"] == "shutdown":
        return {"id": request["id"], "op": "names", "socket": request["socket"]}
    return request


def linger_ignored(request: Message) -> Message:
    return {**request, "on": False} if request["op"] == "set_linger" else request


def shutdown_resets(request: Message) -> Message:
    if request["op"] == "shutdown":
        return {"id": request["id"], "op": "close", "socket": request["socket"], "wait_ms": 1000}
    return request


def on_another_clock(request: Message, reply: Message) -> Message:
    if request.get("op") == "hello":
        reply["result"]["clock"] = "foreign"
    return {**reply, "call": [at + 10**15 for at in reply["call"]]} if "call" in reply else reply


def in_the_future(request: Message, reply: Message) -> Message:
    return {**reply, "call": [at + 10**10 for at in reply["call"]]} if "call" in reply else reply


def on_another_transport(request: Message, reply: Message) -> Message:
    if request.get("op") == "hello":
        reply["result"]["transport"] = "sctp"
    return reply


def crash_at_the_end(request: Message, reply: Message) -> Message:
    if is_end(request, reply):
        sys.stderr.write("a crash, as a stack might\n")
        raise SystemExit(70)
    return reply


def hang_at_the_end(request: Message, reply: Message) -> Message:
    if is_end(request, reply):
        time.sleep(3600)
    return reply


ON_REPLY: dict[str, Callable[[Message, Message], Message]] = {
    rule.__name__: rule
    for rule in (
        reset_told_as_end,
        end_told_as_reset,
        end_not_told,
        end_told_once,
        last_byte_lost,
        first_byte_changed,
        hang_up_invented,
        crash_at_the_end,
        hang_at_the_end,
        on_another_clock,
        in_the_future,
        on_another_transport,
    )
}
ON_REQUEST: dict[str, Callable[[Message], Message]] = {
    rule.__name__: rule for rule in (shutdown_ignored, linger_ignored, shutdown_resets)
}


def main() -> None:
    rules, arguments = sys.argv[1].split(","), sys.argv[2:]
    agent = subprocess.Popen(
        [sys.executable, "-m", "conformance.agents.kernel", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    assert agent.stdin and agent.stdout
    threading.Thread(target=forward, args=(rules, agent.stdin), daemon=True).start()
    for line in agent.stdout:
        reply = json.loads(line)
        for rule in rules:
            if "id" in reply and rule in ON_REPLY:
                reply = ON_REPLY[rule](requests.get(reply["id"], {}), reply)
        print(json.dumps(reply), flush=True)


def forward(rules: list[str], stdin: Any) -> None:
    for line in sys.stdin:
        request = json.loads(line)
        if request["op"] == "reset":
            ended.clear()
        requests[request["id"]] = request
        for rule in rules:
            if (changed := ON_REQUEST.get(rule)) is not None:
                request = changed(request)
        stdin.write(json.dumps(request) + "\n")
        stdin.flush()
    stdin.close()


if __name__ == "__main__":
    main()
