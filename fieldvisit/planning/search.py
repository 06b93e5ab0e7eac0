"""Running the search in its own short-lived process: with a deadline, a memory cap, and progress as it comes.

A process per search, because a solver that crashes or leaks must take nothing with it.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from fieldvisit.planning.plans import Claimed
from fieldvisit.planning.work import Answer, Work
from fieldvisit.settings import Settings

SPARE_S = 90
"""What a search may take besides its own seconds: starting, reading the map, compiling where no cache is."""

# A plan of ten thousand visits is some tens of megabytes of JSON on one line.
LARGEST_LINE = 1 << 28

type Tell = Callable[[Mapping[str, Any]], Awaitable[bool]]


def work_of(claimed: Claimed, settings: Settings) -> Work:
    return Work(
        document=claimed.draft.document,
        points=list(claimed.draft.points),
        map_file=str(settings.map_file) if settings.map_file else None,
        graph_folder=str(settings.data_folder / "roads"),
        seconds=claimed.seconds,
        iterations=claimed.iterations,
        threads=settings.solve_threads,
        seed=claimed.seed,
        memory_mb=settings.solve_memory_mb,
    )


async def search(work: Work, tell: Tell) -> Answer:
    """The child's answer; a child that dies or outstays its time is an answer with a failure.

    `tell` hears of progress, and stops the search by answering False. Cancelling this kills the child.
    """
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "fieldvisit.planning.child"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=LARGEST_LINE,
    )
    try:
        async with asyncio.timeout(work.seconds + SPARE_S):
            return await _converse(child, work, tell)
    except TimeoutError:
        return Answer(failure="search_timed_out", says=f"no answer within {work.seconds + SPARE_S} s")
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()


async def _converse(child: asyncio.subprocess.Process, work: Work, tell: Tell) -> Answer:
    if child.stdin is None or child.stdout is None or child.stderr is None:
        raise RuntimeError("the child was started with pipes")
    child.stdin.write(json.dumps(asdict(work)).encode() + b"\n")
    # A child that dies before it has read everything is told by its end, below.
    with suppress(ConnectionError):
        await child.stdin.drain()
    stdout, complaints = await asyncio.gather(child.stdout.readline(), _listen(child, tell))
    # Its standard input stays open to the end: the end of it tells the child that its parent is gone.
    child.stdin.close()
    code = await child.wait()
    if code == 0 and stdout:
        return Answer(**json.loads(stdout))
    return Answer(failure="search_died", says=f"exit code {code}. {complaints[-1] if complaints else ''}".strip())


async def _listen(child: asyncio.subprocess.Process, tell: Tell) -> list[str]:
    """Pass progress on until the child ends; the last lines that were not progress."""
    complaints: list[str] = []
    stream = child.stderr
    while stream is not None and (line := await stream.readline()):
        try:
            progress = json.loads(line)["progress"]
        except (ValueError, KeyError, TypeError):
            complaints = [*complaints[-19:], line.decode(errors="replace").strip()]
            continue
        if not await tell(progress):
            child.kill()
    return complaints
