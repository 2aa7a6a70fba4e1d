# SPDX-License-Identifier: EUPL-1.2
"""The worked exchange of docs/protocol.md says what its bytes say: every block is decoded with the
generated modules and compared with the text beside and above it.

check_hex.py --write puts the text right after the bytes were changed."""

from __future__ import annotations

import sys
import unittest

from client import cut_body, digest
from exchange import KINDS, PAGE, Shown, list_frame, read_page
from schema import envelope

SHOWN = ["Hello", "Welcome", "Submit", "Submit", "Submit", "Accepted", "Attach", "Attached", "Deliver",
         "Ack", "Settled", "Goodbye"]  # fmt: skip


class Hex(unittest.TestCase):
    """The page against itself."""

    def setUp(self) -> None:
        self.shown = read_page(PAGE.read_text(encoding="utf-8"))

    def block(self, name: str, kind: str = "") -> Shown:
        return next(s for s in self.shown if s.name == name and kind in ("", s.kind))

    def command(self, name: str) -> object:
        """The content of a command, e.g. the Submit in the ToBroker."""
        block = self.block(name)
        return getattr(KINDS[block.kind].FromString(block.data), name.lower())

    def test_everything_is_shown_in_order(self) -> None:
        self.assertEqual([shown.name for shown in self.shown], SHOWN)

    def test_meanings_are_those_of_the_bytes(self) -> None:
        for shown in self.shown:
            with self.subTest(shown.name, piece=shown.piece):
                self.assertEqual(list_frame(shown.kind, shown.data), shown.listing)

    def test_sizes_are_those_of_the_bytes(self) -> None:
        for shown in self.shown:
            with self.subTest(shown.name, piece=shown.piece):
                self.assertEqual(len(shown.data), shown.size)

    def test_the_generated_modules_read_and_pack_the_same(self) -> None:
        for shown in self.shown:
            if shown.kind in KINDS:
                with self.subTest(shown.name, piece=shown.piece):
                    message = KINDS[shown.kind].FromString(shown.data)
                    self.assertFalse(message.UnknownFields())
                    self.assertEqual(message.SerializeToString(deterministic=True), shown.data)

    def test_commands_are_what_their_heads_say(self) -> None:
        for shown in self.shown:
            if shown.kind in ("ToBroker", "ToClient"):
                with self.subTest(shown.name):
                    message = KINDS[shown.kind].FromString(shown.data)
                    self.assertEqual(message.WhichOneof("command"), shown.name.lower())
                    self.assertEqual(shown.kind == "ToBroker", shown.from_client)

    def test_the_body_fits_its_parts(self) -> None:
        envelope_bytes = self.block("Submit", "Envelope").data
        payload = self.block("Submit", "payload").data
        body = [envelope_bytes + payload]
        for parts in (
            self.command("Submit").parts,
            [delivery.part for delivery in self.command("Deliver").deliveries],
        ):
            self.assertEqual(list(cut_body(parts, body)), [(envelope_bytes, payload)])

    def test_the_envelope_is_true(self) -> None:
        payload = self.block("Submit", "payload").data
        message = envelope.Envelope.FromString(self.block("Submit", "Envelope").data)
        self.assertEqual(message.payload_size, len(payload))
        self.assertEqual(message.payload_digest, digest(payload))
        self.assertEqual(list(message.to), [self.command("Attach").address])

    def test_answers_name_what_they_answer(self) -> None:
        number = self.command("Submit").first_number
        tag = self.command("Deliver").first_tag
        names = ("Attach", "Attached", "Deliver", "Ack", "Settled")
        consumers = {self.command(name).consumer for name in names}
        self.assertEqual((number, tag, len(consumers)), (1, 1, 1))
        for name, ranges in (
            ("Accepted", self.command("Accepted").numbers),
            ("Ack", self.command("Ack").tags),
            ("Settled", self.command("Settled").tags),
        ):
            with self.subTest(name):
                self.assertEqual([(r.first, r.last) for r in ranges], [(1, 1)])


def write() -> None:
    """Listings and sizes of the page, anew from its bytes."""
    page = PAGE.read_text(encoding="utf-8")
    for shown in reversed(read_page(page)):
        for (first, last), text in (
            (shown.at, list_frame(shown.kind, shown.data)),
            (shown.size_at, str(len(shown.data))),
        ):
            page = page[:first] + text + page[last:]
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
    else:
        unittest.main()
