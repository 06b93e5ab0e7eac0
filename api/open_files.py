"""How many files a process may have open, which connections are too, and how many of them are for callers."""

import resource
from contextlib import suppress

CONNECTIONS = 1000
"""So many callers a process has at most, however many files it may open."""
BESIDE = 64
"""What a process has open beside its callers: listeners, pipes, counts, logs."""
EACH_THREAD = 3
"""What a thread may have open besides: a connection to the database, one to the files' store, and a file."""


def raise_limit() -> int | None:
    """Let this process and those it makes open as many files as the system allows: shells and services often begin with
    far fewer. How many; None where there is no limit."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Where no limit is set there is one all the same (macOS).
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if allowed == resource.RLIM_INFINITY else allowed


def connections_within(limit: int | None, *, threads: int) -> int:
    """How many callers a process of so many threads takes at once. One more than it has threads at least: who has
    fewer files than that is told by each that cannot be opened."""
    if limit is None:
        return CONNECTIONS
    return max(threads + 1, min(CONNECTIONS, limit - BESIDE - EACH_THREAD * threads))
