# SPDX-License-Identifier: EUPL-1.2
"""relaisd as a process: started in ways that must fail, under limits, with another clock. Stands on
the broker and the client of tests/integration/protocol. $RELAISD is the program."""

from __future__ import annotations

import os
import pathlib
import shlex
import subprocess
import sys
import time
import unittest
from dataclasses import dataclass

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "protocol"))

from broker import Broker  # noqa: E402
from client import Client, Outgoing, compose  # noqa: E402

START_S = 20.0
OWN = "commune-76540/etat-civil"  # where messages go to

RELAISD = os.environ["RELAISD"]
SANITIZED = "SANITIZED" in os.environ


_serial = iter(range(1, 1_000_000))


def letter(payload: bytes = b"Bonjour") -> Outgoing:
    """A good message for OWN with an id of its own."""
    return compose(
        payload, id=f"{os.getpid()}-{next(_serial)}", source="/commune-76540/etat-civil/tests",
        type="fr.relais.test", to=[OWN], flow="ETATCIVIL",
    )  # fmt: skip


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    code: int
    out: str
    log: str

    def events(self, name: str) -> list[dict[str, str]]:
        """The fields of each line with this event."""
        return events_of(self.log, name)


def events_of(log: str, name: str) -> list[dict[str, str]]:
    lines = [line for line in log.splitlines() if f"event={name} " in f"{line} "]
    return [dict(word.split("=", 1) for word in shlex.split(line)) for line in lines]


def run(*words: str, wrapper: tuple[str, ...] = (), **environment: str) -> Ended:
    """Runs relaisd until it ends by itself."""
    done = subprocess.run(
        [*wrapper, RELAISD, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        env={**os.environ, "LC_ALL": "C", **environment}, timeout=START_S, check=False,
    )  # fmt: skip
    return Ended(done.returncode, done.stdout, done.stderr)


class DaemonCase(unittest.TestCase):
    """Each test has a broker of its own, not yet started."""

    def setUp(self) -> None:
        self.broker = Broker()
        self.addCleanup(self.broker.remove)
        self.addCleanup(self.broker.stop)
        self.config = str(self.broker.home / "relaisd.yaml")

    def set_environment(self, **values: str) -> None:
        """For what is started from now on, until the end of the test."""
        for name, value in values.items():
            before = os.environ.get(name)
            os.environ[name] = value
            self.addCleanup(os.environ.__delitem__ if before is None else os.environ.__setitem__,
                            *((name,) if before is None else (name, before)))  # fmt: skip

    def session(self, name: str = "files", member: str = "commune-76540") -> Client:
        client = self.broker.client(member, name)
        self.addCleanup(client.close)
        client.hello()
        return client

    def events(self, name: str) -> list[dict[str, str]]:
        return events_of(self.broker.log, name)

    def wait_for_event(self, name: str, count: int = 1) -> dict[str, str]:
        ends = time.monotonic() + START_S
        while len(self.events(name)) < count:
            self.assertLess(time.monotonic(), ends, f"no {name}:\n{self.broker.log}")
            time.sleep(0.02)
        return self.events(name)[count - 1]

    def wait_for_end(self) -> int:
        """The exit code of a broker that ends by itself."""
        process, self.broker._process = self.broker._process, None
        assert process is not None
        return process.wait(START_S)

    def write_broken_member(self) -> None:
        (self.broker.home / "members" / "zz.yaml").write_text("slug: zz\nname: ZZ\nkind: village\n")
