"""Reading, once, whatever the events of one sending touch: a fixed number of queries, however many events there are."""

import dataclasses
import datetime as dt
import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from fieldvisit.compliance.facts import Facts
from fieldvisit.credentials import papers_of
from fieldvisit.debtor_visits import lock_live_visits
from fieldvisit.decisions import organisations_by_id
from fieldvisit.facts import facts_of, subject_of
from fieldvisit.form_versions import gather_versions
from fieldvisit.models import (
    Case,
    CrewMember,
    DayPlan,
    Debtor,
    HeldEvent,
    IdentityCheck,
    PhoneEventKey,
    Place,
    Route,
    SafetySession,
    Stop,
    Visit,
    VisitEvent,
    VisitReport,
)
from fieldvisit.phone.arrivals import ARRIVALS
from fieldvisit.phone.clocks import LATEST
from fieldvisit.phone.telling import of_dismissed
from fieldvisit.placed_days import placed_days
from fieldvisit.promises import lock_plans_heard
from fieldvisit.staff_facts import staff_facts
from fieldvisit.together import Door, KeptTelling, Together, by_visit
from fieldvisit.told_stops import PUBLIC, ToldStop, with_withdrawn
from fieldvisit.visits import lock_visits
from fieldvisit.vocabulary import SafetyState


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be gathered: for which visits of whom, under which ids, and which of them are judged at the door, end
    with a report, with promises too, or have papers shown."""

    visitor_id: uuid.UUID
    visit_ids: frozenset[uuid.UUID]
    event_ids: frozenset[uuid.UUID]
    judged: frozenset[uuid.UUID]
    reported: frozenset[uuid.UUID]
    promised: bool
    shows_papers: bool


def gather(session: Session, wanted: Wanted, *, now: dt.datetime) -> Together | None:
    """All of it, the visits under lock; None where a case or a place is not there for us to see any more: those few are
    taken one by one."""
    if wanted.reported:
        lock_plans_heard(session, wanted.reported, promised=wanted.promised)
    stops = _stops(session, wanted)
    visits = _locked(session, wanted, {stop.visit for of_one in stops.values() for stop in of_one})
    # Held, so that each visit finds its own without asking again.
    cases = _rows(session, Case, {visit.case_id for visit in visits.values()})
    places = _rows(session, Place, {visit.place_id for visit in visits.values()})
    debtors = _rows(session, Debtor, {visit.debtor_id for visit in visits.values()})
    if any(visit.case_id not in cases or visit.place_id not in places for visit in visits.values()):
        return None
    routes = {stop.route_id: stop.route for of_one in stops.values() for stop in of_one}
    doors = _doors(session, routes)
    crew = {member.visitor_id for route in routes.values() for member in route.members}
    org_ids = {org_id for visit in visits.values() for org_id in (visit.org_id, visit.lender_id)}
    checks = sa.select(IdentityCheck).where(IdentityCheck.visit_id.in_(visits))
    told, dismissed = _told(session, wanted)
    return Together(
        stops=stops,
        visits=visits,
        held=(cases, places, debtors),
        placed=placed_days(session, visits.values()),
        doors=doors,
        arrivals=_arrivals(session, {door.visit_id for of_one in doors.values() for door in of_one} | set(visits)),
        checks=defaultdict(list, by_visit(session.scalars(checks.order_by(IdentityCheck.at, IdentityCheck.id)).all())),
        reports=_reports(session, visits),
        told=told,
        dismissed=dismissed,
        facts=_facts(session, wanted, visits, now=now),
        staff=staff_facts(session, crew) if wanted.judged else {},
        papers={wanted.visitor_id: papers_of(session, wanted.visitor_id)} if wanted.shows_papers else {},
        watched=_watched(session, visits),
        forms=gather_versions(session) if wanted.reported else (),
        organisations=organisations_by_id(session, org_ids) if wanted.judged or wanted.shows_papers else {},
    )


def _rows[Row: (Case, Debtor, Place)](
    session: Session, table: type[Row], ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, Row]:
    return {row.id: row for row in session.scalars(sa.select(table).where(table.id.in_(ids)))} if ids else {}


def _stops(session: Session, wanted: Wanted) -> dict[uuid.UUID, list[ToldStop]]:
    """The visitor's stops at these visits on plans that are or were public, the newest first; those that were taken off
    their routes too."""
    rows = session.scalars(
        sa.select(Stop)
        .join(Stop.route)
        .join(Route.plan)
        .join(CrewMember, CrewMember.route_id == Route.id)
        .where(Stop.visit_id.in_(wanted.visit_ids), CrewMember.visitor_id == wanted.visitor_id)
        .where(DayPlan.state.in_(PUBLIC))
        .order_by(DayPlan.planned_on.desc(), DayPlan.version.desc(), Stop.id)
        .options(
            joinedload(Stop.visit),
            joinedload(Stop.route).selectinload(Route.members),
            joinedload(Stop.route, Route.plan),
        )
        .execution_options(populate_existing=True)
    )
    found: dict[uuid.UUID, list[ToldStop]] = {visit_id: [] for visit_id in wanted.visit_ids}
    for stop in rows:
        found[stop.visit_id].append(stop)
    return with_withdrawn(session, wanted.visitor_id, found)


def _locked(session: Session, wanted: Wanted, visits: Collection[Visit]) -> dict[uuid.UUID, Visit]:
    """These under lock, and with those that are to be reported every live visit of their debtors: what is reported may
    cancel it, or let it be judged anew."""
    ids = {visit.id for visit in visits}
    debtor_ids = {visit.debtor_id for visit in visits if visit.id in wanted.reported}
    if debtor_ids:
        lock_live_visits(session, debtor_ids, also=ids)
    return lock_visits(session, ids)


def _doors(session: Session, route_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[Door]]:
    rows = session.execute(
        sa.select(Stop.route_id, Stop.visit_id, Place.lat, Place.lon)
        .join(Visit, Visit.id == Stop.visit_id)
        .join(Place, Place.id == Visit.place_id)
        .where(Stop.route_id.in_(set(route_ids)))
        .order_by(Stop.route_id, Stop.position)
    )
    found: dict[uuid.UUID, list[Door]] = defaultdict(list)
    for row in rows:
        found[row.route_id].append(Door(visit_id=row.visit_id, lat=row.lat, lon=row.lon))
    return found


def _arrivals(session: Session, visit_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[Any]]:
    rows = sa.select(VisitEvent).where(VisitEvent.visit_id.in_(visit_ids), VisitEvent.kind.in_(ARRIVALS))
    found = by_visit(session.scalars(rows.order_by(VisitEvent.at, VisitEvent.id)).all())
    return {visit_id: [*found.get(visit_id, ())] for visit_id in visit_ids}


def _watched(session: Session, visit_ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    running = SafetySession.visit_id.in_(set(visit_ids)), SafetySession.state == SafetyState.ACTIVE
    return {visit_id for visit_id in session.scalars(sa.select(SafetySession.visit_id).where(*running)) if visit_id}


def _reports(session: Session, visit_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, VisitReport]:
    rows = sa.select(VisitReport).where(VisitReport.visit_id.in_(set(visit_ids)), VisitReport.replaced_by_id.is_(None))
    rows = rows.options(
        selectinload(VisitReport.promises), selectinload(VisitReport.additions), selectinload(VisitReport.door)
    )
    return {row.visit_id: row for row in session.scalars(rows.execution_options(populate_existing=True))}


def _told(session: Session, wanted: Wanted) -> tuple[dict[uuid.UUID, KeptTelling], frozenset[uuid.UUID]]:
    """What was told before under these ids, and what of it the office has dismissed."""
    key = PhoneEventKey
    told = sa.select(key.event_id, key.body_digest, key.answer).where(
        key.org_id == session.info["org"], key.event_id.in_(wanted.event_ids)
    )
    nothing = (sa.cast(sa.null(), column.type) for column in (key.body_digest, key.answer))
    dismissed = sa.select(HeldEvent.event_id, *nothing).where(
        HeldEvent.event_id.in_(wanted.event_ids), *of_dismissed(session, wanted.visitor_id)
    )
    rows = session.execute(sa.union_all(told, dismissed)).all()
    kept = {row[0]: KeptTelling(digest=bytes(row[1]), answer=row[2]) for row in rows if row[1] is not None}
    return kept, frozenset(row[0] for row in rows if row[1] is None)


def _facts(
    session: Session, wanted: Wanted, visits: Mapping[uuid.UUID, Visit], *, now: dt.datetime
) -> dict[uuid.UUID, Facts]:
    """What is known of those to be judged; not of one whose debtor another event of the sending may concern: what is
    told of that visit changes what is known of this one."""
    debtors = Counter(visit.debtor_id for visit in visits.values())
    alone = [visits[id_] for id_ in sorted(wanted.judged & set(visits)) if debtors[visits[id_].debtor_id] == 1]
    known: Sequence[Facts] = facts_of(session, [subject_of(visit) for visit in alone], now - LATEST) if alone else ()
    return dict(zip((visit.id for visit in alone), known, strict=True))
