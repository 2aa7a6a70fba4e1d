# SPDX-License-Identifier: EUPL-1.2
"""Dead letters as docs/protocol.md tells them: who may see them, replay and drop."""

from __future__ import annotations

import unittest

from broker import BrokerCase
from client import Client, Message, Outgoing
from schema import code_name
from schema import command as pb


class DeadLetters(BrokerCase):
    """Query dead, dead_letter; Manage replay, drop."""

    def setUp(self) -> None:
        super().setUp()
        self.client = self.session()
        self.client.attach(1, self.box, 100)

    def refuse(self, count: int) -> list[Outgoing]:
        """Messages that the recipient refused."""
        messages = [self.letter(f"letter {number}".encode()) for number in range(count)]
        for message in messages:
            self.accept(self.client, message)
            tag = self.client.deliveries(1)[0].tag
            self.client.refuse(1, tag, reason="not for us")
            self.client.settled(1, tag)
        return messages

    def letters(self, client: Client | None = None) -> list[Message]:
        return list((client or self.client).dead(self.box).dead.letters)

    def test_a_refused_message_is_listed(self) -> None:
        message = self.refuse(1)[0]
        [letter] = self.letters()
        self.assertEqual(code_name(letter.code), "REFUSED_BY_RECIPIENT")
        self.assertEqual((letter.reason, letter.attempts, letter.damaged), ("not for us", 1, False))
        self.assertEqual(letter.bytes, len(message.envelope_bytes) + len(message.payload))
        envelope = message.envelope
        for name in ("id", "source", "flow", "type"):
            self.assertEqual(getattr(letter, name), getattr(envelope, name))
        self.assertLessEqual(letter.accepted_ms, letter.died_ms)
        [shown] = self.client.dead_letter(self.box, letter.sequence).dead.letters
        self.assertEqual(len(shown.history), 1)  # which a list leaves out
        shown.ClearField("history")
        self.assertEqual(shown, letter)

    def test_letters_come_in_pages(self) -> None:
        ids = [message.envelope.id for message in self.refuse(5)]
        found: list[str] = []
        after, more = 0, True
        while more:
            page = self.client.dead(self.box, after=after, limit=2).dead
            self.assertLessEqual(len(page.letters), 2)
            found.extend(letter.id for letter in page.letters)
            after, more = page.letters[-1].sequence, page.more
        self.assertEqual(found, ids)

    def test_a_replayed_letter_is_delivered_again(self) -> None:
        message = self.refuse(1)[0]
        [letter] = self.letters()
        self.assertEqual(self.client.replay(self.box, letter.sequence).WhichOneof("what"), "done")
        [delivery] = self.client.deliveries(1)
        self.assertEqual((delivery.envelope_bytes, delivery.payload), (message.envelope_bytes, message.payload))
        self.assertEqual(delivery.attempt, 1)
        self.assertEqual(self.letters(), [])
        again = self.client.replay(self.box, letter.sequence)
        self.assert_code(again.error, "UNKNOWN_DEAD_LETTER", "manage.replay.sequence")

    def test_a_dropped_letter_is_gone(self) -> None:
        self.refuse(2)
        first, second = self.letters()
        self.assertEqual(self.client.drop(self.box, first.sequence).WhichOneof("what"), "done")
        self.assertEqual(self.letters(), [second])
        again = self.client.dead_letter(self.box, first.sequence)
        self.assert_code(again.error, "UNKNOWN_DEAD_LETTER", "query.dead_letter.sequence")

    def test_who_may(self) -> None:
        self.refuse(1)
        [letter] = self.letters()
        foreign = self.session("files", "commune-06088")
        name = (self.box, letter.sequence)
        for answer, field in (
            (foreign.dead(self.box), "query.dead"),
            (foreign.dead("commune-76540/nothing"), "query.dead"),
            (foreign.dead_letter(*name), "query.dead_letter"),
            (foreign.replay(*name), "manage.replay"),
            (foreign.drop(*name), "manage.drop"),
        ):
            with self.subTest(field):
                self.assert_code(answer.error, "NOT_YOUR_MAILBOX", f"{field}.address")
        sender = self.session("sender")
        self.assertEqual(self.letters(sender), [letter])
        self.assert_code(sender.replay(*name).error, "ROLE_MISSING", "client.roles")
        self.assert_code(sender.drop(*name).error, "ROLE_MISSING", "client.roles")
        watch = self.session("watch")
        self.assertEqual(self.letters(watch), [letter])
        self.assertEqual(watch.drop(*name).WhichOneof("what"), "done")

    def test_addresses_that_are_wrong(self) -> None:
        watch = self.session("watch")
        for address, code in (
            ("", "FIELD_MISSING"),
            ("no address", "FIELD_INVALID"),
            ("nobody/etat-civil", "UNKNOWN_MEMBER"),
            ("commune-76540/nothing", "UNKNOWN_SERVICE"),
        ):
            with self.subTest(address):
                self.assert_code(watch.dead(address).error, code, "query.dead.address")

    def test_an_unknown_order(self) -> None:
        self.client.send(manage=pb.Manage(number=77))
        answer = self.client.wait("answer").content
        self.assertEqual(answer.number, 77)
        self.assert_code(answer.error, "UNKNOWN_COMMAND", "manage.what")

    def test_letters_outlive_the_broker(self) -> None:
        self.refuse(1)
        letters = self.letters()
        self.broker.kill()
        self.broker.start()
        watch = self.session("watch")
        self.assertEqual(self.letters(watch), letters)
        self.assertEqual(watch.replay(self.box, letters[0].sequence).WhichOneof("what"), "done")
        client = self.session()
        client.attach(1, self.box, 1)
        self.assertEqual(client.deliveries(1)[0].envelope.id, letters[0].id)


if __name__ == "__main__":
    unittest.main()
