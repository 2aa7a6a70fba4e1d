# SPDX-License-Identifier: EUPL-1.2
"""A client of the bus, written from docs/protocol.md and the .proto files alone. It is the proof that
the page is enough, and what the tests of this folder speak to relaisd with.

`Wire` moves frames and judges nothing, so that a test can send what no client would. `Client` keeps
to the page: it numbers messages, cuts bodies, checks digests and sorts what comes.
One thread at a time."""

from __future__ import annotations

import hashlib
import itertools
import os
import time
from dataclasses import dataclass, field
from typing import Any, Callable, Iterable, Iterator, Sequence

import zmq
from zmq.utils.monitor import recv_monitor_message

from schema import command as pb
from schema import envelope as envelope_pb

MAJOR, MINOR = 1, 2
SOFTWARE = "relais-python/1.0"
ROUTING_ID_BYTES = 16
# For an answer of a broker on the same machine, under sanitizers too; a test that overloads it wants more.
PATIENCE_MS = int(os.environ.get("RELAIS_PATIENCE_MS", "10000"))
FRAME_ROOM = 1024 * 1024  # ZMQ_MAXMSGSIZE: the largest payload and this

Message = Any  # a generated message class; protobuf 3.21 gives no types


class Silence(AssertionError):
    """What was waited for has not come."""


class BadBody(AssertionError):
    """A body that does not fit its parts."""


@dataclass(frozen=True)
class Keys:
    """A CURVE key pair in Z85."""

    public: bytes
    secret: bytes

    @staticmethod
    def new() -> "Keys":
        return Keys(*zmq.curve_keypair())


@dataclass(frozen=True)
class Said:
    """One message of the broker: which command of ToClient, its content, the frames of its body."""

    kind: str
    content: Message
    body: list[bytes] = field(default_factory=list)


@dataclass(frozen=True)
class Delivered:
    """One message out of a Deliver."""

    consumer: int
    tag: int
    attempt: int
    accepted_ms: int
    envelope_bytes: bytes
    payload: bytes

    @property
    def envelope(self) -> Message:
        return envelope_pb.Envelope.FromString(self.envelope_bytes)


@dataclass(frozen=True)
class Outgoing:
    """One message to submit: the exact bytes of its envelope, and its payload."""

    envelope_bytes: bytes
    payload: bytes

    @property
    def envelope(self) -> Message:
        return envelope_pb.Envelope.FromString(self.envelope_bytes)

    def part(self) -> Message:
        return pb.Part(envelope_bytes=len(self.envelope_bytes), payload_bytes=len(self.payload))


def digest(payload: bytes) -> bytes:
    """BLAKE2b-256 (RFC 7693, no key)."""
    return hashlib.blake2b(payload, digest_size=32).digest()


def compose(payload: bytes, **attributes: Any) -> Outgoing:
    """A message with a true size and digest; `sender` stands for `from`, a word of Python."""
    values = {"payload_size": len(payload), "payload_digest": digest(payload)}
    values.update(attributes)
    if "sender" in values:
        values["from"] = values.pop("sender")
    return Outgoing(envelope_pb.Envelope(**values).SerializeToString(), payload)


