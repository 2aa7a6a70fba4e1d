# SPDX-License-Identifier: EUPL-1.2
"""The judge of the kills, on histories in which each kind of fault happened once."""

from __future__ import annotations

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from total_queue import Consumer, Finding, Sender, judge  # noqa: E402

SECOND = 1_000_000_000


class Judging(unittest.TestCase):
    """One sender with ten messages of two ordering keys, all accepted."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="relais-judge-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.sent = [f"{n} submit {n} key-{n % 2}" for n in range(10)]
        self.sent += [f"{n + 10} accepted {n}" for n in range(10)]
        self.got = ["20 connect 0"]
        for n in range(10):
            self.got += [f"{100 + 4 * n} deliver s-{n} 1 right", f"{102 + 4 * n} ack s-{n}"]
        self.got += [f"{200 + n} settled s-{n}" for n in range(10)]

    def judge(self, *others: list[str]) -> Finding:
        consumer = Consumer()
        for number, lines in enumerate([self.sent, self.got, *others]):
            path = self.folder / str(number)
            path.write_text("\n".join(lines) + "\n")
            if number > 0:
                consumer.read(path)
        return judge([Sender.read("s", self.folder / "0")], consumer)

    def without(self, *numbers: int) -> None:
        ids = {f"s-{number}" for number in numbers}
        self.got = [line for line in self.got if not ids & set(line.split())]

    def test_a_run_without_a_fault(self) -> None:
        finding = self.judge()
        self.assertTrue(finding.clean(), finding.text())
        self.assertEqual((finding.accepted, finding.delivered, finding.settled), (10, 10, 10))

    def test_lost_and_where(self) -> None:
        self.without(0, 5, 9)
        finding = self.judge()
        self.assertEqual(finding.lost, ["s-0 (beginning)", "s-5 (middle)", "s-9 (end)"])
        self.assertFalse(finding.clean())

    def test_unexpected(self) -> None:
        self.got.append("300 deliver s-10 1 right")
        self.got.append("301 deliver other-1 1 right")
        self.assertEqual(self.judge().unexpected, ["s-10", "other-1"])

    def test_recovered_is_no_fault(self) -> None:
        self.sent.remove("14 accepted 4")
        finding = self.judge()
        self.assertEqual(finding.recovered, 1)
        self.assertTrue(finding.clean())

    def test_again_before_the_settlement_is_no_fault(self) -> None:
        self.got.insert(8, "150 deliver s-3 2 right")
        finding = self.judge()
        self.assertEqual(finding.again, 1)
        self.assertTrue(finding.clean(), finding.text())

    def test_again_after_the_settlement(self) -> None:
        self.got.append("400 deliver s-3 1 right")
        self.assertEqual(self.judge().duplicated, ["s-3"])

    def test_again_from_another_consumer(self) -> None:
        in_hand = ["30 connect 0", "400 deliver s-3 1 right"]
        self.assertTrue(self.judge(in_hand).clean())
        new = ["30 connect 0", "250 connect 1", f"{2 * SECOND} deliver s-3 1 right"]
        self.assertEqual(self.judge(new).duplicated, ["s-3"])

    def test_other_bytes(self) -> None:
        self.got[1] = self.got[1].replace("right", "wrong")
        self.assertEqual(self.judge().wrong, ["s-0"])

    def test_disorder_within_a_key(self) -> None:
        self.without(2)
        self.got.append("139 deliver s-2 1 right")
        self.assertEqual(self.judge().disordered, ["s-2 after 8"])

    def test_two_of_a_key_at_once(self) -> None:
        self.got.remove("110 ack s-2")
        self.got.append("118 ack s-2")  # 116: s-4 comes, of the same key
        self.assertEqual(self.judge().disordered, ["s-4 while 2 has no answer"])

    def test_refused(self) -> None:
        self.sent.append("99 refused 10 RELAIS_TOO_LARGE")
        self.assertEqual(self.judge().refused, ["s-10 RELAIS_TOO_LARGE"])


if __name__ == "__main__":
    unittest.main()
