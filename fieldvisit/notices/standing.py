"""Which notices hold: rows only, so that whoever changes a visit can say that its debtor was told otherwise."""

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.parameters import NoticeAbout
from fieldvisit.models import Notice
from fieldvisit.notice_facts import GIVEN as LIVE
from fieldvisit.vocabulary import Channel, NoticeState

__all__ = ["LIVE", "Announced", "announcements", "take_back", "withdraw_announcements"]


@dataclass(frozen=True, kw_only=True)
class Announced:
    """The hours that a debtor was told of, and by which notice. `sent_at` None: it waits to be sent; `delivered_at`
    None: nobody knows whether it arrived."""

    notice_id: uuid.UUID
    channel: Channel
    from_at: dt.datetime
    until_at: dt.datetime
    sent_at: dt.datetime | None
    delivered_at: dt.datetime | None


def announcements(session: Session, visit_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Announced]:
    """Visit → what its debtor was told of when somebody will come; those that were told, or are about to be."""
    rows = session.execute(
        sa.select(
            Notice.visit_id,
            Notice.id,
            Notice.channel,
            Notice.announced_from,
            Notice.announced_until,
            Notice.sent_at,
            Notice.delivered_at,
        )
        .where(
            Notice.visit_id.in_(visit_ids),
            Notice.about == NoticeAbout.VISIT,
            Notice.state.in_(LIVE),
            Notice.called_off_at.is_(None),
        )
        .order_by(Notice.id)
    )
    # There is one that holds; should there ever be two, the later word counts.
    return {
        row.visit_id: Announced(
            notice_id=row.id,
            channel=row.channel,
            from_at=row.announced_from,
            until_at=row.announced_until,
            sent_at=row.sent_at,
            delivered_at=row.delivered_at,
        )
        for row in rows
        if row.visit_id is not None and row.announced_from is not None and row.announced_until is not None
    }


def withdraw_announcements(session: Session, visit_id: uuid.UUID, *, reason: str) -> None:
    """The hours that its debtor was told of this visit hold no more. What was sent stays on file as sent."""
    session.execute(
        sa.update(Notice)
        .where(
            Notice.visit_id == visit_id,
            Notice.about == NoticeAbout.VISIT,
            Notice.state.in_(LIVE),
        )
        .values(state=NoticeState.WITHDRAWN, reason=reason, next_try_at=None)
        .execution_options(synchronize_session="fetch")
    )


def take_back(session: Session, visit_ids: Collection[uuid.UUID], *, now: dt.datetime) -> None:
    """These visits may not be made as they were announced: the worker tells their debtors."""
    session.execute(
        sa.update(Notice)
        .where(
            Notice.visit_id.in_(visit_ids),
            Notice.about == NoticeAbout.VISIT,
            Notice.state.in_(LIVE),
            Notice.called_off_at.is_(None),
        )
        .values(called_off_at=now)
    )
