#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Writes the seeds of trust. Run again when the format changes; needs python3-cryptography."""

from __future__ import annotations

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "unit" / "trust"))

from directory import Entry, Key, mailboxes_text, record, sign, sign_envelope  # noqa: E402

REGULATOR = Key("relais-france", bytes([1]) * 32)
MEMBER = Key("commune-76540", bytes([2]) * 32)


def write(name: str, reader: int, text: str) -> None:
    folder = HERE / "seeds" / "trust"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(bytes([reader]) + text.encode())


entry = Entry("commune-76540", 7, 1, 2, "commune", [MEMBER.public_text], "21760540300013", "76540",
              ["accueil", "etat-civil"], {"files": "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"})
sheet = mailboxes_text("commune-76540", 12, [("*", record(0, 9, bytes(32))), ("a", record(1, 9, bytes(32)))])
digest = "5e" * 32
write("note", 0, sign(entry.text(), REGULATOR))
write("note_twice", 0, sign(entry.text(), REGULATOR) + sign("", MEMBER)[1:])
write("entry", 1, entry.text())
write("entry_bare", 1, Entry("a", 1, 0, 1, "state", [Key("a", bytes(32)).public_text]).text())
write("mailboxes", 2, sheet)
write("memory", 3, f"relais memory 1\nentry a 1 {digest}\nentry b 2 {digest}\nmailboxes a 1 {digest}\nend 3\n")
write("public", 4, MEMBER.public_text)
write("secret", 5, MEMBER.secret_text)
(HERE / "seeds" / "trust" / "envelope").write_bytes(bytes([6]) + sign_envelope(b"\x0a\x01a", MEMBER))
