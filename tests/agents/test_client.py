# SPDX-License-Identifier: MIT
"""The client against miniature agents, each wrong in one way: the problem is told, its line shown, nothing hangs."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.agents import client
from conformance.agents.client import Agent
from conformance.agents.launching import SubprocessLauncher
from conformance.agents.problems import (
    AgentDied,
    AgentProblem,
    AgentRefused,
    AgentSilent,
    LaunchFailure,
    ProtocolViolation,
    SomethingMissing,
)
from conformance.agents.protocol import EventNotice
from conformance.agents.transports import ProcessTransport, TcpTransport
from conformance.trace.events import ErrorValue, Outcome

GOOD = "hello()\nfor r in asked: answer(r, result={'socket': 5}, call=[1, 2])\n"
EVENT = "{'event': {'n': %d, 'socket': 1, 'type': 'FD_CLOSE', 'error': None, 'at': 1}}"


def make(agent: Agent, **arguments: Any) -> Any:
    return agent.request("socket", family="inet", kind="stream", deadline_s=5, **arguments)


# --- what goes well -------------------------------------------------------------------------------------------------


def test_a_request_and_its_reply(fake: Any, start: Any) -> None:
    reply = make(start(fake(GOOD)))
    assert (reply.outcome, reply.result, reply.call) == (Outcome.RESULT, {"socket": 5}, (1, 2))


def test_replies_out_of_order(fake: Any, start: Any) -> None:
    agent = start(
        fake("""
hello()
held = [next(asked) for _ in range(3)]
for r in reversed(held):
    answer(r, error={"name": f"E{r['id']}"}, call=[1, 2])
""")
    )
    ids = [agent.submit("socket", family="inet", kind="stream") for _ in range(3)]
    assert [agent.reply(i).error for i in ids] == [ErrorValue(f"E{i}") for i in ids]


def test_lines_in_pieces_and_several_in_one_write(fake: Any, start: Any) -> None:
    agent = start(
        fake(
            """
hello()
one, two = next(asked), next(asked)
for r in (one, two):
    text = json.dumps({"id": r["id"], "result": {"socket": r["id"]}, "call": [1, 2]}) + "\\n"
    for c in text if r is one else [text + json.dumps({"event": %s["event"]}) + "\\n"]:
        os.write(1, c.encode())
"""
            % (EVENT % 1)
        )
    )
    ids = [agent.submit("socket", family="inet", kind="stream") for _ in range(2)]
    assert [agent.reply(i).result for i in ids] == [{"socket": i} for i in ids]
    assert agent.wait_notice(5)
    assert [notice.n for notice in agent.take_notices()] == [1]
    assert agent.take_notices() == []


def test_notices_are_kept_while_a_reply_is_awaited(fake: Any, start: Any) -> None:
    agent = start(
        fake(
            f"hello()\nr = next(asked)\nsay(json.dumps({EVENT % 1}))\nsay(json.dumps({EVENT % 2}))\n"
            "answer(r, result={'socket': 1}, call=[1, 1])\nnext(asked)\n"
        )
    )
    make(agent)
    notices = agent.take_notices()
    assert [notice.n for notice in notices] == [1, 2]
    assert isinstance(notices[0], EventNotice)
    assert notices[0].error is None
    assert not agent.wait_notice(0)


def test_one_request_at_a_time_where_the_agent_asks_for_it(fake: Any, start: Any) -> None:
    # The fake looks whether anything more is there to read before it answers: it must not be.
    agent = start(
        fake("""
import select
line = os.read(0, 65536)
answer(json.loads(line), result={**HELLO, "concurrent": False})
while True:
    lines = os.read(0, 65536).splitlines()
    more = len(lines) - 1 + len(select.select([0], [], [], 0)[0])
    answer(json.loads(lines[0]), result={"socket": more}, call=[1, 2])
""")
    )
    ids = [agent.submit("socket", family="inet", kind="stream") for _ in range(4)]
    assert [agent.reply(i).result for i in ids] == [{"socket": 0}] * 4


def test_a_large_request_to_an_agent_that_speaks_first(fake: Any, start: Any) -> None:
    # Each side's pipe is full before either reads: the client reads while it writes.
    agent = start(
        fake("""
