# SPDX-License-Identifier: EUPL-1.2
"""What no client says: bytes that are not protobuf, bodies that do not fit, limits of
docs/protocol.md exceeded. Each is answered as the page tells, and the broker serves on."""

from __future__ import annotations

import os
import random
import unittest
from typing import Sequence

from broker import BrokerCase
from client import Client
from schema import command as pb
from schema import envelope as envelope_pb

SEED = int(os.environ.get("RELAIS_SEED", random.SystemRandom().randrange(2**32)))


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def long_field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def number_field(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


QUERY = pb.ToBroker(query=pb.Query(number=5, queues=pb.QueuesQuery())).SerializeToString()
PART = pb.Part(envelope_bytes=1, payload_bytes=0)


def nested(depth: int) -> bytes:
    data = b""
    for _ in range(depth):
        data = long_field(2, data)
    return data


# Not a ToBroker, or beyond a limit of the page.
UNREADABLE: dict[str, bytes] = {
    "random": bytes.fromhex("ff fe fd fc 00 01 02 80 80 80"),
    "text": b"GET / HTTP/1.1\r\n\r\n",
    "cut in a length": QUERY[:1],
    "cut in a field": QUERY[:-1],
    "a length beyond the end": b"\x12\x7f\x08\x01",
    "a length of 4 GiB": b"\x12\xff\xff\xff\xff\x0f",
    "a number without end": b"\x12\x0c\x08" + b"\xff" * 11,
    "field number 0": b"\x00\x00",
    "a group": b"\x0b" * 100,
    "wire type 7": b"\x0f",
    "a wire type that is not declared": number_field(2, 1),
    "nested 30,000 deep": nested(30_000)[:60_000],
    "two commands": QUERY + QUERY,
    "another command behind": QUERY + long_field(9, b""),
    "a field twice": long_field(3, number_field(1, 1) * 2),
    "a string that is not UTF-8": long_field(1, number_field(1, 1) + long_field(3, b"\xc3\x28")),
    "a string with a surrogate": long_field(1, number_field(1, 1) + long_field(3, b"\xed\xa0\x80")),
    "a string with NUL": long_field(3, number_field(1, 1) + long_field(2, b"a/b\x00c")),
    "65 unknown fields": QUERY + number_field(500, 1) * 65,
    "65 KiB": long_field(500, b"x" * (65 * 1024)),
    "one byte more than 64 KiB": long_field(500, b"x" * (64 * 1024 - 4)),
    "1,025 ranges": pb.ToBroker(
        ack=pb.Ack(consumer=1, tags=[pb.Range(first=i, last=i) for i in range(1, 1026)])
    ).SerializeToString(),
    "1,025 parts": pb.ToBroker(submit=pb.Submit(first_number=1, parts=[PART] * 1025)).SerializeToString(),
}


class Serving(BrokerCase):
    """A witness sees that the broker serves everybody else."""

    def setUp(self) -> None:
        super().setUp()
        self.witness = self.session()
        self.addCleanup(self.assert_alive, self.witness)


class Commands(Serving):
    """The first frame."""

    def test_unreadable_commands(self) -> None:
        for name, frame in UNREADABLE.items():
            for said_hello in (True, False):
                with self.subTest(name, hello=said_hello):
                    client = self.session() if said_hello else self.open()
                    client.wire.send([frame])
                    error = self.assert_cut(client, "MALFORMED")
                    self.assertNotEqual(error.wrong, "")
                    client.close()

    def test_64_kib_are_read(self) -> None:
        client = self.session()
        frame = QUERY + long_field(500, b"x" * (64 * 1024 - len(QUERY) - 5))
        self.assertEqual(len(frame), 64 * 1024)
        client.wire.send([frame])
        self.assertEqual(client.wait("answer").content.number, 5)

    def test_unknown_fields_are_tolerated(self) -> None:
        for name, more in (
            ("a number", number_field(500, 7)), ("bytes", long_field(501, b"anything")),
            ("64 of them", number_field(502, 1) * 64), ("fixed64", varint(503 << 3 | 1) + b"12345678"),
            ("fixed32", varint(504 << 3 | 5) + b"1234"),
        ):  # fmt: skip
            with self.subTest(name):
                client = self.session()
                client.wire.send([QUERY + more])
                self.assertEqual(client.wait("answer").content.number, 5)
        client = self.open()
        client.wire.send([long_field(1, number_field(1, 1) + number_field(99, 1))])
        self.assertEqual(client.wait("welcome").content.major, 1)

    def test_unknown_commands(self) -> None:
        for name, frames in (
            ("nothing", [b""]),
            ("a later command", [long_field(100, b"\x08\x01")]),
            ("a later command with a body", [long_field(100, b"\x08\x01"), b"body", b"more"]),
        ):
            with self.subTest(name):
                client = self.session()
                client.wire.send(frames)
                self.assert_code(client.wait("error").content, "UNKNOWN_COMMAND")
                self.assert_alive(client)

    def test_random_bytes(self) -> None:
        chance = random.Random(SEED)
        for _ in range(200):
            frames = [chance.randbytes(chance.randrange(0, 80)) for _ in range(chance.randrange(1, 4))]
            self.assert_answered(frames)

    def test_damaged_commands(self) -> None:
        chance = random.Random(SEED + 1)
        good = [
            pb.ToBroker(attach=pb.Attach(consumer=1, address=self.box, credit=10)),
            pb.ToBroker(submit=pb.Submit(first_number=1, parts=[PART] * 3)),
            pb.ToBroker(nack=pb.Nack(consumer=1, tags=[pb.Range(first=1, last=9)], reason="r")),
            pb.ToBroker(query=pb.Query(number=9, queues=pb.QueuesQuery(after="a/b", limit=3))),
        ]
        for _ in range(200):
            frame = bytearray(chance.choice(good).SerializeToString())
            for _ in range(chance.randrange(1, 4)):
                frame[chance.randrange(len(frame))] = chance.randrange(256)
            self.assert_answered([bytes(frame[: chance.randrange(1, len(frame) + 1)])])

    def assert_answered(self, frames: Sequence[bytes]) -> None:
        """Whatever the frames are: the connection goes on, or there was an Error and a Goodbye."""
        with self.subTest(seed=SEED, frames=[frame.hex() for frame in frames]):
            client = self.session()
            client.wire.send(frames)
            client.send(query=pb.Query(number=4321, queues=pb.QueuesQuery()))
            said = client.wait_for(
                lambda s: s.kind == "goodbye" or s.kind == "answer" and s.content.number == 4321
            )
            if said.kind == "goodbye" and said.content.HasField("reason"):
                error = client.wait("error").content
                self.assertEqual(error, said.content.reason)
                self.assertIn(error.code, (pb.CODE_MALFORMED, pb.CODE_FIELD_INVALID))
            client.close()


class Bodies(Serving):
    """The frames behind a command."""

    def submit(self, parts: Sequence[pb.Part], body: Sequence[bytes]) -> Client:
        client = self.session("sender")
        client.send(body, submit=pb.Submit(first_number=1, parts=parts))
        return client

    def test_bodies_that_do_not_fit(self) -> None:
        message = self.letter(b"payload")
        envelope, payload, part = message.envelope_bytes, message.payload, message.part()
        huge = pb.Part(envelope_bytes=2**32 - 1, payload_bytes=2**32 - 1)
        for name, parts, body in (
            ("no part", [], []),
            ("no part, but a body", [], [envelope]),
            ("no body", [part], []),
            ("a byte is missing", [part], [envelope + payload[:-1]]),
            ("a byte is left over", [part], [envelope + payload + b"x"]),
            ("a frame is left over", [part], [envelope, payload, b"x"]),
            ("the payload is missing", [part], [envelope]),
            ("a piece spans two frames", [part], [envelope[:10], envelope[10:] + payload]),
            ("the payload spans two frames", [part], [envelope + payload[:3], payload[3:]]),
            ("one part of two", [part, part], [envelope + payload]),
            ("4 GiB", [huge], [envelope + payload]),
            ("8 TiB", [huge] * 1024, [envelope + payload]),
            ("empty frames for something", [part], [b"", b""]),
        ):
            with self.subTest(name):
                self.assert_cut(self.submit(parts, body), "MALFORMED")

    def test_a_broken_body_harms_no_message(self) -> None:
        good = self.letter(b"payload")
        client = self.submit([good.part()] * 2, [good.envelope_bytes + good.payload, b"x"])
        self.assert_cut(client, "MALFORMED")
        self.assertEqual(self.queue(self.witness).waiting, 0)

    def test_a_body_behind_another_command(self) -> None:
        for name, command in (
            ("hello", pb.Hello(major=1)),
            ("attach", pb.Attach(consumer=1, address=self.box, credit=1)),
            ("query", pb.Query(number=1, status=pb.StatusQuery())),
            ("goodbye", pb.Goodbye()),
        ):
            with self.subTest(name):
                client = self.session()
                client.send([b"body"], **{name: command})
                self.assert_cut(client, "MALFORMED")

    def test_a_batch_that_is_too_large(self) -> None:
        half = self.letter(b"x" * 1_048_000)
        client = self.session("sender")
        client.submit([half, half, half], packed=False)
        error = self.assert_cut(client, "MALFORMED", "submit.parts")
        self.assertEqual(error.right, "2097152")

    def test_an_envelope_bomb(self) -> None:
        extension = envelope_pb.Extension(name="e", ce_string="x").SerializeToString()
        for name, data in (
            ("5,000 extensions", b"".join(long_field(8, b"") for _ in range(5000))),
            ("nested", nested(4000)[:16_000]),
            ("extensions of nothing", long_field(8, extension * 1000)),
        ):
            with self.subTest(name):
                client = self.submit([pb.Part(envelope_bytes=len(data))], [data])
                error = client.outcome([1])[1]
                self.assert_code(error, "FIELD_INVALID")
                self.assert_alive(client)


class Transport(Serving):
    """Beyond what the socket takes: cut without a word."""

    def assert_gone(self, frames: Sequence[bytes]) -> None:
        client = self.session("sender")
        client.wire.send(frames)
        self.assertTrue(client.wire.is_gone())

    def test_a_frame_that_is_too_large(self) -> None:
        self.assert_gone([b"x" * (2 * 1024 * 1024 + 64 * 1024 + 1)])

    def test_too_many_frames(self) -> None:
        self.assert_gone([pb.ToBroker(submit=pb.Submit(first_number=1)).SerializeToString()] + [b""] * 2049)

    def test_too_many_bytes(self) -> None:
        self.assert_gone([QUERY] + [b"x" * (1024 * 1024)] * 5)


if __name__ == "__main__":
    unittest.main()
