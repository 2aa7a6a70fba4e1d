# SPDX-License-Identifier: EUPL-1.2
"""Subscriptions, and one message to all who have subscribed, against a real broker."""
import json
import os
import unittest

from bus import Bus

COMMUNES = 30


class Subscribers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bus = Bus()
        cls.addClassCleanup(cls.bus.close)
        cls.bus.init()
        cls.bus.populate()
        for i in range(COMMUNES):
            cls.bus.must("member", "add", f"commune-{i}", "--kind", "commune", "--name", f"Commune {i}",
                         "--service", "accueil")
        cls.operator = os.path.join(cls.bus.home, "operator/client.yaml")
        cls.bus.start()

    def flow(self, code):
        self.bus.must("flow", "add", code, "--title", code, "--purpose", "p", "--legal-basis", "l",
                      "--sender", "dila", "--receiver", "kind:commune")

    def send(self, flow, *words):
        return self.bus.run("send", "-", "--subscribers", "--flow", flow, "-p", self.bus.sender,
                            *words, stdin=b"avis")

    def waiting(self):
        rows = json.loads(self.bus.must("queues", "-p", self.operator, "-o", "json").out)
        return {row["address"]: row["waiting"] for row in rows}

    def test_every_subscriber_gets_the_message(self):
        self.flow("AVIS")
        for i in range(COMMUNES):
            self.bus.must("member", "subscribe", f"commune-{i}/accueil", "AVIS")
        self.bus.must("member", "unsubscribe", "commune-7/accueil", "AVIS")
        self.bus.must("member", "subscribe", "commune-76540/accueil", "AVIS")
        before = self.waiting()
        for _ in range(2):
            result = self.send("AVIS", "--id", "avis-1")
            self.assertEqual(result.code, 0, result)
        after = self.waiting()
        got = {name for name in after if after[name] - before.get(name, 0) == 1}
        wanted = {f"commune-{i}/accueil" for i in range(COMMUNES)} - {"commune-7/accueil"}
        self.assertEqual(got, wanted | {"commune-76540/accueil"})
        result = self.bus.run("receive", "commune-76540/accueil", "-p", self.bus.receiver, "--ack",
                              "--timeout", "3", "-o", "jsonl")
        self.assertIn("avis-1", result.out)
        self.assertEqual(self.waiting()["commune-0/accueil"], 1)

    def test_each_recipient_is_tracked(self):
        self.flow("SUIVI")
        for name in ("commune-1/accueil", "commune-2/accueil", "commune-76540/etat-civil"):
            self.bus.must("member", "subscribe", name, "SUIVI")
        self.assertEqual(self.send("SUIVI", "--id", "suivi-1").code, 0)
        track = ["track", "suivi-1", "-p", self.bus.sender]
        told = json.loads(self.bus.must(*track, "-o", "json").out)
        self.assertEqual((told["id"], told["flow"], told["totals"]), ("suivi-1", "SUIVI", {"waiting": 3}))
        self.bus.must("receive", "commune-76540/etat-civil", "-p", self.bus.receiver, "--ack", "--timeout", "3")
        told = json.loads(self.bus.must(*track, "-o", "json").out)
        self.assertEqual(told["totals"], {"waiting": 2, "acknowledged": 1})
        states = {row["address"]: row["state"] for row in told["recipients"]}
        self.assertEqual(states, {"commune-1/accueil": "waiting", "commune-2/accueil": "waiting",
                                  "commune-76540/etat-civil": "acknowledged"})
        lines = self.bus.must(*track, "--missing", "-o", "jsonl").out.splitlines()
        self.assertEqual(len(lines), 3)
        self.assertIn("commune-2/accueil", self.bus.must(*track, "-m").out)
        self.assertNotIn("etat-civil", self.bus.must(*track, "-m").out)
        result = self.bus.run("track", "suivi-1", "--sender", "dila", "-p", self.bus.receiver)
        self.assertEqual(result.code, 4, result)
        unknown = self.bus.run("track", "suivi-0", "-p", self.bus.receiver)
        self.assertEqual(result.err, unknown.err)
        self.bus.must("track", "suivi-1", "--sender", "dila", "-p", self.operator)

    def test_a_message_is_rectified_and_recalled(self):
        self.flow("RECTIF")
        for name in ("commune-3/accueil", "commune-4/accueil", "commune-76540/accueil"):
            self.bus.must("member", "subscribe", name, "RECTIF")
        self.assertEqual(self.send("RECTIF", "--id", "rectif-1").code, 0)
        receive = ["receive", "commune-76540/accueil", "-p", self.bus.receiver, "--ack", "--timeout", "2",
                   "-o", "jsonl"]
        self.bus.must(*receive)
        before = self.waiting()["commune-3/accueil"]
        self.bus.must("send", "-", "--supersedes", "rectif-1", "--flow", "RECTIF", "--id", "rectif-2", "-p",
                      self.bus.sender, stdin=b"mieux")
        self.assertEqual(self.waiting()["commune-3/accueil"], before)
        track = ["-p", self.bus.sender, "-o", "json"]
        self.assertEqual(json.loads(self.bus.must("track", "rectif-1", *track).out)["totals"],
                         {"acknowledged": 1, "superseded": 2})
        self.assertEqual(json.loads(self.bus.must("track", "rectif-2", *track).out)["totals"], {"waiting": 3})
        self.assertIn('"rectif-2"', self.bus.must(*receive).out)
        self.bus.must("recall", "rectif-2", "--reason", "envoyé par erreur", "-p", self.bus.sender)
        got = json.loads(self.bus.must(*receive).out)
        self.assertEqual((got["type"], got["supersedes"], got["extensions"]["reason"], got["size"]),
                         ("fr.relais.recall", "rectif-2", "envoyé par erreur", 0))
        for words in (["send", "-", "--supersedes", "rectif-0", "--flow", "RECTIF"],
                      ["send", "-", "--supersedes", "rectif-1", "--flow", "ETATCIVIL"],
                      ["recall", "rectif-0", "--reason", "x"]):
            result = self.bus.run(*words, "-p", self.bus.sender, stdin=b"x")
            self.assertEqual(result.code, 4, result)

    def test_nobody_has_subscribed(self):
        self.flow("VIDE")
        result = self.send("VIDE")
        self.assertEqual(result.code, 4, result)
        self.assertIn("nobody has subscribed", result.err)

    def test_to_all_is_never_a_slip(self):
        result = self.bus.run("send", "-", "--flow", "AVIS", "-p", self.bus.sender, stdin=b"x")
        self.assertEqual(result.code, 2)
        result = self.send("AVIS", "--to", "commune-0/accueil")
        self.assertEqual(result.code, 2)

    def test_what_will_not_do_is_said(self):
        self.flow("AUTRE")
        subscribe = ["member", "subscribe"]
        for words, code, text in ((["commune-0/accueil", "RIEN"], 3, "RIEN"),
                                  (["commune-0/cave", "AUTRE"], 2, "one of the member's services"),
                                  (["dila/accueil", "AUTRE"], 4, "among its receivers"),
                                  (["personne/accueil", "AUTRE"], 3, "personne"),
                                  (["commune-0", "AUTRE"], 2, "member/service")):
            result = self.bus.run(*subscribe, *words)
            self.assertEqual(result.code, code, result)
            self.assertIn(text, result.err)
        result = self.bus.run("member", "unsubscribe", "commune-0/accueil", "AUTRE")
        self.assertEqual(result.code, 3, result)
        self.bus.must("member", "subscribe", "commune-0/accueil", "AUTRE")
        again = self.bus.must("member", "subscribe", "commune-0/accueil", "AUTRE", "-o", "json")
        self.assertEqual(json.loads(again.out)["subscriptions"].count("accueil AUTRE"), 1)
        self.bus.must("member", "unsubscribe", "commune-0/accueil", "AUTRE")


if __name__ == "__main__":
    unittest.main()
