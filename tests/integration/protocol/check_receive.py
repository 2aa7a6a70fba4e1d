# SPDX-License-Identifier: EUPL-1.2
"""Receiving as docs/protocol.md tells it: attach, credit, leases, the three answers, what comes again
and when, dead letters."""

from __future__ import annotations

import time
import unittest

from broker import FOREIGN, BrokerCase
from client import Client
from schema import command as pb

LEASE_S, RETRY_S, ATTEMPTS = 1, 1, 3


class Receiving(BrokerCase):
    """A client that sends and receives. The broker has a short lease."""

    settings = {
        "limits": {"connections_per_key": 100},
        "delivery": {"lease_s": LEASE_S, "retry_s": RETRY_S, "attempts": ATTEMPTS},
    }

    def setUp(self) -> None:
        super().setUp()
        self.client = self.session()

    def attached(self, credit: int, *, client: Client | None = None, consumer: int = 1) -> Client:
        """The client with a consumer for the test's mailbox."""
        used = client or self.client
        answer = used.attach(consumer, self.box, credit)
        self.assertIsInstance(answer, pb.Attached)
        return used

    def send(self, count: int, payload: bytes = b"Bonjour") -> None:
        for _ in range(count):
            self.accept(self.client, self.letter(payload))

    def assert_error(self, code: str, field: str, client: Client | None = None) -> pb.Error:
        """An Error, after which the connection goes on."""
        used = client or self.client
        error = used.wait("error").content
        self.assert_code(error, code, field)
        self.assert_alive(used)
        return error


    def assert_dead(self, code: str) -> None:
        """The test's only message is a dead letter; the broker's log says why."""
        queue = self.queue(self.client)
        self.assertEqual((queue.waiting, queue.dead), (0, 1))
        self.assertRegex(self.broker.log, f"event=delivery.dead mailbox={self.box} .*code=CODE_{code}")


class Attach(Receiving):
    """Attach, Attached, Detached."""

    def assert_detached(self, code: str, consumer: int, address: str, credit: int = 1) -> pb.Error:
        answer = self.client.attach(consumer, address, credit)
        self.assertIsInstance(answer, pb.Detached)
        self.assert_code(answer.reason, code)
        self.assert_alive(self.client)
        return answer.reason

    def test_attached_tells_the_lease(self) -> None:
        answer = self.client.attach(2**32 - 1, self.box, 0)
        self.assertEqual((answer.consumer, answer.lease_ms), (2**32 - 1, LEASE_S * 1000))

    def test_consumer_0(self) -> None:
        self.assert_detached("FIELD_INVALID", 0, self.box)

    def test_a_number_in_use(self) -> None:
        self.attached(1)
        self.client.send(attach=pb.Attach(consumer=1, address=self.box, credit=1))
        self.assert_error("FIELD_INVALID", "attach.consumer")
        self.send(1)
        self.assertEqual(len(self.client.deliveries(1)), 1)

    def test_a_number_may_be_used_again(self) -> None:
        self.attached(1)
        self.assertFalse(self.client.detach(1).HasField("reason"))
        self.send(1)
        self.attached(1)
        self.assertEqual(self.client.deliveries(1)[0].tag, 1)

    def test_addresses(self) -> None:
        for address, code in (
            ("", "FIELD_MISSING"),
            ("commune-76540", "FIELD_INVALID"),
            ("Commune/x", "FIELD_INVALID"),
            ("nobody/etat-civil", "UNKNOWN_MEMBER"),
            ("commune-76540/cantine", "UNKNOWN_SERVICE"),
            (FOREIGN, "NOT_YOUR_MAILBOX"),
            ("commune-06088/cantine", "NOT_YOUR_MAILBOX"),
        ):
            with self.subTest(address):
                self.assertEqual(self.assert_detached(code, 1, address).field, "attach.address")

    def test_without_the_role(self) -> None:
        for name in ("sender", "watch"):
            with self.subTest(name):
                answer = self.session(name).attach(1, self.box, 1)
                self.assert_code(answer.reason, "ROLE_MISSING", "client.roles")

    def test_too_much_credit(self) -> None:
        reason = self.assert_detached("LIMIT_EXCEEDED", 1, self.box, credit=1025)
        self.assertEqual(reason.right, "1024")
        self.attached(1024)

    def test_too_many_consumers(self) -> None:
        for consumer in range(1, 65):
            self.attached(0, consumer=consumer)
        self.assertEqual(self.assert_detached("LIMIT_EXCEEDED", 65, self.box).right, "64")

    def test_unknown_consumers(self) -> None:
        tags = [pb.Range(first=1, last=1)]
        for name, command in (
            ("credit", pb.Credit(consumer=9, add=1)),
            ("detach", pb.Detach(consumer=9)),
            ("ack", pb.Ack(consumer=9, tags=tags)),
            ("nack", pb.Nack(consumer=9, tags=tags)),
        ):
            with self.subTest(name):
                self.client.send(**{name: command})
                self.assertEqual(self.assert_error("UNKNOWN_CONSUMER", f"{name}.consumer").wrong, "9")