def cut_body(parts: Sequence[Message], frames: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Envelope and payload of each part; BadBody unless the frames are cut between pieces only."""
    sizes = [size for part in parts for size in (part.envelope_bytes, part.payload_bytes)]
    ends = {0, *itertools.accumulate(sizes)}
    frame_ends = list(itertools.accumulate(len(frame) for frame in frames))
    if (frame_ends[-1] if frame_ends else 0) != sum(sizes):
        raise BadBody(f"{sum(sizes)} bytes in the parts, frames of {[len(f) for f in frames]}")
    if not ends.issuperset(frame_ends):
        raise BadBody(f"a piece spans frames: {sizes}, {[len(f) for f in frames]}")
    return _pieces(b"".join(frames), sizes)


def _pieces(body: bytes, sizes: Sequence[int]) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    for envelope_size, payload_size in zip(sizes[::2], sizes[1::2]):
        middle = at + envelope_size
        yield body[at:middle], body[middle : middle + payload_size]
        at = middle + payload_size


def numbers_of(ranges: Iterable[Message]) -> list[int]:
    """The numbers in ranges, both ends included."""
    return [number for r in ranges for number in range(r.first, r.last + 1)]


def ranges_of(numbers: Iterable[int]) -> list[Message]:
    """Ranges that hold exactly these numbers, in order."""
    ranges: list[Message] = []
    for number in sorted(set(numbers)):
        if ranges and ranges[-1].last + 1 == number:
            ranges[-1].last = number
        else:
            ranges.append(pb.Range(first=number, last=number))
    return ranges


class Wire:
    """A DEALER socket with CURVE, made as the page says, and its monitor."""

    def __init__(
        self,
        endpoint: str,
        broker_key: bytes,
        keys: Keys,
        *,
        routing_id: bytes | None = None,
        named: bool = True,
        payload_bytes: int = 1024 * 1024,
    ) -> None:
        self._context = zmq.Context(io_threads=1)
        self._socket = self._context.socket(zmq.DEALER)
        self._gone = False
        self._monitor = self._socket.get_monitor_socket(
            zmq.EVENT_DISCONNECTED | zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_HANDSHAKE_FAILED_AUTH
            | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
        )
        self._set_options(broker_key, keys, payload_bytes)
        if named:
            self._socket.routing_id = routing_id or _routing_id()
        self._socket.connect(endpoint)

    def _set_options(self, broker_key: bytes, keys: Keys, payload_bytes: int) -> None:
        socket = self._socket
        socket.linger = 0
        socket.reconnect_ivl = -1
        socket.heartbeat_ivl = 5000
        socket.heartbeat_timeout = 15000
        socket.maxmsgsize = payload_bytes + FRAME_ROOM
        socket.sndtimeo = PATIENCE_MS
        socket.curve_serverkey = broker_key
        socket.curve_publickey = keys.public
        socket.curve_secretkey = keys.secret

    def send(self, frames: Sequence[bytes]) -> None:
        self._socket.send_multipart(list(frames))

    def receive(self, timeout_ms: int) -> list[bytes] | None:
        """The frames of one message, or None."""
        if not self._socket.poll(timeout_ms):
            return None
        return self._socket.recv_multipart()

    def event(self, timeout_ms: int) -> int | None:
        """The next event of the connection (zmq.EVENT_...), or None."""
        if not self._monitor.poll(timeout_ms):
            return None
        return recv_monitor_message(self._monitor)["event"]

    def is_gone(self, timeout_ms: int = PATIENCE_MS) -> bool:
        """Waits until the broker has ended the connection; False when it stands."""
        ends = time.monotonic() + timeout_ms / 1000
        while not self._gone:
            left = int(max(0, ends - time.monotonic()) * 1000)
            event = self.event(left)
            if event is None:
                return False
            self._gone = event != zmq.EVENT_HANDSHAKE_SUCCEEDED
        return True

    def close(self) -> None:
        """May be called again."""
        if self._socket.closed:
            return
        self._socket.disable_monitor()
        self._monitor.close(0)
        self._socket.close(0)
        self._context.term()


def _routing_id() -> bytes:
    """16 random bytes, the first of them not 0x00."""
    while True:
        candidate = os.urandom(ROUTING_ID_BYTES)
        if candidate[0] != 0:
            return candidate


class Client:
    """One connection of one client."""

    def __init__(self, endpoint: str, broker_key: bytes, keys: Keys, **options: Any) -> None:
        self.wire = Wire(endpoint, broker_key, keys, **options)
        self._inbox: list[Said] = []
        self._next_number = 1
        self._query = 0

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.wire.close()

    # What goes out

    def send(self, body: Sequence[bytes] = (), **one_command: Message) -> None:
        """One command, e.g. send(hello=pb.Hello(major=1)), and the frames of its body."""
        self.wire.send([pb.ToBroker(**one_command).SerializeToString(), *body])

    def hello(self, major: int = MAJOR, minor: int = MINOR, software: str = SOFTWARE) -> Message:
        self.send(hello=pb.Hello(major=major, minor=minor, software=software))
        return self.wait("welcome").content

    def submit(
        self, messages: Sequence[Outgoing], *, packed: bool = True, first_number: int | None = None
    ) -> list[int]:
        """Sends a batch, its body in one frame or each piece in its own; gives the numbers."""
        first = self._next_number if first_number is None else first_number
        pieces = [piece for m in messages for piece in (m.envelope_bytes, m.payload)]
        body = [b"".join(pieces)] if packed else pieces
        parts = [message.part() for message in messages]
        self.send(body, submit=pb.Submit(first_number=first, parts=parts))
        self._next_number = first + len(messages)
        return list(range(first, self._next_number))

    def attach(self, consumer: int, address: str, credit: int) -> Message:
        """Attached, or the Detached that came instead."""
        self.send(attach=pb.Attach(consumer=consumer, address=address, credit=credit))
        return self.wait_for(
            lambda said: said.kind in ("attached", "detached") and said.content.consumer == consumer
        ).content

    def credit(self, consumer: int, add: int) -> None:
        self.send(credit=pb.Credit(consumer=consumer, add=add))

    def ack(self, consumer: int, *tags: int) -> None:
        self.send(ack=pb.Ack(consumer=consumer, tags=ranges_of(tags)))

    def nack(self, consumer: int, *tags: int, delay_ms: int = 0, reason: str = "") -> None:
        self.send(
            nack=pb.Nack(consumer=consumer, tags=ranges_of(tags), delay_ms=delay_ms, reason=reason)
        )

    def extend(self, consumer: int, *tags: int, by_ms: int) -> None:
        self.send(extend=pb.Extend(consumer=consumer, tags=ranges_of(tags), by_ms=by_ms))

    def refuse(self, consumer: int, *tags: int, reason: str = "") -> None:
        self.send(nack=pb.Nack(consumer=consumer, tags=ranges_of(tags), refuse=True, reason=reason))

    def detach(self, consumer: int) -> Message:
        self.send(detach=pb.Detach(consumer=consumer))
        return self.wait("detached").content

    def status(self) -> Message:
        """The Answer; its `what` may be an error."""
        self._query += 1
        self.send(query=pb.Query(number=self._query, status=pb.StatusQuery()))
        return self._answer(self._query)

    def queues(self, after: str = "", limit: int = 0) -> Message:
        self._query += 1
        asked = pb.QueuesQuery(after=after, limit=limit)
        self.send(query=pb.Query(number=self._query, queues=asked))
        return self._answer(self._query)

    def usage(self, member: str = "") -> Message:
        self._query += 1
        asked = pb.UsageQuery(member=member)
        self.send(query=pb.Query(number=self._query, member_usage=asked))
        return self._answer(self._query)

    def dead(self, address: str, after: int = 0, limit: int = 0) -> Message:
        self._query += 1
        asked = pb.DeadQuery(address=address, after=after, limit=limit)
        self.send(query=pb.Query(number=self._query, dead=asked))
        return self._answer(self._query)

    def dead_letter(self, address: str, sequence: int) -> Message:
        self._query += 1
        name = pb.DeadName(address=address, sequence=sequence)
        self.send(query=pb.Query(number=self._query, dead_letter=name))
        return self._answer(self._query)

    def replay(self, address: str, sequence: int) -> Message:
        self._query += 1
        name = pb.DeadName(address=address, sequence=sequence)
        self.send(manage=pb.Manage(number=self._query, replay=name))
        return self._answer(self._query)

    def drop(self, address: str, sequence: int) -> Message:
        self._query += 1
        name = pb.DeadName(address=address, sequence=sequence)
        self.send(manage=pb.Manage(number=self._query, drop=name))
        return self._answer(self._query)

    def _answer(self, number: int) -> Message:
        return self.wait_for(
            lambda said: said.kind == "answer" and said.content.number == number
        ).content

    def goodbye(self) -> None:
        self.send(goodbye=pb.Goodbye())

    # What comes in

    def next(self, timeout_ms: int = PATIENCE_MS) -> Said | None:
        """The next message of the broker, in the order of coming; None when there is none."""
        if self._inbox:
            return self._inbox.pop(0)
        frames = self.wire.receive(timeout_ms)
        return None if frames is None else _read(frames)

    def wait_for(self, wanted: Callable[[Said], bool], timeout_ms: int = PATIENCE_MS) -> Said:
        """The first message that is wanted; the others stay for later, in order."""
        kept: list[Said] = []
        ends = time.monotonic() + timeout_ms / 1000
        try:
            while True:
                left = int(max(0, ends - time.monotonic()) * 1000)
                said = self.next(left)
                if said is None:
                    raise Silence(f"nothing that was wanted; there is {[s.kind for s in kept]}")
                if wanted(said):
                    return said
                kept.append(said)
        finally:
            self._inbox[:0] = kept

    def wait(self, kind: str, timeout_ms: int = PATIENCE_MS) -> Said:
        return self.wait_for(lambda said: said.kind == kind, timeout_ms)

    def says_nothing(self, kind: str, for_ms: int = 300) -> bool:
        """True when no such message comes for a while."""
        try:
            self.wait(kind, for_ms)
        except Silence:
            return True
        return False

    def outcome(self, numbers: Iterable[int]) -> dict[int, Message | None]:
        """Waits until each number is answered: None for accepted, the Error for refused."""
        wanted, answers = set(numbers), {}
        while wanted - answers.keys():
            said = self.wait_for(lambda s: s.kind in ("accepted", "refused"))
            for number, error in _outcomes(said):
                assert number not in answers, f"{number} is answered twice"
                answers[number] = error
        assert answers.keys() == wanted, f"answers for {answers.keys() - wanted}, never submitted"
        return answers

    def deliveries(self, count: int, timeout_ms: int = PATIENCE_MS) -> list[Delivered]:
        """At least so many deliveries, each with a good digest."""
        found: list[Delivered] = []
        while len(found) < count:
            said = self.wait("deliver", timeout_ms)
            found.extend(_delivered(said))
        return found

    def settled(self, consumer: int, *tags: int) -> None:
        """Waits until the answers for these tags are on disk."""
        left = set(tags)
        while left:
            said = self.wait_for(lambda s: s.kind == "settled" and s.content.consumer == consumer)
            left -= set(numbers_of(said.content.tags))


def _read(frames: list[bytes]) -> Said:
    to_client = pb.ToClient.FromString(frames[0])
    kind = to_client.WhichOneof("command")
    assert kind is not None, f"a command that version 1.0 does not know: {frames[0].hex(' ')}"
    return Said(kind, getattr(to_client, kind), frames[1:])


def _outcomes(said: Said) -> Iterator[tuple[int, Message | None]]:
    if said.kind == "accepted":
        for number in numbers_of(said.content.numbers):
            yield number, None
    else:
        for refusal in said.content.refusals:
            yield refusal.number, refusal.error


def _delivered(said: Said) -> Iterator[Delivered]:
    deliver = said.content
    pieces = cut_body([delivery.part for delivery in deliver.deliveries], said.body)
    for k, (delivery, (envelope_bytes, payload)) in enumerate(zip(deliver.deliveries, pieces)):
        tag = deliver.first_tag + k
        message = Delivered(
            deliver.consumer, tag, delivery.attempt, delivery.accepted_ms, envelope_bytes, payload
        )
        assert message.envelope.payload_digest == digest(payload), f"tag {tag}: not its digest"
        yield message
