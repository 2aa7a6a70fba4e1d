# SPDX-License-Identifier: EUPL-1.2
"""What goes wrong around a broker, each with its message and its exit code."""

from __future__ import annotations

import os
import pathlib
import random
import shutil
import socket
import subprocess
import unittest

from daemon import OWN, DaemonCase, letter, run
from schema import command

UNAVAILABLE, STORE, SYSTEM, CONFIG = 69, 70, 71, 78
DAY_MS = 24 * 3600 * 1000
USED_BYTES = 60 * 20_000  # of the store that Damage damages; its file is larger, and sparse
FAKETIME = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)


class Start(DaemonCase):
    def test_a_port_in_use(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            endpoint = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
            ended = run("--config", self.config, RELAIS_LISTEN=endpoint)
        self.assertEqual(ended.code, UNAVAILABLE, ended)
        (problem,) = ended.events("net.not_opened")
        self.assertEqual(problem["endpoint"], endpoint)
        self.assertIn(endpoint, problem["detail"])

    def test_two_brokers_on_one_store(self) -> None:
        self.broker.start()
        ended = run("--config", self.config)
        self.assertEqual(ended.code, UNAVAILABLE, ended)
        (problem,) = ended.events("store.not_opened")
        self.assertEqual(problem["kind"], "locked")
        self.assertIn(str(self.broker._process.pid), problem["detail"])
        client = self.session()
        self.assertEqual(client.outcome(client.submit([letter()])), {1: None})

    def test_too_few_open_files(self) -> None:
        ended = run("--config", self.config, wrapper=("prlimit", "--nofile=40:40"))
        self.assertEqual(ended.code, SYSTEM, ended)
        (problem,) = ended.events("process.too_few_files")
        self.assertEqual(problem["limit"], "40")
        self.assertIn("LimitNOFILE", problem["expected"])
        self.assertGreater(int(problem["needed"]), 64)

    def test_few_open_files_lower_the_connections(self) -> None:
        self.set_environment(RELAIS_LISTEN="tcp://127.0.0.1:*")
        with open(self.broker.home / "log", "ab") as log:
            self.broker._process = subprocess.Popen(
                ["prlimit", "--nofile=200:200", os.environ["RELAISD"], "--config", self.config],
                stderr=log,
            )
        self.wait_for_event("broker.ready")
        warning = self.wait_for_event("process.few_files")
        self.assertEqual(warning["level"], "warning")
        self.assertLess(int(warning["connections"]), 200 - 64)
        self.assertEqual(warning["wanted"], "10000")

    def test_a_store_path_that_cannot_be_made(self) -> None:
        (self.broker.home / "file").write_text("")
        for path in (self.broker.home / "file", self.broker.home / "file" / "store", "/proc/relais"):
            with self.subTest(path=path):
                ended = run("--config", self.config, RELAIS_STORE_PATH=str(path))
                self.assertEqual(ended.code, UNAVAILABLE, ended)
                (problem,) = ended.events("store.not_opened")
                self.assertEqual(problem["kind"], "path")
                self.assertIn(str(path), problem["detail"])

    @unittest.skipUnless(shutil.which("setpriv"), "needs setpriv")
    def test_a_store_path_without_write_permission(self) -> None:
        store = self.broker.home / "store"
        store.mkdir(mode=0o500)
        without_privilege = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
        wrapper = without_privilege if os.geteuid() == 0 else ()
        ended = run("--config", self.config, wrapper=wrapper)
        self.assertEqual(ended.code, UNAVAILABLE, ended)
        self.assertEqual(ended.events("store.not_opened")[0]["kind"], "path")

    def test_a_key_that_others_may_read(self) -> None:
        (self.broker.home / "keys" / "broker.key").chmod(0o640)
        ended = run("--config", self.config)
        self.assertEqual(ended.code, CONFIG, ended)
        self.assertIn("broker.key", ended.events("config.invalid")[0]["at"])


class Damage(DaemonCase):
    def setUp(self) -> None:
        super().setUp()
        self.broker.start()
        client = self.session()
        numbers = client.submit([letter(os.urandom(20_000)) for _ in range(USED_BYTES // 20_000)])
        self.assertEqual(set(client.outcome(numbers).values()), {None})
        self.data = self.broker.home / "store" / "data.mdb"

    def test_a_truncated_store_does_not_start(self) -> None:
        self.broker.stop()
        whole = self.data.read_bytes()
        for size in (0, 100, 4096, 8192, 300_000, USED_BYTES // 2):
            with self.subTest(size=size):
                self.data.write_bytes(whole[:size])
                ended = run("--config", self.config)
                self.assertEqual(ended.code, STORE, ended)
                (problem,) = ended.events("store.not_opened")
                self.assertEqual(problem["kind"], "damaged", problem)
                self.assertIn(str(self.data.parent), problem["detail"])

    def test_what_is_not_a_store_does_not_start(self) -> None:
        self.broker.stop()
        self.data.write_bytes(random.Random(1).randbytes(65536))
        ended = run("--config", self.config)
        self.assertEqual(ended.code, STORE, ended)
        self.assertEqual(ended.events("store.not_opened")[0]["kind"], "damaged")

    def test_a_store_that_is_truncated_under_a_running_broker_ends_it_with_a_word(self) -> None:
        os.truncate(self.data, 8192)
        client = self.session()
        client.send(attach=command.Attach(consumer=1, address=OWN, credit=100))
        code = self.wait_for_end()
        self.assertEqual(code, STORE, self.broker.log)
        said = self.events("store.damaged") + self.events("store.failed")
        self.assertTrue(said, self.broker.log)


@unittest.skipIf(FAKETIME is None, "needs libfaketime")
class Clock(DaemonCase):
    def setUp(self) -> None:
        super().setUp()
        self.offset = self.broker.home / "offset"
        self.set_clock("+0")
        asan = os.environ.get("ASAN_OPTIONS", "")
        self.set_environment(
            LD_PRELOAD=str(FAKETIME), FAKETIME_TIMESTAMP_FILE=str(self.offset),
            FAKETIME_NO_CACHE="1", FAKETIME_DONT_FAKE_MONOTONIC="1",
            ASAN_OPTIONS=f"{asan}:verify_asan_link_order=0",
        )  # fmt: skip

    def set_clock(self, offset: str) -> None:
        self.offset.write_text(f"{offset}\n")

    def accept(self) -> int:
        """Sends a message; when the broker says that it has accepted it."""
        client = self.session()
        self.assertEqual(client.outcome(client.submit([letter()])), {1: None})
        client.attach(1, OWN, 1)
        (delivered,) = client.deliveries(1)
        client.ack(1, delivered.tag)
        client.settled(1, delivered.tag)
        return delivered.accepted_ms

    def test_set_back_a_day_between_two_runs(self) -> None:
        self.broker.start()
        first = self.accept()
        self.broker.stop()
        self.set_clock("-1d")
        self.broker.start()
        second = self.accept()
        self.assertGreaterEqual(second, first)
        self.assertLess(second - first, DAY_MS // 2)
        self.assertGreater(int(self.wait_for_event("clock.back")["behind_ms"]), DAY_MS // 2)

    def test_set_back_a_day_while_it_runs(self) -> None:
        self.broker.start()
        first = self.accept()
        self.set_clock("-1d")
        second = self.accept()
        self.assertGreaterEqual(second, first)
        self.assertLess(second - first, DAY_MS // 2)
        self.wait_for_event("clock.back")
        self.set_clock("+1d")
        third = self.accept()
        self.assertGreater(third - second, DAY_MS // 2)
        self.assertEqual(len(self.events("clock.back")), 1)


if __name__ == "__main__":
    unittest.main()
