#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Writes the seeds of fuzz_client_session: what a broker says, frames and all. Committed; run this
again only when the protocol gains something."""
import hashlib
import pathlib
import sys

from make_seeds import data, error, number, ranges


def message(*frames):
    return bytes([len(frames) - 1]) + b"".join(len(f).to_bytes(2, "little") + f for f in frames)


def envelope(payload, digest=None):
    return (data(1, "m-1") + data(2, "relais:dila") + data(3, "fr.relais.file")
            + data(5, number(1, 1767225600), number(2, 5000000))
            + data(8, data(1, "filename"), data(4, "acte.pdf"))
            + data(20, "commune-76540/etat-civil") + data(21, "ETATCIVIL") + data(22, "dila/a")
            + data(35, digest or hashlib.blake2b(payload, digest_size=32).digest())
            + number(36, len(payload)))


def deliver(first, pieces, consumer=1):
    parts = b"".join(
        data(3, data(1, number(1, len(e)), number(2, len(p))), number(2, 1), number(3, 5)) for e, p in pieces)
    return data(6, number(1, consumer), number(2, first), parts)


GOOD = [(envelope(p), p) for p in (b"one", b"two", b"")]
BODY = b"".join(e + p for e, p in GOOD)
SEALED = envelope(b"sealed") + data(40, b"w" * 98) + data(49, b"s" * 68)
ATTACHED = data(4, number(1, 2), number(2, 60000))
SEEDS = {
    "accepted": message(data(2, ranges(1, (1, 2), (4, 4)))),
    "accepted-twice": message(data(2, ranges(1, (1, 1)))) * 2,
    "accepted-backwards": message(data(2, ranges(1, (3, 1)))),
    "accepted-all-numbers": message(data(2, ranges(1, (1, 2 ** 64 - 1)))),
    "refused": message(data(3, data(1, number(1, 2), data(2, error(10))))),
    "busy": message(data(3, data(1, number(1, 2), data(2, number(1, 14), number(5, 100))))) * 2,
    "refused-bare": message(data(3, data(1, number(1, 2)))),
    "attached": message(ATTACHED),
    "detached": message(data(5, number(1, 2), data(2, error(24)))),
    "left": message(data(5, number(1, 3))) + message(deliver(1, GOOD, 3), BODY),
    "deliver": message(deliver(1, GOOD), BODY) + message(data(7, number(1, 1), ranges(2, (1, 3)))),
    "deliver-frames": message(deliver(1, GOOD[:1]), GOOD[0][0], GOOD[0][1]),
    "deliver-twice": message(deliver(1, GOOD), BODY) + message(deliver(4, GOOD), BODY),
    "deliver-beyond-credit": message(deliver(1, GOOD * 3), BODY * 3),
    "deliver-sealed": message(deliver(1, [(SEALED, b"sealed")]), SEALED + b"sealed"),
    "deliver-to-nobody": message(deliver(1, GOOD, 9), BODY),
    "deliver-wrong-digest": message(deliver(1, [(envelope(b"a", b"0" * 32), b"a")]), envelope(b"a", b"0" * 32) + b"a"),
    "deliver-bad-envelope": message(deliver(1, [(b"\xff" * 9, b"a")]), b"\xff" * 9 + b"a"),
    "deliver-short": message(deliver(1, GOOD), BODY[:-1]),
    "deliver-without-body": message(deliver(1, GOOD)),
    "body-behind-accepted": message(data(2, ranges(1, (1, 1))), b"x"),
    "settled-all": message(data(7, number(1, 1), ranges(2, (1, 2 ** 64 - 1)))),
    "answer": message(data(8, number(1, 1), data(2, number(2, 5)))),
    "answer-directory": message(data(8, number(1, 1), data(20, data(1, data(1, "dila"), data(2, "note"))))),
    "errors": b"".join(message(data(9, error(c))) for c in (1, 3, 4, 17, 18, 19)),
    "goodbye": message(data(10, data(1, error(20)))),
    "welcome-again": message(data(1, number(1, 1))),
    "newer": message(data(99, "later"), b"with a body"),
}


def main():
    folder = pathlib.Path(sys.argv[0]).parent / "seeds" / "client_session"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in SEEDS.items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
