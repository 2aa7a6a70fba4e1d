# SPDX-License-Identifier: EUPL-1.2
"""A bus of its own for one test: relaisd on a free loopback port, two members, their file adapters.

The sender is "dila" (dila/dossiers), the recipient "commune-76540" (commune-76540/etat-civil).
Everything lives in one temporary folder; every process is stopped by its pid.
"""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time


class Failure(Exception):
    pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(what, condition, seconds=30.0, pause=0.02):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(pause)
    raise Failure(f"not within {seconds} s: {what}")


class Bus:
    def __init__(self, build):
        self.build = pathlib.Path(build).resolve()
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="relais-files-"))
        self.home = self.root / "bus"
        self.processes = {}
        self.relais("init", str(self.home), "--listen", f"tcp://127.0.0.1:{free_port()}")
        self.relais("member", "add", "dila", "--kind", "state", "--name", "DILA",
                    "--service", "dossiers")
        self.relais("member", "add", "commune-76540", "--kind", "commune", "--name", "Rouen",
                    "--insee", "76540", "--service", "etat-civil")
        for member in ("dila", "commune-76540"):
            self.relais("client", "add", member, "files", "--role", "send", "--role", "receive",
                        "--new", str(self.root / member))
        self.relais("flow", "add", "RCO", "--title", "RCO", "--purpose", "tests",
                    "--legal-basis", "none", "--sender", "dila", "--receiver", "kind:commune")
        self.outbound = self.root / "dila" / "outbound"
        self.sent = self.outbound / "sent"
        self.failed = self.outbound / "failed"
        self.inbound = self.root / "commune-76540" / "inbound"
        self.outbound.mkdir()
        self.inbound.mkdir()
        self.configure_sender()
        self.configure_receiver()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for name in list(self.processes):
            self.kill(name)
        if kind is None:
            shutil.rmtree(self.root, ignore_errors=True)
        else:
            for log in sorted(self.root.glob("*.log")):
                print(f"---- {log}", flush=True)
                print(log.read_text(errors="replace")[-4000:], flush=True)
            print(f"kept: {self.root}", flush=True)

    def configure_sender(self, completion="rename", extra=""):
        (self.root / "dila" / "files.yaml").write_text(
            "profile: client.yaml\n"
            "outbound:\n"
            "  folder: outbound\n"
            f"  completion: {completion}\n"
            "  rescan_s: 1\n"
            "  from: dila/dossiers\n"
            f"{extra}"
            "  rules:\n"
            "    - pattern: 'RCO-*'\n"
            "      to: [commune-76540/etat-civil]\n"
            "      flow: RCO\n")

    def configure_receiver(self, folder="inbound", extra=""):
        (self.root / "commune-76540" / "files.yaml").write_text(
            "profile: client.yaml\n"
            "inbound:\n"
            "  address: commune-76540/etat-civil\n"
            f"  folder: {folder}\n{extra}")

    def relais(self, *arguments, check=True):
        run = subprocess.run([self.build / "cli" / "relais", *arguments], text=True,
                             capture_output=True, timeout=60,
                             env={**os.environ, "RELAIS_HOME": str(self.home)}, check=False)
        if check and run.returncode != 0:
            raise Failure(f"relais {' '.join(arguments)}: {run.returncode}\n{run.stderr}")
        return run

    def waiting_in(self, address):
        """Messages of a mailbox that are not acknowledged; None: the broker does not say."""
        answer = self.relais("queues", "-o", "json", check=False)
        if answer.returncode != 0:
            return None
        queues = json.loads(answer.stdout)
        queues = queues["queues"] if isinstance(queues, dict) else queues
        return sum(queue["waiting"] for queue in queues if queue["address"] == address)

    # ---- processes ----

    def start(self, name, command):
        log = open(self.root / f"{name}.log", "ab")
        self.processes[name] = subprocess.Popen(
            [str(part) for part in command], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            start_new_session=True)
        log.close()

    def start_broker(self):
        self.start("relaisd", [self.build / "broker" / "relaisd", "--config",
                               self.home / "relaisd.yaml"])

    def wait_for_broker(self):
        wait_until("the broker answers", lambda: self.relais("status", check=False).returncode == 0)

    def start_adapter(self, member, wrapper=()):
        self.start(member, [*wrapper, self.build / "adapters" / "files" / "relais-files",
                            "--config", self.root / member / "files.yaml"])

    def start_sender(self):
        self.start_adapter("dila")

    def start_receiver(self, wrapper=()):
        self.start_adapter("commune-76540", wrapper)

    def start_all(self):
        self.start_broker()
        self.wait_for_broker()
        self.start_sender()
        self.start_receiver()

    def alive(self, name):
        return name in self.processes and self.processes[name].poll() is None

    def kill(self, name):
        """kill -9, and wait for the end; what a wrapper such as strace has started goes with it."""
        process = self.processes.pop(name, None)
        if process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def stop(self, name, seconds=20):
        """SIGTERM; gives the exit code."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Failure(f"{name} does not stop on SIGTERM") from None

    def log(self, name):
        path = self.root / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    # ---- files ----

    def drop(self, name, content, sidecar=None):
        """As software does it: written aside, then renamed into the folder; the side-car first."""
        for suffix, data in ((".json", sidecar), ("", content)):
            if data is not None:
                aside = self.outbound / f".{name}{suffix}.tmp"
                aside.write_bytes(data)
                aside.rename(self.outbound / f"{name}{suffix}")

    def arrived(self):
        return sorted(path.name for path in self.inbound.iterdir()
                      if path.is_file() and not path.name.startswith("."))

    def waiting(self):
        return sorted(path.name for path in self.outbound.iterdir() if path.is_file())
