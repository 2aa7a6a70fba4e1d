# SPDX-License-Identifier: EUPL-1.2
"""Trying again as docs/protocol.md tells it: a connection or the broker goes at any moment; whoever
submits again what had no answer, and remembers ids, gets every message once."""

from __future__ import annotations

import time
import unittest

from broker import BrokerCase
from client import Client


class Again(BrokerCase):
    """Reconnect, resubmit, receive."""

    def receive_all(self, client: Client, count: int) -> dict[str, int]:
        """Acknowledges until so many ids have come; how often each did."""
        client.attach(1, self.box, 1000)
        seen: dict[str, int] = {}
        while len(seen) < count:
            for message in client.deliveries(1):
                seen[message.envelope.id] = seen.get(message.envelope.id, 0) + 1
                client.ack(1, message.tag)
                client.settled(1, message.tag)
        return seen

    def test_the_connection_goes_before_the_answers(self) -> None:
        messages = [self.letter(b"x" * 2000) for _ in range(300)]
        lost = self.session()
        lost.submit(messages)
        lost.wait("accepted")
        lost.close()
        again = self.session()
        self.accept(again, *messages)
        self.assertEqual(self.queue(again).waiting, len(messages))
        self.assertEqual(self.receive_all(again, len(messages)), {m.envelope.id: 1 for m in messages})

    def test_the_connection_goes_at_once(self) -> None:
        message = self.letter()
        for _ in range(5):
            lost = self.session()
            lost.submit([message])
            lost.close()
        again = self.session()
        self.accept(again, message)
        self.assertEqual(self.queue(again).waiting, 1)

    def test_the_broker_is_killed(self) -> None:
        accepted = [self.letter() for _ in range(50)]
        unanswered = [self.letter() for _ in range(50)]
        client = self.session()
        self.accept(client, *accepted)
        client.submit(unanswered)
        self.broker.kill()
        self.broker.start()
        again = self.session()
        self.assertGreaterEqual(self.queue(again).waiting, len(accepted))
        self.accept(again, *unanswered)
        everything = accepted + unanswered
        self.assertEqual(self.queue(again).waiting, len(everything))
        self.assertEqual(self.receive_all(again, len(everything)), {m.envelope.id: 1 for m in everything})

    def test_what_was_accepted_has_not_expired(self) -> None:
        message = self.letter(expires_at_ms=int(time.time() * 1000) + 500)
        late = self.letter(expires_at_ms=int(time.time() * 1000) + 500)
        client = self.session()
        self.accept(client, message)
        time.sleep(1)
        again = self.session()
        self.accept(again, message)
        answers = again.outcome(again.submit([late]))
        self.assert_code(*answers.values(), "EXPIRED")
        # Nobody has read the mailbox.
        deadline = time.monotonic() + 20
        while self.queue(again).dead != 1 and time.monotonic() < deadline:
            time.sleep(0.2)
        self.assertEqual((self.queue(again).waiting, self.queue(again).dead), (0, 1))

    def test_settled_answers_outlive_the_broker(self) -> None:
        client = self.session()
        self.accept(client, *(self.letter() for _ in range(10)))
        client.attach(1, self.box, 10)
        tags = [message.tag for message in client.deliveries(10)]
        client.ack(1, *tags[:6])
        client.refuse(1, tags[6])
        client.settled(1, *tags[:7])
        self.broker.kill()
        self.broker.start()
        queue = self.queue(self.session())
        self.assertEqual((queue.waiting, queue.dead), (3, 1))

    def test_ids_are_remembered_by_a_new_broker(self) -> None:
        message = self.letter()
        self.accept(self.session(), message)
        self.broker.stop()
        self.broker.start()
        client = self.session()
        self.accept(client, message)
        self.assertEqual(self.queue(client).waiting, 1)


if __name__ == "__main__":
    unittest.main()
