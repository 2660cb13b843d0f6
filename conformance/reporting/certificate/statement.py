# SPDX-License-Identifier: MIT
"""The statement that is signed: an in-toto Statement v1 with the test-result predicate, v0.1.

Its subjects are the results and the manifest, by digest; the manifest covers everything else. It follows from the
results alone, so that whoever has the results can make it again and compare. A test is a requirement for a provider,
named PROVIDER/REQUIREMENT:

- passed: the verdict is `pass`;
- warned: `deviation`, `inconclusive`, `not-exercised`, and a failure that a baseline excuses: silence is never a pass;
- failed: `fail` and `error`.

What is `recorded` or `not-applicable` is in no list. The result is FAILED where the gate is not open, WARNED where it
is and something warned, PASSED where nothing did.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from conformance.oracle.verdicts import Verdict
from conformance.reporting.certificate.bundle import MANIFEST, RESULTS
from conformance.reporting.gating import Gate
from conformance.reporting.results import ProviderResults, Results

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
_WARNED = (Verdict.DEVIATION, Verdict.INCONCLUSIVE, Verdict.NOT_EXERCISED)
_FAILED = (Verdict.FAIL, Verdict.ERROR)


class Descriptor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename="camel"):
    """An in-toto ResourceDescriptor, as far as it is used here."""

    name: str
    uri: str = ""
    digest: dict[str, str] = {}
    media_type: str = ""
    annotations: dict[str, Any] = {}


class Predicate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What the test-result predicate says."""

    result: str
    configuration: tuple[Descriptor, ...]
    passed_tests: tuple[str, ...]
    warned_tests: tuple[str, ...]
    failed_tests: tuple[str, ...]


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """An in-toto Statement."""

    type_: str = msgspec.field(name="_type")
    subject: tuple[Descriptor, ...]
    predicate_type: str
    predicate: Predicate


class BadStatement(Exception):
    """A payload that is no such statement."""


def make(results: Results, gate: Gate, results_sha256: str, manifest_sha256: str) -> Statement:
    """The statement on these results, which have that gate."""
    digests = {RESULTS: results_sha256, MANIFEST: manifest_sha256}
    return Statement(
        STATEMENT_TYPE,
        tuple(Descriptor(name, digest={"sha256": digest}) for name, digest in digests.items()),
        PREDICATE_TYPE,
        _predicate(results, gate),
    )


def _predicate(results: Results, gate: Gate) -> Predicate:
    excused = {(each.provider, each.requirement) for each in gate.excused}
    passed, warned, failed = [], [], []
    for provider in results.providers:
        for row in provider.requirements:
            name = f"{provider.name}/{row.id}"
            if row.verdict is Verdict.PASS:
                passed.append(name)
            elif row.verdict in _WARNED or (row.verdict in _FAILED and (provider.name, row.id) in excused):
                warned.append(name)
            elif row.verdict in _FAILED:
                failed.append(name)
    result = "FAILED" if not gate.is_open else "WARNED" if warned else "PASSED"
    return Predicate(result, _configuration(results), tuple(passed), tuple(warned), tuple(failed))


def _configuration(results: Results) -> tuple[Descriptor, ...]:
    version, (algorithm, _, catalogue) = results.suite.version, results.suite.catalogue.partition(":")
    return (
        Descriptor("shutdown-conformance", uri=f"pkg:generic/shutdown-conformance@{version}"),
        Descriptor("catalogue", digest={algorithm: catalogue}),
        *map(_claimed, results.providers),
    )


def _claimed(provider: ProviderResults) -> Descriptor:
    """What was claimed of a provider, by digest and in words, and what its agent said that it is."""
    content = msgspec.json.encode(provider.statement, order="deterministic")
    hello = provider.found.get("implementation")
    said = {key: value for key, value in hello.items() if isinstance(value, str)} if isinstance(hello, dict) else {}
    return Descriptor(
        f"statement of {provider.name}",
        digest={"sha256": hashlib.sha256(content).hexdigest()},
        media_type="application/json",
        annotations={
            "provider": provider.name,
            "implementation": said,
            "statement": msgspec.json.decode(content),
        },
    )


def encoded(statement: Statement) -> bytes:
    """The statement as it is signed: there is one way only."""
    return msgspec.json.encode(statement, order="deterministic")


def decode(payload: bytes) -> Statement:
    """Read a statement back. Raises BadStatement for one of another type, form or encoding."""
    try:
        statement = msgspec.json.decode(payload, type=Statement)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadStatement(f"no statement of a test result: {error}") from None
    if (statement.type_, statement.predicate_type) != (STATEMENT_TYPE, PREDICATE_TYPE):
        raise BadStatement(f"of another type: {statement.type_}, {statement.predicate_type}")
    if encoded(statement) != payload:
        raise BadStatement("not encoded as a certificate's is")
    return statement
