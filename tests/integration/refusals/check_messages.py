# SPDX-License-Identifier: EUPL-1.2
"""Messages that must not pass: to nobody, for no flow, with a wrong key, in bytes that say nothing,
too large. The sender is told in its language; what is good passes before, beside and after."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import socket
import time
import unittest

from scene import (
    ADAPTER_CONFIGURATION, FILES, PERSON_FILE, REFUSED, ROUEN, SceneCase, payload, wait_until,
)  # fmt: skip

from client import Client, Keys  # this and the next of tests/integration/protocol
from schema import code_name

NOBODY = "commune-99999/accueil"
FIVE_GB = 5 * 1024**3
JUNK = {
    "not protobuf": [bytes.fromhex("ff fe fd fc 00 01 02 80")],
    "another protocol": [b"GET / HTTP/1.1\r\nHost: bus\r\n\r\n"],
    "a length of 4 GiB": [b"\x12\xff\xff\xff\xff\x0f"],
    "nested 9,000 deep": [b"\x12\x80\x80\x01" + b"\x12" * 9000],
}


def keys_of(folder: str) -> Keys:
    lines = pathlib.Path(folder, "client.key").read_text().splitlines()
    found = dict(line.split(": ", 1) for line in lines)
    return Keys(found["public"].encode(), found["secret"].encode())


class Messages(SceneCase):
    def setUp(self) -> None:
        super().setUp()
        self.scene.start()
        self.before = {self.scene.put(data): data for data in [payload(1)]}
        self.path = self.scene.write(PERSON_FILE, payload(2))

    def assert_only_good_ones(self, *more: bytes) -> None:
        """Nothing accepted is lost, nothing refused has been stored, also after a restart."""
        after = payload(3)
        self.scene.put(after)
        self.scene.stop()
        self.scene.start()
        expected = sorted([*self.before.values(), after, *more])
        self.assertEqual(sorted(self.scene.take().values()), expected)

    def test_an_unknown_member(self) -> None:
        self.both_languages(
            lambda env: self.scene.send(self.path, to=NOBODY, env=env), REFUSED,
            (self.path, "no such member on this bus", "to[0]", f'"{NOBODY}"',
             "expected: a member of the directory"),
            (self.path, "ce membre n’existe pas sur ce bus", f"« {NOBODY} »",
             "attendu : un membre de l’annuaire"))
        refused = self.scene.events("submit.refused")
        self.assertEqual({line["code"] for line in refused}, {"CODE_UNKNOWN_MEMBER"})
        self.assert_only_good_ones()

    def test_an_unknown_flow(self) -> None:
        self.both_languages(
            lambda env: self.scene.send(self.path, flow="NOPE", env=env), REFUSED,
            (self.path, "no such flow on this bus", "envelope.flow", '"NOPE"',
             "expected: the code of a flow of the directory"),
            (self.path, "cette démarche n’existe pas sur ce bus", "« NOPE »",
             "attendu : le code d’une démarche de l’annuaire"))
        refused = self.scene.events("submit.refused")
        self.assertEqual({line["code"] for line in refused}, {"CODE_UNKNOWN_FLOW"})
        self.assert_only_good_ones()

    def test_the_adapter_puts_aside_what_is_refused(self) -> None:
        scene = self.scene
        scene.configure_adapter()
        adapter = scene.start_adapter()
        scene.drop(f"NOFLOW-{PERSON_FILE}", payload(4))
        scene.drop(f"NOBODY-{PERSON_FILE}", payload(5))
        good = payload(6)
        scene.drop(PERSON_FILE, good)
        with open(scene.path("big"), "wb") as big:
            big.truncate(FIVE_GB)
        os.rename(scene.path("big"), scene.path("dila", "files", "big.iso"))
        failed = pathlib.Path(scene.path("dila", "files", "failed"))
        for name, status, wrong, french in (
            (f"NOFLOW-{PERSON_FILE}", "RELAIS_UNKNOWN_FLOW", "NOPE", "cette démarche"),
            (f"NOBODY-{PERSON_FILE}", "RELAIS_UNKNOWN_MEMBER", NOBODY, "ce membre"),
            ("big.iso", "RELAIS_TOO_LARGE", str(FIVE_GB), "trop "),
        ):
            wait_until(f"{name} is put aside", (failed / name).exists)
            reason = json.loads((failed / f"{name}.error.json").read_text())
            self.assertEqual((reason["status"], reason["wrong"]), (status, wrong))
            self.assertNotEqual(reason["right"], "")
            self.assertIn(french, reason["text"]["fr"])
            self.assertNotEqual(reason["text"]["en"], "")
        wait_until("the good one is sent",
                   pathlib.Path(scene.path("dila", "files", "sent", PERSON_FILE)).exists)
        self.assertEqual(scene.stop_adapter(adapter), 0)
        self.assert_only_good_ones(good)

    def test_a_file_of_5_gb(self) -> None:
        path = self.scene.path("big.iso")
        with open(path, "wb") as big:
            big.truncate(FIVE_GB)
        begin = time.monotonic()
        self.both_languages(
            lambda env: self.scene.send(path, env=env), REFUSED,
            (path, "too large", "5368709120 bytes (5.0 GiB)", "at most 4294967295 bytes"),
            (path, "trop grand", "5368709120 octets (5.0 Gio)", "au plus 4294967295 octets"))
        self.assertLess(time.monotonic() - begin, 10, "it was read")
        self.assert_only_good_ones()

    # Keys

    def wrong_profile(self, *, broker_key: bool) -> str:
        """The sender's profile with a key that nobody has registered, or for another broker."""
        scene = self.scene
        folder = scene.path("wrong")
        shutil.copytree(scene.path("dila"), folder)
        scene.must("key", "new", scene.path("other.key"))
        with open(scene.path("other.key.pub"), encoding="ascii") as file:
            other = file.read().split()[1]
        profile = pathlib.Path(folder, "client.yaml")
        if broker_key:
            lines = profile.read_text().splitlines()
            lines = [f"broker_key: '{other}'" if line.startswith("broker_key") else line
                     for line in lines]
            profile.write_text("\n".join(lines) + "\n")
        else:
            shutil.copy(scene.path("other.key"), pathlib.Path(folder, "client.key"))
        return str(profile)

    def assert_key_refused(self, profile: str) -> None:
        words = ("send", self.path, "--to", ROUEN, "--flow", "ETATCIVIL", "-p", profile)
        self.both_languages(
            lambda env: self.scene.run(*words, env=env), REFUSED,
            ("the broker does not know this key, or its own key is another",
             "a key that the operator has registered, and the broker's own key"),
            ("le courtier ne connaît pas cette clé, ou la sienne est une autre",
             "une clé que l’exploitant a enregistrée, et la propre clé du courtier"))

    def test_a_key_that_nobody_registered(self) -> None:
        self.assert_key_refused(self.wrong_profile(broker_key=False))
        self.assertEqual(self.scene.wait_for_event("net.refused")["reason"],
                         "the key is not registered")
        self.assert_only_good_ones()

    def test_a_broker_with_another_key(self) -> None:
        self.assert_key_refused(self.wrong_profile(broker_key=True))
        self.scene.wait_for_event("net.refused")
        self.assert_only_good_ones()

    def test_the_adapter_with_a_key_that_nobody_registered(self) -> None:
        scene = self.scene
        self.wrong_profile(broker_key=False)
        shutil.copy(scene.path("wrong", "client.key"), scene.path("dila", "client.key"))
        scene.configure_adapter()
        adapter = scene.start_adapter()
        scene.drop(PERSON_FILE, payload(7))
        wait_until("bus.trouble", lambda: "event=bus.trouble" in scene.adapter_said())
        self.assert_says(scene.adapter_said(), "reason=RELAIS_KEY_REFUSED", "dila/client.yaml",
                         "a key that the operator has registered")
        self.assertEqual(scene.stop_adapter(adapter), 0)
        self.assertTrue(os.path.exists(scene.path("dila", "files", PERSON_FILE)), "it stays")
        self.assertEqual(list(scene.take().values()), list(self.before.values()))

    def test_a_key_that_others_may_read(self) -> None:
        key = self.scene.path("dila", "client.key")
        os.chmod(key, 0o644)
        self.both_languages(
            lambda env: self.scene.send(self.path, env=env), 1,
            (key, '"0644"', "mode 0600", "chmod 600"), (key, "« 0644 »", "le mode 0600"))
        self.scene.configure_adapter()
        self.both_languages(
            lambda env: self.scene.ended(FILES, "--config", self.scene.path("dila", "files.yaml"),
                                         env=env),
            ADAPTER_CONFIGURATION, (key, "mode 0600"), (key, "le mode 0600"))
        os.chmod(key, 0o600)
        self.assert_only_good_ones()

    # Bytes

    def raw(self) -> Client:
        scene = self.scene
        profile = pathlib.Path(scene.sender).read_text().splitlines()
        broker_key = next(line.split("'")[1] for line in profile if line.startswith("broker_key"))
        client = Client(f"tcp://127.0.0.1:{scene.port}", broker_key.encode(),
                        keys_of(scene.path("dila")))
        self.addCleanup(client.close)
        return client

    def test_malformed_frames(self) -> None:
        for name, frames in JUNK.items():
            with self.subTest(name):
                client = self.raw()
                client.hello()
                client.wire.send(frames)
                error = client.wait("error").content
                self.assertEqual(code_name(error.code), "MALFORMED", error)
                self.assertTrue(error.wrong and error.right, error)
                self.assertTrue(client.wire.is_gone())
        self.assertEqual({line["code"] for line in self.scene.events("client.cut")},
                         {"CODE_MALFORMED"})
        self.assert_only_good_ones()

    def test_bytes_that_are_not_of_this_transport(self) -> None:
        for junk in (b"GET / HTTP/1.1\r\n\r\n", os.urandom(4096), b"\xff" + bytes(8) + b"\x7f\x01"):
            with socket.create_connection(("127.0.0.1", self.scene.port)) as stranger:
                stranger.sendall(junk)
                stranger.settimeout(10)
                try:
                    while stranger.recv(4096):
                        pass
                except ConnectionError:
                    pass
        self.scene.wait_for_event("net.refused")
        self.assert_only_good_ones()


if __name__ == "__main__":
    unittest.main()
