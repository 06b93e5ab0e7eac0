"""What the processes of one server know together: made before the first of them begins, in memory that all of them see.

Nothing in it is worth keeping: a server that starts anew starts with nothing.
"""

import fcntl
import mmap
import os
import struct
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b

AWAY = 2**62
"""The number of a process that takes no connections."""
SLOT = struct.Struct("16sqd")
SLOTS, NEAR = 1 << 15, 16
"""So many counts are kept, a count in one of so many places that follow each other."""


class Places:
    """How many connections each process of the server holds."""

    def __init__(self, number: int) -> None:
        self._held = memoryview(mmap.mmap(-1, 8 * number)).cast("q")
        for place in range(number):
            self.leave(place)

    def take(self, place: int, held: int) -> None:
        self._held[place] = held

    def leave(self, place: int) -> None:
        self._held[place] = AWAY

    def has_freer(self, place: int) -> bool:
        """Whether another process holds fewer."""
        return min(self._held) < self._held[place]


class Counts:
    """How often something was done within a while, by name. One for which there is no room takes the place of the
    one that is over first."""

    def __init__(self) -> None:
        self._slots = mmap.mmap(-1, SLOTS * SLOT.size)
        # What a process that is killed has locked is free again, which no lock in memory would be.
        self._file, name = tempfile.mkstemp(prefix="fieldvisit-counts-")
        os.unlink(name)
        weakref.finalize(self, os.close, self._file)
        self._threads = threading.Lock()

    def add(self, name: str, *, for_s: float) -> tuple[int, float]:
        """Count it once more; how often by now, and when its while is over, in seconds since 1970. The first time, and
        the first after a while, begins one."""
        key, now = blake2b(name.encode(errors="replace"), digest_size=16).digest(), time.time()
        with self._alone():
            place, count, until = self._find(key)
            count, until = (count + 1, until) if until > now else (1, now + for_s)
            SLOT.pack_into(self._slots, place, key, count, until)
        return count, until

    def _find(self, key: bytes) -> tuple[int, int, float]:
        """Where the count stands or may stand, and what is there of it."""
        first = int.from_bytes(key[:4]) % SLOTS
        oldest, over = 0, float("inf")
        for step in range(NEAR):
            place = (first + step) % SLOTS * SLOT.size
            found, count, until = SLOT.unpack_from(self._slots, place)
            if found == key:
                return place, count, until
            if until < over:
                oldest, over = place, until
        return oldest, 0, 0.0

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._threads:
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)
