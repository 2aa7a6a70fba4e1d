# SPDX-License-Identifier: EUPL-1.2
"""A store whose file is not what was written: bits flipped in every kind of page, cut short while the
broker is down and while it runs. The broker says so or delivers only right bytes; it never dies
without a word. Flips are drawn from a seed that is shown."""

from __future__ import annotations

import collections
import os
import random
import struct
import unittest

from scene import PARTLY, ROUEN, STORE, UNREACHABLE, Ended, SceneCase

PAGE = 4096
MESSAGES = 300
BYTES = 3000  # of a message: one run of pages each, so that most of the file is payload
SEED = int(os.environ.get("RELAIS_SEED", random.SystemRandom().randrange(2**32)))

# LMDB 0.9: the flags in the head of a page.
BRANCH, LEAF, OVERFLOW, META = 0x01, 0x02, 0x04, 0x08


class Damage(SceneCase):
    def setUp(self) -> None:
        super().setUp()
        self.scene.settings["RELAIS_STORE_MAP_SIZE_MB"] = "64"
        self.scene.start()
        self.sent = self.scene.put_many(MESSAGES, BYTES)
        self.scene.stop()
        self.data = self.scene.store / "data.mdb"
        self.whole = self.data.read_bytes()
        self.pages = collections.defaultdict(list)
        for offset in range(0, len(self.whole), PAGE):
            (flags,) = struct.unpack_from("<H", self.whole, offset + 10)
            if any(self.whole[offset : offset + PAGE]):
                self.pages[flags].append(offset)
        self.chance = random.Random(SEED)

    def write(self, *changes: tuple[int, bytes]) -> None:
        """The whole file as it was, but for these bytes."""
        damaged = bytearray(self.whole)
        for offset, new in changes:
            damaged[offset : offset + len(new)] = new
        with open(self.data, "r+b") as file:
            file.write(damaged)
            file.truncate(len(damaged))

    def flip(self, offset: int) -> tuple[int, bytes]:
        return offset, bytes([self.whole[offset] ^ 1 << self.chance.randrange(8)])

    def assert_refuses_to_start(self, *detail: str) -> Ended:
        ended = self.scene.fail_to_start()
        self.assertEqual(ended.code, STORE, ended)
        (problem,) = ended.events("store.not_opened")
        self.assertEqual(problem["kind"], "damaged", problem)
        self.assert_says(problem["detail"], str(self.scene.store), *detail)
        self.assert_says(problem["expected"], "keep a copy of the folder", "restore a backup")
        return ended

    def serve(self) -> dict[str, bytes]:
        """What a broker on the damaged file delivers: only right bytes, or it ends with a word."""
        scene = self.scene
        seen = len(scene.said()) if os.path.exists(scene.path("relaisd.log")) else 0
        scene.launch()
        got = {}
        if scene.broker.poll() is None:
            got = scene.look(codes=(0, UNREACHABLE, PARTLY))
        for id, data in got.items():
            self.assertEqual(data, self.sent.get(id), f"seed {SEED}: wrong bytes")
        if scene.broker.poll() is None:
            scene.stop()
        else:
            self.assertEqual(scene.broker_ends(), STORE, scene.said()[seen:])
            self.assertRegex(scene.said()[seen:], "event=store.(not_opened|failed|damaged)")
        return got

    def test_flipped_bits_in_payloads(self) -> None:
        """The messages are set aside and told; all others are delivered as they were."""
        hit = self.chance.sample(self.pages[OVERFLOW], 20)
        # behind the page's head and within the message, whose last bytes are the payload's
        self.write(*[self.flip(page + self.chance.randrange(600, BYTES)) for page in hit])
        scene = self.scene
        scene.start()
        got = scene.take()
        self.assertEqual(len(got), MESSAGES - len(hit), f"seed {SEED}")
        for id, data in got.items():
            self.assertEqual(data, self.sent[id], f"seed {SEED}")
        damaged = scene.events("store.damaged")
        self.assertTrue(damaged, scene.said())
        self.assertIn(ROUEN, scene.said())
        self.assertEqual(scene.put_many(1).keys(), scene.take().keys())
        scene.stop()
        scene.start()
        self.assertEqual(scene.take(), {})

    def test_broken_meta_pages(self) -> None:
        first, second = self.pages[META]
        for name, page, offset, new in (
            ("the number that marks LMDB", first, 16, b"\0"),
            ("the other page's", second, 17, b"\xff"),
            ("the size of pages", first, 16 + 24, b"\1\2\3\4"),
            ("the kind of the page", second, 10, b"\0\0"),
            ("everything", first, 0, bytes(PAGE)),
        ):
            with self.subTest(name):
                self.write((page + offset, new))
                self.assert_refuses_to_start("data.mdb")
        self.write()
        self.scene.start()
        self.assertEqual(self.scene.take(), self.sent)

    def test_broken_heads_of_tree_pages(self) -> None:
        """Each in turn zeroed: LMDB meets a page of the wrong kind, or none of them is in use."""
        pages = [*self.chance.sample(self.pages[LEAF], 5), *self.pages[BRANCH]]
        whole = 0
        for page in pages:
            with self.subTest(page=page // PAGE, seed=SEED):
                self.write((page, bytes(16)))
                whole += self.serve().keys() == self.sent.keys()
        self.assertLess(whole, len(pages), "no page that was broken is in use")

    def test_flipped_bits_in_tree_pages(self) -> None:
        for page in self.chance.sample(self.pages[LEAF], 5):
            with self.subTest(page=page // PAGE, seed=SEED):
                self.write(*[self.flip(page + self.chance.randrange(2000, PAGE)) for _ in range(4)])
                self.serve()

    def test_a_file_cut_short_while_the_broker_is_down(self) -> None:
        last = max(page for pages in self.pages.values() for page in pages)
        for size in (0, 100, PAGE, 2 * PAGE, len(self.whole) // 1000, last):
            with self.subTest(size=size):
                os.truncate(self.data, 0)
                self.data.write_bytes(self.whole[:size])
                self.assert_refuses_to_start("data.mdb")
        self.write()
        self.scene.start()
        self.assertEqual(self.scene.take(), self.sent)

    def test_a_file_that_is_gone(self) -> None:
        self.data.unlink()
        self.assert_refuses_to_start("data.mdb", "is missing", f"remove {self.scene.store}/lock")

    def test_a_file_of_something_else(self) -> None:
        self.data.write_bytes(self.chance.randbytes(100_000))
        self.assert_refuses_to_start("is not a store")

    def test_a_file_cut_short_under_a_running_broker(self) -> None:
        scene = self.scene
        scene.start()
        os.truncate(self.data, 4 * PAGE)
        got = scene.run("receive", ROUEN, "-p", scene.receiver, "--ack", "--timeout", "1", "-q")
        self.assertEqual(got.code, UNREACHABLE, got)
        self.assertEqual(scene.broker_ends(), STORE, scene.said())
        told = scene.events("store.damaged") + scene.events("store.failed")
        self.assertTrue(told, scene.said())
        self.assert_says(told[0]["detail"], "damaged")
        self.data.write_bytes(self.whole)
        scene.start()
        self.assertEqual(scene.take(), self.sent)


if __name__ == "__main__":
    unittest.main()
