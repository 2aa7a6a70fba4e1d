# SPDX-License-Identifier: EUPL-1.2
"""Quotas of a member: what is beyond them is refused with the time to come again, and the others
notice nothing."""

from __future__ import annotations

import itertools
import threading
import time
import unittest

from daemon import OWN, SANITIZED, DaemonCase
from client import Client, Outgoing, compose
from schema import code_name

FLOODED = "commune-76540/boite-1"
RATE, BURST, MESSAGES, CONNECTIONS = 400, 200, 600, 3
CALM_MESSAGES = 40
CALM_MS = 2000 if SANITIZED else 500  # generous: a shared machine, and an interpreter at both ends

_ids = itertools.count()


def letter(member: str, to: str, payload: bytes = b"Bonjour") -> Outgoing:
    return compose(payload, id=f"q-{next(_ids)}", source=f"/{member}/tests", type="fr.relais.test",
                   to=[to], flow="ETATCIVIL")  # fmt: skip


class Flood(threading.Thread):
    """A client that submits and submits, whatever it is told."""

    def __init__(self, client: Client, stop: threading.Event) -> None:
        super().__init__()
        self.client = client
        self.stop = stop
        self.accepted = 0
        self.refused: dict[str, int] = {}
        self.over = 0

    def run(self) -> None:
        while not self.stop.is_set():
            numbers = self.client.submit([letter("commune-06088", FLOODED) for _ in range(100)])
            for error in self.client.outcome(numbers).values():
                if error is None:
                    self.accepted += 1
                    continue
                self.over += code_name(error.code) == "OVER_QUOTA" and error.retry_after_ms > 0
                self.refused[error.field] = self.refused.get(error.field, 0) + 1


class Quotas(DaemonCase):
    def setUp(self) -> None:
        super().setUp()
        quota = {"rate": RATE, "burst": BURST, "messages": MESSAGES, "connections": CONNECTIONS}
        self.broker.write_member("commune-06088", quota=quota)
        self.broker.start()

    def calm(self, count: int) -> list[float]:
        """Milliseconds that each submit of another member took, one after the other."""
        client = self.session("notices", "dila")
        took = []
        for _ in range(count):
            begin = time.monotonic()
            answers = client.outcome(client.submit([letter("dila", OWN)]))
            took.append((time.monotonic() - begin) * 1000)
            self.assertEqual(set(answers.values()), {None})
            time.sleep(0.02)
        return sorted(took)

    def test_a_flooding_member_disturbs_nobody(self) -> None:
        alone = self.calm(CALM_MESSAGES)
        stop = threading.Event()
        floods = [Flood(self.session("files", "commune-06088"), stop) for _ in range(CONNECTIONS)]
        begin = time.monotonic()
        for flood in floods:
            flood.start()
        try:
            beside = self.calm(CALM_MESSAGES)
        finally:
            stop.set()
            for flood in floods:
                flood.join(60)
        seconds = time.monotonic() - begin
        accepted = sum(flood.accepted for flood in floods)
        refused = sum(sum(flood.refused.values()) for flood in floods)
        print(f"calm: median {alone[len(alone) // 2]:.1f} ms alone, {beside[len(beside) // 2]:.1f} ms "
              f"beside {refused / seconds:.0f} refused a second, most {beside[-1]:.1f} ms")
        self.assertLess(beside[-1], CALM_MS)
        self.assertGreater(accepted, BURST // 2)
        self.assertLessEqual(accepted, min(MESSAGES, BURST + RATE * seconds + 1))
        self.assertGreater(refused, 0)
        self.assertEqual(refused, sum(flood.over for flood in floods))
        self.assertIn("quota.rate", {field for flood in floods for field in flood.refused})

    def test_the_store_is_full_for_one_member_alone(self) -> None:
        client = self.session("files", "commune-06088")
        numbers: list[int] = []
        answers = {}
        while len([a for a in answers.values() if a is None]) < MESSAGES:
            batch = client.submit([letter("commune-06088", FLOODED) for _ in range(50)])
            answers |= client.outcome(batch)
            numbers += batch
            time.sleep(50 / RATE)
        time.sleep(0.1)
        (error,) = client.outcome(client.submit([letter("commune-06088", FLOODED)])).values()
        assert error is not None
        self.assertEqual((code_name(error.code), error.field, error.wrong, error.right),
                         ("OVER_QUOTA", "quota.messages", str(MESSAGES), str(MESSAGES)))
        self.assertGreater(error.retry_after_ms, 1000)
        usage = client.usage().usage
        self.assertEqual((usage.member, usage.messages, usage.messages_quota),
                         ("commune-06088", MESSAGES, MESSAGES))
        self.assertEqual((usage.connections, usage.connections_quota), (1, CONNECTIONS))
        self.assertEqual(code_name(client.usage("dila").error.code), "ROLE_MISSING")
        self.assertEqual(self.session("watch").usage("commune-06088").usage.messages, MESSAGES)
        self.calm(1)  # another member's message finds room
        self.broker.kill()
        self.broker.start()
        self.take_some(10)
        after = self.session("files", "commune-06088")
        self.assertEqual(after.usage().usage.messages, MESSAGES - 10)
        sent = after.outcome(after.submit([letter("commune-06088", FLOODED) for _ in range(11)]))
        # Accepted may come a little later than a refusal.
        self.assertEqual([sent[number] is None for number in sorted(sent)], [True] * 10 + [False])

    def take_some(self, count: int) -> None:
        receiver = self.session()
        receiver.attach(1, FLOODED, count)
        delivered = receiver.deliveries(count)
        receiver.ack(1, *(one.tag for one in delivered))
        receiver.settled(1, *(one.tag for one in delivered))

    def test_connections_beyond_are_told_why(self) -> None:
        for _ in range(CONNECTIONS):
            self.session("files", "commune-06088")
        one_more = self.broker.client("commune-06088", "files")
        self.addCleanup(one_more.close)
        one_more.send(hello=hello())
        error = one_more.wait("error").content
        self.assertEqual((code_name(error.code), error.field, error.right),
                         ("OVER_QUOTA", "quota.connections", str(CONNECTIONS)))
        self.assertGreater(error.retry_after_ms, 0)
        self.assertEqual(code_name(one_more.wait("goodbye").content.reason.code), "OVER_QUOTA")
        self.session("notices", "dila")


def hello() -> object:
    from schema import command as pb

    return pb.Hello(major=1, minor=1, software="test/1")


if __name__ == "__main__":
    unittest.main()
