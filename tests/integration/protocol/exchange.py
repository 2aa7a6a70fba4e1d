# SPDX-License-Identifier: EUPL-1.2
"""The worked exchange of docs/protocol.md: reads its frames from the page, and writes a frame as the
page shows it, bytes on the left, what they mean on the right.

A frame on the page is a line `**Hello**, client to broker, frame 1, 23 bytes:` and below it a block
```hex ToBroker. The envelope and the payload of a body are blocks of their own in one frame."""

from __future__ import annotations

import pathlib
import re
from dataclasses import dataclass
from typing import Iterator

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from schema import ROOT, command, envelope

PAGE: pathlib.Path = ROOT / "docs" / "protocol.md"
BYTES_A_LINE = 12
MEANING_COLUMN = 44
VARINT, LENGTH = 0, 2  # wire types
KINDS = {"ToBroker": command.ToBroker, "ToClient": command.ToClient, "Envelope": envelope.Envelope}

_BLOCK = re.compile(
    r"^\*\*(?P<name>[A-Z][a-z]+)\*\*, (?P<way>client to broker|broker to client), "
    r"(?P<piece>frame \d[^\n]*?), (?P<size>\d+) bytes:\n\n"
    r"```hex (?P<kind>\w+)\n(?P<listing>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Shown:
    """One block of the page."""

    name: str  # of the command that the frame belongs to
    from_client: bool
    piece: str  # "frame 1", "frame 2, the envelope"
    size: int  # as the text has it
    kind: str  # of KINDS, or "payload"
    listing: str
    at: tuple[int, int]  # where the listing lies in the page
    size_at: tuple[int, int]

    @property
    def data(self) -> bytes:
        """The bytes of the left column."""
        return b"".join(bytes.fromhex(line[:MEANING_COLUMN]) for line in self.listing.splitlines())


def read_page(page: str) -> list[Shown]:
    return [
        Shown(
            found["name"], found["way"] == "client to broker", found["piece"], int(found["size"]),
            found["kind"], found["listing"], found.span("listing"), found.span("size"),
        )
        for found in _BLOCK.finditer(page)
    ]  # fmt: skip


def list_frame(kind: str, data: bytes) -> str:
    """The listing of a block."""
    if kind == "payload":
        return "".join(_row(0, data, _quote(data.decode())))
    return "".join(_rows(KINDS[kind].DESCRIPTOR, data, 0))


def _row(depth: int, data: bytes, meaning: str) -> Iterator[str]:
    indent = "  " * depth
    for at in range(0, len(data), BYTES_A_LINE):
        left = indent + data[at : at + BYTES_A_LINE].hex(" ")
        yield f"{left:{MEANING_COLUMN}}{meaning}".rstrip() + "\n"
        meaning = ""


def _rows(descriptor: Descriptor, data: bytes, depth: int) -> Iterator[str]:
    at = 0
    while at < len(data):
        key, value_at = _varint(data, at)
        field = descriptor.fields_by_number[key >> 3]
        value, ends = _varint(data, value_at)
        if key & 7 == VARINT:
            yield from _row(depth, data[at:ends], f"{field.name} = {_scalar(field, value)}")
        else:
            assert key & 7 == LENGTH, f"wire type {key & 7}"
            content = data[ends : ends + value]
            yield from _long_rows(field, data[at:ends], content, depth)
            ends += value
        at = ends


def _long_rows(field: FieldDescriptor, head: bytes, content: bytes, depth: int) -> Iterator[str]:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        yield from _row(depth, head, f"{field.name}, {len(content)} bytes")
        yield from _rows(field.message_type, content, depth + 1)
    elif field.type == FieldDescriptor.TYPE_STRING:
        yield from _row(depth, head + content, f"{field.name} = {_quote(content.decode())}")
    elif field.type == FieldDescriptor.TYPE_BYTES:
        yield from _row(depth, head + content, f"{field.name}, {len(content)} bytes")
    else:
        values = ", ".join(_scalar(field, value) for value in _packed(content))
        yield from _row(depth, head + content, f"{field.name} = {values}")


def _packed(content: bytes) -> Iterator[int]:
    at = 0
    while at < len(content):
        value, at = _varint(content, at)
        yield value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at `at`, and where it ends."""
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def _scalar(field: FieldDescriptor, value: int) -> str:
    if field.type == FieldDescriptor.TYPE_ENUM:
        return str(field.enum_type.values_by_number[value].name)
    return f"{value}"


def _quote(text: str) -> str:
    return f'"{text}"'
