"""The demo's world as files: a lender's debtors, how they were tried, and the agency that may visit them.

Everything follows from a seed, a date and a map extract: the same three give the same bytes.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from datetime import date
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from fieldvisit.demo.generator_addresses import UNKNOWN, Houses
from fieldvisit.demo.generator_cases import Archetype, CaseRow, Debtor, cases, debtors
from fieldvisit.demo.generator_contacts import attempts
from fieldvisit.demo.generator_people import Cast
from fieldvisit.demo.generator_staff import BARRED, credentials, shifts, visitors
from fieldvisit.demo.generator_wishes import payments, wishes
from fieldvisit.maps import addresses

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

EXTRACT = Path(__file__).with_name("helsinki-centre.osm.pbf")
TODAY = date(2026, 3, 3)
SEED = 20260303


@dataclass(frozen=True)
class Truth:
    """What the generator knows and no file says: what an honest import, gate and plan have to find out.

    `archetypes` by case id; `unlocatable` are case ids whose address nobody knows; `at_work` are those whose only place
    is a workplace, where the house policy wants consent; `barred` are the ids of visitors without valid papers on the
    day.
    """

    archetypes: Mapping[str, Archetype]
    unlocatable: frozenset[str]
    at_work: frozenset[str]
    barred: frozenset[str]

    @property
    def opened(self) -> frozenset[str]:
        """The ids of the cases whose debtor the phone did not reach, as the failed-contact gate understands it."""
        return frozenset(case_id for case_id, archetype in self.archetypes.items() if archetype.opens)

    @property
    def visitable(self) -> frozenset[str]:
        """Those of them that the house policy lets anybody visit: for these a visit is opened, and for no other."""
        return self.opened - self.at_work


@dataclass(frozen=True)
class Counts:
    """How many lines each file has, and the truth behind them."""

    debtors: int
    cases: int
    contacts: int
    visitors: int
    shifts: int
    credentials: int
    payments: int
    wishes: int
    truth: Truth


def generate(folder: Path, *, seed: int = SEED, today: date = TODAY, pbf: Path = EXTRACT) -> Counts:
    """Write the eight files into `folder` (made if missing), UTF-8 with a header line each.

    Raises `MapMissing` or `MapUnreadable`, before anything is written.
    """
    houses = Houses(_chance(seed, "houses"), addresses(pbf))
    folder.mkdir(parents=True, exist_ok=True)
    cast = Cast(_chance(seed, "people"), today)
    people = debtors(_chance(seed, "debtors"), cast, houses)
    owed = list(cases(_chance(seed, "cases"), people, today=today))
    staff = visitors(cast, houses)
    kinds = [(debtor.archetype, case) for debtor, case in owed]
    return Counts(
        debtors=len(people),
        cases=_write(folder / "cases.csv", [case for _, case in owed]),
        contacts=_write(folder / "contacts.csv", attempts(_chance(seed, "contacts"), kinds, today=today)),
        visitors=_write(folder / "visitors.csv", staff),
        shifts=_write(folder / "shifts.csv", shifts(staff, today=today)),
        credentials=_write(folder / "credentials.csv", credentials(_chance(seed, "papers"), staff, today=today)),
        payments=_write(folder / "payments.csv", payments(_chance(seed, "payments"), owed, today=today)),
        wishes=_write(folder / "wishes.csv", wishes(_chance(seed, "wishes"), people)),
        truth=_truth(owed, barred=staff[BARRED].visitor_id),
    )


def _chance(seed: int, purpose: str) -> Random:
    """A source of chance of its own for each file: a line more in one does not change the others."""
    return Random(f"{seed} {purpose}")


def _truth(owed: Iterable[tuple[Debtor, CaseRow]], *, barred: str) -> Truth:
    archetypes = {case.case_id: debtor.archetype for debtor, case in owed}
    unlocatable = frozenset(case.case_id for _, case in owed if case.address in UNKNOWN)
    at_work = frozenset(case.case_id for debtor, case in owed if debtor.place_kind == "work")
    return Truth(archetypes=archetypes, unlocatable=unlocatable, at_work=at_work, barred=frozenset({barred}))


def _write(path: Path, rows: "Iterable[DataclassInstance]") -> int:
    """The rows under the names of their fields; a name that Python reserves ends in an underscore there."""
    lines = list(rows)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([field.name.rstrip("_") for field in fields(lines[0])])
        writer.writerows(astuple(line) for line in lines)
    return len(lines)
