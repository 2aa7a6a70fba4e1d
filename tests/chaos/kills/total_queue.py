# SPDX-License-Identifier: EUPL-1.2
"""What became of each message, from what the clients know: Jepsen's total-queue, for each mailbox.

    attempts A   submitted            lost        E - D: accepted and never delivered
    enqueues E   accepted             unexpected  D - A: delivered and never submitted
    dequeues D   delivered            recovered   (D & A) - E: no answer, and delivered: allowed
                                      again       delivered more than once before its settlement: allowed
                                      duplicated  delivered after its acknowledgement was settled
                                      wrong       with other bytes than its own
                                      disordered  before an earlier one of its ordering key, or while
                                                  one is with a consumer or given back

The queue must have been drained. Where the lost ones lie, among what their sender had accepted, says
what kind of fault it is: at the beginning, at the end, or in the middle, which is the damning one.
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterator

# Two consumers of a mailbox: what one of them had in hand when its connection went may be noted after
# the other has settled it. Beyond this, and on a connection made since, it is a duplicate.
IN_HAND_NS = 1_000_000_000


def events(path: pathlib.Path) -> Iterator[tuple[int, str, list[str]]]:
    """Time, name and words of each line; the last one may be cut by a kill."""
    with open(path, encoding="ascii") as file:
        for line in file:
            words = line.split()
            if line.endswith("\n") and len(words) >= 3:
                yield int(words[0]), words[1], words[2:]


@dataclasses.dataclass
class Sender:
    """What one sender knows; messages by their number."""

    name: str
    keys: dict[int, str] = dataclasses.field(default_factory=dict)  # of all submitted
    accepted: set[int] = dataclasses.field(default_factory=set)
    refused: list[str] = dataclasses.field(default_factory=list)
    repeats: int = 0

    @staticmethod
    def read(name: str, path: pathlib.Path) -> "Sender":
        sender = Sender(name)
        for _, event, words in events(path):
            if event == "submit":
                sender.keys[int(words[0])] = words[1]
            elif event == "accepted":
                sender.accepted.add(int(words[0]))
            elif event == "refused":
                sender.refused.append(" ".join(words))
            elif event == "again":
                sender.repeats += 1
        return sender


@dataclasses.dataclass(frozen=True)
class Delivery:
    at_ns: int
    connected_ns: int  # since when its consumer has had the connection
    sender: str
    number: int
    right: bool


@dataclasses.dataclass
class Consumer:
    """What the consumers of one mailbox know, by time."""

    count: int = 0  # how many take from it at once
    deliveries: list[Delivery] = dataclasses.field(default_factory=list)
    settled_ns: dict[tuple[str, int], int] = dataclasses.field(default_factory=dict)
    first_seen: set[tuple[str, int]] = dataclasses.field(default_factory=set)
    acked_ns: dict[tuple[str, int], int] = dataclasses.field(default_factory=dict)

    def read(self, path: pathlib.Path) -> None:
        self.count += 1
        connected_ns = 0
        for at_ns, event, words in events(path):
            if event == "connect":
                connected_ns = at_ns
                continue
            sender, _, number = words[0].rpartition("-")
            if event == "deliver":
                self.deliveries.append(
                    Delivery(at_ns, connected_ns, sender, int(number), words[2] == "right"))  # fmt: skip
            elif event in ("ack", "settled"):
                first_ns = self.acked_ns if event == "ack" else self.settled_ns
                name = sender, int(number)
                first_ns[name] = min(at_ns, first_ns.get(name, at_ns))


@dataclasses.dataclass
class Finding:
    """What became of the messages of one mailbox."""

    accepted: int = 0
    delivered: int = 0
    settled: int = 0
    recovered: int = 0
    again: int = 0
    repeats: int = 0
    in_chunks: int = 0  # of the delivered
    lost: list[str] = dataclasses.field(default_factory=list)
    unexpected: list[str] = dataclasses.field(default_factory=list)
    duplicated: list[str] = dataclasses.field(default_factory=list)
    wrong: list[str] = dataclasses.field(default_factory=list)
    disordered: list[str] = dataclasses.field(default_factory=list)
    refused: list[str] = dataclasses.field(default_factory=list)

    BROKEN = ("lost", "unexpected", "duplicated", "wrong", "disordered", "refused")

    def clean(self) -> bool:
        return not any(getattr(self, kind) for kind in self.BROKEN)

    def add(self, other: "Finding") -> None:
        for field in dataclasses.fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))

    def text(self) -> str:
        lines = []
        for kind in self.BROKEN:
            some = getattr(self, kind)
            if some:
                lines.append(f"{kind} {len(some)}: {', '.join(some[:8])}{' ...' if len(some) > 8 else ''}")
        return "\n".join(lines)


def _place(number: int, delivered: set[int]) -> str:
    """Where a lost one lies among the delivered ones of its sender."""
    if not delivered or number < min(delivered):
        return "beginning"
    return "end" if number > max(delivered) else "middle"


def _lost(senders: dict[str, Sender], seen: dict[str, set[int]]) -> Iterator[str]:
    for sender in senders.values():
        delivered = seen.get(sender.name, set())
        for number in sorted(sender.accepted - delivered):
            yield f"{sender.name}-{number} ({_place(number, delivered)})"


def _disordered(senders: dict[str, Sender], consumer: Consumer, deliveries: list[Delivery]) -> Iterator[str]:
    latest: dict[tuple[str, str], int] = {}  # of each key
    for one in deliveries:
        key = senders[one.sender].keys.get(one.number, "-") if one.sender in senders else "-"
        if key == "-":
            continue
        before = latest.get((one.sender, key), -1)
        if one.number > before:
            if before >= 0 and consumer.acked_ns.get((one.sender, before), one.at_ns) >= one.at_ns:
                yield f"{one.sender}-{one.number} while {before} has no answer"
            latest[one.sender, key] = one.number
        elif (one.sender, one.number) not in consumer.first_seen:
            yield f"{one.sender}-{one.number} after {before}"
        consumer.first_seen.add((one.sender, one.number))


def _comes_after_its_end(consumer: Consumer, one: Delivery) -> bool:
    settled_ns = consumer.settled_ns.get((one.sender, one.number))
    if settled_ns is None or settled_ns >= one.at_ns:
        return False
    in_hand = settled_ns + IN_HAND_NS >= one.at_ns or settled_ns >= one.connected_ns
    return consumer.count == 1 or not in_hand


def judge(senders: list[Sender], consumer: Consumer) -> Finding:
    """`senders` are those whose every message goes to this mailbox."""
    by_name = {sender.name: sender for sender in senders}
    deliveries = sorted(consumer.deliveries, key=lambda one: one.at_ns)
    finding = Finding(accepted=sum(len(sender.accepted) for sender in senders),
                      repeats=sum(sender.repeats for sender in senders),
                      settled=len(consumer.settled_ns))  # fmt: skip
    seen: dict[str, set[int]] = {}
    for one in deliveries:
        name = f"{one.sender}-{one.number}"
        known = by_name.get(one.sender)
        numbers = seen.setdefault(one.sender, set())
        if known is None or one.number not in known.keys:
            finding.unexpected.append(name)
        elif one.number not in numbers and one.number not in known.accepted:
            finding.recovered += 1
        if not one.right:
            finding.wrong.append(name)
        if _comes_after_its_end(consumer, one):
            finding.duplicated.append(name)
        finding.again += one.number in numbers
        numbers.add(one.number)
    finding.delivered = sum(len(numbers) for numbers in seen.values())
    finding.lost = list(_lost(by_name, seen))
    finding.disordered = list(_disordered(by_name, consumer, deliveries))
    finding.refused = [f"{sender.name}-{text}" for sender in senders for text in sender.refused]
    return finding
