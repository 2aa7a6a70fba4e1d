#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""A broker under at least ten times the load that it carries: it answers BUSY, its memory stays within
its configuration, nothing that it accepted is lost, and a calm member still gets through.

    overload.py [--seconds N] [--brief] [--control]

--brief goes on until each flood has been told BUSY and the calm member got through, however long that takes,
and demands nothing that depends on the speed of this machine: BUSY and nothing else, memory within its
bound (not under a sanitizer, whose own memory is in it), nothing lost.
--control takes the bound on what is unsent away and demands that the test finds it.

Who makes the load: floods that submit window after window and heed no answer; readers that take what
there is and read nothing; a storm of connections that say hello and go. The store's disk is slow
(slow_sync.c), or the load would have to be larger than this machine can make. $RELAISD is the broker,
$RELAIS_SLOW_SYNC what slows its disk down.
"""

from __future__ import annotations

import argparse
import collections
import multiprocessing
import os
import pathlib
import signal
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "integration" / "protocol"))

from broker import Broker, FLOW, OWN, is_sanitized  # noqa: E402
from client import Client, Silence, compose  # noqa: E402
from schema import code_name  # noqa: E402
from schema import command as pb  # noqa: E402

LARGE_BOX = "commune-76540/boite-50"
STORING_MB = 4
SENDING_MB = 8
SYNC_MS = 200
BRIEF_SYNC_MS = 500  # a slow broker, too, takes in more meanwhile than may be on its way to disk
BRIEF_CALM = 2  # messages of the calm member
BRIEF_MOST_S = 300
FLOODS = 2  # processes
LINES = 3  # connections of each
BATCH = 512
READERS = 4  # connections of a process that stands still
CONSUMERS = 8  # of each: what one may hold without an answer is less than what its line swallows
LARGE = 256 * 1024
LARGE_COUNT = 480  # 120 MiB: far more than may be unsent, and than the kernel keeps of four lines
LARGE_BATCH = 6
# What the broker may use: the program, what is on its way to disk (and its copy in pages that are not
# written yet), what is on its way to clients, and what is read ahead.
MEMORY_MB = 40 + 2 * STORING_MB + 2 * SENDING_MB
CALM_MS = 4 * SYNC_MS + 2000
RATIO = 10


def anonymous_kib(pid: int) -> int:
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1])
    return 0


class Flood:
    """Batches of small messages with ids of their own, packed once and then changed in place."""

    def __init__(self, client: Client, name: str, box: str) -> None:
        self.client = client
        self.prefix = name
        one = compose(b"flood", id=f"{name}-00000000", source="/flood", type="fr.relais.flood",
                      to=[box], flow=FLOW)  # fmt: skip
        self.size = len(one.envelope_bytes) + len(one.payload)
        self.body = bytearray((one.envelope_bytes + one.payload) * BATCH)
        self.parts = [one.part()] * BATCH
        self.at = one.envelope_bytes.index(name.encode()) + len(name) + 1
        self.serial = 0
        self.first = 1
        self.offered = self.accepted = self.unanswered = 0
        self.refused: collections.Counter[str] = collections.Counter()
        self.kept: dict[int, tuple[int, int]] = {}
        self.ids: list[str] = []

    def offer(self) -> None:
        for i in range(BATCH):
            begin = i * self.size + self.at
            self.body[begin : begin + 8] = b"%08d" % (self.serial + i)
        submit = pb.Submit(first_number=self.first, parts=self.parts)
        self.client.send([bytes(self.body)], submit=submit)
        self.kept[self.first] = (self.serial, BATCH)
        self.first += BATCH
        self.serial += BATCH
        self.offered += BATCH
        self.unanswered += BATCH

    def hear(self, timeout_ms: int) -> bool:
        said = self.client.next(timeout_ms)
        if said is None:
            return False
        if said.kind == "accepted":
            for numbers in said.content.numbers:
                for number in range(numbers.first, numbers.last + 1):
                    self.ids.append(f"{self.prefix}-{number - 1:08d}")
                    self.accepted += 1
                    self.unanswered -= 1
        elif said.kind == "refused":
            self.unanswered -= len(said.content.refusals)
            self.refused[code_name(said.content.refusals[0].error.code)] += len(
                said.content.refusals
            )
        else:
            raise AssertionError(f"a flood was told {said}")
        return True

    def drain(self) -> None:
        while self.unanswered > 0:
            assert self.hear(30000), f"{self.unanswered} messages have no answer"


def flood(number: int, endpoint: str, keys, broker_key: bytes, stop, busy, results) -> None:
    floods = []
    for line in range(LINES):
        client = Client(endpoint, broker_key, keys)
        client.hello()
        floods.append(Flood(client, f"f{number}{line}", f"commune-76540/boite-{number + 1}"))
    while not stop.is_set():
        for one in floods:
            if one.unanswered < 8 * BATCH:
                one.offer()
            while one.hear(0):
                pass
        if all(one.refused["BUSY"] > 0 and one.accepted > 0 for one in floods):
            busy.set()
    for one in floods:
        one.drain()
        results.put((number, one.offered, one.accepted, dict(one.refused), one.ids))
        one.client.goodbye()


def storm(broker: Broker, stop: threading.Event, counts: collections.Counter) -> None:
    while not stop.is_set():
        client = broker.client("commune-06088", "files")
        try:
            client.hello()
            counts["welcomed"] += 1
        except AssertionError:
            counts["turned away"] += 1
        client.close()


def fill(broker: Broker) -> None:
    """What the readers will ask for and not read."""
    sender = broker.client("commune-76540", "files")
    sender.hello()
    payload = os.urandom(LARGE)
    todo = [compose(payload, id=f"large-{i}", source="/large", type="fr.relais.large",
                    to=[LARGE_BOX], flow=FLOW) for i in range(LARGE_COUNT)]  # fmt: skip
    while todo:
        batches = [todo[:LARGE_BATCH], todo[LARGE_BATCH : 2 * LARGE_BATCH]]
        sent = {n: m for batch in batches if batch for n, m in zip(sender.submit(batch), batch)}
        answers = sender.outcome(sent)
        stored = {message.envelope.id for n, message in sent.items() if answers[n] is None}
        todo = [message for message in todo if message.envelope.id not in stored]
    sender.goodbye()
    sender.close()


def read_nothing(endpoint: str, keys, broker_key: bytes, attached) -> None:
    """Takes what there is, and stands still for ever: what is sent to it stays unread."""
    clients = [Client(endpoint, broker_key, keys) for _ in range(READERS)]
    for client in clients:
        client.hello()
        for consumer in range(1, CONSUMERS + 1):
            client.send(attach=pb.Attach(consumer=consumer, address=LARGE_BOX, credit=100))
        client.wait_for(lambda said: said.kind == "attached" and said.content.consumer == CONSUMERS)
    attached.set()
    os.kill(os.getpid(), signal.SIGSTOP)


def calm(broker: Broker, stop: threading.Event, took: list[float]) -> None:
    client = broker.client("dila", "notices")
    client.hello()
    serial = 0
    while not stop.is_set():
        serial += 1
        message = compose(b"calm", id=f"calm-{serial}", source="/dila", type="fr.relais.calm",
                          to=[OWN], flow=FLOW)  # fmt: skip
        begin = time.monotonic()
        while True:
            (error,) = client.outcome(client.submit([message])).values()
            if error is None:
                break
            assert error.retry_after_ms > 0, error
            time.sleep(error.retry_after_ms / 1000)
        took.append((time.monotonic() - begin) * 1000)
        time.sleep(0.05)


def take_all(broker: Broker, box: str, wanted: set[str]) -> None:
    client = broker.client("commune-76540", "files")
    client.hello()
    client.attach(1, box, 1024)
    missing = set(wanted)
    while missing:
        try:
            delivered = client.deliveries(1, 20000)
        except Silence:
            break
        missing -= {one.envelope.id for one in delivered}
        client.ack(1, *(one.tag for one in delivered))
        client.credit(1, len(delivered))
    assert not missing, f"{len(missing)} messages that were accepted are lost, {sorted(missing)[:3]}"
    client.close()


class Watch(threading.Thread):
    """The most anonymous memory that the broker has had."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.most_kib = 0
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(0.02):
            self.most_kib = max(self.most_kib, anonymous_kib(self.pid))


