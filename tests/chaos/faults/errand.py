# SPDX-License-Identifier: EUPL-1.2
"""A fixed errand on a broker that may end at any moment, and what its client knows afterwards.

A hundred messages, small and of several segments; some are acknowledged, one is given back, one is
refused, some are submitted again. Then a sound broker gives everything out, and it is counted.
"""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "integration/protocol"))

from broker import FLOW, OWN, Broker  # noqa: E402
from client import Client, Outgoing, Said, _delivered, _outcomes, _read, compose, numbers_of  # noqa: E402

MESSAGES, BATCH = 100, 5
LARGE_EVERY, LARGE_BYTES, SMALL_BYTES = 20, 70_000, 300
ACKED, CREDIT = 40, 20
AGAIN = 3
PATIENCE_S = 15.0
TURN_MS = 10
SETTINGS = {"store": {"map_size_mb": 256, "reserve_mb": 1}, "delivery": {"retry_s": 1}}


class Gone(Exception):
    """The broker has ended, or the connection has."""


class Broken(AssertionError):
    """A promise was broken."""


@dataclass
class Known:
    """What the client knows; messages by their number."""

    submitted_ns: dict[int, int] = field(default_factory=dict)  # the last time
    accepted_ns: dict[int, int] = field(default_factory=dict)
    accepted_submitted_ns: list[int] = field(default_factory=list)  # when what was accepted was submitted
    answered: set[int] = field(default_factory=set)  # acknowledged or refused, perhaps on disk
    settled: set[int] = field(default_factory=set)


def payload_of(number: int) -> bytes:
    size = LARGE_BYTES if number % LARGE_EVERY == 0 else SMALL_BYTES
    return (f"{number}," * size).encode()[:size]


def letter(number: int) -> Outgoing:
    return compose(payload_of(number), id=f"m-{number}", source="/errand", type="fr.relais.test",
                   to=[OWN], flow=FLOW)  # fmt: skip


def number_of(envelope_id: str) -> int:
    return int(envelope_id.removeprefix("m-"))


class Watched(Client):
    """Sees at once that there is nobody to wait for."""

    process: subprocess.Popen[bytes] | None = None

    def next(self, timeout_ms: int = 0) -> Said | None:
        if self._inbox:
            return self._inbox.pop(0)
        ends = time.monotonic() + PATIENCE_S
        while time.monotonic() < ends:
            over = self.process is not None and self.process.poll() is not None
            frames = self.wire.receive(0 if over else TURN_MS)
            if frames is not None:
                said = _read(frames)
                if said.kind == "goodbye":
                    raise Gone("goodbye")
                return said
            if over or self._is_cut():
                raise Gone("ended" if over else "cut")
        raise Broken(f"the broker lives and says nothing for {PATIENCE_S:.0f} s")

    def _is_cut(self) -> bool:
        import zmq

        event = self.wire.event(0)
        return event is not None and event != zmq.EVENT_HANDSHAKE_SUCCEEDED


