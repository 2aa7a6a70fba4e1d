# SPDX-License-Identifier: EUPL-1.2
"""How much of the machine others use: by waiting until they do nothing, and by what they used while a
cell ran. Other people's work makes figures worthless without making them look so."""
import os
import pathlib
import resource
import time

QUIET = 0.10  # processors, with what waits for the disk
LOOK_SECONDS = 0.3
DISTURBED = 0.30  # more than what the kernel does in a cell's name: interrupts, flushes


def busy_seconds(with_waiting):
    """Of all processors, since the machine started."""
    fields = pathlib.Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    user, nice, system, _, waiting, irq, softirq = (int(field) for field in fields[:7])
    total = user + nice + system + irq + softirq + (waiting if with_waiting else 0)
    return total / os.sysconf("SC_CLK_TCK")


def await_quiet(patience_seconds):
    """Whether it came to that."""
    end = time.monotonic() + patience_seconds
    while True:
        before = busy_seconds(True)
        time.sleep(LOOK_SECONDS)
        if busy_seconds(True) - before < QUIET * LOOK_SECONDS:
            return True
        if time.monotonic() >= end:
            return False


def own_seconds():
    """Of this process and of its children that have ended."""
    return sum(usage.ru_utime + usage.ru_stime for usage in
               (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)))


class Others:
    """Processors used by others since it was made."""

    def __init__(self):
        self.start, self.busy, self.own = time.monotonic(), busy_seconds(False), own_seconds()

    def used(self, server_seconds):
        theirs = busy_seconds(False) - self.busy - (own_seconds() - self.own) - server_seconds
        return max(0.0, theirs) / (time.monotonic() - self.start)
