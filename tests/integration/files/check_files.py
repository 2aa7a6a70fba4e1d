#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""The file adapter with a real broker: check_files.py BUILD TEST. Exits 77 when a test cannot run here,
saying why."""
import json
import os
import pathlib
import subprocess
import sys
import time

from bus import Bus, Failure, wait_until
from killing import Round

SKIPPED = 77
TO = {"to": ["commune-76540/etat-civil"], "flow": "RCO"}


class Skip(Exception):
    pass


def expect(truth, what):
    if not truth:
        raise Failure(what)


def arrive(bus, names, seconds=30):
    wait_until(f"{names} in the inbox, there is {bus.arrived()}",
               lambda: bus.arrived() == sorted(names), seconds)


def passes(bus, build):
    """Files arrive byte for byte with name, mtime and side-car; answers put them away."""
    bus.start_all()
    big = os.urandom(1024 * 1024)
    bus.drop("RCO-1.xml", b"<one/>")
    bus.drop("été n° 1.bin", big, json.dumps({**TO, "subject": "S"}).encode())
    bus.drop("data.json", b'{"a": 1}', json.dumps(TO).encode())
    bus.drop("empty.txt", b"", json.dumps(TO).encode())
    os.utime(bus.outbound / "empty.txt", (1_000_000_000, 1_000_000_000))
    arrive(bus, ["RCO-1.xml", "été n° 1.bin", "data.json", "empty.txt"])
    expect((bus.inbound / "RCO-1.xml").read_bytes() == b"<one/>", "content differs")
    expect((bus.inbound / "été n° 1.bin").read_bytes() == big, "content differs")
    wait_until("outbound is empty", lambda: bus.waiting() == [])
    expect((bus.sent / "data.json.json").exists(), "the side-car did not go along")
    sent_time = (bus.sent / "RCO-1.xml").stat().st_mtime
    expect(abs((bus.inbound / "RCO-1.xml").stat().st_mtime - sent_time) < 0.002, "mtime differs")
    # the same file dropped again on purpose is another message
    bus.drop("RCO-1.xml", b"<one/>")
    arrive(bus, ["RCO-1.xml", "RCO-1-1.xml", "été n° 1.bin", "data.json", "empty.txt"])
    wait_until("the second one is put away", lambda: (bus.sent / "RCO-1-1.xml").exists())
    expect("été" not in bus.log("dila") + bus.log("commune-76540"), "a file name is in a log")
    for name in ("dila", "commune-76540", "relaisd"):
        expect(bus.stop(name) == 0, f"{name} does not exit 0 on SIGTERM")


def seal_with_keys(bus):
    """Both profiles get keys; the regulator signs who they are."""
    bus.relais("key", "new", str(bus.root / "regulator.key"), "--signing", "relais-france")
    (bus.home / "entries").mkdir()
    for member in ("dila", "commune-76540"):
        key = bus.root / f"{member}.key"
        about = bus.home / "members" / f"{member}.yaml"
        bus.relais("key", "new", str(key), "--signing", member)
        public = pathlib.Path(f"{key}.pub").read_text().strip()
        about.write_text(f"{about.read_text()}signing_keys: ['{public}']\n")
        entries = bus.home / "entries"
        bus.relais("directory", "sign", str(about), "--key", str(bus.root / "regulator.key"), "--to",
                   str(entries / f"{member}.entry"))
        bus.relais("key", "mailboxes", str(entries / f"{member}.mailboxes"), "--identity", str(key), "--folder",
                   str(bus.root / f"{member}-keys"))
        profile = bus.root / member / "client.yaml"
        profile.write_text(f"{profile.read_text()}regulator: ../regulator.key.pub\nmemory: seen\n"
                           f"identity: ../{member}.key\nmailbox_keys: ../{member}-keys\n")


def sealed(bus, build):
    """With keys in the profiles files pass sealed: the adapters do nothing for it, the store has nothing of them."""
    seal_with_keys(bus)
    text = b"ceci reste entre nous " * 1000
    bus.start_all()
    bus.drop("RCO-1.xml", text)
    bus.drop("RCO-2.xml", b"")
    arrive(bus, ["RCO-1.xml", "RCO-2.xml"])
    expect((bus.inbound / "RCO-1.xml").read_bytes() == text, "content differs")
    for path in (bus.home / "store").rglob("*"):
        expect(not path.is_file() or text[:22] not in path.read_bytes(), f"the text is in {path}")
    wait_until("outbound is empty", lambda: bus.waiting() == [])
    # What cannot be sealed does not leave: it is put aside with the reason.
    bus.drop("RCO-large.bin", os.urandom(2 << 20))
    wait_until("the large one is put aside", lambda: (bus.failed / "RCO-large.bin").exists())
    for name in ("dila", "commune-76540", "relaisd"):
        expect(bus.stop(name) == 0, f"{name} does not exit 0 on SIGTERM")


def refused(bus, build):
    """What the bus does not take goes to failed/ with the reason in both languages."""
    bus.start_all()
    bus.drop("nobody.xml", b"x")
    bus.drop("flow.xml", b"x", json.dumps({**TO, "flow": "NONE"}).encode())
    bus.drop("member.xml", b"x", json.dumps({**TO, "to": "nobody/x"}).encode())
    bus.drop("late.xml", b"x", json.dumps({**TO, "expires_at": "2001-01-01T00:00:00Z"}).encode())
    bus.drop("typo.xml", b"x", b'{"too": "commune-76540/etat-civil"}')
    expected = {"nobody.xml": ("RELAIS_FIELD_MISSING", "to"),
                "flow.xml": ("RELAIS_UNKNOWN_FLOW", "flow"),
                "member.xml": ("RELAIS_UNKNOWN_MEMBER", "to[0]"),
                "late.xml": ("RELAIS_EXPIRED", "expires_at_ms"),
                "typo.xml": ("RELAIS_FIELD_INVALID", "side-car: too")}
    for name, (status, field) in expected.items():
        reason = bus.failed / f"{name}.error.json"
        wait_until(f"{name} failed", lambda path=reason: path.exists())
        said = json.loads(reason.read_text())
        expect(said["status"] == status, f"{name}: {said}")
        expect(said["field"] == field, f"{name}: {said}")
        expect(said["text"]["fr"] and said["text"]["en"], f"{name}: {said}")
        wait_until(f"{name} moved", lambda path=bus.failed / name: path.exists())
    expect(bus.waiting() == [] and bus.arrived() == [], "something is left or has arrived")


def completion(bus, build):
    """ready and settle: nothing is taken before it is complete."""
    bus.configure_sender("ready")
    bus.start_all()
    (bus.outbound / "RCO-1.xml").write_bytes(b"half")
    time.sleep(2.5)  # two scans
    expect(bus.arrived() == [], "taken without its marker")
    (bus.outbound / "RCO-1.xml").write_bytes(b"whole")
    (bus.outbound / "RCO-1.xml.ready").touch()
    arrive(bus, ["RCO-1.xml"])
    expect((bus.inbound / "RCO-1.xml").read_bytes() == b"whole", "content differs")
    wait_until("marker removed", lambda: bus.waiting() == [])
    bus.stop("dila")
    bus.configure_sender("settle", "  settle_ms: 700\n")
    bus.start_sender()
    with open(bus.outbound / "RCO-2.xml", "wb") as slow:
        for _ in range(12):
            slow.write(b"part ")
            slow.flush()
            time.sleep(0.2)
            expect(len(bus.arrived()) == 1, "taken while it was being written")
    arrive(bus, ["RCO-1.xml", "RCO-2.xml"])
    expect((bus.inbound / "RCO-2.xml").read_bytes() == b"part " * 12, "content differs")


def hostile(bus, build):
    """Names from the wire cannot leave the inbox, and links in it are not followed."""
    victim = bus.root / "victim"
    victim.write_text("safe")
    (bus.inbound / "link.xml").symlink_to(victim)
    (bus.inbound / "dangling").symlink_to(bus.root / "made-by-link")
    bus.start_all()
    names = ["../../victim", "/etc/relais-victim", "..", ".", ".profile", "link.xml", "dangling",
             "a/../../victim", "x\ny\x1b[2J", "CON", "-rf", ".relais-tmp/x", "w" * 255 + ".pdf"]
    subprocess.run([build / "tests/integration/files/relais_test_send_as",
                    bus.root / "dila" / "client.yaml", TO["to"][0], "RCO", *names],
                   check=True, timeout=60)
    wait_until("all are there", lambda: len(bus.arrived()) == len(names) + 1)  # + link.xml itself
    expect(victim.read_text() == "safe", "a file outside was written")
    expect(not (bus.root / "made-by-link").exists(), "a link was followed")
    expect(not pathlib.Path("/etc/relais-victim").exists(), "a file outside was written")
    expect((bus.inbound / "link-1.xml").read_text() == "link.xml", "link.xml")
    expect((bus.inbound / "dangling-1").read_text() == "dangling", "dangling")
    contents = sorted(path.read_text() for path in bus.inbound.iterdir()
                      if path.is_file() and not path.is_symlink())
    expect(contents == sorted(names), f"contents differ: {contents}")
    for name in bus.arrived():
        expect(name[0] not in ".-" and name.isprintable() and len(name.encode()) <= 200, name)


def sparse(bus, build):
    """A file of 5 GB is refused at once, without being read."""
    bus.start_all()
    with open(bus.outbound / ".big", "wb") as big:
        big.truncate(5 * 1024**3)
    begin = time.monotonic()
    (bus.outbound / ".big").rename(bus.outbound / "RCO-big.bin")
    reason = bus.failed / "RCO-big.bin.error.json"
    wait_until("refused", reason.exists, 5)
    expect(time.monotonic() - begin < 3, "it took as long as reading it")
    said = json.loads(reason.read_text())
    expect(said["status"] == "RELAIS_TOO_LARGE" and said["wrong"] == str(5 * 1024**3), f"{said}")
    expect(int(said["right"]) > 0, f"{said}")
    peak = [line for line in pathlib.Path(f"/proc/{bus.processes['dila'].pid}/status").read_text()
            .splitlines() if line.startswith("VmRSS")][0]
    expect(int(peak.split()[1]) < 300_000, peak)
    bus.drop("RCO-small.bin", b"x")
    arrive(bus, ["RCO-small.bin"])


def without_privilege():
    """Root that must obey modes like anybody else: works wherever the build folder lies."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


