# SPDX-License-Identifier: EUPL-1.2
"""Asking as docs/protocol.md tells it: status and queues, and who may see what."""

from __future__ import annotations

import unittest

from broker import FLOWS, FOREIGN, MEMBERS, BrokerCase
from schema import command as pb


class Asking(BrokerCase):
    """Query and Answer."""

    def addresses(self, name: str, member: str = "commune-76540") -> list[str]:
        return [queue.address for queue in self.session(name, member).queues(limit=500).queues.queues]

    def test_status_is_for_operators(self) -> None:
        for name in ("files", "sender", "receiver"):
            with self.subTest(name):
                answer = self.session(name).status()
                self.assert_code(answer.error, "ROLE_MISSING", "client.roles")

    def test_status_counts(self) -> None:
        watch, client = self.session("watch"), self.session()
        before = watch.status().status
        message = self.letter(b"x" * 100)
        self.accept(client, message)
        self.accept(client, message)
        client.outcome(client.submit([self.letter(flow="INCONNU")]))
        client.attach(1, self.box, 1)
        client.deliveries(1)
        status = watch.status().status
        bytes_added = len(message.envelope_bytes) + 100
        for name, more in (
            ("waiting", 1), ("waiting_bytes", bytes_added), ("leased", 1), ("consumers", 1), ("dead", 0),
            ("accepted_total", 2), ("duplicates_total", 1), ("refused_total", 1), ("delivered_total", 1),
        ):  # fmt: skip
            with self.subTest(name):
                self.assertEqual(getattr(status, name) - getattr(before, name), more)
        self.assertEqual((status.members, status.flows), (len(MEMBERS), len(FLOWS)))
        self.assertEqual(status.connections, 2)
        self.assertGreater(status.store_size_bytes, status.store_used_bytes)
        client.ack(1, 1)
        client.settled(1, 1)
        after = watch.status().status
        self.assertEqual(after.acknowledged_total - before.acknowledged_total, 1)
        self.assertEqual((after.waiting, after.leased), (before.waiting, before.leased))

    def test_queues_are_those_of_the_member(self) -> None:
        client = self.session()
        self.accept(client, self.letter(to=[self.box, FOREIGN]))
        own = self.addresses("files")
        self.assertIn(self.box, own)
        self.assertNotIn(FOREIGN, own)
        self.assertEqual(self.addresses("files", "commune-06088"), [FOREIGN])
        self.assertEqual(self.addresses("notices", "dila"), [])
        everything = self.addresses("watch")
        self.assertLessEqual({self.box, FOREIGN}, set(everything))
        self.assertEqual(everything, sorted(everything))

    def test_queues_page_by_page(self) -> None:
        client = self.session()
        boxes = [f"commune-76540/boite-{number}" for number in range(40, 50)]
        self.accept(client, self.letter(to=boxes))
        found: list[str] = []
        more = True
        while more:
            queues = client.queues(after=found[-1] if found else "", limit=3).queues
            self.assertLessEqual(len(queues.queues), 3)
            found.extend(queue.address for queue in queues.queues)
            more = queues.more
        self.assertEqual(found, sorted(found))
        self.assertLessEqual(set(boxes), set(found))
        self.assertEqual(len(found), len(set(found)))

    def test_queues_behind_the_last_and_of_others(self) -> None:
        client = self.session()
        self.accept(client, self.letter(to=[self.box, FOREIGN]))
        for after in ("zzz/z", "commune-76541/a"):
            queues = client.queues(after=after).queues
            self.assertEqual((list(queues.queues), queues.more), ([], False))
        for after in ("a/a", "commune-06088/a"):
            listed = client.queues(after=after, limit=500).queues.queues
            self.assertTrue(all(queue.address.startswith("commune-76540/") for queue in listed))

    def test_a_limit_that_is_too_large_is_lowered(self) -> None:
        self.assertEqual(self.session().queues(limit=2**32 - 1).WhichOneof("what"), "queues")

    def test_an_unknown_question(self) -> None:
        client = self.session()
        client.send(query=pb.Query(number=77))
        answer = client.wait("answer").content
        self.assertEqual(answer.number, 77)
        self.assert_code(answer.error, "UNKNOWN_COMMAND", "query.what")


if __name__ == "__main__":
    unittest.main()
