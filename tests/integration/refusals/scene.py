# SPDX-License-Identifier: EUPL-1.2
"""The scene of every refusal: a bus as `relais` makes it, with a sender (dila) and a receiver
(commune-76540), and the real programs on it. Stands on the bus of tests/integration/cli.

What the programs say is kept, and searched at the end of each test for keys, payloads and names of
files that hold a name of somebody: none of it may be in there.
"""

from __future__ import annotations

import base64
import dataclasses
import gettext
import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "cli"), str(HERE.parent / "protocol")]

from bus import RELAIS, RELAISD, Bus, free_port  # noqa: E402, F401

FILES = os.environ["RELAIS_FILES_COMMAND"]
CATALOGUES = os.environ.get("RELAIS_CATALOGUES", "")
SANITIZED = "SANITIZED" in os.environ
IS_ROOT = os.geteuid() == 0
NOBODY = 65534  # user and group

ENDS_S = 20.0  # for what a program does by itself
ROUEN = "commune-76540/etat-civil"
FLOW = "ETATCIVIL"

# In every payload. A French social security number in a person's name.
PERSONAL = "DURAND Maelle 2 85 05 78 006 084 36"
# In the name of files: the user may read it on a terminal, no log may hold it.
PERSON_FILE = "acte-durand-maelle.xml"

# Exit codes: docs/cli.md, docs/operations.md, relais-files --help.
FAILED, USAGE, NOT_FOUND, REFUSED, UNREACHABLE, PARTLY = 1, 2, 3, 4, 5, 6
UNAVAILABLE, STORE, SYSTEM, CONFIG = 69, 70, 71, 78
ADAPTER_ENVIRONMENT, ADAPTER_CONFIGURATION = 1, 2


def of_the_system(words: str) -> str:
    """Words of the C library in French, or as they are where its catalogue is not installed."""
    catalogue = gettext.translation("libc", "/usr/share/locale", ["fr"], fallback=True)
    return f"« {catalogue.gettext(words)} »"


@dataclasses.dataclass(frozen=True)
class Ended:
    """A program that has ended, and what it said."""

    code: int
    out: str
    err: str

    def events(self, name: str) -> list[dict[str, str]]:
        return events_of(self.err, name)


def events_of(log: str, name: str) -> list[dict[str, str]]:
    """The fields of each line of a log that has this event."""
    lines = [line for line in log.splitlines() if f"event={name} " in f"{line} "]
    return [dict(word.split("=", 1) for word in shlex.split(line)) for line in lines]


def wait_until(what: str, condition, seconds: float = ENDS_S):
    """The first true value of the condition."""
    ends = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < ends, f"not within {seconds} s: {what}"
        time.sleep(0.02)
    return value


_FIRST: list[tuple[tempfile.TemporaryDirectory, int]] = []  # what later scenes are copied from


def payload(number: int = 0, size: int = 0) -> bytes:
    """A payload that nobody else has, with personal data in it, of at least `size` bytes."""
    head = f"{number} {PERSONAL}\n".encode()
    return head + os.urandom(max(0, size - len(head)))


