# SPDX-License-Identifier: MIT
"""Message-oriented ends (groups B and F): whole messages, empty messages, and the end that follows them."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.oracle.findings import Expectation, Finding
from conformance.oracle.indicating import another_matter, invented, sticky, told_in_its_time, unexplained
from conformance.oracle.judging import judges
from conformance.oracle.reading import doubt, heard, read, read_messages
from conformance.trace.direction import Direction
from conformance.trace.history import Connection
from conformance.trace.operations import Operation, Report, What


@judges("IND-MSG-01")
def a_message_receive_tells_of_the_graceful_end(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """After the last message a receive tells of the peer's graceful end.

    [Winsock SPI, Connection Shutdown, Indicating Remote Shutdown; POSIX recv for its own form]
    """
    yield from _the_end(connection, accepted)


@judges("SEQ-01")
def a_seqpacket_end_gives_zero(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """After the queued messages of a seqpacket socket, the peer's end gives 0. [POSIX recv]"""
    yield from _the_end(connection, accepted)


@judges("IND-MSG-02")
def an_empty_message_is_not_an_end(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """An empty message is delivered as success with 0 bytes, and what follows it comes too. [Winsock SPI, WSPRecv]"""
    direction, messages = connection.peer_to_iut, connection.peer_to_iut.offered
    if b"" not in messages or not any(messages[messages.index(b"") :]) or _cut_short(connection):
        return
    reading = read_messages(direction)
    last = max(place for place, message in enumerate(messages) if message)
    if reading.good > last:
        followed = "each empty message was delivered as 0 bytes, and the messages after it followed"
        yield accepted.satisfied(followed, reading.final or direction.ending)
    elif reading.fault is not None:
        yield accepted.violated(f"after {reading.good} messages, {reading.fault.seen}: not the next one", reading.fault)
    elif reading.final is not None and _by_the_end(connection, reading.final):
        yield accepted.violated(
            f"after {reading.good} of {len(messages)} messages, {reading.final.seen}", reading.final
        )


@judges("IND-MSG-03")
def whole_messages_come_before_the_end(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Messages queued before a graceful end are delivered whole, in order, before it. [Winsock SPI, WSPRecv]

    The receives of a pseudo stream know no messages (WSAPROTOCOL_INFO): there it is all their octets.
    """
    direction, stream = connection.peer_to_iut, connection.statement.is_stream
    if not direction.ending.is_graceful:
        yield from doubt(direction, accepted)
        return
    if not any(direction.offered) if stream else not direction.offered:
        return
    if unexplained(direction) if stream else _cut_short(connection):
        return
    reading = read(direction, connection.statement)
    wanted, unit = (direction.offered_length, "octets") if stream else (len(direction.offered), "messages")
    if reading.fault is not None:
        yield accepted.violated(f"after {reading.good} {unit}, {reading.fault.seen}: not the next ones", reading.fault)
    elif reading.final is not None:
        complete = reading.good == wanted
        if not complete and another_matter(connection, reading.final):
            lost = f"{reading.good} of {wanted} {unit} came before a reset, which may have taken more"
            yield accepted.undetermined(lost, direction.ending, reading.final)
            return
        yield accepted.decide(
            complete,
            f"all {reading.good} {unit} came {'' if stream else 'whole and '}in order before the end",
            f"{reading.good} of {wanted} {unit} came before {reading.final.seen}",
            direction.ending,
            reading.final,
        )


def _by_the_end(connection: Connection, report: Report) -> bool:
    """What it told can only have been taken for the graceful end: nothing else could make it tell one."""
    return (
        report.what is What.ZERO_BYTES
        or report.told == "EDISCON"
        or (connection.peer_to_iut.ending.is_graceful and not another_matter(connection, report))
    )


def _cut_short(connection: Connection) -> bool:
    """What was read may not be whole messages: a receive had no room for one, or not every send was answered.

    One that asked for a part takes no more than it has room for, and leaves the rest to the next.
    """
    needed = max((1, *map(len, connection.peer_to_iut.offered)))
    receives = (o for o in connection.iut.calls("recv", "post_recv") if not _takes_no_message(o))
    if any(int(o.arguments.get("length", needed)) < needed for o in receives):
        return True
    return unexplained(connection.peer_to_iut)


def _takes_no_message(receive: Operation) -> bool:
    return not {"PEEK", "PARTIAL"}.isdisjoint(receive.arguments.get("flags", ()))


@judges("IND-MSG-04")
def the_end_of_messages_is_sticky(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Each receive after the message-oriented end tells it again. [by analogy with byte streams]"""
    parts = any(_asked_for_parts(connection, report) for report in heard(connection.iut) if report.is_final)
    if b"" not in connection.peer_to_iut.offered and not parts:
        yield from sticky(connection, accepted)


@judges("IND-MSG-05")
def a_message_cut_off_is_never_whole(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """What came of a message that the end cut off is marked as a part, or told as an error. [XP1_GUARANTEED_DELIVERY]

    What was cut off is told by the link: data units whose message did not end before the direction did.
    """
    direction = connection.peer_to_iut
    whole, part = _units_of_messages(direction)
    if not part or direction.ending.at is None:
        return
    index, taken, marked = 0, 0, None
    for report in sorted(heard(connection.iut), key=lambda r: r.asked):
        if index < len(whole) and not report.partial and _delivers(report, whole[index]):
            index += 1
        elif report.what is What.DATA and report.partial:
            taken, marked = taken + report.length, report
        elif report.what is What.DATA:
            if _is_of(report, part[taken:]):
                cut = f"of a message, {len(part)} octets came before the end cut it off"
                yield accepted.violated(f"{cut}, and {report.seen} as if it were whole", direction.ending, report)
            return
        elif report.is_final:
            break
    else:
        report = None
    if taken > len(part):
        return  # more than came: another requirement's matter
    if marked is not None:
        words = f"{taken} octets of the message that the end cut off were marked as a part"
        yield accepted.satisfied(words, direction.ending, marked, report)
    elif report is not None and report.what is What.ERROR and report.at >= direction.ending.at:
        words = f"of the message that the end cut off nothing was delivered: {report.seen}"
        yield accepted.satisfied(words, direction.ending, report)


def _units_of_messages(direction: Direction) -> tuple[list[bytes], bytes]:
    """The messages that the link carried whole, and what it carried of one that was not finished."""
    whole, part = list[bytes](), b""
    for unit in direction.units:
        if unit.name in ("DATA", "TEXT", "BINARY", "CONTINUATION") and not unit.problem:
            part += unit.data + bytes(unit.length - len(unit.data))
            if unit.whole:
                whole.append(part)
                part = b""
    return whole, part


def _delivers(report: Report, message: bytes) -> bool:
    if report.what is What.ZERO_BYTES:
        return not message
    return report.what is What.DATA and (report.carries(message) or report.length == len(message))


def _is_of(report: Report, part: bytes) -> bool:
    if report.content is None:
        return report.length <= len(part)
    return part.startswith(report.content)


@judges("SEQ-02")
def an_empty_seqpacket_is_recorded(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """How an empty message looks to recv and to poll is written down. [observed: Linux]"""
    if b"" not in connection.peer_to_iut.offered:
        return
    empty = next((r for r in heard(connection.iut) if r.what is What.ZERO_BYTES), None)
    ending = connection.peer_to_iut.ending
    polls = [
        o
        for o in connection.iut.calls("poll")
        if o.succeeded and o.returned is not None and empty is not None and o.returned <= empty.asked
        if ending.at is None or o.returned < ending.at
    ]
    if empty is not None and polls:
        yield accepted.satisfied(f"before the end, {polls[-1].seen}, and {empty.seen}", polls[-1], empty)


@judges("UNIX-01")
def a_close_with_unread_data_is_recorded(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """What a UNIX socket tells when the peer closed with data unread is written down. [observed: Linux]"""
    direction = connection.peer_to_iut
    gone = connection.peer.gone_at
    if gone is None or connection.iut_to_peer.offered_before(gone) <= connection.peer.read_until(gone):
        return
    told = [report for report in heard(connection.iut) if report.at >= gone and report.is_final]
    if told:
        words = ", then ".join(report.seen for report in told[:2])
        yield accepted.satisfied(f"after the peer closed with data unread: {words}", direction.ending, *told[:2])


def _the_end(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    direction = connection.peer_to_iut
    yield from doubt(direction, accepted)
    if _cut_short(connection):
        return
    reading = read_messages(direction)
    if reading.final is not None and _asked_for_parts(connection, reading.final):
        return  # such a receive has an end of its own
    if direction.ending.is_graceful and reading.fault is None:
        yield from told_in_its_time(connection, accepted, reading.final)
    elif reading.final is not None and invented(connection, reading.final):
        yield accepted.violated("recv told of an end, and the peer never ended", reading.final)


def _asked_for_parts(connection: Connection, report: Report) -> bool:
    """The receive was made with MSG_PARTIAL."""
    call = next((o for o in connection.iut.calls("recv") if set(o.events) & set(report.events)), None)
    return call is not None and "PARTIAL" in call.arguments.get("flags", ())
