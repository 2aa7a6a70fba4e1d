# SPDX-License-Identifier: EUPL-1.2
"""The life of a broker: ready, messages, reload, restart, the service manager, the end."""

from __future__ import annotations

import json
import pathlib
import signal
import socket
import subprocess
import time
import unittest

from daemon import OWN, RELAISD, SANITIZED, DaemonCase, letter, run
from broker import FLOWS, MEMBERS
from client import Keys, numbers_of
from schema import code_name

READY_MS = 100  # of the goal: from the start to ready, with an empty store
IDLE_KIB = 20 * 1024  # of the goal: resident memory


class Ready(DaemonCase):
    def test_ready_names_endpoint_and_counts(self) -> None:
        self.broker.start()
        ready = self.wait_for_event("broker.ready")
        self.assertEqual(ready["level"], "notice")
        self.assertEqual((ready["members"], ready["flows"]), (str(len(MEMBERS)), str(len(FLOWS))))
        self.assertTrue(ready["endpoint"].startswith("tcp://"))
        if not SANITIZED:
            self.assertLess(int(ready["start_ms"]), READY_MS)

    @unittest.skipIf(SANITIZED, "a sanitizer's shadow is resident")
    def test_an_idle_broker_is_small(self) -> None:
        self.broker.start()
        status = pathlib.Path(f"/proc/{self.broker._process.pid}/status").read_text()
        resident = int(status.split("VmRSS:")[1].split()[0])
        print(f"idle: {resident} KiB resident")
        self.assertLess(resident, IDLE_KIB)

    def test_json_lines_are_json(self) -> None:
        self.set_environment(RELAIS_LOG_FORMAT="json", RELAIS_LISTEN="tcp://127.0.0.1:*")
        with open(self.broker.home / "log", "ab") as log:
            process = subprocess.Popen([RELAISD, "--config", self.config], stderr=log)
        ends = time.monotonic() + 20
        while "broker.ready" not in self.broker.log and time.monotonic() < ends:
            time.sleep(0.02)
        process.terminate()
        self.assertEqual(process.wait(20), 0)
        lines = [json.loads(line) for line in self.broker.log.splitlines()]
        self.assertEqual(lines[0]["event"], "broker.ready")
        self.assertIsInstance(lines[0]["members"], int)


class Messages(DaemonCase):
    def test_a_message_goes_through_and_the_end_is_clean(self) -> None:
        self.broker.start()
        client = self.session()
        self.assertEqual(client.outcome(client.submit([letter(b"Bonjour")])), {1: None})
        client.attach(7, OWN, 10)
        (delivered,) = client.deliveries(1)
        self.assertEqual((delivered.payload, delivered.attempt), (b"Bonjour", 1))
        client.ack(7, delivered.tag)
        client.settled(7, delivered.tag)
        self.broker.stop()
        goodbye = client.wait("goodbye").content
        self.assertEqual(code_name(goodbye.reason.code), "DRAINING")
        self.assertEqual(self.events("broker.ended")[0]["code"], "0")

    def test_a_restart_keeps_what_was_accepted(self) -> None:
        for end in (self.broker.stop, self.broker.kill):
            with self.subTest(end=end.__name__):
                self.broker.start()
                client = self.session()
                payloads = [f"{end.__name__} {i}".encode() for i in range(50)]
                answers = client.outcome(client.submit([letter(p) for p in payloads]))
                self.assertEqual(set(answers.values()), {None})
                end()
                self.broker.start()
                self.assertEqual(self.events("broker.ready")[-1]["waiting"], "50")
                after = self.session()
                after.attach(1, OWN, 100)
                found = after.deliveries(50)
                self.assertEqual([d.payload for d in found], payloads)
                after.ack(1, *[d.tag for d in found])
                after.settled(1, *[d.tag for d in found])
                self.broker.stop()

    def test_what_is_on_disk_at_the_end_has_been_accepted(self) -> None:
        self.broker.start()
        client = self.session()
        for _ in range(20):
            client.submit([letter(b"x" * 1000) for _ in range(50)])
        accepted = len(numbers_of(client.wait("accepted").content.numbers))
        self.broker.signal(signal.SIGTERM)
        self.assertEqual(self.wait_for_end(), 0, self.broker.log)
        while (said := client.wait_for(lambda said: True)).kind != "goodbye":
            if said.kind == "accepted":
                accepted += len(numbers_of(said.content.numbers))
            for refusal in said.content.refusals if said.kind == "refused" else []:
                self.assertEqual(code_name(refusal.error.code), "DRAINING")
        self.broker.start()
        waiting = int(self.events("broker.ready")[-1]["waiting"])
        self.assertEqual(accepted, waiting)


