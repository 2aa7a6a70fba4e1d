# SPDX-License-Identifier: EUPL-1.2
"""Transport and session as docs/protocol.md tells them: who may come in, Hello, versions, Goodbye,
connections of a key, a key that is taken away, a broker that stops."""

from __future__ import annotations

import os
import signal
import socket
import time
import unittest

import zmq

from broker import BrokerCase
from client import ROUTING_ID_BYTES, Keys
from schema import code_name
from schema import command as pb


class ComingIn(BrokerCase):
    """The handshake and the routing id."""

    def test_an_unregistered_key_gets_nothing(self) -> None:
        client = self.open(keys=Keys.new())
        client.send(hello=pb.Hello(major=1))
        self.assertEqual(client.wire.event(10_000), zmq.EVENT_HANDSHAKE_FAILED_AUTH)
        self.assertIsNone(client.next(300))

    def test_a_wrong_key_of_the_broker_gets_nothing(self) -> None:
        client = self.open()
        other = type(client)(self.broker.endpoint, Keys.new().public, Keys.new())
        self.addCleanup(other.close)
        other.send(hello=pb.Hello(major=1))
        self.assertTrue(other.wire.is_gone())
        self.assertIsNone(other.next(300))

    def test_no_routing_id_is_cut(self) -> None:
        client = self.open(named=False)
        client.send(hello=pb.Hello(major=1))
        self.assertTrue(client.wire.is_gone())
        self.assertIsNone(client.next(100))

    def test_a_routing_id_of_another_size_is_cut(self) -> None:
        for size in (1, ROUTING_ID_BYTES - 1, ROUTING_ID_BYTES + 1, 255):
            with self.subTest(size):
                client = self.open(routing_id=b"x" * size)
                client.send(hello=pb.Hello(major=1))
                self.assertTrue(client.wire.is_gone())
                self.assertIsNone(client.next(100))

    def test_a_used_routing_id_gives_nothing_of_its_owner(self) -> None:
        routing_id = b"r" + os.urandom(ROUTING_ID_BYTES - 1)
        owner = self.open(routing_id=routing_id)
        owner.hello()
        thief = self.open("notices", "dila", routing_id=routing_id)
        thief.send(hello=pb.Hello(major=1))
        owner.attach(1, self.box, 10)
        self.accept(owner, self.letter())
        owner.ack(1, owner.deliveries(1)[0].tag)
        owner.settled(1, 1)
        self.assertIsNone(thief.next(300))


class Silent(BrokerCase):
    """Whoever comes and says nothing."""

    def test_a_handshake_that_is_not_finished(self) -> None:
        host, port = self.broker.endpoint.removeprefix("tcp://").rsplit(":", 1)
        with socket.create_connection((host.strip("[]"), int(port))) as raw:
            raw.settimeout(10)
            began = time.monotonic()
            while raw.recv(1024):
                pass
            self.assertAlmostEqual(time.monotonic() - began, 3, delta=1.5)

    def test_no_hello(self) -> None:
        client = self.open()
        self.assertEqual(client.wire.event(10_000), zmq.EVENT_HANDSHAKE_SUCCEEDED)
        began = time.monotonic()
        self.assertTrue(client.wire.is_gone(20_000))
        self.assertGreater(time.monotonic() - began, 9)


class Hello(BrokerCase):
    """The first command."""

    def test_welcome_says_who_the_key_is(self) -> None:
        welcome = self.open("receiver").hello()
        self.assertEqual((welcome.major, welcome.minor), (1, 2))
        self.assertEqual((welcome.member, welcome.client), ("commune-76540", "receiver"))
        self.assertEqual(list(welcome.roles), [pb.ROLE_RECEIVE])

    def test_limits_are_those_of_the_page(self) -> None:
        limits = self.open().hello().limits
        self.assertEqual(
            limits,
            pb.Limits(
                payload_bytes=1_048_576, envelope_bytes=16_384, batch_messages=1024, batch_bytes=2_097_152,
                window_messages=4096, window_bytes=8_388_608, credit=1024, consumers=64,
                stored_bytes=4_294_967_295,
            ),
        )  # fmt: skip

    def test_wrong_major_version(self) -> None:
        for major in (0, 2, 2**32 - 1):
            with self.subTest(major):
                client = self.open()
                client.send(hello=pb.Hello(major=major, software="x/1"))
                error = self.assert_cut(client, "VERSION_UNSUPPORTED", "hello.major")
                self.assertEqual((error.wrong, error.right), (str(major), "1"))

    def test_a_newer_minor_version_is_welcome(self) -> None:
        self.assertEqual(self.open().hello(minor=7).minor, 2)

    def test_software_of_65_bytes(self) -> None:
        self.open().hello(software="x" * 64)
        client = self.open()
        client.send(hello=pb.Hello(major=1, software="x" * 65))
        self.assert_cut(client, "FIELD_INVALID", "hello.software")

    def test_a_second_hello(self) -> None:
        client = self.session()
        client.send(hello=pb.Hello(major=1))
        self.assert_cut(client, "FIELD_INVALID", "hello")

    def test_anything_else_first(self) -> None:
        for name, command in (
            ("submit", pb.Submit(first_number=1)),
            ("attach", pb.Attach(consumer=1, address=self.box, credit=1)),
            ("credit", pb.Credit(consumer=1, add=1)),
            ("detach", pb.Detach(consumer=1)),
            ("ack", pb.Ack(consumer=1)),
            ("nack", pb.Nack(consumer=1)),
            ("query", pb.Query(number=1, status=pb.StatusQuery())),
        ):
            with self.subTest(name):
                client = self.open()
                client.send(**{name: command})
                self.assert_code(client.wait("error").content, "HELLO_FIRST")
                self.assertEqual(client.hello().member, "commune-76540", "Hello may still be said")
                client.close()

    def test_nothing_is_stored_before_hello(self) -> None:
        client = self.open()
        client.submit([self.letter()])
        self.assert_code(client.wait("error").content, "HELLO_FIRST")
        client.hello()
        self.assertEqual(self.queue(client).waiting, 0)


