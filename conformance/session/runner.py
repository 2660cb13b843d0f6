# SPDX-License-Identifier: MIT
"""One pytest session of the suite: meets the providers, plans and starts the cases, hands their results over.

Under xdist each worker is such a session of its own with its own stage; the controller collects and reports.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from conformance.agents.problems import AgentProblem
from conformance.execution import planning, running
from conformance.execution import profile as profiles
from conformance.execution.mutation import BadMutant
from conformance.execution.profile import BadProfile, Profile
from conformance.execution.running import Case, Provider
from conformance.execution.scheduling import BUSY_THREADS, Ahead, share
from conformance.execution.stage import Stage
from conformance.oracle.results import CaseResult, ProviderRun, judge_case
from conformance.oracle.verdicts import Verdict
from conformance.reporting.baseline import BadBaseline, Baseline
from conformance.reporting.control import control_of
from conformance.reporting.gating import excuses
from conformance.session.baselining import applied
from conformance.session.controlling import Controlling, mutation_of
from conformance.session.interrupting import LastWords
from conformance.trace.events import End
from conformance.trace.trace import Trace
from conformance.wire.errors import TopologyUnavailable
from conformance.wire.topology import PRIVATE, REMOTE, TOPOLOGIES

if TYPE_CHECKING:
    from conformance.session.allure import Allure
    from conformance.session.collector import Collector

DEFAULT_PROVIDERS = (
    "kernel-tcp",
    "kernel-tcp6",
    "unix-stream",
    "unix-seqpacket",
    "reference",
    "reference-pseudo-stream",
    "reference-stream",
)
"""The ones that need nothing installed."""

CASE = pytest.StashKey[Case]()
RESULT = pytest.StashKey[CaseResult]()
_FIXTURES = ("connection", "ends")


def register(config: pytest.Config) -> None:
    """Set the session up: in every process one that runs cases or one that collects results, or one that does both."""
    topology = config.getoption("--topology")
    if topology and topology not in TOPOLOGIES:
        raise pytest.UsageError(f"no topology {topology!r}; there are {', '.join(TOPOLOGIES)}")
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    distributes = worker is None and bool(config.getoption("tx", None))
    output = Path(worker["output"] if worker else config.getoption("--shutdown-output") or _default_output(config))
    config.pluginmanager.register(LastWords(), "shutdown-last-words")
    try:
        runner, collector, baseline = _parts(config, topology, output, worker)
        if not distributes:
            config.pluginmanager.register(runner(), "shutdown-runner")
        if worker is None:
            config.pluginmanager.register(collector(), "shutdown-collector")
    except (BadProfile, BadMutant, BadBaseline) as problem:
        raise pytest.UsageError(f"{problem}\nhint: {problem.hint}") from None
    if distributes:
        from conformance.session.distributor import Distributor

        config.pluginmanager.register(Distributor(output, baseline), "shutdown-distributor")


def _parts(
    config: pytest.Config, topology: str, output: Path, worker: dict[str, Any] | None
) -> tuple[Callable[[], Runner], Callable[[], Collector], Baseline | None]:
    """What runs and what collects: the implementations that were asked for, or mutants of them; and the baseline."""
    from conformance.session.collector import Collector

    if config.getoption("--shutdown-mutant"):
        from conformance.session.trials import Tallier, Trials, plan_of

        plan = plan_of(config)
        return lambda: Trials(config, plan, topology, output), lambda: Tallier(config, plan, output), None
    found = profiles.find_all(config.getoption("--provider") or DEFAULT_PROVIDERS)
    baseline = msgspec.convert(worker["baseline"], Baseline | None) if worker else _baseline(config, found)
    return (
        lambda: Runner(config, found, topology, output, baseline),
        lambda: Collector(config, output, baseline),
        baseline,
    )


def _default_output(config: pytest.Config) -> Path:
    return config.invocation_params.dir / "reports" / time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())


def _baseline(config: pytest.Config, providers: Collection[str]) -> Baseline | None:
    file, update = config.getoption("--shutdown-baseline"), bool(config.getoption("--shutdown-update-baseline"))
    if update and not file:
        raise pytest.UsageError("--shutdown-update-baseline needs --shutdown-baseline FILE, which it writes")
    return applied(Path(file), providers, update=update) if file else None


class CutShort(Exception):
    """The session ended while the case ran: what was seen of it is nobody's fault, and no evidence."""


