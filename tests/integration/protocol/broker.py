# SPDX-License-Identifier: EUPL-1.2
"""A relaisd of the test's own: a home in a temporary folder, a free port of the loopback, started and
stopped by its pid. $RELAISD is the program; its log is shown when a test fails to start or stop it.

The directory of every home: the commune of the examples, another one, and a State service."""

from __future__ import annotations

import itertools
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import unittest
from typing import Any

from client import Client, Keys, Message, Outgoing, compose
from schema import code_name
from schema import command as pb

START_S = 20.0
STOP_S = 20.0
OWN = "commune-76540/etat-civil"
BOXES = 60  # for the tests of one broker
FOREIGN = "commune-06088/etat-civil"
FLOW = "ETATCIVIL"



def _box(number: int) -> str:
    return f"boite-{number}"


# member: kind, services, clients with their roles
MEMBERS: dict[str, tuple[str, list[str], dict[str, list[str]]]] = {
    "commune-76540": (
        "commune",
        ["etat-civil", "accueil", *(_box(number) for number in range(1, BOXES + 1))],
        {
            "files": ["send", "receive"],
            "sender": ["send"],
            "receiver": ["receive"],
            "leaver": ["send", "receive"],
            "watch": ["operate"],
        },
    ),
    "commune-06088": ("commune", ["etat-civil"], {"files": ["send", "receive"]}),
    "dila": ("state", ["notices"], {"notices": ["send", "receive"]}),
}

FLOWS: dict[str, dict[str, Any]] = {
    FLOW: {"senders": ["*"], "receivers": ["kind:commune"]},
    "AVIS": {"senders": ["kind:state"], "receivers": ["*"]},
    "PETIT": {"senders": ["*"], "receivers": ["*"], "payload_max": 100},
    "LENT": {"senders": ["*"], "receivers": ["*"], "attempts": 2, "lease_s": 3},
}


def is_sanitized() -> bool:
    return bool(re.search(rb"__[at]san_init", pathlib.Path(os.environ["RELAISD"]).read_bytes()))


