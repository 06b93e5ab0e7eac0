"""The failed-contact gate: it opens visits on evidence that the phone did not reach the debtor, and for nobody else.

Nothing here decides by itself: the policy says what counts as failed contact, and the engine's answer carries the ids
of the attempts it rests on. They become the visit's evidence.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from fieldvisit.compliance.decision import ClauseResult, Decision
from fieldvisit.contact_facts import live_visits_of
from fieldvisit.decisions import demand_allowed, judge_eligible, stored_decision
from fieldvisit.errors import FieldVisitError, Kind, NotFound
from fieldvisit.facts import Subject
from fieldvisit.models import Case, Organisation, Place, Placement, Visit
from fieldvisit.placed_days import today_there
from fieldvisit.placements import in_force
from fieldvisit.visits import LIVE, lock_visits, move, note_event
from fieldvisit.vocabulary import CaseStage, CheckMoment, PlaceKind, Verdict, VisitState

SERVICE_S = 20 * 60
LASTS = dt.timedelta(days=30)
"""How long an opened visit may wait to be made before it expires: the evidence grows old."""

# Where to go first when a debtor has several places: what the debtor chose, then home, then work.
PREFERRED = (PlaceKind.CHOSEN, PlaceKind.HOME, PlaceKind.WORK)


FAILED_CONTACT = "failed_contact"
"""Why the gate itself opened a visit. No person can give it as a reason: it stands for evidence, not for a word."""


class RequestReason(StrEnum):
    """Why a person asks for a visit, knowing something more than the gate."""

    DEBTOR_ASKED = "debtor_asked"
    LENDER_ASKED = "lender_asked"
    PLACE_TO_VERIFY = "place_to_verify"
    OTHER = "other"


class PlaceUnknown(FieldVisitError):
    code, kind = "place_unknown", Kind.CONFLICT
    says = "No place with a known point is on file for this case."


class VisitOpenAlready(FieldVisitError):
    code, kind = "visit_open_already", Kind.CONFLICT
    says = "Visit {reference} is already open for this case."


@dataclass(frozen=True)
class Eligibility:
    """Whether a visit may be opened, with the evidence, or what stands in the way."""

    eligible: bool
    evidence: tuple[uuid.UUID, ...]
    in_the_way: tuple[ClauseResult, ...]
    place_known: bool
    decision: Decision | None


@dataclass(frozen=True)
class Opened:
    """What one run of the gate did. `visits` are the references of those opened, `held` of those without a point."""

    looked_at: int
    visits: tuple[str, ...]
    held: tuple[str, ...]


def eligibility_of(session: Session, org_id: uuid.UUID, case_id: uuid.UUID, now: dt.datetime) -> Eligibility:
    """The gate's answer for one case, without opening anything."""
    case = _get_case(session, case_id)
    place = _places(session, [case]).get(case.debtor_id)
    if place is None:
        return Eligibility(eligible=False, evidence=(), in_the_way=(), place_known=False, decision=None)
    ((_, decision),) = judge_eligible(session, org_id, [Subject(case, place)], now)
    allowed = decision.verdict is Verdict.ALLOWED
    return Eligibility(
        eligible=allowed and place.lat is not None,
        evidence=evidence_in(decision) if allowed else (),
        in_the_way=() if allowed else decision.deciding,
        place_known=place.lat is not None,
        decision=decision,
    )


def open_visits(session: Session, org_id: uuid.UUID, now: dt.datetime) -> Opened:
    """Open a visit for every case given to this organisation, or its own, that the policy lets it open one for.

    A case whose place has no point yet gets a requested visit, which a later run makes eligible. Running it again, or
    twice at once, opens nothing twice.
    """
    _one_at_a_time(session, org_id)
    cases = _candidates(session, org_id, now)
    places = _places(session, cases)
    subjects = [Subject(case, places[case.debtor_id]) for case in cases if case.debtor_id in places]
    opened: list[str] = []
    held: list[str] = []
    for subject, (_, decision) in zip(subjects, judge_eligible(session, org_id, subjects, now), strict=True):
        if decision.verdict is Verdict.ALLOWED:
            visit = _open(session, org_id, subject, decision, now=now, reason=FAILED_CONTACT)
            (opened if visit.state is VisitState.ELIGIBLE else held).append(visit.reference)
    _place_found_meanwhile(session, org_id, now)
    return Opened(looked_at=len(cases), visits=tuple(opened), held=tuple(held))


def request_visit(
    session: Session, org_id: uuid.UUID, case_id: uuid.UUID, *, reason: RequestReason, now: dt.datetime
) -> Visit:
    """Open a visit by hand. The same policy decides; raises Forbidden, PlaceUnknown or VisitOpenAlready."""
    _one_at_a_time(session, org_id)
    case = _get_case(session, case_id)
    for there in live_visits_of(session, {case.debtor_id}):
        if there.case_id == case_id:
            raise VisitOpenAlready(reference=there.reference)
    place = _places(session, [case]).get(case.debtor_id)
    if place is None or place.lat is None:
        raise PlaceUnknown()
    subject = Subject(case, place)
    ((_, decision),) = judge_eligible(session, org_id, [subject], now)
    demand_allowed(decision)
    return _open(session, org_id, subject, decision, now=now, reason=reason.value)


