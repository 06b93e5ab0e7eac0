"""The memory of a server process gathered into huge pages, where the system has them.

Python's objects lie scattered over a hundred megabytes, and a short request touches thousands of them: with pages of
four kilobytes the processor spends a quarter of such a request finding out where they are, and more in a virtual
machine. Linux gives large pages to who asks (`madvise`, MADV_COLLAPSE since 6.1). What it refuses stays as it is.
"""

import ctypes
import mmap
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import structlog

COLLAPSE = 25
"""MADV_COLLAPSE of <linux/mman.h>: now, not when the system finds the time. Python has no name for it yet."""
SIZE = Path("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size")
MEMORY, GROUP = Path("/proc/meminfo"), Path("/sys/fs/cgroup")
OF_CONTAINER = (
    ("memory.max", "memory.current"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
)
"""Files of the second version of control groups, and of the first: the limit and what is taken."""
ROOM = 2**30
"""Bytes. What the processes of a server share is there once for each of them afterwards, some 60 MB: where less than
this is free, of the host or of the container, it stays shared."""
LARGEST = 4 * 2**20
"""Bytes. Where a page is larger (512 MB with some kernels of ARM), no process here would fill one."""
MAPPING = re.compile(r"(?P<first>[0-9a-f]+)-(?P<end>[0-9a-f]+) rw-p \S+ \S+ 0 *(\[heap\])?$")
"""Of /proc/self/maps: memory of this process alone, of no file."""

log = structlog.get_logger("fieldvisit.serve")


def gather_memory() -> int:
    """Ask for huge pages wherever this process has enough memory in one piece; how many there are now, 0 where the
    system has none or is short of memory. To be called once everything is loaded, in a process that forks no more:
    whatever a fork shares is torn into small pieces as it is written."""
    size = _page_bytes()
    if size is None or free_bytes(MEMORY, GROUP) < ROOM:
        return 0
    advise = ctypes.CDLL(None, use_errno=True).madvise
    advise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    gathered = 0
    for first, end in _mappings():
        begin = -(-first // size) * size
        if begin + size > end or advise(begin, end - begin, mmap.MADV_HUGEPAGE) != 0:
            continue
        # One after the other: where one is refused, the next may not be.
        gathered += sum(advise(page, size, COLLAPSE) == 0 for page in range(begin, end - size + 1, size))
    log.debug("memory_gathered", huge_pages=gathered, megabytes=gathered * size // 2**20)
    return gathered


def _page_bytes() -> int | None:
    if sys.platform != "linux":
        return None
    try:
        size = int(SIZE.read_text())
    except (OSError, ValueError):
        return None
    return size if size <= LARGEST else None


def free_bytes(memory: Path, group: Path) -> int:
    """What a process may still have, of the host's memory and of what a container is given of it."""
    host = re.search(r"^MemAvailable: +(\d+) kB", memory.read_text(), re.MULTILINE)
    free = [int(host[1]) * 1024 if host else 0]
    for limit, taken in OF_CONTAINER:
        with suppress(OSError, ValueError):  # where there is no limit, "max" is said to be it
            free.append(int((group / limit).read_text()) - int((group / taken).read_text()))
    return min(free)


def _mappings() -> Iterator[tuple[int, int]]:
    for line in Path("/proc/self/maps").read_text().splitlines():
        if (found := MAPPING.match(line)) is not None:
            yield int(found["first"], 16), int(found["end"], 16)
