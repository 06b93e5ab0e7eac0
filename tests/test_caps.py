"""The last slot of a cap goes to one planner, and the database is who says so.

ROUNDS=50 python -m pytest -q -m long tests/test_caps.py
"""

import datetime as dt
import os
import threading
import uuid
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.caps import reserve_slots, slots_of
from fieldvisit.compliance.decision import ClauseResult
from fieldvisit.compliance.intervals import Interval
from fieldvisit.database import Urls, acting_for, acting_for_all, app_engine, session_factory
from fieldvisit.decisions import AtTheDoor, Judged, judge_all
from fieldvisit.models import CapSlot, Visit
from fieldvisit.settings import Settings
from fieldvisit.visits import get_visit, lock_visits, move
from fieldvisit.vocabulary import AttemptResult, Channel, CheckMoment, Verdict, VisitState
from tests.compliance.planning_worlds import NOON, Wanted, in_turn, make_wanted, plan_visit, states
from tests.conftest import NOW
from tests.worlds import World, make_attempt, make_world

DAY = dt.timedelta(days=1)
ROUNDS = int(os.environ.get("ROUNDS", "1000"))


@pytest.fixture
def world(sessions: sessionmaker[Session]) -> World:
    return make_world(sessions)


@pytest.fixture
def two(sessions: sessionmaker[Session], world: World) -> Wanted:
    """Two visits to one debtor, whom the house policy lets be visited once in seven days."""
    return make_wanted(sessions, world, visits=2)


def slots(sessions: sessionmaker[Session], wanted: Wanted, visit: int = 0) -> list[tuple[str, dt.date]]:
    with acting_for(sessions, wanted.world.agency) as session:
        rows = session.scalars(slots_of(wanted.visits[visit]).order_by(CapSlot.clause_id))
        return [(row.clause_id, row.on_day) for row in rows]


def test_a_planned_visit_holds_the_slot_of_its_day(sessions: sessionmaker[Session], two: Wanted) -> None:
    in_turn(sessions, two, 0)
    assert slots(sessions, two) == [("house/caps/1", NOON.date())]


def test_the_slot_is_free_again_when_the_visit_goes_back(sessions: sessionmaker[Session], two: Wanted) -> None:
    in_turn(sessions, two, 0)
    assert isinstance(in_turn(sessions, two, 1), ClauseResult)
    with acting_for(sessions, two.world.agency) as session:
        move(session, get_visit(session, two.visits[0], lock=True), VisitState.ELIGIBLE, now=NOW)
    assert slots(sessions, two) == []
    assert isinstance(in_turn(sessions, two, 1), Visit)


@pytest.mark.parametrize("to", [VisitState.CANCELLED, VisitState.REPORTED])
def test_a_slot_ends_with_the_visit_that_holds_it(sessions: sessionmaker[Session], two: Wanted, to: VisitState) -> None:
    in_turn(sessions, two, 0)
    with acting_for(sessions, two.world.agency) as session:
        move(session, get_visit(session, two.visits[0], lock=True), to, now=NOW)
    assert slots(sessions, two) == []


def test_a_visit_that_moves_to_another_day_gives_the_slot_of_the_first_back(
    sessions: sessionmaker[Session], two: Wanted
) -> None:
    in_turn(sessions, two, 0)
    with acting_for(sessions, two.world.agency) as session:
        get_visit(session, two.visits[0], lock=True).planned_on = (NOON + DAY).date()
    assert slots(sessions, two) == []


def test_an_outside_contact_that_comes_late_takes_the_slot_though_the_planner_did_not_know_of_it(
    sessions: sessionmaker[Session], two: Wanted
) -> None:
    with acting_for(sessions, two.world.agency) as session:
        visit = lock_visits(session, [two.visits[0]])[two.visits[0]]
        asked = AtTheDoor(visit=visit, span=Interval(NOON, NOON + dt.timedelta(minutes=20)), visitor_ids=[two.visitor])
        (judged,) = judge_all(session, [asked], moment=CheckMoment.PLANNING, now=NOW)
        with acting_for_all(sessions) as other:
            met: dict[str, Any] = {
                "channel": Channel.VISIT,
                "result": AttemptResult.REACHED,
                "made_by_id": two.world.stranger,
            }
            make_attempt(other, get_visit(other, two.visits[0]).case, at=NOW - 3 * DAY, **met)
        full = reserve_slots(session, judged)
    assert full is not None
    assert full.clause_id == "house/caps/1"


