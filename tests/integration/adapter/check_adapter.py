#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""What every adapter gets from the SDK, with a real broker: check_adapter.py BUILD TEST. Exits 77
when a test cannot run here, saying why."""
import os
import random
import shutil
import signal
import subprocess
import sys
import time

from lines import COMMUNE, Failure, Lines, wait_until

SKIPPED = 77


class Skip(Exception):
    pass


def expect(truth, what):
    if not truth:
        raise Failure(what)


def run(bus, member, *arguments):
    return subprocess.run([str(part) for part in bus.command(member, *arguments)], text=True,
                          capture_output=True, timeout=60, check=False)


def healthy(bus, member):
    return run(bus, member, "--health").returncode == 0


def passes(bus):
    """Lines arrive once and in order; health, status and metrics tell; TERM stops with 0."""
    bus.write(0, 100)
    bus.start_all()
    bus.expect_all(100)
    bus.write(100, 400)
    bus.expect_all(500)
    wait_until("health", lambda: healthy(bus, "dila") and healthy(bus, COMMUNE))
    metrics = bus.root / COMMUNE / "state" / "metrics.prom"
    wait_until("the metrics say so",
               lambda: 'relais_adapter_done_total{adapter="relais-lines"} 500' in metrics.read_text())
    expect("line 3" not in metrics.read_text() + bus.log("dila") + bus.log(COMMUNE),
           "content is in a log or a metric")
    judge = shutil.which("promtool")
    if judge:
        said = subprocess.run([judge, "check", "metrics"], input=metrics.read_text(), text=True,
                              capture_output=True, check=False)
        expect(said.returncode == 0, said.stdout + said.stderr)
    for name in ("dila", COMMUNE, "relaisd"):
        expect(bus.stop(name) == 0, f"{name} does not exit 0 on SIGTERM")
    expect(not list((bus.root / "dila" / "state").glob("*.tmp")), "something is left over")
    listed = run(bus, "dila", "--aside").stdout
    expect(listed.startswith("waiting: 0,"), f"the outbox is not empty: {listed}")


def away(bus):
    """The broker is away: what is handed over stays, over restarts, and leaves in order."""
    bus.write(0, 300)
    bus.start_sender()
    time.sleep(2)
    expect(not healthy(bus, "dila"), "healthy without a broker")
    bus.kill("dila")
    bus.write(300, 300)
    bus.start_sender()
    time.sleep(2)
    expect(bus.stop("dila") == 0, "does not stop without a broker")
    listed = run(bus, "dila", "--aside")
    expect("600" in listed.stdout, f"600 lines wait: {listed.stdout} {listed.stderr}")
    os.unlink(bus.out)  # the outbox does not need the source any more
    bus.out.write_text("")
    bus.start_all()
    bus.expect_all(600)


def killed(bus):
    """Sender, broker and again sender killed at random: nothing lost, nothing twice, in order."""
    chance = random.Random(int(os.environ.get("RELAIS_SEED", "7")))
    starts = {"dila": bus.start_sender, "relaisd": bus.start_broker}
    count = 0
    bus.start_all()
    for _ in range(30):
        more = chance.randrange(20, 120)
        bus.write(count, more)
        count += more
        time.sleep(chance.uniform(0.05, 0.6))
        name = chance.choice(("dila", "dila", "relaisd"))
        bus.kill(name)
        starts[name]()
    bus.expect_all(count, 90)
    time.sleep(1.5)
    bus.expect_all(count)


def aside(bus):
    """What the bus refuses is set aside with its reason, does not stop the rest, and goes again."""
    bus.configure("dila", flow="NONE")
    bus.write(0, 3)
    bus.start_all()
    wait_until("set aside", lambda: bus.log("dila").count("message.set-aside") == 3)
    second = run(bus, "dila", "--aside")
    expect(second.returncode == 1 and "another adapter" in second.stderr, second.stderr)
    expect(bus.stop("dila") == 0, "does not stop")
    bus.configure("dila")
    bus.write(3, 2)
    bus.start_sender()
    wait_until("the rest goes on", lambda: len(bus.arrived()) == 2)
    bus.stop("dila")
    listed = run(bus, "dila", "--aside")
    lines = listed.stdout.splitlines()
    expect(len(lines) == 4 and "NONE" in lines[0] and "\t" in lines[0], listed.stdout)
    expect(run(bus, "dila", "--drop", "77").returncode == 2, "an unknown number is not refused")
    number = lines[2].split("\t")[0]
    expect(run(bus, "dila", "--drop", number).returncode == 0, "drop")
    bus.relais("flow", "add", "NONE", "--title", "t", "--purpose", "p", "--legal-basis", "none",
               "--sender", "dila", "--receiver", "kind:commune")
    bus.kill("relaisd")
    bus.start_broker()
    bus.wait_for_broker()
    expect(run(bus, "dila", "--again", "all").returncode == 0, "again")
    bus.start_sender()
    wait_until("they arrive", lambda: bus.arrived() == [3, 4, 0, 1])


def reloaded(bus):
    """HUP reads the configuration again; a wrong one changes nothing."""
    bus.start_all()
    bus.write(0, 10)
    bus.expect_all(10)
    bus.configure(COMMUNE, f"mailboxes: [{COMMUNE}/etat-civil]\ncredit: 99999")
    bus.processes[COMMUNE].send_signal(signal.SIGHUP)
    wait_until("refused", lambda: "adapter.not-reloaded" in bus.log(COMMUNE))
    bus.write(10, 10)
    bus.expect_all(20)
    bus.came.rename(bus.came.with_name("other.txt"))
    bus.configure(COMMUNE, f"mailboxes: [{COMMUNE}/etat-civil]\ncredit: 5")
    text = bus.config(COMMUNE).read_text().replace("write: in.txt", "write: other.txt")
    bus.config(COMMUNE).write_text(text)
    bus.processes[COMMUNE].send_signal(signal.SIGHUP)
    wait_until("reloaded", lambda: bus.log(COMMUNE).count("event=adapter.ready") == 2)
    bus.came = bus.came.with_name("other.txt")
    bus.write(20, 10)
    bus.expect_all(30)
    expect(bus.alive(COMMUNE), "the process is another")


def unwritable(bus):
    """The software is away: nothing is lost, no attempt is used up, and it goes on by itself."""
    bus.came.mkdir()
    bus.start_all()
    bus.write(0, 50)
    wait_until("unavailable", lambda: "software.unavailable" in bus.log(COMMUNE))
    time.sleep(6)
    bus.came.rmdir()
    bus.expect_all(50)
    expect("attempts" not in bus.log("relaisd").lower(), "attempts were used up")
    dead = bus.relais("dead", "list", "-o", "json", check=False)
    expect(f"{COMMUNE}/etat-civil" not in dead.stdout or '"id"' not in dead.stdout, dead.stdout)


def full(bus):
    """A bounded outbox: the adapter waits, and takes up again where it was."""
    bus.configure("dila", "outbox: {messages: 20}")
    bus.write(0, 200)
    bus.start_sender()
    time.sleep(2.5)
    bus.kill("dila")
    listed = run(bus, "dila", "--aside")
    expect("20" in listed.stdout.splitlines()[-1], listed.stdout + listed.stderr)
    bus.start_all()
    bus.expect_all(200, 60)


def configuration(bus):
    """The command line: check, help, version, and what is wrong with a configuration."""
    expect(run(bus, "dila", "--check").returncode == 0, "a right configuration is refused")
    expect("relais-lines 0.1" in run(bus, "dila", "--version").stdout, "version")
    expect("--health" in run(bus, "dila", "--help").stdout, "help")
    expect(run(bus, "dila", "--nonsense").returncode == 2, "an unknown option")
    bus.configure("dila", "colour: red")
    said = run(bus, "dila", "--check")
    expect(said.returncode == 2 and "colour" in said.stderr and ":7" in said.stderr, said.stderr)
    bus.configure("dila")
    said = run(bus, "dila", "--health")
    expect(said.returncode == 1 and "status.json" in said.stderr, said.stderr)
    (bus.root / "dila" / "client.yaml").unlink()
    said = run(bus, "dila")
    expect(said.returncode == 2 and "client.yaml" in said.stderr, said.stderr)


TESTS = {test.__name__: test for test in (passes, away, killed, aside, reloaded, unwritable, full,
                                          configuration)}


def main():
    build, name = sys.argv[1:]
    try:
        with Lines(build) as bus:
            TESTS[name](bus)
    except Skip as reason:
        print(f"skipped: {reason}")
        return SKIPPED
    except Failure as failure:
        print(f"FAILED: {failure}")
        return 1
    return 0


sys.exit(main())
