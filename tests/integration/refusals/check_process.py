# SPDX-License-Identifier: EUPL-1.2
"""What the machine does not give: the port, the store, descriptors, a clock that goes forward."""

from __future__ import annotations

import os
import pathlib
import socket
import unittest

from scene import (
    ADAPTER_ENVIRONMENT, FAILED, FILES, FLOW, RELAIS, ROUEN, SYSTEM, UNAVAILABLE, SceneCase, free_port,
    of_the_system, payload, wait_until,
)  # fmt: skip

TOO_FEW = ("prlimit", "--nofile=20:20")
FORTY = ("prlimit", "--nofile=40:40")
DAY_MS = 24 * 3600 * 1000
FAKETIME = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)


class Port(SceneCase):
    def test_a_port_in_use(self) -> None:
        scene = self.scene
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", scene.port))
            taken.listen()
            ended = scene.fail_to_start()
        self.assertEqual(ended.code, UNAVAILABLE, ended)
        (problem,) = ended.events("net.not_opened")
        self.assert_says(problem["endpoint"], f"tcp://127.0.0.1:{scene.port}")
        self.assert_says(problem["detail"], "in use", "listen")
        scene.start()
        sent = {scene.put(data): data for data in [payload(1)]}
        self.assertEqual(scene.take(), sent)


class Store(SceneCase):
    def test_two_brokers_on_one_store(self) -> None:
        scene = self.scene
        scene.start()
        sent = scene.put_many(5)
        other = {"RELAIS_LISTEN": f"tcp://127.0.0.1:{free_port()}"}
        ended = scene.fail_to_start(env=other)
        self.assertEqual(ended.code, UNAVAILABLE, ended)
        (problem,) = ended.events("store.not_opened")
        self.assertEqual(problem["kind"], "locked")
        self.assert_says(problem["detail"], str(scene.store), "another broker",
                         f"process {scene.broker.pid}")
        self.assert_says(problem["expected"], "stop the other one", "store.path")
        sent.update(scene.put_many(5))
        self.assertEqual(scene.take(), sent)

    def test_the_lock_goes_with_its_broker(self) -> None:
        scene = self.scene
        scene.start()
        sent = scene.put_many(5)
        scene.kill()
        scene.start()
        self.assertEqual(scene.take(), sent)


class Descriptors(SceneCase):
    def test_too_few_for_the_broker(self) -> None:
        ended = self.scene.fail_to_start(wrapper=FORTY)
        self.assertEqual(ended.code, SYSTEM, ended)
        (problem,) = ended.events("process.too_few_files")
        self.assertEqual(problem["limit"], "40")
        self.assertGreater(int(problem["needed"]), 40)
        self.assert_says(problem["expected"], "LimitNOFILE=", "ulimit -n")

    def test_too_few_for_the_command(self) -> None:
        scene = self.scene
        scene.start()
        path = scene.write("a.txt", payload(1))
        words = (RELAIS, "send", path, "--to", ROUEN, "--flow", FLOW, "-p", scene.sender)
        self.both_languages(
            lambda env: scene.ended(*words, wrapper=TOO_FEW, env=env), FAILED,
            ("RLIMIT_NOFILE", '"Too many open files"', "24 free file descriptors"),
            ("RLIMIT_NOFILE", of_the_system("Too many open files"), "24 descripteurs de fichiers libres"))
        self.assertEqual(scene.take(), {})
        self.assertEqual(scene.ended(*words, wrapper=FORTY).code, 0)
        self.assertEqual(list(scene.take().values()), [pathlib.Path(path).read_bytes()])

    def test_too_few_for_the_adapter(self) -> None:
        scene = self.scene
        scene.start()
        config = scene.configure_adapter()
        self.both_languages(
            lambda env: scene.ended(FILES, "--config", config, wrapper=TOO_FEW, env=env),
            ADAPTER_ENVIRONMENT,
            ("RLIMIT_NOFILE", '"Too many open files"', "24 free file descriptors"),
            ("RLIMIT_NOFILE", of_the_system("Too many open files"), "24 descripteurs de fichiers libres"))
        data = payload(1)
        scene.drop("a.xml", data)
        adapter = scene.start_adapter(wrapper=FORTY)
        wait_until("sent", pathlib.Path(scene.path("dila", "files", "sent", "a.xml")).exists)
        self.assertEqual(scene.stop_adapter(adapter), 0)
        self.assertEqual(list(scene.take().values()), [data])


@unittest.skipIf(FAKETIME is None, "needs libfaketime (package faketime)")
class Clock(SceneCase):
    def back_a_day(self) -> dict[str, str]:
        options = os.environ.get("ASAN_OPTIONS", "")
        return {"LD_PRELOAD": str(FAKETIME), "FAKETIME": "-1d", "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "ASAN_OPTIONS": f"{options}:verify_asan_link_order=0"}

    def test_set_back_one_day(self) -> None:
        scene = self.scene
        scene.start()
        path = scene.write("once.xml", payload(1))
        self.assertEqual(scene.send(path, more=("--id", "only-once")).code, 0)
        sent = scene.put_many(5)
        scene.stop()
        scene.start(env=self.back_a_day())
        told = scene.wait_for_event("clock.back")
        self.assertEqual(told["level"], "warning")
        self.assertGreater(int(told["behind_ms"]), DAY_MS - 600_000)
        self.assertLess(int(told["behind_ms"]), DAY_MS + 600_000)
        # the repeated id is known: accepted again, stored once
        self.assertEqual(scene.send(path, more=("--id", "only-once")).code, 0)
        sent.update(scene.put_many(2))
        got = scene.take()
        self.assertEqual(got.pop("only-once"), pathlib.Path(path).read_bytes())
        self.assertEqual(got, sent)
        scene.stop()
        scene.start()  # the clock has been put right
        self.assertEqual(scene.send(path, more=("--id", "only-once")).code, 0)
        self.assertEqual(scene.take(), {})

    def test_a_message_that_expires_soon_is_not_early(self) -> None:
        """Both ways: what was accepted is neither lost for having been accepted "tomorrow" by a
        broker whose clock is a day behind, nor after it has been put right."""
        scene = self.scene
        scene.start(env=self.back_a_day())
        sent = scene.put_many(5)
        scene.stop()
        scene.start()
        sent.update(scene.put_many(5))
        scene.stop()
        scene.start(env=self.back_a_day())
        self.assertEqual(scene.take(), sent)


if __name__ == "__main__":
    unittest.main()
