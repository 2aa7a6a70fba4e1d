# SPDX-License-Identifier: EUPL-1.2
"""Sealed and signed messages, end to end: profiles with keys are enough; an implementation written from the pages
opens what librelais seals, and the reverse; and what somebody between altered, forged, swapped or left out is refused
and never shown.

The one between is played by a client that submits whatever it likes under dila's CURVE key: a broker that alters what
it stores can do no more."""
import json
import os
import pathlib
import sys
import threading
import time
import unittest

from bus import Bus

TESTS = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS / "unit" / "trust"), str(TESTS / "unit" / "seal"), str(TESTS / "integration" / "protocol")]
import directory  # noqa: E402
import sealed as sealing  # noqa: E402
from client import Client, Keys, Outgoing, digest  # noqa: E402
from schema import envelope as envelope_pb  # noqa: E402

TO = "commune-76540/etat-civil"
FROM = "dila/accueil"
FLOW = "ETATCIVIL"
TEXT = b"Monsieur le maire, ceci reste entre nous.\n"


def read_client_key(folder):
    with open(os.path.join(folder, "client.key"), encoding="utf-8") as file:
        lines = dict(line.rstrip("\n").split(": ", 1) for line in file)
    return Keys(lines["public"].encode(), lines["secret"].encode())


class Sealed(unittest.TestCase):
    def setUp(self):
        self.bus = Bus()
        self.addCleanup(self.bus.close)
        self.bus.init()
        self.key("regulator", "relais-france")
        self.dila = self.key("dila", "dila")
        self.rouen = self.key("rouen", "commune-76540")
        self.bus.populate()
        os.mkdir(self.bus.path("bus", "entries"))
        for member, name in (("dila", "dila"), ("commune-76540", "rouen")):
            self.sign(member, name)
            self.renew(member, name)
            self.profile(name)
        self.bus.start()

    def key(self, name, slug):
        self.bus.must("key", "new", f"{name}.key", "--signing", slug)
        with open(self.bus.path(f"{name}.key"), encoding="utf-8") as file:
            return directory.Key.read(file.read())

    def sign(self, member, name):
        path = self.bus.path("bus", "members", f"{member}.yaml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(self.bus.path(f"{name}.key.pub"), encoding="utf-8") as file:
            line = f"signing_keys: ['{file.read().strip()}']\n"
        if line not in text:
            with open(path, "a", encoding="utf-8") as file:
                file.write(line)
        self.bus.must("directory", "sign", path, "--key", "regulator.key", "--to", f"bus/entries/{member}.entry")

    def renew(self, member, name, *more):
        self.bus.must("key", "mailboxes", f"bus/entries/{member}.mailboxes", "--identity", f"{name}.key", "--folder",
                      f"{name}-keys", *more)

    def profile(self, name, **changes):
        lines = {"regulator": "../regulator.key.pub", "memory": "seen", "identity": f"../{name}.key",
                 "mailbox_keys": f"../{name}-keys"}
        lines.update(changes)
        path = self.bus.path(name, "client.yaml")
        with open(path, encoding="utf-8") as file:
            base = [line for line in file if line.split(":")[0] not in (*lines, "sealed_flows")]
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(base + [f"{key}: {value}\n" for key, value in lines.items() if value])

    def send(self, data=TEXT, *more, code=0):
        self.bus.write("letter.txt", data)
        result = self.bus.run("send", "letter.txt", "--to", TO, "-f", FLOW, "-p", self.bus.sender, *more)
        self.assertEqual(result.code, code, result)
        return result

    def receive(self, *more):
        result = self.bus.run("receive", TO, "--ack", "-p", self.bus.receiver, "-o", "jsonl", "--timeout", "1", *more)
        return [json.loads(line) for line in result.out.splitlines()]

    def dead(self):
        """Reasons of the dead letters."""
        rows = json.loads(self.bus.must("dead", "list", TO, "-p", self.bus.receiver, "-o", "json").out)
        return [row.get("reason", "") for row in rows]

    def mailbox_key(self):
        folder = self.bus.path("rouen-keys")
        now = time.time() * 1000
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                lines = dict(line.strip().split(": ") for line in file if ": " in line and line[0] != "#")
            key = sealing.Key(bytes.fromhex(lines["secret"]), int(lines["from-ms"]), int(lines["until-ms"]))
            if key.not_before <= now < key.not_after:
                return key
        raise AssertionError("no mailbox key for now")

    def python(self, name, folder):
        with open(self.bus.path("bus", "keys", "broker.key.pub"), encoding="utf-8") as file:
            broker = file.read().split(": ")[1].strip().encode()
        client = Client(f"tcp://127.0.0.1:{self.bus.port}", broker, read_client_key(self.bus.path(folder)))
        self.addCleanup(client.close)
        client.hello()
        return client

    def compose(self, key=None, text=TEXT, alter=None, **changes):
        """A good message, signed and sealed by the other implementation; changed as told before it is signed."""
        terms = sealing.Terms(f"py-{os.urandom(4).hex()}", FROM, TO)
        wrap, payload = sealing.seal(text, 0, terms, self.mailbox_key(), os.urandom(32), os.urandom(32))
        payload = alter(payload) if alter else payload
        values = {"id": terms.id, "source": "x", "type": "fr.relais.test", "to": [TO], "flow": FLOW, "from": FROM,
                  "payload_size": len(payload), "payload_digest": digest(payload), "wraps": [wrap]}
        values.update(changes)
        packed = envelope_pb.Envelope(**values).SerializeToString()
        return Outgoing(directory.sign_envelope(packed, key or self.dila), payload)

    def submit(self, *messages):
        client = self.python("dila", "dila")
        self.assertEqual(set(client.outcome(client.submit(messages)).values()), {None})

    # What works

    def test_a_letter_arrives_and_nobody_between_can_read_it(self):
        self.send()
        for folder, _, names in os.walk(os.path.join(self.bus.home, "store")):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    self.assertNotIn(TEXT[:20], file.read(), name)
        said = self.receive()
        self.assertEqual([(row["sealed"], row["sender"], row["size"]) for row in said], [(True, "dila", len(TEXT))])
        self.assertEqual(self.dead(), [])

    def test_sizes_at_the_edges_of_chunks(self):
        for size in (0, 1, 65535, 65536, 65537, 200000):
            data = bytes(i % 251 for i in range(size))
            self.send(data)
            out = self.bus.run("receive", TO, "--ack", "-n", "1", "-p", self.bus.receiver)
            self.assertEqual((out.code, out.bytes), (0, data), size)

    def test_the_other_implementation_opens_it(self):
        self.send(TEXT, "--from", FROM)
        client = self.python("rouen", "rouen")
        client.attach(1, TO, 1)
        delivered = client.deliveries(1)[0]
        directory.verify_envelope(delivered.envelope_bytes, [self.dila.public_text])
        terms = sealing.Terms(delivered.envelope.id, FROM, TO)
        self.assertEqual(sealing.open_sealed(delivered.payload, delivered.envelope.wraps[0], terms, self.mailbox_key()), TEXT)

    def test_what_the_other_implementation_seals_is_opened(self):
        self.submit(self.compose())
        self.assertEqual([row["sealed"] for row in self.receive()], [True])

    def test_several_recipients_have_one_payload_and_a_wrap_each(self):
        self.bus.write("letter.txt", TEXT)
        self.bus.must("send", "letter.txt", "--to", TO, "--to", "commune-76540/accueil", "-f", FLOW, "-p",
                      self.bus.sender)
        self.assertEqual(len(self.receive()), 1)
        other = self.bus.must("receive", "commune-76540/accueil", "--ack", "-p", self.bus.receiver)
        self.assertEqual(other.bytes, TEXT)

    def test_a_recall_is_signed(self):
        sent = json.loads(self.send(TEXT, "-o", "jsonl").out)
        self.receive()
        self.bus.must("recall", sent["id"], "--reason", "erreur", "-p", self.bus.sender)
        said = self.receive()
        self.assertEqual([(row["type"], row["sealed"]) for row in said], [("fr.relais.recall", True)])

    def test_a_question_and_its_answer(self):
        """Both are sealed; the answer for the private mailbox, by the key for every place."""
        self.bus.must("client", "add", "commune-76540", "guichet", "--role", "send", "--role", "receive", "--new",
                      self.bus.path("guichet"))
        with open(self.bus.receiver, encoding="utf-8") as file:
            keys = [line for line in file if line.split(":")[0] in ("regulator", "memory", "identity", "mailbox_keys")]
        with open(self.bus.path("guichet", "client.yaml"), "a", encoding="utf-8") as file:
            file.writelines(keys)
        profile = self.bus.path("guichet", "client.yaml")
        asked = []
        thread = threading.Thread(target=lambda: asked.append(self.bus.run(
            "request", TO, "--data", "Qui ?", "-f", FLOW, "-p", self.bus.sender, "--timeout", "60")))
        thread.start()
        out = self.bus.must("receive", TO, "--ack", "-n", "1", "-p", profile, "-o", "jsonl", "--timeout", "60").out
        question = json.loads(out)
        self.assertTrue(question["sealed"])
        self.bus.write("answer.txt", b"Moi.")
        self.bus.must("send", "answer.txt", "--to", question["reply_to"], "-f", FLOW, "--correlation-id",
                      question["id"], "-p", profile)
        thread.join()
        self.assertEqual((asked[0].code, asked[0].bytes), (0, b"Moi."), asked[0])

    def test_flows_that_are_not_named_stay_as_they_were(self):
        self.profile("dila", sealed_flows="[AUTRE]")
        self.profile("rouen", sealed_flows="[AUTRE]")
        self.send()
        self.assertEqual([row["sealed"] for row in self.receive()], [False])

    # What is refused

    def refused(self, reason, *messages):
        self.submit(*messages)
        self.assertEqual(self.receive(), [])
        self.assertEqual(len(self.dead()), len(messages), self.dead())
        for said in self.dead():
            self.assertIn(reason, said)

    def test_an_unsealed_message(self):
        packed = envelope_pb.Envelope(**{"id": "u", "source": "x", "type": "t", "to": [TO], "flow": FLOW, "from": FROM,
                                         "payload_size": 1, "payload_digest": digest(b"x")}).SerializeToString()
        self.refused("neither sealed nor signed", Outgoing(packed, b"x"))

    def test_one_altered_bit_anywhere(self):
        good = self.compose()
        bad = []
        for at in range(0, len(good.payload), 7):
            payload = bytearray(good.payload)
            payload[at] ^= 1
            # The broker does not look at the payload; the envelope says another digest, and is signed.
            bad.append(Outgoing(self.compose(id=f"p-{at}").envelope_bytes, bytes(payload)))
        self.refused("DIGEST_MISMATCH", *[Outgoing(m.envelope_bytes, m.payload) for m in bad])

    def test_an_altered_payload_with_a_digest_to_match(self):
        """What the sender's own key signed, and still no letter of its: one that was cut, and one that was changed."""
        self.refused("does not open", self.compose(alter=lambda payload: payload[:-1] + bytes([payload[-1] ^ 1])),
                     self.compose(alter=lambda payload: payload[:-17]),
                     self.compose(alter=lambda payload: payload + bytes(16)))

    def test_an_envelope_that_was_changed_after_it_was_signed(self):
        good = self.compose()
        changed = envelope_pb.Envelope.FromString(good.envelope_bytes)
        changed.subject = "autre chose"
        self.refused("not of this envelope", Outgoing(changed.SerializeToString(), good.payload))

    def test_a_forged_signature(self):
        good = self.compose()
        forged = good.envelope_bytes[:-1] + bytes([good.envelope_bytes[-1] ^ 1])
        self.refused("not of this envelope", Outgoing(forged, good.payload))

    def test_a_wrap_of_another_message(self):
        self.refused("does not open", self.compose(wraps=[envelope_pb.Envelope.FromString(
            self.compose().envelope_bytes).wraps[0]]))

    def test_no_wrap_for_us(self):
        self.refused("no wrap for this mailbox", self.compose(wraps=[]))

    def test_fewer_wraps_than_recipients(self):
        self.refused("no wrap for this mailbox", self.compose(to=[TO, "commune-76540/accueil"]))

    def test_a_key_that_the_directory_does_not_have(self):
        """It is not shown, and may be right later: the sender's new entry may be on its way."""
        self.submit(self.compose(key=directory.Key("dila", bytes(32))))
        self.assertEqual(self.receive(), [])
        self.assertEqual(self.dead(), [])
        rows = json.loads(self.bus.must("queues", "-p", self.bus.receiver, "-o", "json").out)
        self.assertEqual([row["waiting"] for row in rows if row["address"] == TO], [1])

    # What does not leave

    def test_nothing_leaves_for_who_has_no_key(self):
        os.unlink(self.bus.path("bus", "entries", "commune-76540.mailboxes"))
        self.restart()
        self.assertIn("key mailboxes", self.send(code=4).err)

    def test_nothing_leaves_for_who_has_no_entry(self):
        os.unlink(self.bus.path("bus", "entries", "commune-76540.entry"))
        self.restart()
        self.assertIn("no signed entry", self.send(code=1).err)

    def test_nothing_leaves_for_a_key_that_the_broker_swapped(self):
        """The broker has a pair of its own published for the recipient."""
        thief = directory.Key("commune-76540", os.urandom(32))
        now = int(time.time() * 1000)
        week = directory.record(now - 1000, now + 86400000, os.urandom(32))
        self.bus.write("bus/entries/commune-76540.mailboxes",
                       directory.sign(directory.mailboxes_text("commune-76540", 9, [("*", week)]), thief).encode())
        self.restart()
        self.assertIn("no signature of a key that is trusted", self.send(code=1).err)

    def test_nothing_leaves_without_named_recipients_or_in_chunks(self):
        self.bus.write("letter.txt", TEXT)
        result = self.bus.run("send", "letter.txt", "--subscribers", "-f", FLOW, "-p", self.bus.sender)
        self.assertEqual(result.code, 4, result)
        self.bus.write("large", bytes(2 << 20))
        result = self.bus.run("send", "large", "--to", TO, "-f", FLOW, "-p", self.bus.sender)
        self.assertEqual(result.code, 4, result)
        self.assertIn("sealed", result.err)

    def test_a_flow_that_requires_it(self):
        with open(self.bus.path("bus", "flows", f"{FLOW}.yaml"), "a", encoding="utf-8") as file:
            file.write("sealing: required\n")
        self.restart()
        self.send()
        self.assertEqual(len(self.receive()), 1)
        self.profile("dila", regulator="", memory="", identity="", mailbox_keys="")
        result = self.send(code=4)
        self.assertIn("sealed and signed", result.err)

    def test_a_receiver_without_keys_sees_nothing_of_it(self):
        self.profile("rouen", regulator="", memory="", identity="", mailbox_keys="")
        self.send()
        self.assertEqual(self.receive(), [])
        self.profile("rouen")
        self.assertEqual(self.dead(), [])

    def test_a_profile_that_will_not_do(self):
        self.profile("dila", regulator="")
        self.assertIn("regulator", self.send(code=1).err)
        self.profile("dila", identity="nothing.key")
        self.assertIn("nothing.key", self.send(code=1).err)

    def restart(self):
        self.bus.stop()
        self.bus.start()


if __name__ == "__main__":
    unittest.main()