def make(sending_mb: int) -> Broker:
    limits = {"storing_mb": STORING_MB, "sending_mb": sending_mb, "connections_per_key": 64}
    none = {"rate": 0, "messages": 0, "bytes": 0, "connections": 0}
    return Broker(store={"map_size_mb": 4096, "reserve_mb": 1}, limits=limits, quota=none)


def start_slow(broker: Broker, sync_ms: int) -> None:
    options = os.environ.get("ASAN_OPTIONS", "")
    slow = {"RELAIS_SLOW_SYNC_MS": str(sync_ms), "LD_PRELOAD": os.environ["RELAIS_SLOW_SYNC"],
            "ASAN_OPTIONS": options + ":verify_asan_link_order=0"}  # fmt: skip
    os.environ.update(slow)
    try:
        broker.start()
    finally:
        del os.environ["LD_PRELOAD"]
        os.environ["ASAN_OPTIONS"] = options


def await_seen(busy: list, took: list[float], watch: Watch, options: argparse.Namespace) -> None:
    """Until what is to be seen was seen, and at least so long."""
    begin = time.monotonic()
    while time.monotonic() < begin + BRIEF_MOST_S:
        if options.control:
            seen = watch.most_kib > MEMORY_MB * 1024
        else:
            seen = all(one.is_set() for one in busy) and len(took) >= BRIEF_CALM
        if seen and time.monotonic() >= begin + options.seconds:
            return
        time.sleep(0.05)
    raise AssertionError(f"BUSY seen by {sum(one.is_set() for one in busy)} of {len(busy)} floods, "
                         f"{len(took)} messages of the calm member")  # fmt: skip


