"""A week: each visit on one of its days, deadlines and spacing kept, what a day cannot hold comes back."""

import asyncio
import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.clock import Clock
from fieldvisit.compliance.parameters import CapPeriod
from fieldvisit.compliance.rules import CapRule
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import InvalidValue, NotFound
from fieldvisit.languages import say
from fieldvisit.models import Area, DayPlan, Visit
from fieldvisit.planning.claiming import claim_plan
from fieldvisit.planning.failures import PlanFailure
from fieldvisit.planning.tools import Tools
from fieldvisit.planning.week_days import _windows, week_question
from fieldvisit.planning.week_jobs import plan_week
from fieldvisit.planning.week_question import answer_week
from fieldvisit.planning.week_words import week_of_plans
from fieldvisit.planning.weeks import (
    WeekRequest,
    accept_days,
    claim_week,
    end_week,
    fail_week,
    get_week,
    next_dates,
    request_week,
)
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import DayPlanState, VisitState, WeekState
from tests.conftest import NOW
from tests.planning.worlds import make_crew, make_ready_case, make_ready_visit, make_second_case
from tests.worlds import TODAY, World

DAYS = [TODAY + dt.timedelta(days=number) for number in range(3)]


@pytest.fixture
def tools(settings: Settings, sessions: sessionmaker[Session], engine: sa.Engine) -> Tools:
    return Tools(settings=settings, sessions=sessions, clock=Clock(engine))


def asked(world: World, *, days: int = 3) -> WeekRequest:
    return WeekRequest(area_id=world.area, first_on=TODAY, days=days, seconds=5, iterations=20)