class Credit(Receiving):
    """A consumer without credit gets nothing."""

    def test_each_delivery_uses_one(self) -> None:
        self.attached(0)
        self.send(3)
        self.assertTrue(self.client.says_nothing("deliver"))
        tags = []
        for _ in range(3):
            self.client.credit(1, 1)
            tags.extend(message.tag for message in self.client.deliveries(1))
            self.assertTrue(self.client.says_nothing("deliver", 100))
        self.assertEqual(tags, [1, 2, 3])

    def test_an_answer_gives_none_back(self) -> None:
        self.attached(1)
        self.send(2)
        self.client.ack(1, self.client.deliveries(1)[0].tag)
        self.client.settled(1, 1)
        self.assertTrue(self.client.says_nothing("deliver"))

    def test_too_much(self) -> None:
        self.attached(1000)
        for add in (25, 2**32 - 1):
            with self.subTest(add):
                self.client.credit(1, add)
                self.assertEqual(self.assert_error("LIMIT_EXCEEDED", "credit.add").right, "24")
        self.client.credit(1, 24)
        self.assert_alive(self.client)
        self.assertTrue(self.client.says_nothing("error", 100))

    def test_tags_count_for_each_consumer(self) -> None:
        self.attached(2)
        self.attached(2, consumer=2)
        self.send(4)
        found = sorted((message.consumer, message.tag) for message in self.client.deliveries(4))
        self.assertEqual(found, [(1, 1), (1, 2), (2, 1), (2, 2)])

    def test_8_mib_held_are_enough(self) -> None:
        self.send(12, b"x" * (1000 * 1024))
        self.attached(12)
        held = self.client.deliveries(9)  # 8 are less than 8 MiB
        self.assertEqual(len(held), 9)
        self.assertTrue(self.client.says_nothing("deliver", 200))
        self.client.ack(1, *(message.tag for message in held))
        self.assertEqual(len(self.client.deliveries(3)), 3)