class Reload(DaemonCase):
    def test_a_new_client_may_enter_and_a_removed_one_may_not(self) -> None:
        self.broker.write_member("commune-76540", without="leaver")
        self.broker.start()
        stranger = self.broker.client("commune-76540", "leaver")
        self.addCleanup(stranger.close)
        self.assertTrue(stranger.wire.is_gone(), "a key that is not registered is served")
        self.broker.write_member("commune-76540")
        self.broker.reload()
        client = self.session("leaver")
        self.broker.write_member("commune-76540", without="leaver")
        self.broker.reload()
        self.assertEqual(code_name(client.wait("goodbye").content.reason.code), "KEY_REVOKED")
        self.assertTrue(client.wire.is_gone())

    def test_a_key_that_nobody_knows_is_cut(self) -> None:
        self.broker.start()
        stranger = self.broker.client("x", "y", keys=Keys.new())
        self.addCleanup(stranger.close)
        self.assertTrue(stranger.wire.is_gone())
        self.session()

    def test_a_broken_file_leaves_the_directory_as_it_was(self) -> None:
        self.broker.start()
        client = self.session()
        self.write_broken_member()
        self.broker.signal(signal.SIGHUP)
        self.wait_for_event("directory.kept")
        found = self.wait_for_event("config.invalid")
        self.assertEqual(found["at"].split("/")[-1], "zz.yaml:3: kind")
        self.assertEqual(found["found"], "village")
        self.assertIn("commune", found["expected"])
        self.assertEqual(client.outcome(client.submit([letter()])), {1: None})
        (self.broker.home / "members" / "zz.yaml").unlink()
        self.broker.reload()


class Manager(DaemonCase):
    """What a service manager hears on NOTIFY_SOCKET."""

    def setUp(self) -> None:
        super().setUp()
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.manager.close)
        self.manager.bind(str(self.broker.home / "notify"))
        self.manager.settimeout(20)
        self.set_environment(NOTIFY_SOCKET=str(self.broker.home / "notify"))

    def hear(self, wanted: str) -> list[str]:
        """What is heard until a message begins like this; that one last."""
        heard: list[str] = []
        while not heard or not heard[-1].startswith(wanted):
            heard.append(self.manager.recv(4096).decode())
        return heard

    def test_ready_reloading_stopping(self) -> None:
        self.broker.start()
        self.assertIn("READY=1", self.hear("READY=1")[0])
        self.broker.reload()
        self.assertIn("MONOTONIC_USEC=", self.hear("RELOADING=1")[-1])
        self.hear("READY=1")
        self.broker.stop()
        self.hear("STOPPING=1")

    def test_the_watchdog_is_fed_while_idle(self) -> None:
        self.set_environment(WATCHDOG_USEC="400000")
        self.broker.start()
        self.hear("READY=1")
        self.hear("WATCHDOG=1")
        begun = time.monotonic()
        for _ in range(5):
            self.hear("WATCHDOG=1")
        self.assertLess(time.monotonic() - begun, 2.0)


class CommandLine(DaemonCase):
    def test_version_help_and_mistakes(self) -> None:
        self.assertRegex(run("--version").out, r"^relaisd \d+\.\d+\.\d+\n$")
        self.assertIn("--check", run("--help").out)
        self.assertEqual(run("--help").code, 0)
        self.assertEqual(run("--no-such-thing").code, 64)
        self.assertEqual(run("--config", self.config, "more").code, 64)

    def test_check_says_what_it_found(self) -> None:
        found = run("--config", self.config, "--check")
        self.assertEqual((found.code, found.log), (0, ""))
        self.assertIn(f"{len(MEMBERS)} members, {len(FLOWS)} flows", found.out)

    def test_check_tells_every_problem(self) -> None:
        self.write_broken_member()
        flow = {"code": "X", "title": "X", "purpose": "X", "legal_basis": "X"}
        flow |= {"senders": ["nobody"], "receivers": ["*"]}
        (self.broker.home / "flows" / "x.yaml").write_text(json.dumps(flow, indent=1))
        (self.broker.home / "keys" / "broker.key").chmod(0o644)
        found = run("--config", self.config, "--check")
        self.assertEqual(found.code, 1)
        self.assertIn("zz.yaml:3: kind", found.log)
        self.assertIn("x.yaml:7: senders[0]", found.log)
        self.assertIn("nobody", found.log)
        self.assertIn("broker.key", found.log)
        self.assertIn("3 problems", found.log)

    def test_the_configuration_is_printed_as_it_counts(self) -> None:
        printed = run("--config", self.config, "--print-config", RELAIS_DELIVERY_LEASE_S="77")
        self.assertEqual(printed.code, 0)
        self.assertIn("  lease_s: 77\n", printed.out)
        self.assertIn("  map_size_mb: 256\n", printed.out)

    def test_a_wrong_configuration_does_not_start(self) -> None:
        wrong = run("--config", self.config, RELAIS_DELIVERY_LEASE_S="0")
        self.assertEqual(wrong.code, 78)
        self.assertEqual(wrong.events("config.invalid")[0]["at"], "RELAIS_DELIVERY_LEASE_S")
        self.assertEqual(run("--config", self.config + ".none").code, 78)
        pathlib.Path(self.config).write_text("listen: tcp://127.0.0.1:*\nport: 3\n")
        wrong = run("--config", self.config)
        self.assertEqual(wrong.code, 78)
        self.assertEqual(wrong.events("config.invalid")[0]["at"], f"{self.config}:2: port")


if __name__ == "__main__":
    unittest.main()
