"""The bytes of a file, which may be too many to hold at once: known by their hash, read in pieces as often as needed,
and sealed in segments.

A sealed one begins with a version and a salt, from which its own key follows; then come its segments, each with its
number and whether it is the last as the nonce: none can be left out, moved or put at the end.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain

from cryptography.exceptions import InvalidTag

from fieldvisit.sealing import Cipher, Unsealable

VERSION = b"\x02"
"""The first is that of `Cipher.seal_bytes`, in one."""
SALT_BYTES, TAG_BYTES, SEGMENT_BYTES = 32, 16, 64 * 1024
HEAD_BYTES = 64


@dataclass(frozen=True, kw_only=True)
class Content:
    """`digest`: its SHA-256. `head`: its first bytes, by which its kind is told. `pieces` begins anew at each call."""

    digest: str
    size_bytes: int
    head: bytes
    pieces: Callable[[], Iterable[bytes]]

    @classmethod
    def read(cls, pieces: Callable[[], Iterable[bytes]]) -> "Content":
        hashed, size, head = sha256(), 0, b""
        for piece in pieces():
            hashed.update(piece)
            size += len(piece)
            if len(head) < HEAD_BYTES:
                head = (head + piece[:HEAD_BYTES])[:HEAD_BYTES]
        return cls(digest=hashed.hexdigest(), size_bytes=size, head=head, pieces=pieces)

    @classmethod
    def of(cls, content: bytes) -> "Content":
        return cls.read(lambda: (content,))

    def whole(self) -> bytes:
        """All of it at once."""
        return b"".join(self.pieces())


def sealed_bytes(size: int) -> int:
    """How many bytes that many have in segments."""
    return len(VERSION) + SALT_BYTES + size + TAG_BYTES * max(1, -(-size // SEGMENT_BYTES))


def seal_segments(cipher: Cipher, pieces: Iterable[bytes], purpose: str) -> Iterator[bytes]:
    """The content under the key and bound to the purpose, piece by piece."""
    salt, bound = os.urandom(SALT_BYTES), purpose.encode()
    aead = cipher.of_one_file(salt)
    yield VERSION + salt
    for number, (segment, last) in enumerate(_evenly(pieces, SEGMENT_BYTES)):
        yield aead.encrypt(_nonce(number, last=last), segment, bound)


def open_segments(cipher: Cipher, sealed: Iterable[bytes], purpose: str) -> Iterator[bytes]:
    """What was sealed, in segments or in one, piece by piece. Raises Unsealable where something was altered, at the
    latest at its end."""
    coming = iter(sealed)
    begins = len(VERSION) + SALT_BYTES
    first = b""
    while len(first) < begins and (more := next(coming, None)) is not None:
        first += more
    if first[:1] != VERSION:
        yield cipher.open_bytes(b"".join(chain([first], coming)), purpose)
        return
    aead, bound = cipher.of_one_file(first[len(VERSION) : begins]), purpose.encode()
    rest = chain([first[begins:]], coming)
    for number, (segment, last) in enumerate(_evenly(rest, SEGMENT_BYTES + TAG_BYTES)):
        try:
            yield aead.decrypt(_nonce(number, last=last), segment, bound)
        except (InvalidTag, ValueError) as error:
            # ValueError: there is too little of it.
            raise Unsealable() from error


def _evenly(pieces: Iterable[bytes], size: int) -> Iterator[tuple[bytearray, bool]]:
    """The same bytes, so many at a time, and whether these are the last: those may be fewer."""
    held = bytearray()
    for piece in pieces:
        held += piece
        begin = 0
        # While there are more: the last are those that nothing follows.
        while len(held) - begin > size:
            yield held[begin : begin + size], False
            begin += size
        del held[:begin]
    yield held, True


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11) + bytes([last])
