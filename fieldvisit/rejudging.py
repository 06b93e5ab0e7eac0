"""Everything ahead is judged anew when something changes: a block, a paper, a policy, a consent, a late contact.

What a contact block stops is cancelled; what may no longer be made as planned goes back and waits, its stop leaves the
route, and its slots are free; a crew on its way is told that the visit is off, and so is a debtor who was told of it.
Nothing that is still lawful is touched.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer, joinedload

from fieldvisit.compliance.conduct_parameters import Recorded
from fieldvisit.compliance.decision import Decision
from fieldvisit.compliance.evaluate import evaluate
from fieldvisit.compliance.facts import Facts, Question
from fieldvisit.compliance.intervals import Interval
from fieldvisit.database import on_behalf_of
from fieldvisit.debtor_visits import Touched, lock_touched
from fieldvisit.decisions import decision_values, organisations_by_id
from fieldvisit.facts import facts_of, subject_of
from fieldvisit.models import Case, CrewMember, DayPlan, Debtor, Route, Stop, StoredDecision, Visit
from fieldvisit.notices.standing import take_back
from fieldvisit.planning.stops import JudgedStop, leave_out, staff_numbers
from fieldvisit.policies import policies_of
from fieldvisit.staff_facts import staff_facts
from fieldvisit.visits import CalledOff, cancel, lock_visits, move, note_event
from fieldvisit.vocabulary import BlockTrigger, CheckMoment, Verdict, VisitState

S = VisitState
AHEAD = (S.REQUESTED, S.ELIGIBLE, S.PLANNED, S.PUBLISHED, S.UNDER_WAY)
"""States in which a visit is still to be begun at its door."""
BLOCKING = frozenset({"stops", "blocks", "blackouts", "complaint"})


@dataclass(frozen=True)
class Rejudged:
    """The visits that were cancelled, that went back to wait, and that wait and may not be made as things stand."""

    cancelled: tuple[uuid.UUID, ...] = ()
    taken_back: tuple[uuid.UUID, ...] = ()
    flagged: tuple[uuid.UUID, ...] = ()


@dataclass(frozen=True)
class Ahead:
    """A visit that is judged anew: when it is to be made and by whom, as far as that is known."""

    visit: Visit
    facts: Facts
    stop: Stop | None
    route: Route | None
    crew: tuple[uuid.UUID, ...] = field(default=())
    partner: Stop | None = None
    """The stop of the other crew, where two make it."""

    @property
    def routes(self) -> list[Route]:
        return [stop.route for stop in (self.stop, self.partner) if stop is not None]

    def question(self, staff: Mapping[uuid.UUID, object], now: dt.datetime) -> Question:
        """What is asked: at its stop, by its crew; of a visit without one, whether it may be made at all."""
        if self.stop is None:
            return Question(visit_id=str(self.visit.id), moment=CheckMoment.ELIGIBLE)
        span = self.span(now)
        return Question(
            visit_id=str(self.visit.id),
            moment=CheckMoment.PLANNING if self.visit.state is S.PLANNED else CheckMoment.DOOR,
            begins_at=span.begins_at,
            ends_at=span.ends_at,
            staff=tuple(staff[visitor_id] for visitor_id in self.crew),  # type: ignore[misc]  # staff facts by id
            # Nobody records before the door: what is asked there is asked there.
            recording=frozenset(Recorded),
        )

    def span(self, now: dt.datetime) -> Interval:
        """The stop's time, or from now on where that is over."""
        if self.stop is None or self.stop.begin_at < now:
            return Interval(now, now + dt.timedelta(seconds=self.visit.service_s))
        return Interval(self.stop.begin_at, self.stop.end_at)


@dataclass(frozen=True)
class Refused:
    """A visit that may no longer be made so, and the answer that says why, with its row as it is stored."""

    one: Ahead
    decision: Decision
    row: dict[str, Any]


def rejudge(
    session: Session,
    visit_ids: Iterable[uuid.UUID],
    *,
    now: dt.datetime,
    code: str,
    states: Collection[VisitState] = AHEAD,
) -> Rejudged:
    """Judge these visits anew, as far as they are in one of these states; `code` says in their history what made it
    necessary. Those of another organisation are judged in its own books, where their routes are.
    """
    found = []
    for org_id, ids in _by_organisation(session, visit_ids, states).items():
        if session.info.get("org") in (None, org_id):
            found.append(_rejudge(session, ids, states, now=now, code=code))
        else:
            with on_behalf_of(session, org_id):
                found.append(_rejudge(session, ids, states, now=now, code=code))
    return _together(found)


