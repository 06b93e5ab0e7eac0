"""What a person has to see to: visits ahead whose debtor was not told as a policy demands, letters to hand over, and
notices that wait, were given up, came back or were held back."""

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from fieldvisit.compliance.parameters import NoticeAbout
from fieldvisit.models import DayPlan, Notice, Route, Stop, Visit, VisitEvent
from fieldvisit.notices.announcing import NOT_FILED, Appointment, demanding, stops_of, tells_of
from fieldvisit.vocabulary import Channel, NoticeState, VisitState

WAITED = dt.timedelta(minutes=10)
"""A notice that waits longer has no provider, or one that does not answer."""
KEPT = dt.timedelta(days=14)
"""So long a notice that nobody can send any more is shown."""
MOST = 500


class DueKind(StrEnum):
    NOT_ANNOUNCED = "not_announced"
    RESULT_NOT_TOLD = "result_not_told"
    TO_HAND_OVER = "to_hand_over"
    WAITING = "waiting"
    DEAD = "dead"
    UNDELIVERABLE = "undeliverable"
    HELD_BACK = "held_back"


@dataclass(frozen=True, kw_only=True)
class Due:
    """`begins_at`: of a visit that was not announced, when it is planned for."""

    kind: DueKind
    about: NoticeAbout
    visit_id: uuid.UUID | None
    reference: str | None
    notice_id: uuid.UUID | None = None
    begins_at: dt.datetime | None = None
    reason: str | None = None


def due(session: Session, org_id: uuid.UUID, *, now: dt.datetime) -> list[Due]:
    """Everything that waits for a person of this organisation, visits first, by their hour."""
    return [*_unannounced(session, org_id, now), *_untold(session, org_id, now), *_stuck(session, org_id, now)]


def _unannounced(session: Session, org_id: uuid.UUID, now: dt.datetime) -> Iterator[Due]:
    for one, matter in sorted(
        demanding(session, _ahead(session, org_id, now), now=now), key=lambda each: each[0].span.begins_at
    ):
        if not tells_of(matter, one.span.begins_at):
            yield Due(
                kind=DueKind.NOT_ANNOUNCED,
                about=NoticeAbout.VISIT,
                visit_id=one.visit.id,
                reference=one.visit.reference,
                begins_at=one.span.begins_at,
            )


def _untold(session: Session, org_id: uuid.UUID, now: dt.datetime) -> Iterator[Due]:
    """Results that could not be written when the report was accepted, and have not been since."""
    told = sa.select(Notice.id).where(Notice.visit_id == VisitEvent.visit_id, Notice.about == NoticeAbout.RESULT)
    rows = session.execute(
        sa.select(Visit.id, Visit.reference, VisitEvent.detail)
        .join(Visit, Visit.id == VisitEvent.visit_id)
        .where(
            VisitEvent.kind == NOT_FILED,
            VisitEvent.detail["about"].astext == NoticeAbout.RESULT.value,
            VisitEvent.at > now - KEPT,
            Visit.org_id == org_id,
            ~told.exists(),
        )
        .order_by(VisitEvent.at, VisitEvent.id)
        .limit(MOST)
    )
    for visit_id, reference, detail in rows:
        yield Due(
            kind=DueKind.RESULT_NOT_TOLD,
            about=NoticeAbout.RESULT,
            visit_id=visit_id,
            reference=reference,
            reason=detail["code"],
        )


def _ahead(session: Session, org_id: uuid.UUID, now: dt.datetime) -> list[Appointment]:
    """The published visits that the organisation is still to make, at their stops."""
    rows = session.execute(
        sa.select(Stop, Visit)
        .join(Visit, Visit.id == Stop.visit_id)
        .join(Route, Route.id == Stop.route_id)
        .join(DayPlan, DayPlan.id == Route.plan_id)
        .where(
            Visit.org_id == org_id,
            Visit.state == VisitState.PUBLISHED,
            Visit.plan_id == DayPlan.id,
            Stop.begin_at > now,
        )
        .options(joinedload(Visit.case), joinedload(Visit.debtor), joinedload(Visit.place))
        .order_by(Stop.begin_at, Stop.id)
        .limit(MOST)
    ).all()
    # Row-level security knows the placements: a case that the lender has taken back is simply not there.
    seen = {visit.id: visit for _, visit in rows if visit.case is not None}
    # Where two crews meet at a door, it is one appointment.
    stops = {visit.id: stop for stop, visit in rows if visit.id in seen}
    return stops_of(stops.values(), seen)


def _stuck(session: Session, org_id: uuid.UUID, now: dt.datetime) -> Iterator[Due]:
    letter = sa.and_(Notice.state == NoticeState.QUEUED, Notice.channel == Channel.LETTER)
    waiting = sa.and_(
        Notice.state == NoticeState.QUEUED, Notice.channel != Channel.LETTER, Notice.created_at < now - WAITED
    )
    ended = sa.and_(
        Notice.state.in_((NoticeState.DEAD, NoticeState.UNDELIVERABLE, NoticeState.HELD_BACK)),
        Notice.created_at > now - KEPT,
    )
    rows = session.execute(
        sa.select(
            Notice.id, Notice.state, Notice.channel, Notice.about, Notice.visit_id, Notice.reason, Visit.reference
        )
        .outerjoin(Visit, Visit.id == Notice.visit_id)
        .where(Notice.sender_id == org_id, sa.or_(letter, waiting, ended))
        .order_by(Notice.created_at, Notice.id)
        .limit(MOST)
    )
    for row in rows:
        queued = DueKind.TO_HAND_OVER if row.channel is Channel.LETTER else DueKind.WAITING
        yield Due(
            kind=queued if row.state is NoticeState.QUEUED else DueKind(row.state.value),
            about=row.about,
            visit_id=row.visit_id,
            reference=row.reference,
            notice_id=row.id,
            reason=row.reason,
        )
