"""Notices on their way out: whether one still holds and may be sent, and to which address it goes."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.parameters import NoticeAbout
from fieldvisit.errors import FieldVisitError
from fieldvisit.models import Case, ContactPoint, Notice, Organisation, Visit
from fieldvisit.notices.filing import ANNOUNCEABLE
from fieldvisit.notices.matters import matter_of, stopped_by, without_room
from fieldvisit.notices.outbox import NOTICES
from fieldvisit.notices.posts import Post, Unwanted
from fieldvisit.outgoing.gateways import Letter
from fieldvisit.rejudging import rejudge
from fieldvisit.vocabulary import NoticeState


class NoticePost(Post):
    """What debtors are told."""

    outbox = NOTICES

    def ready(self, session: Session, message_id: uuid.UUID, *, now: dt.datetime) -> Letter | Unwanted:
        row = session.get_one(Notice, message_id, populate_existing=True)
        if row.state is not NoticeState.QUEUED:
            return Unwanted(row.state, row.reason or "settled")
        try:
            return _letter(session, row, now)
        except FieldVisitError as error:
            # A value that cannot be opened, a debtor without any place.
            return Unwanted(NoticeState.DEAD, error.code)

    def died(self, session: Session, message_id: uuid.UUID, *, now: dt.datetime) -> None:
        """A visit whose debtor could not be told is judged anew: there may be no time left to tell them."""
        visit_id = session.scalar(
            sa.select(Notice.visit_id).where(Notice.id == message_id, Notice.about == NoticeAbout.VISIT)
        )
        if visit_id is not None:
            rejudge(session, [visit_id], now=now, code="notice_undelivered")


def _letter(session: Session, row: Notice, now: dt.datetime) -> Letter | Unwanted:
    visit = session.get(Visit, row.visit_id) if row.visit_id else None
    if row.about is NoticeAbout.VISIT and (visit is None or not _to_be_announced(row, visit, now)):
        return Unwanted(NoticeState.WITHDRAWN, "no_longer_holds")
    sender, case = session.get_one(Organisation, row.sender_id), session.get_one(Case, row.case_id)
    matter = matter_of(session, row.about, case, sender=sender, now=now, visit=visit)
    stopped = stopped_by(matter, row.channel, now)
    if stopped is not None:
        return Unwanted(NoticeState.HELD_BACK, stopped[0].value)
    # That nobody comes after all is told under every cap: it spares the debtor something.
    full = without_room(matter, row.channel, now) if row.about is not NoticeAbout.CALLED_OFF else None
    if full is not None:
        return Unwanted(NoticeState.HELD_BACK, full)
    point = session.get(ContactPoint, row.contact_point_id) if row.contact_point_id else None
    if point is None or row.body is None:
        return Unwanted(NoticeState.DEAD, "no_address")
    return Letter(
        id=row.id, channel=row.channel, to=point.value, text=row.body, language=row.language, subject=row.subject
    )


def _to_be_announced(row: Notice, visit: Visit, now: dt.datetime) -> bool:
    ahead = row.announced_from is not None and row.announced_from > now
    return visit.state in ANNOUNCEABLE and ahead and row.called_off_at is None