def rejudge_debtor(session: Session, debtor_id: uuid.UUID, *, now: dt.datetime, code: str) -> Rejudged:
    """Judge every visit ahead of the debtor anew, whoever makes it; what became of those that one sees."""
    touched = lock_touched(session, {debtor_id}, states=AHEAD)
    return rejudge_touched(session, touched, now=now, code=code)


def rejudge_touched(
    session: Session, touched: Touched, *, now: dt.datetime, code: str, states: Collection[VisitState] = AHEAD
) -> Rejudged:
    """Judge these anew, each in the books of those who make it; what became of those that one sees. Where others make
    any, what was read is forgotten."""
    found = rejudge(session, touched.own, now=now, code=code, states=states) if touched.own else Rejudged()
    for lender_id, visit_ids in touched.others:
        with on_behalf_of(session, lender_id):
            rejudge(session, visit_ids, now=now, code=code, states=states)
    return found


def rejudge_visitor(session: Session, visitor_id: uuid.UUID, *, now: dt.datetime, code: str) -> Rejudged:
    """Judge every visit anew that stands on a route of the visitor."""
    rides = (
        sa.select(Stop.visit_id)
        .join(CrewMember, CrewMember.route_id == Stop.route_id)
        .where(CrewMember.visitor_id == visitor_id)
    )
    return rejudge(session, session.scalars(_ahead(Visit.id.in_(rides))).all(), now=now, code=code)


def visits_ahead(org_id: uuid.UUID) -> sa.Select[uuid.UUID]:
    """The ids of all visits ahead that the organisation makes, or that are made for it, in a stated order."""
    return _ahead(sa.or_(Visit.org_id == org_id, Visit.lender_id == org_id))


def read_ahead(session: Session, visits: Collection[Visit], now: dt.datetime) -> list[Ahead]:
    """These visits with what is known of them, their stop and their crew. Few queries, whatever their number."""
    _read_alongside(session, visits)
    seen = [visit for visit in visits if visit.case is not None]
    stops = _stops(session, seen)
    facts = facts_of(session, [subject_of(visit) for visit in seen], now)
    return [_ahead_of(visit, known, stops[visit.id]) for visit, known in zip(seen, facts, strict=True)]


def _ahead_of(visit: Visit, facts: Facts, stops: Sequence[Stop]) -> Ahead:
    if not stops:
        return Ahead(visit, facts, None, None)
    crew = tuple(member.visitor_id for stop in stops for member in stop.route.members)
    return Ahead(visit, facts, stops[0], stops[0].route, crew, next(iter(stops[1:]), None))


def judge_ahead(
    session: Session, ahead: Sequence[Ahead], now: dt.datetime
) -> Iterator[tuple[Ahead, Question, Decision]]:
    """The engine's answer for each of them, under the policies that apply to it."""
    staff = staff_facts(session, {visitor_id for one in ahead for visitor_id in one.crew})
    ids = {org_id for one in ahead for org_id in (one.visit.org_id, one.visit.lender_id)}
    organisations = organisations_by_id(session, ids)
    for one in ahead:
        question = one.question(staff, now)
        policies = policies_of((organisations[one.visit.org_id], organisations[one.visit.lender_id]))
        yield one, question, evaluate(question, one.facts, policies, now)


def _rejudge(
    session: Session, ids: Collection[uuid.UUID], states: Collection[VisitState], *, now: dt.datetime, code: str
) -> Rejudged:
    """Judge, store the answers, act: each of the three at once for all, so that the statements are few."""
    visits = [visit for visit in lock_visits(session, ids).values() if visit.state in states]
    refused = [
        Refused(one, answer, decision_values(one.visit, answer, moment=question.moment, span=question.span, now=now))
        for one, question, answer in judge_ahead(session, read_ahead(session, visits, now), now)
        if answer.verdict is not Verdict.ALLOWED
    ]
    if refused:
        session.execute(sa.insert(StoredDecision), [each.row for each in refused])
    numbers = staff_numbers(session, *{route for each in refused for route in each.one.routes})
    found = _together([_act(session, each, numbers, now=now, code=code) for each in refused])
    session.flush()
    if found.taken_back:
        take_back(session, found.taken_back, now=now)
    return found


