# SPDX-License-Identifier: EUPL-1.2
"""dead list, show, replay and drop against a real broker."""
import json
import os
import subprocess
import time
import unittest

from bus import Bus

ROUEN = "commune-76540/etat-civil"
REFUSE = os.environ["REFUSE_COMMAND"]
SECRET = "quelque chose de confidentiel"


class DeadLetters(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bus = Bus()
        cls.addClassCleanup(cls.bus.close)
        cls.bus.init()
        cls.bus.populate()
        cls.bus.must("member", "add", "commune-06088", "--kind", "commune", "--name", "Nice",
                     "--insee", "06088", "--service", "etat-civil")
        cls.bus.must("client", "add", "commune-06088", "files", "--role", "receive", "--new",
                     cls.bus.path("nice"))
        cls.bus.must("client", "add", "commune-76540", "looker", "--role", "send", "--new",
                     cls.bus.path("looker"))
        cls.operator = os.path.join(cls.bus.home, "operator/client.yaml")
        cls.bus.start()

    def setUp(self):
        self.dead("drop", ROUEN, "--all", "-q")

    def dead(self, *words, profile=None, **settings):
        return self.bus.run("dead", *words, "-p", profile or self.operator, **settings)

    def rows(self, *words, profile=None):
        result = self.dead("list", *words, "-o", "json", profile=profile)
        self.assertEqual(result.code, 0, result)
        return json.loads(result.out)

    def refuse(self, *ids, payload=SECRET.encode(), reason="pas pour nous"):
        for name in ids:
            self.bus.must("send", "-", "--to", ROUEN, "--flow", "ETATCIVIL", "-p", self.bus.sender,
                          "--id", name, stdin=payload)
        subprocess.run([REFUSE, self.bus.receiver, ROUEN, str(len(ids)), reason], check=True,
                       timeout=60)

    def receive(self, *words):
        return self.bus.run("receive", ROUEN, "-p", self.bus.receiver, "--ack", "--timeout", "2",
                            *words)

    def test_a_refused_message_is_listed_and_shown(self):
        self.refuse("dead-1", "dead-2")
        for words in ((), (ROUEN,)):
            first, second = self.rows(*words)
            self.assertEqual((first["address"], first["code"], first["number"]),
                             (ROUEN, "RELAIS_REFUSED_BY_RECIPIENT", 22))
            self.assertEqual((first["id"], second["id"]), ("dead-1", "dead-2"))
            self.assertLess(first["sequence"], second["sequence"])
            self.assertEqual((first["reason"], first["attempts"], first["damaged"]),
                             ("pas pour nous", 1, False))
            self.assertEqual((first["flow"], first["type"]), ("ETATCIVIL", "fr.relais.file"))
            self.assertRegex(first["died"], r"^20\d\d-.*Z$")
            self.assertGreater(first["size"], len(SECRET))
        number = str(first["sequence"])
        shown = self.dead("show", ROUEN, number, "-o", "json")
        self.assertEqual(shown.code, 0, shown)
        whole = json.loads(shown.out)
        (attempt,) = whole.pop("history")
        self.assertEqual(whole, first)
        self.assertEqual((attempt["number"], attempt["ending"], attempt["reason"]),
                         (1, "refuse", "pas pour nous"))
        self.assertRegex(attempt["at"], r"^20\d\d-.*Z$")
        text = self.dead("show", ROUEN, number).out
        for part in (ROUEN, number, "pas pour nous", "dead-1", "ETATCIVIL", "refused", "whole"):
            self.assertIn(part, text)
        table = self.dead("list").out
        self.assertIn("dead-2", table)
        lines = self.dead("list", "-o", "jsonl").out.splitlines()
        self.assertEqual([json.loads(line)["id"] for line in lines], ["dead-1", "dead-2"])
        for output in (text, table, shown.out):
            self.assertNotIn(SECRET, output)

    def test_a_replayed_message_is_delivered_again(self):
        self.refuse("again-1", "again-2")
        row = self.rows()[0]
        done = self.dead("replay", ROUEN, str(row["sequence"]), "-o", "json")
        self.assertEqual(done.code, 0, done)
        self.assertEqual(json.loads(done.out), [{"address": ROUEN, "sequence": row["sequence"],
                                                 "outcome": "replayed"}])
        got = self.receive("-n", "1", "-o", "json")
        message = json.loads(got.out)
        self.assertEqual((message["id"], message["attempt"]), ("again-1", 1))
        self.assertEqual([row["id"] for row in self.rows()], ["again-2"])
        self.assertIn("event=dead_letter.replayed", self.bus.said())
        again = self.dead("replay", ROUEN, str(row["sequence"]))
        self.assertEqual((again.code, again.out), (4, ""))
        self.assertIn(str(row["sequence"]), again.err)

    def test_all_of_a_mailbox_over_several_pages(self):
        count = 130
        for number in range(count):
            self.bus.write(f"many-{number:03}.txt", b"x")
        names = [self.bus.path(f"many-{number:03}.txt") for number in range(count)]
        self.bus.must("send", *names, "--to", ROUEN, "--flow", "ETATCIVIL", "-p", self.bus.sender)
        subprocess.run([REFUSE, self.bus.receiver, ROUEN, str(count), ""], check=True, timeout=60)
        self.assertEqual(len(self.rows()), count)
        replayed = self.dead("replay", ROUEN, "--all", "-o", "jsonl")
        self.assertEqual((replayed.code, len(replayed.out.splitlines())), (0, count))
        self.assertEqual(self.rows(), [])
        got = self.receive("-n", str(count), "-o", "jsonl")
        self.assertEqual((got.code, len(got.out.splitlines())), (0, count))
        nothing = self.dead("replay", ROUEN, "--all")
        self.assertEqual((nothing.code, nothing.out), (0, ""))
        self.assertIn("no dead letter", nothing.err)

    def used_bytes(self):
        return json.loads(self.bus.must("status", "-o", "json").out)["store_used_bytes"]

    def wait_for_used(self, wanted):
        """The store measures itself when it writes, the broker tells it every second."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            self.bus.must("send", "-", "--to", "commune-76540/accueil", "--flow", "ETATCIVIL", "-p",
                          self.bus.sender, stdin=b"a write")
            if wanted(self.used_bytes()):
                return True
            time.sleep(0.3)
        return False

    def test_a_dropped_message_leaves_the_store(self):
        size = 900000
        before = self.used_bytes()
        self.refuse("large", payload=os.urandom(size))
        self.assertTrue(self.wait_for_used(lambda used: used > before + size // 2))
        with_it = self.used_bytes()
        row = self.rows()[0]
        self.assertGreater(row["size"], size)
        dropped = self.dead("drop", ROUEN, str(row["sequence"]), profile=self.bus.receiver)
        self.assertEqual(dropped.code, 0, dropped)
        self.assertEqual(self.rows(), [])
        self.assertEqual(self.dead("show", ROUEN, str(row["sequence"])).code, 4)
        self.assertTrue(self.wait_for_used(lambda used: used < with_it - size // 2))
        self.assertEqual(self.receive("-n", "1").code, 5)
        self.assertIn("event=dead_letter.dropped", self.bus.said())
        queues = json.loads(self.bus.must("queues", "-o", "json").out)
        row = [row for row in queues if row["address"] == ROUEN][0]
        self.assertEqual((row["waiting"], row["waiting_bytes"], row["dead"]), (0, 0, 0))

    def test_another_member_sees_and_touches_nothing(self):
        self.refuse("ours")
        number = str(self.rows()[0]["sequence"])
        for profile in (self.bus.path("nice", "client.yaml"), self.bus.sender):
            self.assertEqual(self.rows(profile=profile), [])
            for words in (("list", ROUEN), ("show", ROUEN, number), ("replay", ROUEN, number),
                          ("replay", ROUEN, "--all"), ("drop", ROUEN, number)):
                result = self.dead(*words, profile=profile)
                self.assertEqual((result.code, result.out), (4, ""), f"{words} {result}")
                self.assertIn(ROUEN, result.err)
                self.assertNotIn("ours", result.err)
        self.assertEqual(len(self.rows()), 1)

    def test_its_own_member_looks_and_with_receive_acts(self):
        self.refuse("own-1", "own-2")
        looker = self.bus.path("looker", "client.yaml")
        first, second = self.rows(profile=looker)
        denied = self.dead("drop", ROUEN, str(first["sequence"]), profile=looker)
        self.assertEqual((denied.code, denied.out), (4, ""))
        self.assertIn("receive", denied.err)
        partly = self.dead("drop", ROUEN, str(first["sequence"]), "999999999",
                           str(second["sequence"]), "-o", "json", profile=self.bus.receiver)
        self.assertEqual(partly.code, 6, partly)
        self.assertEqual(len(json.loads(partly.out)), 2)
        self.assertEqual(self.rows(), [])

    def test_wrong_lines(self):
        for words in (("list", "nowhere"), ("list", ROUEN, "1"), ("show", ROUEN),
                      ("show", ROUEN, "one"), ("show", "nowhere", "1"), ("replay", ROUEN),
                      ("replay", ROUEN, "1", "--all"), ("drop", ROUEN, "0"), ("drop", ROUEN, "-1"),
                      ("drop", ROUEN, "1", "2x"), ("drop", "nowhere", "1")):
            result = self.dead(*words)
            self.assertEqual((result.code, result.out), (2, ""), f"{words} {result}")
        for address in ("nobody/etat-civil", "commune-76540/nothing"):
            result = self.dead("list", address)
            self.assertEqual((result.code, result.out), (4, ""), result)
            self.assertIn(address, result.err)

    def test_they_outlive_the_broker(self):
        self.refuse("patient")
        before = self.rows()
        self.bus.stop()
        for words in (("list",), ("list", ROUEN), ("drop", ROUEN, "1"), ("replay", ROUEN, "--all")):
            self.assertEqual(self.dead(*words, "--timeout", "1").code, 5)
        self.bus.start()
        self.assertEqual(self.rows(), before)


if __name__ == "__main__":
    unittest.main()
