#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Writes the seeds of seal_foreign and seal_inside. Run again when the format changes; needs python3-cryptography
and zstd."""

from __future__ import annotations

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "unit" / "seal"))

from sealed import Key, Terms, cut, seal, zstd  # noqa: E402

KEY = Key(bytes([1, 2, 3, 4]) + bytes(28), 0, 604800000)
TERMS = Terms("id", "a/b", "c/d")


def write(target: str, name: str, data: bytes) -> None:
    folder = HERE / "seeds" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def foreign() -> None:
    file = f"# a key\nsuite: 1\nfrom-ms: 0\nuntil-ms: 604800000\npublic: {KEY.public.hex()}\nsecret: {KEY.secret.hex()}\n"
    write("seal_foreign", "key_file", b"\0" + file.encode())
    write("seal_foreign", "record", b"\1" + KEY.record)
    wrap, sealed = seal(b"bonjour", 0, Terms("another", "a/b", "c/d"), KEY, bytes(32), bytes([7]) * 32)
    for mode in (2, 3):
        write("seal_foreign", f"payload_{mode}", bytes([mode]) + sealed[:42] + wrap + sealed[42:])
    for mode in (4, 5):
        write("seal_foreign", f"chunks_{mode}", bytes([mode]) + sealed[42:])


def inside() -> None:
    text = b"La demande est accordee. " * 40
    frame = zstd(text, "-cq")
    contents = {
        "plain": (0, text),
        "zstd": (1, frame),
        "zstd_twice": (1, frame + frame),
        "bomb": (1, zstd(bytes(8 << 20), "-cq")),
        "padded": (2, cut(text, True)[0]),
        "padded_zstd": (3, cut(frame, True)[0]),
        "two_chunks": (2, b"".join(cut(bytes(i % 251 for i in range(66000)), True))[:65990]),
        "honest": (0x80, text),
        "honest_zstd": (0x81, text),
        "honest_padded": (0x82, text),
        "honest_both": (0x83, text),
    }
    for name, (flags, content) in contents.items():
        write("seal_inside", name, bytes([flags, 255, 3]) + content)


foreign()
inside()
