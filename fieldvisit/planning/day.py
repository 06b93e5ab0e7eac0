"""One day of one area as the planner has to know it: which visits may be made when, and which crews may make them.

Rows and policies in, plain values out; nothing here knows how a plan is found.
"""

import datetime as dt
import uuid
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session, contains_eager, joinedload

from fieldvisit.compliance.decision import ClauseResult, plain
from fieldvisit.compliance.evaluate import evaluate
from fieldvisit.compliance.facts import Facts, Question
from fieldvisit.compliance.inquiry import product_clause
from fieldvisit.compliance.intervals import Interval, Intervals, common
from fieldvisit.compliance.merging import terms_for
from fieldvisit.compliance.notices import first_announced
from fieldvisit.compliance.parameters import NoticeAbout
from fieldvisit.compliance.policy import Policy
from fieldvisit.compliance.terms import Terms
from fieldvisit.compliance.wallclock import whole_day
from fieldvisit.compliance.windows import lawful_windows
from fieldvisit.decisions import organisations_by_id
from fieldvisit.distances import metres_between
from fieldvisit.errors import NotFound
from fieldvisit.facts import facts_of, subject_of
from fieldvisit.languages import Message
from fieldvisit.models import Area, Case, DayPlan, Organisation, Place, Placement, Visit
from fieldvisit.placements import in_force
from fieldvisit.planning.crews import (
    CrewToPlan,
    Papers,
    Roster,
    StayedHome,
    at_most,
    crews_of,
    language,
    papers_of,
    read_roster,
)
from fieldvisit.planning.meeting import crews_needed, sizes_of
from fieldvisit.planning.risks import people_for, risk_points
from fieldvisit.policies import policies_of
from fieldvisit.safety.incidents import frozen_among
from fieldvisit.vocabulary import CheckMoment, UnservedReason, Verdict, VisitState

AS_LONG_AS_IT_TAKES = dt.timedelta(days=400)
LOOKED_AT = dt.timedelta(hours=1)
"""A draft is looked at for so long before it is published: what is announced only then must still be in time."""
STAFF = frozenset({"staff", "staff_min", "staff_max", "staff_mix", "credentials", "training", "safety"})
"""What a decision says of people: no question before crews are known."""


@dataclass(frozen=True, kw_only=True)
class VisitToPlan:
    """A visit with the hours in which it may begin and end, as instants, and what its crew must offer."""

    visit: Visit
    hours: Intervals
    requires: frozenset[str]
    visitors: int
    """So many people at least: what the policy, the dispatcher and the danger ask for, whichever is most."""
    facts: Facts
    terms: Terms
    risk: int = 0
    """How dangerous it is taken for, in points (`risks`)."""
    crews: int = 1
    """Two where no crew of the day is large enough, and two of them have to meet at the door."""
    askable: Intervals = ()
    """The lawful hours without the debtor's own wishes: when they could be asked whether a visit would suit them."""


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A visit that no plan of this day may hold; `detail` are the facts for its sentence."""

    visit_id: uuid.UUID
    reason: UnservedReason
    detail: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Day:
    area: Area
    on: dt.date
    zone: ZoneInfo
    visits: tuple[VisitToPlan, ...]
    left_out: tuple[LeftOut, ...]
    crews: tuple[CrewToPlan, ...]
    stayed_home: tuple[StayedHome, ...]
    papers: frozenset[Papers]
    """The demands for papers that its visits make."""

    @property
    def origin(self) -> dt.datetime:
        """Local midnight: second 0 of the planning format."""
        return dt.datetime.combine(self.on, dt.time(), self.zone)


@dataclass(frozen=True)
class _Permitted:
    """A visit that may be made on the day, and when."""

    visit: Visit
    facts: Facts
    terms: Terms
    hours: Intervals
    askable: Intervals


def read_day(
    session: Session,
    area: Area,
    on: dt.date,
    now: dt.datetime,
    *,
    unplaced: bool = False,
    only: Set[uuid.UUID] | None = None,
) -> Day:
    """Everything the planner needs for this area and date.

    Visits that wait, and those of an earlier plan of the same area and day that nobody has begun. Of today, only what
    is left of it. With `unplaced`, the papers of those who are in no crew yet count too. `only`: no visits but these.
    """
    organisation = session.get_one(Organisation, area.org_id)
    candidates = [visit for visit in _candidates(session, area, on) if only is None or visit.id in only]
    judged = [
        _judged(visit, known, policies, on=on, now=now)
        for visit, known, policies in _known(session, organisation, candidates, now)
    ]
    permitted = [one for one in judged if isinstance(one, _Permitted)]
    roster = read_roster(session, area, on, unplaced=unplaced)
    papers = {one.visit.id: papers_of(roster, one.visit, one.facts, one.terms) for one in permitted}
    risks = risk_points(session, [one.visit for one in permitted])
    visits = [_to_plan(one, papers[one.visit.id].tag, risks[one.visit.id]) for one in permitted]
    crews, stayed_home = crews_of(roster, area, set(papers.values()), _sizes(visits), now=now)
    offers = [(crew.offers, len(crew.members)) for crew in crews]
    return Day(
        area=area,
        on=on,
        zone=ZoneInfo(organisation.zone),
        visits=tuple(replace(one, crews=crews_needed(one.visitors, one.requires, offers)) for one in visits),
        left_out=tuple(one for one in judged if isinstance(one, LeftOut)),
        crews=crews,
        stayed_home=stayed_home,
        papers=frozenset(papers.values()),
    )


@dataclass(frozen=True, kw_only=True)
class Joining:
    """A visit that joins a day which is planned already, and what it demands of its crew's papers and size."""

    visit: VisitToPlan
    roster: Roster
    papers: Papers
    most: frozenset[int]


