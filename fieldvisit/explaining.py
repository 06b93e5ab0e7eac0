"""The engine's answer about a visit at any instant, without storing or changing anything: to be read by people."""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.decision import Decision
from fieldvisit.compliance.evaluate import evaluate
from fieldvisit.compliance.facts import Question
from fieldvisit.compliance.intervals import Interval
from fieldvisit.compliance.parameters import PolicyStatus
from fieldvisit.compliance.policy import Policy
from fieldvisit.decisions import organisations_by_id
from fieldvisit.facts import facts_of, subject_of
from fieldvisit.models import CrewMember, Route, Stop, Visit
from fieldvisit.policies import policies_of
from fieldvisit.staff_facts import staff_facts
from fieldvisit.vocabulary import CheckMoment


def explain_visit(
    session: Session, visit: Visit, *, begins_at: dt.datetime, now: dt.datetime, simulated: Sequence[Policy] = ()
) -> Decision:
    """May the visit begin then, by those who are planned to make it? Where it is on no route, who makes it is not
    judged, and a clause says so.

    `simulated` are policies to try out beside those that apply: drafts too, which are never enforced otherwise.
    """
    (facts,) = facts_of(session, [subject_of(visit)], now)
    crew = _crew_of(session, visit)
    staff = staff_facts(session, crew)
    organisations = organisations_by_id(session, (visit.org_id, visit.lender_id))
    policies = policies_of((organisations[visit.org_id], organisations[visit.lender_id]))
    span = span_of(visit, begins_at)
    question = Question(
        visit_id=str(visit.id),
        moment=CheckMoment.PLANNING,
        begins_at=span.begins_at,
        ends_at=span.ends_at,
        staff=tuple(staff[visitor_id] for visitor_id in sorted(crew)) or None,
    )
    tried = tuple(replace(policy, status=PolicyStatus.IN_FORCE) for policy in simulated)
    return evaluate(question, facts, (*policies, *tried), now)


def span_of(visit: Visit, begins_at: dt.datetime) -> Interval:
    """The time that the visit takes if it begins then."""
    return Interval(begins_at, begins_at + dt.timedelta(seconds=visit.service_s))


def _crew_of(session: Session, visit: Visit) -> Collection[uuid.UUID]:
    """Those who ride the routes on which the visit stands now; nobody where it stands on none."""
    if visit.plan_id is None:
        return ()
    members = (
        sa.select(CrewMember.visitor_id)
        .join(Stop, Stop.route_id == CrewMember.route_id)
        .join(Route, Route.id == Stop.route_id)
        .where(Stop.visit_id == visit.id, Route.plan_id == visit.plan_id)
    )
    return set(session.scalars(members))
