# SPDX-License-Identifier: EUPL-1.2
"""The fixed script: a hundred messages through one broker, which may die at any moment; then the same
hundred are brought to an end on a sound one, and everything is counted.

Messages are sent again until they are accepted, as every sender does; a consumer acknowledges what it gets.
"""

from __future__ import annotations

import pathlib
import sys
import time
from dataclasses import dataclass, field

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration/protocol"))

from broker import FLOW, OWN, Broker  # noqa: E402
from client import Client, Outgoing, Said, compose, digest, numbers_of  # noqa: E402

MESSAGES = 100
BATCH = 5
UNANSWERED = 20  # submitted at once
CREDIT = 16
LARGE_EVERY, LARGE_BYTES, SMALL_BYTES = 10, 100_000, 300
AWAIT_S = 3  # a connection whose handshake the broker gave up is not made again here
SILENCE_TURNS = 4000  # of 2 ms and more without a word of the broker: it hangs


class Broken(AssertionError):
    """A promise that was broken."""


def payload_of(number: int) -> bytes:
    size = LARGE_BYTES if number % LARGE_EVERY == 0 else SMALL_BYTES
    return (f"{number}:" * (size // 3 + 1)).encode()[:size]


def letter(number: int) -> Outgoing:
    return compose(payload_of(number), id=f"letter-{number}", source="/chaos", type="fr.relais.test",
                   to=[OWN], flow=FLOW)  # fmt: skip


class Cut(Exception):
    """The broker has ended a connection."""


@dataclass
class History:
    """What the clients know."""

    accepted: set[int] = field(default_factory=set)
    settled: set[int] = field(default_factory=set)
    delivered: dict[int, int] = field(default_factory=dict)

    def lost(self) -> set[int]:
        return self.accepted - self.delivered.keys()

    def done(self) -> bool:
        """As far as the clients know; an acknowledgement may be on disk without a word of it."""
        return len(self.delivered) == MESSAGES == len(self.accepted)


class Life:
    """One broker's: two connections, until all is done or the broker is no more."""

    def __init__(self, broker: Broker, history: History) -> None:
        self.broker, self.history = broker, history
        self.waiting: dict[int, int] = {}  # number of the connection: message
        self.tags: dict[int, int] = {}
        self.todo = [n for n in range(MESSAGES) if n not in history.accepted]
        self.sender: Client | None = None
        self.receiver: Client | None = None
        self.watch: Client | None = None

    def run(self) -> bool:
        """True when all is done; False when the broker died, or said that it goes."""
        try:
            return self._connect() and self._work()
        except Cut:
            return False
        finally:
            for client in (self.sender, self.receiver, self.watch):
                if client is not None:
                    client.close()

    def _alive(self) -> bool:
        return self.broker._process is not None and self.broker._process.poll() is None

    def _await(self, client: Client, kind: str) -> bool:
        ends = time.monotonic() + AWAIT_S
        while self._alive() and time.monotonic() < ends:
            said = _next(client, 20)
            if said is not None and said.kind in ("goodbye", "error", "detached"):
                return False
            if said is not None and said.kind == kind:
                return True
        return False

    def _connect(self) -> bool:
        self.sender = self.broker.client("commune-76540", "sender")
        self.receiver = self.broker.client("commune-76540", "receiver")
        self.watch = self.broker.client("commune-76540", "watch")
        clients = (self.sender, self.receiver, self.watch)
        for client in clients:
            client.send(hello=_hello())
        if not all([self._await(client, "welcome") for client in clients]):
            return False
        self.receiver.send(attach=_attach())
        return self._await(self.receiver, "attached")

    def _work(self) -> bool:
        silent = 0
        while self._alive():
            if self.history.done() and self._is_empty():
                return True
            self._submit()
            heard = [self._hear(self.sender), self._hear(self.receiver)]
            if "gone" in heard:
                return False
            silent = 0 if any(heard) else silent + 1
            if silent > SILENCE_TURNS:
                raise Broken("the broker lives, and says nothing any more")
        return False

    def _is_empty(self) -> bool:
        """Nothing waits: what was acknowledged is on disk, told or not."""
        self.watch.send(query=_status_query())
        ends = time.monotonic() + AWAIT_S
        while self._alive() and time.monotonic() < ends:
            said = _next(self.watch, 20)
            if said is not None and said.kind == "answer":
                return said.content.status.waiting == 0
            if said is not None and said.kind == "goodbye":
                raise Cut
        return False

    def _submit(self) -> None:
        if self.todo and len(self.waiting) < UNANSWERED:
            batch, self.todo = self.todo[:BATCH], self.todo[BATCH:]
            numbers = self.sender.submit([letter(n) for n in batch])
            self.waiting.update(zip(numbers, batch))

    def _hear(self, client: Client) -> str:
        said = _next(client, 1)
        if said is None:
            return "gone" if client.wire.is_gone(0) else ""
        kind = said.kind
        if kind in ("goodbye", "error", "detached"):
            return "gone"
        if kind == "accepted":
            self.history.accepted.update(self.waiting.pop(n) for n in numbers_of(said.content.numbers))
        elif kind == "refused":
            self.todo += [self.waiting.pop(r.number) for r in said.content.refusals]
        elif kind == "settled":
            self.history.settled.update(self.tags[tag] for tag in numbers_of(said.content.tags))
        elif kind == "deliver":
            self._take(said)
        return kind

    def _take(self, said) -> None:  # noqa: ANN001
        from client import _delivered

        tags = []
        for one in _delivered(said):
            number = int(one.envelope.id.removeprefix("letter-"))
            if digest(one.payload) != digest(payload_of(number)):
                raise Broken(f"letter {number} has other bytes")
            if number in self.history.settled:
                raise Broken(f"letter {number} comes again after its acknowledgement was settled")
            self.history.delivered[number] = self.history.delivered.get(number, 0) + 1
            self.tags[one.tag] = number
            tags.append(one.tag)
        self.receiver.ack(said.content.consumer, *tags)
        self.receiver.credit(said.content.consumer, len(tags))


def _next(client: Client, timeout_ms: int) -> Said | None:
    """As Client.next(); a connection that the broker has cut says goodbye, too."""
    import zmq

    said = client.next(timeout_ms)
    if said is None and client.wire.event(0) not in (None, zmq.EVENT_HANDSHAKE_SUCCEEDED):
        return Said("goodbye", None)
    return said


def _hello():  # noqa: ANN202
    from schema import command as pb

    return pb.Hello(major=1, minor=2, software="chaos/1")


def _attach():  # noqa: ANN202
    from schema import command as pb

    return pb.Attach(consumer=1, address=OWN, credit=CREDIT)


def _status_query():  # noqa: ANN202
    from schema import command as pb

    return pb.Query(number=1, status=pb.StatusQuery())


def live_and_recover(broker: Broker, mend) -> History:  # noqa: ANN001
    """One life that may end early; then `mend` makes the broker sound, and the next one does the rest."""
    history = History()
    try:
        broker.start()
        done = Life(broker, history).run()
    except AssertionError as problem:
        if isinstance(problem, Broken) or "is not ready" not in str(problem):
            raise
        done = False
    mend()
    broker.start()
    if not done and not Life(broker, history).run():
        raise Broken("a sound broker did not bring it to an end")
    if history.lost():
        raise Broken(f"accepted and never delivered: {sorted(history.lost())}")
    with broker.client("commune-76540", "watch") as watch:
        watch.hello()
        status = watch.status().status
        if status.waiting or status.dead:
            raise Broken(f"{status.waiting} wait and {status.dead} are dead at the end")
    return history
