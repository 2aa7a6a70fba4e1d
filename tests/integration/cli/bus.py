# SPDX-License-Identifier: EUPL-1.2
"""A bus of its own for a test: a temporary home, a free port, a broker that is ended by its pid.

RELAIS_COMMAND and RELAISD_COMMAND name the programs; CMake sets them.
"""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

RELAIS = os.environ["RELAIS_COMMAND"]
RELAISD = os.environ.get("RELAISD_COMMAND", "")
SANITIZERS = {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}
READY_S = 20


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Result:
    def __init__(self, process):
        self.code = process.returncode
        self.bytes = process.stdout
        self.out = process.stdout.decode(errors="replace")
        self.err = process.stderr.decode(errors="replace")

    def __str__(self):
        return f"exit {self.code}\n{self.out}\n{self.err}"


class Bus:
    """A folder, a home in it, and perhaps a running broker."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="relais-cli-")
        self.home = os.path.join(self.folder, "bus")
        self.port = free_port()
        self.broker = None

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, name, data):
        path = self.path(name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def run(self, *words, cwd=None, env=None, stdin=b"", timeout=60):
        """The command in an environment without anybody's settings."""
        clean = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": self.folder}
        clean.update(SANITIZERS)
        clean["RELAIS_HOME"] = self.home
        clean.update(env or {})
        return Result(
            subprocess.run([RELAIS, *words], cwd=cwd or self.folder, env=clean, input=stdin,
                           capture_output=True, timeout=timeout, check=False))

    def must(self, *words, **settings):
        result = self.run(*words, **settings)
        assert result.code == 0, f"{words}: {result}"
        return result

    def init(self):
        self.must("init", self.home, "--listen", f"tcp://127.0.0.1:{self.port}")

    def populate(self):
        """A sender (dila), a receiver (commune-76540), a flow between them."""
        self.must("member", "add", "dila", "--kind", "state", "--name", "DILA",
                  "--service", "accueil")
        self.must("member", "add", "commune-76540", "--kind", "commune", "--name",
                  "Ville de Rouen", "--siret", "21760540300013", "--insee", "76540",
                  "--service", "etat-civil", "--service", "accueil")
        self.must("client", "add", "dila", "api", "--role", "send", "--role", "receive",
                  "--new", self.path("dila"))
        self.must("client", "add", "commune-76540", "files", "--role", "receive",
                  "--new", self.path("rouen"))
        self.must("flow", "add", "ETATCIVIL", "--title", "Acte d'état civil", "--purpose",
                  "Délivrance", "--legal-basis", "Décret", "--sender", "dila", "--receiver",
                  "kind:commune")

    @property
    def sender(self):
        return self.path("dila", "client.yaml")

    @property
    def receiver(self):
        return self.path("rouen", "client.yaml")

    def start(self):
        self.log = open(self.path("relaisd.log"), "wb")
        self.broker = subprocess.Popen(
            [RELAISD, "--config", os.path.join(self.home, "relaisd.yaml")], stderr=self.log)
        end = time.monotonic() + READY_S
        while time.monotonic() < end:
            if self.broker.poll() is not None:
                break
            if "broker.ready" in self.said():
                return
            time.sleep(0.02)
        raise AssertionError("the broker did not start: " + self.said())

    def said(self):
        with open(self.path("relaisd.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self):
        if self.broker:
            self.broker.send_signal(signal.SIGTERM)
            code = self.broker.wait(timeout=30)
            self.broker = None
            self.log.close()
            assert code == 0, f"the broker ended with {code}: " + self.said()

    def close(self):
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
