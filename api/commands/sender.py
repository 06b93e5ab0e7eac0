"""The half of `fieldvisit watch` that sends: a process of its own, so that no message keeps an alarm waiting.

The two share nothing but a pipe. A byte in it is a hint; its end means that the watcher is no more.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from threading import Event, Thread

import structlog

from fieldvisit.safety.hints import Hint

AGAIN_S = 1.0
ENDS_WITHIN_S = 15.0
"""Longer than a message may be on its way: then what came of it is written down."""

log = structlog.get_logger("fieldvisit.watch")


class SendingProcess(Hint):
    """The sender as a child, started again whenever it ends before it should. A hint given here reaches it as well."""

    def __init__(self, arguments: Sequence[str]) -> None:
        super().__init__()
        self._arguments = arguments
        self._reading, self._writing = os.pipe()
        # A hint is never waited for: a pipe that is full holds hints enough.
        os.set_blocking(self._writing, False)
        self._stop = Event()
        self._thread = Thread(target=self._keep, name="sender", daemon=True)
        self._thread.start()

    def give(self) -> None:
        super().give()
        if not self._stop.is_set():
            with suppress(BlockingIOError):
                os.write(self._writing, b".")

    def close(self) -> None:
        """Let it finish what it has in hand, and end."""
        self._stop.set()
        os.close(self._writing)
        self._thread.join()

    def _keep(self) -> None:
        while not self._stop.is_set():
            command = [sys.executable, "-c", "from api.cli import main; main()", "watch", *self._arguments]
            child = subprocess.Popen([*command, "--until", str(self._reading)], pass_fds=(self._reading,))
            self._await(child)
            if not self._stop.is_set():
                log.error("sender_ended", exit_code=child.returncode)
                self._stop.wait(AGAIN_S)

    def _await(self, child: "subprocess.Popen[bytes]") -> None:
        while child.poll() is None and not self._stop.is_set():
            with suppress(subprocess.TimeoutExpired):
                child.wait(AGAIN_S)
        try:
            child.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def obey(reading: int, hint: Hint, stop: Event) -> None:
    """In the child: pass on what the watcher hints, and stop when it is no more. Runs in a thread of its own."""
    while os.read(reading, 4_096):
        hint.give()
    stop.set()
    hint.give()
