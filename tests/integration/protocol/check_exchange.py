# SPDX-License-Identifier: EUPL-1.2
"""The worked exchange of docs/protocol.md, said to a real broker: its answers are those of the page,
byte for byte, but for its version and the times."""

from __future__ import annotations

import itertools
import unittest

from broker import BrokerCase
from client import PATIENCE_MS, Client, Message
from exchange import KINDS, PAGE, Shown, read_page


def _without_times(message: Message) -> Message:
    """What differs from one run to the next is made the same."""
    kind = message.WhichOneof("command")
    if kind == "welcome":
        message.welcome.ClearField("software")
        message.welcome.ClearField("time_ms")
    elif kind == "deliver":
        for delivery in message.deliver.deliveries:
            delivery.ClearField("accepted_ms")
    return message


def _turns(shown: list[Shown]) -> list[list[Shown]]:
    """The blocks of each command together."""
    return [list(blocks) for _, blocks in itertools.groupby(shown, key=lambda block: block.name)]


class Exchange(BrokerCase):
    """The page against the broker."""

    def test_the_page_is_what_happens(self) -> None:
        client = self.open()
        sent_body: list[bytes] = []
        for turn in _turns(read_page(PAGE.read_text(encoding="utf-8"))):
            with self.subTest(turn[0].name):
                if turn[0].from_client:
                    body = [b"".join(block.data for block in turn[1:])] if turn[1:] else []
                    sent_body = body or sent_body
                    client.wire.send([turn[0].data, *body])
                else:
                    self._compare(client, turn[0], sent_body)
        self.assertTrue(client.wire.is_gone())

    def _compare(self, client: Client, block: Shown, sent_body: list[bytes]) -> None:
        frames = client.wire.receive(PATIENCE_MS)
        self.assertIsNotNone(frames, "no answer")
        said, on_page = (KINDS[block.kind].FromString(data) for data in (frames[0], block.data))
        self.assertEqual(_without_times(said), _without_times(on_page))
        self.assertEqual(frames[1:], sent_body if block.name == "Deliver" else [])


if __name__ == "__main__":
    unittest.main()
