#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""The same work for Relais and its peers, round by round so that drift of the machine hits all alike;
prints one Markdown document. Judges nothing. deploy/bench installs, builds and runs it.

  compare.py --build build/bench --rounds 5
"""
import argparse
import collections
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import quiet  # noqa: E402
import servers  # noqa: E402
import syncs  # noqa: E402
import table  # noqa: E402

SIZES = (128, 1024, 65536)
WINDOWS = (512, 1)
PAIRS = (1, 4)  # of a producer and a consumer
CELL_SECONDS = 90


def measure(build, server, key, length_ms):
    """One cell; the driver's line with what others used meanwhile, or why there is none."""
    count, window, pairs = key
    others = quiet.Others()
    command = [f"{build}/tests/bench/peer_{server.name}", str(server.port), server.target,
               str(server.pid), str(count), str(window), str(length_ms), str(pairs)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=CELL_SECONDS,
                              check=False)
    except subprocess.TimeoutExpired:
        return None, f"no end after {CELL_SECONDS} s"
    if done.returncode != 0:
        return None, done.stderr.strip() or f"ended with {done.returncode}"
    run = json.loads(done.stdout)
    apart = 0 if server.limit else run["cpu_per_million"] * run["messages"] / 1e6
    run["others"] = round(others.used(apart), 2)
    return run, ""


def measure_quietly(options, server, key):
    """Again when others disturbed it; the least disturbed one counts."""
    length = options.lone_ms if key[1] == 1 else options.pipelined_ms
    best, why = None, ""
    for _ in range(options.again + 1):
        if time.monotonic() < options.patient_until:
            quiet.await_quiet(options.patience)
        run, why = measure(options.build, server, key, length)
        if run is None:
            break
        if best is None or run["others"] < best["others"]:
            best = run
        if best["others"] <= quiet.DISTURBED or time.monotonic() > options.patient_until:
            break
    return best, why


def one_turn(options, kind, folder, keep):
    """All cells of one server, started for it alone."""
    try:
        with kind(options.build, folder) as server:
            for key in options.cells:
                keep(kind, key, *measure_quietly(options, server, key))
    except (servers.ServerError, OSError, subprocess.CalledProcessError) as error:
        for key in options.cells:
            keep(kind, key, None, str(error))


def available(build):
    chosen = [kind for kind in servers.SERVERS
              if os.access(f"{build}/tests/bench/peer_{kind.name}", os.X_OK)]
    for kind in servers.SERVERS:
        if kind not in chosen:
            print(f"left out: {kind.name}, no driver was built", file=sys.stderr)
    return chosen


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--build", default="build/bench", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pipelined-ms", type=int, default=2000, help="how long is sent, a cell")
    parser.add_argument("--lone-ms", type=int, default=1000)
    parser.add_argument("--patience", type=float, default=5, metavar="SECONDS",
                        help="how long a cell waits for others on the machine to be quiet")
    parser.add_argument("--again", type=int, default=1,
                        help="how often a cell that others disturbed is repeated")
    parser.add_argument("--within", type=float, default=15, metavar="MINUTES",
                        help="after these nothing is waited for or repeated any more")
    parser.add_argument("--only", nargs="+", help="these servers", metavar="NAME")
    options = parser.parse_args()
    options.build = options.build.resolve()
    options.patient_until = time.monotonic() + options.within * 60
    options.cells = [(count, window, pairs) for window in WINDOWS for pairs in PAIRS for count in SIZES]
    return options


def filesystem(folder):
    return subprocess.run(["findmnt", "-n", "-o", "FSTYPE", "-T", folder], capture_output=True, text=True,
                          check=True).stdout.strip()


def main():
    options = arguments()
    kinds = [kind for kind in available(options.build) if not options.only or kind.name in options.only]
    parent = os.environ.get("TMPDIR", "/var/tmp")
    facts = {"folder": parent, "filesystem": filesystem(parent), "rounds": options.rounds,
             "pipelined_ms": options.pipelined_ms, "lone_ms": options.lone_ms,
             "cells": options.cells, "load_before": f"{os.getloadavg()[0]:.2f}"}
    if facts["filesystem"] in ("tmpfs", "ramfs"):
        sys.exit(f"compare.py: {parent} is in memory: set TMPDIR to a folder on a disk")
    results = collections.defaultdict(list)
    failures = collections.Counter()
    raw = open(options.build / "runs.jsonl", "w", encoding="utf-8")

    def keep(kind, key, run, why):
        if run is None:
            failures[kind.name, *key] += 1
            count, window, pairs = key
            print(f"{kind.name}, {count} bytes, window {window}, {pairs} and {pairs}: {why}",
                  file=sys.stderr)
            return
        results[kind.name, *key].append(run)
        print(json.dumps(run), file=raw, flush=True)

    work = tempfile.mkdtemp(prefix="relais-bench-", dir=parent)
    os.chmod(work, 0o711)  # a server that runs as its own user has to get through
    try:
        for number in range(options.rounds):
            turn = number % len(kinds)  # another one first each round
            for kind in kinds[turn:] + kinds[:turn]:
                print(f"round {number + 1} of {options.rounds}: {kind.name}", file=sys.stderr)
                one_turn(options, kind, f"{work}/{kind.name}", keep)
        facts["load_after"] = f"{os.getloadavg()[0]:.2f}"
        facts["syncs"] = {kind.name: syncs.syncs(options.build, kind, f"{work}/{kind.name}")
                          for kind in kinds}
    finally:
        raw.close()
        shutil.rmtree(work, ignore_errors=True)
    text = table.document(kinds, options.build, results, failures, facts)
    (options.build / "table.md").write_text(text + "\n", encoding="utf-8")
    print(text)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