class Goodbye(BrokerCase):
    """Both ends of it."""

    def test_the_broker_hangs_up(self) -> None:
        client = self.session()
        client.goodbye()
        self.assertTrue(client.wire.is_gone())

    def test_goodbye_before_hello(self) -> None:
        client = self.open()
        client.goodbye()
        self.assertTrue(client.wire.is_gone())

    def test_answers_come_before_it(self) -> None:
        client = self.session()
        client.attach(1, self.box, 1)
        self.accept(client, self.letter())
        message = client.deliveries(1)[0]
        client.ack(1, message.tag)
        client.settled(1, message.tag)
        client.goodbye()
        self.assertTrue(client.wire.is_gone())
        self.assertEqual(self.queue(self.session()).waiting, 0)


class ManyConnections(BrokerCase):
    """limits.connections_per_key and limits.connections, 3 and 4 here."""

    settings = {"limits": {"connections_per_key": 3, "connections": 4}}

    def test_one_too_many(self) -> None:
        sessions = [self.session() for _ in range(3)]
        for name, right in (("files", "3"), ("sender", "4")):
            with self.subTest(name):
                extra = self.open(name)
                extra.send(hello=pb.Hello(major=1))
                self.assertEqual(self.assert_cut(extra, "LIMIT_EXCEEDED").right, right)
            if name == "files":
                sessions.append(self.session("watch"))
        sessions[0].goodbye()
        self.assertTrue(sessions[0].wire.is_gone())
        self.session()


class Strangers(BrokerCase):
    """Who never says Hello holds no more descriptors than twice limits.connections_per_key."""

    settings = {"limits": {"connections_per_key": 3}}

    def test_one_too_many(self) -> None:
        for _ in range(6):
            client = self.open()
            client.send(ack=pb.Ack(consumer=1))
            self.assert_code(client.wait("error").content, "HELLO_FIRST")
        extra = self.open()
        extra.send(ack=pb.Ack(consumer=1))
        self.assertTrue(extra.wire.is_gone())
        self.session("sender")
        client.close()
        again = self.open()
        again.send(ack=pb.Ack(consumer=1))
        self.assert_code(again.wait("error").content, "HELLO_FIRST")


class Leaving(BrokerCase):
    """What the broker ends: a key that is taken away, roles that change, itself."""

    def test_a_key_is_revoked(self) -> None:
        client = self.session("leaver")
        stays = self.session()
        self.broker.write_member("commune-76540", without="leaver")
        self.broker.reload()
        self.addCleanup(self.restore)
        self.assert_code(client.wait("goodbye").content.reason, "KEY_REVOKED")
        self.assertTrue(client.wire.is_gone())
        again = self.open("leaver")
        again.send(hello=pb.Hello(major=1))
        self.assertEqual(again.wire.event(10_000), zmq.EVENT_HANDSHAKE_FAILED_AUTH)
        self.assert_alive(stays)

    def restore(self) -> None:
        self.broker.write_member("commune-76540")
        self.broker.reload()

    def test_a_role_and_a_service_are_taken_away(self) -> None:
        self.addCleanup(self.restore)
        for change, code in (
            ({"roles": ["send"]}, "ROLE_MISSING"),
            ({"services": ["accueil"]}, "UNKNOWN_SERVICE"),
        ):
            with self.subTest(code):
                client = self.session("leaver")
                client.attach(7, self.box, 1)
                self.broker.write_member("commune-76540", changed="leaver", **change)
                self.broker.reload()
                detached = client.wait("detached").content
                self.assertEqual(detached.consumer, 7)
                self.assert_code(detached.reason, code)
                self.assert_alive(client)
                self.restore()

    def test_draining(self) -> None:
        client = self.session()
        self.accept(client, *(self.letter() for _ in range(20)))
        self.broker.signal(signal.SIGTERM)
        reason = client.wait("goodbye").content.reason
        self.assertEqual(code_name(reason.code), "DRAINING")
        self.assertGreater(reason.retry_after_ms, 0)
        self.assertTrue(client.wire.is_gone())
        self.broker.stop()
        self.broker.start()
        self.assertEqual(self.queue(self.session()).waiting, 20)


if __name__ == "__main__":
    unittest.main()