def test_each_visit_is_planned_once_by_its_deadline_and_visits_to_one_debtor_keep_their_distance(
    tools: Tools, sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for_all(sessions) as session:
        for on in DAYS:
            make_crew(session, world, "A", on=on)
        first = make_ready_case(session, world)
        make_ready_visit(session, world, first, last_on=DAYS[0])
        second = make_ready_visit(session, world, make_second_case(session, world, first))
        others = [make_ready_visit(session, world) for _ in range(3)]
        lone = make_ready_visit(session, world, requires=["sign_language"])
    with acting_for(sessions, world.agency) as session:
        week_id = request_week(session, world.agency, asked(world), now=NOW).id
    asyncio.run(plan_week(tools, world.agency, week_id))
    with acting_for(sessions, world.agency) as session:
        found = week_of_plans(session, week_id)
        assert found.week.state is WeekState.PLANNED
        assert [(plan.planned_on, plan.state) for plan in found.plans] == [(on, DayPlanState.DRAFT) for on in DAYS]
        planned = {visit.id: visit for visit in session.scalars(sa.select(Visit)) if visit.planned_on is not None}
        assert sum(found.stops.values()) == len(planned)
        assert {visit.state for visit in planned.values()} == {VisitState.PLANNED}
        assert all(visit.planned_on <= visit.last_on for visit in planned.values() if visit.planned_on)
        assert {visit.id for visit in others} <= set(planned)
        # The house policy sees a debtor once in a week: the other case waits, and so does whom nobody can serve.
        assert second.id not in planned
        assert {(visit.id, str(found.why(visit))) for visit in found.waiting} == {
            (second.id, "its days are full, or another visit to the same debtor goes first"),
            (lone.id, "on none of its days a crew works that may make it"),
        }
        assert "同一债务人" in {visit.id: say(found.why(visit), "zh_CN") for visit in found.waiting}[second.id]


def test_the_plan_of_a_day_holds_only_what_its_week_means_for_it(sessions: sessionmaker[Session], world: World) -> None:
    with acting_for_all(sessions) as session:
        make_crew(session, world, "A")
        make_crew(session, world, "A", on=DAYS[1])
        today, tomorrow = (make_ready_visit(session, world) for _ in range(2))
    with acting_for(sessions, world.agency) as session:
        week_id = request_week(session, world.agency, asked(world, days=2), now=NOW).id
        claimed = claim_week(session, week_id, DAYS[:2], NOW)
        days = {str(today.id): 0, str(tomorrow.id): 1}
        plan_id = accept_days(session, claimed, {"days": days, "later": {}})
        assert plan_id is not None
        plan = claim_plan(session, plan_id, NOW)
        assert plan is not None
        assert [one.visit.id for one in plan.day.visits] == [today.id]
        # Left unfinished, the day is planned again under the same plan.
        assert next_dates(session, week_id) == DAYS[:2]
        again = claim_week(session, week_id, DAYS[:2], NOW)
        assert accept_days(session, again, {"days": days, "later": {}}) == plan_id
        session.get_one(DayPlan, plan_id).state = DayPlanState.FAILED
        assert next_dates(session, week_id) == DAYS[1:2]


def test_whoever_took_the_week_over_is_not_overwritten(sessions: sessionmaker[Session], world: World) -> None:
    with acting_for(sessions, world.agency) as session:
        week_id = request_week(session, world.agency, asked(world), now=NOW).id
        silent = claim_week(session, week_id, DAYS, NOW)
        claim_week(session, week_id, DAYS, NOW + dt.timedelta(seconds=60))
        assert accept_days(session, silent, {"days": {}, "later": {}}) is None
        fail_week(session, week_id, PlanFailure.OUT_OF_MEMORY, says="", now=NOW)
        end_week(session, week_id, now=NOW)
        assert get_week(session, week_id).state is WeekState.FAILED
        assert next_dates(session, week_id) == []
        failure = week_of_plans(session, week_id).failure
        assert failure is not None
        assert "memory" in str(failure)


def test_two_visits_of_one_debtor_are_tied_by_the_caps_of_the_policy(
    sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for_all(sessions) as session:
        for on in DAYS:
            make_crew(session, world, "A", on=on)
        first = make_ready_case(session, world)
        mates = [
            make_ready_visit(session, world, first),
            make_ready_visit(session, world, make_second_case(session, world, first)),
        ]
    with acting_for(sessions, world.agency) as session:
        question = week_question(session, session.get_one(Area, world.area), DAYS, NOW)
    caps = question.document["caps"]
    assert caps
    assert all(sorted(cap["visits"]) == sorted(str(one.id) for one in mates) for cap in caps)
    assert caps[0]["gap"] == 1
    answer = answer_week(question.document)
    assert len(answer["days"]) + len(answer["later"]) == 2


@pytest.mark.parametrize(
    ("period", "days", "windows"),
    [
        (CapPeriod.CALENDAR_DAY, None, [(0, 0), (1, 1), (2, 2)]),
        # The third of March 2026 is a Tuesday.
        (CapPeriod.CALENDAR_WEEK, None, [(-1, 5)]),
        (CapPeriod.CALENDAR_MONTH, None, [(-2, 28)]),
        (CapPeriod.ROLLING_DAYS, 2, [(-1, 0), (0, 1), (1, 2), (2, 3)]),
    ],
)
def test_the_periods_of_a_cap_are_those_that_hold_one_of_the_days(
    period: CapPeriod, days: int | None, windows: list[tuple[int, int]], cap_rule: CapRule
) -> None:
    rule = CapRule(**{**vars(cap_rule), "period": period, "days": days})
    assert list(_windows(rule, DAYS)) == windows


@pytest.fixture
def cap_rule(sessions: sessionmaker[Session], world: World) -> CapRule:
    """A cap of the house policy."""
    from fieldvisit.models import Organisation
    from fieldvisit.policies import policies_of

    with acting_for(sessions, world.agency) as session:
        policies = policies_of((session.get_one(Organisation, world.agency),))
    return policies[0].caps[0]


@pytest.mark.parametrize("wrong", [{"days": 0}, {"days": 32}, {"seconds": 0}, {"iterations": 0}])
def test_a_week_that_is_none_is_refused(world: World, wrong: dict[str, int]) -> None:
    with pytest.raises(InvalidValue):
        WeekRequest(**({"area_id": world.area, "first_on": TODAY, "days": 5, "seconds": 5} | wrong))  # type: ignore[arg-type]


def test_a_week_of_the_past_or_of_a_strange_area_is_refused(sessions: sessionmaker[Session], world: World) -> None:
    yesterday = WeekRequest(area_id=world.area, first_on=TODAY - dt.timedelta(days=1), days=2, seconds=5)
    with acting_for(sessions, world.agency) as session:
        with pytest.raises(InvalidValue):
            request_week(session, world.agency, yesterday, now=NOW)
        with pytest.raises(NotFound):
            request_week(session, world.stranger, asked(world), now=NOW)
