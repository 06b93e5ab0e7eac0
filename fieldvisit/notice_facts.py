"""What debtors were told, as the engine is to know it: rows in, `fieldvisit.compliance` values out."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer

from fieldvisit.compliance.facts import NoticeFact
from fieldvisit.compliance.intervals import Interval
from fieldvisit.compliance.parameters import NoticeAbout, NoticeContent
from fieldvisit.models import Notice
from fieldvisit.vocabulary import NoticeState

GIVEN = (NoticeState.QUEUED, NoticeState.SENT, NoticeState.DELIVERED)
"""States in which a notice counts: it was given, or is about to be."""


def notices_of(session: Session, case_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[Notice]]:
    """The notices of each case that count, the oldest first, without their words. One query."""
    rows = session.scalars(
        sa.select(Notice)
        .where(Notice.case_id.in_(case_ids), Notice.state.in_(GIVEN), Notice.called_off_at.is_(None))
        .options(defer(Notice.subject), defer(Notice.body), defer(Notice.evidence))
        .order_by(Notice.id)
    )
    found: dict[uuid.UUID, list[Notice]] = defaultdict(list)
    for row in rows:
        found[row.case_id].append(row)
    return found


def notice_facts(
    rows: Iterable[Notice], visit_id: uuid.UUID | None, goes: uuid.UUID | None, now: dt.datetime
) -> tuple[NoticeFact, ...]:
    """What counts for this visit by the organisation that goes: of an assignment only that to itself, of a visit only
    what is still ahead or under way."""
    facts = []
    for row in rows:
        elsewhere = row.about is NoticeAbout.ASSIGNMENT and row.agency_id != goes
        of_another = row.about is NoticeAbout.VISIT and row.visit_id != visit_id
        over = row.about is NoticeAbout.VISIT and row.announced_until is not None and row.announced_until <= now
        if not (elsewhere or of_another or over):
            facts.append(_fact(row))
    return tuple(facts)


def _fact(row: Notice) -> NoticeFact:
    begins, ends = row.announced_from, row.announced_until
    return NoticeFact(
        id=str(row.id),
        about=row.about,
        sent_at=row.sent_at,
        form=row.form,
        received_at=row.delivered_at,
        visit_id=str(row.visit_id) if row.visit_id else None,
        announced=Interval(begins, ends) if begins is not None and ends is not None else None,
        contents=frozenset(NoticeContent(each) for each in row.contents),
    )