def read_joining(
    session: Session, area: Area, on: dt.date, visit_id: uuid.UUID, *, now: dt.datetime
) -> Joining | LeftOut:
    """One visit as `read_day` would read it. Raises NotFound where it waits for no plan of this area and day."""
    organisation = session.get_one(Organisation, area.org_id)
    known = _known(session, organisation, _candidates(session, area, on, only=visit_id), now)
    if not known:
        raise NotFound(what="visit", id=visit_id)
    visit, facts, policies = known[0]
    one = _judged(visit, facts, policies, on=on, now=now)
    if isinstance(one, LeftOut):
        return one
    roster = read_roster(session, area, on)
    papers = papers_of(roster, one.visit, one.facts, one.terms)
    to_plan = _to_plan(one, papers.tag, risk_points(session, [one.visit])[one.visit.id])
    return Joining(visit=to_plan, roster=roster, papers=papers, most=_sizes([to_plan]))


def _sizes(visits: Sequence[VisitToPlan]) -> frozenset[int]:
    return sizes_of((one.visitors, one.requires) for one in visits)


def _candidates(session: Session, area: Area, on: dt.date, *, only: uuid.UUID | None = None) -> list[Visit]:
    of_this_area = sa.and_(
        Visit.state.in_((VisitState.PLANNED, VisitState.PUBLISHED)),
        Visit.planned_on == on,
        DayPlan.area_id == area.id,
    )
    without_point = sa.and_(Visit.state == VisitState.REQUESTED, Place.lat.is_(None))
    placed = sa.select(Placement.id).where(
        Placement.case_id == Visit.case_id, Placement.agency_id == area.org_id, in_force(on)
    )
    rows = session.scalars(
        sa.select(Visit)
        # Row-level security knows the placements: a case that the lender has taken back drops out here.
        .join(Case, Case.id == Visit.case_id)
        .join(Visit.place)
        .outerjoin(DayPlan, DayPlan.id == Visit.plan_id)
        .where(
            Visit.org_id == area.org_id,
            sa.or_(Visit.state == VisitState.ELIGIBLE, without_point, of_this_area),
            Visit.last_on >= on,
            sa.true() if only is None else Visit.id == only,
            # Placed today is not placed on that day: what ends before it is nobody's to plan.
            sa.or_(Visit.lender_id == area.org_id, placed.exists()),
        )
        .options(joinedload(Visit.case), joinedload(Visit.debtor), contains_eager(Visit.place))
        .order_by(Visit.reference, Visit.id)
        .execution_options(populate_existing=True)
    )
    near = [visit for visit in rows if _in_area(visit.place, area)]
    frozen = frozen_among(session, near)
    return [visit for visit in near if visit.id not in frozen]


def _in_area(place: Place, area: Area) -> bool:
    """A place without a point lies in every area: somebody has to see that it is missing."""
    if place.lat is None or place.lon is None:
        return True
    return metres_between((place.lat, place.lon), (area.lat, area.lon)) <= area.radius_m


def _known(
    session: Session, organisation: Organisation, visits: Sequence[Visit], now: dt.datetime
) -> list[tuple[Visit, Facts, tuple[Policy, ...]]]:
    lenders = organisations_by_id(session, (visit.lender_id for visit in visits))
    # A draft of this day makes room for the new one: what it reserves stands in the way of none of its debtor's visits,
    # of which the new plan serves one at most. What is published was announced, and keeps its slot.
    again = {str(visit.id) for visit in visits if visit.state is VisitState.PLANNED}
    found = []
    for visit, facts in zip(visits, facts_of(session, [subject_of(visit) for visit in visits], now), strict=True):
        others = tuple(other for other in facts.planned_visits if other.visit_id not in again)
        policies = policies_of((organisation, lenders[visit.lender_id]))
        found.append((visit, replace(facts, planned_visits=others), policies))
    return found


