"""Whose data an answer shows, by what kind of thing it is made of.

An endpoint that shows a debtor's data says so in its contract (`shows`); each of its answers is in the log of accesses.
"""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce, singledispatch
from operator import or_
from typing import Any

from flask import request

from api.auth import actor
from api.context import now, request_id
from api.db import session
from fieldvisit.accesses import Look, Shown, demand_reason, record_access
from fieldvisit.briefing import VisitCard
from fieldvisit.debtor_exports import DebtorExport
from fieldvisit.debtor_files import DebtorFile
from fieldvisit.models import (
    Case,
    Consent,
    ContactAttempt,
    ContactBlock,
    ContactProposal,
    DayPlan,
    Debtor,
    DebtorRequest,
    Evidence,
    HeldEvent,
    LegalHold,
    Notice,
    Payment,
    Promise,
    Receipt,
    RepaymentPlan,
    SafetyAssessment,
    SafetyIncident,
    VisitReport,
    Wish,
)
from fieldvisit.phone.changes import Changes
from fieldvisit.phone.day import MyDay
from fieldvisit.safety.alerts import AlertFile
from fieldvisit.visit_records import VisitRecord

HEADER = "Access-Reason"
REASON_PARAMETER = {
    "in": "header",
    "name": HEADER,
    "required": False,
    "schema": {"type": "string", "maxLength": 200},
    "description": "why you look at it; needed where a policy asks for it",
}


class Shows(StrEnum):
    """`FILE`: somebody in an office opens it, and may have to say why. `WORK`: the work of the day is made of it."""

    FILE = "file"
    WORK = "work"


def note_shown(what: Shows, action: str, items: Iterable[Any]) -> None:
    """Write down whose data these things show. Raises ReasonNeeded."""
    shown = reduce(or_, map(shown_by, items), Shown())
    if not shown:
        return
    look = Look(
        org_id=actor().org_id,
        account_id=actor().account_id,
        action=action,
        request_id=request_id(),
        reason=request.headers.get(HEADER) or None,
    )
    if what is Shows.FILE:
        demand_reason(session(), look, shown, at=now())
    record_access(session(), look, shown, at=now())


@dataclass(frozen=True, kw_only=True)
class EvidenceLink:
    """A link that shows a file of evidence."""

    of: Evidence
    url: str
    expires_at: dt.datetime


@singledispatch
def shown_by(thing: Any) -> Shown:
    raise TypeError(f"Nobody knows whose data a {type(thing).__name__} shows.")


@shown_by.register
def _(thing: Debtor) -> Shown:
    return Shown(debtors=frozenset({(thing.org_id, thing.id)}))


@shown_by.register
def _(thing: DebtorFile) -> Shown:
    return Shown(debtors=frozenset({(thing.lender_id, thing.id)}))


@shown_by.register(Case)
@shown_by.register(ContactAttempt)
@shown_by.register(ContactBlock)
@shown_by.register(Consent)
@shown_by.register(LegalHold)
@shown_by.register(DebtorRequest)
@shown_by.register(Notice)
@shown_by.register(Wish)
def _(thing: Any) -> Shown:
    return Shown(debtors=frozenset({(thing.org_id, thing.debtor_id)}))


@shown_by.register(ContactProposal)
@shown_by.register(Payment)
@shown_by.register(Promise)
@shown_by.register(RepaymentPlan)
def _(thing: Any) -> Shown:
    return Shown(cases=frozenset({thing.case_id}))


@shown_by.register(VisitReport)
def _(thing: VisitReport) -> Shown:
    return _of_visits([thing.visit_id])


@shown_by.register
def _(thing: DebtorExport) -> Shown:
    return shown_by(thing.debtor)


@shown_by.register
def _(thing: HeldEvent) -> Shown:
    """Of the visit that it names, understood or not, and of what else it tells of, if that is a visit."""
    return _of_visits([each for each in (thing.visit_id, thing.subject_id) if each is not None])


@shown_by.register
def _(thing: VisitRecord) -> Shown:
    return Shown(debtors=frozenset({(thing.visit.lender_id, thing.visit.debtor_id)}))


@shown_by.register
def _(thing: Evidence) -> Shown:
    return _of_visits([thing.visit_id])


@shown_by.register
def _(thing: EvidenceLink) -> Shown:
    return shown_by(thing.of)


@shown_by.register
def _(thing: VisitCard) -> Shown:
    return _of_visits([thing.visit_id] if thing.briefing is not None else [])


@shown_by.register
def _(thing: MyDay) -> Shown:
    cards = [stop.visit for route in thing.routes for stop in route.stops]
    return reduce(or_, map(shown_by, cards), Shown())


@shown_by.register
def _(thing: Changes) -> Shown:
    return reduce(or_, map(shown_by, thing.visits), Shown())


@shown_by.register
def _(thing: Receipt) -> Shown:
    """Money that somebody paid at a door."""
    return _of_visits([thing.visit_id] if thing.visit_id is not None else [])


@shown_by.register
def _(thing: AlertFile) -> Shown:
    """Where the visitor was going, and the other door that the call for help named."""
    return _of_visits([each.id for each in (thing.visit, thing.other_visit) if each is not None])


@shown_by.register
def _(thing: SafetyIncident) -> Shown:
    """What happened at somebody's door, and what follows from it."""
    people = frozenset({thing.debtor_id} if thing.debtor_id is not None else ())
    return Shown(people=people) if thing.visit_id is None else _of_visits([thing.visit_id])


@shown_by.register
def _(thing: SafetyAssessment) -> Shown:
    """What is feared at somebody's door."""
    return _of_visits([thing.visit_id])


@shown_by.register
def _(thing: DayPlan) -> Shown:
    """Its stops with their addresses."""
    return _of_visits([stop.visit_id for route in thing.routes for stop in route.stops])


def _of_visits(ids: Iterable[uuid.UUID]) -> Shown:
    return Shown(visits=frozenset(ids))
