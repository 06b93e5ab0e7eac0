"""What is told in reports, and what is stored of them."""

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for_all
from fieldvisit.models import (
    ContactAttempt,
    ContactBlock,
    Visit,
)
from fieldvisit.report_drafts import (
    AbortDraft,
    PromiseDraft,
)
from fieldvisit.vocabulary import (
    AbortReason,
    BlockScope,
    BlockTrigger,
    Channel,
    PaymentMethod,
)
from tests.phone.worlds import Morning
from tests.worlds import TODAY

NEXT_WEEK = TODAY + dt.timedelta(days=7)


def abort(reason: AbortReason = AbortReason.SAFETY, **given: Any) -> AbortDraft:
    return AbortDraft(**{"event_id": uuid.uuid4(), "reason": reason, **given})


def promise(**given: Any) -> PromiseDraft:
    values = {"amount_minor": 5_000, "currency": "EUR", "due_on": NEXT_WEEK, "method": PaymentMethod.TRANSFER}
    return PromiseDraft(**(values | given))


def attempts_by_visit(sessions: sessionmaker[Session]) -> list[tuple[Any, ...]]:
    with acting_for_all(sessions) as session:
        rows = session.scalars(sa.select(ContactAttempt).where(ContactAttempt.channel == Channel.VISIT))
        return [(row.at, row.result, row.detail) for row in rows]


def blocks(sessions: sessionmaker[Session]) -> list[tuple[BlockTrigger, BlockScope]]:
    with acting_for_all(sessions) as session:
        rows = session.scalars(sa.select(ContactBlock).order_by(ContactBlock.trigger))
        return [(row.trigger, row.scope) for row in rows]


def visit_of(sessions: sessionmaker[Session], morning: Morning) -> Visit:
    with acting_for_all(sessions) as session:
        return session.get_one(Visit, morning.visit)
