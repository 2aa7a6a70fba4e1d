#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Commands between the bus and what they serve, with a real broker: check_exec.py BUILD TEST. Exits 77
when a test cannot run here, saying why."""
import base64
import json
import os
import random
import sys
import time

from commands import ADDRESS, COMMUNE, KEEP, Commands, Failure, alive, expect, wait_until


def passes(bus):
    """The command gets arguments, metadata on its input and in variables, the payload as a file."""
    bus.receive("""
cp "$RELAIS_METADATA" "$RELAIS_FOLDER/metadata"
cmp -s "$RELAIS_METADATA" - || exit 1
printf '%s|' "$#" "$1" "$2" "$RELAIS_ID" "$RELAIS_SUBJECT" "$RELAIS_FLOW" "$RELAIS_MAILBOX" \\
    "$RELAIS_EXT_DOSSIER" "$RELAIS_EXT_PIECES" "$RELAIS_ATTEMPT" "$PWD" >"$RELAIS_FOLDER/said"
env | cut -d= -f1 | sort >"$RELAIS_FOLDER/names"
""" + KEEP)
    os.environ["SECRET_OF_THE_ADAPTER"] = "x"
    bus.put("one", id="id-1", subject="Été", payload=b"a\0b", media_type="text/plain",
            extensions={"dossier": "D1", "pieces": 3, "urgent": True}, expires_in_s=600)
    bus.start_all()
    wait_until("stored", lambda: "id-1" in bus.stored())
    expect(bus.stored()["id-1"].read_bytes() == b"a\0b", "the payload is another")
    home = bus.home_of[COMMUNE]
    said = (home / "said").read_text()
    expect(said == f"2|first|second  one|id-1|Été|RCO|{ADDRESS}|D1|3|1|{home}|", said)
    metadata = json.loads((home / "metadata").read_text())
    expect(metadata["subject"] == "Été" and metadata["to"] == [ADDRESS] and
           metadata["extensions"]["urgent"] is True and metadata["payload_bytes"] == 3, metadata)
    names = (home / "names").read_text().split()
    expect("SECRET_OF_THE_ADAPTER" not in names and "PATH" in names, names)
    wait_until("its folder is removed", lambda: bus.jobs() == [])
    wait_until("acknowledged", lambda: bus.waiting_in(ADDRESS) == 0)
    wait_until("the spool is empty", lambda: list(bus.spool.glob("*.*")) == [])
    expect("Été" not in bus.log(COMMUNE) + bus.log("dila"), "a subject is in a log")
    for name in ("dila", COMMUNE, "relaisd"):
        expect(bus.stop(name) == 0, f"{name} does not exit 0 on SIGTERM")


def exits(bus):
    """What exit codes mean."""
    bus.receive("""
case "$RELAIS_SUBJECT" in
refuse) printf 'no such \\033[1mperson\\377\\n' >&2; exit 65 ;;
quiet) exit 65 ;;
away) test -e "$RELAIS_FOLDER/back" || exit 75 ;;
again) test "$RELAIS_ATTEMPT" -gt 1 || exit 3 ;;
esac
""" + KEEP)
    bus.start_all()
    for subject in ("refuse", "quiet", "again", "fine"):
        bus.put(subject, id=subject, subject=subject, text="x")
    wait_until("fine", lambda: "fine" in bus.stored())
    wait_until("two refused", lambda: len(bus.dead()) == 2)
    said = "".join(bus.relais("dead", "list").stdout)
    expect("no such [1mperson?" in json.dumps(bus.dead(), ensure_ascii=False), f"{bus.dead()} {said}")
    expect("exit code 65" in json.dumps(bus.dead()), bus.dead())
    expect("person" not in bus.log(COMMUNE), "what a command says is in the log")
    wait_until("again", lambda: "again" in bus.stored())
    bus.put("away", id="away", subject="away", text="x")
    wait_until("unavailable", lambda: "software.unavailable" in bus.log(COMMUNE))
    for number in range(5):
        bus.put(f"later-{number}", id=f"later-{number}", text="x")
    (bus.home_of[COMMUNE] / "back").touch()
    wait_until("all", lambda: len(bus.stored()) == 8, 40)
    expect(bus.lines("again") == [], "something was done twice")
    expect(len(bus.dead()) == 2, bus.dead())


def timeout(bus):
    """A command that takes too long is ended with everything that it started."""
    first, second = 2 * 10**7 + os.getpid(), 3 * 10**7 + os.getpid()
    bus.receive(f"""
