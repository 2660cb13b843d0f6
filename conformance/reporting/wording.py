# SPDX-License-Identifier: MIT
"""The events of a trace, worded as one would say them: `recv: 0 bytes`, `FIN ACK seq=1461 len=0`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from conformance.reporting.text import clean, several
from conformance.trace.conditions import Condition, canonical
from conformance.trace.events import (
    Called,
    Completed,
    End,
    ErrorValue,
    Established,
    Event,
    Fate,
    Indicated,
    Noted,
    Outcome,
    Pdu,
    Returned,
    Segment,
)
from conformance.trace.framing import DATA_UNITS
from conformance.trace.trace import Trace

FLAGS = {"S": "SYN", "F": "FIN", "R": "RST", "P": "PSH", "U": "URG", "E": "ECE", "C": "CWR", "A": "ACK"}
"""In the order in which they are said; ACK last, as in FIN ACK."""
_TEXT_LIMIT = 120
_MODULUS = 1 << 32


@dataclass(frozen=True)
class Bulk:
    """A kind of thing that comes in numbers: what one is called, and whose it is."""

    noun: str
    whose: str

    def counted(self, number: int, octets: int) -> str:
        """So many of them: `40 segments from the peer, 1048576 bytes`."""
        return f"{several(number, self.noun)} {self.whose}" + (f", {octets} bytes" if octets else "")


class Speaker:
    """Words the events of one trace: sequence numbers from each sender's first on, sockets named where it matters."""

    def __init__(self, trace: Trace) -> None:
        established = [event for event in trace.events if isinstance(event, Established)]
        only = established[0] if len(established) == 1 else None
        self._usual = {End.IUT: only.iut, End.PEER: only.peer} if only else {}
        self._several = len(established) > 1
        self._first: dict[tuple[End, int, int], int] = {}
        for event in trace.events:
            if isinstance(event, Segment):
                key = _flow(event)
                # Where the SYN was not seen, the first number that was counts as 1, as if one had been.
                self._first.setdefault(key, event.seq if "S" in event.flags else (event.seq - 1) % _MODULUS)

    # --- calls ----------------------------------------------------------------------------------------------------

    def whole(self, call: Called, returned: Returned) -> str:
        """A call that returned at once."""
        return f"{self._name(call)}: {answer(call, returned)}"

    def entry(self, call: Called) -> str:
        """A call that is still to return when the next thing happens."""
        return f"{self._name(call)} …"

    def exit(self, call: Called, returned: Returned) -> str:
        """The return of such a call."""
        return f"… {self._name(call, short=True)}: {answer(call, returned)}"

    def _name(self, call: Called, *, short: bool = False) -> str:
        of_socket = ""
        if call.socket is not None and call.socket != self._usual.get(call.end):
            of_socket = f"#{call.socket}"
        arguments = "" if short and call.op != "shutdown" else _arguments(call)
        return f"{clean(call.op)}{of_socket}{arguments}"

    # --- the link -------------------------------------------------------------------------------------------------

    def segment(self, segment: Segment) -> str:
        """A segment's flags, relative numbers and length; the acknowledgement where that is all it carries."""
        flags = " ".join(name for letter, name in FLAGS.items() if letter in segment.flags) or "no flags"
        ports = f"{segment.source_port}→{segment.destination_port} " if self._several else ""
        if segment.flags == "A" and not segment.length:
            return f"{ports}{flags} ack={self._relative_ack(segment)}"
        seq = (segment.seq - self._first[_flow(segment)]) % _MODULUS
        return f"{ports}{flags} seq={seq} len={segment.length}"

    def segment_in_full(self, segment: Segment) -> str:
        """A segment with all its numbers: the acknowledgement as well, wherever one is carried."""
        text = self.segment(segment)
        if "A" not in segment.flags or (segment.flags == "A" and not segment.length):
            return text
        before, _, length = text.rpartition(" len=")
        return f"{before} ack={self._relative_ack(segment)} len={length}"

    def _relative_ack(self, segment: Segment) -> int:
        back = (segment.sender.other, segment.destination_port, segment.source_port)
        return (segment.ack - self._first[back]) % _MODULUS if back in self._first else segment.ack

    # --- the rest -------------------------------------------------------------------------------------------------

    def connected(self, event: Established) -> str:
        """The set-up in one line."""
        sockets = f" (sockets iut#{event.iut}, peer#{event.peer})" if self._several else ""
        return (
            f"connected: the {event.client} at {_address(event.client_address)} called the {event.client.other} "
            f"at {_address(event.listener_address)}{sockets}"
        )

    def other(self, event: Event) -> tuple[str, str]:
        """The column and the words of an indication, a completion or a note."""
        match event:
            case Indicated():
                error = f" {error_text(event.error)}" if event.error else ""
                detail = f" {clean(event.name)}({_brief(event.args)})" if event.name else ""
                of_socket = "" if event.socket in (None, self._usual.get(event.end)) else f"#{event.socket}"
                return str(event.end), f"! {clean(event.type)}{of_socket}{detail}{error}"
            case Completed():
                told = error_text(event.error) if event.error else _received(event.result or {})
                return str(event.end), f"! {clean(event.token)} completed: {told}"
            case Noted():
                details = ", ".join(
                    _brief(value) if key == event.what else f"{clean(key)} {_brief(value)}"
                    for key, value in event.details.items()
                )
                words = f"({clean(event.what)}{': ' if details else ''}{details})"
                return (str(event.end) if event.end else "link"), words
            case _:
                return "", clean(str(event))


