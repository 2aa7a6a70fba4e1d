#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""check_sealed.py LETTER_PROGRAM: the page is enough. An implementation written from docs/sealing.md alone
makes each test vector again, byte for byte, and opens it; then it and the library open each other's letters,
of sizes at every edge, with fresh keys."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import unittest

from page import read_vectors
from sealed import PADDED, ZSTD, Key, Refused, Terms, open_sealed, public_of, seal, zstd

PROGRAM = sys.argv.pop(1)
VECTORS = read_vectors()
FLAGS = {
    "A short letter": 0,
    "An empty letter": 0,
    "A padded letter": PADDED,
    "A compressed letter": ZSTD,
    "A letter of two chunks": 0,
    "A padded letter of two chunks": PADDED,
    "A compressed and padded letter": ZSTD | PADDED,
}
SIZES = [0, 1, 1023, 1024, 1025, 65531, 65532, 65533, 65535, 65536, 65537, 131064, 131065, 131072, 131073]


def vector_key() -> Key:
    shown = VECTORS["A mailbox key"]
    return Key(bytes.fromhex(shown["secret"]), int(shown["not before"]), int(shown["not after"]))


def payload_of(shown: dict[str, str]) -> bytes:
    if "payload" in shown:
        return bytes.fromhex(shown["payload"])
    return bytes(i % 251 for i in range(int(shown["payload bytes"])))


class Page(unittest.TestCase):
    """The vectors."""

    def test_key(self) -> None:
        shown, key = VECTORS["A mailbox key"], vector_key()
        self.assertEqual(key.public.hex(), shown["public"])
        self.assertEqual(key.record.hex(), shown["record"])
        self.assertEqual(key.id.hex(), shown["key id"])

    def test_all_are_known(self) -> None:
        self.assertEqual(set(VECTORS) - {"A mailbox key"}, set(FLAGS))

    def test_letters(self) -> None:
        for title, flags in FLAGS.items():
            with self.subTest(title):
                self.check(VECTORS[title], flags)

    def check(self, shown: dict[str, str], flags: int) -> None:
        terms = Terms(shown["id"], shown["sender"], shown["recipient"])
        payload = payload_of(shown)
        fresh = [bytes.fromhex(shown[name]) for name in ("content key", "ephemeral secret")]
        if flags & ZSTD:  # what a compressor makes of a payload is its own matter: opened, not made
            sealed, wrap = bytes.fromhex(shown["sealed"]), bytes.fromhex(shown["wrap"])
        else:
            wrap, sealed = seal(payload, flags, terms, vector_key(), *fresh)
            self.assertEqual(wrap.hex(), shown["wrap"])
            if "sealed" in shown:
                self.assertEqual(sealed.hex(), shown["sealed"])
            else:
                self.assertEqual(str(len(sealed)), shown["sealed bytes"])
                self.assertEqual(hashlib.sha256(sealed).hexdigest(), shown["sealed sha256"])
        self.assertEqual(open_sealed(sealed, wrap, terms, vector_key()), payload)
        for at in (7, 9, 20, 50, len(sealed) - 1):
            broken = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
            self.assertRaises(Refused, open_sealed, broken, wrap, terms, vector_key())
        for at in (1, 10, 30, 90):
            broken = wrap[:at] + bytes([wrap[at] ^ 1]) + wrap[at + 1 :]
            self.assertRaises(Refused, open_sealed, sealed, broken, terms, vector_key())


class Both(unittest.TestCase):
    """The library's letters opened here, and ours there."""

    def setUp(self) -> None:
        self.key = Key(os.urandom(32), 1795392000000, 1795996800000)
        self.terms = Terms(os.urandom(8).hex(), "dila/notices", "commune-76540/etat-civil")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = folder.name

    def run_program(self, verb: str, data: bytes, *options: str) -> bytes:
        with open(f"{self.path}/key", "w", encoding="ascii") as file:
            file.write(f"suite: 1\nfrom-ms: {self.key.not_before}\nuntil-ms: {self.key.not_after}\n")
            file.write(f"public: {public_of(self.key.secret).hex()}\nsecret: {self.key.secret.hex()}\n")
        done = subprocess.run(
            [PROGRAM, verb, f"{self.path}/key", self.terms.id, self.terms.sender, self.terms.recipient,
             f"{self.path}/wrap", *options],
            input=data, capture_output=True, check=False)  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def write_wrap(self, wrap: bytes) -> None:
        with open(f"{self.path}/wrap", "wb") as file:
            file.write(wrap)

    def read_wrap(self) -> bytes:
        with open(f"{self.path}/wrap", "rb") as file:
            return file.read()

    def test_theirs(self) -> None:
        for flags in range(4):
            options = ["compress"] * (flags & ZSTD) + ["pad"] * (flags // PADDED)
            for size in SIZES:
                payload = (os.urandom(100) * (size // 100 + 1))[:size]
                sealed = self.run_program("seal", payload, *options)
                self.assertEqual(open_sealed(sealed, self.read_wrap(), self.terms, self.key), payload)

    def test_ours(self) -> None:
        for flags in range(4):
            for size in SIZES:
                payload = (os.urandom(100) * (size // 100 + 1))[:size]
                content = zstd(payload, "-cq", "--single-thread") if flags & ZSTD else payload
                wrap, sealed = seal(content, flags, self.terms, self.key, os.urandom(32), os.urandom(32))
                self.write_wrap(wrap)
                self.assertEqual(self.run_program("open", sealed), payload)


if __name__ == "__main__":
    unittest.main()
