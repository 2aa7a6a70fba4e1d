# SPDX-License-Identifier: EUPL-1.2
"""Two adapters of the tutorial (examples/adapter.c) on a bus of their own: lines that are appended to
dila/out.txt become lines of commune-76540/in.txt."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "files"))
from bus import Bus, Failure, wait_until  # noqa: E402  # pylint: disable=wrong-import-position

COMMUNE = "commune-76540"
__all__ = ["Lines", "Failure", "wait_until", "COMMUNE"]


class Lines(Bus):
    program = ("tests", "integration", "adapter", "relais_test_lines")

    def __init__(self, build):
        super().__init__(build)
        self.out = self.root / "dila" / "out.txt"
        self.came = self.root / COMMUNE / "in.txt"
        self.configure("dila", "  ")
        self.configure(COMMUNE, f"mailboxes: [{COMMUNE}/etat-civil]")

    def config(self, member):
        return self.root / member / "lines.yaml"

    def configure(self, member, extra="", flow="RCO"):
        self.config(member).write_text(
            "profile: client.yaml\nstate: state\nread: out.txt\nwrite: in.txt\n"
            f"to: {COMMUNE}/etat-civil\nflow: {flow}\n{extra}\n")

    def command(self, member, *arguments):
        return [self.build.joinpath(*self.program), "--config", self.config(member), *arguments]

    def start_adapter(self, member, wrapper=()):
        self.start(member, [*wrapper, *self.command(member)])

    def write(self, first, count):
        with open(self.out, "a", encoding="utf-8") as file:
            for number in range(first, first + count):
                file.write(f"line {number} {'x' * (number % 97)}\n")

    def arrived(self):
        if not self.came.exists():
            return []
        return [int(line.split()[1]) for line in self.came.read_text().splitlines()]

    def expect_all(self, count, seconds=60):
        wait_until(f"{count} lines, there are {len(self.arrived())}",
                   lambda: len(self.arrived()) >= count, seconds)
        if self.arrived() != list(range(count)):
            raise Failure(f"lines are lost, doubled or out of order: {self.arrived()[:50]}")