hello()
for n in range(1, 3001):
    say(json.dumps({"event": {"n": n, "socket": 1, "type": "FD_READ", "error": None, "at": n}}))
for r in asked:
    answer(r, result={"length": len(r["data"])}, call=[1, 2])
""")
    )
    reply = agent.request("send", socket=1, data=bytes(2_000_000))
    assert reply.result == {"length": 2_666_668}
    assert len(agent.take_notices()) == 3000


def test_bye_and_exit(fake: Any, start: Any) -> None:
    agent = start(fake("hello()\nanswer(next(asked), result={})\n"))
    agent.bye()
    assert not agent.alive
    with pytest.raises(AgentDied):
        make(agent)


def test_standard_error_is_kept_and_never_blocks_the_agent(fake: Any, start: Any) -> None:
    agent = start(
        fake("""
hello()
r = next(asked)
sys.stderr.write("x" * 4_000_000 + "the end")
sys.stderr.flush()
answer(r, result={"socket": 1}, call=[1, 2])
answer(next(asked), result={})
""")
    )
    make(agent)
    agent.bye()
    tail = agent.stderr_tail()
    assert len(tail) == 65536
    assert tail.endswith("xthe end")


def test_a_misspelt_argument_is_the_callers_mistake(fake: Any, start: Any) -> None:
    agent = start(fake(GOOD))
    with pytest.raises(TypeError, match="lenght"):
        agent.submit("recv", socket=1, lenght=1)
    with pytest.raises(KeyError):
        agent.reply(77)
    assert make(agent).result == {"socket": 5}


# --- what does not start ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "says"),
    [(["/nowhere/agent"], "no such program"), (["/etc/passwd"], "may not be executed"), ([], "empty")],
)
def test_commands_that_do_not_start(command: list[str], says: str) -> None:
    with pytest.raises(LaunchFailure, match=says) as failure:
        Agent.start(ProcessTransport(SubprocessLauncher(), command))
    assert failure.value.hint


def test_an_address_where_nobody_listens(unused_port: int) -> None:
    with pytest.raises(LaunchFailure, match="refused"):
        Agent.start(TcpTransport(f"tcp://127.0.0.1:{unused_port}"))


@pytest.mark.parametrize("url", ["tcp://host", "http://host:1", "tcp://host:port", "tcp://:7", "host:7"])
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(LaunchFailure, match="not an address"):
        TcpTransport(url)


@pytest.mark.parametrize(
    ("body", "problem", "says"),
    [
        ("sys.stderr.write('no licence'); sys.exit(3)", AgentDied, r"exit status 3\)(.|\n)*no licence"),
        ("os.kill(os.getpid(), 11)", AgentDied, "killed by SIGSEGV"),
        ("say('Welcome!')", ProtocolViolation, r"not JSON(.|\n)*Welcome!"),
        ("hello(protocol=2)", ProtocolViolation, r"\$\.result\.protocol"),
        ("hello(family='berkeley')", ProtocolViolation, r"\$\.result\.family"),
        ("hello(limits={})", ProtocolViolation, r"\$\.result\.limits"),
        ("answer(next(asked), failure='not today')", AgentRefused, "not today"),
        ("answer(next(asked), unsupported='hello')", AgentRefused, "unsupported"),
        ("os.close(1); next(asked); next(asked)", AgentDied, "closed its standard output, but still runs"),
    ],
)  # fmt: skip
def test_a_beginning_that_goes_wrong(fake: Any, start: Any, body: str, problem: type[AgentProblem], says: str) -> None:
    with pytest.raises(problem, match=says):
        start(fake(body + "\n"))


def test_a_silent_agent(fake: Any, start: Any) -> None:
    with pytest.raises(AgentSilent, match="no reply to `hello`"):
        start(fake("next(asked)\nnext(asked)\n"), deadline_s=0.2)


# --- what goes wrong later --------------------------------------------------------------------------------------------

WRONG = {
    "an unknown id": ("say('{\"id\": 99, \"result\": {}}')", "never made"),
    "a repeated id": ("answer(r, result={'socket': 1}, call=[1, 2]); answer(r, result={'socket': 1}, call=[1, 2])",
                      "second reply|answered already"),
    "an id answered before": ("answer({'id': 0}, result={})", "answered already"),
    "two replies in one": ("answer(r, result={}, timeout=True, call=[1, 2])", "exactly one of .* result and timeout"),
    "no reply in one": ("answer(r, call=[1, 2])", "exactly one of .* none"),
    "no id": ("say('{\"result\": {}}')", "neither a reply"),
    "no times": ("answer(r, result={'socket': 1})", r"\$\.call"),
    "times that run backwards": ("answer(r, result={'socket': 1}, call=[2, 1])", "1 ns before"),
    "times in seconds": ("answer(r, result={'socket': 1}, call=[1.5, 2.5])", r"\$\.call\[0\]"),
    "an error without a name": ("answer(r, error={'code': 104}, call=[1, 2])", r"`name` - at `\$\.error`"),
    "an error with an empty name": ("answer(r, error={'name': ''}, call=[1, 2])", r"\$\.error\.name"),
    "an error with a wrong name": ("answer(r, error={'name': 104}, call=[1, 2])", r"\$\.error\.name"),
    "an unknown member": ("answer(r, result={'socket': 1}, call=[1, 2], time=3)", "unknown field `time`"),
    "a result of another operation": ("answer(r, result={'length': 1}, call=[1, 2])", r"`socket` - at `\$\.result`"),
    "a timeout that is false": ("answer(r, timeout=False, call=[1, 2])", "always true"),
    "not JSON": ("say('segfault imminent')", "not JSON"),
    "not an object": ("say('[1, 2]')", r"got `array` - at `\$`"),
    "an empty line": ("say('')", "not JSON"),
    "NaN": ("say('{\"id\": 1, \"result\": {\"socket\": NaN}}')", "not JSON"),
    "not UTF-8": ("os.write(1, b'{\"id\": 1, \"failure\": \"\\xff\"}\\n')", "not UTF-8: octet 0xff at position 22"),
    "nested too deeply": ("say('{\"id\": 1, \"result\": ' + '{\"a\": ' * 100_000)", "nested too deeply"),
    "5 MiB in one line": ("os.write(1, b' ' * (5 << 20))", "4194304 are allowed"),
    "5 MiB in one line, ended": ("say('{\"id\": 1, \"failure\": \"' + 'x' * (5 << 20) + '\"}')", "4194304 are allowed"),
    "a first notice that is not 1": (f"say(json.dumps({EVENT % 2}))", "notice 2 after notice 0"),
    "a gap in n": (f"say(json.dumps({EVENT % 1})); say(json.dumps({EVENT % 3}))", "notice 3 after notice 1"),
    "a repeated n": (f"say(json.dumps({EVENT % 1})); say(json.dumps({EVENT % 1}))", "notice 1 after notice 1"),
    "an event without error": ("say('{\"event\": {\"n\": 1, \"socket\": 1, \"type\": \"END\", \"at\": 1}}')",
                               r"\$\.event\.error"),
    "an event of unknown type": ("say('{\"event\": {\"n\": 1, \"socket\": 1, \"type\": \"FD_CLOES\", \"at\": 1}}')",
                                 r"\$\.event\.type"),
    "a completion without outcome": (
        "say('{\"completion\": {\"n\": 1, \"token\": \"r\", \"mechanism\": \"event\", \"at\": 1}}')",
        "exactly one of `result` and `error`"),
    "a notice and a reply in one": ("say('{\"id\": 1, \"event\": {\"n\": 1, \"socket\": 1, \"type\": \"END\", "
                                    "\"error\": null, \"at\": 1}}')", r"\$\.id"),
}  # fmt: skip


@pytest.mark.parametrize("what", list(WRONG))
def test_a_line_that_is_wrong(fake: Any, start: Any, what: str) -> None:
    body, says = WRONG[what]
    agent = start(fake(f"hello()\nr = next(asked)\n{body}\nnext(asked)\n"))
    with pytest.raises(ProtocolViolation, match=says) as violation:
        make(agent)
        agent.wait_notice(5)
    assert violation.value.hint
    assert violation.value.agent == agent.name
    assert len(violation.value.line) < 400
    assert not agent.alive
    with pytest.raises(ProtocolViolation, match=says):
        make(agent)


@pytest.mark.parametrize(
    ("result", "says"),
    [
        ({"length": 3, "data": "QQ=="}, "`length` is 3, but `data` has 1"),
        ({"length": 1, "data": "QQ"}, "not base64"),
        ({"length": 1}, "neither `data` nor `sha256`"),
        ({"length": 1, "sha256": "abc"}, r"\$\.result\.sha256"),
        ({"length": -1, "data": ""}, r"\$\.result\.length"),
    ],
)
def test_a_receive_that_contradicts_itself(fake: Any, start: Any, result: dict[str, Any], says: str) -> None:
    agent = start(fake(f"hello()\nr = next(asked)\nanswer(r, result={result}, call=[1, 2])\nnext(asked)\n"))
    with pytest.raises(ProtocolViolation, match=says):
        agent.request("recv", socket=1, length=10)


def test_what_came_before_the_problem_is_kept(fake: Any, start: Any) -> None:
    agent = start(
        fake(
            f"hello()\na, b = next(asked), next(asked)\nsay(json.dumps({EVENT % 1}))\n"
            "answer(a, result={'socket': 3}, call=[1, 2])\nsay('oops')\nnext(asked)\n"
        )
    )
    first, second = (agent.submit("socket", family="inet", kind="stream") for _ in range(2))
    with pytest.raises(ProtocolViolation):
        agent.reply(second)
    assert agent.reply(first).result == {"socket": 3}
    assert [notice.n for notice in agent.take_notices()] == [1]


def test_death_while_a_call_is_open(fake: Any, start: Any) -> None:
    agent = start(
        fake("""
