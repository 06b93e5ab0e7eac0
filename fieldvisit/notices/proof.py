"""The proof of a notice as a record holds it: its very words, every try to send it, and all that was heard of it."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from fieldvisit.compliance.decision import plain
from fieldvisit.models import Base, Notice, Visit

AFTERWARDS = dt.timedelta(days=90)
"""So long after a visit what is told on its case may still be about it: its result, above all."""
SAID = ("about", "channel", "form", "language", "contents", "state", "reason", "subject", "body", "evidence")
IDS = ("id", "template_id", "sender_id")
TIMES = ("created_at", "announced_from", "announced_until", "sent_at", "delivered_at")

type Local = Callable[[dt.datetime | None], str | None]
"""An instant on the clock of the place, with its offset."""


def notices_around(session: Session, visit: Visit) -> Sequence[Notice]:
    """What was told of the visit, and on its case until some time after it, the oldest first."""
    return session.scalars(
        sa.select(Notice)
        .where(
            Notice.case_id == visit.case_id,
            sa.or_(Notice.visit_id == visit.id, Notice.visit_id.is_(None)),
            Notice.created_at <= (visit.ended_at or visit.updated_at) + AFTERWARDS,
        )
        .options(selectinload(Notice.tries), selectinload(Notice.receipts))
        .order_by(Notice.created_at, Notice.id)
    ).all()


def proof_of(row: Notice, local: Local) -> dict[str, Any]:
    """The notice as JSON."""
    ids = {name: str(value) if (value := getattr(row, name)) else None for name in IDS}
    times = {name: local(getattr(row, name)) for name in TIMES}
    return {
        **ids,
        **_told(row, *SAID),
        **times,
        "tries": [
            _told(each, "number", "provider", "provider_id", "error")
            | {"begun_at": local(each.begun_at), "ended_at": local(each.ended_at)}
            for each in row.tries
        ],
        "receipts": [
            _told(each, "kind", "provider", "provider_id", "evidence") | {"at": local(each.at)} for each in row.receipts
        ],
    }


def _told(row: Base, *names: str) -> dict[str, Any]:
    return {name: plain(getattr(row, name)) for name in names}
