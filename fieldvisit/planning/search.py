"""Running the search in its own short-lived process: with a deadline, a memory cap, and progress as it comes.

A process per search, because a solver that crashes or leaks must take nothing with it.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from fieldvisit.planning.failures import PlanFailure
from fieldvisit.planning.plans import Claimed
from fieldvisit.planning.remedies import lendable
from fieldvisit.planning.work import Answer, Work
from fieldvisit.settings import Settings

SPARE_S = 240
"""What a search may take besides its own seconds: starting, building the roads of a map that is new, and compiling the
kernel where no cache is, on a machine that has other things to do."""

NO_MEMORY = ("MemoryError", "std::bad_alloc", "Cannot allocate memory", "out of memory")
"""How the libraries below Python say that the memory cap was met, when they end the process."""
BROKEN_OFF = "Traceback (most recent call last):"
"""As a last line: there was no memory left to write the rest."""

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
        askable=claimed.draft.askable,
        lendable=lendable(claimed.draft.document["tasks"]),
        budget={name: claimed.asked[name] for name in ("price", "most")} if claimed.asked else None,
        memory_mb=settings.solve_memory_mb,
        road_server=settings.road_server,
        busy_hours=list(settings.busy_hours),
    )


async def search(work: Work, tell: Tell, *, spare_s: float = SPARE_S) -> Answer:
    """The child's answer; a child that dies or outstays its time is an answer with a failure.

    `tell` hears of progress, and calls the search off by answering False. Cancelling this kills the child.
    """
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "fieldvisit.planning.child"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=LARGEST_LINE,
        # A group of its own: a Ctrl-C meant for the worker passes it by, and what it starts can be ended with it.
        start_new_session=True,
    )
    limit_s = work.seconds + spare_s
    try:
        async with asyncio.timeout(limit_s):
            return await _converse(child, work, tell)
    except TimeoutError:
        return Answer(failure=PlanFailure.SEARCH_TIMED_OUT, says=f"no answer within {limit_s:g} s")
    finally:
        _kill(child)
        await child.wait()


async def _converse(child: asyncio.subprocess.Process, work: Work, tell: Tell) -> Answer:
    if child.stdin is None or child.stdout is None:
        raise RuntimeError("the child was started with pipes")
    child.stdin.write(json.dumps(asdict(work)).encode() + b"\n")
    # A child that dies before it has read everything is told by its end, below.
    with suppress(ConnectionError):
        await child.stdin.drain()
    stdout, heard = await asyncio.gather(child.stdout.readline(), _listen(child, tell))
    if heard is None:
        return Answer(called_off=True)
    # Its standard input stays open to the end: the end of it tells the child that its parent is gone.
    code = await child.wait()
    if code == 0 and stdout:
        return _answer(json.loads(stdout))
    last = heard[-1] if heard else ""
    return Answer(failure=death_of(last), says=f"exit code {code}. {last}".strip())


def death_of(last: str) -> PlanFailure:
    """Why a child ended without an answer, by the last line of its complaints."""
    starved = last.strip() == BROKEN_OFF or any(words in last for words in NO_MEMORY)
    return PlanFailure.OUT_OF_MEMORY if starved else PlanFailure.SEARCH_DIED


def _answer(said: Mapping[str, Any]) -> Answer:
    failure = said["failure"]
    return Answer(**{**said, "failure": PlanFailure(failure) if failure else None})


async def _listen(child: asyncio.subprocess.Process, tell: Tell) -> list[str] | None:
    """Pass progress on until the child ends; the last lines that were not progress, or None once it is called off."""
    complaints: list[str] = []
    stream = child.stderr
    while stream is not None and (line := await stream.readline()):
        try:
            progress = json.loads(line)["progress"]
        except (ValueError, KeyError, TypeError):
            complaints = [*complaints[-19:], line.decode(errors="replace").strip()]
            continue
        if not await tell(progress):
            _kill(child)
            return None
    return complaints


def _kill(child: asyncio.subprocess.Process) -> None:
    """End the child and all that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