test "$RELAIS_ATTEMPT" -gt 1 || {{
    trap '' TERM
    sleep {first} & sleep {second}
}}
""" + KEEP, "  timeout_s: 1\n")
    bus.start_all()
    bus.put("slow", id="slow", text="x")
    wait_until("it hangs", lambda: alive(f"sleep\000{first}") != [])
    wait_until("all of it is killed",
               lambda: alive(f"sleep\000{first}") + alive(f"sleep\000{second}") == [], 15)
    wait_until("the second try", lambda: "slow" in bus.stored())
    wait_until("folders are removed", lambda: bus.jobs() == [])
    expect("outcome=timeout" in bus.log(COMMUNE), "the log does not say so")


def concurrency(bus):
    """As many at a time as it says, and no more."""
    bus.receive("""
mkdir "$RELAIS_FOLDER/now/$RELAIS_ID"
ls "$RELAIS_FOLDER/now" | wc -l >>"$RELAIS_FOLDER/counts"
sleep 0.5
rmdir "$RELAIS_FOLDER/now/$RELAIS_ID"
""" + KEEP, "  concurrency: 4\n")
    (bus.home_of[COMMUNE] / "now").mkdir()
    bus.start_all()
    for number in range(16):
        bus.put(f"m{number:02}", id=f"m{number:02}", text="x")
    wait_until("all", lambda: len(bus.stored()) == 16)
    most = max(int(count) for count in bus.lines("counts"))
    expect(most == 4, f"{most} at a time")


def memory(bus):
    """A command that takes too much memory fails, and the rest goes on."""
    python = sys.executable
    bus.receive(f"""
test "$RELAIS_SUBJECT" != greedy || exec {python} -c "len(bytearray(400000000))"
""" + KEEP, "  memory_mb: 300\n")
    bus.start_all()
    bus.put("a", id="greedy", subject="greedy", text="x")
    bus.put("b", id="modest", text="x")
    wait_until("modest", lambda: "modest" in bus.stored())
    wait_until("greedy has failed", lambda: "code=1" in bus.log(COMMUNE))
    expect("greedy" not in bus.stored(), "there was no limit")


def hostile(bus):
    """Names, texts, outputs and leftovers that nobody should have to expect."""
    lasting = 10**7 + os.getpid()
    bus.receive("""
cd "$RELAIS_TEMP"
mkdir -p a/b/c; touch ' -rf *' a/b/c/x; ln -s / root; mkfifo pipe; mkdir shut; chmod 0 shut
printf '%s' "$RELAIS_SUBJECT" >subject; cp subject "$RELAIS_FOLDER/subject-$RELAIS_EXT_N"
printf '%s' "$LD_PRELOAD$BASH_ENV$ENV$IFS" >"$RELAIS_FOLDER/environment"
test "$RELAIS_EXT_N" != 0 || { yes | head -c 50000000; yes | head -c 50000000 >&2; } || exit 9
(sleep LASTING &)
""".replace("LASTING", str(lasting)) + KEEP)
    subjects = ["$(touch owned); `touch owned`", "a\nRELAIS_ID=evil\n", "'\"\\ -rf /", "é" * 300,
                "%s%n%x", "\u202e\u0007"]
    bus.start_all()
    for number, subject in enumerate(subjects):
        bus.put(f"s{number}", id=f"s{number}", subject=subject, text="x",
                extensions={"n": number, "ld": "x", "filename": "../../etc/passwd"})
    wait_until("all", lambda: len(bus.stored()) == len(subjects))
    home = bus.home_of[COMMUNE]
    for number, subject in enumerate(subjects):
        said = (home / f"subject-{number}").read_text()
        expect(said == subject, f"{said!r} for {subject!r}")
    expect(not list(bus.root.rglob("owned")), "a subject was run")
    wait_until("nothing is left", lambda: bus.jobs() == [] and alive(f"sleep\000{lasting}") == [])
    expect(bus.alive(COMMUNE), "the adapter is gone")


def large(bus):
    """A payload that does not travel whole is a file like any other."""
    bus.start_all()
    content = os.urandom(5_000_000)
    bus.put("big", id="big", payload=content)
    bus.put("small", id="small", text="x")
    wait_until("both", lambda: len(bus.stored()) == 2, 60)
    expect(bus.stored()["big"].read_bytes() == content, "it is another")


SOURCE = """
cd "$RELAIS_FOLDER"
touch sent
number=$(wc -l <sent)
while :; do
    test "$number" -lt "$(cat limit)" || { sleep 0.1; continue; }
    echo "{\\"id\\": \\"n-$number\\", \\"text\\": \\"$number\\"}"
    while read -r word; do
        case "$word" in
        *'"state":"kept"'*) echo "$number" >>sent; break ;;
        esac
    done || exit 1
    number=$((number + 1))
