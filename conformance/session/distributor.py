# SPDX-License-Identifier: MIT
"""pytest-xdist: every worker knows its own cases from the start, so that it can start them ahead of their turn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from xdist.scheduler import LoadScheduling

from conformance.execution.scheduling import share
from conformance.reporting.baseline import Baseline


class Distributor:
    """The controller's part of a distributed session."""

    def __init__(self, output: Path, baseline: Baseline | None) -> None:
        self.output = output
        self.baseline = baseline

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell each worker where the evidence goes, and what is excused."""
        node.workerinput["output"] = str(self.output.absolute())
        node.workerinput["baseline"] = msgspec.to_builtins(self.baseline)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Dealt:
        """Deal the cases as `share` does."""
        return Dealt(config, log)


class Dealt(LoadScheduling):  # type: ignore[misc]  # xdist carries no types
    """Deals all cases at once; what a crashed worker leaves is handed out anew as xdist does."""

    collection: list[str] | None

    def schedule(self) -> None:
        """Deal the cases to the workers by their numbers."""
        if self.collection is not None or not self._check_nodes_have_same_collection():
            super().schedule()
            return
        collection = next(iter(self.node2collection.values()))
        self.collection = collection
        self.maxschedchunk = len(collection)
        for node in self.nodes:
            own = list(share(len(collection), int(node.gateway.id.removeprefix("gw")), len(self.nodes)))
            self.node2pending[node].extend(own)
            node.send_runtest_some(own)
            node.shutdown()
