"""Everything that is kept of a debtor, in one value: the answer to somebody who asks for their own data."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.accesses import accesses
from fieldvisit.compliance.decision import plain
from fieldvisit.debtor_requests import requests_where
from fieldvisit.finding import get_by_id
from fieldvisit.models import (
    Base,
    Case,
    Consent,
    ContactAttempt,
    ContactBlock,
    ContactPoint,
    Debtor,
    DebtorAccess,
    DebtorRequest,
    Evidence,
    HeldEvent,
    Notice,
    Payment,
    Place,
    Placement,
    Promise,
    RepaymentPlan,
    Visit,
    Wish,
)
from fieldvisit.phone.kinds import OF_SAFETY
from fieldvisit.retention.files import read_case_files
from fieldvisit.retention.judging import judge
from fieldvisit.visit_records import FORMAT, Hashed, columns_of, read_record

PERSON = ("id", "external_id", "party", "name", "national_id", "language", "created_at")
NOT_TOLD = {"digest", "org_id"}


@dataclass(frozen=True)
class DebtorExport(Hashed):
    debtor: Debtor


def export_debtor(session: Session, debtor_id: uuid.UUID, *, now: dt.datetime) -> DebtorExport:
    """The debtor's own data as they stand, with how long each record is kept. Raises NotFound."""
    debtor = get_by_id(session, Debtor, debtor_id)
    cases = _rows(session, Case, Case.debtor_id == debtor_id)
    case_ids = [case.id for case in cases]
    visits = session.scalars(sa.select(Visit.id).where(Visit.debtor_id == debtor_id).order_by(Visit.id)).all()
    content = {
        "format": FORMAT,
        "debtor": columns_of(debtor, *PERSON),
        "contact_points": _told(session, ContactPoint, ContactPoint.debtor_id == debtor_id),
        "places": _told(session, Place, Place.debtor_id == debtor_id),
        "wishes": _told(session, Wish, Wish.debtor_id == debtor_id),
        "consents": _told(session, Consent, Consent.debtor_id == debtor_id),
        "notices": _told(session, Notice, Notice.debtor_id == debtor_id),
        "blocks": _told(session, ContactBlock, ContactBlock.debtor_id == debtor_id),
        "cases": [_whole(case) for case in cases],
        "placements": _told(session, Placement, Placement.case_id.in_(case_ids)),
        "payments": _told(session, Payment, Payment.case_id.in_(case_ids)),
        "repayment_plans": _told(session, RepaymentPlan, RepaymentPlan.case_id.in_(case_ids)),
        "promises": _told(session, Promise, Promise.case_id.in_(case_ids)),
        "evidence": _told(session, Evidence, Evidence.visit_id.in_(visits)),
        "contacts": _told(session, ContactAttempt, ContactAttempt.debtor_id == debtor_id),
        "visits": [read_record(session, visit_id).content for visit_id in visits],
        "held_events": [_held(row) for row in _rows(session, HeldEvent, _told_of(visits))],
        "accesses": [_access(row) for row in _ordered(session, accesses(debtor_id=debtor_id), DebtorAccess.at)],
        "requests": [
            _whole(row) for row in _ordered(session, requests_where(debtor_id=debtor_id), DebtorRequest.received_at)
        ],
        "kept": _kept(session, debtor, case_ids, now),
    }
    return DebtorExport(content, debtor)


def _kept(
    session: Session, debtor: Debtor, case_ids: Sequence[uuid.UUID], now: dt.datetime
) -> list[dict[str, str | None]]:
    """Until when each record has to be kept, and by when it has to go, as far as the policies say."""
    today = now.astimezone(dt.UTC).date()
    return [
        {
            "record": one.record.kind.value,
            "id": str(one.record.id),
            "not_before": plain(one.kept.not_before),
            "not_after": plain(one.kept.not_after),
        }
        for file in read_case_files(session, debtor.org_id, case_ids)
        for one in judge(file, today)
    ]


def _told[T: Base](session: Session, model: type[T], concerned: sa.ColumnElement[bool]) -> list[dict[str, Any]]:
    return [_whole(row) for row in _rows(session, model, concerned)]


def _rows[T: Base](session: Session, model: type[T], concerned: sa.ColumnElement[bool]) -> Sequence[T]:
    key: Any = sa.inspect(model).primary_key
    return session.scalars(sa.select(model).where(concerned).order_by(*key)).all()


def _ordered[T: Base](session: Session, rows: sa.Select[T], at: Any) -> Sequence[T]:
    return session.scalars(rows.order_by(at)).all()


def _whole(row: Base) -> dict[str, Any]:
    names = [column.key for column in sa.inspect(type(row)).columns]
    return columns_of(row, *(name for name in names if name not in NOT_TOLD))


def _told_of(visits: Sequence[uuid.UUID]) -> sa.ColumnElement[bool]:
    """What phones told of these visits and nobody took; what the staff feared there is told to nobody outside."""
    return sa.and_(HeldEvent.visit_id.in_(visits), HeldEvent.kind.not_in([kind.value for kind in OF_SAFETY]))


def _held(row: HeldEvent) -> dict[str, Any]:
    told = ("event_id", "visit_id", "kind", "state", "code", "device_at", "recorded_at", "settled_at", "reason")
    return columns_of(row, *told) | {"event": row.body_without_pin}


def _access(row: DebtorAccess) -> dict[str, Any]:
    return columns_of(row, "at", "org_id", "action", "reason")
