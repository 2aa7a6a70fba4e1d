# SPDX-License-Identifier: EUPL-1.2
"""Submitting as docs/protocol.md tells it: bodies cut in every way, numbers, every refusal that a
sender can provoke, windows, the same id twice."""

from __future__ import annotations

import itertools
import signal
import time
import unittest
from typing import Any, Callable

from broker import FLOW, FOREIGN, BrokerCase
from client import Client, Outgoing, compose
from schema import command as pb
from schema import envelope as envelope_pb

KIB, MIB = 1024, 1024 * 1024


class Bodies(BrokerCase):
    """One body, cut at any boundary."""

    def submit_cut(self, messages: list[Outgoing], frames: list[bytes]) -> dict[int, Any]:
        """The same on a new connection, the body in these frames."""
        client = self.session()
        parts = [message.part() for message in messages]
        client.send(frames, submit=pb.Submit(first_number=1, parts=parts))
        return client.outcome(range(1, len(messages) + 1))

    def test_every_cut_of_two_messages(self) -> None:
        for cuts in itertools.product((False, True), repeat=3):
            with self.subTest(cuts):
                messages = [self.letter(b"one"), self.letter(b"two")]
                pieces = [p for m in messages for p in (m.envelope_bytes, m.payload)]
                frames = pieces[:1]
                for piece, cut in zip(pieces[1:], cuts):
                    frames = [*frames, piece] if cut else [*frames[:-1], frames[-1] + piece]
                self.assertEqual(self.submit_cut(messages, frames), {1: None, 2: None})

    def test_an_empty_payload_with_and_without_its_frame(self) -> None:
        for frames in (1, 2):
            with self.subTest(frames):
                message = self.letter(b"")
                body = [message.envelope_bytes, b""][:frames]
                self.assertEqual(self.submit_cut([message], body), {1: None})

    def test_empty_frames_between_pieces(self) -> None:
        message = self.letter()
        body = [b"", message.envelope_bytes, b"", b"", message.payload, b""]
        self.assertEqual(self.submit_cut([message], body), {1: None})

    def test_what_arrives_are_the_same_bytes(self) -> None:
        # Unknown fields in front, which no library writes: nobody packs it again.
        usual = self.letter(b"payload").envelope_bytes
        strange = Outgoing(b"\x98\x06\x01" + usual + b"\xa2\x06\x03abc", b"payload")
        client = self.session()
        client.attach(1, self.box, 10)
        self.accept(client, strange)
        message = client.deliveries(1)[0]
        self.assertEqual(message.envelope_bytes, strange.envelope_bytes)
        self.assertEqual(message.payload, b"payload")

    def test_a_full_batch_packed_and_in_pieces(self) -> None:
        for packed in (True, False):
            with self.subTest(packed=packed):
                client = self.session()
                numbers = client.submit([self.letter(b"x" * 10) for _ in range(1024)], packed=packed)
                self.assertEqual(set(client.outcome(numbers).values()), {None})

    def test_a_single_message_may_exceed_the_batch(self) -> None:
        # 1 MiB is below batch_bytes; two of them with their envelopes are beyond.
        big = [self.letter(b"x" * MIB) for _ in range(2)]
        client = self.session()
        self.accept(client, big[0])
        client.submit(big, packed=False)
        self.assert_cut(client, "MALFORMED", "submit.parts")


class Numbers(BrokerCase):
    """Consecutive from 1 in each connection."""

    def test_a_wrong_first_number(self) -> None:
        for first in (0, 2, 2**64 - 1):
            with self.subTest(first):
                client = self.session("sender")
                client.submit([self.letter()], first_number=first)
                error = self.assert_cut(client, "FIELD_INVALID", "submit.first_number")
                self.assertEqual((error.wrong, error.right), (str(first), "1"))

    def test_a_gap_and_a_repetition(self) -> None:
        for first in (1, 2, 4):
            with self.subTest(first):
                client = self.session("sender")
                client.outcome(client.submit([self.letter(), self.letter()]))
                client.submit([self.letter()], first_number=first)
                self.assertEqual(self.assert_cut(client, "FIELD_INVALID").right, "3")

    def test_refused_messages_use_up_their_numbers(self) -> None:
        client = self.session("sender")
        answers = client.outcome(client.submit([self.letter(), self.letter(flow="RIEN"), self.letter()]))
        self.assertEqual([number for number, error in answers.items() if error], [2])
        self.assertEqual(client.outcome(client.submit([self.letter()])), {4: None})


