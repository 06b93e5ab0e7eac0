"""The run: lines are read, turned into rows and written in batches, and everything that was refused is told.

Each batch is a transaction of its own, so that a run that is killed can simply be started again. With `all_or_nothing`,
and in a dry run, one transaction holds all; it is undone where a row was refused, and after every dry run.
"""

import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import batched
from pathlib import Path
from typing import Any

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for
from fieldvisit.drafts import Change, Refusal, acting_organisation
from fieldvisit.found_points import Found
from fieldvisit.geocoding import Geocoder, PointFinder
from fieldvisit.imports.claims import Claim, Claims
from fieldvisit.imports.columns import Origin
from fieldvisit.imports.kinds import READERS
from fieldvisit.imports.readers import Outcome, Reader
from fieldvisit.imports.rows import Layout, Row, RowFault
from fieldvisit.imports.tables import Table, open_table

MOST_FAULTS = 1_000
DEADLOCK, ATTEMPTS = "40P01", 5
"""Two files that tell of the same in another order wait for each other: one of them has to begin its batch again."""

Progress = Callable[[int, int | None], None]
"""Told the lines done and, where it is known, the lines there are."""


@dataclass(frozen=True, kw_only=True)
class ImportResult:
    """What a run did, in rows; `stored` is False after a dry run, and after an all-or-nothing run with refused rows.

    `faults` are the first thousand; one refused row may have several. `unlocated` counts the addresses that were looked
    for and not found.
    """

    kind: str
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    unlocated: int = 0
    stored: bool = True
    faults: tuple[RowFault, ...] = ()

    @property
    def rows(self) -> int:
        return self.added + self.changed + self.unchanged + self.refused


def import_file(
    sessions: sessionmaker[Session],
    org_id: uuid.UUID,
    kind: str,
    path: Path,
    *,
    now: dt.datetime,
    geocoder: Geocoder | None,
    dry_run: bool = False,
    all_or_nothing: bool = False,
    on_progress: Progress | None = None,
) -> ImportResult:
    """Import a file of one of `KINDS` for an organisation. Raises an `UnusableFile`, having stored nothing of it.

    The one exception: a workbook that turns out broken in the middle has had its good batches stored.
    """
    reader = READERS[kind]
    with acting_for(sessions, org_id) as session:
        organisation = acting_organisation(session)
        origin = Origin(zone=organisation.zone, country=organisation.country)
    run = _Run(sessions, org_id, reader, now=now, finder=PointFinder(geocoder))
    with open_table(path) as table:
        batches = run.batches(table, origin, path.name, on_progress or _silent)
        if not dry_run and not all_or_nothing:
            return run.in_batches(batches)
        if reader.prepare or reader.locating:
            with open_table(path) as ahead:
                run.look_ahead(run.batches(ahead, origin, path.name, on_progress or _silent))
        return run.as_one(batches, keep=not dry_run)


_Batch = Sequence[Row[Any] | list[RowFault]]
_Store = Callable[[Sequence[Any]], Sequence[Outcome]]


