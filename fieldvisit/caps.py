"""Slots of caps: reserved in the database when a visit is planned, settled by its report, released when it goes back.

The engine says whether a cap has room; between its answer and the plan's commit another planner may take the last slot.
So each visit that is planned asks the database for its slots, which counts again with the debtor under lock.
"""

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fieldvisit.compliance.counting import counting_results
from fieldvisit.compliance.decision import ClauseResult, Decision
from fieldvisit.compliance.facts import Facts
from fieldvisit.compliance.inquiry import judged
from fieldvisit.compliance.merging import terms_for
from fieldvisit.compliance.parameters import CapPeriod, CapScope
from fieldvisit.compliance.rules import CapRule
from fieldvisit.compliance.terms import Terms
from fieldvisit.compliance.wallclock import WEEK, local_day
from fieldvisit.compliance.zones import clock_of
from fieldvisit.decisions import Judged
from fieldvisit.languages import Message
from fieldvisit.models import CapSlot, Visit
from fieldvisit.vocabulary import Channel, Verdict

NO_ROOM = "ck_cap_slots_room"


def reserve_slots(session: Session, planned: Judged) -> ClauseResult | None:
    """Take the slots that the visit needs on the date on which it would begin; the clause without room, if any.

    What the debtor agreed to beyond a cap, and what somebody overrode, needs no slot. Slots last as long as the visit
    stands on that date: the database takes them away when it moves, goes back, is cancelled or reported.
    """
    facts, begins_at = planned.facts, planned.asked.span.begins_at
    zone = facts.place.zone or "UTC"
    terms = terms_for(planned.policies, facts.place, local_day(begins_at, zone), scope=facts.scope)
    if terms is None:
        return None
    for rule in _needed(terms, planned.decision):
        row = _slot(planned.asked.visit, rule, terms, facts, begins_at=begins_at)
        try:
            with session.begin_nested():
                session.execute(insert(CapSlot).values(row).on_conflict_do_nothing())
        except IntegrityError as error:
            if getattr(getattr(error.orig, "diag", None), "constraint_name", None) != NO_ROOM:
                raise
            values = {"day": row["on_day"].isoformat()}
            return judged(rule, False, Message("The last slot of the cap on {day} was taken meanwhile.", values))
    return None


def slots_of(visit_id: uuid.UUID) -> sa.Select[CapSlot]:
    """The slots that a visit holds; the caller states the order."""
    return sa.select(CapSlot).where(CapSlot.visit_id == visit_id)


def _needed(terms: Terms, decision: Decision) -> list[CapRule]:
    """The caps that bind, and under which there was room of its own when the visit was judged."""
    roomy = {
        clause.clause_id
        for clause in decision.clauses
        if clause.verdict is Verdict.ALLOWED and not clause.warning and not clause.fact_ids
    }
    return [rule for rule in terms.caps if Channel.VISIT in rule.channels and rule.binds and rule.id in roomy]


def _slot(visit: Visit, rule: CapRule, terms: Terms, facts: Facts, *, begins_at: dt.datetime) -> dict[str, Any]:
    name = rule.id.partition("/")[0]
    zone = clock_of(next(policy for policy in terms.policies if policy.id == name), facts)
    return {
        "org_id": visit.org_id,
        "lender_id": visit.lender_id,
        "visit_id": visit.id,
        "clause_id": rule.id,
        "debtor_id": visit.debtor_id,
        "on_day": local_day(begins_at, facts.place.zone or "UTC"),
        "zone": zone,
        "case_id": visit.case_id if rule.scope is CapScope.CASE else None,
        "place_id": visit.place_id if rule.scope is CapScope.CONTACT_POINT else None,
        "channels": sorted(channel.value for channel in rule.channels),
        "results": sorted(result.value for result in counting_results(rule)),
        "notices": rule.notices,
        "period": rule.period.value,
        "days": rule.days or 1 if rule.period is CapPeriod.ROLLING_DAYS else 1,
        "week_starts": WEEK.index(rule.week_starts),
        "most": rule.max,
        "min_gap_days": rule.min_gap_days,
    }
