# SPDX-License-Identifier: EUPL-1.2
"""Large payloads with the real programs: byte for byte, in constant memory, and gone on with where
they were when any of the three was killed."""
import hashlib
import json
import os
import signal
import subprocess
import threading
import time
import unittest

from bus import RELAIS, SANITIZERS, Bus
from line import Line

ROUEN = "commune-76540/etat-civil"
MIB = 1024 * 1024
SIZE = 24 * MIB + 12345
SLOW = 12 * MIB  # bytes a second: a kill after a third of the file is in the middle
# What may go twice after a cut: the chunks that were on their way, and what the sockets held.
AGAIN = 6 * MIB
LARGE = int(os.environ.get("RELAIS_LARGE_MIB", "200")) * MIB
SANITIZED = bool(os.environ.get("RELAIS_SANITIZED"))  # what they keep aside is not ours
ANON_MIB = 64  # each program; libzmq and the allocator included


def pseudo_random(size, seed):
    """Bytes that no two places of have in common, made quickly."""
    block = b"".join(hashlib.sha256(f"{seed} {i}".encode()).digest() for i in range(4096))
    out = bytearray()
    turn = 0
    while len(out) < size:
        out += turn.to_bytes(8, "big") + block
        turn += 1
    return bytes(out[:size])


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(
            hashlib, "file_digest") else hashlib.sha256(file.read()).hexdigest()