def answer(call: Called, returned: Returned) -> str:
    """What a call was answered, in the implementation's own terms."""
    match returned.outcome:
        case Outcome.RESULT:
            return _result(call, returned.result or {})
        case Outcome.ERROR:
            return error_text(returned.error)
        case Outcome.TIMEOUT:
            what, waited = "nothing" if call.op in ("recv", "poll") else "not done", call.arguments.get("wait_ms")
            return f"{what} in {waited} ms" if waited else f"{what} at once"
        case Outcome.UNANSWERED:
            return "never answered"
        case _:
            return clean(f"{returned.outcome}: {returned.text}", _TEXT_LIMIT)


def error_text(error: ErrorValue | None) -> str:
    """An error by its own name, with its number where the name is none that is known."""
    if error is None:
        return "an error without a name"
    number = f" ({error.code})" if error.code is not None and canonical(error) is Condition.OTHER else ""
    return clean(f"{error.name}{number}", _TEXT_LIMIT)


def bulk_of_segment(segment: Segment) -> Bulk | None:
    """What kind of bulk a segment is: plain data or a plain acknowledgement that went its way undisturbed."""
    if segment.fate is not Fate.DELIVERED or set(segment.flags) - set("APEC"):
        return None
    return Bulk("segment" if segment.length else "ACK", f"from the {segment.sender}")


def unit(pdu: Pdu) -> str:
    """A unit by its own name, with what it carries: `RELEASE 4 octets`, `DATA 1460 octets, more follows`."""
    said = [clean(pdu.name)]
    if "code" in pdu.fields:
        code, reason = pdu.fields["code"], pdu.fields.get("reason")
        said += [str(code)] if code is not None else []
        said += [json.dumps(clean(str(reason), _TEXT_LIMIT), ensure_ascii=False)] if reason else []
    elif pdu.length or pdu.name in DATA_UNITS or (pdu.name == "RELEASE" and pdu.fields.get("flags")):
        said.append(several(pdu.length, "octet"))
    if pdu.name == "ABORT" and pdu.fields.get("reason"):
        said.append(f"reason {pdu.fields['reason']}")
    return " ".join(said) + ("" if pdu.whole else ", more follows")


def bulk_of_unit(pdu: Pdu) -> Bulk | None:
    """What kind of bulk a unit is: data, and nothing wrong with it."""
    return None if pdu.problem or pdu.name not in DATA_UNITS else Bulk(f"{pdu.name} unit", f"from the {pdu.sender}")


def bulk_of_call(call: Called, returned: Returned | None) -> tuple[Bulk | None, int]:
    """What kind of bulk a call is, and its bytes: data sent or received, or a look that found nothing more."""
    if returned is None:
        return None, 0
    result, whose = returned.result or {}, f"at the {call.end}"
    length = result.get("length", 0)
    if call.op in ("send", "recv") and isinstance(length, int) and length > 0:
        return Bulk(f"{call.op} call", whose), length
    if call.op == "poll" and result.get("events") in (["IN"], ["OUT"]):
        return Bulk("poll call", whose), 0
    if returned.error is not None and canonical(returned.error) is Condition.EWOULDBLOCK:
        return Bulk(f"vain {call.op} call", whose), 0
    return None, 0


def _flow(segment: Segment) -> tuple[End, int, int]:
    return (segment.sender, segment.source_port, segment.destination_port)


def _arguments(call: Called) -> str:
    said = call.arguments
    match call.op:
        case "shutdown":
            return f"({_brief(said.get('how'))})"
        case "poll":
            return f"({_brief(said.get('surface'))})"
        case "send":
            described = said.get("pattern")
            return f"({_bytes(described.get('length'))})" if isinstance(described, dict) else ""
        case "recv" if said.get("flags"):
            return f"({_brief(said['flags'])})"
        case "set_linger":
            return f"({said.get('seconds')} s)" if said.get("on") else "(off)"
        case "set_blocking":
            return "(on)" if said.get("on") else "(off)"
        case "set_option":
            return f"({_brief(said.get('name'))}={_brief(said.get('value'))})"
        case "connect" | "listen" if isinstance(said.get("address"), dict):
            return f"({_address(said['address'])})"
        case _:
            return ""


def _result(call: Called, result: dict[str, Any]) -> str:
    match call.op:
        case "send" if isinstance(asked := call.arguments.get("pattern"), dict):
            return "all" if result.get("length") == asked.get("length") else _received(result)
        case "recv" | "send" | "recv_disconnect":
            return _received(result)
        case "poll":
            return clean("|".join(map(str, result.get("events", ()))), _TEXT_LIMIT) or "nothing"
        case "get_error":
            error = result.get("error")
            return clean(str(error.get("name")), _TEXT_LIMIT) if isinstance(error, dict) else "no error"
        case "accept" | "socket" | "duplicate":
            return f"#{result.get('socket')}"
        case "get_linger":
            return f"{result.get('seconds')} s" if result.get("on") else "off"
        case "post_recv" | "post_send":
            return _brief(result.get("token"))
        case _:
            return "ok"


def _received(result: dict[str, Any]) -> str:
    return _bytes(result.get("length", 0)) + (", partial" if result.get("partial") else "")


def _bytes(length: Any) -> str:
    return f"{length} byte{'' if length == 1 else 's'}"


def _address(address: dict[str, Any]) -> str:
    if "path" in address:
        return clean(str(address["path"]).rpartition("/")[2], _TEXT_LIMIT) or "an unnamed socket"
    host = str(address.get("host", "?"))
    return clean(f"[{host}]:{address.get('port')}" if ":" in host else f"{host}:{address.get('port')}", _TEXT_LIMIT)


def _brief(value: Any) -> str:
    if isinstance(value, str):
        return clean(value, _TEXT_LIMIT)
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return clean("|".join(value), _TEXT_LIMIT)
    return clean(json.dumps(value, ensure_ascii=False, default=str), _TEXT_LIMIT)