class Broker:
    """A running relaisd. Files are written as JSON, which is YAML."""

    def __init__(self, **settings: dict[str, int]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="relais-protocol-")
        self.home = pathlib.Path(self._folder.name)
        self._broker_keys = Keys.new()
        self.keys = {(slug, name): Keys.new() for slug in MEMBERS for name in MEMBERS[slug][2]}
        self._process: subprocess.Popen[bytes] | None = None
        self._write_home(settings)

    def _write_home(self, settings: dict[str, dict[str, int]]) -> None:
        for folder in ("keys", "members", "flows"):
            (self.home / folder).mkdir(mode=0o700)
        key = self.home / "keys" / "broker.key"
        key.touch(mode=0o600)
        key.write_text(
            f"public: {self._broker_keys.public.decode()}\nsecret: {self._broker_keys.secret.decode()}\n"
        )
        for slug in MEMBERS:
            self.write_member(slug)
        for code, flow in FLOWS.items():
            about = {"code": code, "title": code, "purpose": "a test", "legal_basis": "none"}
            self._write("flows", code, about | flow)
        config: dict[str, Any] = {"listen": "tcp://127.0.0.1:*"}
        config["store"] = {"map_size_mb": 256, "reserve_mb": 1}
        self._write(".", "relaisd", config | settings)

    def _write(self, folder: str, name: str, content: dict[str, Any]) -> None:
        path = self.home / folder / f"{name}.yaml"
        path.write_text(json.dumps(content, indent=1) + "\n")

    def write_member(
        self,
        slug: str,
        *,
        without: str | None = None,
        changed: str | None = None,
        roles: list[str] | None = None,
        services: list[str] | None = None,
        quota: dict[str, int] | None = None,
    ) -> None:
        """A member's file; without one of its clients, or with one changed, or with other services."""
        kind, own_services, clients = MEMBERS[slug]
        listed = [
            {
                "name": name,
                "key": self.keys[slug, name].public.decode(),
                "roles": roles if roles and name == changed else own_roles,
            }
            for name, own_roles in clients.items()
            if name != without
        ]
        about = {"slug": slug, "name": slug, "kind": kind, "services": services or own_services}
        about["clients"] = listed
        if quota:
            about["quota"] = quota
        if kind == "commune":
            about["insee"] = slug.removeprefix("commune-")
        self._write("members", slug, about)

    @property
    def log(self) -> str:
        path = self.home / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self) -> None:
        """Returns when the broker is ready."""
        seen = len(self.log)
        with open(self.home / "log", "ab") as log:
            self._process = subprocess.Popen(
                [os.environ["RELAISD"], "--config", str(self.home / "relaisd.yaml")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        ends = time.monotonic() + START_S
        while time.monotonic() < ends and self._process.poll() is None:
            ready = re.search(r"event=broker\.ready endpoint=\"?(tcp://[^\s\"]+)", self.log[seen:])
            if ready:
                self.endpoint = ready.group(1)
                return
            time.sleep(0.02)
        raise AssertionError(f"relaisd is not ready:\n{self.log}")

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def memory_most_kib(self) -> int:
        """The most that it has had resident; 0 when a sanitizer's own memory is in it."""
        assert self._process is not None
        if is_sanitized():
            return 0
        status = pathlib.Path("/proc") / str(self._process.pid) / "status"
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        assert found is not None
        return int(found.group(1))

    def reload(self) -> None:
        """SIGHUP; returns when the directory has been replaced."""
        seen = self.log.count("event=directory.replaced")
        self.signal(signal.SIGHUP)
        ends = time.monotonic() + START_S
        while self.log.count("event=directory.replaced") == seen:
            assert time.monotonic() < ends, f"not reloaded:\n{self.log}"
            time.sleep(0.02)

    def stop(self) -> None:
        """SIGTERM, which must give the exit code 0; a sanitizer's finding gives another."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.terminate()
        try:
            code = process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        assert code == 0, f"relaisd ended with {code}:\n{self.log[-20000:]}"

    def kill(self) -> None:
        """Power off, as far as a process can tell."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def remove(self) -> None:
        self._folder.cleanup()

    def client(self, member: str, name: str, *, keys: Keys | None = None, **options: Any) -> Client:
        """A connection of a registered client, Hello not yet said."""
        used = keys or self.keys[member, name]
        return Client(self.endpoint, self._broker_keys.public, used, **options)


_serial = itertools.count(1)


class BrokerCase(unittest.TestCase):
    """Tests that share one broker; each has a mailbox of its own, `box`."""

    settings: dict[str, dict[str, int]] = {"limits": {"connections_per_key": 100}}
    broker: Broker
    _boxes = 0

    @classmethod
    def setUpClass(cls) -> None:
        cls.broker = Broker(**cls.settings)
        cls.addClassCleanup(cls.broker.remove)
        cls.addClassCleanup(cls.broker.stop)
        cls.broker.start()

    def open(self, name: str = "files", member: str = "commune-76540", **options: Any) -> Client:
        """A connection that is closed when the test ends; Hello not yet said."""
        client = self.broker.client(member, name, **options)
        self.addCleanup(client.close)
        return client

    def session(self, name: str = "files", member: str = "commune-76540") -> Client:
        client = self.open(name, member)
        client.hello()
        return client

    def setUp(self) -> None:
        type(self)._boxes += 1
        self.box = f"commune-76540/{_box(self._boxes)}"

    def letter(self, payload: bytes = b"Bonjour", **changes: Any) -> Outgoing:
        """A good message for the test's mailbox with an id of its own, changed as told."""
        attributes: dict[str, Any] = {
            "id": f"letter-{next(_serial)}",
            "source": "/commune-76540/accueil",
            "type": "fr.relais.test",
            "to": [self.box],
            "flow": FLOW,
        }
        return compose(payload, **(attributes | changes))

    def accept(self, client: Client, *messages: Outgoing) -> None:
        """Submits, and waits until all are on disk."""
        answers = client.outcome(client.submit(messages))
        self.assertEqual(set(answers.values()), {None})

    def queue(self, client: Client) -> Message:
        """What the broker tells of the test's mailbox; an empty Queue when it is not listed."""
        for queue in client.queues(limit=500).queues.queues:
            if queue.address == self.box:
                return queue
        return pb.Queue()

    def assert_code(self, error: Message | None, name: str, field: str | None = None) -> None:
        self.assertIsNotNone(error, f"accepted instead of {name}")
        self.assertEqual(code_name(error.code), name, error)
        if field is not None:
            self.assertEqual(error.field, field, error)

    def assert_cut(self, client: Client, name: str, field: str | None = None) -> Message:
        """Error, Goodbye with the same code, and the end of the connection."""
        error = client.wait("error").content
        self.assert_code(error, name, field)
        self.assert_code(client.wait("goodbye").content.reason, name)
        self.assertTrue(client.wire.is_gone(), "said goodbye, and stays")
        return error

    def assert_alive(self, client: Client) -> None:
        """The connection goes on."""
        self.assertEqual(client.queues().WhichOneof("what"), "queues")
