"""What is measured: each profile is a list of cases, the same ones every time."""

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from routing.benchmark.days import DayShape, Style, field_day
from routing.benchmark.instances import read_instance
from routing.problem import Problem

type Profile = Literal["quick", "days", "features", "solomon", "large", "full"]

PROFILES: tuple[Profile, ...] = ("quick", "days", "features", "solomon", "large", "full")
FIELD_DAYS = {100: 2.0, 300: 10.0, 1000: 60.0}
"""Seconds for each number of visits."""
STYLES: tuple[Style, ...] = ("city", "region", "rural")
SEEDS = (1, 2, 3)
EVERYONE, RIVALS = ("fieldvisit", "pyvrp", "vroom", "ortools"), ("fieldvisit", "pyvrp")


@dataclass(frozen=True)
class Case:
    """One day to be planned by several solvers in the same time. `best_known` is None where nobody knows."""

    name: str
    family: str
    seconds: float
    solvers: tuple[str, ...]
    seeds: tuple[int, ...]
    problem: Callable[[], Problem]
    best_known: int | None = None


def cases(profile: Profile, instances: Path | None) -> list[Case]:
    """The cases of a profile. Without a folder of public instances only made-up days are measured."""
    quick = profile == "quick"
    found: list[Case] = []
    if profile in ("quick", "days", "full"):
        styles = STYLES[:1] if quick else STYLES
        seeds = SEEDS[:1] if quick else SEEDS
        found += [_day(DayShape(style=s, visits=n, seed=1), EVERYONE, seeds) for n in FIELD_DAYS for s in styles]
    if profile in ("features", "full"):
        found += [_day(shape, EVERYONE, SEEDS[:1]) for shape in _rich_days()]
    if instances is not None and profile in ("quick", "solomon", "full"):
        listed = _listed(instances, "solomon")
        found += [_public(row, instances, 10.0) for row in (listed[::4] if quick else listed)]
    if instances is not None and profile in ("quick", "large", "full"):
        listed = [row for row in _listed(instances, "homberger") if int(row["n"]) == 1000]
        listed += _listed(instances, "pcvrptw")
        found += [_public(row, instances, 60.0) for row in (listed[3::6] if quick else listed)]
    if instances is not None and profile in ("large", "full"):
        other = [row for family in ("sdvrptw", "mdvrptw") for row in _listed(instances, family)]
        found += [_public(row, instances, 20.0) for row in other]
    return found


def _rich_days() -> Iterable[DayShape]:
    yield DayShape(style="city", visits=300, seed=1, breaks=True)
    yield DayShape(style="city", visits=300, seed=1, split=0.5)
    yield DayShape(style="city", visits=300, seed=1, pairs=0.1)
    yield DayShape(style="city", visits=300, seed=1, breaks=True, pairs=0.1, split=0.5, wait=1)


def _day(shape: DayShape, solvers: tuple[str, ...], seeds: tuple[int, ...]) -> Case:
    seconds = FIELD_DAYS[shape.visits]
    return Case(shape.name, f"field day, {shape.visits}", seconds, solvers, seeds, partial(field_day, shape))


def _listed(folder: Path, family: str) -> list[dict[str, str]]:
    with (folder / "bks.csv").open(newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["family"] == family]
    return [row for row in rows if (folder / row["file"]).is_file()]


def _public(row: dict[str, str], folder: Path, seconds: float) -> Case:
    family, known = row["family"], row["dimacs_x10"] or row["other_cost"]
    label = f"{family}, {row['n']}"
    read = partial(_read, folder / row["file"], family)
    return Case(f"{family}-{row['instance']}", label, seconds, RIVALS, SEEDS[:1], read, int(known) if known else None)


def _read(path: Path, family: str) -> Problem:
    return read_instance(path.read_text(), family)
