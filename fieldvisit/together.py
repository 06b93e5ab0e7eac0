"""Many events of one phone at once: what they touch is read once, and what they write is written at their end.

`fieldvisit.phone.gathering` reads it, all of it under lock where a step would lock. Whoever asks for one of these
things asks here first: within the transaction nobody else can have changed them, and what the events themselves add is
added here too. A session without one reads and writes each thing in its turn.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy.orm import Session

from fieldvisit.compliance.facts import Facts, StaffFact
from fieldvisit.models import Credential, FormVersion, IdentityCheck, Organisation, Visit, VisitEvent, VisitReport
from fieldvisit.placed_days import PlacedDays
from fieldvisit.told_stops import ToldStop

_KEY = "together"


class Entry(Protocol):
    """An entry of a visit's history: a row that was read, or one that is yet to be written."""

    @property
    def kind(self) -> str: ...
    @property
    def at(self) -> dt.datetime: ...
    @property
    def visitor_id(self) -> uuid.UUID | None: ...
    @property
    def detail(self) -> dict[str, Any]: ...


@dataclass(frozen=True, kw_only=True)
class KeptTelling:
    """What is kept of one telling under the phone's id for it: a digest of what was told, and what was answered."""

    digest: bytes
    answer: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Door:
    """A visit of a route and where its place is, if that is known."""

    visit_id: uuid.UUID
    lat: float | None
    lon: float | None


@dataclass(kw_only=True)
class Together:
    """What the events of one sending touch. `held`: the cases, places and debtors of the visits. `stops`: the teller's
    own, the newest first, by visit. `arrivals`: of every visit of their routes the entries that tell of an arrival or
    of its undoing. `watched`: the visits for which
    a safety session runs. `new_keys`: the ids of the events that are taken, to be written with their answers at the
    end."""

    stops: Mapping[uuid.UUID, Sequence[ToldStop]]
    visits: Mapping[uuid.UUID, Visit]
    held: tuple[Mapping[uuid.UUID, object], ...]
    placed: PlacedDays
    doors: Mapping[uuid.UUID, Sequence[Door]]
    arrivals: dict[uuid.UUID, list[Entry]]
    checks: dict[uuid.UUID, list[IdentityCheck]]
    reports: dict[uuid.UUID, VisitReport]
    told: dict[uuid.UUID, KeptTelling]
    dismissed: frozenset[uuid.UUID]
    facts: Mapping[uuid.UUID, Facts]
    staff: Mapping[uuid.UUID, StaffFact]
    papers: Mapping[uuid.UUID, Sequence[Credential]]
    organisations: Mapping[uuid.UUID, Organisation]
    forms: Sequence[FormVersion]
    watched: set[uuid.UUID]
    new_keys: list[dict[str, Any]] = field(default_factory=list)
    months: set[dt.date] = field(default_factory=set)

    def note(self, event: VisitEvent) -> None:
        if event.visit_id in self.arrivals:
            self.arrivals[event.visit_id].append(event)


def together(session: Session) -> Together | None:
    """What was read for the events of one sending, while they are taken; None at any other time."""
    found: Together | None = session.info.get(_KEY)
    return found


@contextmanager
def taken_together(session: Session, gathered: Together) -> Iterator[None]:
    session.info[_KEY] = gathered
    try:
        yield
    finally:
        del session.info[_KEY]


def write(session: Session, *rows: object, flush: bool = True) -> None:
    """Add these, and write all that is pending: now, or with everything else of a sending at its end. `flush` False:
    the caller has more to write."""
    session.add_all(rows)
    gathered = together(session)
    if gathered is None:
        if flush:
            session.flush()
        return
    for row in rows:
        if isinstance(row, VisitEvent):
            gathered.note(row)
        if isinstance(row, IdentityCheck):
            gathered.checks[row.visit_id].append(row)
        if isinstance(row, VisitReport):
            gathered.reports[row.visit_id] = row


def by_visit[Row: (IdentityCheck, VisitEvent)](rows: Sequence[Row]) -> dict[uuid.UUID, list[Row]]:
    found: dict[uuid.UUID, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.visit_id].append(row)
    return found