class Refusals(BrokerCase):
    """One good message, one thing wrong."""

    def setUp(self) -> None:
        super().setUp()
        self.client = self.session()

    def refused(self, message: Outgoing, client: Client | None = None) -> Any:
        sender = client or self.client
        error = next(iter(sender.outcome(sender.submit([message])).values()))
        self.assertIsNotNone(error, "accepted")
        self.assertEqual(error.retry_after_ms, 0)
        return error

    def assert_refused(self, code: str, field: str, **changes: Any) -> Any:
        error = self.refused(self.letter(**changes))
        self.assert_code(error, code, f"submit.parts[0].envelope.{field}")
        return error

    def test_fields_that_are_missing(self) -> None:
        for field, nothing in (("id", ""), ("source", ""), ("type", ""), ("flow", ""),
                               ("payload_digest", b"")):  # fmt: skip
            with self.subTest(field):
                error = self.assert_refused("FIELD_MISSING", field, **{field: nothing})
                self.assertNotEqual(error.right, "")

    def test_names_in_a_wrong_form(self) -> None:
        for field, value in (
            ("id", "a b"), ("id", "é"), ("id", "x" * 129), ("id", "x\x7f"),
            ("flow", "-X"), ("flow", "x" * 65), ("flow", "é"),
            ("from", "commune-76540"), ("from", "dila/notices"), ("from", "commune-7654/etat-civil"),
            ("reply_to", "nowhere"), ("reply_to", "a/b/c"),
        ):  # fmt: skip
            with self.subTest(field, value=value):
                self.assert_refused("FIELD_INVALID", field, **{field: value})
        for address in ("x", "/", "a/", "/b", "a--b/c", "A/b", "a/b-", "a/" + "b" * 64, "a/../b"):
            with self.subTest("to", value=address):
                self.assert_refused("FIELD_INVALID", "to[0]", to=[address])

    def test_names_at_their_ends_are_good(self) -> None:
        for field, value in (
            ("id", "!" + "x" * 126 + "~"),
            ("source", "s" * 512),
            ("type", "t" * 128),
            ("subject", "s" * 1024),
            ("from", "commune-76540/anything"),
            ("reply_to", FOREIGN),
        ):
            with self.subTest(field):
                self.accept(self.client, self.letter(**{field: value}))

    def test_texts_that_are_too_long(self) -> None:
        others = (
            "subject datacontenttype dataschema correlation_id ordering_key supersedes purpose "
            "dataclassification dataregulation datacategory traceparent"
        ).split()
        for field, most in (("source", 512), ("type", 128), *((other, 1024) for other in others)):
            with self.subTest(field):
                error = self.assert_refused("FIELD_INVALID", field, **{field: "x" * (most + 1)})
                self.assertLessEqual(len(error.wrong.encode()), 200)

    def test_recipients(self) -> None:
        self.assert_refused("UNKNOWN_MEMBER", "to[0]", to=["nobody/etat-civil"])
        self.assert_refused("UNKNOWN_SERVICE", "to[1]", to=[self.box, "commune-76540/cantine"])
        self.assert_refused("FIELD_INVALID", "to[1]", to=[self.box, self.box])
        many = [f"m-{i}/s" for i in range(64)] + [self.box]
        self.assert_code(self.refused(self.letter(to=many)), "FIELD_INVALID")

    def test_flows(self) -> None:
        self.assert_refused("UNKNOWN_FLOW", "flow", flow="INCONNU")
        self.assert_refused("SENDER_NOT_ALLOWED", "flow", flow="AVIS")
        self.assert_refused("RECEIVER_NOT_ALLOWED", "to[1]", to=[self.box, "dila/notices"])

    def test_sizes(self) -> None:
        for message, field, right in (
            (self.letter(b"x" * (MIB + 1)), "payload_bytes", str(MIB)),
            (self.letter(b"x" * 101, flow="PETIT"), "payload_bytes", "100"),
            (Outgoing(self.letter().envelope_bytes + b"\xa2\x06\x80\x80\x01" + b"x" * 16384, b"Bonjour"),
             "envelope_bytes", "16384"),
        ):  # fmt: skip
            with self.subTest(field, right=right):
                error = self.refused(message)
                self.assert_code(error, "TOO_LARGE", f"submit.parts[0].{field}")
                self.assertEqual(error.right, right)

    def test_payload_as_the_envelope_tells_it(self) -> None:
        self.assert_refused("FIELD_INVALID", "payload_size", payload_size=6)
        self.assert_refused("FIELD_INVALID", "payload_digest", payload_digest=b"x" * 31)

    def test_times(self) -> None:
        now_ms = int(time.time() * 1000)
        self.assert_refused("EXPIRED", "expires_at_ms", expires_at_ms=now_ms - 1000)
        self.assert_refused("FIELD_INVALID", "expires_at_ms", expires_at_ms=-1)
        self.assert_refused("FIELD_INVALID", "not_before_ms", not_before_ms=-1)

    def test_extensions(self) -> None:
        def named(*names: str) -> list[Any]:
            return [envelope_pb.Extension(name=name, ce_integer=1) for name in names]

        for name in ("", "A", "a-b", "a" * 21, "é"):
            with self.subTest(name):
                self.assert_refused("FIELD_INVALID", "extensions[0].name", extensions=named(name))
        self.assert_refused("FIELD_INVALID", "extensions[1].name", extensions=named("a", "a"))
        many = named(*(f"e{number}" for number in range(33)))
        self.assert_refused("FIELD_INVALID", "extensions", extensions=many)

    def test_an_envelope_that_cannot_be_read(self) -> None:
        good = self.letter(b"").envelope_bytes
        for name, data in (
            ("nothing", b""),
            ("random", bytes(range(7, 107))),
            ("cut", good[:-3]),
            ("not UTF-8", b"\x0a\x02\xff\xfe" + good),
            ("65 unknown fields", good + b"\x98\x06\x01" * 65),
            ("a group", good + b"\x9b\x06\x9c\x06"),
            ("id twice", b"\x0a\x01x" + good),
        ):
            with self.subTest(name):
                error = self.refused(Outgoing(data, b""))
                self.assert_code(error, "FIELD_MISSING" if name == "nothing" else "FIELD_INVALID")
                self.assertTrue(error.field.startswith("submit.parts[0].envelope"), error.field)

    def test_64_unknown_fields_are_tolerated(self) -> None:
        message = self.letter(b"")
        more = Outgoing(message.envelope_bytes + b"\x98\x06\x01" * 64, b"")
        self.accept(self.client, more)

    def test_without_the_role(self) -> None:
        for name in ("receiver", "watch"):
            with self.subTest(name):
                error = self.refused(self.letter(), self.session(name))
                self.assert_code(error, "ROLE_MISSING", "client.roles")

    def test_foreign_text_is_cut_and_cleaned(self) -> None:
        error = self.assert_refused("FIELD_INVALID", "flow", flow="\x1b[31m" + "é" * 500)
        self.assertLessEqual(len(error.wrong.encode()), 200)
        self.assertNotIn("\x1b", error.wrong)


