#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""check_page.py PROGRAM: the test vectors of docs/sealing.md are the ones that the program prints.

check_page.py PROGRAM --write puts them there."""

from __future__ import annotations

import subprocess
import sys

from page import BEGIN, PAGE, split_page


def main() -> int:
    before, vectors = split_page()
    printed = subprocess.run([sys.argv[1]], check=True, capture_output=True, text=True).stdout
    if sys.argv[2:] == ["--write"]:
        PAGE.write_text(f"{before}{BEGIN}\n{printed}", encoding="utf-8")
        return 0
    if vectors != f"\n{printed}":
        print("the vectors of docs/sealing.md are not what the program seals; if that is meant: --write")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