class Answers(Receiving):
    """Ack, Nack, refuse."""

    def test_ack_forgets(self) -> None:
        self.attached(10)
        self.send(3)
        tags = [message.tag for message in self.client.deliveries(3)]
        self.client.ack(1, *tags)
        self.client.settled(1, *tags)
        self.assertEqual(self.queue(self.client).waiting, 0)

    def test_unknown_tags(self) -> None:
        self.attached(10)
        self.send(1)
        self.client.deliveries(1)
        top = 2**64 - 1
        for first, last, wrong in ((0, 0, 0), (2, 2, 2), (5, 3, 5), (top, top, top), (2, top, 2)):
            for name, make in (("ack", pb.Ack), ("nack", pb.Nack)):
                with self.subTest(name, first=first, last=last):
                    tags = [pb.Range(first=first, last=last)]
                    self.client.send(**{name: make(consumer=1, tags=tags)})
                    error = self.assert_error("UNKNOWN_DELIVERY", f"{name}.tags")
                    self.assertEqual(error.wrong, str(wrong))

    def test_known_tags_beside_unknown_ones_are_answered(self) -> None:
        self.attached(10)
        self.send(2)
        self.client.deliveries(2)
        self.client.ack(1, 1, 2, 7, 9)
        self.assertEqual(self.assert_error("UNKNOWN_DELIVERY", "ack.tags").wrong, "7")
        self.client.settled(1, 1, 2)
        self.assertEqual(self.queue(self.client).waiting, 0)

    def test_twice(self) -> None:
        self.attached(10)
        self.send(1)
        self.client.deliveries(1)
        self.client.ack(1, 1)
        self.client.settled(1, 1)
        self.client.ack(1, 1)
        self.assert_error("UNKNOWN_DELIVERY", "ack.tags")

    def test_nack_at_once(self) -> None:
        self.attached(10)
        self.send(1)
        first = self.client.deliveries(1)[0]
        self.client.nack(1, first.tag, reason="the software is being updated")
        self.client.settled(1, first.tag)
        again = self.client.deliveries(1, timeout_ms=900)[0]
        self.assertEqual((again.tag, again.attempt), (2, 2))
        self.assertEqual(again.envelope_bytes, first.envelope_bytes)
        self.assertEqual(again.accepted_ms, first.accepted_ms)

    def test_nack_with_a_delay(self) -> None:
        self.attached(10)
        self.send(1)
        self.client.nack(1, self.client.deliveries(1)[0].tag, delay_ms=700)
        began = time.monotonic()
        self.assertEqual(self.client.deliveries(1)[0].attempt, 2)
        self.assertGreaterEqual(time.monotonic() - began, 0.65)

    def test_nack_that_is_wrong_leaves_the_delivery_held(self) -> None:
        self.attached(10)
        self.send(1)
        tag = self.client.deliveries(1)[0].tag
        self.client.nack(1, tag, delay_ms=604_800_001)
        self.assertEqual(self.assert_error("FIELD_INVALID", "nack.delay_ms").right, "604800000")
        self.client.nack(1, tag, reason="x" * 257)
        self.assert_error("FIELD_INVALID", "nack.reason")
        self.client.nack(1, tag, reason="x" * 256, delay_ms=604_800_000)
        self.client.settled(1, tag)

    def test_refuse_makes_a_dead_letter(self) -> None:
        self.attached(10)
        self.send(1)
        self.client.refuse(1, self.client.deliveries(1)[0].tag, reason="not for us")
        self.client.settled(1, 1)
        self.assert_dead("REFUSED_BY_RECIPIENT")
        self.assertTrue(self.client.says_nothing("deliver"))

    def test_the_last_attempt(self) -> None:
        self.attached(10)
        self.send(1)
        for attempt in range(1, ATTEMPTS + 1):
            message = self.client.deliveries(1)[0]
            self.assertEqual(message.attempt, attempt)
            self.client.nack(1, message.tag)
            self.client.settled(1, message.tag)
        self.assert_dead("ATTEMPTS_EXHAUSTED")