hello()
next(asked)
os.write(2, b"assertion failed")
os.write(1, b'{"id"')
os._exit(134)
""")
    )
    with pytest.raises(AgentDied, match="`socket` waited") as death:
        make(agent)
    assert death.value.status == 134
    assert "not finished" in death.value.why
    assert death.value.line == '{"id"'
    assert death.value.stderr == "assertion failed"


def test_an_answer_after_the_deadline_is_no_answer(fake: Any, start: Any) -> None:
    agent = start(fake("hello()\nlate = next(asked)\nnext(asked)\nanswer(late, result={'socket': 1}, call=[1, 2])\n"))
    request = agent.submit("socket", family="inet", kind="stream")
    with pytest.raises(AgentSilent, match=r"`socket` \(request 1\) within 0.1 s"):
        agent.reply(request, deadline_s=0.1)
    assert not agent.alive


def test_a_reply_from_before_the_reset(fake: Any, start: Any) -> None:
    agent = start(
        fake("""
hello()
old, reset = next(asked), next(asked)
answer(reset, result={})
next(asked)
answer(old, timeout=True, call=[1, 2])
next(asked)
""")
    )
    agent.submit("socket", family="inet", kind="stream")
    agent.reset()
    with pytest.raises(ProtocolViolation, match="before the last reset"):
        make(agent)


def test_a_reply_from_before_the_reset_in_the_same_breath(fake: Any, start: Any) -> None:
    agent = start(
        fake("""
