# SPDX-License-Identifier: EUPL-1.2
"""The signed directory on the command line: what is signed verifies, here and by an implementation written from
docs/directory.md; what is unsigned, altered, expired or older than what was seen is refused."""
import json
import os
import pathlib
import signal
import stat
import sys
import time
import unittest

from bus import Bus

UNIT = pathlib.Path(__file__).resolve().parents[2] / "unit"
sys.path[:0] = [str(UNIT / "trust"), str(UNIT / "seal")]
from directory import Entry, Key, mailboxes_text, read_public, record, sign, verify  # noqa: E402
from sealed import public_of  # noqa: E402

MEMBER = """slug: commune-76540
name: Ville de Rouen
kind: commune
siret: '21760540300013'
insee: '76540'
services: [etat-civil, accueil]
signing_keys: ['{key}']
"""
DAY = 86400000
WEEK = 7 * DAY


class Directory(unittest.TestCase):
    def setUp(self):
        self.bus = Bus()
        self.addCleanup(self.bus.close)
        self.regulator = self.key("regulator.key", "relais-france")
        self.member = self.key("member.key", "commune-76540")
        self.bus.write("m.yaml", MEMBER.format(key=self.member).encode())

    def key(self, file, name):
        return self.bus.must("key", "new", file, "--signing", name).out.strip()

    def text(self, name):
        with open(self.bus.path(name), encoding="utf-8") as file:
            return file.read()

    def sign(self, to="m.entry", *more):
        self.bus.must("directory", "sign", "m.yaml", "--key", "regulator.key", "--to", to, *more)

    def verify(self, *files, memory="seen"):
        return self.bus.run("directory", "verify", *files, "--regulator", "regulator.key.pub", "--memory", memory,
                            "-o", "json")

    def refused(self, result, name):
        self.assertEqual(result.code, 1, result)
        self.assertEqual(json.loads(result.out), [], result)
        self.assertIn(name, result.err)

    def test_keys_are_files_that_nobody_else_reads(self):
        mode = stat.S_IMODE(os.stat(self.bus.path("regulator.key")).st_mode)
        self.assertEqual(mode, 0o600)
        self.assertEqual(self.bus.must("key", "show", "regulator.key").out.strip(), self.regulator)
        self.assertEqual(self.bus.must("key", "show", "regulator.key.pub").out.strip(), self.regulator)
        self.assertEqual(self.bus.run("key", "new", "regulator.key", "--signing", "x").code, 1)
        self.assertEqual(self.bus.run("key", "new", "y.key", "--signing", "Not A Slug").code, 2)
        os.chmod(self.bus.path("regulator.key"), 0o640)
        result = self.bus.run("directory", "sign", "m.yaml", "--key", "regulator.key")
        self.assertEqual(result.code, 1, result)
        self.assertIn("0600", result.err)
        secret = self.text("regulator.key").split("+")[4]
        self.assertNotIn(secret, result.out + result.err)

    def test_what_is_signed_verifies_here_and_elsewhere(self):
        self.sign()
        rows = json.loads(self.verify("m.entry").out)
        self.assertEqual((rows[0]["member"], rows[0]["sequence"], rows[0]["signer"]),
                         ("commune-76540", 1, "relais-france"))
        text = verify(self.text("m.entry"), [self.regulator])
        shown = json.loads(self.bus.must("directory", "show", "m.entry", "-o", "json").out)
        lines = dict(line.split(": ", 1) for line in text.splitlines()[1:])
        entry = Entry("commune-76540", 1, int(lines["from-ms"]), int(lines["until-ms"]), "commune", [self.member],
                      "21760540300013", "76540", ["accueil", "etat-civil"])
        self.assertEqual(text, entry.text())
        self.assertEqual(shown["services"], ["accueil", "etat-civil"])

    def test_what_is_signed_elsewhere_verifies_here(self):
        other = Key("relais-france", os.urandom(32))
        member = Key("dila", os.urandom(32))
        self.bus.write("other.pub", f"# two regulators\n{self.regulator}\n{other.public_text}\n".encode())
        now = int(time.time() * 1000)
        entry = Entry("dila", 3, now - 1000, now + DAY, "state", [member.public_text], services=["avis"])
        self.bus.write("dila.entry", sign(entry.text(), other).encode())
        week = record(now - now % WEEK, now - now % WEEK + WEEK, os.urandom(32))
        self.bus.write("dila.mailboxes", sign(mailboxes_text("dila", 1, [("avis", week)]), member).encode())
        result = self.bus.run("directory", "verify", "dila.mailboxes", "dila.entry", "--regulator", "other.pub")
        self.assertEqual(result.code, 0, result)
        self.refused(self.verify("dila.entry"), "no signature of a key that is trusted here")
        # Mailbox keys count for nothing without the entry that says who signs them.
        alone = self.bus.run("directory", "verify", "dila.mailboxes", "--regulator", "other.pub")
        self.assertEqual(alone.code, 1, alone)

    def test_altered_unsigned_and_expired_entries_are_refused(self):
        self.sign()
        text = self.text("m.entry")
        self.bus.write("altered", text.replace("accueil", "accueilx").encode())
        self.refused(self.verify("altered"), "the signature is not of this text")
        self.bus.write("stranger", sign(text.partition("\n\n")[0] + "\n", Key("relais-france", bytes(32))).encode())
        self.refused(self.verify("stranger"), "no signature of a key that is trusted here")
        self.bus.write("junk", b"hello\n")
        self.refused(self.verify("junk"), "junk")
        self.sign("old", "--from", "2020-01-01", "--days", "10", "--sequence", "7")
        self.refused(self.verify("old"), "expired")
        self.sign("early", "--from", "2100-01-01", "--sequence", "8")
        self.refused(self.verify("early"), "not valid yet")
        self.assertEqual(self.verify("nothing").code, 3)

    def test_older_than_what_was_seen_is_refused_also_after_a_restart(self):
        self.sign("one")
        self.sign("two", "--sequence", "2")
        self.assertEqual(self.verify("one").code, 0)
        self.assertEqual(self.verify("two").code, 0)
        self.refused(self.verify("one"), "older than one that was seen before")
        self.bus.must("directory", "verify", "one", "--regulator", "regulator.key.pub")  # nothing remembered
        self.sign("fork", "--sequence", "2", "--days", "9")
        self.refused(self.verify("fork"), "another one with the same sequence number")
        self.assertEqual(self.verify("two").code, 0)
        # An expired entry that was seen is seen.
        self.sign("three", "--sequence", "3", "--from", "2020-01-01", "--days", "10")
        self.assertEqual(self.verify("three").code, 1)
        self.refused(self.verify("two"), "older than one that was seen before")

    def test_a_damaged_memory_is_refused(self):
        self.sign()
        self.assertEqual(self.verify("m.entry").code, 0)
        with open(self.bus.path("seen"), "rb") as file:
            data = file.read()
        self.bus.write("seen", data.rpartition(b"end")[0])
        result = self.verify("m.entry")
        self.assertEqual(result.code, 1, result)
        self.assertIn("seen", result.err)

    def test_a_new_entry_has_the_next_number(self):
        self.sign()
        self.sign()
        self.assertIn("sequence: 2\n", self.text("m.entry"))

    def test_mailbox_keys_are_renewed_and_verify(self):
        renew = ("key", "mailboxes", "m.mailboxes", "--identity", "member.key", "--folder", "keys")
        self.bus.must(*renew)
        first = self.text("m.mailboxes")
        self.assertEqual(len(os.listdir(self.bus.path("keys"))), 2)
        for name in os.listdir(self.bus.path("keys")):
            self.assertEqual(stat.S_IMODE(os.stat(self.bus.path("keys", name)).st_mode), 0o600)
        self.bus.must(*renew)
        self.assertEqual(self.text("m.mailboxes"), first)
        self.sign()
        self.assertEqual(self.verify("m.entry", "m.mailboxes").code, 0)
        # A secret that was lost is no key any more; the place asks for one of its own.
        os.unlink(self.bus.path("keys", sorted(os.listdir(self.bus.path("keys")))[0]))
        self.bus.must(*renew)
        self.assertIn("sequence: 2\n", self.text("m.mailboxes"))
        self.bus.must(*renew, "--place", "*", "--place", "etat-civil")
        self.assertIn("mailbox: etat-civil ", self.text("m.mailboxes"))
        self.assertEqual(self.bus.run(*renew, "--place", "Etat").code, 2)
        self.assertEqual(self.verify("m.entry", "m.mailboxes").code, 0)
        self.bus.write("first", first.encode())
        result = self.verify("m.entry", "first")
        self.assertEqual(result.code, 1, result)
        self.assertIn("older", result.err)

    def test_ended_secrets_are_destroyed(self):
        keys = self.bus.path("keys")
        os.mkdir(keys)
        monday = 1577664000000  # 30 December 2019
        secret = bytes([7]) * 32
        old = os.path.join(keys, "@.00.key")
        with open(old, "w", encoding="utf-8") as file:
            file.write(f"suite: 1\nfrom-ms: {monday}\nuntil-ms: {monday + WEEK}\npublic: {public_of(secret).hex()}\n"
                       f"secret: {secret.hex()}\n")
        os.chmod(old, 0o600)
        renew = ("key", "mailboxes", "m.mailboxes", "--identity", "member.key", "--folder", "keys")
        self.bus.must(*renew, "--keep-days", "3660")
        self.assertTrue(os.path.exists(old))
        self.bus.must(*renew)
        self.assertFalse(os.path.exists(old))

    def test_a_member_s_signing_key_comes_back(self):
        self.bus.init()
        self.bus.must("member", "add", "commune-76540", "--kind", "commune", "--name", "Rouen", "--signing-key",
                      "member.key.pub")
        shown = json.loads(self.bus.must("member", "show", "commune-76540", "-o", "json").out)
        self.assertEqual(shown["signing_keys"], [self.member])
        self.bus.must("directory", "sign", "bus/members/commune-76540.yaml", "--key", "regulator.key", "--to", "e")
        # Another member's key is none of its.
        result = self.bus.run("member", "add", "dila", "--kind", "state", "--name", "DILA", "--signing-key",
                              "member.key.pub")
        self.assertEqual(result.code, 2, result)
        self.assertEqual(read_public(self.member)[0], "commune-76540")


