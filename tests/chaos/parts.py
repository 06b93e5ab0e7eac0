"""The product's processes under somebody who starts them again, and somebody else who kills them."""

import random
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

import psutil

from fieldvisit.settings import Settings
from tests.processes import command, environ


@dataclass
class Parts:
    """`commands`: name → arguments of `fieldvisit`. What has died is started again at once, until the block is left."""

    settings: Settings
    commands: Mapping[str, tuple[str, ...]]
    more: Mapping[str, str]
    kills: dict[str, int] = field(default_factory=dict)
    _running: dict[str, psutil.Popen] = field(default_factory=dict)
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._reviver = threading.Thread(target=self._revive)
        self._reviver.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._reviver.join()
        for process in self._running.values():
            for one in _family(process):
                with suppress(psutil.NoSuchProcess):
                    one.kill()
            process.wait()

    def rage(self, dice: random.Random, *, for_s: float) -> None:
        """Kill -9 any of the processes, or of the server's children, again and again.

        A search alone is left in peace: its death is the plan's failure, with a reason, and has a test of its own.
        """
        until = time.monotonic() + for_s
        while time.monotonic() < until:
            time.sleep(dice.uniform(0.2, 3))
            name = dice.choice(sorted(self.commands))
            family = _targets(name, self._running.get(name))
            if family:
                with suppress(psutil.NoSuchProcess):
                    dice.choice(family).kill()
                    self.kills[name] = self.kills.get(name, 0) + 1

    def _revive(self) -> None:
        while not self._over.wait(0.05):
            for name, arguments in self.commands.items():
                if name not in self._running or self._running[name].poll() is not None:
                    self._running[name] = psutil.Popen(
                        command(*arguments),
                        env=environ(self.settings, **self.more),
                        stdout=subprocess.DEVNULL,
                        stderr=subprocess.STDOUT,
                    )


def _targets(name: str, process: psutil.Popen | None) -> list[psutil.Process]:
    if process is None:
        return []
    return _family(process)[: None if name == "serve" else 1]


def _family(process: psutil.Popen) -> list[psutil.Process]:
    """The process and its children, as far as they live."""
    try:
        return [psutil.Process(process.pid), *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
