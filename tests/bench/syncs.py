# SPDX-License-Identifier: EUPL-1.2
"""What a confirm of each server means, seen from outside: the sync calls that it makes while one
message is outstanding, for each message confirmed. The consumer's acknowledgements sync too, so that
between one and two and a half is usual; none at all says that nothing waits for the disk. A limit
without a server is not traced."""
import json
import re
import signal
import subprocess
import time

import servers

CALLS = "fsync,fdatasync,msync,sync_file_range"
ATTACH_SECONDS = 0.5
BYTES, LENGTH_MS = 1024, 1000


def count(text):
    """The total of `strace -c`; no calls, no table."""
    calls = CALLS.replace(",", "|")
    return sum(int(match) for match in
               re.findall(rf"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s.*?\b(?:{calls})$", text,
                          re.MULTILINE))


def traced(build, kind, folder):
    with kind(build, folder) as server:
        pids = [server.pid, *servers.descendants(server.pid)]
        tracer = subprocess.Popen(
            ["strace", "-f", "-qq", "-c", "-e", f"trace={CALLS}",
             *[word for pid in pids for word in ("-p", str(pid))]],
            stderr=subprocess.PIPE, text=True)
        try:
            time.sleep(ATTACH_SECONDS)
            done = subprocess.run([f"{build}/tests/bench/peer_{kind.name}", str(server.port),
                                   server.target, str(server.pid), str(BYTES), "1", str(LENGTH_MS), "1"],
                                  capture_output=True, text=True, timeout=60, check=True)
        finally:
            tracer.send_signal(signal.SIGINT)
            _, table = tracer.communicate(timeout=30)
        if "Operation not permitted" in table:
            raise servers.ServerError(table.strip())
        return count(table) / json.loads(done.stdout)["messages"]


def syncs(build, kind, folder):
    """As a text for the table."""
    if kind.limit:
        return "-"
    try:
        return f"{traced(build, kind, folder):.1f}"
    except (OSError, ValueError, subprocess.SubprocessError, servers.ServerError):
        return "?"
