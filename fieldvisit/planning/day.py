"""One day of one area as the planner has to know it: which visits may be made when, and which crews may make them.

Rows and policies in, plain values out; nothing here knows how a plan is found.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from geopy.distance import geodesic
from sqlalchemy.orm import Session, joinedload

from fieldvisit.compliance.decision import ClauseResult, plain
from fieldvisit.compliance.evaluate import evaluate
from fieldvisit.compliance.facts import Facts, Question, StaffFact
from fieldvisit.compliance.intervals import Interval
from fieldvisit.compliance.merging import terms_for
from fieldvisit.compliance.policy import Policy
from fieldvisit.compliance.windows import lawful_windows
from fieldvisit.decisions import organisations_by_id
from fieldvisit.facts import facts_of, staff_facts, subject_of
from fieldvisit.models import Area, Organisation, Place, Shift, Visit
from fieldvisit.policies import policies_of
from fieldvisit.vocabulary import CheckMoment, UnservedReason, Verdict, VisitState


@dataclass(frozen=True, kw_only=True)
class VisitToPlan:
    """A visit with the hours in which it may begin and end, as instants, and what its crew must offer."""

    visit: Visit
    hours: tuple[Interval, ...]
    requires: frozenset[str]
    visitors: int


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A visit that no plan of this day may hold; `detail` are the facts for its sentence."""

    visit_id: uuid.UUID
    reason: UnservedReason
    detail: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class CrewToPlan:
    """Who rides together. `offers` are skills, languages and the papers that every member holds."""

    code: str
    members: tuple[Shift, ...]
    lat: float
    lon: float
    hours: Interval
    offers: frozenset[str]

    @property
    def lead(self) -> Shift:
        return next((shift for shift in self.members if shift.lead), self.members[0])


@dataclass(frozen=True, kw_only=True)
class StayedHome:
    """A visitor whose papers hold for none of the lenders of the day, with what is wrong with them."""

    visitor_id: uuid.UUID
    clauses: tuple[ClauseResult, ...]


@dataclass(frozen=True, kw_only=True)
class Day:
    area: Area
    on: dt.date
    zone: ZoneInfo
    visits: tuple[VisitToPlan, ...]
    left_out: tuple[LeftOut, ...]
    crews: tuple[CrewToPlan, ...]
    stayed_home: tuple[StayedHome, ...]

    @property
    def origin(self) -> dt.datetime:
        """Local midnight: second 0 of the planning format."""
        return dt.datetime.combine(self.on, dt.time(), self.zone)


@dataclass(frozen=True)
class _Judged:
    visit: Visit
    facts: Facts
    policies: tuple[Policy, ...]


def read_day(session: Session, area: Area, on: dt.date, now: dt.datetime) -> Day:
    """Everything the planner needs for this area and date.

    Visits that wait, and those of an earlier plan of the same day that nobody has begun.
    """
    organisation = session.get_one(Organisation, area.org_id)
    judged = _judged(session, organisation, _candidates(session, area, on), now)
    visits: list[VisitToPlan] = []
    left_out: list[LeftOut] = []
    for one in judged:
        planned = _visit_to_plan(one, on, now)
        if isinstance(planned, LeftOut):
            left_out.append(planned)
        else:
            visits.append(planned)
    crews, stayed_home = _crews(session, area, on, judged, now)
    return Day(
        area=area,
        on=on,
        zone=ZoneInfo(organisation.zone),
        visits=tuple(visits),
        left_out=tuple(left_out),
        crews=crews,
        stayed_home=stayed_home,
    )


def papers(lender_id: uuid.UUID) -> str:
    """What a crew offers whose papers all hold for visits in this lender's name."""
    return f"papers:{lender_id}"


def language(tag: str) -> str:
    return f"language:{tag}"


def _candidates(session: Session, area: Area, on: dt.date) -> list[Visit]:
    rows = session.scalars(
        sa.select(Visit)
        .join(Place, Place.id == Visit.place_id)
        .where(
            Visit.org_id == area.org_id,
            sa.or_(
                Visit.state == VisitState.ELIGIBLE,
                sa.and_(Visit.state == VisitState.REQUESTED, Place.lat.is_(None)),
                sa.and_(Visit.state.in_((VisitState.PLANNED, VisitState.PUBLISHED)), Visit.planned_on == on),
            ),
            Visit.last_on >= on,
        )
        .options(joinedload(Visit.case), joinedload(Visit.debtor), joinedload(Visit.place))
        .order_by(Visit.reference, Visit.id)
    )
    return [visit for visit in rows if _in_area(visit.place, area)]


def _in_area(place: Place, area: Area) -> bool:
    """A place without a point lies in every area: somebody has to see that it is missing."""
    if place.lat is None or place.lon is None:
        return True
    return bool(geodesic((place.lat, place.lon), (area.lat, area.lon)).meters <= area.radius_m)


def _judged(session: Session, organisation: Organisation, visits: Sequence[Visit], now: dt.datetime) -> list[_Judged]:
    lenders = organisations_by_id(session, (visit.lender_id for visit in visits))
    facts = facts_of(session, [subject_of(visit) for visit in visits], now)
    return [
        _Judged(visit, known, policies_of((organisation, lenders[visit.lender_id])))
        for visit, known in zip(visits, facts, strict=True)
    ]


