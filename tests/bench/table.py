# SPDX-License-Identifier: EUPL-1.2
"""The runs of deploy/bench as one Markdown document: medians, and the span of what was seen."""
import datetime
import os
import pathlib
import platform
import statistics

import quiet


def size(count):
    return f"{count // 1024} KiB" if count >= 1024 else f"{count} B"


def rate(number):
    return f"{number / 1000:.1f}k" if number >= 1000 else f"{number:.0f}"


def span_ms(runs, first, second):
    low = statistics.median(run[first] for run in runs) / 1000
    high = statistics.median(run[second] for run in runs) / 1000
    return " / ".join(f"{value:.2f}" if value < 10 else f"{value:.0f}" for value in (low, high))


def median(runs, field):
    return statistics.median(run[field] for run in runs)


def undisturbed(runs):
    return [run for run in runs if run["others"] <= quiet.DISTURBED]


def row(server, every, failed, ours):
    if not every:
        return f"| {server.name} | | failed | | | | | | |"
    count = len(undisturbed(every))
    runs = undisturbed(every) or every
    rates = [run["per_second"] for run in runs]
    name = f"*{server.name}*" if server.limit else server.name
    if server.confirm != "on disk":
        name += f" ({server.confirm})"
    if failed:
        name += f" ({failed} failed)"
    ratio = "" if server.name == "relais" or not ours or not count else f"{ours / statistics.median(rates):.2f}"
    clients = "" if server.name == "lmdb" else f"{median(runs, 'driver_cpu_per_million'):.1f}"
    memory = max(run["anonymous_kb"] for run in runs) / 1024
    return (f"| {name} | {count} | {rate(statistics.median(rates))} "
            f"({rate(min(rates))}..{rate(max(rates))}) "
            f"| {span_ms(runs, 'confirm_p50_us', 'confirm_p99_us')} "
            f"| {span_ms(runs, 'through_p50_us', 'through_p99_us')} "
            f"| {median(runs, 'cpu_per_million'):.1f} | {clients} | {memory:.0f} | {ratio} |")


def cell(servers, results, failures, key):
    count, window, pairs = key
    ours = [run["per_second"] for run in undisturbed(results.get(("relais", *key), []))]
    how = "one outstanding" if window == 1 else f"window {window}"
    whose = "1 producer, 1 consumer" if pairs == 1 else f"{pairs} producers, {pairs} consumers"
    lines = [f"### {size(count)}, {how}, {whose}", "",
             "| server | runs | messages/s (min..max) | confirm p50 / p99 ms "
             "| end to end p50 / p99 ms | server CPU s per million | clients' CPU "
             "| anonymous MB, peak | Relais / it |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for server in servers:
        where = (server.name, *key)
        lines.append(row(server, results.get(where, []), failures.get(where, 0),
                         statistics.median(ours) if ours else 0))
    return lines + [""]


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def machine(folder, filesystem):
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (f"{os.cpu_count()} x {processor()}, {memory:.0f} GiB, Linux {platform.release()}, "
            f"{filesystem} under {folder}, loopback, clients and server share the processors")


def document(servers, build, results, failures, facts):
    """`results`: (name, bytes, window, pairs) -> runs; `facts`: folder, filesystem, rounds, seconds, load."""
    now = datetime.datetime.now().astimezone().isoformat(timespec="minutes")
    lines = [f"Measured {now}. Machine: {machine(facts['folder'], facts['filesystem'])}. "
             f"{facts['rounds']} rounds; a run sends for {facts['pipelined_ms'] / 1000:g} s pipelined and "
             f"{facts['lone_ms'] / 1000:g} s one outstanding. Load average {facts['load_before']} before, "
             f"{facts['load_after']} after.", "",
             "| server | version | a confirm means | syncs a message | settings |",
             "| --- | --- | --- | --- | --- |"]
    lines += [f"| {server.name} | {server.version(build)} | {server.confirm} "
              f"| {facts['syncs'][server.name]} | {server.settings} |" for server in servers]
    every = [run for runs in results.values() for run in runs]
    disturbed = sum(run["others"] > quiet.DISTURBED for run in every)
    lines += ["", f"{disturbed} of {len(every)} runs were disturbed (other processes used more than "
              f"{quiet.DISTURBED:.1f} of a processor meanwhile) and are left out; `runs` says how many "
              "count. 0: all were disturbed; the row shows them nevertheless, and no ratio.", ""]
    for key in facts["cells"]:
        lines += cell(servers, results, failures, key)
    return "\n".join(lines)
