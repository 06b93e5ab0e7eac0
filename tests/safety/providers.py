"""The fake provider as tests use it: two of each channel, started once, told how to behave."""

import functools
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from fieldvisit.alarm_providers import AlarmProvider
from fieldvisit.vocabulary import AlarmChannel
from tests.processes import wait_until

SECRET = "shared with the gateway"


@functools.cache
def _client() -> httpx.Client:
    """One for all questions of a test process: what is trusted is read for each new one."""
    return httpx.Client()


@dataclass(frozen=True)
class Providers:
    """`receipts`: whether they are trusted to send receipts, and are waited for."""

    base: str

    def all(self, *, receipts: bool = False) -> tuple[AlarmProvider, ...]:
        return tuple(
            AlarmProvider(
                name=f"{channel.value}-{which}",
                channel=channel,
                url=f"{self.base}/{channel.value}-{which}",
                secret=SECRET if receipts else None,
            )
            for channel in AlarmChannel
            for which in ("a", "b")
        )

    def as_json(self, *, receipts: bool = False) -> list[dict[str, Any]]:
        return [
            {"name": each.name, "channel": each.channel.value, "url": each.url}
            | ({"secret": each.secret} if each.secret else {})
            for each in self.all(receipts=receipts)
        ]

    def behave(self, name: str, **how: Any) -> None:
        _client().put(f"{self.base}/{name}", json=how).raise_for_status()

    def heard(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = _client().get(f"{self.base}/heard").json()
        return found

    def forget(self) -> None:
        """What was heard so far was not."""
        _client().delete(f"{self.base}/heard").raise_for_status()

    def heard_by(self, *names: str) -> list[dict[str, Any]]:
        return [each for each in self.heard() if each["provider"] in names]


@contextmanager
def fake_providers(folder: Path) -> Iterator[Providers]:
    told = folder / "provider.port"
    process = subprocess.Popen([sys.executable, str(Path(__file__).with_name("fake_provider.py")), str(told)])
    try:
        wait_until(told.exists)
        yield Providers(f"http://127.0.0.1:{told.read_text()}")
    finally:
        process.kill()
        process.wait()
