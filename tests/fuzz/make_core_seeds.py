#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Writes the seeds of fuzz_core: plays whose bytes fuzz_core.c reads as actions. Committed; run this
again only when the actions change."""
import pathlib

DILA, DILA_SECOND, ROUEN, ROUEN_SECOND, NICE, AISNE, OPERATOR, STRANGER = range(8)
FLUSH, STORE, TURN = bytes([12, 0]), bytes([13, 0]), bytes([15, 0])


def hello(slot):
    return bytes([0, slot, 0])


def goodbye(slot):
    return bytes([0, slot, 7])


def submit(slot, *messages):
    return bytes([1, slot, len(messages) - 1]) + b"".join(messages)


def message(ident, to=0, shape=0, *times):
    return bytes([shape, ident, to, to, to, *times])


def attach(slot, consumer, to, credit):
    return bytes([3, slot, consumer, to, credit])


def credit(slot, consumer, add):
    return bytes([4, slot, consumer, add])


def detach(slot, consumer):
    return bytes([5, slot, consumer])


def ack(slot, consumer, first, more):
    return bytes([6, slot, consumer, first, more, first, more, 0, 0])


def nack(slot, consumer, first, delay, refuse):
    return bytes([7, slot, consumer, first, 0, first, 0, delay, refuse])


def dead(slot, what, to, sequence, limit=0):
    """What: 0 list, 1 one, 2 replay, 3 drop."""
    return bytes([8, slot, 8 | what, to, sequence, *([limit] if what == 0 else [])])


def upload(slot, name, number, size):
    return bytes([8, slot, 64, 0, name, number, 0, size])


def chunk(slot, number, size, second=0):
    return bytes([8, slot, 64, 1, number, 1, size]) if second else bytes([8, slot, 64, 1, number, 0, 0, size])


def submit_upload(slot, name, size, number):
    return bytes([8, slot, 64, 3, name, size, number])


def fetch(slot, consumer, tag, offset, size, damaged=0):
    return bytes([8, slot, 64, 2, consumer, tag, offset, size, damaged])


def usage(slot, stored, member):
    return bytes([8, slot, 16, stored, member])


def cancel(slot, which, known):
    return bytes([8, slot, 128, which, 1 - known])


def gone(slot):
    return bytes([10, slot])


def fate(what, *more):
    return bytes([11, what, *more])


SOME = submit(DILA, *(message(i) for i in range(6)))
START = hello(DILA) + hello(ROUEN) + attach(ROUEN, 1, 0, 100) + SOME + TURN
PLAYS = {
    "deliver-and-ack": START + ack(ROUEN, 1, 1, 5) + TURN,
    "nack-and-refuse": START + nack(ROUEN, 1, 1, 9, 0) + nack(ROUEN, 1, 2, 0, 1) + TURN + fate(0, 200) + TURN,
    "lease-runs-out": START + fate(7) + TURN + fate(7) + TURN + fate(7) + TURN + fate(7) + TURN,
    "consumer-dies": START + gone(ROUEN) + TURN + hello(ROUEN) + attach(ROUEN, 1, 0, 3) + TURN,
    "dies-unflushed": START + SOME + STORE * 4 + FLUSH + STORE + gone(ROUEN) + TURN,
    "two-consumers": START + hello(ROUEN_SECOND) + attach(ROUEN_SECOND, 2, 0, 100)
    + submit(DILA, *(message(10 + i) for i in range(6))) + TURN + detach(ROUEN, 1) + TURN,
    "fan-out": hello(DILA) + submit(DILA, message(1, 0, 5), message(2, 1, 1), message(3, 2, 4)) + TURN,
    "times": hello(DILA) + hello(ROUEN) + attach(ROUEN, 1, 0, 9)
    + submit(DILA, message(1, 0, 8, 50), message(2, 0, 16, 50), message(3, 0, 24, 90, 10)) + TURN
    + fate(0, 12) + TURN + fate(1, 240) + TURN + fate(7) + TURN,
    "no-room": hello(DILA) + fate(2) + SOME + TURN + fate(2) + SOME + TURN,
    "answers-no-room": START + fate(3) + ack(ROUEN, 1, 1, 2) + TURN + fate(3) + fate(0, 4) + TURN,
    "busy": hello(DILA) + SOME * 4 + TURN + SOME + TURN,
    "directory": START + ack(ROUEN, 1, 1, 0) + fate(4, 0) + TURN + fate(5) + TURN + fate(4, 5) + TURN + fate(4, 6) + TURN,
    "drain": START + SOME + ack(ROUEN, 1, 1, 1) + fate(6, 7) + SOME + TURN,
    "credit": hello(DILA) + SOME + TURN + hello(ROUEN) + attach(ROUEN, 1, 0, 1) + TURN
    + credit(ROUEN, 1, 2) + TURN + bytes([4, ROUEN, 1, 0xff, 0]) + detach(ROUEN, 1) + attach(ROUEN, 1, 0, 5) + TURN,
    "wide-ack": START + bytes([6, ROUEN, 1, 0, 0xff, 0, 1, 0xff, 0, 0, 0]) + TURN,
    "queries": START + hello(OPERATOR) + bytes([8, OPERATOR, 1, 8, OPERATOR, 0, 0, 2, 8, ROUEN, 0, 1, 2, 0]),
    "cancel": hello(DILA) + SOME + TURN + cancel(DILA, 0, 1) + cancel(DILA, 1, 1) + cancel(DILA, 2, 0) + cancel(DILA, 3, 0)
    + TURN + gone(DILA),
    "quota": hello(DILA) + hello(OPERATOR) + usage(DILA, 99, 0) + SOME + TURN + usage(DILA, 100, 1) + SOME + TURN
    + usage(OPERATOR, 3, 2) + usage(OPERATOR, 3, 3) + usage(DILA, 0, 2) + SOME * 12 + TURN + gone(DILA) + TURN,
    "upload": START + upload(DILA, 1, 1, 1) + TURN + chunk(DILA, 1, 1) + TURN + submit_upload(DILA, 1, 1, 1) + TURN
    + fetch(ROUEN, 1, 3, 0, 1) + fetch(ROUEN, 1, 3, 5, 7) + TURN + fetch(ROUEN, 1, 3, 0, 1, 255) + TURN,
    "upload-two-chunks": START + upload(DILA, 2, 2, 4) + TURN + chunk(DILA, 2, 3) + chunk(DILA, 2, 1, 1)
    + submit_upload(DILA, 2, 4, 2) + TURN + gone(DILA) + hello(DILA) + upload(DILA, 2, 3, 4) + TURN
    + submit_upload(DILA, 2, 4, 3) + TURN + fetch(ROUEN, 1, 3, 0, 3) + TURN,
    "dead-letters": START + nack(ROUEN, 1, 1, 0, 1) + nack(ROUEN, 1, 2, 0, 1) + TURN + dead(ROUEN, 0, 0, 0, 1)
    + dead(ROUEN, 1, 0, 1) + TURN + dead(ROUEN, 2, 0, 1) + dead(ROUEN, 3, 0, 2) + TURN + dead(NICE, 0, 0, 0)
    + hello(OPERATOR) + dead(OPERATOR, 0, 0, 0) * 6 + gone(OPERATOR) + TURN,
    "strangers": hello(STRANGER) + attach(NICE, 1, 1, 1) + hello(NICE) + attach(NICE, 1, 0, 1) + goodbye(NICE) + TURN,
    "noise": hello(DILA) + bytes([9, DILA, 3, 255, 255, 255, 0]) + TURN,
}


def main():
    folder = pathlib.Path(__file__).parent / "seeds" / "core"
    folder.mkdir(parents=True, exist_ok=True)
    for name, play in PLAYS.items():
        (folder / name).write_bytes(play)


if __name__ == "__main__":
    main()
