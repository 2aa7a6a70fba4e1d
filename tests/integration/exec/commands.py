# SPDX-License-Identifier: EUPL-1.2
"""Two relais-exec on a bus of their own. dila sends what is put into its spool, or what its command
says; commune-76540 runs a shell script for each message."""
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "files"))
from bus import Bus, Failure, wait_until  # noqa: E402  # pylint: disable=wrong-import-position

COMMUNE = "commune-76540"
ADDRESS = f"{COMMUNE}/etat-civil"
DEFAULTS = f"{{to: [{ADDRESS}], flow: RCO}}"
__all__ = ["Commands", "Failure", "wait_until", "expect", "COMMUNE", "ADDRESS"]

# The script's own store: a file named by the message's id, made by link(2), which does not replace.
# Each run leaves a line in "runs", each message that was stored before one in "again".
KEEP = """
store="$RELAIS_FOLDER/store"
echo "$RELAIS_ID" >>"$RELAIS_FOLDER/runs"
cp "$RELAIS_PAYLOAD" "$RELAIS_TEMP/copy" || exit 75
ln "$RELAIS_TEMP/copy" "$store/$RELAIS_ID" 2>/dev/null || echo "$RELAIS_ID" >>"$RELAIS_FOLDER/again"
exit 0
"""


def expect(truth, what):
    if not truth:
        raise Failure(what)


class Commands(Bus):
    def __init__(self, build):
        super().__init__(build)
        self.home_of = {member: self.root / member for member in ("dila", COMMUNE)}
        self.spool = self.home_of["dila"] / "spool"
        self.store = self.home_of[COMMUNE] / "store"
        self.spool.mkdir()
        self.store.mkdir()
        self.configure("dila", f"spool:\n  folder: spool\n  rescan_s: 1\n  to: [{ADDRESS}]\n"
                               "  flow: RCO\n")
        self.receive(KEEP)

    def config(self, member):
        return self.home_of[member] / "exec.yaml"

    def configure(self, member, extra):
        self.config(member).write_text(f"profile: client.yaml\nstate: state\nstop_s: 5\n{extra}")

    def script(self, member, name, text):
        path = self.home_of[member] / name
        path.write_text(f"#!/bin/sh\nRELAIS_FOLDER='{self.home_of[member]}'\n{text}")
        path.chmod(0o755)
        return path

    def receive(self, text, extra="", credit=32):
        self.script(COMMUNE, "handle", text)
        self.configure(COMMUNE, f"mailboxes: [{ADDRESS}]\ncredit: {credit}\ninbound:\n"
                                f"  command: [./handle, first, 'second  one']\n{extra}")

    def command(self, member, *arguments):
        return [self.build / "adapters" / "exec" / "relais-exec", "--config", self.config(member),
                *arguments]

    def start_adapter(self, member, wrapper=()):
        self.start(member, [*wrapper, *self.command(member)])

    def run(self, member, *arguments):
        return subprocess.run([str(part) for part in self.command(member, *arguments)], text=True,
                              capture_output=True, timeout=60, check=False)

    def put(self, name, **line):
        """As a program does it: the payload first, then the message by a rename."""
        payload = line.pop("payload", None)
        if payload is not None:
            (self.spool / f"{name}.bin").write_bytes(payload)
            line["file"] = f"{name}.bin"
        aside = self.spool / f".{name}"
        aside.write_text(json.dumps(line))
        aside.rename(self.spool / f"{name}.json")

    def stored(self):
        return {path.name: path for path in self.store.iterdir()}

    def lines(self, name, member=COMMUNE):
        path = self.home_of[member] / name
        return path.read_text().splitlines() if path.exists() else []

    def jobs(self):
        folder = self.home_of[COMMUNE] / "state" / "jobs"
        return list(folder.iterdir()) if folder.exists() else []

    def metric(self, member, name):
        path = self.home_of[member] / "state" / "metrics.prom"
        for line in path.read_text().splitlines() if path.exists() else []:
            if line.startswith(f"relais_adapter_{name}"):
                return int(line.rsplit(" ", 1)[1])
        return None

    def dead(self):
        run = self.relais("dead", "list", "-o", "json")
        said = json.loads(run.stdout)
        return said if isinstance(said, list) else next(iter(said.values()))


def alive(marker):
    """Processes whose environment names the marker."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if marker.encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                pass
    return found