class Errand:
    """On one broker, whose process may be given other settings by its environment."""

    def __init__(self) -> None:
        self.broker = Broker(**SETTINGS)
        self.known = Known()
        self.seen = 0  # bytes of the log

    # The broker

    def launch(self, **environment: str) -> bool:
        """True when it serves; False when it has ended."""
        log_path = self.broker.home / "log"
        self.seen = len(self.broker.log)
        with open(log_path, "ab") as log:
            process = subprocess.Popen(
                [os.environ["RELAISD"], "--config", str(self.broker.home / "relaisd.yaml")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **environment},
            )  # fmt: skip
        self.broker._process = process
        ends = time.monotonic() + PATIENCE_S
        while time.monotonic() < ends and process.poll() is None:
            ready = re.search(r"event=broker\.ready endpoint=\"?(tcp://[^\s\"]+)", self.said())
            if ready:
                self.broker.endpoint = ready.group(1)
                return True
            time.sleep(0.005)
        if process.poll() is None:
            raise Broken(f"neither ready nor ended:\n{self.said()}")
        return False

    def said(self) -> str:
        return self.broker.log[self.seen :]

    def is_alive(self) -> bool:
        process = self.broker._process
        return process is not None and process.poll() is None

    def end(self) -> int:
        """Asks it to end, when it has not ended by itself; its code."""
        process, self.broker._process = self.broker._process, None
        assert process is not None
        if process.poll() is None:
            process.terminate()
        try:
            return process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Broken(f"does not end:\n{self.said()}") from None

    def close(self) -> None:
        if self.is_alive():
            self.broker.kill()
        self.broker.remove()

    def session(self) -> Watched:
        keys = self.broker.keys["commune-76540", "files"]
        client = Watched(self.broker.endpoint, self.broker._broker_keys.public, keys)
        client.process = self.broker._process
        try:
            client.hello()
        except BaseException:
            client.close()
            raise
        return client

    # The errand

    def run(self) -> bool:
        """As much of it as the broker allows; True when that was all."""
        for _ in range(10):
            try:
                with self.session() as client:
                    self._submit(client)
                    self._receive(client)
                    self._repeat(client)
                return True
            except Gone:
                if not self.is_alive():
                    return False
        raise Broken("the broker lives, and cuts every connection")

    def _submit(self, client: Watched) -> None:
        for first in range(0, MESSAGES, BATCH):
            todo = [n for n in range(first, first + BATCH) if n not in self.known.accepted_ns]
            while todo:
                todo = self._submit_some(client, todo)

    def _submit_some(self, client: Watched, numbers: list[int]) -> list[int]:
        """Those that were not accepted."""
        now_ns = time.monotonic_ns()
        for number in numbers:
            self.known.submitted_ns[number] = now_ns
        waiting = dict(zip(client.submit([letter(n) for n in numbers]), numbers))
        left = []
        while waiting:
            said = client.next()
            if said is None or said.kind not in ("accepted", "refused"):
                continue
            for told, error in _outcomes(said):
                number = waiting.pop(told)
                if error is None:
                    self.known.accepted_ns[number] = time.monotonic_ns()
                    self.known.accepted_submitted_ns.append(now_ns)
                else:
                    left.append(number)
        if left:
            time.sleep(TURN_MS / 1000)
        return left

    def _receive(self, client: Watched) -> None:
        client.attach(1, OWN, CREDIT)
        while len(self.known.answered) < ACKED:
            said = client.next()
            if said is None or said.kind != "deliver":
                continue
            tags = []
            for one in _delivered(said):
                number = self.check(one)
                if number in self.known.settled:
                    raise Broken(f"m-{number} comes again after its acknowledgement was settled")
                self.known.answered.add(number)
                tags.append((one.tag, number))
            client.ack(1, *[tag for tag, _ in tags])
            client.credit(1, len(tags))
            self._settle(client, dict(tags))
        client.detach(1)

    def _settle(self, client: Watched, tags: dict[int, int]) -> None:
        while tags:
            said = client.wait_for(lambda s: s.kind in ("settled", "detached"))
            if said.kind == "detached":
                raise Gone("detached")
            for tag in numbers_of(said.content.tags):
                self.known.settled.add(tags.pop(tag))

    def _repeat(self, client: Watched) -> None:
        left = self._submit_some(client, list(range(AGAIN)))
        client.queues()
        client.dead(OWN)
        if left:
            raise Broken(f"known messages were refused: {left}")

    def check(self, one) -> int:  # noqa: ANN001
        number = number_of(one.envelope.id)
        if one.payload != payload_of(number):
            raise Broken(f"m-{number} has other bytes")
        return number

    # The count

    def count(self) -> None:
        """On a sound broker: all that was accepted and not answered is there, once, and nothing else."""
        if not self.launch():
            raise Broken(f"does not start again:\n{self.said()}")
        found: list[int] = []
        with self.session() as client:
            client.attach(1, OWN, CREDIT)
            queue = next((q for q in client.queues().queues.queues if q.address == OWN), None)
            waiting = queue.waiting if queue else 0
            while len(found) < waiting:
                for one in _delivered(client.wait("deliver")):
                    found.append(self.check(one))
                    client.ack(1, one.tag)
                    client.credit(1, 1)
                    client.settled(1, one.tag)
        if self.end() != 0:
            raise Broken(f"a sound broker does not end well:\n{self.said()}")
        self._compare(found)

    def _compare(self, found: list[int]) -> None:
        lost = self.known.accepted_ns.keys() - self.known.answered - set(found)
        again = self.known.settled & set(found)
        twice = {number for number in found if found.count(number) > 1}
        unknown = set(found) - self.known.submitted_ns.keys()
        for what, numbers in (("lost", lost), ("settled, and there again", again),
                              ("there twice", twice), ("never submitted", unknown)):  # fmt: skip
            if numbers:
                raise Broken(f"{what}: {sorted(numbers)}")
