"""Telling debtors what came of a visit, where a policy wants it, once a person has accepted the report."""

import datetime as dt
import uuid
from dataclasses import replace
from math import ceil

from sqlalchemy.orm import Session

from fieldvisit.compliance.calendars import business_days_after
from fieldvisit.compliance.conduct_rules import NoticeRule
from fieldvisit.compliance.facts import PlaceFacts
from fieldvisit.compliance.notices import demanded_after_visit
from fieldvisit.compliance.parameters import NoticeAbout, NoticeUnit
from fieldvisit.compliance.wallclock import local_day
from fieldvisit.decisions import organisations_by_id
from fieldvisit.errors import FieldVisitError
from fieldvisit.models import Case, Notice, Visit
from fieldvisit.notices.announcing import NOT_FILED
from fieldvisit.notices.filing import put_out
from fieldvisit.notices.matters import choose, matter_of
from fieldvisit.visits import close_visit, note_event
from fieldvisit.vocabulary import NextStep, VisitOutcome

TOLD = (VisitOutcome.MET_DEBTOR, VisitOutcome.REFUSED)
"""Who was not met, or asked that nobody come, is not written to about it."""


def close_and_tell(session: Session, visit_id: uuid.UUID, *, next_step: NextStep, now: dt.datetime) -> Visit:
    """Accept the report, and put the notice of its result out where a policy wants one.

    Where it cannot be written, the visit's history says why, and the list of what is due shows it. Raises what
    `close_visit` raises.
    """
    visit = close_visit(session, visit_id, next_step=next_step, now=now)
    _tell_result(session, visit, now)
    return visit


def _tell_result(session: Session, visit: Visit, now: dt.datetime) -> Notice | None:
    # The rows of a case that was called back are no longer there for us; nor is its debtor ours to write to.
    known: Case | None = visit.case
    if visit.outcome not in TOLD or visit.ended_at is None or known is None:
        return None
    sender = organisations_by_id(session, [visit.org_id])[visit.org_id]
    held_on = local_day(visit.ended_at, visit.place.zone)
    matter = replace(
        matter_of(session, NoticeAbout.RESULT, known, sender=sender, now=now, visit=visit), held_on=held_on
    )
    rules = demanded_after_visit(matter.facts, matter.policies, day=held_on)
    if not rules:
        return None
    matter = replace(matter, rules=rules)
    try:
        template, way = choose(session, matter)
        row = put_out(session, matter, template, way, made_by_id=None, now=now)
    except FieldVisitError as error:
        session.add(note_event(visit, NOT_FILED, now=now, code=error.code, about=NoticeAbout.RESULT.value))
        session.flush()
        return None
    row.due_on = min(_due_on(rule, matter.facts.place, held_on) for rule in rules)
    session.flush()
    return row


def _due_on(rule: NoticeRule, place: PlaceFacts, day: dt.date) -> dt.date:
    """The last local date on which the debtor may be told."""
    if rule.unit is NoticeUnit.BUSINESS_DAYS:
        return business_days_after(place, day, rule.amount)
    days = rule.amount if rule.unit is NoticeUnit.DAYS else ceil(rule.amount / 24)
    return day + dt.timedelta(days=days)
