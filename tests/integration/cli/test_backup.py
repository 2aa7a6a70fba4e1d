#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""relais backup and check, and relaisd --check-store, --compact-store, --restore, by the programs
themselves: a backup under load is restored and holds everything that was accepted before it; damage
is found, named, set aside and never delivered.
"""
import glob
import json
import os
import stat
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bus import RELAISD, Bus, Result

ADDRESS = "commune-76540/etat-civil"


class Scene(unittest.TestCase):
    def setUp(self):
        self.bus = Bus()
        self.addCleanup(self.bus.close)
        self.bus.init()
        self.bus.populate()
        self.backups = os.path.join(self.bus.home, "backups")
        with open(self.config, "a", encoding="utf-8") as file:
            file.write("backup:\n  path: backups\n")

    @property
    def config(self):
        return os.path.join(self.bus.home, "relaisd.yaml")

    @property
    def data(self):
        return os.path.join(self.bus.home, "store", "data.mdb")

    def relaisd(self, *words):
        return Result(subprocess.run([RELAISD, "--config", self.config, *words],
                                     capture_output=True, timeout=120, check=False))

    def send(self, name, data):
        self.bus.write(name, data)
        return self.bus.run("send", "--flow", "ETATCIVIL", "--to", ADDRESS, "--profile",
                            self.bus.sender, self.bus.path(name))

    def receive(self, folder):
        os.makedirs(self.bus.path(folder), exist_ok=True)
        return self.bus.must("receive", ADDRESS, "-p", self.bus.receiver, "--ack", "--to-folder",
                             self.bus.path(folder), "--timeout", "1", timeout=300)

    def received(self, folder):
        found = []
        for path in glob.glob(self.bus.path(folder, "**", "*"), recursive=True):
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    found.append(file.read())
        return found

    def flip(self, marker):
        """One bit where these bytes of a payload lie in the file."""
        with open(self.data, "r+b") as file:
            data = file.read()
            at = data.find(marker)
            self.assertGreater(at, 0)
            file.seek(at)
            file.write(bytes([data[at] ^ 1]))


class Backup(Scene):
    def test_under_load_then_restored(self):
        self.bus.start()
        before = [b"before-%d " % i + os.urandom(3000) for i in range(20)]
        for number, data in enumerate(before):
            self.assertEqual(self.send(f"b{number}", data).code, 0)
        ended = threading.Event()

        def load():
            number = 0
            while not ended.is_set():
                self.send(f"l{number}", b"load " + os.urandom(200000))
                number += 1

        thread = threading.Thread(target=load)
        thread.start()
        result = self.bus.run("backup", "first.mdb", "-o", "json")
        ended.set()
        thread.join()
        self.assertEqual(result.code, 0, result)
        told = json.loads(result.out)
        path = os.path.join(self.backups, "first.mdb")
        self.assertEqual(told["name"], "first.mdb")
        self.assertEqual(told["findings"], 0)
        self.assertEqual(os.path.getsize(path), told["bytes"])
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(self.backups).st_mode), 0o700)
        self.assertIn("event=backup.done", self.bus.said())
        self.assertEqual(os.listdir(self.backups), ["first.mdb"])
        again = self.bus.run("backup", "first.mdb")
        self.assertEqual(again.code, 4, again)
        self.assertIn("exists", again.err)
        self.receive("gone")  # all of it is delivered and acknowledged, then the disk is lost
        self.bus.stop()
        refused = self.relaisd("--restore", path)
        self.assertEqual(refused.code, 69, refused)
        self.assertIn("--force", refused.err)
        restored = self.relaisd("--restore", path, "--force")
        self.assertEqual(restored.code, 0, restored)
        self.assertEqual(len(glob.glob(self.data + ".before-*")), 1)
        self.assertEqual(self.relaisd("--check-store").code, 0)
        self.bus.start()
        self.receive("again")
        found = self.received("again")
        for data in before:
            self.assertIn(data, found)

    def test_refusals_are_clear(self):
        self.bus.start()
        self.assertEqual(self.bus.run("backup", "../up").code, 4)
        outsider = self.bus.run("backup", "--profile", self.bus.sender)
        self.assertEqual(outsider.code, 4, outsider)
        self.assertIn("operate", outsider.err)
        self.bus.stop()
        with open(self.config, encoding="utf-8") as file:
            text = file.read()
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text.replace("backup:\n  path: backups\n", ""))
        self.bus.start()
        unset = self.bus.run("backup")
        self.assertEqual(unset.code, 4, unset)
        self.assertIn("backup.path", unset.err)

    def test_a_disk_that_is_too_full_is_told_before(self):
        os.environ["RELAIS_STORE_RESERVE_MB"] = "1048576"  # a terabyte: no disk of a test has it
        self.addCleanup(os.environ.pop, "RELAIS_STORE_RESERVE_MB", None)
        self.bus.start()
        full = self.bus.run("backup", "b.mdb")
        self.assertEqual(full.code, 4, full)
        self.assertIn("MiB needed", full.err)
        self.assertEqual(os.listdir(self.backups), [])

    def test_killed_in_the_middle_leaves_nothing_that_looks_whole(self):
        self.bus.start()
        for number in range(30):
            self.assertEqual(self.send(f"k{number}", os.urandom(1000000)).code, 0)
        asking = subprocess.Popen(
            [os.environ["RELAIS_COMMAND"], "backup", "cut.mdb"], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env={"RELAIS_HOME": self.bus.home, "PATH": os.environ["PATH"]})
        partial = os.path.join(self.backups, ".cut.mdb.partial")
        end = time.monotonic() + 20
        while not os.path.exists(partial) and time.monotonic() < end:
            time.sleep(0.001)
        self.bus.broker.kill()
        self.bus.broker.wait()
        asking.kill()
        asking.wait()
        self.assertIn(".cut.mdb.partial", os.listdir(self.backups))
        names = [name for name in os.listdir(self.backups) if not name.startswith(".")]
        self.assertEqual(names, [])
        self.bus.log.close()
        self.bus.start()
        self.assertEqual(self.bus.run("backup", "whole.mdb").code, 0)
        self.assertEqual(os.listdir(self.backups), ["whole.mdb"])


class Damage(Scene):
    def test_is_found_named_set_aside_and_never_delivered(self):
        self.bus.start()
        for number in range(3):
            self.assertEqual(self.send(f"m{number}", b"payload number %d" % number).code, 0)
        clean = self.bus.run("check", "-o", "json")
        self.assertEqual(clean.code, 0, clean)
        self.assertEqual(json.loads(clean.out)["findings"], [])
        self.bus.stop()
        self.assertEqual(self.relaisd("--check-store").code, 0)
        self.flip(b"payload number 1")
        offline = self.relaisd("--check-store")
        self.assertEqual(offline.code, 1, offline)
        self.assertIn("message sequence 2: checksum", offline.out)
        self.assertNotIn("payload", offline.out)
        self.bus.start()
        online = self.bus.run("check", "-o", "json")
        self.assertEqual(online.code, 6, online)
        told = json.loads(online.out)["findings"]
        self.assertEqual([(f["table"], f["address"], f["sequence"], f["aside"]) for f in told],
                         [("message", "", 2, False), ("ready", ADDRESS, 2, True)])
        self.assertIn("event=store.finding", self.bus.said())
        dead = json.loads(self.bus.must("dead", "list", ADDRESS, "-o", "json").out)
        self.assertEqual([letter["sequence"] for letter in dead], [2])
        partly = self.bus.run("backup", "-o", "json")
        self.assertEqual(partly.code, 6, partly)
        self.receive("in")
        found = self.received("in")
        self.assertIn(b"payload number 0", found)
        self.assertIn(b"payload number 2", found)
        self.assertFalse([data for data in found if b"number 1" in data])

    def test_a_broken_backup_is_not_restored(self):
        self.bus.start()
        self.assertEqual(self.send("m", b"the payload").code, 0)
        self.assertEqual(self.bus.run("backup", "b.mdb").code, 0)
        self.bus.stop()
        path = os.path.join(self.backups, "b.mdb")
        with open(path, "rb") as file:
            whole = file.read()
        for name, data in (("empty", b""), ("cut", whole[:-5000]), ("foreign", b"x" * 100000),
                           ("flipped", whole.replace(b"the payload", b"thE payload"))):
            broken = self.bus.write(name, data)
            result = self.relaisd("--restore", broken, "--force")
            self.assertEqual(result.code == 0, name == "flipped", (name, result))
        self.assertEqual(self.relaisd("--restore", self.bus.path("none"), "--force").code, 69)
        fresh = os.path.join(self.bus.folder, "fresh")
        environment = dict(os.environ, RELAIS_STORE_PATH=fresh)
        flipped = subprocess.run([RELAISD, "--config", self.config, "--restore",
                                  self.bus.path("flipped")], env=environment, check=False,
                                 capture_output=True, timeout=60)
        self.assertEqual(flipped.returncode, 1)
        self.assertFalse(os.path.exists(os.path.join(fresh, "data.mdb")))


class Compaction(Scene):
    def test_a_file_that_is_mostly_free_is_written_anew(self):
        self.bus.start()
        for number in range(100):
            self.assertEqual(self.send(f"m{number}", os.urandom(1000000)).code, 0)
        self.receive("in")
        self.assertEqual(self.send("last", b"stays").code, 0)
        self.bus.stop()
        before = os.stat(self.data).st_blocks
        left = self.bus.write("bus/store/data.mdb.compact", b"of one that was cut short")
        self.bus.start()
        self.assertIn("event=store.compacted", self.bus.said())
        self.assertLess(os.stat(self.data).st_blocks, before // 10)
        self.assertFalse(os.path.exists(left))
        self.receive("again")
        self.assertEqual(self.received("again"), [b"stays"])
        self.bus.stop()
        locked = self.relaisd("--compact-store")
        self.assertEqual(locked.code, 0, locked)

    def cut(self, words, after_s):
        """relaisd with these words, killed after a while. True: it was still at work."""
        process = subprocess.Popen([RELAISD, "--config", self.config, *words],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=after_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return True
        return False

    def test_killed_at_any_moment_there_is_a_whole_store(self):
        self.bus.start()
        for number in range(40):
            self.assertEqual(self.send(f"m{number}", os.urandom(1000000)).code, 0)
        self.assertEqual(self.bus.run("backup", "b.mdb").code, 0)
        self.bus.must("receive", ADDRESS, "-p", self.bus.receiver, "--ack", "--to-folder",
                      self.bus.folder, "-n", "30")
        self.bus.stop()
        with open(self.data, "rb") as file:
            kept = file.read()
        backup = os.path.join(self.backups, "b.mdb")
        counts = {("--compact-store",): {10}, ("--restore", backup, "--force"): {10, 40}}
        for words, expected in counts.items():
            cuts = 0
            after_s = 0.004
            while self.cut(words, after_s):
                cuts += 1
                after_s *= 1.25
                checked = self.relaisd("--check-store")
                self.assertEqual(checked.code, 0, checked)
                messages = int(checked.out.split(" messages")[0].split()[-1])
                self.assertIn(messages, expected)
            self.assertGreater(cuts, 3)
            with open(self.data, "wb") as file:
                file.write(kept)
        self.bus.start()

    def test_a_running_broker_is_not_disturbed(self):
        self.bus.start()
        for words in (("--check-store",), ("--compact-store",), ("--restore", "x", "--force")):
            result = self.relaisd(*words)
            self.assertEqual(result.code, 69, result)
            self.assertIn("another broker", result.err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