done
"""


def send_by_command(bus, text, extra=""):
    bus.script("dila", "say", text)
    bus.configure("dila", f"outbound:\n  command: [./say]\n  to: [{ADDRESS}]\n  flow: RCO\n{extra}")


def outbound(bus):
    """A command that runs all the time and waits for the word that its line is kept: killed at any
    moment, with the adapter and the broker, it loses and doubles nothing."""
    chance = random.Random(5)
    limit = bus.home_of["dila"] / "limit"
    limit.write_text("150\n")
    send_by_command(bus, SOURCE, "  confirm: true\n")
    bus.start_all()
    for _ in range(12):
        time.sleep(chance.uniform(0.1, 0.8))
        name = chance.choice(("dila", "dila", "relaisd"))
        bus.kill(name)
        {"dila": bus.start_sender, "relaisd": bus.start_broker}[name]()
    wait_until("all", lambda: len(bus.stored()) >= 150, 60)
    expect(sorted(bus.stored()) == sorted(f"n-{number}" for number in range(150)), "others came")
    expect(bus.lines("again") == [], "something was done twice")
    wait_until("it is there again", lambda: bus.run("dila", "--health").returncode == 0)
    code = bus.stop("dila")
    expect(code == 0, f"does not stop: {code}")


def lines(bus):
    """Lines of every kind: what is wrong is told and passed over, the rest goes."""
    (bus.home_of["dila"] / "beside.bin").write_bytes(b"beside")
    (bus.home_of["dila"] / "link.bin").symlink_to("beside.bin")
    encoded = base64.b64encode(b"\0\1\2").decode()
    said = [
        '{"id": "good-1", "text": "a"}', "", "   ", "nonsense", "[1]", '{"too": "x"}',
        '{"id": "good-2", "base64": "%s"}' % encoded, '{"id": "x", "base64": "%%%"}',
        '{"id": "good-3", "file": "beside.bin"}', '{"id": "x", "file": "../dila/beside.bin"}',
        '{"id": "x", "file": "link.bin"}', '{"id": "x", "file": "absent.bin"}',
        '{"id": "x", "id": "y"}', '{"id": "x", "text": "a", "base64": "AA=="}',
        '{"id": 5}', '{"id": "x", "priority": "urgent"}', '{"id": "x", "expires_in_s": -1}',
        '{"id": "x", "to": []}', '{"id": "x", "subject": "\\u0000"}', '\\377\\376',
        '{"id": "good-1", "text": "a"}', "[" * 5000,
        '{"id": "good-4", "priority": "high", "delay_s": 1, "text": "", "to": "%s"}' % ADDRESS,
    ]
    text = bus.home_of["dila"] / "lines.txt"
    text.write_text("\n".join(said) + "\n" + "x" * 30_000_000 + "\n"
                    + '{"id": "good-5", "text": "last without an end"}')
    send_by_command(bus, 'test ! -e "$RELAIS_FOLDER/done" || exec sleep 1000\n'
                         'cat "$RELAIS_FOLDER/lines.txt"; touch "$RELAIS_FOLDER/done"\n')
    bus.start_all()
    good = ["good-1", "good-2", "good-3", "good-4", "good-5"]
    wait_until(f"the good ones, there are {sorted(bus.stored())}",
               lambda: sorted(bus.stored()) == good, 40)
    expect(bus.stored()["good-2"].read_bytes() == b"\0\1\2", "base64")
    expect(bus.stored()["good-3"].read_bytes() == b"beside", "file")
    refused = bus.log("dila").count("event=line.refused")
    expect(refused == 17, f"{refused} lines were refused")
    expect("nonsense" not in bus.log("dila"), "content is in the log")
    expect(bus.alive("dila"), "the adapter is gone")


def periodic(bus):
    """A command that runs every second; one that fails, and half a line, do no harm."""
    send_by_command(bus, """