class Served(unittest.TestCase):
    """What the broker hands on: believed when it verifies, and not otherwise."""

    def setUp(self):
        self.bus = Bus()
        self.addCleanup(self.bus.close)
        self.bus.init()
        self.regulator = Key.read(self.secret("regulator.key", "relais-france"))
        self.rouen = Key.read(self.secret("rouen.key", "commune-76540"))
        self.bus.populate()
        os.mkdir(self.bus.path("bus", "entries"))
        self.publish(1)
        self.bus.start()

    def secret(self, file, name):
        self.bus.must("key", "new", file, "--signing", name)
        with open(self.bus.path(file), encoding="utf-8") as stream:
            return stream.read()

    def publish(self, sequence, key=None, **changes):
        now = int(time.time() * 1000)
        about = {"slug": "commune-76540", "sequence": sequence, "from_ms": now - DAY, "until_ms": now + DAY,
                 "kind": "commune", "signing_keys": [self.rouen.public_text]}
        self.bus.write("bus/entries/commune-76540.entry",
                       sign(Entry(**(about | changes)).text(), key or self.regulator).encode())

    def publish_mailboxes(self, sequence, key=None):
        now = int(time.time() * 1000)
        week = record(now - now % WEEK, now - now % WEEK + WEEK, os.urandom(32))
        self.bus.write("bus/entries/commune-76540.mailboxes",
                       sign(mailboxes_text("commune-76540", sequence, [("*", week)]), key or self.rouen).encode())

    def reload(self):
        seen = self.bus.said().count("directory.replaced")
        self.bus.broker.send_signal(signal.SIGHUP)
        ends = time.monotonic() + 20
        while self.bus.said().count("directory.replaced") == seen:
            self.assertLess(time.monotonic(), ends, self.bus.said())
            time.sleep(0.02)

    def fetch(self, *members):
        return self.bus.run("directory", "fetch", *(members or ("commune-76540",)), "--regulator", "regulator.key.pub",
                            "--memory", "seen", "-p", self.bus.sender, "-o", "json", "-d", self.bus.folder)

    def refused(self, says):
        result = self.fetch()
        self.assertEqual(result.code, 1, result)
        self.assertEqual(json.loads(result.out), [], result)
        self.assertIn(says, result.err)

    def test_what_verifies_is_given_and_kept(self):
        self.publish_mailboxes(1)
        self.reload()
        rows = json.loads(self.fetch().out)
        self.assertEqual((rows[0]["sequence"], rows[0]["mailbox_keys"]), (1, 1))
        self.bus.must("directory", "verify", "commune-76540.entry", "commune-76540.mailboxes", "--regulator",
                      "regulator.key.pub")

    def test_a_broker_that_lies_is_found(self):
        self.publish_mailboxes(1)
        self.publish(5)
        self.reload()
        self.assertEqual(self.fetch().code, 0)
        self.publish(4)
        self.reload()
        self.refused("older than one that was seen before")
        self.publish(5, until_ms=int(time.time() * 1000) + 9 * DAY)
        self.reload()
        self.refused("another one with the same sequence number")
        self.publish(6, key=Key("relais-france", bytes(32)))
        self.reload()
        self.refused("no signature of a key that is trusted here")
        self.publish(7, from_ms=1, until_ms=2)
        self.reload()
        self.refused("expired")
        self.publish(8)
        self.publish_mailboxes(9, key=Key("commune-76540", bytes(32)))  # a key that the broker swapped
        self.reload()
        self.refused("no signature of a key that is trusted here")
        os.unlink(self.bus.path("bus", "entries", "commune-76540.entry"))
        self.reload()
        self.refused("the broker has no signed entry")

    def test_many_members(self):
        names = [f"m-{number}" for number in range(70)]
        for name in names:
            self.bus.write(f"bus/members/{name}.yaml", f"slug: {name}\nname: x\nkind: state\n".encode())
            key = Key(name, os.urandom(32))
            now = int(time.time() * 1000)
            entry = Entry(name, 1, now - DAY, now + DAY, "state", [key.public_text],
                          services=[f"s-{i}-{'x' * 50}" for i in range(100)])
            self.bus.write(f"bus/entries/{name}.entry", sign(entry.text(), self.regulator).encode())
        self.reload()
        result = self.fetch(*names)
        self.assertEqual(result.code, 0, result)
        self.assertEqual([row["member"] for row in json.loads(result.out)], names)

    def test_a_file_in_the_wrong_place_keeps_the_directory(self):
        self.bus.write("bus/entries/commune-76540.entry", b"hello\n")
        self.bus.broker.send_signal(signal.SIGHUP)
        ends = time.monotonic() + 20
        while "directory.kept" not in self.bus.said():
            self.assertLess(time.monotonic(), ends)
            time.sleep(0.02)
        self.assertIn("commune-76540.entry", self.bus.said())
        self.assertEqual(self.fetch().code, 0)


if __name__ == "__main__":
    unittest.main()
