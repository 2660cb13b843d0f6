# SPDX-License-Identifier: MIT
"""An agent that does one wrong thing when it is to answer one operation: `python fake.py ATTACK OP [ARGUMENTS]`.

Everywhere else it is the sound agent for the kernel's sockets. What is not wrong but only odd is here too: such an
agent must be judged as any other.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from conformance.agents.kernel import __main__ as kernel
from conformance.agents.serving import program
from conformance.agents.serving.conversation import Conversation

Message = dict[str, Any]
Answer = Callable[[Message], None]
MIB = 1 << 20
FLOOD_S = 60
"""A flood that nobody ends ends then: a test that fails must not go on for ever."""


def write(octets: bytes, fd: int = 1) -> None:
    while octets:
        octets = octets[os.write(fd, octets) :]


def text(reply: Message) -> bytes:
    return json.dumps(reply).encode() + b"\n"


def grandchild() -> None:
    """A process of nobody's session that holds all pipes, and is deaf to what ends others politely."""
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        time.sleep(FLOOD_S)
        os._exit(0)


# --- wrong ------------------------------------------------------------------------------------------------------------


def dies(reply: Message, answer: Answer) -> None:
    write(b"assertion failed: lemma 3\n", 2)
    os._exit(7)


def is_killed(reply: Message, answer: Answer) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def dies_in_the_middle(reply: Message, answer: Answer) -> None:
    write(text(reply)[:9])
    os._exit(0)


def dies_and_leaves_a_child_with_the_pipes(reply: Message, answer: Answer) -> None:
    grandchild()
    os._exit(7)


def is_silent(reply: Message, answer: Answer) -> None:
    pass


def is_late(reply: Message, answer: Answer) -> None:
    time.sleep(7)
    answer(reply)


def stops_reading(reply: Message, answer: Answer) -> None:
    answer(reply)
    os.kill(os.getpid(), signal.SIGSTOP)


def closes_its_input(reply: Message, answer: Answer) -> None:
    os.close(0)
    answer(reply)
    time.sleep(FLOOD_S)


def closes_its_output(reply: Message, answer: Answer) -> None:
    os.close(1)
    time.sleep(FLOOD_S)


def answers_twice(reply: Message, answer: Answer) -> None:
    write(text(reply) * 2)


def answers_another(reply: Message, answer: Answer) -> None:
    answer({**reply, "id": reply["id"] + 1000})


def answers_an_old_one(reply: Message, answer: Answer) -> None:
    answer({**reply, "id": 0})


def merges_two_lines(reply: Message, answer: Answer) -> None:
    write(text(reply).rstrip() + text(reply))


def splits_a_line(reply: Message, answer: Answer) -> None:
    write(text(reply).replace(b", ", b",\n ", 1))


def says_five_mib(reply: Message, answer: Answer) -> None:
    answer({**reply, "padding": "x" * 5 * MIB})


def never_ends_its_line(reply: Message, answer: Answer) -> None:
    limit = time.monotonic() + FLOOD_S
    while time.monotonic() < limit:
        write(b" " * MIB)


def says_no_utf8(reply: Message, answer: Answer) -> None:
    write(text({**reply, "failure": "@"}).replace(b"@", b"\xff\xfe"))


def says_nan(reply: Message, answer: Answer) -> None:
    answer({"id": reply["id"], "result": {"length": float("nan")}, "call": [1, 2]})


def says_huge_numbers(reply: Message, answer: Answer) -> None:
    answer({**reply, "call": [10**40, 10**40]})


def nests_deeply(reply: Message, answer: Answer) -> None:
    write(b'{"id": %d, "result": ' % reply["id"] + b'{"a": ' * 200_000 + b"\n")


def nests_deeply_and_closes_it(reply: Message, answer: Answer) -> None:
    write(b'{"id": %d, "result": ' % reply["id"] + b'{"a": ' * 200_000 + b"1" + b"}" * 200_001 + b"\n")


def speaks_in_control_codes(reply: Message, answer: Answer) -> None:
    write(b"\x1b[2J\x1b[31m pass \x07\n")


def floods(reply: Message, answer: Answer) -> None:
    limit = time.monotonic() + FLOOD_S
    while time.monotonic() < limit:
        write(b'{"id": 0, "result": {}}\n' * 1000)


