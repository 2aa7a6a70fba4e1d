# SPDX-License-Identifier: EUPL-1.2
"""The disk under the store: full, fuller than the reserve can help, and not a local one."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from scene import (
    HERE, IS_ROOT, PARTLY, PERSON_FILE, REFUSED, ROUEN, SANITIZED, STORE, UNAVAILABLE, SceneCase,
    payload,
)  # fmt: skip

DISK_MB = 24
RESERVE_MB = 8
LARGE = 900_000
FITS_AT_MOST = (DISK_MB - RESERVE_MB) * 1024 * 1024 // LARGE


class Disk(SceneCase):
    """The store lies on a disk of its own."""

    def setUp(self) -> None:
        if not IS_ROOT:
            self.skipTest("needs root, to mount a small disk")
        super().setUp()
        self.disk = pathlib.Path(self.scene.path("disk"))
        self.disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", self.disk],
                                 capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            self.skipTest(f"no tmpfs can be mounted here: {mounted.stderr}")
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk], check=True)
        self.addCleanup(self.scene.stop)
        self.scene.settings["RELAIS_STORE_PATH"] = str(self.disk / "store")

    def test_a_full_disk_refuses_until_messages_are_taken(self) -> None:
        scene = self.scene
        scene.settings["RELAIS_STORE_RESERVE_MB"] = str(RESERVE_MB)
        scene.start()
        payloads = {scene.write(f"large-{i}", payload(i, LARGE)): None for i in range(FITS_AT_MOST + 3)}
        for path in payloads:
            payloads[path] = pathlib.Path(path).read_bytes()
        sent = scene.send(*payloads, more=("-o", "jsonl", "--timeout", "1"))
        self.assertEqual(sent.code, PARTLY, sent)
        outcomes = [json.loads(line) for line in sent.out.splitlines()]
        accepted = {o["id"]: payloads[o["file"]] for o in outcomes if o["outcome"] == "accepted"}
        refused = [o["error"] for o in outcomes if o["outcome"] == "failed"]
        self.assertEqual({error["status"] for error in refused}, {"RELAIS_STORE_FULL"})
        self.assertGreater(len(accepted), FITS_AT_MOST // 2)

        path = scene.write(PERSON_FILE, payload(99, LARGE))
        self.both_languages(
            lambda env: scene.send(path, more=("--timeout", "1"), env=env), REFUSED,
            (path, "the broker's store is full", "the same again later", "--id"),
            (path, "le stockage du courtier est plein", "un nouvel envoi plus tard", "--id"))
        (told,) = scene.events("store.full")  # not once for each message
        self.assertEqual(told["level"], "error")
        self.assert_says(told["expected"], "store.reserve_mb", "acknowledged")

        scene.stop()
        scene.start()  # a full disk does not keep it from starting
        self.assertEqual(scene.take(), accepted)
        self.assertEqual(scene.send(path).code, 0, "what was taken has not made room")
        self.assertEqual(list(scene.take().values()), [pathlib.Path(path).read_bytes()])

    def test_a_sender_waits_until_there_is_room(self) -> None:
        scene = self.scene
        scene.settings["RELAIS_STORE_RESERVE_MB"] = str(RESERVE_MB)
        scene.start()
        filler = self.disk / "filler"
        filler.write_bytes(bytes((DISK_MB - RESERVE_MB) * 1024 * 1024))
        scene.configure_adapter()
        adapter = scene.start_adapter()
        data = payload(1, LARGE)
        scene.drop(PERSON_FILE, data)
        scene.wait_for_event("store.full")
        self.assertTrue(os.path.exists(scene.path("dila", "files", PERSON_FILE)))
        filler.unlink()
        self.assertEqual(list(scene.take("-n", "1", wait_s=20).values()), [data])
        self.assertEqual(scene.stop_adapter(adapter), 0)
        self.assertTrue(os.path.exists(scene.path("dila", "files", "sent", PERSON_FILE)))

    def test_a_commit_that_finds_no_room(self) -> None:
        scene = self.scene
        scene.settings["RELAIS_STORE_RESERVE_MB"] = "1"
        scene.start()
        accepted = scene.put_many(30, 1000)
        filler = self.disk / "filler"
        with open(filler, "wb", buffering=0) as file:
            with self.assertRaises(OSError):
                while True:
                    file.write(bytes(4096))
        self.both_languages(
            lambda env: scene.send("-", stdin=payload(50), more=("--timeout", "1"), env=env), REFUSED,
            ("the broker's store is full",), ("le stockage du courtier est plein",))
        got = scene.run("receive", ROUEN, "-p", scene.receiver, "--ack", "--timeout", "1", "-o", "jsonl")
        self.assertEqual({m["id"] for m in map(json.loads, got.out.splitlines())}, set(accepted))
        # The acknowledgements are in the redo log, whose blocks are there; the commit behind finds no room.
        self.assertEqual(scene.broker_ends(), STORE, scene.said())
        (failed,) = scene.events("store.failed")
        self.assertEqual(failed["kind"], "io")
        self.assert_says(failed["detail"], str(scene.store), "No space left on device")
        self.assert_says(failed["expected"], "a disk with free room")
        filler.unlink()
        scene.start()
        self.assertEqual(scene.take(), {})


class NetworkDisk(SceneCase):
    """There is no NFS on the machine of a test: a shim in front of libc says that there is."""

    def setUp(self) -> None:
        compiler = os.environ.get("CC") or shutil.which("cc")
        if not compiler:
            self.skipTest("needs a C compiler")
        super().setUp()
        self.shim = self.scene.path("network_disk.so")
        subprocess.run([compiler, "-shared", "-fPIC", "-o", self.shim, HERE / "network_disk.c"],
                       check=True)

    def test_a_store_on_nfs(self) -> None:
        scene = self.scene
        scene.start()
        sent = {scene.put(data): data for data in [payload(1)]}
        scene.stop()
        options = os.environ.get("ASAN_OPTIONS", "")
        ended = scene.fail_to_start(env={"LD_PRELOAD": self.shim,
                                         "ASAN_OPTIONS": f"{options}:verify_asan_link_order=0"})
        self.assertEqual(ended.code, UNAVAILABLE, ended)
        (problem,) = ended.events("store.not_opened")
        self.assertEqual(problem["kind"], "network_disk")
        self.assert_says(problem["detail"], str(scene.store), "network", "0x6969")
        self.assert_says(problem["expected"], "store.path on a local disk")
        scene.start()
        self.assertEqual(scene.take(), sent)


if __name__ == "__main__":
    unittest.main()
