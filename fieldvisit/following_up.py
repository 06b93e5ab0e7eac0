"""What a report changes of other things than its visit: the debtor's other visits, and the promises of the case.

At a report's own address it is done at once. Where a phone sends many events it is done once, when all of them are
taken: what a crew without signal did at the next door is known by then.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.database import on_behalf_of
from fieldvisit.debtor_visits import lock_touched
from fieldvisit.late_contacts import HAS_ITS_DAY, judge_after_contacts
from fieldvisit.models import Case, Visit
from fieldvisit.promises import settle_heard

_KEY = "following_up"


@dataclass
class _Waiting:
    """The visits that were reported, and the cases of which something was promised, since when."""

    visit_ids: set[uuid.UUID] = field(default_factory=set)
    promised: dict[uuid.UUID, dt.datetime] = field(default_factory=dict)

    def add(self, visit: Visit, promised_since: dt.datetime | None) -> None:
        self.visit_ids.add(visit.id)
        if promised_since is not None:
            self.promised[visit.case_id] = min(promised_since, self.promised.get(visit.case_id, promised_since))


def follow_up(session: Session, visit: Visit, *, promised_since: dt.datetime | None, now: dt.datetime) -> None:
    """The visit was reported; `promised_since`: with promises that count from then. The books are open, and what is
    done here is locked."""
    waiting: _Waiting | None = session.info.get(_KEY)
    if waiting is not None:
        waiting.add(visit, promised_since)
        return
    promised = {} if promised_since is None else {visit.case_id: promised_since}
    _follow_up(session, {visit.id}, {visit.debtor_id}, promised, now=now)


@contextmanager
def followed_up_at_end(session: Session, *, now: dt.datetime) -> Iterator[None]:
    """Follow up all that is reported within the block once, at its end. What was taken back meanwhile is judged as
    well, which changes nothing."""
    waiting = session.info[_KEY] = _Waiting()
    try:
        yield
    finally:
        del session.info[_KEY]
    if waiting.visit_ids:
        _follow_up_all(session, waiting, now=now)


def _follow_up_all(session: Session, waiting: _Waiting, *, now: dt.datetime) -> None:
    """Those whose case is ours together; those whose case was called back in the books of its lender."""
    session.flush()
    ours = Case.id.is_not(None)
    lender_id = sa.case((ours, None), else_=Visit.lender_id)
    rows = session.execute(
        sa.select(lender_id, Visit.debtor_id, Visit.case_id)
        .outerjoin(Case, Case.id == Visit.case_id)
        .where(Visit.id.in_(waiting.visit_ids), Visit.org_id == session.info["org"])
        .order_by(Visit.lender_id)
    ).all()
    for lender in dict.fromkeys(row[0] for row in rows):
        of_lender = [row for row in rows if row[0] == lender]
        debtor_ids = {row.debtor_id for row in of_lender}
        promised = {row.case_id: waiting.promised[row.case_id] for row in of_lender if row.case_id in waiting.promised}
        with nullcontext() if lender is None else on_behalf_of(session, lender):
            _follow_up(session, waiting.visit_ids, debtor_ids, promised, now=now)


def _follow_up(
    session: Session,
    visit_ids: Collection[uuid.UUID],
    debtor_ids: Collection[uuid.UUID],
    promised: Mapping[uuid.UUID, dt.datetime],
    *,
    now: dt.datetime,
) -> None:
    """What happened at these doors counts for the debtors' other visits that have their day, whoever makes them: they
    are judged anew, as after a contact that an outside system told. What was promised there is settled."""
    session.flush()
    touched = lock_touched(session, debtor_ids, states=HAS_ITS_DAY)
    own = tuple(visit_id for visit_id in touched.own if visit_id not in visit_ids)
    judge_after_contacts(session, replace(touched, own=own), now=now)
    if promised:
        settle_heard(session, promised, now=now)