class Flood(BrokerCase):
    """More than one turn of the disk takes."""

    def assert_busy(self, batches: Callable[[], list[list[Outgoing]]], right: str) -> None:
        """Submits batches at once until the broker says BUSY for the limit in `right`; what it was too
        busy for is accepted later, and nothing is lost."""
        client = self.session()
        sent = 0
        for _ in range(20):
            messages = batches()
            numbers = [number for batch in messages for number in client.submit(batch)]
            flat = list(itertools.chain.from_iterable(messages))
            sent += len(flat)
            errors = {n: error for n, error in client.outcome(numbers).items() if error}
            for number, error in errors.items():
                self.assert_code(error, "BUSY")
                self.assertGreater(error.retry_after_ms, 0)
                self.accept(client, flat[number - numbers[0]])
            if any(error.right == right for error in errors.values()):
                break
        else:
            self.fail("never busy")
        self.assertEqual(self.queue(client).waiting, sent)

    def large(self) -> list[list[Outgoing]]:
        return [[self.letter(b"x" * (1000 * KIB))] for _ in range(20)]

    def small(self) -> list[list[Outgoing]]:
        return [[self.letter(b"") for _ in range(1024)] for _ in range(6)]


class Window(Flood):
    """Unanswered messages of a connection."""

    settings = {"store": {"map_size_mb": 1024, "reserve_mb": 1}}

    def test_bytes(self) -> None:
        self.assert_busy(self.large, str(8 * MIB))

    def test_messages(self) -> None:
        self.assert_busy(self.small, "4096")