class Scene(Bus):
    """A Bus whose broker may be started in other ways, and adapters."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: dict[str, str] = {}
        self.adapters: list[subprocess.Popen] = []
        self.settings: dict[str, str] = {}  # of the broker, by its environment
        self._furnish()

    def _furnish(self) -> None:
        """Home and profiles: made with `relais` once a run, copied for each scene after the first."""
        if not _FIRST:
            self.init()
            self.populate()
            _FIRST.append((tempfile.TemporaryDirectory(prefix="relais-scene-"), self.port))
            shutil.copytree(self.folder, _FIRST[0][0].name, dirs_exist_ok=True)
            return
        folder, port = _FIRST[0]
        shutil.copytree(folder.name, self.folder, dirs_exist_ok=True)
        for path in pathlib.Path(self.folder).rglob("*.yaml"):
            text = path.read_text(encoding="utf-8")
            path.write_text(text.replace(f":{port}", f":{self.port}"), encoding="utf-8")

    def environment(self, **more: str) -> dict[str, str]:
        """Nobody's settings, but the sanitizers'."""
        kept = {k: v for k, v in os.environ.items() if k == "PATH" or k.endswith("SAN_OPTIONS")}
        return {**kept, "LC_ALL": "C.UTF-8", "HOME": self.folder, **more}

    def hear(self, said: str) -> str:
        self.heard[f"{len(self.heard)}"] = said
        return said

    def run(self, *words, **settings):
        result = super().run(*words, **settings)
        self.hear(result.err)
        return result

    def ended(self, *words: str, wrapper: tuple[str, ...] = (), env=None, **options) -> Ended:
        """Any program, until it ends by itself."""
        done = subprocess.run(
            [*wrapper, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            errors="replace", env=self.environment(**(env or {})), timeout=60, check=False, **options)
        self.hear(done.stderr)
        return Ended(done.returncode, done.stdout, done.stderr)

    # The broker

    @property
    def config(self) -> str:
        return os.path.join(self.home, "relaisd.yaml")

    @property
    def store(self) -> pathlib.Path:
        return pathlib.Path(self.settings.get("RELAIS_STORE_PATH", os.path.join(self.home, "store")))

    def fail_to_start(self, *, wrapper=(), env=None, **options) -> Ended:
        """relaisd, which is expected to end by itself."""
        return self.ended(RELAISD, "--config", self.config, wrapper=wrapper,
                          env={**self.settings, **(env or {})}, **options)

    def launch(self, *, wrapper=(), env=None) -> None:
        """Returns when the broker serves or has ended."""
        self.log = open(self.path("relaisd.log"), "ab")
        seen = len(self.said())
        self.broker = subprocess.Popen(
            [*wrapper, RELAISD, "--config", self.config], stdin=subprocess.DEVNULL, stderr=self.log,
            env=self.environment(**self.settings, **(env or {})))
        wait_until("the broker serves or has ended", lambda: self.broker.poll() is not None
                   or "event=broker.ready" in self.said()[seen:])

    def start(self, **how) -> None:
        self.launch(**how)
        assert self.broker.poll() is None, "the broker did not start: " + self.said()

    def broker_ends(self) -> int:
        """The exit code of a broker that ends by itself."""
        process, self.broker = self.broker, None
        self.log.close()
        return process.wait(ENDS_S)

    def kill(self) -> None:
        """As when the power goes."""
        self.broker.kill()
        self.broker_ends()

    def events(self, name: str) -> list[dict[str, str]]:
        return events_of(self.said(), name)

    def wait_for_event(self, name: str) -> dict[str, str]:
        return wait_until(f"{name} in\n{self.said()}", lambda: self.events(name))[-1]

    # Messages

    def send(self, *files: str, to: str = ROUEN, flow: str = FLOW, more=(), **settings):
        return self.run("send", *files, "--to", to, "--flow", flow, "-p", self.sender, *more,
                        **settings)

    def put(self, data: bytes) -> str:
        """Sends a message that must be accepted; its id."""
        sent = self.send("-", stdin=data, more=("-o", "json"))
        assert sent.code == 0, sent
        return json.loads(sent.out)["id"]

    def put_many(self, count: int, size: int = 0) -> dict[str, bytes]:
        """As put(), in one run; payloads by id."""
        payloads = {}
        for number in range(count):
            data = payload(number, size)
            payloads[self.write(f"many-{number}", data)] = data
        sent = self.send(*payloads, more=("-o", "jsonl"))
        assert sent.code == 0, sent
        outcomes = [json.loads(line) for line in sent.out.splitlines()]
        for path in payloads:
            os.unlink(path)
        return {outcome["id"]: payloads[outcome["file"]] for outcome in outcomes}

    def take(self, *more: str, wait_s: int = 1) -> dict[str, bytes]:
        """All that waits in the mailbox, by id, acknowledged; none comes twice."""
        return self.look("--ack", *more, wait_s=wait_s)

    def look(self, *more: str, wait_s: int = 1, codes=(0,)) -> dict[str, bytes]:
        """The first hundred messages in the mailbox, which stay."""
        got = self.run("receive", ROUEN, "-p", self.receiver, "-o", "jsonl", "--timeout", str(wait_s),
                       *more)
        assert got.code in codes, got
        messages = [json.loads(line) for line in got.out.splitlines()]
        found = {message["id"]: base64.b64decode(message["payload"]) for message in messages}
        assert len(found) == len(messages), "a message came twice"
        return found

    # The file adapter

    def configure_adapter(self, member: str = "dila", text: str = "") -> str:
        """A configuration with an outbound (dila) or inbound (rouen) folder of the same name."""
        folder = self.path(member, "files")
        os.makedirs(folder, exist_ok=True)
        text = text or (
            "profile: client.yaml\noutbound:\n  folder: files\n  completion: rename\n  rescan_s: 1\n"
            "  from: dila/accueil\n  rules:\n"
            f"    - pattern: 'NOFLOW-*'\n      to: [{ROUEN}]\n      flow: NOPE\n"
            f"    - pattern: 'NOBODY-*'\n      to: [commune-99999/accueil]\n      flow: {FLOW}\n"
            f"    - pattern: '*'\n      to: [{ROUEN}]\n      flow: {FLOW}\n"
            if member == "dila" else
            f"profile: client.yaml\ninbound:\n  address: {ROUEN}\n  folder: files\n")
        return self.write(os.path.join(member, "files.yaml"), text.encode())

    def start_adapter(self, member: str = "dila", *, wrapper=(), env=None, **options):
        with open(self.path(f"{member}.log"), "ab") as log:
            process = subprocess.Popen(
                [*wrapper, FILES, "--config", self.path(member, "files.yaml")], stderr=log,
                stdin=subprocess.DEVNULL, env=self.environment(**(env or {})), **options)
        self.adapters.append(process)
        return process

    def adapter_said(self, member: str = "dila") -> str:
        with open(self.path(f"{member}.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def drop(self, name: str, data: bytes) -> None:
        """Into the outbound folder, as software does it."""
        os.rename(self.write("aside.tmp", data), self.path("dila", "files", name))

    def stop_adapter(self, process) -> int:
        self.adapters.remove(process)
        process.send_signal(signal.SIGTERM)
        return process.wait(ENDS_S)

    # The end

    def logs(self) -> str:
        """Of the broker and the adapters."""
        names = [name for name in os.listdir(self.folder) if name.endswith(".log")]
        texts = []
        for name in names:
            with open(self.path(name), encoding="utf-8", errors="replace") as file:
                texts.append(file.read())
        return "\n".join(texts)

    def secrets(self) -> list[str]:
        """The secret halves of all keys of this bus."""
        found = []
        for path in pathlib.Path(self.folder).rglob("*.key"):
            found += [line.split()[1] for line in path.read_text().splitlines()
                      if line.startswith("secret: ")]
        return found

    def close(self) -> None:
        for process in self.adapters:
            process.kill()
            process.wait()
        if self.broker and self.broker.poll() is not None:
            self.broker_ends()  # what it means is for the test to say
        super().close()


class SceneCase(unittest.TestCase):
    """Each test has a bus of its own, whose broker is not started yet."""

    scene: Scene

    def setUp(self) -> None:
        self.scene = Scene()
        self.addCleanup(self.scene.close)
        self.addCleanup(self.assert_discreet)

    def assert_discreet(self) -> None:
        """Nothing that was said gives a secret or somebody's data away."""
        logs = self.scene.logs()
        said = "\n".join([*self.scene.heard.values(), logs])
        secrets = self.scene.secrets()
        self.assertGreaterEqual(len(secrets), 4)
        for secret in secrets:
            self.assertNotIn(secret, said)
        for piece in PERSONAL, *PERSONAL.split(" ", 1), PERSONAL[14:]:
            self.assertNotIn(piece, said)
        self.assertNotIn(PERSON_FILE, logs)

    def assert_says(self, text: str, *pieces: str) -> None:
        plain = text.replace("\u00a0", " ").replace("\u202f", " ")
        for piece in pieces:
            self.assertIn(piece, plain)

    def both_languages(self, run, code: int, english: tuple[str, ...], french: tuple[str, ...]) -> None:
        """`run(env)` in English and in French: the same code, the message of each."""
        for env, pieces in (({}, english), ({"LANGUAGE": "fr", "RELAIS_LOCALEDIR": CATALOGUES}, french)):
            result = run(env)
            self.assertEqual(result.code, code, result)
            self.assert_says(result.err, *pieces)