def floods_with_notices(reply: Message, answer: Answer) -> None:
    limit, n = time.monotonic() + FLOOD_S, 0
    while time.monotonic() < limit:
        n += 1
        write(text({"event": {"n": n, "socket": 1, "type": "FD_READ", "error": None, "at": time.time_ns()}}))


def reports_its_own_failure(reply: Message, answer: Answer) -> None:
    answer({"id": reply["id"], "failure": "out of cheese"})


def stepped(reply: Message, entered_ms: int, returned_ms: int) -> Message:
    entered, returned = reply["call"]
    return {**reply, "call": [entered + entered_ms * 1_000_000, returned + returned_ms * 1_000_000]}


def sets_its_clock_forward(reply: Message, answer: Answer) -> None:
    answer(stepped(reply, 50, 50))


def sets_its_clock_forward_in_the_call(reply: Message, answer: Answer) -> None:
    answer(stepped(reply, 0, 50))


def sets_its_clock_back(reply: Message, answer: Answer) -> None:
    answer(stepped(reply, -50, -50))


def sets_its_clock_back_in_the_call(reply: Message, answer: Answer) -> None:
    answer(stepped(reply, 0, -50))


def told_tomorrow(reply: Message, answer: Answer) -> None:
    at = time.time_ns() + 86_400 * 10**9
    write(text({"event": {"n": 1, "socket": 1, "type": "FD_CLOSE", "error": None, "at": at}}))
    answer(reply)


WRONG = {
    attack.__name__: attack
    for attack in (
        dies,
        is_killed,
        dies_in_the_middle,
        dies_and_leaves_a_child_with_the_pipes,
        is_silent,
        is_late,
        stops_reading,
        closes_its_input,
        closes_its_output,
        answers_twice,
        answers_another,
        answers_an_old_one,
        merges_two_lines,
        splits_a_line,
        says_five_mib,
        never_ends_its_line,
        says_no_utf8,
        says_nan,
        says_huge_numbers,
        nests_deeply,
        nests_deeply_and_closes_it,
        speaks_in_control_codes,
        floods,
        floods_with_notices,
        reports_its_own_failure,
        sets_its_clock_forward,
        sets_its_clock_forward_in_the_call,
        sets_its_clock_back,
        sets_its_clock_back_in_the_call,
        told_tomorrow,
    )
}


# --- odd --------------------------------------------------------------------------------------------------------------


def writes_octet_by_octet(reply: Message, answer: Answer) -> None:
    for octet in text(reply):
        write(bytes([octet]))


def is_wordy(reply: Message, answer: Answer) -> None:
    """Says much on standard error, all of it before it answers."""
    for _ in range(64):
        write(b"\x1b[31mall is lost\xff\n" * (MIB // 16), 2)
    answer(reply)


def is_wordy_for_ever(reply: Message, answer: Answer) -> None:
    def go_on() -> None:
        while True:
            write(b"and another thing: " * 500, 2)
            time.sleep(0.001)

    threading.Thread(target=go_on, daemon=True).start()
    answer(reply)


def has_children(reply: Message, answer: Answer) -> None:
    grandchild()
    answer(reply)


def is_deaf_to_signals(reply: Message, answer: Answer) -> None:
    answer(reply)


ODD = {
    attack.__name__: attack
    for attack in (writes_octet_by_octet, is_wordy, is_wordy_for_ever, has_children, is_deaf_to_signals)
}


def main(attack: str, point: str, arguments: list[str]) -> None:
    """Be an agent."""
    attacking = {**WRONG, **ODD}[attack]
    if attack == is_deaf_to_signals.__name__:
        for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_IGN)

    class Attacker(Conversation):
        def __init__(self, *given: Any) -> None:
            self._asked: dict[int, str] = {}
            super().__init__(*given)

        def take(self, line: bytes) -> bool:
            request = json.loads(line)
            self._asked[request["id"]] = request["op"]
            return super().take(line)

        def _write(self, message: Message) -> None:
            if self._asked.get(message.get("id", -1)) == point:
                attacking(message, super()._write)
            else:
                super()._write(message)

    setattr(program, "Conversation", Attacker)  # noqa: B010 (it is imported there, and not exported)
    kernel.main(arguments)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
