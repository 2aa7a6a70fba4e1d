#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""check_page.py PROGRAM: the notes of docs/directory.md are the ones that the program prints, and an implementation
written from the page makes the same bytes.

check_page.py PROGRAM --write puts them there."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

from directory import Entry, Key, Refused, mailboxes_text, record, sign, verify

PAGE = pathlib.Path(__file__).resolve().parents[3] / "docs" / "directory.md"
BEGIN = "<!-- notes: tests/unit/trust/check_page.py --write -->\n"
MONDAY = 1795392000000
WEEK = 604800000


def blocks(text: str) -> dict[str, str]:
    return dict(re.findall(r"### (.+?)\n\n```\n(.*?)```\n", text, re.S))


def refused(note: str, keys: list[str]) -> bool:
    try:
        verify(note, keys)
    except Refused:
        return True
    return False


def check(vectors: dict[str, str]) -> None:
    regulator = Key.read(vectors["The regulator's key"].split("\n")[0])
    member = Key.read(vectors["The member's key"].split("\n")[0])
    assert vectors["The regulator's key"] == f"{regulator.secret_text}\n{regulator.public_text}\n"
    assert vectors["The member's key"] == f"{member.secret_text}\n{member.public_text}\n"
    entry = Entry("commune-76540", 7, MONDAY, MONDAY + 400 * 86400000, "commune", [member.public_text],
                  "21760540300013", "76540", ["etat-civil", "accueil"],
                  {"files": "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"})
    assert vectors["An entry"] == sign(entry.text(), regulator)
    keys = [("etat-civil", record(MONDAY, MONDAY + WEEK, bytes([3]) * 32)),
            ("etat-civil", record(MONDAY + WEEK, MONDAY + 2 * WEEK, bytes([4]) * 32)),
            ("*", record(MONDAY, MONDAY + WEEK, bytes([5]) * 32))]
    sheet = vectors["A sheet of mailbox keys"]
    assert sheet == sign(mailboxes_text("commune-76540", 12, keys), member)
    assert verify(vectors["An entry"], [regulator.public_text]) == entry.text()
    assert verify(sheet, entry.signing_keys)
    assert refused(vectors["An entry"], [member.public_text])
    assert refused(vectors["An entry"].replace("sequence: 7", "sequence: 8"), [regulator.public_text])


def main() -> int:
    before, _, vectors = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    printed = subprocess.run([sys.argv[1]], check=True, capture_output=True).stdout.decode()
    if sys.argv[2:] == ["--write"]:
        PAGE.write_text(f"{before}{BEGIN}{printed}", encoding="utf-8")
        return 0
    if vectors != printed:
        print("the notes of docs/directory.md are not what the program signs; if that is meant: --write")
        return 1
    check(blocks(vectors))
    return 0


if __name__ == "__main__":
    sys.exit(main())
