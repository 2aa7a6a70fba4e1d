# SPDX-License-Identifier: EUPL-1.2
"""The signed directory, written from docs/directory.md alone, with python3-cryptography. It shares no line with the
library: what both do is what the page says."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

DASH = "\u2014 "


class Refused(Exception):
    """This is not signed by whom it should be."""


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]


@dataclass
class Key:
    name: str
    seed: bytes

    @property
    def private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def public_text(self) -> str:
        return f"{self.name}+{key_id(self.name, self.public).hex()}+{b64(bytes([1]) + self.public)}"

    @property
    def secret_text(self) -> str:
        return f"PRIVATE+KEY+{self.name}+{key_id(self.name, self.public).hex()}+{b64(bytes([1]) + self.seed)}"

    @classmethod
    def read(cls, text: str) -> "Key":
        prefix, word, name, told, body = text.strip().split("+", 4)
        raw = base64.b64decode(body, validate=True)
        key = cls(name, raw[1:])
        if (prefix, word) != ("PRIVATE", "KEY") or raw[0] != 1 or told != key_id(name, key.public).hex():
            raise Refused("not a secret key")
        return key


def read_public(text: str) -> tuple[str, bytes]:
    name, told, body = text.strip().split("+", 2)
    raw = base64.b64decode(body, validate=True)
    if len(raw) != 33 or raw[0] != 1 or told != key_id(name, raw[1:]).hex():
        raise Refused("not a public key")
    return name, raw[1:]


def sign(text: str, key: Key) -> str:
    blob = key_id(key.name, key.public) + key.private.sign(text.encode())
    return f"{text}\n{DASH}{key.name} {b64(blob)}\n"


def verify(note: str, public_texts: list[str]) -> str:
    """The text, when one of the keys signed it."""
    text, gap, lines = note.rpartition("\n\n")
    if not gap:
        raise Refused("no note")
    text += "\n"
    signed = False
    for line in lines.removesuffix("\n").split("\n"):
        dash, name, blob = line.split(" ")
        if dash + " " != DASH:
            raise Refused("no signature")
        raw = base64.b64decode(blob, validate=True)
        for public_text in public_texts:
            trusted, public = read_public(public_text)
            if trusted == name and raw[:4] == key_id(name, public):
                try:
                    Ed25519PublicKey.from_public_bytes(public).verify(raw[4:], text.encode())
                except InvalidSignature as error:
                    raise Refused("forged") from error
                signed = True
    if not signed:
        raise Refused("unsigned")
    return text


@dataclass
class Entry:
    slug: str
    sequence: int
    from_ms: int
    until_ms: int
    kind: str
    signing_keys: list[str]
    siret: str = ""
    insee: str = ""
    services: list[str] = field(default_factory=list)
    clients: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        lines = ["relais directory entry 1", f"slug: {self.slug}", f"sequence: {self.sequence}",
                 f"from-ms: {self.from_ms}", f"until-ms: {self.until_ms}", f"kind: {self.kind}"]
        lines += [f"siret: {self.siret}"] if self.siret else []
        lines += [f"insee: {self.insee}"] if self.insee else []
        lines += [f"signing-key: {key}" for key in self.signing_keys]
        lines += [f"service: {service}" for service in sorted(self.services)]
        lines += [f"client: {name} {self.clients[name]}" for name in sorted(self.clients)]
        return "\n".join(lines) + "\n"


def record(from_ms: int, until_ms: int, point: bytes) -> bytes:
    """A mailbox key's public record: docs/sealing.md."""
    return (1).to_bytes(2, "big") + from_ms.to_bytes(8, "big") + until_ms.to_bytes(8, "big") + point


def mailboxes_text(member: str, sequence: int, keys: list[tuple[str, bytes]]) -> str:
    lines = ["relais mailbox keys 1", f"member: {member}", f"sequence: {sequence}"]
    lines += [f"mailbox: {place} {b64(key)}" for place, key in sorted(keys)]
    return "\n".join(lines) + "\n"


# The envelope's signature: docs/directory.md, "Signatures"

ENVELOPE_LABEL = b"relais-envelope-1\n"
SIGNATURE_HEAD = b"\x8a\x03\x44"


def sign_envelope(envelope: bytes, key: Key) -> bytes:
    """The envelope with its signature behind it."""
    signature = key.private.sign(ENVELOPE_LABEL + envelope)
    return envelope + SIGNATURE_HEAD + key_id(key.name, key.public) + signature


def verify_envelope(envelope: bytes, public_texts: list[str]) -> None:
    signed, field_bytes = envelope[:-71], envelope[-71:]
    if field_bytes[:3] != SIGNATURE_HEAD:
        raise Refused("unsigned")
    for public_text in public_texts:
        name, public = read_public(public_text)
        if field_bytes[3:7] == key_id(name, public):
            try:
                Ed25519PublicKey.from_public_bytes(public).verify(field_bytes[7:], ENVELOPE_LABEL + signed)
            except InvalidSignature as error:
                raise Refused("forged") from error
            return
    raise Refused("unsigned")