def evidence_in(decision: Decision) -> tuple[uuid.UUID, ...]:
    """The failed attempts that the prior-effort clauses rest on, each once, in the order the clauses name them."""
    ids = [
        uuid.UUID(fact_id)
        for clause in decision.clauses
        if clause.clause_id.split("/")[1] == "prior_effort"
        for fact_id in clause.fact_ids
    ]
    return tuple(dict.fromkeys(ids))


def value_of(case: Case) -> int:
    """The price, in seconds of a crew's time, of leaving this visit out of a day: an hour, more for age and amount.

    Up to an hour more for a year past due, and up to half an hour for the amount; capped, so that no single large case
    buys the whole day.
    """
    age_s = min(case.days_past_due, 360) * 10
    amount_s = min(case.total_minor // 1_000, 1_800)
    return int(3_600 + age_s + amount_s)


def _one_at_a_time(session: Session, org_id: uuid.UUID) -> None:
    """Wait until no other transaction opens visits for this organisation: what it opened is seen then, and not met as a
    broken rule of the database that would take this whole run down."""
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(f"fieldvisit gate {org_id}"))))


def _get_case(session: Session, case_id: uuid.UUID) -> Case:
    case = session.get(Case, case_id)
    if case is None:
        raise NotFound(what="case", id=case_id)
    return case


def _candidates(session: Session, org_id: uuid.UUID, now: dt.datetime) -> Sequence[Case]:
    """Cases of this organisation, or placed with it today, that are open and have no live visit. A lender that placed a
    case has given the visiting away with it."""
    at_places = sa.select(Placement.case_id).outerjoin(Place, Place.debtor_id == Placement.debtor_id)
    placed = at_places.where(in_force(today_there(now)))
    placed_here = placed.where(Placement.agency_id == org_id)
    placed_away = placed.where(Placement.org_id == org_id)
    busy = sa.select(Visit.case_id).where(Visit.state.in_(LIVE))
    cases = session.scalars(
        sa.select(Case)
        .where(
            sa.or_(Case.id.in_(placed_here), sa.and_(Case.org_id == org_id, Case.id.not_in(placed_away))),
            Case.stage.not_in((CaseStage.CLOSED, CaseStage.LEGAL)),
            Case.id.not_in(busy),
        )
        .options(joinedload(Case.debtor))
        .order_by(Case.external_id, Case.id)
    ).all()
    # Somebody who had the case before may still be at the door.
    with_others = {live.case_id for live in live_visits_of(session, {case.debtor_id for case in cases})}
    return [case for case in cases if case.id not in with_others]


def _places(session: Session, cases: Sequence[Case]) -> dict[uuid.UUID, Place]:
    """For each debtor the place to go to: by preference, those with a known point first."""
    rows = session.scalars(
        sa.select(Place).where(Place.debtor_id.in_({case.debtor_id for case in cases}), Place.kind.in_(PREFERRED))
    )
    ranked = sorted(rows, key=lambda place: (place.lat is None, PREFERRED.index(place.kind), place.id), reverse=True)
    return {place.debtor_id: place for place in ranked}


def _open(
    session: Session,
    org_id: uuid.UUID,
    subject: Subject,
    decision: Decision,
    *,
    now: dt.datetime,
    reason: str,
) -> Visit:
    case, place = subject.case, subject.place
    organisation = session.get_one(Organisation, org_id)
    visit = Visit(
        org_id=organisation.id,
        lender_id=case.org_id,
        reference=_next_reference(session),
        case_id=case.id,
        debtor_id=case.debtor_id,
        place_id=place.id,
        state=VisitState.REQUESTED,
        requested_reason=reason,
        evidence=list(evidence_in(decision)),
        service_s=SERVICE_S,
        value_s=value_of(case),
        last_on=(now + LASTS).date(),
    )
    session.add(visit)
    session.flush()
    session.add(note_event(visit, VisitState.REQUESTED.value, now=now, reason=reason))
    session.add(stored_decision(visit, decision, moment=CheckMoment.ELIGIBLE, span=None, now=now))
    if place.lat is not None:
        move(session, visit, VisitState.ELIGIBLE, now=now)
    return visit


def _next_reference(session: Session) -> str:
    return f"V-{session.execute(sa.text("select nextval('visit_references')")).scalar_one():06}"


def _place_found_meanwhile(session: Session, org_id: uuid.UUID, now: dt.datetime) -> None:
    ids = session.scalars(
        sa.select(Visit.id)
        .join(Place, Place.id == Visit.place_id)
        .where(Visit.org_id == org_id, Visit.state == VisitState.REQUESTED, Place.lat.is_not(None))
    ).all()
    for visit in lock_visits(session, ids).values():
        if visit.state is VisitState.REQUESTED:
            move(session, visit, VisitState.ELIGIBLE, now=now)
