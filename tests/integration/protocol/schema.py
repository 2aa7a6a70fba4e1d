# SPDX-License-Identifier: EUPL-1.2
"""The protocol's messages as Python modules, generated from proto/ by protoc into a temporary folder
for each run: nothing generated is kept, so nothing generated can be out of date."""

from __future__ import annotations

import atexit
import importlib
import pathlib
import subprocess
import sys
import tempfile
from types import ModuleType

ROOT = pathlib.Path(__file__).resolve().parents[3]


def _generate() -> str:
    """Runs protoc; gives the folder of the modules, removed when the process ends."""
    folder = tempfile.TemporaryDirectory(prefix="relais-proto-")
    atexit.register(folder.cleanup)
    sources = sorted((ROOT / "proto" / "relais" / "v1").glob("*.proto"))
    subprocess.run(
        ["protoc", f"--proto_path={ROOT / 'proto'}", f"--python_out={folder.name}", *map(str, sources)],
        check=True,
    )
    return folder.name


def _load(*names: str) -> list[ModuleType]:
    sys.path.insert(0, _generate())
    try:
        return [importlib.import_module(f"relais.v1.{name}_pb2") for name in names]
    finally:
        sys.path.pop(0)


command, envelope = _load("command", "envelope")


def code_name(code: int) -> str:
    """"BUSY" for 14, as docs/protocol.md writes it; the number of a code that is not in the schema."""
    try:
        return command.Code.Name(code).removeprefix("CODE_")
    except ValueError:
        return str(code)
