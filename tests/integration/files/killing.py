# SPDX-License-Identifier: EUPL-1.2
"""Files pass through the bus while its processes are killed at random; then every file is counted.

A file that arrives is taken out of the inbox at once by half of the rounds, as software does, so that
the adapter cannot lean on what still lies there.
"""
import dataclasses
import hashlib
import random
import re
import time

from bus import Failure, wait_until

SMALLEST, LARGEST = 1024, 1024 * 1024
PROCESSES = ("relaisd", "dila", "commune-76540")


@dataclasses.dataclass
class Result:
    files: int = 0
    lost: int = 0
    duplicated: int = 0
    differing: int = 0
    kills: int = 0
    seconds: float = 0.0
    megabytes: float = 0.0

    def clean(self):
        return self.lost == self.duplicated == self.differing == 0


def content_of(chance):
    size = int(SMALLEST * (LARGEST / SMALLEST) ** chance.random())
    return chance.randbytes(size)


class Round:
    def __init__(self, bus, files, seed, pause=(0.2, 1.5), take=False):
        self.bus, self.files, self.take = bus, files, take
        self.chance = random.Random(seed)
        self.pause = pause
        self.sums = {}
        self.taken = bus.root / "taken"
        self.taken.mkdir()
        self.result = Result(files=files)
        self.starts = {"relaisd": bus.start_broker, "dila": bus.start_sender,
                       "commune-76540": bus.start_receiver}

    def drop(self, number):
        name = f"RCO-{number:06d}.bin"
        content = content_of(self.chance)
        self.sums[name] = hashlib.sha256(content).digest()
        self.result.megabytes += len(content) / 1e6
        self.bus.drop(name, content)

    def take_away(self):
        if self.take:
            for name in self.bus.arrived():
                target = self.taken / name
                number = 0
                while target.exists():  # a second copy keeps a name of its own, and is counted
                    number += 1
                    target = self.taken / f"{name}.again-{number}"
                (self.bus.inbound / name).rename(target)

    def kill_one(self):
        name = self.chance.choice(PROCESSES)
        self.bus.kill(name)
        self.result.kills += 1
        time.sleep(self.chance.uniform(0, 0.05))
        self.starts[name]()

    def restart_what_ended(self):
        for name in PROCESSES:
            if not self.bus.alive(name):
                self.starts[name]()

    def run(self, settle_seconds):
        begin = time.monotonic()
        self.bus.start_all()
        next_kill = begin + self.chance.uniform(*self.pause)
        for number in range(self.files):
            self.drop(number)
            if time.monotonic() >= next_kill:
                self.kill_one()
                next_kill = time.monotonic() + self.chance.uniform(*self.pause)
            if number % 50 == 0:
                self.take_away()
        # dropping is quicker than sending: go on killing while files are on their way
        last, quiet = -1, time.monotonic()
        while True:
            self.take_away()
            left = self.left()
            if left == 0:
                break
            if left != last:
                last, quiet = left, time.monotonic()
            if time.monotonic() - quiet > settle_seconds:
                raise Failure(f"{left} files do not arrive")
            if time.monotonic() >= next_kill:
                self.kill_one()
                next_kill = time.monotonic() + self.chance.uniform(*self.pause)
            time.sleep(0.05)
        self.settle()
        self.result.seconds = time.monotonic() - begin
        return self.count()

    def arrived(self):
        folders = [self.taken, self.bus.inbound]
        return [path for folder in folders for path in folder.iterdir()
                if path.is_file() and not path.name.startswith(".")]

    def left(self):
        return len(self.bus.waiting()) + max(0, self.files - len(self.arrived()))

    def settle(self):
        """Everything is there: a last kill of each, then a while in which nothing more may come."""
        for name in PROCESSES:
            self.bus.kill(name)
        self.bus.start_all()
        time.sleep(1.5)
        wait_until("the mailbox is empty", lambda: self.bus.waiting_in("commune-76540/etat-civil") == 0)
        self.take_away()

    def count(self):
        copies = {}
        for path in self.arrived():
            name = re.sub(r"\.again-\d+$", "", path.name)
            name = re.sub(r"^(RCO-\d{6})-.*\.bin$", r"\1.bin", name)
            copies[name] = copies.get(name, 0) + 1
            if hashlib.sha256(path.read_bytes()).digest() != self.sums.get(name):
                self.result.differing += 1
        self.result.lost = sum(1 for name in self.sums if name not in copies)
        self.result.duplicated = sum(number - 1 for number in copies.values())
        return self.result
