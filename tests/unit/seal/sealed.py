# SPDX-License-Identifier: EUPL-1.2
"""Sealing and opening, written from docs/sealing.md and RFC 9180 alone, with python3-cryptography. It shares
no line with the library: what both do is what the page says."""

from __future__ import annotations

import hashlib
import hmac
import subprocess
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SUITE = (1).to_bytes(2, "big")
HEADER_BYTES = 42
WRAP_BYTES = 98
CHUNK = 65536
TAG = 16
FRAME = 4
ZSTD, PADDED = 1, 2
KEM = b"KEM\x00\x20"
HPKE = b"HPKE\x00\x20\x00\x01\x00\x03"


class Refused(Exception):
    """These bytes are not what they claim to be."""


def extract(salt: bytes, ikm: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), ikm, "sha256")


def expand(prk: bytes, info: bytes, size: int) -> bytes:
    out, block = b"", b""
    for i in range(1, -(-size // 32) + 1):
        block = hmac.digest(prk, block + info + bytes([i]), "sha256")
        out += block
    return out[:size]


def raw(key: X25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def public_of(secret: bytes) -> bytes:
    return raw(X25519PrivateKey.from_private_bytes(secret).public_key())


def exchange(secret: bytes, public: bytes) -> bytes:
    try:
        return X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError as error:
        raise Refused("a point of low order") from error


# RFC 9180, mode base, one message a context


def labeled_extract(suite: bytes, salt: bytes, label: bytes, ikm: bytes) -> bytes:
    return extract(salt, b"HPKE-v1" + suite + label + ikm)


def labeled_expand(suite: bytes, prk: bytes, label: bytes, info: bytes, size: int) -> bytes:
    return expand(prk, size.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info, size)


def hpke_key(dh: bytes, enc: bytes, public: bytes, info: bytes) -> tuple[ChaCha20Poly1305, bytes]:
    prk = labeled_extract(KEM, b"", b"eae_prk", dh)
    shared = labeled_expand(KEM, prk, b"shared_secret", enc + public, 32)
    context = b"\x00" + labeled_extract(HPKE, b"", b"psk_id_hash", b"")
    context += labeled_extract(HPKE, b"", b"info_hash", info)
    secret = labeled_extract(HPKE, shared, b"secret", b"")
    key = ChaCha20Poly1305(labeled_expand(HPKE, secret, b"key", context, 32))
    return key, labeled_expand(HPKE, secret, b"base_nonce", context, 12)


# docs/sealing.md


@dataclass
class Key:
    """A mailbox key."""

    secret: bytes
    not_before: int
    not_after: int

    @property
    def public(self) -> bytes:
        return public_of(self.secret)

    @property
    def record(self) -> bytes:
        return SUITE + self.not_before.to_bytes(8, "big") + self.not_after.to_bytes(8, "big") + self.public

    @property
    def id(self) -> bytes:
        return hashlib.sha256(b"relais-seal-1 key id" + self.record).digest()[:16]


@dataclass
class Terms:
    """What a letter is bound to."""

    id: str
    sender: str
    recipient: str


def name(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2, "big") + data


def derive(content_key: bytes, fixed: bytes, terms: Terms) -> tuple[bytes, bytes]:
    prk = extract(b"relais-seal-1", content_key)
    commitment = expand(prk, b"commitment" + fixed + name(terms.id) + name(terms.sender), 32)
    return commitment, expand(prk, b"stream" + commitment, 32)


def wrap_info(terms: Terms, key_id: bytes) -> bytes:
    return b"relais-seal-1 wrap" + SUITE + name(terms.id) + name(terms.sender) + name(terms.recipient) + key_id


def nonce(index: int, last: bool) -> bytes:
    return index.to_bytes(11, "big") + bytes([last])


def padme(size: int) -> int:
    if size <= 1024:
        return 1024
    exponent = size.bit_length() - 1
    low = (1 << (exponent - exponent.bit_length())) - 1
    return (size + low) & ~low


def zstd(data: bytes, *options: str) -> bytes:
    done = subprocess.run(["zstd", *options], input=data, capture_output=True, check=False)
    if done.returncode != 0:
        raise Refused("compression")
    return done.stdout


def cut(content: bytes, padded: bool) -> list[bytes]:
    """The plaintexts of the chunks."""
    if not padded:
        return [content[i : i + CHUNK] for i in range(0, len(content), CHUNK)] or [b""]
    room = CHUNK - FRAME
    total = padme(len(content))
    chunks = []
    for at in range(0, total, room):
        size = min(room, total - at)
        part = content[at : at + size]
        chunks.append(len(part).to_bytes(FRAME, "big") + part + bytes(size - len(part)))
    return chunks


def seal(content: bytes, flags: int, terms: Terms, key: Key, content_key: bytes, ephemeral: bytes) -> tuple[bytes, bytes]:
    """`content` is compressed already. Gives wrap and sealed payload."""
    fixed = b"RLSEAL" + SUITE + flags.to_bytes(2, "big")
    commitment, stream = derive(content_key, fixed, terms)
    header = fixed + commitment
    enc = public_of(ephemeral)
    aead, base = hpke_key(exchange(ephemeral, key.public), enc, key.public, wrap_info(terms, key.id))
    wrap = SUITE + key.id + enc + aead.encrypt(base, content_key, header)
    chunks = cut(content, bool(flags & PADDED))
    cipher = ChaCha20Poly1305(stream)
    sealed = [cipher.encrypt(nonce(i, i == len(chunks) - 1), part, None) for i, part in enumerate(chunks)]
    return wrap, header + b"".join(sealed)


def open_wrap(wrap: bytes, header: bytes, terms: Terms, key: Key) -> bytes:
    if len(wrap) != WRAP_BYTES or wrap[:2] != SUITE or wrap[2:18] != key.id:
        raise Refused("wrap")
    enc = wrap[18:50]
    aead, base = hpke_key(exchange(key.secret, enc), enc, key.public, wrap_info(terms, key.id))
    try:
        return aead.decrypt(base, wrap[50:], header)
    except Exception as error:
        raise Refused("wrap") from error


def open_chunks(data: bytes, stream: bytes) -> list[bytes]:
    cipher = ChaCha20Poly1305(stream)
    pieces = [data[i : i + CHUNK + TAG] for i in range(0, len(data), CHUNK + TAG)] or [b""]
    opened = []
    for i, piece in enumerate(pieces):
        try:
            opened.append(cipher.decrypt(nonce(i, i == len(pieces) - 1), piece, None))
        except Exception as error:
            raise Refused("chunk") from error
    if len(opened) > 1 and not opened[-1]:
        raise Refused("an empty last chunk")
    return opened


def unframe(chunks: list[bytes]) -> list[bytes]:
    parts, ended = [], False
    for i, chunk in enumerate(chunks):
        size, rest = int.from_bytes(chunk[:FRAME], "big"), chunk[FRAME:]
        if len(chunk) < FRAME or size > len(rest) or any(rest[size:]) or (ended and size > 0) or (i > 0 and not rest):
            raise Refused("padding")
        ended = ended or size < len(rest)
        parts.append(rest[:size])
    return parts


def open_sealed(sealed: bytes, wrap: bytes, terms: Terms, key: Key) -> bytes:
    header = sealed[:HEADER_BYTES]
    flags = int.from_bytes(header[8:10], "big")
    if len(header) < HEADER_BYTES or header[:6] != b"RLSEAL" or header[6:8] != SUITE or flags & ~3:
        raise Refused("header")
    content_key = open_wrap(wrap, header, terms, key)
    commitment, stream = derive(content_key, header[:10], terms)
    if not hmac.compare_digest(commitment, header[10:]):
        raise Refused("commitment")
    chunks = open_chunks(sealed[HEADER_BYTES:], stream)
    content = b"".join(unframe(chunks) if flags & PADDED else chunks)
    if flags & ZSTD:
        if content[:4] != b"\x28\xb5\x2f\xfd":
            raise Refused("compression")
        return zstd(content, "-dcq")
    return content