def large(bus, build):
    """What does not travel whole goes in chunks, beside small files; adapters that are killed and stopped in
    the middle go on."""
    bus.start_all()
    contents = {f"RCO-{i}.bin": os.urandom(24 * 1024 * 1024 + i) for i in range(3)}
    for name, content in contents.items():
        bus.drop(name, content)
    bus.drop("RCO-small.bin", b"x")
    for _ in range(4):
        time.sleep(0.2)
        bus.kill("dila")
        bus.start_sender()
        time.sleep(0.2)
        bus.kill("commune-76540")
        bus.start_receiver()
    expect(bus.stop("dila") == 0, "the sender does not stop in the middle")
    bus.start_sender()
    arrive(bus, [*contents, "RCO-small.bin"], 100)
    for name, content in contents.items():
        expect((bus.inbound / name).read_bytes() == content, f"{name} differs")
    wait_until("outbound is empty", lambda: bus.waiting() == [])
    parts = [path.name for path in (bus.inbound / ".relais-tmp").iterdir()]
    expect(not parts, f"left behind: {parts}")


def unwritable(bus, build):
    """A folder without write permission: a clear error at the start; later one warning, nothing lost,
    and it goes on by itself."""
    wrapper = without_privilege()
    bus.start_broker()
    bus.wait_for_broker()
    bus.start_sender()
    bus.inbound.chmod(0o555)
    bus.start_receiver(wrapper)
    wait_until("it ends", lambda: not bus.alive("commune-76540"))
    expect(bus.processes.pop("commune-76540").returncode == 1, "exit code")
    expect("inbound" in bus.log("commune-76540"), "the folder is not named")
    bus.inbound.chmod(0o755)
    bus.start_receiver(wrapper)
    bus.drop("RCO-1.xml", b"one")
    arrive(bus, ["RCO-1.xml"])
    bus.inbound.chmod(0o555)
    bus.drop("RCO-2.xml", b"two")
    bus.drop("RCO-3.xml", b"three")
    wait_until("a warning", lambda: "inbound.blocked" in bus.log("commune-76540"))
    time.sleep(6)
    expect(bus.log("commune-76540").count("inbound.blocked") == 1, "warned more than once")
    expect(bus.alive("commune-76540"), "it gave up")
    bus.inbound.chmod(0o755)
    arrive(bus, ["RCO-1.xml", "RCO-2.xml", "RCO-3.xml"], 40)