class Storing(Flood):
    """What the broker holds of everybody, 4 MiB here."""

    settings = {"store": {"map_size_mb": 1024, "reserve_mb": 1}, "limits": {"storing_mb": 4}}

    def test_bytes(self) -> None:
        self.assert_busy(self.large, str(4 * MIB))


class Full(BrokerCase):
    """A store of 16 MiB."""

    settings = {"store": {"map_size_mb": 16, "reserve_mb": 1}}

    def test_full_and_accepted_once_there_is_room(self) -> None:
        client = self.session()
        for _ in range(40):
            message = self.letter(b"x" * (1000 * KIB))
            number = client.submit([message])[0]
            if error := client.outcome([number])[number]:
                break
        else:
            self.fail("40 MB in a store of 16 MiB")
        self.assert_code(error, "STORE_FULL")
        self.assertGreater(error.retry_after_ms, 0)
        client.attach(1, self.box, 3)
        for delivered in client.deliveries(3):
            client.ack(1, delivered.tag)
            client.settled(1, delivered.tag)
        self.accept(client, message)


class Twice(BrokerCase):
    """The same (member, id)."""

    def setUp(self) -> None:
        super().setUp()
        self.client = self.session()

    def test_is_accepted_and_stored_once(self) -> None:
        message = self.letter()
        self.accept(self.client, message)
        self.accept(self.client, message)
        self.accept(self.client, message, self.letter(), message)
        self.assertEqual(self.queue(self.client).waiting, 2)

    def test_of_another_client_of_the_member_is_the_same(self) -> None:
        message = self.letter()
        self.accept(self.client, message)
        other = self.session("sender")
        self.accept(other, message)
        self.assertEqual(self.queue(self.client).waiting, 1)

    def test_of_another_member_is_another(self) -> None:
        message = self.letter(id="shared-id")
        self.accept(self.client, message)
        other = self.session("notices", "dila")
        self.accept(other, message)
        self.assertEqual(self.queue(self.client).waiting, 2)

    def test_the_first_counts(self) -> None:
        self.client.attach(1, self.box, 10)
        self.accept(self.client, self.letter(b"first", id="used-id"))
        self.accept(self.client, self.letter(b"second", id="used-id"))
        self.assertEqual([m.payload for m in self.client.deliveries(1)], [b"first"])
        self.assertTrue(self.client.says_nothing("deliver"))

    def test_after_it_was_acknowledged(self) -> None:
        message = self.letter()
        self.client.attach(1, self.box, 10)
        self.accept(self.client, message)
        self.client.ack(1, self.client.deliveries(1)[0].tag)
        self.client.settled(1, 1)
        self.accept(self.client, message)
        self.assertEqual(self.queue(self.client).waiting, 0)


class Several(BrokerCase):
    """One message for two mailboxes of two members."""

    def test_each_gets_it(self) -> None:
        own, foreign = self.session(), self.session(member="commune-06088")
        own.attach(1, self.box, 1)
        foreign.attach(1, FOREIGN, 1)
        message = compose(b"both", id="to-two", source="/x", type="t", to=[self.box, FOREIGN], flow=FLOW)
        self.accept(own, message)
        for client in (own, foreign):
            self.assertEqual(client.deliveries(1)[0].envelope_bytes, message.envelope_bytes)


class MuchRefused(BrokerCase):
    """Thousands of messages that are refused at once: each costs its sender a few bytes."""

    ROUNDS, CLIENTS, MOST_KIB = 60, 8, 80 * KIB

    def test_memory_is_bounded(self) -> None:
        if self.broker.memory_most_kib() == 0:
            self.skipTest("a sanitizer's memory says nothing")
        wrong = compose(b"", id="a", source="s", type="t", flow="NONE", to=[self.box])
        clients = [self.session() for _ in range(self.CLIENTS)]
        self.broker.signal(signal.SIGSTOP)  # so that all of it waits when the turn begins
        for _ in range(self.ROUNDS):
            for client in clients:
                client.submit([wrong] * 1024)
        self.broker.signal(signal.SIGCONT)
        last = self.ROUNDS * 1024
        for client in clients:
            client.wait_for(lambda s: s.kind == "refused" and s.content.refusals[-1].number == last)
        self.assertLess(self.broker.memory_most_kib(), self.MOST_KIB)


if __name__ == "__main__":
    unittest.main()
