# SPDX-License-Identifier: EUPL-1.2
"""Deadlines for acknowledgement against a real broker, of seconds instead of days."""
import base64
import json
import os
import signal
import time
import unittest

from bus import Bus

MANY = 600  # recipients: a reminder has several parts
KILLS_S = (0.0, 0.005, 0.01, 0.02, 0.04, 0.08)  # behind the start that finds the step due
MEMBER = """slug: village-{0}
name: Village {0}
kind: commune
services: [s]
subscriptions:
  - {{flow: TOUS, service: s}}
"""

class Deadlines(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bus = Bus()
        cls.addClassCleanup(cls.bus.close)
        cls.bus.init()
        cls.bus.populate()
        cls.operator = os.path.join(cls.bus.home, "operator/client.yaml")
        cls.bus.start()

    def flow(self, code, *rules):
        self.bus.must("flow", "add", code, "--title", code, "--purpose", "p", "--legal-basis", "l",
                      "--sender", "dila", "--receiver", "kind:commune", *rules)

    def send(self, flow, name, *to, sender="dila/accueil"):
        words = [word for one in to for word in ("--to", one)]
        self.bus.must("send", "-", "--flow", flow, "--id", name, "--from", sender, *words,
                      "-p", self.bus.sender, stdin=b"dossier")

    def receive(self, address, profile, timeout="1"):
        result = self.bus.run("receive", address, "-p", profile, "--ack", "--timeout", timeout,
                              "-o", "jsonl")
        return [json.loads(line) for line in result.out.splitlines()]

    def wait_for(self, address, kind, of, seconds=20):
        """The message of this type about that id; whatever else is there is acknowledged as well."""
        profile = self.bus.sender if address.startswith("dila/") else self.bus.receiver
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for message in self.receive(address, profile):
                if message["type"] == kind and message.get("correlation_id") == of:
                    return message
        self.fail(f"no {kind} about {of} in {address}: {self.bus.said()[-2000:]}")

    def data(self, message):
        return json.loads(base64.b64decode(message["payload"]))

    def track(self, name):
        return json.loads(self.bus.must("track", name, "-p", self.bus.sender, "-o", "json").out)

    def test_who_has_not_acknowledged_is_reminded_and_the_sender_warned(self):
        while self.receive("commune-76540/etat-civil", self.bus.receiver):
            pass  # of other tests
        self.flow("DELAI", "--within", "6s", "--remind", "4s")
        self.send("DELAI", "dossier-1", "commune-76540/etat-civil", "commune-76540/accueil")
        told = self.track("dossier-1")
        self.assertIsNotNone(told["deadline"])
        first = self.receive("commune-76540/etat-civil", self.bus.receiver)
        self.assertEqual([message["id"] for message in first], ["dossier-1"])
        time.sleep(4)
        # The other mailbox has the message and, before it by its priority, what reminds of it.
        lines = self.receive_without_ack("commune-76540/accueil")
        self.assertEqual(lines[0]["type"], "fr.relais.reminder")
        self.assertEqual(lines[0]["source"], "relais://broker")
        self.assertEqual(lines[0]["correlation_id"], "dossier-1")
        self.assertEqual(lines[0]["datacontenttype"], "application/json")
        said = self.data(lines[0])
        self.assertEqual((said["id"], said["flow"], said["from"]),
                         ("dossier-1", "DELAI", "dila/accueil"))
        self.assertEqual(said["deadline"], told["deadline"])
        self.assertEqual(said["accepted"], told["accepted"])
        self.assertEqual(self.receive("commune-76540/etat-civil", self.bus.receiver), [])
        warning = self.wait_for("dila/accueil", "fr.relais.deadline-missed", "dossier-1")
        said = self.data(warning)
        self.assertEqual(said["missing"], 1)
        self.assertEqual(said["totals"]["acknowledged"], 1)
        self.assertEqual(said["first"], ["commune-76540/accueil"])
        self.assertEqual(said["all"], "relais track dossier-1 --missing")
        rows = {row["address"]: row for row in self.track("dossier-1")["recipients"]}
        self.assertTrue(rows["commune-76540/accueil"]["late"])
        self.assertNotIn("late", rows["commune-76540/etat-civil"])
        self.assertIn("deadline.missed", self.bus.said())
        text = self.bus.must("track", "dossier-1", "-p", self.bus.sender)
        self.assertIn("to be acknowledged by", text.err)

    def receive_without_ack(self, address):
        result = self.bus.run("receive", address, "-p", self.bus.receiver, "--count", "2",
                              "--timeout", "3", "-o", "jsonl")
        return [json.loads(line) for line in result.out.splitlines()]

    def test_a_restart_neither_loses_nor_repeats(self):
        self.flow("REPRISE", "--within", "12s", "--remind", "10s", "--remind", "1s")
        self.send("REPRISE", "dossier-2", "commune-76540/etat-civil")
        time.sleep(3)
        self.bus.broker.kill()
        self.bus.broker.wait(timeout=30)
        self.bus.log.close()
        self.bus.start()
        seen = []
        end = time.monotonic() + 5
        while time.monotonic() < end:
            seen += self.receive_only_reminders("commune-76540/etat-civil")
        self.assertEqual(len(seen), 1, seen)

    def test_each_of_many_is_reminded_once_by_a_broker_that_is_killed(self):
        self.flow("TOUS", "--within", "60s", "--remind", "57s")
        for i in range(MANY):
            with open(os.path.join(self.bus.home, f"members/village-{i}.yaml"), "w", encoding="utf-8") as file:
                file.write(MEMBER.format(i))
        self.bus.broker.send_signal(signal.SIGHUP)
        time.sleep(1)
        self.bus.must("send", "-", "--subscribers", "--flow", "TOUS", "--id", "avis-tous",
                      "--from", "dila/accueil", "-p", self.bus.sender, stdin=b"avis")
        time.sleep(2.8)
        for delay_s in KILLS_S:
            time.sleep(delay_s)
            self.bus.broker.kill()
            self.bus.broker.wait(timeout=30)
            self.bus.log.close()
            self.bus.start()
        end = time.monotonic() + 30
        while time.monotonic() < end:
            told = json.loads(self.bus.must("status", "-p", self.operator, "-o", "json").out)
            waiting = self.waiting_of_villages()
            if sum(waiting.values()) >= 2 * MANY:
                break
            time.sleep(0.3)
        time.sleep(1)  # nothing more comes
        waiting = self.waiting_of_villages()
        self.assertEqual(len(waiting), MANY)
        self.assertEqual(set(waiting.values()), {2}, told)

    def waiting_of_villages(self):
        rows = json.loads(self.bus.must("queues", "-p", self.operator, "-o", "json").out)
        return {row["address"]: row["waiting"] for row in rows if row["address"].startswith("village-")}

    def receive_only_reminders(self, address):
        rows = json.loads(self.bus.must("queues", "-p", self.operator, "-o", "json").out)
        waiting = {row["address"]: row["waiting"] for row in rows}.get(address, 0)
        if waiting < 2:
            time.sleep(0.2)
            return []
        message = self.bus.run("receive", address, "-p", self.bus.receiver, "--count", "1", "--ack",
                               "--timeout", "3", "-o", "jsonl")
        one = json.loads(message.out.splitlines()[0])
        self.assertEqual(one["type"], "fr.relais.reminder")
        return [one["id"]]

    def test_the_rules_of_a_flow_are_shown_and_checked(self):
        self.flow("MONTRE", "--within", "15d", "--remind", "3d", "--remind", "12h")
        shown = json.loads(self.bus.must("flow", "show", "MONTRE", "-o", "json").out)
        self.assertEqual((shown["within"], shown["remind"]), ("15d", ["3d", "12h"]))
        self.assertIn("15d", self.bus.must("flow", "show", "MONTRE").out)
        words = ["flow", "add", "FAUX", "--title", "t", "--purpose", "p", "--legal-basis", "l",
                 "--sender", "dila", "--receiver", "*"]
        self.assertEqual(self.bus.run(*words, "--remind", "3d").code, 2)
        result = self.bus.run(*words, "--within", "3d", "--remind", "3d")
        self.assertEqual(result.code, 2, result)
        self.assertIn("acknowledge.remind[0]", result.err)

    def test_the_slug_of_the_broker_is_refused(self):
        result = self.bus.run("member", "add", "relais", "--kind", "state", "--name", "R")
        self.assertEqual(result.code, 2, result)
        self.assertIn("slug", result.err)


if __name__ == "__main__":
    unittest.main()
