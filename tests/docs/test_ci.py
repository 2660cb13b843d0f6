# SPDX-License-Identifier: MIT
"""The workflows in docs/ci.md: their form by the services' own schemas, and each line of theirs by running it.

What a CI service provides is provided here: the checkouts, Python, a file for the summary, `sudo`. Nothing else is
replaced. The suite is installed from a repository of its own, into an environment of its own.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml
from ruamel.yaml import YAML

from conformance.reporting import reports
from conformance.reporting.results import load
from tests.docs.test_docs import LIMIT_S, ROOT, blocks

PAGE = ROOT / "docs" / "ci.md"
SCHEMAS = {".github/workflows/shutdown-conformance.yml": "github-workflows", ".gitlab-ci.yml": "gitlab-ci"}
FOLDERS = ("conformance", "cases", "fixtures/agents", "fixtures/mutants", "fixtures/profiles")
FILES = ("pyproject.toml", "README.md", "LICENSE")


def workflows() -> dict[str, Any]:
    """The workflows by the path that their first line names."""
    found = blocks(PAGE, "yaml")
    return {block.splitlines()[0].removeprefix("# "): YAML(typ="safe", pure=True).load(block) for block in found}


GITHUB, GITLAB = (workflows()[path] for path in SCHEMAS)
(JOB,) = GITHUB["jobs"].values()
STEPS = JOB["steps"]


def uses(action: str) -> list[dict[str, Any]]:
    return [step for step in STEPS if step.get("uses", "").partition("@")[0] == action]


# --- form -------------------------------------------------------------------------------------------------------------


def test_there_is_one_for_each_service() -> None:
    assert list(workflows()) == list(SCHEMAS)


@pytest.mark.parametrize("path", SCHEMAS)
def test_it_is_what_the_services_schema_allows(path: str, tmp_path: Path) -> None:
    (block,) = [each for each in blocks(PAGE, "yaml") if each.startswith(f"# {path}\n")]
    (tmp_path / "workflow.yml").write_text(block, encoding="utf-8")
    words = ["-m", "check_jsonschema", "--builtin-schema", f"vendor.{SCHEMAS[path]}", str(tmp_path / "workflow.yml")]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 0, done.stdout + done.stderr


def test_actions_are_pinned_to_a_major_version() -> None:
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"]) for step in STEPS if "uses" in step)
    assert all(("uses" in step) != ("run" in step) for step in STEPS)


def test_github_keeps_and_shows_the_report_whatever_came_of_the_run() -> None:
    ran = next(number for number, step in enumerate(STEPS) if " run --provider " in step.get("run", ""))
    assert STEPS[ran + 1 :] and all(step["if"] == "always()" for step in STEPS[ran + 1 :])
    (upload,) = uses("actions/upload-artifact")
    assert upload["with"]["path"] == output(STEPS[ran]["run"])
    assert GITHUB["permissions"] == {"contents": "read"}


def test_gitlab_keeps_the_report_and_reads_the_tests_whatever_came_of_the_run() -> None:
    (job,) = GITLAB.values()
    kept = output(job["script"][-1])
    assert job["artifacts"]["when"] == "always"
    assert job["artifacts"]["paths"] == [f"{kept}/"]
    assert job["artifacts"]["reports"]["junit"] == f"{kept}/junit.xml"
    assert "junit.xml" in reports.NAMES


def output(command: str) -> str:
    (found,) = re.findall(r"--output (\S+)", command)
    return str(found)


# --- each line --------------------------------------------------------------------------------------------------------


@dataclass
class Runner:
    """A CI service's machine: the directory that a job starts in, and its environment."""

    directory: Path
    environment: dict[str, str]

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run one command as the services do."""
        words = ["bash", "-e", "-o", "pipefail", "-c", command]
        return subprocess.run(
            words, cwd=self.directory, env=self.environment, capture_output=True, text=True, timeout=LIMIT_S
        )


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of the suite, with what it is installed from."""
    repository = tmp_path_factory.mktemp("suite")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, repository / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in FILES:
        shutil.copy(ROOT / file, repository / file)
    author = ["-c", "user.name=somebody", "-c", "user.email=somebody@host.example", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q"], ["add", "-A"], [*author, "commit", "-q", "-m", "the suite"]):
        subprocess.run(["git", *words], cwd=repository, check=True, timeout=LIMIT_S)
    return repository


@pytest.fixture
def runner(tmp_path: Path, suite: Path) -> Runner:
    """A machine with Python, the user's repository checked out, and no network."""
    python = tmp_path / "python"
    venv.create(python, symlinks=True)
    paths = {"base": str(python), "platbase": str(python)}
    # The dependencies, as if they had been fetched: what is installed here, pip and the build backend among them.
    packages = Path(sysconfig.get_path("purelib", vars=paths))
    (packages / "fetched.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    (sudo := tmp_path / "bin" / "sudo").parent.mkdir()
    sudo.write_text('#!/bin/sh\nexec "$@"\n', encoding="utf-8")
    sudo.chmod(0o755)
    (work := tmp_path / "work").mkdir()
    (profile,) = blocks(PAGE, "toml")
    (work / "mine.toml").write_text(profile, encoding="utf-8")
    # The implementation is this machine's kernel, and what it fails is known to its vendor.
    known = [sys.executable, "-m", "conformance.cli", "run", "--provider", "mine.toml", "--output", "first"]
    known += ["--baseline", "baseline.toml", "--update-baseline"]
    done = subprocess.run(known, cwd=work, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
    path = os.pathsep.join([str(python / "bin"), str(tmp_path / "bin"), os.environ["PATH"]])
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "false", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    given = {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary"), "SUITE_URL": suite.as_uri()}
    return Runner(work, environment | offline | given | {"PATH": path, "CI": "true"})


def test_each_line_of_the_github_workflow_works(runner: Runner, tmp_path: Path) -> None:
    assert [step.get("with", {}).get("path") for step in uses("actions/checkout")] == [None, "suite"]
    assert runner.run('git clone -q "$SUITE_URL" suite').returncode == 0  # the second checkout
    for step in STEPS:
        if "run" in step:
            done = runner.run(step["run"])
            assert done.returncode == 0, f"{step['run']}\n{done.stdout}\n{done.stderr}"
    assert (tmp_path / "summary").read_text("utf-8") == (runner.directory / "report" / "summary.md").read_text("utf-8")
    check(runner)


def test_each_line_of_the_gitlab_workflow_works(runner: Runner) -> None:
    (job,) = GITLAB.values()
    for command in job["script"]:
        done = runner.run(command)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    check(runner)


def check(runner: Runner) -> None:
    """The suite that was installed ran the user's provider, and left what the workflow keeps."""
    directory = runner.directory
    imported = runner.run("python -c 'import conformance; print(conformance.__file__)'").stdout
    assert imported.startswith(str(directory.parent / "python"))
    (provider,) = load(directory / "report" / "results.json").providers
    assert provider.name == "mine" and len(provider.cases) > 100
    junit = JUnitXml.fromfile(str(directory / "report" / "junit.xml"))
    assert [suite.name for suite in junit] == ["gate", "mine"]
