# SPDX-License-Identifier: MIT
"""A mutant between the suite and a sound agent: what each side is told, and what the process does when one breaks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.agents.mutating import Completion, Event, Message, Mutant, Outcome, Reply, Request, mutant
from conformance.agents.mutating.conversation import Mutated
from conformance.agents.mutating.mutants import load
from conformance.trace.conditions import canonical
from conformance.trace.events import ErrorValue

Line = dict[str, Any]


def made(function: Any, **more: Any) -> Mutant:
    return mutant(kills="IND-STREAM-01", over="kernel-tcp", **more)(function)


class Between:
    """A mutant, with a list in place of the suite and one in place of the sound agent."""

    def __init__(self, function: Any, family: str = "posix", **more: Any) -> None:
        self.asked: list[Line] = []
        self.told: list[Line] = []
        self.late: list[tuple[int, Callable[[], None]]] = []
        self._mutated = Mutated(
            made(function, **more),
            lambda line: self.asked.append(json.loads(line)),
            lambda line: self.told.append(json.loads(line)),
            lambda ms, do: self.late.append((ms, do)),
        )
        self.request(id=0, op="hello")
        self.answer(id=0, result={"family": family, "agent": {"name": "sound"}, "service_flags": ["GRACEFUL_CLOSE"]})
        self.hello = self.told.pop()["result"]
        self.asked.clear()

    def request(self, **line: Any) -> None:
        self._mutated.take_request(json.dumps(line).encode() + b"\n")

    def answer(self, **line: Any) -> None:
        self._mutated.take_answer(json.dumps(line).encode() + b"\n")

    def received(self, number: int, **answer: Any) -> Line:
        """What the suite is told of a receive that the sound agent so answers."""
        self.request(id=number, op="recv", socket=3, length=100, wait_ms=500)
        self.answer(id=number, **answer, call=[1, 2])
        return self.told[-1]


def same(message: Message) -> Message:
    """Nothing is wrong."""
    return message


def untouched(reply: Reply) -> Reply:
    """Nothing is wrong."""
    return reply


def test_hello_says_that_it_is_mutated_and_claims_what_the_mutant_claims() -> None:
    hello = Between(untouched, claims=("DISCONNECT_DATA",)).hello
    assert hello["agent"]["name"] == "sound, mutated: untouched"
    assert hello["service_flags"] == ["GRACEFUL_CLOSE", "DISCONNECT_DATA"]


def test_what_no_filter_changes_passes_as_it_is() -> None:
    between = Between(untouched)
    assert between.received(1, result={"length": 1, "data": "AA=="})["result"] == {"length": 1, "data": "AA=="}
    assert between.asked == [{"id": 1, "op": "recv", "socket": 3, "length": 100, "wait_ms": 500}]


@pytest.mark.parametrize(
    ("family", "name", "code"), [("posix", "ECONNRESET", 104), ("winsock-api", "WSAECONNRESET", None)]
)
def test_errors_are_named_as_the_family_names_them(family: str, name: str, code: int | None) -> None:
    def end_as_reset(outcome: Outcome) -> Outcome:
        """The end is told as a reset."""
        return outcome.as_error("ECONNRESET") if outcome.is_end else outcome

    between = Between(end_as_reset, family)
    assert between.received(1, result={"length": 0, "data": ""})["error"] == {"name": name, "code": code}
    assert between.received(2, result={"length": 1, "data": "AA=="})["result"]["length"] == 1


def test_a_reset_is_known_by_its_name_without_the_prefix() -> None:
    def reset_as_end(outcome: Outcome) -> Outcome:
        """A reset is told as the end."""
        return outcome.as_end() if outcome.is_reset else outcome

    told = Between(reset_as_end, "winsock-api").received(1, error={"name": "WSAECONNRESET", "code": 10054})
    assert told == {"id": 1, "call": [1, 2], "result": {"length": 0, "data": ""}}


@pytest.mark.parametrize(
    "asked", [{"op": "recv", "length": 0}, {"op": "recv", "length": 9, "flags": ["PEEK"]}, {"op": "send", "data": ""}]
)
def test_a_receive_of_nothing_a_peek_and_a_send_are_no_end(asked: Line) -> None:
    seen: list[bool] = []

    def look(reply: Reply) -> Reply:
        """It looks."""
        seen.append(reply.is_end)
        return reply

    between = Between(look)
    seen.clear()
    between.request(id=1, socket=3, **asked)
    between.answer(id=1, result={"length": 0}, call=[1, 2])
    assert seen == [False]


def test_a_request_can_be_answered_without_the_sound_agent() -> None:
    def ignored(request: Request) -> Request | Reply:
        """shutdown does nothing."""
        return request.succeed() if request.op == "shutdown" else request

    between = Between(ignored)
    between.request(id=1, op="shutdown", socket=3, how="send")
    assert between.asked == []
    assert (between.told[0]["id"], between.told[0]["result"]) == (1, {})


def test_the_replies_to_added_requests_are_not_passed_on() -> None:
    def hard(request: Request) -> Request | list[Request]:
        """Each close is a hard one."""
        if request.op != "close":
            return request
        return [request.instead("set_linger", on=True, seconds=0), request]

    between = Between(hard)
    between.request(id=1, op="close", socket=3)
    added, own = between.asked
    assert (added["op"], own["op"], own["id"]) == ("set_linger", "close", 1)
    between.answer(id=added["id"], result={}, call=[1, 2])
    between.answer(id=1, result={}, call=[1, 2])
    assert [line["id"] for line in between.told] == [1]


def test_a_request_can_be_made_twice_and_is_answered_once() -> None:
    def twice(request: Request) -> list[Request]:
        """Each call is made twice."""
        return [request, request]

    between = Between(twice)
    between.request(id=1, op="send", socket=3)
    added, own = between.asked
    assert added["id"] != own["id"] == 1
    for line in between.asked:
        between.answer(id=line["id"], result={"length": 1}, call=[1, 2])
    assert [line["id"] for line in between.told] == [1]


def test_an_abort_is_a_hard_close_and_may_be_made_later() -> None:
    def shutdown_aborts(request: Request) -> list[Request | Reply] | Request:
        """shutdown aborts, after a while."""
        if request.op != "shutdown":
            return request
        return [*(step.later(50) for step in request.abort()), request.succeed()]

    between = Between(shutdown_aborts)
    between.request(id=1, op="shutdown", socket=3, how="send")
    assert (between.asked, between.told[0]["id"]) == ([], 1)
    for ms, say in between.late:
        assert ms == 50
        say()
    linger, close = between.asked
    assert (linger["op"], linger["on"], linger["seconds"], close["op"]) == ("set_linger", True, 0, "close")


def test_notices_are_counted_anew_when_one_is_left_out_or_added() -> None:
    def twice_but_no_read(event: Event) -> list[Event] | None:
        """FD_CLOSE is told twice, FD_READ never."""
        return None if event.type == "FD_READ" else [event, event.as_error("ECONNRESET")]

    between = Between(twice_but_no_read)
    for n, kind in enumerate(["FD_READ", "FD_CLOSE"], 1):
        between.answer(event={"n": n, "socket": 3, "type": kind, "error": None, "at": 5})
    assert [(e["event"]["n"], e["event"]["error"]) for e in between.told] == [
        (1, None),
        (2, {"name": "ECONNRESET", "code": 104}),
    ]


def test_a_completion_knows_what_posted_it() -> None:
    def lost(completion: Completion) -> Completion:
        """A posted receive loses its last octet."""
        return completion.as_data(completion.data[:-1]) if completion.has_data else completion

    between = Between(lost)
    between.request(id=1, op="post_recv", socket=3, length=100)
    between.answer(id=1, result={"token": "r1"}, call=[1, 2])
    between.answer(
        completion={"n": 1, "token": "r1", "result": {"length": 2, "data": "AAE="}, "mechanism": "t", "at": 5}
    )
    told = between.told[-1]["completion"]
    assert (told["result"], told["n"], told["at"]) == ({"length": 1, "data": "AA=="}, 1, 5)


def test_a_completion_can_be_told_as_that_of_another_operation() -> None:
    def first(completion: Completion) -> Completion:
        """Whatever ends is told as the first."""
        return completion.but(token="r1")

    between = Between(first)
    for number in (1, 2):
        between.request(id=number, op="post_recv", socket=3, length=100)
        between.answer(id=number, result={"token": f"r{number}"}, call=[1, 2])
    between.answer(completion={"n": 1, "token": "r2", "result": {"length": 0, "data": ""}, "mechanism": "t", "at": 5})
    assert between.told[-1]["completion"]["token"] == "r1"


def test_a_completion_can_be_told_besides_a_reply() -> None:
    def queued(reply: Reply) -> list[Message]:
        """A call that fails completes, too."""
        return [reply, reply.completion(reply.error, token="unasked", mechanism="port")] if reply.error else [reply]

    between = Between(queued, "winsock-api")
    between.received(1, error={"name": "WSAESHUTDOWN", "code": 10058})
    reply, completion = between.told
    told = completion["completion"]
    assert reply["error"]["code"] == 10058
    assert (told["n"], told["token"], told["mechanism"]) == (1, "unasked", "port")
    assert told["error"] == {"name": "WSAESHUTDOWN", "code": None}


def test_a_receive_that_is_asked_again_is_answered_once() -> None:
    def twice(reply: Reply) -> Reply | Request:
        """What a receive takes first is lost."""
        return reply.request if reply.has_data and reply.nth("data") < 3 else reply

    between = Between(twice)
    between.request(id=1, op="recv", socket=3, length=100)
    for n in (1, 2, 3):
        between.answer(id=1, result={"length": 1, "data": ["AA==", "AQ==", "Ag=="][n - 1]}, call=[n, n])
    assert [line["id"] for line in between.asked] == [1, 1, 1]
    assert [line["result"]["data"] for line in between.told] == ["Ag=="]


@pytest.mark.parametrize(
    ("error", "word"),
    [
        ({"name": "WSAEDISCON", "code": 10101}, "end"),
        ({"name": "ConnectionClosedOK", "code": 1000}, "end"),
        ({"name": "ConnectionClosedError", "code": 1001}, "end"),
        ({"name": "ConnectionClosedError", "code": 1006}, "reset"),
        ({"name": "CloseConnection", "code": 1005}, "end"),
        ({"name": "CloseConnection", "code": 1006}, "reset"),
        ({"name": "ConnectionClosedError", "code": None}, "neither"),
        ({"name": "ConnectionResetError", "code": 104}, "reset"),
        ({"name": "StreamReset", "code": 0}, "reset"),
        ({"name": "ENOTCONN", "code": 107}, "neither"),
    ],
)
def test_the_words_of_libraries_are_known_as_the_oracle_knows_them(error: Line, word: str) -> None:
    seen: list[Reply] = []

    def look(reply: Reply) -> Reply:
        """It looks."""
        seen.append(reply)
        return reply

    Between(look).received(1, error=error)
    assert ("end" if seen[-1].is_end else "reset" if seen[-1].is_reset else "neither") == word
    condition = canonical(ErrorValue(error["name"], error["code"]))
    assert {"EDISCON": "end", "ECONNRESET": "reset"}.get(condition, "neither") == word


def test_memory_is_of_one_socket_and_ends_with_the_case() -> None:
    def once(reply: Reply) -> Reply:
        """The end is told once."""
        return reply.as_error("ENOTCONN") if reply.is_end and reply.nth("end") > 1 else reply

    between = Between(once)
    end = {"result": {"length": 0, "data": ""}}
    assert "result" in between.received(1, **end)
    assert "error" in between.received(2, **end)
    between.request(id=3, op="reset")
    between.answer(id=3, result={})
    assert "result" in between.received(4, **end)


def test_an_instance_of_a_class_lives_for_a_case() -> None:
    class Second:
        """The second receive fails, and closing is ignored."""

        def __init__(self) -> None:
            self._receives = 0

        def reply(self, reply: Reply) -> Reply:
            self._receives += reply.op == "recv"
            return reply.as_error("EIO") if self._receives == 2 else reply

        def request(self, request: Request) -> Request | Reply:
            return request.succeed() if request.op == "close" else request

    between = Between(Second)
    data = {"result": {"length": 1, "data": "AA=="}}
    assert ["error" in between.received(n, **data) for n in (1, 2, 3)] == [False, True, False]
    between.request(id=4, op="reset")
    assert ["error" in between.received(n, **data) for n in (5, 6)] == [False, True]
    between.request(id=7, op="close", socket=3)
    assert between.told[-1]["result"] == {}


@pytest.mark.parametrize("name", ["fin_told_twice", "FinToldTwice"])
def test_a_class_is_named_as_a_function_would_be(name: str) -> None:
    made_of = type(name, (), {"__doc__": "It is told twice.", "__module__": __name__})
    assert mutant(kills="IND-STREAM-01", over="kernel-tcp")(made_of).name == "fin_told_twice"


def test_what_is_late_has_the_times_of_then_and_is_not_said_after_a_reset() -> None:
    def never(reply: Reply) -> Reply:
        """A receive waits until its time is over."""
        return reply.as_nothing() if reply.is_end else reply

    between = Between(never)
    between.told.append({})
    between.received(1, result={"length": 0, "data": ""})
    (ms, say), before = between.late.pop(), len(between.told)
    assert ms == 500
    say()
    told = between.told[-1]
    assert len(between.told) == before + 1
    assert (told["timeout"], told["call"][0]) == (True, 1)
    assert told["call"][1] > 2
    between.received(2, result={"length": 0, "data": ""})
    between.request(id=3, op="reset")
    count = len(between.told)
    between.late.pop()[1]()
    assert len(between.told) == count


def test_a_request_can_be_made_later_and_with_other_octets() -> None:
    def cut_and_late(request: Request) -> Request:
        """What is sent loses its last octet, and a little time."""
        return request.with_data(request.data[:-1]).later(5)

    between = Between(cut_and_late)
    between.request(id=1, op="send", socket=3, data="AAE=")
    assert between.asked == []
    ms, make = between.late.pop()
    make()
    assert (ms, between.asked) == (5, [{"id": 1, "op": "send", "socket": 3, "data": "AA=="}])


# --- how a mutant is written ----------------------------------------------------------------------------------------


def test_a_mutant_says_what_it_does_wrong_and_what_it_changes() -> None:
    def silent(reply: Reply) -> Reply:
        return reply

    def vague(anything: Message) -> Message:
        """It changes anything."""
        return anything

    with pytest.raises(ValueError, match="silent: expected a docstring"):
        made(silent)
    with pytest.raises(ValueError, match="vague: 'anything' is none of request, reply"):
        made(vague)


# --- the process ----------------------------------------------------------------------------------------------------

MUTANTS = '''
from conformance.agents.mutating import mutant

@mutant(kills="IND-STREAM-01", over="kernel-tcp")
def renamed(reply):
    """A socket has another number."""
    return reply.as_result(socket=9) if reply.op == "socket" else reply

@mutant(kills="IND-STREAM-01", over="kernel-tcp")
def broken(reply):
    """It cannot do what it wants to."""
    return reply.no_such_thing
'''
KERNEL = [sys.executable, "-m", "conformance.agents.kernel"]
ASKED = [
    {"id": 0, "op": "hello", "protocol": 1, "suite": "1"},
    {"id": 1, "op": "socket", "family": "inet", "kind": "stream"},
    {"id": 2, "op": "bye"},
]


def talk(tmp_path: Path, name: str, command: list[str]) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "mutants.py"
    file.write_text(MUTANTS)
    return subprocess.run(
        [sys.executable, "-m", "conformance.agents.mutating", str(file), name, "--", *command],
        input="".join(json.dumps(line) + "\n" for line in ASKED),
        capture_output=True,
        text=True,
        timeout=30,
    )


@pytest.mark.parametrize("command", [KERNEL, ["env", *KERNEL]], ids=["forked", "started"])
def test_any_command_is_a_sound_agent(tmp_path: Path, command: list[str]) -> None:
    ended = talk(tmp_path, "renamed", command)
    assert ended.returncode == 0, ended.stderr
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [line["result"].get("socket") for line in lines] == [None, 9, None]


@pytest.mark.parametrize(
    ("name", "command", "status", "said"),
    [
        ("broken", KERNEL, 70, "no_such_thing"),
        ("renamed", [sys.executable, "-c", "raise SystemExit(3)"], 3, ""),
        ("renamed", [*KERNEL, "--transport", "pigeon"], 1, "pigeon"),
        ("renamed", ["./no-such-program"], 1, "no-such-program"),
        ("unknown", KERNEL, 1, "no mutant 'unknown'"),
    ],
)
def test_what_breaks_ends_the_agent_and_says_why(
    tmp_path: Path, name: str, command: list[str], status: int, said: str
) -> None:
    ended = talk(tmp_path, name, command)
    assert ended.returncode == status
    assert said in ended.stderr


def test_mutants_are_those_of_the_file_itself(tmp_path: Path) -> None:
    (tmp_path / "mutants.py").write_text(MUTANTS)
    found = load(str(tmp_path / "mutants.py"))
    assert list(found) == ["renamed", "broken"]
    assert found["renamed"].says == "A socket has another number."