def test_nobody_can_write_a_slot_for_which_there_is_no_room(sessions: sessionmaker[Session], two: Wanted) -> None:
    in_turn(sessions, two, 0)
    with acting_for(sessions, two.world.agency) as session:
        taken = session.scalars(slots_of(two.visits[0])).one()
        values = {column.key: getattr(taken, column.key) for column in sa.inspect(CapSlot).columns}
        with pytest.raises(IntegrityError, match="no room under house/caps/1"), session.begin_nested():
            session.execute(sa.insert(CapSlot).values(values | {"visit_id": two.visits[1]}))


def race(sessions: sessionmaker[Session], wanted: Wanted) -> list[ClauseResult | Visit]:
    """Every visit planned by a thread of its own, all at once; each knows only what was there before it began."""
    together = threading.Barrier(len(wanted.visits))

    def plan(number: int) -> ClauseResult | Visit:
        with acting_for(sessions, wanted.world.agency) as session:
            session.execute(sa.select(1))
            together.wait()
            return plan_visit(session, wanted.visits[number], wanted.visitor)

    with ThreadPoolExecutor(len(wanted.visits)) as threads:
        return list(threads.map(plan, range(len(wanted.visits))))


def test_eight_planners_on_the_last_slot_and_exactly_one_has_it(sessions: sessionmaker[Session], world: World) -> None:
    wanted = make_wanted(sessions, world, visits=8)
    answers = race(sessions, wanted)
    assert sum(isinstance(answer, Visit) for answer in answers) == 1
    assert {answer.clause_id for answer in answers if isinstance(answer, ClauseResult)} == {"house/caps/1"}
    assert states(sessions, wanted.visits).count(VisitState.PLANNED) == 1


def take(sessions: sessionmaker[Session], wanted: Wanted, judged: Sequence[Judged]) -> list[ClauseResult | Visit]:
    """Every visit by a thread of its own, all at once, each told that there is room: the database alone says no."""
    together = threading.Barrier(len(judged))

    def plan(one: Judged) -> ClauseResult | Visit:
        with acting_for(sessions, wanted.world.agency) as session:
            session.execute(sa.select(1))
            together.wait()
            visit = lock_visits(session, [one.asked.visit.id])[one.asked.visit.id]
            full = reserve_slots(session, one)
            if full is not None:
                return full
            visit.planned_on = NOON.date()
            return move(session, visit, VisitState.PLANNED, now=NOW)

    with ThreadPoolExecutor(len(judged)) as threads:
        return list(threads.map(plan, judged))


@pytest.mark.long
def test_64_planners_on_the_last_slot_a_thousand_times(urls: Urls, settings: Settings, world: World) -> None:
    engine = app_engine(urls.app, settings, pool_size=64)
    sessions = session_factory(engine)
    wanted = make_wanted(sessions, world, visits=64)
    span = Interval(NOON, NOON + dt.timedelta(minutes=20))
    with acting_for(sessions, world.agency) as session:
        visits = lock_visits(session, wanted.visits).values()
        asked = [AtTheDoor(visit=visit, span=span, visitor_ids=[wanted.visitor]) for visit in visits]
        judged = judge_all(session, asked, moment=CheckMoment.PLANNING, now=NOW)
    assert {one.decision.verdict for one in judged} == {Verdict.ALLOWED}
    won: Counter[uuid.UUID] = Counter()
    for _ in range(ROUNDS):
        answers = take(sessions, wanted, judged)
        (winner,) = [answer.id for answer in answers if isinstance(answer, Visit)]
        assert {answer.clause_id for answer in answers if isinstance(answer, ClauseResult)} == {"house/caps/1"}
        won[winner] += 1
        with acting_for(sessions, world.agency) as session:
            assert session.scalars(sa.select(CapSlot.visit_id)).all() == [winner]
            move(session, get_visit(session, winner, lock=True), VisitState.ELIGIBLE, now=NOW)
    engine.dispose()
    print(f"{won.total()} rounds of 64, {len(won)} of them won at least once")