class Anon(threading.Thread):
    """The most anonymous memory that a process had, MiB."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process = process
        self.most = 0.0
        self.start()

    def run(self):
        while self.process.poll() is None:
            try:
                with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
                    for line in file:
                        if line.startswith("RssAnon:"):
                            self.most = max(self.most, int(line.split()[1]) / 1024)
            except OSError:
                return
            time.sleep(0.05)


class Large(unittest.TestCase):
    def setUp(self):
        self.bus = Bus()
        self.addCleanup(self.bus.close)
        self.bus.init()
        self.bus.populate()
        self.bus.start()
        self.folder = self.bus.path("in")
        os.mkdir(self.folder)

    def begin(self, *words, profile):
        """A program that goes on beside the test."""
        clean = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": self.bus.folder,
                 "RELAIS_HOME": self.bus.home, **SANITIZERS}
        process = subprocess.Popen([RELAIS, *words, "-p", profile], cwd=self.bus.folder, env=clean,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        return process

    def send(self, path, name, profile=None):
        return self.begin("send", path, "--to", ROUEN, "--flow", "ETATCIVIL", "--id", name,
                          "--timeout", "60", profile=profile or self.bus.sender)

    def take(self, profile=None, wait_s=60):
        return self.begin("receive", ROUEN, "--to-folder", self.folder, "--ack", "-n", "1",
                          "--timeout", str(wait_s), profile=profile or self.bus.receiver)

    def done(self, process, timeout=120):
        out, err = process.communicate(timeout=timeout)
        self.assertEqual(process.returncode, 0, (out, err))
        return out.decode()

    def through(self, profile, bytes_per_s=0):
        """The profile over a line of its own."""
        line = Line(self.bus.port, bytes_per_s)
        self.addCleanup(line.close)
        with open(profile, encoding="utf-8") as file:
            text = file.read()
        direct = f"tcp://127.0.0.1:{self.bus.port}"
        self.assertIn(direct, text)
        path = os.path.join(os.path.dirname(profile), f"line-{line.port}-{id(line)}.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(direct, line.endpoint))
        return line, path

    def kill_broker(self):
        self.bus.broker.send_signal(signal.SIGKILL)
        self.bus.broker.wait(timeout=30)
        self.bus.log.close()

    def wait_for(self, what, timeout=60):
        end = time.monotonic() + timeout
        while not what():
            self.assertLess(time.monotonic(), end, "in time")
            time.sleep(0.01)

    def arrived(self, path):
        names = os.listdir(self.folder)
        self.assertEqual(len(names), 1, names)
        self.assertEqual(digest(os.path.join(self.folder, names[0])), digest(path))
        return names[0]

    def test_a_large_file_arrives_among_small_ones(self):
        data = pseudo_random(SIZE, "whole")
        path = self.bus.write("plan.zip", data)
        small = self.bus.write("small.txt", b"Bonjour")
        self.done(self.send(path, "large-1"))
        self.done(self.send(small, "small-1"))
        self.done(self.send(path, "large-1"))  # again: stored once
        shown = json.loads(self.bus.must("receive", ROUEN, "-o", "jsonl", "-p", self.bus.receiver)
                           .out.splitlines()[0])
        self.assertEqual((shown["id"], shown["size"], shown["payload"]), ("large-1", SIZE, None))
        for _ in range(2):
            self.done(self.take())
        self.assertEqual(sorted(os.listdir(self.folder)), ["plan.zip", "small.txt"])
        self.assertEqual(digest(os.path.join(self.folder, "plan.zip")), digest(path))
        self.done(self.begin("receive", ROUEN, "--ack", "--timeout", "1",
                             profile=self.bus.receiver))
        self.assertEqual(len(os.listdir(self.folder)), 2)

    def test_stdin_and_stdout(self):
        data = pseudo_random(3 * MIB, "stream")
        self.bus.must("send", "-", "--to", ROUEN, "--flow", "ETATCIVIL", "-p", self.bus.sender,
                      stdin=data)
        result = self.bus.must("receive", ROUEN, "--ack", "-n", "1", "-p", self.bus.receiver)
        self.assertEqual(result.bytes, data)

    def test_a_killed_sender_goes_on(self):
        path = self.bus.write("a.bin", pseudo_random(SIZE, "sender"))
        line, slow = self.through(self.bus.sender, SLOW)
        sender = self.send(path, "killed", slow)
        self.wait_for(lambda: line.up > SIZE // 3)
        sender.kill()
        sender.wait()
        first = line.up
        rest, again = self.through(self.bus.sender)
        self.done(self.send(path, "killed", again))
        self.assertLess(first, SIZE)
        self.assertLess(first + rest.up, SIZE + AGAIN)
        self.done(self.take())
        self.arrived(path)

    def test_a_killed_broker_goes_on_taking(self):
        path = self.bus.write("b.bin", pseudo_random(SIZE, "broker"))
        line, slow = self.through(self.bus.sender, SLOW)
        sender = self.send(path, "restarted", slow)
        self.wait_for(lambda: line.up > SIZE // 3)
        self.kill_broker()
        self.bus.start()
        self.done(sender)
        self.assertGreater(line.up, SIZE)
        self.assertLess(line.up, SIZE + AGAIN)
        self.done(self.take())
        self.arrived(path)

    def test_a_killed_receiver_goes_on(self):
        path = self.bus.write("c.bin", pseudo_random(SIZE, "receiver"))
        self.done(self.send(path, "fetched"))
        line, slow = self.through(self.bus.receiver, SLOW)
        receiver = self.take(slow)
        self.wait_for(lambda: line.down > SIZE // 3)
        receiver.kill()
        receiver.wait()
        self.assertTrue(os.listdir(self.folder)[0].endswith(".part"))
        first = line.down
        rest, again = self.through(self.bus.receiver)
        self.done(self.take(again))
        self.assertLess(first + rest.down, SIZE + AGAIN)
        self.arrived(path)

    def test_a_killed_broker_goes_on_giving(self):
        path = self.bus.write("d.bin", pseudo_random(SIZE, "giving"))
        self.done(self.send(path, "fetched-again"))
        line, slow = self.through(self.bus.receiver, SLOW)
        receiver = self.take(slow)
        self.wait_for(lambda: line.down > SIZE // 3)
        self.kill_broker()
        self.bus.start()
        self.done(receiver)
        self.assertLess(line.down, SIZE + AGAIN)
        self.arrived(path)

    def test_a_partial_file_of_something_else(self):
        path = self.bus.write("e.bin", pseudo_random(3 * MIB, "right"))
        self.done(self.send(path, "mixed"))
        line, slow = self.through(self.bus.receiver, MIB)
        receiver = self.take(slow)
        self.wait_for(lambda: line.down > MIB)
        receiver.kill()
        receiver.wait()
        partial = os.path.join(self.folder, os.listdir(self.folder)[0])
        with open(partial, "r+b") as file:
            file.write(b"something else")
        self.done(self.take())
        self.arrived(path)

    def test_memory_is_constant(self):
        path = self.bus.path("large.bin")
        with open(path, "wb") as file:
            for turn in range(LARGE // (8 * MIB)):
                file.write(pseudo_random(8 * MIB, f"turn {turn}"))
        broker = Anon(self.bus.broker)
        began = time.monotonic()
        sender = self.send(path, "constant")
        sending = Anon(sender)
        self.done(sender, 3600)
        sent_s = time.monotonic() - began
        receiver = self.take()
        receiving = Anon(receiver)
        self.done(receiver, 3600)
        took_s = time.monotonic() - began - sent_s
        self.arrived(path)
        print(f"{LARGE // MIB} MiB: sent in {sent_s:.1f} s, received in {took_s:.1f} s; anonymous "
              f"MiB: broker {broker.most:.1f}, sender {sending.most:.1f}, "
              f"receiver {receiving.most:.1f}")
        if not SANITIZED:
            for one in (broker, sending, receiving):
                self.assertLess(one.most, ANON_MIB)


if __name__ == "__main__":
    unittest.main()