def full(bus, build):
    """A full disk: nothing is lost, nothing half-written is seen, and it goes on when there is room."""
    if os.geteuid() != 0 or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", bus.inbound],
            capture_output=True, check=False).returncode != 0:
        raise Skip("needs the right to mount a tmpfs")
    try:
        bus.start_broker()
        bus.wait_for_broker()
        bus.start_sender()
        contents = {f"RCO-{i}.bin": os.urandom(200_000) for i in range(12)}
        for name, content in contents.items():
            bus.drop(name, content)
        wait_until("all wait in the mailbox",
                   lambda: bus.waiting_in("commune-76540/etat-civil") == len(contents))
        bus.start_receiver()
        wait_until("a warning", lambda: "inbound.blocked" in bus.log("commune-76540"))
        got = {}

        def software_takes():
            for name in bus.arrived():
                expect(name not in got, f"{name} came twice")
                got[name] = (bus.inbound / name).read_bytes()
                (bus.inbound / name).unlink()
            return len(got) == len(contents)

        wait_until("all came through", software_takes, 90)
        expect(got == contents, "contents differ")
        bus.kill("commune-76540")
    finally:
        subprocess.run(["umount", "-l", bus.inbound], check=False)


def killed(bus, build):
    """kill -9 of broker and adapters: every file arrives once, byte for byte."""
    seed = int(os.environ.get("RELAIS_SEED", time.time_ns() % 2**32))
    print(f"RELAIS_SEED={seed}", flush=True)
    result = Round(bus, 300, seed, (0.02, 0.2), take=seed % 2 == 0).run(settle_seconds=60)
    print(result)
    expect(result.kills >= 3, "hardly killed")
    expect(result.clean(), f"{result}")