class ComingAgain(Receiving):
    """What is held without an answer."""

    def test_the_lease_runs_out(self) -> None:
        self.attached(10)
        self.send(1)
        first = self.client.deliveries(1)[0]
        began = time.monotonic()
        again = self.client.deliveries(1)[0]
        self.assertGreaterEqual(time.monotonic() - began, LEASE_S + 0.8 * RETRY_S - 0.1)
        self.assertEqual((again.tag, again.attempt), (2, 2))
        self.client.ack(1, first.tag)
        self.assertEqual(self.assert_error("UNKNOWN_DELIVERY", "ack.tags").wrong, "1")
        self.client.ack(1, again.tag)
        self.client.settled(1, again.tag)

    def test_leases_last_while_earlier_deliveries_are_answered(self) -> None:
        self.attached(10)
        self.send(4)
        self.client.deliveries(4)
        for tag in (1, 2, 3, 4):  # the last is answered after 2.8 s of a lease of 1 s
            time.sleep(0.7 * LEASE_S)
            self.client.ack(1, tag)
            self.client.settled(1, tag)
        self.assertTrue(self.client.says_nothing("error", 100))
        self.assertEqual(self.queue(self.client).waiting, 0)

    def test_an_extended_lease_lasts_as_long_as_it_was_asked_for(self) -> None:
        self.attached(10)
        self.send(1)
        self.client.deliveries(1)
        self.client.extend(1, 1, by_ms=4000 * LEASE_S)
        self.assertTrue(self.client.says_nothing("deliver", 2500 * LEASE_S))
        self.client.ack(1, 1)
        self.client.settled(1, 1)
        self.assertEqual(self.queue(self.client).waiting, 0)

    def test_an_extended_lease_runs_out(self) -> None:
        self.attached(10)
        self.send(1)
        self.client.deliveries(1)
        began = time.monotonic()
        self.client.extend(1, 1, by_ms=1)  # sooner than it was
        self.assertEqual(self.client.deliveries(1)[0].attempt, 2)
        self.assertLess(time.monotonic() - began, RETRY_S * 1.2 + 0.7)

    def test_an_extension_that_is_wrong_changes_nothing(self) -> None:
        self.attached(10)
        self.send(1)
        self.client.deliveries(1)
        for by_ms in (0, 86_400_001):
            self.client.extend(1, 1, by_ms=by_ms)
            self.assertEqual(self.assert_error("FIELD_INVALID", "extend.by_ms").right, "86400000")
        self.client.extend(1, 2, by_ms=1000)
        self.assert_error("UNKNOWN_DELIVERY", "extend.tags")
        self.client.extend(9, 1, by_ms=1000)
        self.assert_error("UNKNOWN_CONSUMER", "extend.consumer")
        self.client.ack(1, 1)
        self.client.settled(1, 1)

    def test_a_flow_has_a_lease_and_attempts_of_its_own(self) -> None:
        self.attached(10)
        self.accept(self.client, self.letter(flow="LENT"))
        said = self.client.wait("deliver")
        self.assertEqual(said.content.deliveries[0].lease_ms, 3000)
        self.assertTrue(self.client.says_nothing("deliver", 2400))
        self.client.nack(1, 1)
        self.assertEqual(self.client.deliveries(1)[0].attempt, 2)
        self.client.nack(1, 2)  # the second is the last in this flow
        self.client.settled(1, 1, 2)
        self.assert_dead("ATTEMPTS_EXHAUSTED")

    def test_a_dead_letter_tells_of_each_attempt(self) -> None:
        self.attached(10)
        self.send(1)
        self.client.deliveries(1)
        self.client.nack(1, 1, reason="database is away")
        self.client.deliveries(1)  # nothing is said: the lease runs out
        self.client.refuse(1, self.client.deliveries(1, 5000)[0].tag, reason="not for us")
        self.client.settled(1, 1, 3)
        [listed] = self.client.dead(self.box).dead.letters
        self.assertEqual(len(listed.history), 0)
        [letter] = self.client.dead_letter(self.box, listed.sequence).dead.letters
        self.assertEqual(
            [(one.number, one.ending, one.reason, one.client) for one in letter.history],
            [
                (1, pb.ENDING_NACK, "database is away", "files"),
                (2, pb.ENDING_LEASE, "", "files"),
                (3, pb.ENDING_REFUSE, "not for us", "files"),
            ],
        )
        self.assertTrue(all(one.at_ms > 0 for one in letter.history))

    def test_detach_counts_no_attempt(self) -> None:
        self.attached(10)
        self.send(2)
        self.client.deliveries(2)
        self.client.detach(1)
        other = self.attached(10, client=self.session("receiver"))
        self.assertEqual([message.attempt for message in other.deliveries(2)], [1, 1])

    def test_answers_are_settled_before_detached(self) -> None:
        self.attached(10)
        self.send(1)
        self.client.ack(1, self.client.deliveries(1)[0].tag)
        self.client.send(detach=pb.Detach(consumer=1))
        kinds = [self.client.next().kind for _ in range(2)]
        self.assertEqual(kinds, ["settled", "detached"])
        self.assertEqual(self.queue(self.client).waiting, 0)

    def test_goodbye_counts_no_attempt(self) -> None:
        leaving = self.attached(10, client=self.session("receiver"))
        self.send(1)
        leaving.deliveries(1)
        leaving.goodbye()
        self.attached(10)
        self.assertEqual(self.client.deliveries(1, timeout_ms=900)[0].attempt, 1)

    def test_a_lost_connection_counts_no_attempt(self) -> None:
        """The first of a consumer that answered nothing pauses, the others come at once."""
        lost = self.attached(10, client=self.session("receiver"))
        self.send(2)
        first, second = (message.envelope.id for message in lost.deliveries(2))
        lost.close()
        self.attached(10)
        at_once = self.client.deliveries(1, timeout_ms=900)[0]
        self.assertEqual((at_once.envelope.id, at_once.attempt), (second, 1))
        later = self.client.deliveries(1, timeout_ms=8000)[0]
        self.assertEqual((later.envelope.id, later.attempt), (first, 1))

    def test_a_cut_connection_counts_no_attempt(self) -> None:
        rude = self.attached(10, client=self.session("receiver"))
        self.send(1)
        rude.deliveries(1)
        rude.send(hello=pb.Hello(major=1))
        self.assert_cut(rude, "FIELD_INVALID")
        self.attached(10)
        self.assertEqual(self.client.deliveries(1, timeout_ms=900)[0].attempt, 1)


