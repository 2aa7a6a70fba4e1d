#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Writes the wire's seeds: good messages of every kind, and bombs. They are committed; run this again
only when the protocol gains something. Protobuf is written by hand, so that bombs can be."""
import pathlib
import sys


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value)


def data(field, *parts):
    content = b"".join(p.encode() if isinstance(p, str) else p for p in parts)
    return varint(field << 3 | 2) + varint(len(content)) + content


def nested(field, depth):
    out = b""
    for _ in range(depth):
        out = data(field, out)
    return out


def ranges(field, *pairs):
    return b"".join(data(field, number(1, a), number(2, b)) for a, b in pairs)


def error(code):
    return (number(1, code) + data(2, "submit.parts[3].envelope.flow") + data(3, "jap") + data(4, "JAP, EC")
            + number(5, 1500))


PART = number(1, 310) + number(2, 2048)
BOMBS = {
    "bomb-nested": nested(2, 5000),
    "bomb-nested-unknown": nested(100, 3000),
    "bomb-empty-submessages": data(2, data(2) * 5000),
    "bomb-unknown": b"".join(number(100 + i, i) for i in range(1000)),
    "bomb-varint": b"\x08" + b"\xff" * 2000,
    "bomb-length": b"\x12\xff\xff\xff\xff\x0f",
    "bomb-group": b"\x0b" * 1000,
    "bomb-field-zero": b"\x00\x00",
    "empty": b"",
}
TO_BROKER = {
    "hello": data(1, number(1, 1), data(3, "relais/0.1.0")),
    "submit": data(2, number(1, 1), data(2, PART) * 3),
    "submit-full": data(2, number(1, 4097), data(2, PART) * 1024),
    "submit-too-many": data(2, number(1, 1), data(2, PART) * 1025),
    "attach": data(3, number(1, 1), data(2, "commune-76540/etat-civil"), number(3, 100)),
    "credit": data(4, number(1, 1), number(2, 50)),
    "detach": data(5, number(1, 1)),
    "ack": data(6, number(1, 1), ranges(2, (1, 64), (70, 70))),
    "nack": data(7, number(1, 1), ranges(2, (65, 69)), number(3, 5000), data(4, "database is away")),
    "extend": data(11, number(1, 1), ranges(2, (65, 69)), number(3, 60000)),
    "nack-refuse": data(7, number(1, 1), ranges(2, (1, 1)), data(4, "not for us"), number(5, 1)),
    "query-status": data(8, number(1, 7), data(2)),
    "query-queues": data(8, number(1, 8), data(3, data(1, "dila/annonces"), number(2, 500))),
    "query-usage": data(8, number(1, 9), data(7, data(1, "dila"))),
    "upload": data(12, number(1, 1), data(2, "big"), data(3, "ETATCIVIL"), number(4, 4294967295)),
    "chunk": data(13, number(1, 1), number(2, 262044)),
    "fetch": data(14, number(1, 1), number(2, 7), number(3, 524088), number(4, 262044)),
    "submit-upload": data(2, number(1, 1), data(2, number(1, 310), number(3, 1))),
    "manage-cancel": data(10, number(1, 9), data(4, data(1, "4d1f3c1e"))),
    "query-dead": data(8, number(1, 9), data(4, data(1, "dila/annonces"), number(2, 41), number(3, 100))),
    "manage-replay": data(10, number(1, 10), data(2, data(1, "dila/annonces"), number(2, 42))),
    "goodbye": data(9),
    "goodbye-reason": data(9, data(1, error(20))),
    "newer-minor": data(77, "a command to come"),
    "two-commands": data(1) + data(2),
    "bad-utf8": data(1, data(3, b"\xff\xfe")),
    "nul-in-text": data(1, data(3, b"a\0b")),
}
TO_CLIENT = {
    "welcome": data(1, number(1, 1), data(3, "relaisd/0.1.0"), data(4, "commune-76540"), data(5, "gru"),
                    data(6, b"\1\2\3"), data(7, *(number(i, 1 << 10 + i) for i in range(1, 9))),
                    number(8, 1767225600000)),
    "accepted": data(2, ranges(1, (1, 1024), (1030, 1030))),
    "refused": data(3, data(1, number(1, 3), data(2, error(10))), data(1, number(1, 4), data(2, error(14)))),
    "attached": data(4, number(1, 1), number(2, 60000)),
    "detached": data(5, number(1, 1), data(2, error(24))),
    "deliver": data(6, number(1, 1), number(2, 1),
                    data(3, data(1, PART), number(2, 1), number(3, 1767225600000)) * 5),
    "settled": data(7, number(1, 1), ranges(2, (1, 5))),
    "answer-status": data(8, number(1, 7), data(2, data(1, "relaisd/0.1.0"),
                                                *(number(i, i * 1000) for i in range(2, 19)))),
    "answer-cancelled": data(8, number(1, 9), data(6, number(1, 3), number(2, 4))),
    "answer-usage": data(8, number(1, 9), data(8, data(1, "dila"), *(number(i, i) for i in range(2, 12)))),
    "upload-state": data(11, number(1, 1), number(2, 262044), number(3, 262044), number(4, 1048176)),
    "upload-over": data(11, number(1, 1), data(5, error(14))),
    "fetched": data(12, number(1, 1), number(2, 7), number(3, 524088)),
    "fetched-not": data(12, number(1, 1), number(2, 7), data(4, error(18))),
    "answer-dead": data(8, number(1, 9), data(5, data(1, number(1, 42), number(2, 22), data(3, "not for us"),
                                                      number(4, 1), number(7, 1234), data(10, "id-1")) * 3)),
    "answer-done": data(8, number(1, 10), data(6)),
    "answer-queues": data(8, number(1, 8), data(3, data(1, data(1, "dila/annonces"), number(2, 12), number(4, 3)) * 4,
                                                number(2, 1))),
    "answer-error": data(8, number(1, 9), data(4, error(13))),
    "error": data(9, error(3)),
    "goodbye": data(10, data(1, error(20))),
    "error-negative-code": data(9, number(1, -1)),
}
ENVELOPE = {
    "least": data(1, "1") + data(2, "urn:x") + data(3, "t") + data(20, "dila/annonces") + data(21, "JAP"),
    "full": b"".join([
        data(1, "4d1f3c1e-7c55-4f5f-9f0c-0d5b0b6c2a11"), data(2, "/commune-76540/gru"), data(3, "fr.relais.file"),
        data(4, "acte 12"), data(5, number(1, 1767225600), number(2, 999999999)),
        data(6, "application/xml"), data(7, "https://example.test/schema"),
        data(8, data(1, "filename"), data(4, "acte-é.xml")), data(8, data(1, "filetime"), data(8, number(1, 1))),
        data(8, data(1, "flag"), number(2, 1)), data(8, data(1, "n"), number(3, -5)),
        data(8, data(1, "raw"), data(5, b"\0\xff")), data(8, data(1, "uri"), data(6, "urn:a")),
        data(8, data(1, "ref"), data(7, "../a")),
        data(20, "dila/annonces"), data(20, "commune-35047/etat-civil"), data(21, "JAP"),
        data(22, "commune-76540/gru"), data(23, "c-1"), data(24, "commune-76540/retour"),
        number(25, 1767312000000), number(26, 1767225600000), number(27, 3), data(28, "k"), data(29, "old-id"),
        data(30, "publication"), data(31, "public"), data(32, "GDPR"), data(33, "notice"),
        data(34, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), data(35, bytes(range(32))),
        number(36, 2048), number(37, 1)]),
    "sixty-five-recipients": data(20, "dila/annonces") * 65,
    "id-twice": data(1, "a") + data(1, "b"),
    "two-values": data(8, data(1, "x"), number(2, 1), number(3, 1)),
    "bad-utf8": data(4, b"\xed\xa0\x80"),
}
BODY = {
    "one-frame": bytes([1, 12, 3, 6, 2, 1]),
    "a-frame-each": bytes([4, 3, 6, 2, 1, 3, 6, 2, 1]),
    "empty-frames": bytes([4, 0, 9, 0, 3, 0, 3, 6, 0, 2, 1, 0]),
    "left-over": bytes([2, 9, 4, 3, 6, 2, 1]),
    "across": bytes([2, 5, 7, 3, 6]),
    "no-frame": bytes([0, 0, 1]),
    "largest": bytes([7] + [255] * 14),
}


def main():
    root = pathlib.Path(__file__).resolve().parent / "seeds"
    for name, seeds in (("command_to_broker", {**BOMBS, **TO_BROKER}),
                        ("command_to_client", {**BOMBS, **TO_CLIENT}),
                        ("envelope", {**BOMBS, **ENVELOPE}), ("body", BODY)):
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        for seed, content in seeds.items():
            (folder / seed).write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
