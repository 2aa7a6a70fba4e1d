#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""kill -9 of broker and file adapters at random times while files pass; prints what was lost, came
twice or differs. Exits 1 when anything did.

  files_kill.py --build build/release --files 10000 --rounds 10
"""
import argparse
import pathlib
import secrets
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration" / "files"))

from bus import Bus  # noqa: E402
from killing import Round  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--build", default="build/release", help="build folder")
    parser.add_argument("--files", type=int, default=1000, help="files a round, 1 KiB to 1 MiB")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    parser.add_argument("--pause", type=float, nargs=2, default=(0.2, 2.0),
                        metavar=("FROM", "TO"), help="seconds between kills")
    options = parser.parse_args()
    print(f"seed {options.seed}")
    print(f"{'round':>5} {'files':>6} {'MB':>7} {'kills':>5} {'lost':>5} {'twice':>5} "
          f"{'differ':>6} {'seconds':>8} {'taken':>5}", flush=True)
    clean = True
    for number in range(options.rounds):
        take = number % 2 == 1
        with Bus(options.build) as bus:
            result = Round(bus, options.files, options.seed + number, tuple(options.pause),
                           take).run(settle_seconds=120)
            print(f"{number + 1:>5} {result.files:>6} {result.megabytes:>7.0f} {result.kills:>5} "
                  f"{result.lost:>5} {result.duplicated:>5} {result.differing:>6} "
                  f"{result.seconds:>8.1f} {'yes' if take else 'no':>5}", flush=True)
            clean = clean and result.clean()
    print("every file arrived once, byte for byte" if clean else "FAILED")
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
