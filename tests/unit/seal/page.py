# SPDX-License-Identifier: EUPL-1.2
"""The test vectors of docs/sealing.md, read from the page: title -> {name: value}."""

from __future__ import annotations

import pathlib
import re

PAGE = pathlib.Path(__file__).resolve().parents[3] / "docs" / "sealing.md"
BEGIN = "<!-- vectors: tests/unit/seal/check_page.py --write -->\n"


def split_page() -> tuple[str, str]:
    """What stands before the vectors, and the vectors."""
    before, mark, vectors = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    if not mark:
        raise SystemExit(f"{PAGE} has no line {BEGIN.strip()}")
    return before, vectors


def read_vectors() -> dict[str, dict[str, str]]:
    found = {}
    for title, block in re.findall(r"^### ([^\n]+)\n\n```\n(.*?)```$", split_page()[1], re.M | re.S):
        joined = re.sub(r"\n  ", "", block)
        found[title] = dict(re.split(r":\s*", line, maxsplit=1) for line in joined.splitlines())
    return found
