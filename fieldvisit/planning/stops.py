"""The stops of a plan before the policy: each judged at its time with its people, and taken out where it is refused."""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from fieldvisit.caps import reserve_slots
from fieldvisit.compliance.decision import ClauseResult, plain
from fieldvisit.compliance.inquiry import product_clause
from fieldvisit.compliance.intervals import Interval
from fieldvisit.compliance.wallclock import local_day
from fieldvisit.decisions import AtTheDoor, judge_all
from fieldvisit.languages import Message
from fieldvisit.models import DayPlan, Route, Stop, UnservedVisit, Visit, Visitor
from fieldvisit.placed_days import placed_days
from fieldvisit.planning.papers import check_papers
from fieldvisit.safety.incidents import frozen_among
from fieldvisit.vocabulary import CheckMoment, UnservedReason, Verdict

TAKEN_BACK = product_clause("placement", False, Message("The lender has taken the case back."))
FROZEN = product_clause(
    "incident", False, Message("Something happened at this place that has not been reviewed yet: nobody goes there.")
)


@dataclass(frozen=True)
class JudgedStop:
    """A visit at its stop, locked by the caller. `refused_by`: the clauses in the way; none where it is allowed.
    `partner`: where two crews make it, the stop on the other one's route."""

    route: Route
    stop: Stop
    visit: Visit
    refused_by: tuple[ClauseResult, ...]
    partner: Stop | None = None

    @property
    def allowed(self) -> bool:
        return not self.refused_by


def judge_stops(
    session: Session,
    routes: Sequence[Route],
    visits: Mapping[uuid.UUID, Visit],
    *,
    moment: CheckMoment,
    now: dt.datetime,
    but: Collection[uuid.UUID] = (),
) -> list[JudgedStop]:
    """Decide every visit and store each decision, and with it the check of each person's papers. Where two crews meet
    at a door it is one visit, by the people of both: the other's stop is found in its plan, whether or not it is here.

    `but`: visits that are not asked about and not answered for: they have begun, and were judged at the door.
    """
    _read_alongside(session, visits)
    stops: dict[uuid.UUID, tuple[Route, Stop]] = {}
    for route in routes:
        for stop in route.stops:
            if stop.visit_id not in but:
                stops.setdefault(stop.visit_id, (route, stop))
    partners = {visit_id: partner_of(route, stop) for visit_id, (route, stop) in stops.items()}
    closed = _closed(session, visits, {visit_id: stop for visit_id, (_, stop) in stops.items()})
    asked = {
        visit_id: AtTheDoor(
            visit=visits[visit_id],
            span=Interval(stop.begin_at, stop.end_at),
            visitor_ids=_people(route, partners[visit_id]),
        )
        for visit_id, (route, stop) in stops.items()
        if visit_id not in closed
    }
    refused = _refused(session, asked, moment=moment, now=now)
    return [
        JudgedStop(
            route,
            stop,
            visits[visit_id],
            (closed[visit_id],) if visit_id in closed else refused[visit_id],
            partners[visit_id],
        )
        for visit_id, (route, stop) in stops.items()
    ]


def _closed(
    session: Session, visits: Mapping[uuid.UUID, Visit], stops: Mapping[uuid.UUID, Stop]
) -> dict[uuid.UUID, ClauseResult]:
    """The visits that no policy is asked about, and what closes them: nobody may go to the place, or these people have
    no business with the case on that day."""
    frozen = frozen_among(session, [visits[visit_id] for visit_id in stops])
    placed = placed_days(session, [visits[visit_id] for visit_id in stops])
    found = dict.fromkeys(frozen, FROZEN)
    for visit_id, stop in stops.items():
        visit = visits[visit_id]
        # Row-level security knows the placements: a case that the lender has taken back is simply not there.
        if visit.case is None or not placed.cover(visit, local_day(stop.begin_at, visit.place.zone)):
            found.setdefault(visit_id, TAKEN_BACK)
    return found


def partner_of(route: Route, stop: Stop) -> Stop | None:
    """The stop of the other crew that makes this visit too, on its route of the same plan."""
    if stop.with_crew is None:
        return None
    others = (each for each in route.plan.routes if each.crew_code == stop.with_crew)
    return next((each for other in others for each in other.stops if each.visit_id == stop.visit_id), None)


