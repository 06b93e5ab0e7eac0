"""All phones of a fleet at once, each in a thread of its own turn, and what became of them in figures."""

import statistics
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from fieldvisit.demo.fleet.line import Meter, Weather
from fieldvisit.demo.fleet.phone import FleetPhone, Notes, Owner

AT_ONCE = 24
"""As many phones as have signal in one moment."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """Where a fleet lives. `revoked`: so many phones, the last ones, are taken back by the office while they work."""

    base_url: str
    folder: Path
    weather: Weather
    revoked: int
    revoke: Callable[[str], None]


def live(owners: Sequence[Owner], run: Run) -> tuple[list[Notes], Meter]:
    """Let them all live their day. Raises whatever stopped one of them."""
    run.folder.mkdir(parents=True, exist_ok=True)
    meter = Meter()
    phones = [FleetPhone(run.base_url, owner, run.folder, meter, weather=run.weather) for owner in owners]
    taken_back = len(phones) - run.revoked
    with ThreadPoolExecutor(max_workers=min(len(phones), AT_ONCE)) as pool:
        lives = [
            pool.submit(phone.live, run.revoke if place >= taken_back else None) for place, phone in enumerate(phones)
        ]
        return [each.result() for each in lives], meter


def percentiles(seconds: Sequence[float]) -> tuple[float, float]:
    """The median and the 99th, in milliseconds."""
    return statistics.median(seconds) * 1_000, statistics.quantiles(seconds, n=100)[98] * 1_000