def _act(session: Session, refused: Refused, numbers: Mapping[str, str], *, now: dt.datetime, code: str) -> Rejudged:
    """What follows for one visit; nothing is written before the caller flushes."""
    one, decision = refused.one, refused.decision
    visit = one.visit
    why: dict[str, Any] = {"cause": code, "decision_id": str(refused.row["id"])}
    block = _blocked_by(decision, one.facts)
    if block is not None:
        cancel(session, visit, reason=block[0], now=now, flush=False, block_id=block[1], **why)
        return Rejudged(cancelled=(visit.id,))
    if visit.state is S.UNDER_WAY:
        cancel(session, visit, reason=CalledOff.NO_LONGER_LAWFUL, now=now, flush=False, **why)
        return Rejudged(cancelled=(visit.id,))
    if visit.state in (S.PLANNED, S.PUBLISHED):
        if one.stop is not None and one.route is not None:
            judged = JudgedStop(one.route, one.stop, visit, decision.deciding, one.partner)
            leave_out(session, one.route.plan, judged, numbers, told=visit.state is S.PUBLISHED)
        move(session, visit, S.ELIGIBLE, now=now, flush=False, code=CalledOff.NO_LONGER_LAWFUL.value, **why)
        return Rejudged(taken_back=(visit.id,))
    session.add(note_event(visit, "flagged", now=now, clause_ids=[c.clause_id for c in decision.deciding], **why))
    return Rejudged(flagged=(visit.id,))


def _together(found: Sequence[Rejudged]) -> Rejudged:
    return Rejudged(
        cancelled=tuple(visit_id for each in found for visit_id in each.cancelled),
        taken_back=tuple(visit_id for each in found for visit_id in each.taken_back),
        flagged=tuple(visit_id for each in found for visit_id in each.flagged),
    )


def _blocked_by(decision: Decision, facts: Facts) -> tuple[BlockTrigger, str] | None:
    """The contact block that stands in the way, if one does."""
    triggers = {block.id: block.trigger for block in facts.blocks}
    for clause in decision.deciding:
        if clause.clause_id.split("/")[1] in BLOCKING:
            for fact_id in clause.fact_ids:
                if fact_id in triggers:
                    return triggers[fact_id], fact_id
    return None


def _ahead(*conditions: sa.ColumnElement[bool]) -> sa.Select[uuid.UUID]:
    return sa.select(Visit.id).where(Visit.state.in_(AHEAD), *conditions).order_by(Visit.id)


def _by_organisation(
    session: Session, visit_ids: Iterable[uuid.UUID], states: Collection[VisitState]
) -> dict[uuid.UUID, list[uuid.UUID]]:
    wanted = set(visit_ids)
    rows = session.execute(
        sa.select(Visit.org_id, Visit.id).where(Visit.id.in_(wanted), Visit.state.in_(states)).order_by(Visit.id)
    )
    found: dict[uuid.UUID, list[uuid.UUID]] = {}
    for org_id, visit_id in rows:
        found.setdefault(org_id, []).append(visit_id)
    return found


def _stops(session: Session, visits: Collection[Visit]) -> Mapping[uuid.UUID, list[Stop]]:
    """The stop of each visit on the plan that it is in; two, where two crews make it."""
    planned = {visit.id: visit.plan_id for visit in visits if visit.plan_id is not None}
    rows = session.scalars(
        sa.select(Stop)
        .join(Route, Route.id == Stop.route_id)
        .where(Stop.visit_id.in_(planned), Route.plan_id.in_(set(planned.values())))
        .options(
            joinedload(Stop.route).selectinload(Route.members),
            joinedload(Stop.route).selectinload(Route.stops),
            # The plan's documents are large, and nothing here reads them.
            joinedload(Stop.route).joinedload(Route.plan).load_only(DayPlan.id, DayPlan.org_id),
        )
    ).unique()
    found: dict[uuid.UUID, list[Stop]] = defaultdict(list)
    for stop in sorted(rows, key=lambda each: each.route.crew_code):
        if stop.route.plan_id == planned[stop.visit_id]:
            found[stop.visit_id].append(stop)
    return found


def _read_alongside(session: Session, visits: Collection[Visit]) -> None:
    """Case, debtor and place of each visit, in one query instead of three a visit. What is sealed and not asked for
    stays sealed."""
    session.scalars(
        sa.select(Visit)
        .where(Visit.id.in_({visit.id for visit in visits}))
        .options(
            joinedload(Visit.case).defer(Case.reason_for_arrears),
            joinedload(Visit.debtor).options(defer(Debtor.name), defer(Debtor.national_id)),
            joinedload(Visit.place),
        )
    ).all()