cd "$RELAIS_FOLDER"
echo run >>runs
number=$(wc -l <runs)
echo "{\\"id\\": \\"p-$number\\", \\"text\\": \\"x\\"}"
test "$number" -ne 2 || { printf '{"id": "half", "text": "x"}'; exit 4; }
""", "  every_s: 1\n")
    bus.start_all()
    wait_until("four runs", lambda: {"p-1", "p-2", "p-3", "p-4"} <= set(bus.stored()), 40)
    expect("half" not in "".join(bus.stored()), "half a line was sent")
    expect("event=source.ended outcome=exit code=4" in bus.log("dila"), "the failure is not told")


def spool(bus):
    """A folder of messages: once each, whenever the adapter is killed; what is wrong goes aside."""
    chance = random.Random(3)
    (bus.spool / "wrong.json").write_text('{"too": 1}')
    (bus.spool / "half.json").write_text('{"id": ')
    (bus.spool / "alone.json").write_text('{"file": "absent.bin"}')
    (bus.spool / "link.json").symlink_to("wrong.json")
    (bus.spool / "folder.json").mkdir()
    os.mkfifo(bus.spool / "pipe.json")
    bus.start_all()
    count = 0
    for _ in range(10):
        for _ in range(chance.randrange(5, 40)):
            bus.put(f"m{count:05}", subject=str(count), payload=str(count).encode())
            count += 1
        time.sleep(chance.uniform(0.05, 0.5))
        bus.kill("dila")
        bus.start_sender()
    wait_until("all", lambda: len(bus.stored()) >= count, 60)
    time.sleep(1.5)
    contents = sorted(int(path.read_text()) for path in bus.stored().values())
    expect(contents == list(range(count)), "messages are lost or doubled")
    expect(bus.lines("again") == [], "something was done twice")
    failed = bus.spool / "failed"
    reason = json.loads((failed / "wrong.error.json").read_text())
    expect(reason["field"] == "too", reason)
    expect((failed / "wrong.json").exists() and (failed / "half.error.json").exists() and
           json.loads((failed / "alone.error.json").read_text())["field"] == "file", "reasons")
    left = sorted(path.name for path in bus.spool.iterdir())
    expect(left == ["failed", "folder.json", "link.json", "pipe.json"], left)


def killed(bus):
    """Everything is killed at random under load, the command fails for a while, the broker is away
    for a while: nothing is lost, and nothing is twice in the script's store."""
    chance = random.Random(int(os.environ.get("RELAIS_SEED", "11")))
    bus.receive('test ! -e "$RELAIS_FOLDER/broken" || exit 75\n' + KEEP, "  concurrency: 3\n")
    starts = {"dila": bus.start_sender, COMMUNE: bus.start_receiver, "relaisd": bus.start_broker}
    broken = bus.home_of[COMMUNE] / "broken"
    bus.start_all()
    count = 0
    for turn in range(16):
        for _ in range(chance.randrange(5, 30)):
            bus.put(f"m{count:05}", id=f"m{count:05}", payload=os.urandom(chance.randrange(3000)))
            count += 1
        if turn == 4:
            broken.touch()
        if turn == 8:
            broken.unlink()
        time.sleep(chance.uniform(0.1, 0.7))
        name = chance.choice(list(starts))
        bus.kill(name)
        time.sleep(2 if turn == 10 else 0)
        starts[name]()
    wait_until(f"all {count}, there are {len(bus.stored())}", lambda: len(bus.stored()) >= count, 100)
    wait_until("acknowledged", lambda: bus.waiting_in(ADDRESS) == 0, 40)
    expect(sorted(bus.stored()) == [f"m{number:05}" for number in range(count)], "others came")
    print(f"{count} messages, {len(bus.lines('runs'))} runs, {len(bus.lines('again'))} seen again")
    wait_until("nothing is left over", lambda: bus.jobs() == [])