def _visit_to_plan(one: _Judged, on: dt.date, now: dt.datetime) -> VisitToPlan | LeftOut:
    visit = one.visit
    if visit.place.lat is None:
        return LeftOut(visit_id=visit.id, reason=UnservedReason.PLACE_UNKNOWN, detail={})
    hours = lawful_windows(one.facts, one.policies, on)
    service = dt.timedelta(seconds=visit.service_s)
    begins_at = hours[0].begins_at if hours else dt.datetime.combine(on, dt.time(12), ZoneInfo(visit.place.zone))
    # Caps, blocks and spacing are counted on the day of the visit, before an hour and a crew are known.
    question = Question(
        visit_id=str(visit.id), moment=CheckMoment.ELIGIBLE, begins_at=begins_at, ends_at=begins_at + service
    )
    decision = evaluate(question, one.facts, one.policies, now)
    if decision.verdict is not Verdict.ALLOWED or not hours:
        return LeftOut(
            visit_id=visit.id,
            reason=UnservedReason.NOT_PERMITTED,
            detail={"clauses": plain(decision.deciding if decision.verdict is not Verdict.ALLOWED else ())},
        )
    terms = terms_for(one.policies, one.facts.place, on)
    spoken = {language(visit.debtor.language)} if visit.debtor.language else set()
    return VisitToPlan(
        visit=visit,
        hours=hours,
        requires=frozenset({*visit.requires, papers(visit.lender_id), *spoken}),
        visitors=terms.staff_min if terms else 1,
    )


def _crews(
    session: Session, area: Area, on: dt.date, judged: Sequence[_Judged], now: dt.datetime
) -> tuple[tuple[CrewToPlan, ...], tuple[StayedHome, ...]]:
    shifts = session.scalars(
        sa.select(Shift)
        .where(Shift.org_id == area.org_id, Shift.works_on == on)
        .options(joinedload(Shift.visitor))
        .order_by(Shift.crew_code, Shift.lead.desc(), Shift.visitor_id)
    ).all()
    shifts = [shift for shift in shifts if shift.visitor.active]
    staff = staff_facts(session, [shift.visitor_id for shift in shifts])
    by_lender = {one.visit.lender_id: one for one in judged}
    holding: dict[uuid.UUID, set[uuid.UUID]] = {}
    stayed_home = []
    for shift in shifts:
        wrong = {
            lender_id: _papers_wrong(one, staff[shift.visitor_id], shift, now) for lender_id, one in by_lender.items()
        }
        holding[shift.visitor_id] = {lender_id for lender_id, clauses in wrong.items() if not clauses}
        if by_lender and not holding[shift.visitor_id]:
            clauses = {clause.clause_id: clause for found in wrong.values() for clause in found}
            stayed_home.append(StayedHome(visitor_id=shift.visitor_id, clauses=tuple(clauses.values())))
    home = {one.visitor_id for one in stayed_home}
    together: dict[str, list[Shift]] = defaultdict(list)
    for shift in shifts:
        if shift.visitor_id not in home:
            together[shift.crew_code].append(shift)
    crews = (_crew(area, code, members, holding) for code, members in sorted(together.items()))
    return tuple(crew for crew in crews if crew is not None), tuple(stayed_home)


def _papers_wrong(one: _Judged, person: StaffFact, shift: Shift, now: dt.datetime) -> tuple[ClauseResult, ...]:
    """What a visitor lacks for a visit in this lender's name at the end of the shift. A letter for one case only is
    judged with its case when the plan is published."""
    question = Question(
        visit_id=str(one.visit.id),
        moment=CheckMoment.PLANNING,
        begins_at=shift.starts_at,
        ends_at=shift.ends_at,
        staff=(person,),
    )
    decision = evaluate(question, one.facts, one.policies, now)
    return tuple(
        clause
        for clause in decision.clauses
        if clause.clause_id.split("/")[1] == "credentials" and clause.verdict is not Verdict.ALLOWED
    )


def _crew(
    area: Area, code: str, members: Sequence[Shift], holding: dict[uuid.UUID, set[uuid.UUID]]
) -> CrewToPlan | None:
    """The crew, or None where its members share no hour."""
    begins_at = max(shift.starts_at for shift in members)
    ends_at = min(shift.ends_at for shift in members)
    if begins_at >= ends_at:
        return None
    lenders = set.intersection(*(holding[shift.visitor_id] for shift in members))
    lead = next((shift for shift in members if shift.lead), members[0])
    from_home = not lead.from_office and lead.visitor.home_lat is not None and lead.visitor.home_lon is not None
    return CrewToPlan(
        code=code,
        members=tuple(sorted(members, key=lambda shift: (shift is not lead, shift.visitor_id))),
        lat=lead.visitor.home_lat if from_home and lead.visitor.home_lat is not None else area.lat,
        lon=lead.visitor.home_lon if from_home and lead.visitor.home_lon is not None else area.lon,
        hours=Interval(begins_at, ends_at),
        offers=frozenset({*_known(members), *(papers(lender_id) for lender_id in lenders)}),
    )


def _known(members: Iterable[Shift]) -> set[str]:
    """What one member knows the whole crew can do."""
    return {
        *(skill for shift in members for skill in shift.visitor.skills),
        *(language(tag) for shift in members for tag in shift.visitor.languages),
    }