def traced(bus, build):
    """A kill at each system call with which the inbound side changes the disk, by strace."""
    if subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True,
                      check=False).returncode != 0:
        raise Skip("strace does not run here (ptrace is not allowed)")
    calls = ("openat", "write", "pwrite64", "fsync", "fdatasync", "renameat2", "unlinkat",
             "utimensat", "mkdirat")
    bus.start_broker()
    bus.wait_for_broker()
    bus.start_sender()
    expected, number, kills = {}, 0, 0
    environment = ["env", "ASAN_OPTIONS=detect_leaks=0"]
    for call in calls:
        for when in range(1, 60):
            for _ in range(3):
                number += 1
                expected[f"RCO-{number}.xml"] = f"content {number}".encode()
                bus.drop(f"RCO-{number}.xml", expected[f"RCO-{number}.xml"])
            bus.start_receiver([*environment, "strace", "-f", "-qq", "-o", "/dev/null",
                                "-P", bus.inbound, "-P", bus.inbound / ".relais-tmp",
                                "-P", bus.inbound / ".relais-state",
                                "-P", bus.inbound / ".relais-state" / "ledger",
                                "-e", f"trace={call}",
                                "-e", f"inject={call}:signal=KILL:when={when}"])
            wait_until("killed or through", lambda: not bus.alive("commune-76540") or
                       bus.arrived() == sorted(expected))
            through = bus.alive("commune-76540")
            bus.kill("commune-76540")
            kills += not through
            if through:
                break
    bus.start_receiver()
    arrive(bus, expected)
    time.sleep(1)
    arrive(bus, expected)
    for name, content in expected.items():
        expect((bus.inbound / name).read_bytes() == content, f"{name} differs")
    print(f"{kills} kills, {number} files")
    expect(kills >= 10, "hardly killed: the injection does not work")


def many(bus, build):
    """Tens of thousands of files in the folder: sending them stays quick."""
    count = 8000
    for i in range(count):
        (bus.outbound / f"RCO-{i:05d}.xml").write_bytes(b"%d" % i)
    begin = time.monotonic()
    bus.start_all()
    wait_until("all arrived", lambda: len(os.listdir(bus.inbound)) >= count + 2, 90, 0.5)
    print(f"{count} files in {time.monotonic() - begin:.1f} s")


def configuration(bus, build):
    """--check and the start name what is wrong, and exit 2."""
    adapter = build / "adapters/files/relais-files"

    def run(*arguments):
        return subprocess.run([adapter, *arguments], capture_output=True, text=True, timeout=30,
                              check=False)

    config = bus.root / "dila" / "files.yaml"
    expect(run("--config", config, "--check").returncode == 0, "a good one is refused")
    expect(run("--version").stdout.startswith("relais-files "), "--version")
    expect("Usage" in run("--help").stdout, "--help")
    expect(run().returncode == 2, "no --config")
    expect(run("--config", bus.root / "none.yaml").returncode == 2, "a missing file")
    config.write_text(config.read_text().replace("folder: outbound", "folder: nowhere"))
    for arguments in ((), ("--check",)):
        start = run("--config", config, *arguments)
        expect(start.returncode == 2 and "nowhere" in start.stderr, start.stderr)
    config.write_text(config.read_text().replace("completion: rename", "completion: soon"))
    check = run("--config", config, "--check")
    expect(check.returncode == 2 and "completion" in check.stderr, check.stderr)
    config.write_text("profile: nowhere.yaml\ninbound: {address: a/b, folder: .}\n")
    check = run("--config", config, "--check")
    expect(check.returncode == 2 and "nowhere.yaml" in check.stderr, check.stderr)


TESTS = {test.__name__: test for test in (
    passes, refused, sealed, completion, hostile, sparse, large, unwritable, full, killed, traced, many,
    configuration)}


def main():
    build, test = pathlib.Path(sys.argv[1]).resolve(), TESTS[sys.argv[2]]
    try:
        with Bus(build) as bus:
            test(bus, build)
    except Skip as reason:
        print(f"skipped: {reason}")
        return SKIPPED
    except Failure as failure:
        print(f"FAILED: {failure}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
