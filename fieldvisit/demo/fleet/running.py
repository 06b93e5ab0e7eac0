"""All phones of a fleet at once, each in a thread of its own turn, and what became of them in figures."""

import statistics
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from fieldvisit.demo.fleet.line import Meter, Weather
from fieldvisit.demo.fleet.phone import FleetPhone, Notes, Owner

AT_ONCE = 24


@dataclass(frozen=True, kw_only=True)
class Run:
    """Where a fleet lives. `revoked`: so many phones, the last ones, are taken back by the office while they work.
    `at_once`: as many as have signal in one moment. `through` hears how many have lived their day by now."""

    base_url: str
    folder: Path
    weather: Weather
    revoked: int
    revoke: Callable[[str], None]
    at_once: int = AT_ONCE
    through: Callable[[int], None] = lambda _count: None


def live(owners: Sequence[Owner], run: Run) -> tuple[list[Notes], Meter]:
    """Let them all live their day. Raises whatever stopped one of them, without beginning another."""
    run.folder.mkdir(parents=True, exist_ok=True)
    meter = Meter()
    phones = [FleetPhone(run.base_url, owner, run.folder, meter, weather=run.weather) for owner in owners]
    taken_back = len(phones) - run.revoked
    with ThreadPoolExecutor(max_workers=min(len(phones), run.at_once)) as pool:
        lives = [
            pool.submit(phone.live, run.revoke if place >= taken_back else None) for place, phone in enumerate(phones)
        ]
        try:
            for count, each in enumerate(as_completed(lives), start=1):
                each.result()
                run.through(count)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [each.result() for each in lives], meter


def percentiles(seconds: Sequence[float]) -> tuple[float, float]:
    """The median and the 99th, in milliseconds."""
    return statistics.median(seconds) * 1_000, statistics.quantiles(seconds, n=100)[98] * 1_000