class _Run:
    """One import under way: the tally, and what the file has said so far."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        org_id: uuid.UUID,
        reader: Reader[Any],
        *,
        now: dt.datetime,
        finder: PointFinder,
    ) -> None:
        self._sessions = sessions
        self._org_id = org_id
        self._reader = reader
        self._now = now
        self._finder = finder
        self._claims = Claims(reader)
        self._ahead: dict[str, Found] = {}
        self._layout: Layout[Any]
        self._counts = dict.fromkeys(Change, 0)
        self._refused = 0
        self._unlocated = 0
        self._faults: list[RowFault] = []

    def batches(self, table: Table, origin: Origin, file: str, on_progress: Progress) -> Iterator[_Batch]:
        self._layout = Layout(self._reader, table.headers, file)
        return self._batches(table, origin, on_progress)

    def _batches(self, table: Table, origin: Origin, on_progress: Progress) -> Iterator[_Batch]:
        done = 0
        for batch in batched(self._layout.rows(table.lines, origin), self._reader.batch):
            yield batch
            done += len(batch)
            on_progress(done, table.length)

    def look_ahead(self, batches: Iterator[_Batch]) -> None:
        """Have made and found, in and between short transactions, what a long one must not wait for."""
        for batch in batches:
            rows = _rows(batch)
            self._prepare(rows)
            self._ahead |= self._found(rows)

    def in_batches(self, batches: Iterator[_Batch]) -> ImportResult:
        for batch in batches:
            rows = _rows(batch)
            self._prepare(rows)
            found = self._found(rows)
            self._write(batch, found, self._store)
            self._follow_up()
        return self._result(stored=True)

    def as_one(self, batches: Iterator[_Batch], *, keep: bool) -> ImportResult:
        with self._sessions(info={"org": self._org_id}) as session, session.begin() as transaction:
            store = self._storing_in(session)
            for batch in batches:
                self._write(batch, self._ahead, store)
                session.flush()
                # Rows that are written are not looked at again: memory stays as it is.
                session.expunge_all()
            stored = keep and not self._refused
            if not stored:
                transaction.rollback()
        if stored:
            self._follow_up()
        return self._result(stored=stored)

    def _prepare(self, rows: Sequence[Row[Any]]) -> None:
        if self._reader.prepare:
            with acting_for(self._sessions, self._org_id) as session:
                self._reader.prepare(session, [row.draft for row in rows], self._now)

    def _follow_up(self) -> None:
        if self._reader.afterwards:
            with acting_for(self._sessions, self._org_id) as session:
                self._reader.afterwards(session)

    def _found(self, rows: Sequence[Row[Any]]) -> dict[str, Found]:
        """Where the addresses are that are new with these rows, each looked for once."""
        locating = self._reader.locating
        if not locating:
            return {}
        with acting_for(self._sessions, self._org_id) as session:
            wanted = locating.wanted(session, [row.draft for row in rows]) - self._ahead.keys()
        # Between two transactions: a geocoder may take its time.
        found = {address: self._finder.find(address) for address in sorted(wanted)}
        self._unlocated += sum(each.point is None for each in found.values())
        return found

    def _storing_in(self, session: Session) -> _Store:
        return lambda drafts: self._reader.store(session, drafts, self._now)

    def _store(self, drafts: Sequence[Any]) -> Sequence[Outcome]:
        """In a transaction of their own; again, where it was the one that had to give way to another."""
        for left in reversed(range(ATTEMPTS)):
            try:
                with acting_for(self._sessions, self._org_id) as session:
                    return self._reader.store(session, drafts, self._now)
            except OperationalError as error:
                if not left or getattr(error.orig, "sqlstate", None) != DEADLOCK:
                    raise
        raise AssertionError("every attempt returns or raises")

    def _write(self, batch: _Batch, found: dict[str, Found], store: _Store) -> None:
        """Store what is new in a batch, and count what became of every row of it."""
        judged = [(entry, self._claims.judge(entry)) for entry in batch if isinstance(entry, Row)]
        fresh = [self._located(row, found) for row, verdict in judged if verdict is None]
        outcomes = store([row.draft for row in fresh])
        by_line = {row.line: outcome for row, outcome in zip(fresh, outcomes, strict=True)}
        for row in fresh:
            self._claims.settle(row, by_line[row.line])
        verdicts = {row.line: verdict for row, verdict in judged}
        for entry in batch:
            if isinstance(entry, Row):
                verdict = verdicts[entry.line]
                outcome = verdict.repeated if isinstance(verdict, Claim) else verdict or by_line[entry.line]
                self._count(entry, outcome)
            else:
                self._refuse(entry)

    def _located(self, row: Row[Any], found: dict[str, Found]) -> Row[Any]:
        locating = self._reader.locating
        return replace(row, draft=locating.located(row.draft, found)) if locating else row

    def _count(self, row: Row[Any], outcome: Change | Refusal) -> None:
        if isinstance(outcome, Refusal):
            self._refuse([self._layout.fault(row, outcome)])
        else:
            self._counts[outcome] += 1

    def _refuse(self, faults: list[RowFault]) -> None:
        self._refused += 1
        self._faults += faults[: MOST_FAULTS - len(self._faults)]

    def _result(self, *, stored: bool) -> ImportResult:
        return ImportResult(
            kind=self._reader.kind,
            added=self._counts[Change.ADDED],
            changed=self._counts[Change.CHANGED],
            unchanged=self._counts[Change.UNCHANGED],
            refused=self._refused,
            unlocated=self._unlocated,
            stored=stored,
            faults=tuple(self._faults),
        )


def _rows(batch: _Batch) -> list[Row[Any]]:
    return [entry for entry in batch if isinstance(entry, Row)]


def _silent(done: int, total: int | None) -> None:
    """Progress that nobody asked for."""