hello()
old, reset = next(asked), next(asked)
lines = [{"id": reset["id"], "result": {}}, {"id": old["id"], "timeout": True, "call": [1, 2]}]
os.write(1, "".join(json.dumps(line) + "\\n" for line in lines).encode())
next(asked)
""")
    )
    agent.submit("socket", family="inet", kind="stream")
    with pytest.raises(ProtocolViolation, match="before the last reset"):
        agent.reset()


def test_what_a_reset_forgets(fake: Any, start: Any) -> None:
    agent = start(
        fake(f"""
hello()
answered, _, reset, later = (next(asked) for _ in range(4))
answer(answered, result={{"socket": 1}}, call=[1, 2])
say(json.dumps({EVENT % 1}))
answer(reset, result={{}})
answer(later, result={{"socket": 2}}, call=[1, 2])
next(asked)
""")
    )
    old = [agent.submit("socket", family="inet", kind="stream") for _ in range(2)]
    reset = agent.submit("reset")
    later = agent.submit("socket", family="inet", kind="stream")
    assert agent.reply(reset).result == {}
    assert agent.take_notices() == []
    assert agent.reply(later).result == {"socket": 2}
    for request in old:
        with pytest.raises(KeyError):
            agent.reply(request)


def test_a_reset_that_is_refused(fake: Any, start: Any) -> None:
    agent = start(fake("hello()\nanswer(next(asked), error={'name': 'EBUSY'}, call=[1, 2])\nnext(asked)\n"))
    with pytest.raises(AgentRefused, match="EBUSY"):
        agent.reset()


@pytest.mark.parametrize(
    ("body", "problem", "says"),
    [
        ("say('goodbye!')", ProtocolViolation, "output after the reply to bye"),
        ("os.write(1, b'goodb')", ProtocolViolation, "output after the reply to bye"),
        ("sys.exit(4)", AgentDied, "exit status 4 after bye"),
        ("time.sleep(60)", AgentSilent, "has not ended"),
    ],
)
def test_a_parting_that_goes_wrong(fake: Any, start: Any, body: str, problem: type[AgentProblem], says: str) -> None:
    agent = start(fake(f"hello()\nanswer(next(asked), result={{}})\n{body}\n"))
    with pytest.raises(problem, match=says):
        agent.bye(deadline_s=0.5 if problem is AgentSilent else 10)


def test_an_agent_that_ignores_sigterm_is_ended_all_the_same(fake: Any, start: Any) -> None:
    agent = start(
        fake("import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nhello()\nwhile True: time.sleep(60)\n")
    )
    agent.kill()
    agent.close()
    assert not agent.alive


def test_an_agent_that_does_not_read(fake: Any, start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_WRITE_DEADLINE_S", 0.2)
    agent = start(fake("hello()\ntime.sleep(60)\n"))
    with pytest.raises(AgentSilent, match="has not read a request of"):
        agent.submit("send", socket=1, data=bytes(1_000_000))


def test_a_flood_of_notices_ends(fake: Any, start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_NOTICES", 1000)
    agent = start(
        fake("""