def load(broker: Broker, options: argparse.Namespace) -> list:
    """Gives what each flood has been told."""
    watch = Watch(broker._process.pid)
    watch.start()
    attached = multiprocessing.Event()
    public = broker._broker_keys.public
    reader = multiprocessing.Process(
        target=read_nothing,
        args=(broker.endpoint, broker.keys["commune-76540", "receiver"], public, attached),
    )
    reader.start()
    assert attached.wait(30)
    stop, halt = threading.Event(), multiprocessing.Event()
    results: multiprocessing.Queue = multiprocessing.Queue()
    keys = broker.keys["commune-76540", "sender"]
    busy = [multiprocessing.Event() for _ in range(FLOODS)]
    floods = [
        multiprocessing.Process(
            target=flood, args=(i, broker.endpoint, keys, public, halt, busy[i], results)
        )
        for i in range(FLOODS)
    ]
    took: list[float] = []
    counts: collections.Counter = collections.Counter()
    threads = [threading.Thread(target=calm, args=(broker, stop, took)),
               threading.Thread(target=storm, args=(broker, stop, counts))]  # fmt: skip
    for one in [*floods, *threads]:
        one.start()
    if options.brief:
        await_seen(busy, took, watch, options)
    else:
        time.sleep(options.seconds)
    halt.set()
    said = [results.get(timeout=BRIEF_MOST_S) for _ in range(FLOODS * LINES)]
    stop.set()
    for one in [*floods, *threads]:
        one.join(60)
    watch.stopped.set()
    reader.kill()
    reader.join()
    report(said, took, counts, watch)
    judge(said, took, watch, options.brief)
    return said


def run(broker: Broker, options: argparse.Namespace) -> None:
    """The disk is slow while there is load, and only then."""
    broker.start()
    fill(broker)
    broker.stop()
    start_slow(broker, BRIEF_SYNC_MS if options.brief else SYNC_MS)
    said = load(broker, options)
    broker.stop()
    broker.start()
    for number in range(FLOODS):
        ids = {name for box, *_, names in said if box == number for name in names}
        take_all(broker, f"commune-76540/boite-{number + 1}", ids)
    take_all(broker, LARGE_BOX, {f"large-{i}" for i in range(LARGE_COUNT)})
    print("nothing that was accepted is lost")


def report(said: list, took: list[float], counts: collections.Counter, watch: Watch) -> None:
    offered = sum(one[1] for one in said)
    accepted = sum(one[2] for one in said)
    refused = sum((collections.Counter(one[3]) for one in said), collections.Counter())
    took.sort()
    print(f"offered {offered}, accepted {accepted} ({offered / max(accepted, 1):.1f} times), "
          f"refused {dict(refused)}")  # fmt: skip
    print(f"connections {dict(counts)}; most memory {watch.most_kib / 1024:.1f} MiB of {MEMORY_MB}")
    print(f"calm: {len(took)} messages, median {took[len(took) // 2]:.0f} ms, most {took[-1]:.0f} ms")


def judge(said: list, took: list[float], watch: Watch, brief: bool) -> None:
    offered = sum(one[1] for one in said)
    accepted = sum(one[2] for one in said)
    refused = {code for one in said for code in one[3]}
    assert is_sanitized() or watch.most_kib <= MEMORY_MB * 1024, "more memory than is configured"
    assert refused == {"BUSY"}, refused
    assert brief or (accepted > 0 and offered >= RATIO * accepted), "the load was too small to say anything"
    assert brief or took[-1] <= CALM_MS, "a calm member does not get through"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--brief", action="store_true")
    parser.add_argument("--control", action="store_true")
    options = parser.parse_args()
    broker = make(1024 if options.control else SENDING_MB)
    try:
        run(broker, options)
        return 1 if options.control else 0
    except AssertionError as found:
        if not options.control or "more memory" not in str(found):
            raise
        print(f"found: {found}")
        return 0
    finally:
        broker.stop()
        broker.remove()


if __name__ == "__main__":
    sys.exit(main())
