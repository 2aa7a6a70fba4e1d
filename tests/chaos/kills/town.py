# SPDX-License-Identifier: EUPL-1.2
"""A broker and its clients as processes that may be killed at any moment.

Three mailboxes: the first has one consumer, the second two. Three senders: one to the first, without
ordering keys; one to the second, with some; one to both, with some. The third mailbox has payloads that
go in chunks, with a sender and a consumer of their own.
"""

from __future__ import annotations

import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "integration/protocol"))

from broker import FLOW, Broker  # noqa: E402
from total_queue import Consumer, Finding, Sender, judge  # noqa: E402

FIRST, SECOND, THIRD = (f"commune-76540/boite-{number}" for number in (1, 2, 3))
MAILBOXES = (FIRST, SECOND, THIRD)
# name: ordering keys, mailboxes
SENDERS = {"plain": (0, [FIRST]), "keyed": (5, [SECOND]), "both": (3, [FIRST, SECOND]), "large": (0, [THIRD])}
# name: mailbox
RECEIVERS = {"alone": FIRST, "left": SECOND, "right": SECOND, "vast": THIRD}
IN_CHUNKS = ("large", "vast")
SETTINGS = {
    "limits": {"connections_per_key": 100},
    "delivery": {"attempts": 1000},  # a consumer that is killed has made one
    "store": {"map_size_mb": 4096, "reserve_mb": 1},
}
ENDS_S = 30  # for what a process does when asked to
QUIET_S = 40  # a queue from which nothing goes for so long will not drain
STARTS = 20  # the port may be another's for a moment


class Stuck(AssertionError):
    """Something did not come to its end."""


def free_port() -> int:
    """Below those that the system gives to connections: nobody takes it between two lives."""
    while True:
        port = random.SystemRandom().randrange(10000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Town:
    """All processes; `programs` is where those of the clients are."""

    def __init__(self, programs: pathlib.Path) -> None:
        self.programs = programs
        self.port = free_port()
        self.broker = Broker(listen=f"tcp://127.0.0.1:{self.port}", **SETTINGS)
        self.folder = self.broker.home
        self.clients: dict[str, subprocess.Popen[bytes]] = {}
        for name, client in (("sender", "sender"), ("receiver", "receiver")):
            self._write_profile(name, client)

    def _write_profile(self, name: str, client: str) -> None:
        keys = self.broker.keys["commune-76540", client]
        key = self.folder / f"{name}.key"
        key.touch(mode=0o600)
        key.write_text(f"public: {keys.public.decode()}\nsecret: {keys.secret.decode()}\n")
        broker_key = (self.folder / "keys/broker.key").read_text().split()[1]
        (self.folder / f"{name}.yaml").write_text(
            f"broker: tcp://127.0.0.1:{self.port}\nbroker_key: '{broker_key}'\nkey: {name}.key\n")  # fmt: skip

    def history(self, name: str) -> pathlib.Path:
        return self.folder / f"{name}.history"

    # Starting and killing

    def start_broker(self) -> None:
        for _ in range(STARTS):
            try:
                return self.broker.start()
            except AssertionError:
                if "port" not in self.broker.log[-2000:]:
                    raise
                time.sleep(0.1)
        raise Stuck(f"no broker:\n{self.broker.log[-4000:]}")

    def start_client(self, name: str) -> None:
        if name in SENDERS:
            keys, to = SENDERS[name]
            words = ["send", "sender.yaml", str(self.history(name)), name, FLOW]
            words += to if name in IN_CHUNKS else [str(keys), *to]
        else:
            words = ["receive", "receiver.yaml", str(self.history(name)), RECEIVERS[name]]
        words[1] = str(self.folder / words[1])
        program = self.programs / ("chaos_large" if name in IN_CHUNKS else "chaos_load")
        # It is to end in good order from its first instruction on.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        with open(self.folder / "clients.log", "ab") as log:
            self.clients[name] = subprocess.Popen(
                [program, *words], stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # fmt: skip
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def start(self) -> None:
        self.start_broker()
        for name in (*SENDERS, *RECEIVERS):
            self.start_client(name)

    def kill_broker(self) -> None:
        self._must_live("relaisd", self.broker._process)
        self.broker.kill()

    def kill_while_starting(self, after_s: float) -> None:
        with open(self.folder / "log", "ab") as log:
            process = subprocess.Popen(
                [os.environ["RELAISD"], "--config", self.folder / "relaisd.yaml"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # fmt: skip
        time.sleep(after_s)
        process.kill()
        process.wait()

    def kill_client(self, name: str) -> None:
        process = self.clients[name]
        self._must_live(name, process)
        process.kill()
        process.wait()

    def _must_live(self, name: str, process: subprocess.Popen[bytes] | None) -> None:
        """Nothing ends by itself."""
        if process is None or process.poll() is not None:
            code = process.returncode if process else None
            clients = self.folder / "clients.log"
            raise Stuck(f"{name} ended by itself ({code}):\n{self.broker.log[-4000:]}\n"
                        f"{clients.read_text() if clients.exists() else ''}")  # fmt: skip

    # The end

    def _end(self, name: str) -> None:
        process = self.clients[name]
        self._must_live(name, process)
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(ENDS_S)
        except subprocess.TimeoutExpired:
            raise Stuck(f"{name} does not end") from None
        if code != 0:
            raise Stuck(f"{name} ended with {code}:\n{(self.folder / 'clients.log').read_text()}")

    def drain(self) -> None:
        """Senders get all their answers, then receivers get all there is."""
        for name in SENDERS:
            self._end(name)
        with self.broker.client("commune-76540", "watch") as watch:
            watch.hello()
            last, since = -1, time.monotonic()
            while True:
                found = {q.address: q for q in watch.queues(limit=500).queues.queues}
                boxes = [found[address] for address in MAILBOXES if address in found]
                waiting = sum(q.waiting for q in boxes)
                if waiting == 0:
                    break
                if waiting != last:
                    last, since = waiting, time.monotonic()
                if time.monotonic() - since > QUIET_S:
                    raise Stuck(f"{waiting} messages wait and do not come")
                time.sleep(0.02)
            if any(q.dead for q in boxes):
                raise Stuck(f"{sum(q.dead for q in boxes)} dead letters")
        for name in RECEIVERS:
            self._end(name)
        self.broker.stop()

    def close(self) -> None:
        for process in self.clients.values():
            if process.poll() is None:
                process.kill()
            process.wait()
        if self.broker._process is not None and self.broker._process.poll() is None:
            self.broker.kill()
        self._kill_strays()
        self.broker.remove()

    def _kill_strays(self) -> None:
        """What an interruption kept us from noting; our folder is in the words that it was started with."""
        for words in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if os.fsencode(self.folder) + b"/" in words.read_bytes():
                    os.kill(int(words.parent.name), signal.SIGKILL)
            except OSError:
                continue  # has ended by itself

    def judge(self) -> Finding:
        senders = {name: Sender.read(name, self.history(name)) for name in SENDERS}
        total = Finding()
        for address in MAILBOXES:
            consumer = Consumer()
            for name, mailbox in RECEIVERS.items():
                if mailbox == address:
                    consumer.read(self.history(name))
            finding = judge([senders[n] for n, (_, to) in SENDERS.items() if address in to], consumer)
            finding.in_chunks = finding.delivered if address == THIRD else 0
            total.add(finding)
        return total