def _judged(
    visit: Visit, facts: Facts, policies: tuple[Policy, ...], *, on: dt.date, now: dt.datetime
) -> _Permitted | LeftOut:
    if visit.place.lat is None:
        return LeftOut(visit_id=visit.id, reason=UnservedReason.PLACE_UNKNOWN, detail={})
    told = _told(facts)
    if told is not None and not common((told,), whole_day(on, visit.place.zone)):
        return LeftOut(
            visit_id=visit.id,
            reason=UnservedReason.NOT_PERMITTED,
            detail={"clauses": [plain(_pinned(told, visit.place.zone))]},
        )
    hours = _hours(visit, facts, policies, on=on, now=now)
    noon = dt.datetime.combine(on, dt.time(12), ZoneInfo(visit.place.zone))
    begins_at = hours[0].begins_at if hours else noon
    # Caps, blocks and spacing are counted on the day of the visit, before an hour and a crew are known. Where no hour
    # is lawful, the clauses that leave none have to be told too, and noon is as good as any other time to ask about.
    question = Question(
        visit_id=str(visit.id),
        moment=CheckMoment.ELIGIBLE if hours else CheckMoment.PLANNING,
        begins_at=begins_at,
        ends_at=begins_at + dt.timedelta(seconds=visit.service_s),
    )
    decision = evaluate(question, facts, policies, now)
    in_the_way = tuple(
        clause for clause in decision.deciding if clause.verdict is not Verdict.ALLOWED and not _of_staff(clause)
    )
    terms = terms_for(policies, facts.place, on, scope=facts.scope)
    if told is not None and not hours:
        in_the_way = (*in_the_way, _pinned(told, visit.place.zone))
    if in_the_way or not hours or terms is None:
        return LeftOut(visit_id=visit.id, reason=UnservedReason.NOT_PERMITTED, detail={"clauses": plain(in_the_way)})
    unasked = replace(facts, debtor_times=())
    askable = _hours(visit, unasked, policies, on=on, now=now) if facts.debtor_times else ()
    return _Permitted(visit, facts, terms, hours, askable)


def _hours(visit: Visit, facts: Facts, policies: tuple[Policy, ...], *, on: dt.date, now: dt.datetime) -> Intervals:
    """The lawful hours of the date itself, those that its debtor was told, else from when the visit can have been
    announced: what runs on over midnight is the next day's, with rules of its own."""
    zone = facts.place.zone
    if zone is None:
        return ()
    lawful = lawful_windows(facts, policies, on)
    today = common(lawful, whole_day(on, zone))
    told = _told(facts)
    if told is not None:
        return common(today, (told,))
    published_at = now + LOOKED_AT
    announced_at = first_announced(str(visit.id), facts, policies, day=on, now=published_at)
    if announced_at <= published_at:
        return today
    return common(today, (Interval(announced_at, announced_at + AS_LONG_AS_IT_TAKES),))


def _told(facts: Facts) -> Interval | None:
    """The hours in which the debtor was told that somebody would come: a pin, as long as they are not over."""
    told = [notice.announced for notice in facts.notices if notice.about is NoticeAbout.VISIT and notice.announced]
    return told[-1] if told else None


def _pinned(told: Interval, zone: str) -> ClauseResult:
    begins, ends = (at.astimezone(ZoneInfo(zone)) for at in (told.begins_at, told.ends_at))
    values = {"from": f"{begins:%Y-%m-%d %H:%M}", "until": f"{ends:%H:%M}"}
    return product_clause("announced", False, Message("The debtor was told: {from} to {until}.", values))


def _of_staff(clause: ClauseResult) -> bool:
    return clause.clause_id.split("/")[1] in STAFF


def _to_plan(one: _Permitted, papers: str, risk: int) -> VisitToPlan:
    spoken = {language(one.visit.debtor.language)} if one.visit.debtor.language else set()
    most = {at_most(one.terms.staff_max)} if one.terms.staff_max is not None else set()
    return VisitToPlan(
        visit=one.visit,
        hours=one.hours,
        requires=frozenset({*one.visit.requires, papers, *spoken, *most}),
        visitors=max(one.terms.staff_min, one.visit.people, people_for(risk)),
        facts=one.facts,
        terms=one.terms,
        risk=risk,
        askable=one.askable,
    )
