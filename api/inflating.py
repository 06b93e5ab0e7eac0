"""Reading what was packed on its way, piece by piece, up to a bound: a few bytes may stand for gigabytes."""

import zlib
from collections.abc import Iterator

PIECE = 64 * 1024
ANY_HEADER = 32 + zlib.MAX_WBITS
"""gzip, or zlib, as its first bytes say."""
GZIP = b"\x1f\x8b"
PACKED = frozenset({"gzip", "x-gzip", "deflate"})


class Inflating:
    """Fed with packed bytes as they come. What is broken, or beyond the bound, is the end of it; nothing is raised."""

    def __init__(self, most_bytes: int) -> None:
        self._left = most_bytes
        self._packed = zlib.decompressobj(ANY_HEADER)
        self._over = False

    def feed(self, some: bytes) -> Iterator[bytes]:
        """What these bytes stand for, in pieces."""
        while some and not self._over:
            try:
                found = self._packed.decompress(some, min(PIECE, self._left))
            except zlib.error:
                self._over = True
                return
            self._left -= len(found)
            self._over = self._left <= 0 or self._packed.eof
            if found:
                yield found
            some = self._packed.unconsumed_tail


def inflated(packed: bytes, most_bytes: int) -> bytes:
    """As much of it as can be read, up to so many bytes."""
    return b"".join(Inflating(most_bytes).feed(packed))
