"""The product's own commands as real processes, against the database of a test."""

import base64
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

import fieldvisit
from fieldvisit.settings import Settings

CHILD = "fieldvisit.planning.child"
PATIENCE_S = 240
"""Longer than the kernel takes to compile on a machine that does other things besides."""


def environ(settings: Settings, **more: str) -> dict[str, str]:
    """What a process of this test's installation finds in its environment."""
    handed_down = {name: os.environ[name] for name in ("PATH", "NUMBA_CACHE_DIR") if name in os.environ}
    return {
        **handed_down,
        "PYTHONPATH": str(Path(fieldvisit.__file__).parent.parent),
        "ENVIRONMENT": settings.environment,
        "DATA_FOLDER": str(settings.data_folder),
        "DATABASE_URL": str(settings.database_url),
        "DATABASE_OWNER_URL": str(settings.database_owner_url),
        "DATA_KEY": base64.b64encode(settings.data_key).decode(),
        "TOKEN_KEY": base64.b64encode(settings.token_key).decode(),
        "SOLVE_THREADS": "1",
        "LANG": "C.UTF-8",
        **more,
    }


def command(*arguments: str) -> list[str]:
    """`fieldvisit ...`, by the code under test."""
    return [sys.executable, "-c", "from api.cli import main; main()", *arguments]


def call(settings: Settings, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        command(*arguments),
        env=environ(settings, **more),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@contextmanager
def running(settings: Settings, *arguments: str, **more: str) -> Iterator[psutil.Popen]:
    """A command that stays; killed with all its children at the end, if it is still there."""
    process = psutil.Popen(
        command(*arguments), env=environ(settings, **more), stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    try:
        yield process
    finally:
        for one in [*searches_of(process), process]:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        process.wait()


def searches_of(process: psutil.Popen) -> list[psutil.Process]:
    """The solving children of a worker."""
    try:
        children = process.children(recursive=True)
        return [child for child in children if CHILD in " ".join(child.cmdline())]
    except psutil.NoSuchProcess:
        return []


def wait_until(holds: Callable[[], object]) -> None:
    """Look again and again until it holds; an outside process tells in no other way."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.05)
