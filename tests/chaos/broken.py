# SPDX-License-Identifier: EUPL-1.2
"""Builds relaisd with one bug planted: the negative controls. A test of this folder that does not fail on such
a broker proves nothing.

One file is compiled anew with the build's own commands, and linked in front of the libraries, whose
copy of it is then not taken. Each bug is a piece of text that must be in its file exactly once: when
the code has changed, the bug must be told anew.
"""

from __future__ import annotations

import pathlib
import shlex
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]

# name: file, then what is there and what is put in its place, once or more often
BUGS = {
    # On a disk that takes a few milliseconds, as many do.
    "answer-before-commit": (
        "broker/store/lmdb_commit.c",
        "static int batch_end(struct batch *batch)\n{\n",
        "static bool late;\n\nstatic int batch_end(struct batch *batch)\n{\n",
        "    rc = lmdb_make_durable(store);\n",
        "    late = !batch->erases;\n"
        "    rc = late ? 0 : lmdb_make_durable(store);\n",
        "        outbox_put(&store->outbox, batch.results, batch.result_count);\n",
        "        outbox_put(&store->outbox, batch.results, batch.result_count);\n"
        "        const struct timespec slow = {.tv_nsec = 4000000};\n"
        "        (void)nanosleep(&slow, NULL);\n"
        "        rc = late ? lmdb_make_durable(store) : 0;\n"
        "        late = false;\n",
    ),
    "unchecked-allocation": (
        "broker/core/lease.c",
        "    struct delivery *delivery = calloc(1, sizeof *delivery);\n"
        "    if (!delivery) {\n        return false;\n    }\n",
        "    struct delivery *delivery = calloc(1, sizeof *delivery);\n",
    ),
    "answer-after-failure": (
        "broker/store/lmdb_commit.c",
        "    rc = rc != 0 ? rc : batch_run(&batch, ops, size, out_done);\n",
        "    rc = rc != 0 ? rc : batch_run(&batch, ops, size, out_done);\n"
        "    rc = rc > 0 ? 0 : rc;\n",
    ),
    # A second sync that succeeds says nothing about what the first one could not write.
    "try-again-after-failure": (
        "broker/store/lmdb_commit.c",
        "    rc = rc != 0 ? rc : batch_run(&batch, ops, size, out_done);\n",
        "    rc = rc != 0 ? rc : batch_run(&batch, ops, size, out_done);\n"
        "    if (rc > 0) {\n"
        "        (void)batch_undo(&batch);\n"
        "        rc = batch_run(&batch, ops, size, out_done);\n"
        "    }\n",
    ),
    "ignore-keys": (
        "broker/core/submit.c",
        "    op->append.order = order_of(op->append.sender, envelope->ordering_key);\n",
        "    op->append.order = order_of(op->append.sender, \"\");\n",
    ),
    "forget-duplicates": (
        "broker/store/lmdb_duplicate.c",
        "    if (rc == 0) {\n        *out_sequence = known.sequence;\n    }\n    return rc;\n",
        "    *out_sequence = known.sequence;\n    return rc != 0 ? rc : MDB_NOTFOUND;\n",
    ),
}


class NotPlanted(Exception):
    """The bug does not fit the sources any more."""


def _commands(build: pathlib.Path) -> list[str]:
    """Those that make relaisd, the link last."""
    told = subprocess.run(["ninja", "-C", build, "-t", "commands", "relaisd"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    return [line for line in told.stdout.splitlines() if line and not line.startswith("ninja:")]


def _compile(build: pathlib.Path, command: str, source: pathlib.Path, target: pathlib.Path) -> None:
    words = shlex.split(command)
    kept, skip = [], False
    for word in words:
        if skip or word in ("-o", "-c", "-MF", "-MT"):
            skip = not skip
        elif word not in ("-MD", "ccache"):
            kept.append(word)
    subprocess.run([*kept, "-Wno-unused-variable", "-c", source, "-o", target], cwd=build, check=True)


def _link(build: pathlib.Path, command: str, target: pathlib.Path, part: pathlib.Path) -> None:
    words = shlex.split(command.removeprefix(": && ").removesuffix(" && :"))
    words[words.index("-o") + 1] = str(target)
    first = next(at for at, word in enumerate(words) if word.endswith(".a"))
    subprocess.run([*words[:first], part, *words[first:]], cwd=build, check=True)


def build_with(bug: str, build: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """A relaisd with this bug, in the folder."""
    path, *pieces = BUGS[bug]
    text = (ROOT / path).read_text()
    for old, new in zip(pieces[::2], pieces[1::2]):
        if text.count(old) != 1:
            raise NotPlanted(f"{bug}: its place in {path} is there {text.count(old)} times, not once")
        text = text.replace(old, new)
    source = folder / f"{bug}.c"
    source.write_text(text)
    commands = _commands(build)
    own = [line for line in commands if f" {ROOT / path}" in line or line.endswith(f" ../../{path}")]
    if len(own) != 1:
        raise NotPlanted(f"{bug}: {len(own)} commands compile {path}")
    part, program = folder / f"{bug}.o", folder / f"relaisd-{bug}"
    _compile(build, own[0], source, part)
    _link(build, commands[-1], program, part)
    return program
