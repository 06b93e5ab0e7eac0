"""Asking a short-lived process one question, with a deadline and a memory cap: nothing it does harms a worker."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.planning.failures import PlanFailure
from fieldvisit.planning.search import LARGEST_LINE, SPARE_S, death_of


class NoAnswer(FieldVisitError):
    """The process gave no answer. Never told to a caller: it becomes the failure of what was asked."""

    code, kind = "no_answer", Kind.UNAVAILABLE
    says = "The search ended without an answer: {reason}"

    def __init__(self, failure: PlanFailure, reason: str) -> None:
        super().__init__(reason=reason)
        self.failure = failure


async def ask(
    kind: str, question: Mapping[str, Any], *, seconds: float, memory_mb: int, spare_s: float = SPARE_S
) -> dict[str, Any]:
    """The answer. Raises NoAnswer. Cancelling this kills the process."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "fieldvisit.planning.side_child"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=LARGEST_LINE,
        start_new_session=True,
    )
    line = json.dumps({"kind": kind, "ask": question, "memory_mb": memory_mb}).encode() + b"\n"
    try:
        async with asyncio.timeout(seconds + spare_s):
            return await _heard(child, line)
    except TimeoutError as error:
        raise NoAnswer(PlanFailure.SEARCH_TIMED_OUT, f"none within {seconds + spare_s:g} s") from error
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        await child.wait()


async def _heard(child: asyncio.subprocess.Process, line: bytes) -> dict[str, Any]:
    if child.stdin is None or child.stdout is None or child.stderr is None:
        raise RuntimeError("the child was started with pipes")
    child.stdin.write(line)
    with suppress(ConnectionError):
        await child.stdin.drain()
    said, complaints = await asyncio.gather(child.stdout.readline(), child.stderr.read())
    code = await child.wait()
    if code == 0 and said:
        answer: dict[str, Any] = json.loads(said)
        return answer
    last = complaints.decode(errors="replace").strip().splitlines()[-1:] or [""]
    raise NoAnswer(death_of(last[0]), f"exit code {code}. {last[0]}".strip())