hello()
n = 0
while n := n + 1:
    say(json.dumps({"event": {"n": n, "socket": 1, "type": "FD_READ", "error": None, "at": n}}))
""")
    )
    with pytest.raises(ProtocolViolation, match="a flood"):
        make(agent)


def test_a_flood_does_not_outlast_the_deadline(fake: Any, start: Any) -> None:
    agent = start(
        fake("""
hello()
n = 0
while n := n + 1:
    say(json.dumps({"event": {"n": n, "socket": 1, "type": "FD_READ", "error": None, "at": n}}))
""")
    )
    request = agent.submit("socket", family="inet", kind="stream")
    with pytest.raises(AgentSilent):
        agent.reply(request, deadline_s=0.05)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("sys.stderr.write('no library\\ninstall it\\n'); sys.exit(69)", SomethingMissing),
        ("sys.exit(69)", AgentDied),
        ("sys.stderr.write('no library\\ninstall it\\n'); sys.exit(1)", AgentDied),
    ],
)
def test_only_status_69_says_that_something_is_missing(
    fake: Any, start: Any, body: str, problem: type[AgentProblem]
) -> None:
    with pytest.raises(problem) as caught:
        start(fake(body))
    if problem is SomethingMissing:
        assert str(caught.value) == "no library\n  hint: install it"


def test_status_69_in_the_middle_of_a_life_is_a_death(fake: Any, start: Any) -> None:
    agent = start(fake("hello(); next(asked); sys.stderr.write('no library\\n'); sys.exit(69)"))
    with pytest.raises(AgentDied):
        agent.request("socket", family="inet", kind="stream")
