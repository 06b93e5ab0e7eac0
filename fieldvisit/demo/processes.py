"""The product's own processes, as an operator would start them: server, worker, watcher, and single commands."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from fieldvisit.errors import FieldVisitError, Kind

STOP_S = 10


class DemoStopped(FieldVisitError):
    """A part of the demo's day went wrong; the reason is what the part itself said."""

    code, kind = "demo_stopped", Kind.UNAVAILABLE
    says = "The demo stopped at {what}: {reason}"


@dataclass
class Processes:
    """Starts the product's commands with one environment; what still runs at the end is stopped, last started first."""

    command: Sequence[str]
    environ: Mapping[str, str]
    logs: Path
    started: dict[str, tuple[str, ...]] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _open: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in reversed(list(self.running)):
            self.stop(name)
        self._open.close()

    def run(self, *arguments: str, stdin: str = "") -> str:
        """Run one command to its end; what it printed. Raises DemoStopped with what it complained of."""
        done = subprocess.run(
            [*self.command, *arguments],
            env=dict(self.environ),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise DemoStopped(what=" ".join(arguments[:2]), reason=(done.stderr or done.stdout).strip()[-2_000:])
        return done.stdout

    def start(self, name: str, *arguments: str) -> None:
        """Start a command that stays; its output goes to ``logs/<name>.log``."""
        self.started[name] = arguments
        # Appended to: what a process said before it died is what one wants to read.
        log = self._open.enter_context((self.logs / f"{name}.log").open("ab"))
        # A session of its own: Ctrl-C reaches the demo alone, which then stops its parts in order.
        self.running[name] = subprocess.Popen(
            [*self.command, *arguments],
            env=dict(self.environ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def stop(self, name: str) -> None:
        process = self.running.pop(name)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def finish(self, name: str) -> None:
        """Wait for a started command that ends by itself; raise DemoStopped where it ended badly."""
        process = self.running[name]
        if process.wait() == 0:
            self.running.pop(name)
        self.refuse_dead()

    def revive(self) -> list[str]:
        """Start again what has died; the names. The work goes on where it stood: that is the product's own promise."""
        dead = [name for name, process in self.running.items() if process.poll() is not None]
        for name in dead:
            self.running.pop(name)
            self.start(name, *self.started[name])
        return dead

    def refuse_dead(self) -> None:
        """Raise DemoStopped where a process that should stay has ended, with the end of its log."""
        for name, process in self.running.items():
            if process.poll() is not None:
                tail = (self.logs / f"{name}.log").read_text(errors="replace")[-1_000:]
                raise DemoStopped(what=name, reason=tail.strip() or f"exit code {process.returncode}")

    def wait_for_port(self, port: int, *, limit_s: float = 60) -> None:
        """Wait until the server listens."""
        began = time.monotonic()
        while time.monotonic() - began < limit_s:
            self.refuse_dead()
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.1)
        raise DemoStopped(what="serve", reason=f"nothing listens on port {port} after {limit_s:.0f} s")


def usable_port(wanted: int) -> int:
    """The wanted port, or a free one where something else listens there."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise DemoStopped(what="serve", reason="no free port")


def demo_environ(data_folder: Path, map_file: Path, port: int) -> dict[str, str]:
    """The environment of every process of the demo: nothing that is set outside changes the demo's database or keys."""
    foreign = {"DATABASE_URL", "DATABASE_OWNER_URL", "DATA_KEY", "TOKEN_KEY", "HOST", "RATE_LIMIT", "SOLVE_S"}
    return {name: value for name, value in os.environ.items() if name not in foreign} | {
        "ENVIRONMENT": "demo",
        "DATA_FOLDER": str(data_folder),
        "MAP_FILE": str(map_file),
        "GEOCODER": "demo",
        "PORT": str(port),
        # Whoever tries the demo out asks as fast as a program can, and wants to see the answers.
        "RATE_LIMIT": "100000/minute",
        "NUMBA_CACHE_DIR": str(data_folder / "kernels"),
    }