class Runner:
    """Runs the cases of this process."""

    kept_in = "evidence"
    """The folder of the evidence, below the output."""
    threads = BUSY_THREADS
    """For cases that are not expected to wait."""

    def __init__(
        self,
        config: pytest.Config,
        profiles: dict[str, Profile],
        topology: str,
        output: Path,
        baseline: Baseline | None = None,
    ) -> None:
        self.config = config
        self.profiles = profiles
        self.topology = topology
        self.output = output
        self.baseline = baseline
        self.stage = Stage()
        self.providers: dict[str, Provider] = {}
        self.problems: dict[str, str] = {}
        self.stopping = False
        self.introduced = False
        self.unwritable = ""
        self.ahead: Ahead[tuple[CaseResult, Trace]] = Ahead(self._run, self.threads)
        self.control = self._control()
        self.allure: Allure | None = None
        if config.pluginmanager.has_plugin("allure_listener"):  # there is --alluredir
            from conformance.session.allure import Allure

            self.allure = Allure(config, output)

    def _control(self) -> Controlling | None:
        """The negative control, if this is a session that has one."""
        made = mutation_of(self.config.getoption("--shutdown-control"))
        worker = getattr(self.config, "workerinput", {}).get("workerid", "")
        return Controlling(made, self.stage, lambda case: self._judged(case, f"evidence/control/{worker}")[0])

    # --- planning -------------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """Meet the providers, before the first case is planned for them."""
        self._meet_all(self.profiles.values())

    def _meet_all(self, profiles: Collection[Profile]) -> None:
        """Meet them side by side."""
        with ThreadPoolExecutor(len(profiles)) as pool:
            for profile, answer in zip(profiles, pool.map(self._meet, profiles), strict=True):
                if isinstance(answer, Provider):
                    self.providers[profile.name] = answer
                else:
                    self.problems[profile.name] = answer
        if (collector := self.config.pluginmanager.get_plugin("shutdown-collector")) is not None:
            collector.met({name: provider.statement for name, provider in self.providers.items()})

    def _topology_of(self, profile: Profile) -> str:
        """The one that was asked for; else the link that the profile names, if it names one."""
        return self.topology or (REMOTE if profile.remote else "loopback")

    def _meet(self, profile: Profile) -> Provider | str:
        for unprepared in self.config.getoption("--shutdown-unprepared"):
            name, _, why = unprepared.partition("=")
            if name == profile.name:
                return str(why)
        try:
            return planning.meet(profile, self.stage, self._topology_of(profile))
        except TopologyUnavailable as problem:
            needy = self._topology_of(profile) in PRIVATE
            return f"{problem}; --topology host needs nothing" if needy and not profile.agent.connect else str(problem)
        except (AgentProblem, BadProfile) as problem:
            return str(problem)

    @pytest.hookimpl(tryfirst=True)
    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Give each case to each provider, in one role or in both."""
        fixture = next((name for name in _FIXTURES if name in metafunc.fixturenames), None)
        if fixture is None or not self.providers:
            return
        roles = [End.IUT, End.PEER] if metafunc.definition.get_closest_marker("both_roles") else [End.IUT]
        if not (names := self._given(metafunc.definition)):
            return
        given = [(name, client) for name in names for client in roles]
        ids = [name if client is End.IUT else f"{name}-accepting" for name, client in given]
        metafunc.parametrize(fixture, given, ids=ids, indirect=False)

    def _given(self, case: pytest.Function) -> list[str]:
        """The providers that a case is made for, in whatever variant."""
        return list(self.providers)

    def _wants(self, provider: Provider, exercises: Collection[str]) -> bool:
        """Whether the provider is to be shown what exercises these requirements."""
        return True

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out what does not apply to the provider, and prepare the rest, one provider after the other."""
        planned, left_out = [], []
        for item in items:
            case = self._case(item) if isinstance(item, pytest.Function) else None
            if case is None:
                left_out.append(item)
            else:
                item.stash[CASE] = case
                planned.append(item)
        order = list(self.providers)
        items[:] = sorted(planned, key=lambda item: order.index(item.stash[CASE].provider.name))
        if left_out:
            config.hook.pytest_deselected(items=left_out)

    def _case(self, item: pytest.Function) -> Case | None:
        arguments: dict[str, Any] = dict(item.callspec.params) if hasattr(item, "callspec") else {}
        fixture = next((fixture for fixture in _FIXTURES if fixture in arguments), None)
        if fixture is None:
            return None
        name, client = arguments.pop(fixture)
        provider = self.providers[name]
        exercises = _marked(item, "exercises")
        if item.get_closest_marker("thorough") and not _asks_for_thorough(self.config):
            return None
        conditions, probes = _marked(item, "where"), _marked(item, "probes")
        if not self._wants(provider, exercises):
            return None
        if not planning.is_planned(provider.statement, exercises, conditions, arguments, probes):
            return None
        rest = item.callspec.id.removeprefix(name).removeprefix("-")
        path = item.nodeid.partition("::")[0]
        other = next(iter(_marked(item, "peer")), None)
        return Case(
            id=f"{path}::{item.originalname}" + (f"[{rest}]" if rest else ""),
            provider=provider,
            topology=next(iter(_marked(item, "on")), self._topology_of(provider.profile)),
            exercises=exercises,
            function=item.obj,
            arguments=arguments,
            client=client,
            connected=fixture == "connection",
            expected_s=sum(_marked(item, "waits")),
            other=profiles.find(other) if other else None,
        )

    # --- running --------------------------------------------------------------------------------------------------

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Start all cases that are this process's own."""
        if session.config.option.collectonly:
            return
        own = range(len(session.items))
        if (worker := getattr(session.config, "workerinput", None)) is not None:
            number = int(worker["workerid"].removeprefix("gw"))
            # A worker that stands in for one that died is told its cases one by one.
            own = (
                share(len(session.items), number, worker["workercount"]) if number < worker["workercount"] else range(0)
            )
        items = [session.items[index] for index in own]
        if self.control is not None and items:
            self.control.start({self._topology_of(self.profiles[name]) for name in self.providers})
        self.ahead.start({item.nodeid: item.stash[CASE] for item in items if CASE in item.stash})

    def _run(self, case: Case) -> tuple[CaseResult, Trace]:
        return self._judged(case, self.kept_in)

    def _judged(self, case: Case, kept_in: str) -> tuple[CaseResult, Trace]:
        began = time.monotonic()
        trace, frames = running.run(case, self.stage)
        if self.stopping and trace.header.problem:
            raise CutShort(case.id)
        evidence = ""
        try:
            evidence = str(running.keep(case, trace, frames, self.output / kept_in).relative_to(self.output))
        except Exception as error:  # without its evidence nothing can be said of a case
            problem = self.unwritable = f"the evidence could not be written: {error}"
            trace = msgspec.structs.replace(trace, header=msgspec.structs.replace(trace.header, problem=problem))
        return judge_case(trace, evidence=evidence, duration_s=round(time.monotonic() - began, 4)), trace

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        """Collect the case's result, and tell pytest what it came to."""
        if CASE not in pyfuncitem.stash:
            return None
        result, trace = self.ahead.take(pyfuncitem.nodeid, pyfuncitem.stash[CASE])
        if self.unwritable:
            pytest.exit(f"{self.unwritable}; make room, or name another directory for the report", returncode=3)
        pyfuncitem.stash[RESULT] = result
        if self.allure is not None:
            self.allure.told(pyfuncitem.stash[CASE], result, trace)
        if result.verdict in (Verdict.FAIL, Verdict.ERROR):
            from conformance.reporting.summary import failure_text

            if entries := excuses(result, self.baseline):
                pytest.xfail("; ".join(f"{each.requirement} is excused: {each.reason}" for each in entries))
            pytest.fail(failure_text(result, trace), pytrace=False)
        if result.verdict is Verdict.INCONCLUSIVE:
            pytest.skip(next((f.because for f in result.findings if f.outcome == "undetermined"), "nothing was judged"))
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Send the result along with pytest's own report, to whatever process collects."""
        report = yield
        if report.when == "call" and RESULT in item.stash:
            report.shutdown_conformance = msgspec.to_builtins(item.stash[RESULT])
            if not self.introduced:  # early, so that whatever ends this process, the results can be written
                self.introduced = True
                report.shutdown_facts = self._facts()
        return report

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Take the stage down, and hand over what is known of the providers."""
        self.ahead.stop()
        if self.control is not None and session.exitstatus != pytest.ExitCode.INTERRUPTED:
            self.control.finish()
        self.stopping = True
        self.stage.stop()
        self.ahead.close()
        facts = self._facts()
        self.stage.close()
        if (output := getattr(session.config, "workeroutput", None)) is not None:
            output["shutdown_conformance"] = facts
            output["shutdown_control"] = self._control_told()
        else:
            collector: Any = session.config.pluginmanager.get_plugin("shutdown-collector")
            collector.learn(**facts)
            collector.learn_control(self._control_told())

    def _control_told(self) -> dict[str, Any] | None:
        """The negative control of this process; None where it has none, or it was not begun or not waited for."""
        if self.control is None or not self.control.finished:
            return None
        made = self.control.made
        told: dict[str, Any] = msgspec.to_builtins(control_of(made.mutant.name, made.over, self.control.results))
        return told

    def _facts(self) -> dict[str, Any]:
        """What this process knows of the providers and of the machine."""
        return {
            "providers": msgspec.to_builtins([self._provider_run(profile) for profile in self.profiles.values()]),
            "environment": {"jitter_ms": round(self.stage.jitter_ms, 3), "topologies": self.stage.opened()},
        }

    def _provider_run(self, profile: Profile) -> ProviderRun:
        limits = self.stage.limits(profile)
        provider = self.providers.get(profile.name)
        if provider is None:
            return ProviderRun(
                name=profile.name, statement=profile.statement, problem=self.problems.get(profile.name, "")
            )
        return ProviderRun(
            name=profile.name,
            statement=provider.statement,
            found=msgspec.to_builtins(provider.hello),
            contradictions=planning.contradictions(profile.statement, provider.hello),
            settle_ms=limits.settle_ms,
            prompt_ms=limits.prompt_ms,
            latency_ms=limits.latency_ms,
        )


def _marked(item: pytest.Item, name: str) -> tuple[Any, ...]:
    return tuple(value for mark in item.iter_markers(name) for value in mark.args)


def _asks_for_thorough(config: pytest.Config) -> bool:
    """Whether the selection of this session (-k or -m) names the cases that are left out otherwise."""
    return "thorough" in f"{config.option.keyword} {config.option.markexpr}"
