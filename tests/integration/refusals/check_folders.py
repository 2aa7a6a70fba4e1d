# SPDX-License-Identifier: EUPL-1.2
"""A folder without write permission: for a received file, for both adapters, for the store, for a new
home. Programs run as nobody, since root may write everywhere."""

from __future__ import annotations

import os
import pathlib
import subprocess
import unittest

from scene import (
    ADAPTER_ENVIRONMENT, FAILED, FILES, IS_ROOT, NOBODY, PERSON_FILE, RELAIS, ROUEN, UNAVAILABLE,
    SceneCase, of_the_system, payload, wait_until,
)  # fmt: skip

AS_NOBODY = {"user": NOBODY, "group": NOBODY, "extra_groups": []}


def why_not() -> str:
    """Why programs cannot run as nobody; "" when they can."""
    if not IS_ROOT:
        return "needs root, to start programs as nobody"
    try:
        subprocess.run([RELAIS, "--version"], capture_output=True, check=True, **AS_NOBODY)
    except (OSError, subprocess.CalledProcessError) as error:
        return f"nobody cannot reach the programs: {error}"
    return ""


@unittest.skipIf(why_not(), why_not())
class Folders(SceneCase):
    def setUp(self) -> None:
        super().setUp()
        self.scene.start()
        self.kept = {self.scene.put(data): data for data in [payload(1), payload(2)]}
        os.chmod(self.scene.folder, 0o755)

    def give(self, *parts: str) -> str:
        """To nobody, with all that is in it."""
        path = pathlib.Path(self.scene.path(*parts))
        for each in [path, *path.rglob("*")]:
            os.chown(each, NOBODY, NOBODY)
        return str(path)

    def closed(self, *parts: str) -> str:
        """A folder that nobody may look into, and not write to."""
        path = self.scene.path(*parts)
        os.makedirs(path, exist_ok=True)
        os.chmod(path, 0o555)
        return path

    def assert_nothing_lost(self) -> None:
        self.scene.stop()
        self.scene.start()
        self.assertEqual(self.scene.take(), self.kept)

    def test_receive_into_it(self) -> None:
        self.give("rouen")
        folder = self.closed("in")
        words = (RELAIS, "receive", ROUEN, "-d", folder, "--ack", "-p", self.scene.receiver)
        self.both_languages(
            lambda env: self.scene.ended(*words, env=env, **AS_NOBODY), FAILED,
            (folder, '"Permission denied"', "a path that this user may use"),
            (folder, of_the_system("Permission denied"), "un chemin que cet utilisateur peut utiliser"))
        self.assertEqual(os.listdir(folder), [])
        self.assert_nothing_lost()

    def test_it_is_closed_while_the_adapter_receives(self) -> None:
        scene = self.scene
        scene.stop()
        scene.configure_adapter("rouen")
        folder = scene.path("rouen", "files")
        self.give("rouen")
        adapter = scene.start_adapter("rouen", **AS_NOBODY)
        wait_until("adapter.ready", lambda: "adapter.ready" in scene.adapter_said("rouen"))
        os.chown(folder, 0, 0)
        self.closed("rouen", "files")
        scene.start()
        wait_until("inbound.blocked", lambda: "inbound.blocked" in scene.adapter_said("rouen"))
        self.assert_says(scene.adapter_said("rouen"), "level=warning", folder, "Permission denied",
                         "a folder that the adapter's user may write to")
        self.assertEqual(scene.stop_adapter(adapter), 0)
        self.assertEqual(self.files(folder), [])
        os.chmod(folder, 0o777)  # somebody helps: the adapter asked for them again after 5 s
        adapter = scene.start_adapter("rouen", **AS_NOBODY)
        wait_until("both files", lambda: len(self.files(folder)) == 2)
        self.assertEqual(scene.stop_adapter(adapter), 0)
        self.assertEqual(self.files(folder), sorted(self.kept.values()))

    def files(self, folder: str) -> list[bytes]:
        return sorted(path.read_bytes() for path in pathlib.Path(folder).iterdir()
                      if path.is_file() and not path.name.startswith("."))

    def test_the_folders_of_the_adapter(self) -> None:
        for member in ("dila", "rouen"):
            with self.subTest(member):
                config = self.scene.configure_adapter(member)
                self.give(member)
                folder = self.closed(member, "files")
                words = (FILES, "--config", config)
                self.both_languages(
                    lambda env: self.scene.ended(*words, env=env, **AS_NOBODY), ADAPTER_ENVIRONMENT,
                    (folder, '"Permission denied"',
                     "a folder that the adapter's user may read and write"),
                    (folder, of_the_system("Permission denied"),
                     "un dossier que l’utilisateur de l’adaptateur peut lire et écrire"))
        self.assert_nothing_lost()

    def test_the_folder_of_the_store(self) -> None:
        self.scene.stop()
        store = self.scene.store
        self.give("bus")
        for path in (store, *store.iterdir()):
            os.chown(path, 0, 0)
        os.chmod(store, 0o755)
        ended = self.scene.fail_to_start(**AS_NOBODY)
        self.assertEqual(ended.code, UNAVAILABLE, ended)
        (problem,) = ended.events("store.not_opened")
        self.assertEqual(problem["kind"], "path")
        self.assert_says(problem["detail"], str(store), "Permission denied")
        self.assert_says(problem["expected"], "a folder that the broker's user may read and write")
        self.scene.start()
        self.assertEqual(self.scene.take(), self.kept)

    def test_a_new_home_in_it(self) -> None:
        home = os.path.join(self.closed("homes"), "bus")
        self.both_languages(
            lambda env: self.scene.ended(RELAIS, "init", home, env=env, **AS_NOBODY), FAILED,
            (home, "Permission denied"), (home, of_the_system("Permission denied").strip("« »")))
        self.assert_nothing_lost()

    def test_files_that_cannot_be_read(self) -> None:
        self.give("dila")
        path = self.scene.write(PERSON_FILE, payload(3))
        os.chmod(path, 0o600)
        words = (RELAIS, "send", path, "--to", ROUEN, "--flow", "ETATCIVIL", "-p", self.scene.sender)
        self.both_languages(
            lambda env: self.scene.ended(*words, env=env, **AS_NOBODY), FAILED,
            (path, '"Permission denied"', "a path that this user may use"),
            (path, of_the_system("Permission denied"), "un chemin que cet utilisateur peut utiliser"))
        self.assert_nothing_lost()


if __name__ == "__main__":
    unittest.main()
