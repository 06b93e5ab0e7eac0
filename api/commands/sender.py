"""The half of `fieldvisit watch` that sends: a process of its own, so that no message keeps an alarm waiting.

The two share nothing but two pipes. In one a byte is a hint, and its end means that the watcher is no more; in the
other a byte says which channel goes on, and a sender of which one does not is replaced.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event, Thread

import structlog

from fieldvisit.safety.hints import Hint
from fieldvisit.vocabulary import AlarmChannel

AGAIN_S = 1.0
SILENT_LOOKS, STARTING_LOOKS = 30, 120
"""So many looks, one in each `AGAIN_S`, a channel may give no sign, and a sender may take until the first: of looks and
not of the clock, so that whoever was held up together with the sender does not blame it."""
CHANNELS = tuple(AlarmChannel)
ENDS_WITHIN_S = 15.0
"""Longer than a message may be on its way: then what came of it is written down."""

log = structlog.get_logger("fieldvisit.watch")


class Signs:
    """What a sender says of itself: that a channel goes on to its next messages."""

    def __init__(self) -> None:
        self._reading, self.writing = os.pipe()
        # Nobody waits for the other: a pipe that is full holds signs enough.
        os.set_blocking(self._reading, False)
        os.set_blocking(self.writing, False)
        self.begin()

    def begin(self) -> None:
        """Another sender, which has to start first; what the one before it said counts for nothing."""
        self._heard()
        self._silent = dict.fromkeys(CHANNELS, SILENT_LOOKS - STARTING_LOOKS)

    def look(self) -> list[AlarmChannel]:
        """The channels that have given no sign for too many looks."""
        heard = self._heard()
        self._silent = {each: 0 if each in heard else looks + 1 for each, looks in self._silent.items()}
        return [each for each, looks in self._silent.items() if looks >= SILENT_LOOKS]

    def close(self) -> None:
        os.close(self._reading)
        os.close(self.writing)

    def _heard(self) -> set[AlarmChannel]:
        found: set[int] = set()
        with suppress(BlockingIOError):
            while said := os.read(self._reading, 4_096):
                found.update(said)
        return {CHANNELS[each] for each in found}


def gives_signs(writing: int) -> Callable[[AlarmChannel], None]:
    """In the child: what says that a channel goes on."""

    def give(channel: AlarmChannel) -> None:
        with suppress(OSError):
            os.write(writing, bytes([CHANNELS.index(channel)]))

    return give


class SendingProcess(Hint):
    """The sender as a child, started again whenever it ends before it should, and replaced when it gives no sign. A
    hint given here reaches it as well."""

    def __init__(self, arguments: Sequence[str], *, again_s: float = AGAIN_S) -> None:
        super().__init__()
        self._arguments, self._again_s = arguments, again_s
        self._signs = Signs()
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
        self._signs.close()

    def _keep(self) -> None:
        while not self._stop.is_set():
            try:
                child = self._started()
                self._await(child)
            except Exception:
                # No memory for another process, perhaps: whoever keeps the sender is needed more than ever.
                log.exception("sender_not_kept")
            else:
                if not self._stop.is_set():
                    log.error("sender_ended", exit_code=child.returncode)
            self._stop.wait(self._again_s)

    def _started(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-c", "from api.cli import main; main()", "watch", *self._arguments]
        ends = (self._reading, self._signs.writing)
        self._signs.begin()
        return subprocess.Popen([*command, "--until", *map(str, ends)], pass_fds=ends)

    def _await(self, child: "subprocess.Popen[bytes]") -> None:
        while child.poll() is None and not self._stop.is_set():
            with suppress(subprocess.TimeoutExpired):
                child.wait(self._again_s)
            if silent := self._signs.look():
                # What it has in hand is sent once more by the next one, when its leases have run out.
                log.error("sender_silent", channels=[each.value for each in silent])
                child.kill()
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