def _people(route: Route, partner: Stop | None) -> list[uuid.UUID]:
    """Everybody who goes to a visit."""
    together = [*route.members, *(() if partner is None else partner.route.members)]
    return [member.visitor_id for member in together]


def _refused(
    session: Session, asked: Mapping[uuid.UUID, AtTheDoor], *, moment: CheckMoment, now: dt.datetime
) -> dict[uuid.UUID, tuple[ClauseResult, ...]]:
    """Visit → the clauses in its way; none where it is allowed, and then a slot of each cap is reserved for it."""
    judged = judge_all(session, list(asked.values()), moment=moment, now=now)
    check_papers(session, list(asked.values()), moment=moment, now=now)
    refused: dict[uuid.UUID, tuple[ClauseResult, ...]] = {}
    for visit_id, one in zip(asked, judged, strict=True):
        if one.decision.verdict is Verdict.ALLOWED:
            full = reserve_slots(session, one)
            refused[visit_id] = (full,) if full else ()
        else:
            refused[visit_id] = one.decision.deciding
    return refused


def leave_out(
    session: Session,
    plan: DayPlan,
    judged: JudgedStop,
    numbers: Mapping[str, str] | None = None,
    *,
    told: bool = False,
) -> None:
    """Take the visit off its route, or both of them; the plan says why. The times of the others stay as they were
    announced.

    `numbers`: the staff numbers of everybody on the route, where the caller takes out many and has read them at once.
    `told`: it was published, and the plan keeps from whose routes it was taken: their phones may tell of it still.
    """
    crews = [route.crew_code for route in _routes(judged)]
    if numbers is None:
        numbers = staff_numbers(session, *_routes(judged))
    for stop in (judged.stop, judged.partner):
        if stop is not None:
            stop.route.stops.remove(stop)
            session.delete(stop)
    reason = UnservedReason.TAKEN_MEANWHILE if judged.allowed else UnservedReason.NOT_PERMITTED
    session.add(
        UnservedVisit(
            org_id=plan.org_id,
            plan_id=plan.id,
            visit_id=judged.visit.id,
            reason=reason,
            detail={"clauses": plain_clauses(judged.refused_by, numbers)},
            withdrawn_from=crews if told else None,
        )
    )


def refusals(session: Session, judged: Sequence[JudgedStop]) -> list[Message]:
    """What stands in the way of these stops, each sentence once."""
    numbers = staff_numbers(session, *(route for one in judged for route in _routes(one)))
    messages = (_named(clause.message, numbers) for one in judged for clause in one.refused_by)
    return list({str(message): message for message in messages}.values())


def _routes(judged: JudgedStop) -> list[Route]:
    return [judged.route] if judged.partner is None else [judged.route, judged.partner.route]


def staff_numbers(session: Session, *routes: Route) -> dict[str, str]:
    """Visitor id → staff number, of everybody on these routes."""
    ids = {member.visitor_id for route in routes for member in route.members}
    rows = session.execute(sa.select(Visitor.id, Visitor.staff_number).where(Visitor.id.in_(ids)))
    return {str(visitor_id): staff_number for visitor_id, staff_number in rows}


def plain_clauses(clauses: Sequence[ClauseResult], numbers: Mapping[str, str]) -> Any:
    """The clauses as JSON, with the staff numbers that people know in place of ids."""
    return plain([replace(clause, message=_named(clause.message, numbers)) for clause in clauses])


def _named(message: Message, numbers: Mapping[str, str]) -> Message:
    visitor = message.values.get("visitor")
    if visitor is None:
        return message
    return Message(message.text, {**message.values, "visitor": numbers.get(str(visitor), visitor)})


def _read_alongside(session: Session, visits: Mapping[uuid.UUID, Visit]) -> None:
    """Case, debtor and place of each visit, in one query instead of three a visit."""
    session.scalars(
        sa.select(Visit)
        .where(Visit.id.in_(visits))
        .options(joinedload(Visit.case), joinedload(Visit.debtor), joinedload(Visit.place))
    ).all()