class Order(Receiving):
    """Priority, not_before, expiry."""

    def test_high_first_then_in_order(self) -> None:
        for name, priority in (
            ("l", "PRIORITY_LOW"),
            ("n1", "PRIORITY_NORMAL"),
            ("u", "PRIORITY_UNSPECIFIED"),
            ("h1", "PRIORITY_HIGH"),
            ("n2", "PRIORITY_NORMAL"),
            ("h2", "PRIORITY_HIGH"),
        ):
            self.accept(self.client, self.letter(name.encode(), priority=priority))
        self.attached(10)
        payloads = [message.payload.decode() for message in self.client.deliveries(6)]
        self.assertEqual(payloads, ["h1", "h2", "n1", "u", "n2", "l"])

    def test_of_one_key_one_at_a_time(self) -> None:
        for name, priority in (("1", "PRIORITY_LOW"), ("2", "PRIORITY_HIGH"), ("3", "PRIORITY_NORMAL")):
            self.accept(self.client, self.letter(name.encode(), ordering_key="K", priority=priority))
        self.accept(self.client, self.letter(b"free"))
        self.attached(5)
        for expected in (["1", "free"], ["2"], ["3"]):
            messages = self.client.deliveries(len(expected))
            self.assertEqual(sorted(message.payload.decode() for message in messages), expected)
            self.assertTrue(self.client.says_nothing("deliver"))
            tags = [message.tag for message in messages]
            self.client.ack(1, *tags)
            self.client.settled(1, *tags)

    def test_a_deferred_one_holds_those_of_its_key_up_whoever_receives(self) -> None:
        for name in ("1", "2"):
            self.accept(self.client, self.letter(name.encode(), ordering_key="K"))
        self.attached(5)
        self.client.nack(1, self.client.deliveries(1)[0].tag, delay_ms=700)
        self.client.settled(1, 1)
        other = self.attached(5, client=self.session())
        self.assertTrue(self.client.says_nothing("deliver"))
        self.assertTrue(other.says_nothing("deliver"))
        self.client.detach(1)
        self.assertEqual(other.deliveries(1)[0].payload, b"1")
        other.ack(1, 1)
        self.assertEqual(other.deliveries(1)[0].payload, b"2")

    def test_not_before(self) -> None:
        now_ms = self.open().hello().time_ms
        self.accept(self.client, self.letter(not_before_ms=now_ms + 700))
        self.attached(10)
        self.assertTrue(self.client.says_nothing("deliver", 300))
        self.assertEqual(self.client.deliveries(1)[0].attempt, 1)

    def test_an_expired_message_becomes_a_dead_letter(self) -> None:
        now_ms = self.open().hello().time_ms
        self.accept(self.client, self.letter(expires_at_ms=now_ms + 300))
        time.sleep(0.5)
        self.attached(10)
        self.assertTrue(self.client.says_nothing("deliver"))
        self.assert_dead("EXPIRED")


if __name__ == "__main__":
    unittest.main()
