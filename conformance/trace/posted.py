# SPDX-License-Identifier: MIT
"""Posted operations and what completed them, and the counting of startups and cleanups: what no one call tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from conformance.trace.events import Completed, End, Outcome

if TYPE_CHECKING:
    from conformance.trace.operations import Operation
    from conformance.trace.trace import Trace

POSTS = ("post_recv", "post_send")
UNASKED = "unasked"
"""The token of what came out of a completion port, and belongs to no post."""

_CALL_AND_RETURN = 2


def completions_of(trace: Trace, end: End) -> dict[str, Completed]:
    """The first completion of each token at that end."""
    found: dict[str, Completed] = {}
    for event in trace.events:
        if isinstance(event, Completed) and event.end is end:
            found.setdefault(event.token, event)
    return found


def strays_of(trace: Trace, operations: Iterable[Operation], end: End) -> tuple[Completed, ...]:
    """The completions at that end that no post can have had: of one that failed at once, of none, or one too many."""
    posts = (o for o in operations if o.end is end and o.op in POSTS and o.succeeded)
    promised = {str(o.result.get("token")) for o in posts}
    firsts = completions_of(trace, end)
    return tuple(
        event
        for event in trace.events
        if isinstance(event, Completed)
        and event.end is end
        and (event.token not in promised or firsts[event.token] is not event)
    )


def as_it_ended(posted: Operation, completions: Mapping[str, Completed]) -> dict[str, Any]:
    """What a posted send came to, as members of an operation from posting to completion; none if it failed at once.

    One that never completed was never answered: how much of it was sent, nobody said.
    """
    if not posted.succeeded:
        return {}
    completion = completions.get(str(posted.result.get("token")))
    if completion is None:
        return {"returned": None, "outcome": Outcome.UNANSWERED, "result": {}}
    return {
        "returned": completion.at,
        "outcome": Outcome.RESULT if completion.error is None else Outcome.ERROR,
        "result": completion.result or {},
        "error": completion.error,
        "events": (*posted.events, completion.n),
        "own": None if posted.own is None or completion.own is None else (posted.own[0], completion.own),
    }


def failed_at_once(posted: Operation) -> bool:
    """The call that posted it failed, so that nothing was posted: no completion is among its events."""
    return posted.op in POSTS and posted.outcome is Outcome.ERROR and len(posted.events) == _CALL_AND_RETURN


class Cleanup(msgspec.Struct, frozen=True):
    """A cleanup that succeeded, and how many startups are left without their own after it."""

    call: Any
    left: int


def cleanups_of(operations: Iterable[Operation], end: End) -> Iterator[Cleanup]:
    """That end's successful cleanups, in order. Before the first socket its agent starts the provider up once."""
    count = 1
    for operation in operations:
        if operation.end is not end or operation.op not in ("startup", "cleanup") or not operation.succeeded:
            continue
        count += 1 if operation.op == "startup" else -1
        if operation.op == "cleanup":
            yield Cleanup(operation, count)