def stopped(bus):
    """A stop lets commands end, gives back what was not begun, and counts no attempt."""
    bus.receive("sleep 1\n" + KEEP)
    bus.start_all()
    for number in range(6):
        bus.put(f"m{number}", id=f"m{number}", text="x")
    wait_until("one runs", lambda: bus.lines("runs") != [] or bus.jobs() != [])
    expect(bus.stop(COMMUNE) == 0, "does not stop")
    expect(1 <= len(bus.stored()) <= 3, sorted(bus.stored()))
    before = len(bus.stored())
    bus.receive("echo $RELAIS_ATTEMPT >>$RELAIS_FOLDER/attempts\n" + KEEP)
    bus.start_receiver()
    wait_until("all", lambda: len(bus.stored()) == 6)
    expect(len(bus.lines("attempts")) == 6 - before, "something was begun twice")
    expect(set(bus.lines("attempts")) == {"1"}, f"attempts were counted: {bus.lines('attempts')}")
    expect(bus.lines("again") == [], "something was done twice")


def joined(bus):
    """The broker goes while a command works, or the command takes longer than the lease: it is not
    started a second time, and its end counts."""
    flow = bus.home / "flows" / "RCO.yaml"
    flow.write_text(flow.read_text() + "lease_s: 1\n")
    bus.receive("touch $RELAIS_FOLDER/begun-$RELAIS_ID; sleep 4\n" + KEEP)
    bus.start_all()
    bus.put("cut", id="cut", text="x")
    wait_until("it runs", lambda: (bus.home_of[COMMUNE] / "begun-cut").exists())
    bus.kill("relaisd")
    bus.start_broker()
    wait_until("stored", lambda: "cut" in bus.stored())
    wait_until("acknowledged", lambda: bus.waiting_in(ADDRESS) == 0)
    bus.kill("relaisd")
    flow.write_text(flow.read_text() + "attempts: 1\n")  # a lease that runs out is the end
    bus.start_broker()
    bus.put("slow", id="slow", text="x")
    wait_until("stored", lambda: "slow" in bus.stored())
    wait_until("acknowledged", lambda: bus.waiting_in(ADDRESS) == 0)
    time.sleep(1.5)
    expect(bus.dead() == [], "a lease was not kept")
    expect(bus.lines("runs") == ["cut", "slow"], f"begun twice: {bus.lines('runs')}")


def configuration(bus):
    """What is wrong with a configuration is said with its line."""
    expect(bus.run(COMMUNE, "--check").returncode == 0, "a right one is refused")
    for wrong, said in (("inbound: {timeout_s: 5}", "inbound"),
                        ("inbound: {command: [a], shell: b}", "inbound"),
                        ("inbound: {command: [a], concurrency: 300}", "inbound.concurrency"),
                        ("inbound: {command: [a], stdin: all}", "inbound.stdin"),
                        ("outbound: {every_s: 1}", "outbound"),
                        ("inbond: {command: [a]}", "inbond"), ("credit: 5", "inbound")):
        bus.configure(COMMUNE, wrong + "\n")
        run = bus.run(COMMUNE, "--check")
        expect(run.returncode == 2 and said in run.stderr and "exec.yaml" in run.stderr,
               f"{wrong}: {run.stderr}")
    bus.configure(COMMUNE, "inbound: {command: [./absent]}\n" f"mailboxes: [{ADDRESS}]\n")
    bus.start_all()
    bus.put("m", id="m", text="x")
    wait_until("unavailable", lambda: "software.unavailable" in bus.log(COMMUNE))
    bus.receive("", "")
    bus.configure(COMMUNE, f"mailboxes: [{ADDRESS}]\ninbound:\n  shell: 'cat > copy; exit 0'\n"
                           "  stdin: payload\n")
    bus.kill(COMMUNE)
    bus.start_receiver()
    copy = bus.home_of[COMMUNE] / "copy"
    wait_until("a shell does it", lambda: copy.exists() and copy.read_bytes() == b"x")


TESTS = {test.__name__: test for test in (
    passes, exits, timeout, concurrency, memory, hostile, large, outbound, lines, periodic, spool,
    killed, stopped, joined, configuration)}


def main():
    build, name = sys.argv[1:]
    try:
        with Commands(build) as bus:
            TESTS[name](bus)
    except Failure as failure:
        print(f"FAILED: {failure}")
        return 1
    return 0


sys.exit(main())
