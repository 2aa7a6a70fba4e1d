# SPDX-License-Identifier: EUPL-1.2
"""The servers that deploy/bench compares. Each is started here, on a free loopback port, in a folder of
its own, with settings of its own, and ended by its pid; a service of the system is never touched."""
import glob
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import time

START_SECONDS = 60
STOP_SECONDS = 20


class ServerError(Exception):
    pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def package_version(name):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", name],
                          capture_output=True, text=True, check=False)
    return done.stdout.strip() or "?"


def descendants(pid):
    found = []
    for path in glob.glob(f"/proc/{pid}/task/*/children"):
        try:
            children = pathlib.Path(path).read_text(encoding="ascii").split()
        except OSError:
            continue
        for child in children:
            found += [int(child), *descendants(int(child))]
    return found


class Server:
    """Use with `with`. `target` is what peer_<name> gets beside the port."""
    name = ""
    confirm = "on disk"  # what a confirm means
    settings = ""
    limit = False  # the driver is all there is: no server beside it

    def __init__(self, build, folder):
        self.build = pathlib.Path(build)
        self.folder = pathlib.Path(folder)
        self.port = free_port()
        self.target = "-"
        self.processes = []

    def __enter__(self):
        self.folder.mkdir(parents=True)
        try:
            self.start()
            self.await_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def pid(self):
        return self.processes[-1].pid if self.processes else os.getpid()

    def run(self, command, environment=None, **more):
        with open(self.folder / "server.log", "ab") as log:
            self.processes.append(subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.folder, env={**os.environ, **(environment or {})},
                start_new_session=True, **more))

    def ready(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def await_ready(self):
        end = time.monotonic() + START_SECONDS
        while self.processes and not self.ready():
            if self.processes[-1].poll() is not None or time.monotonic() > end:
                log = (self.folder / "server.log").read_text(errors="replace")
                raise ServerError(f"{self.name} did not start:\n{log[-1500:]}")
            time.sleep(0.02)

    def stop(self):
        for process in reversed(self.processes):
            family = descendants(process.pid)
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for pid in family:  # what outlives its parent, and is still the process it was
                if os.path.exists(f"/proc/{pid}") and process.pid == session_of(pid):
                    os.kill(pid, signal.SIGKILL)
        self.processes = []
        shutil.rmtree(self.folder, ignore_errors=True)


def session_of(pid):
    try:
        return os.getsid(pid)
    except OSError:
        return 0


class Relais(Server):
    name = "relais"
    settings = "CURVE on; defaults of `relais init`, no quotas"

    @classmethod
    def version(cls, build):
        done = subprocess.run([f"{build}/broker/relaisd", "--version"],
                              capture_output=True, text=True, check=False)
        return done.stdout.strip() or "?"

    def cli(self, *words):
        environment = {**os.environ, "RELAIS_HOME": str(self.folder / "bus")}
        subprocess.run([str(self.build / "cli/relais"), *words], env=environment, check=True,
                       stdout=subprocess.DEVNULL)

    def start(self):
        self.cli("init", str(self.folder / "bus"), "--listen", f"tcp://127.0.0.1:{self.port}", "-q")
        self.cli("member", "add", "bench", "--kind", "operator", "--name", "Bench",
                 "--service", "box", "--quota", "messages=0", "--quota", "bytes=0", "--quota",
                 "rate=0", "-q")
        self.cli("client", "add", "bench", "load", "--role", "send", "--role", "receive",
                 "--new", str(self.folder / "client"), "-q")
        self.cli("flow", "add", "LOAD", "--title", "Load", "--purpose", "load",
                 "--legal-basis", "none", "--sender", "bench", "--receiver", "bench", "-q")
        self.target = str(self.folder / "client/client.yaml")
        self.run([self.build / "broker/relaisd", "--config", self.folder / "bus/relaisd.yaml"])


class Redis(Server):
    name = "redis"
    settings = "Streams, appendonly yes, appendfsync always, save off; XACK and XDEL a batch; in the clear"

    @classmethod
    def version(cls, _):
        return package_version("redis-server")

    def start(self):
        self.run(["redis-server", "--port", self.port, "--bind", "127.0.0.1", "--dir", self.folder,
                  "--appendonly", "yes", "--appendfsync", "always", "--save", "",
                  "--daemonize", "no"])


class Rabbitmq(Server):
    name = "rabbitmq"
    settings = "quorum queue of one node, publisher confirms, cumulative acks; in the clear"

    @classmethod
    def version(cls, _):
        return package_version("rabbitmq-server")

    def start(self):
        names, distribution = free_port(), free_port()
        (self.folder / "plugins").write_text("[].\n", encoding="ascii")
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\n", encoding="ascii")
        environment = {
            "HOME": str(self.folder), "ERL_EPMD_PORT": str(names), "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": "relaisbench@localhost", "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null", "RABBITMQ_LOGS": "-",
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.folder / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}"}
        self.run(["epmd", "-port", names, "-address", "127.0.0.1"], environment)
        self.run(["/usr/lib/rabbitmq/bin/rabbitmq-server"], environment)


class Postgresql(Server):
    name = "postgresql"
    settings = ("fsync and synchronous_commit on; half a window of INSERTs a transaction, two in flight; "
                "DELETE ... SKIP LOCKED of up to 512; in the clear")

    @classmethod
    def version(cls, _):
        return package_version(f"postgresql-{cls.programs().parent.name}")

    @classmethod
    def programs(cls):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: float(path.split("/")[4]))
        if not found:
            raise ServerError("PostgreSQL is not installed")
        return pathlib.Path(found[-1])

    def start(self):
        more = {}
        if os.geteuid() == 0:  # it refuses to run as root
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            more = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        subprocess.run([self.programs() / "initdb", "-D", self.folder / "data", "-U", "postgres",
                        "-A", "trust", "-N"], cwd=self.folder, stdout=subprocess.DEVNULL, check=True,
                       **more)
        self.run([self.programs() / "postgres", "-D", self.folder / "data", "-p", self.port,
                  "-h", "127.0.0.1", "-k", self.folder, "-c", "fsync=on",
                  "-c", "synchronous_commit=on"], **more)

    def ready(self):
        return subprocess.run([self.programs() / "pg_isready", "-q", "-h", "127.0.0.1",
                               "-p", str(self.port)], check=False).returncode == 0


class Nats(Server):
    name = "nats"
    confirm = "not synced"
    settings = ("JetStream, file storage, work queue, explicit acks; this version answers before any "
                "sync and has no setting against it; in the clear")

    @classmethod
    def version(cls, _):
        return package_version("nats-server")

    def start(self):
        (self.folder / "nats.conf").write_text(
            f'listen: "127.0.0.1:{self.port}"\njetstream {{ store_dir: "{self.folder}/data" }}\n',
            encoding="utf-8")
        self.run(["/usr/sbin/nats-server", "-c", self.folder / "nats.conf"])


class Lmdb(Server):
    name = "lmdb"
    limit = True
    settings = ("limit: put and delete in one transaction of half of all windows, with one outstanding of "
                "one message a producer; one thread, no wire")

    @classmethod
    def version(cls, _):
        return package_version("liblmdb0")

    def start(self):
        self.target = str(self.folder)


class Zmq(Server):
    name = "zmq"
    limit = True
    confirm = "in memory"
    settings = ("limit: ROUTER between two DEALERs, CURVE, one frame a message; nothing is stored or "
                "acknowledged")

    @classmethod
    def version(cls, _):
        return package_version("libzmq5")

    def start(self):
        pass


SERVERS = [Relais, Redis, Rabbitmq, Postgresql, Nats, Lmdb, Zmq]
