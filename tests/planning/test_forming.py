"""Crews proposed where the shift file names none: formed, seen, kept, overridden, and planned with."""

import asyncio
import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.clock import Clock
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import InvalidValue
from fieldvisit.languages import say
from fieldvisit.models import CrewMember, Shift, Visitor
from fieldvisit.people import ShiftDraft, upsert_shift
from fieldvisit.planning.crew_question import answer_crews
from fieldvisit.planning.failures import PlanFailure
from fieldvisit.planning.forming import (
    CrewDraft,
    NamedCrews,
    accept_forming,
    claim_forming,
    fail_forming,
    is_forming_due,
    keep_proposal,
    name_crews,
    request_forming,
    shifts_of,
)
from fieldvisit.planning.forming_words import crews_of_day, undone_words
from fieldvisit.planning.jobs import form_crews, solve_plan
from fieldvisit.planning.plans import get_plan
from fieldvisit.planning.publishing import publish_plan
from fieldvisit.planning.tools import Tools
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import CrewSource, DayPlanState, FormingState
from tests.conftest import NOW
from tests.planning.worlds import ask_for_plan, at, drafted, make_crew, make_ready_case, make_ready_visit
from tests.worlds import TODAY, World, make_shift, make_visitor


@pytest.fixture
def tools(settings: Settings, sessions: sessionmaker[Session], engine: sa.Engine) -> Tools:
    return Tools(settings=settings, sessions=sessions, clock=Clock(engine))


def unplaced(session: Session, world: World, *, on: dt.date = TODAY, **given: Any) -> Visitor:
    """Somebody who works, in no crew."""
    visitor = make_visitor(session, world, **given)
    make_shift(session, visitor, crew=None, on=on)
    return visitor


def propose(sessions: sessionmaker[Session], world: World, *, on: dt.date = TODAY) -> None:
    """Ask, claim, answer, accept, with the search's own code in this process."""
    with acting_for(sessions, world.agency) as session:
        request_forming(session, world.agency, on, now=NOW)
        claimed = claim_forming(session, world.agency, on, NOW)
    if claimed is not None:
        answer = answer_crews(claimed.question.document)
        with acting_for(sessions, world.agency) as session:
            assert accept_forming(session, claimed, answer, now=NOW)


def crews(session: Session, world: World, *, on: dt.date = TODAY) -> dict[str | None, list[str]]:
    found: dict[str | None, list[str]] = {}
    for shift in shifts_of(session, world.agency, on):
        found.setdefault(shift.crew_code, []).append(shift.visitor.staff_number)
    return found


def test_a_crew_has_the_language_the_skill_and_the_papers_that_the_visits_need(
    sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for_all(sessions) as session:
        make_ready_visit(session, world, requires=["negotiator"])
        finn = unplaced(session, world, languages=["fi"]).staff_number
        trainee = unplaced(session, world, languages=["sv"], skills=["negotiator", "trainee"]).staff_number
        nobody = unplaced(session, world, papers=False).staff_number
    propose(sessions, world)
    with acting_for(sessions, world.agency) as session:
        assert crews(session, world) == {"P01": [finn, trainee], None: [nobody]}
        day = crews_of_day(session, world.agency, TODAY)
        assert [(home.visitor.staff_number, str(words)) for home, words in day.home] == [
            (nobody, "has papers for no visit of the day")
        ]
        assert day.undone == []
        assert day.forming is not None
        assert (day.forming.state, day.forming.best) == (FormingState.FORMED, True)


def test_work_that_no_crew_can_take_on_says_what_it_lacks(sessions: sessionmaker[Session], world: World) -> None:
    with acting_for_all(sessions) as session:
        make_ready_visit(session, world, requires=["sign_language"])
        unplaced(session, world)
    propose(sessions, world)
    with acting_for(sessions, world.agency) as session:
        (left,) = crews_of_day(session, world.agency, TODAY).undone
        told = undone_words(left)
    assert say(told, "en") == (
        "1 visits by 1 each are not covered: nobody who works then has all it needs (sign language)."
    )
    assert "未能安排" in say(told, "zh_CN")


def test_the_file_and_the_dispatcher_go_before_a_proposal(sessions: sessionmaker[Session], world: World) -> None:
    with acting_for_all(sessions) as session:
        make_ready_visit(session, world)
        named = [shift.visitor.staff_number for shift in make_crew(session, world, "A", people=2)]
        first, second, third = (unplaced(session, world) for _ in range(3))
    propose(sessions, world)
    with acting_for(sessions, world.agency) as session:
        assert sorted(map(str, crews(session, world))) == ["A", "P01", "P02", "P03"]
        pair = CrewDraft(code="N1", visitor_ids=(third.id, first.id))
        name_crews(session, world.agency, NamedCrews(works_on=TODAY, crews=(pair,)))
    propose(sessions, world)
    with acting_for(sessions, world.agency) as session:
        assert crews(session, world) == {
            "A": named,
            "N1": [third.staff_number, first.staff_number],
            "P01": [second.staff_number],
        }
        keep_proposal(session, world.agency, TODAY)
        assert {shift.crew_by for shift in shifts_of(session, world.agency, TODAY)} == {
            CrewSource.FILE,
            CrewSource.DISPATCHER,
        }


def test_the_next_file_changes_neither_what_the_dispatcher_said_nor_a_proposal_without_naming_a_crew(
    sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for_all(sessions) as session:
        make_ready_visit(session, world)
        visitor = unplaced(session, world)
    propose(sessions, world)

    def imported(crew: str | None) -> Shift:
        with acting_for(sessions, world.agency) as session:
            draft = ShiftDraft(
                visitor_id=visitor.external_id,
                works_on=TODAY,
                starts_at=at("09:00"),
                ends_at=at("17:00"),
                crew_code=crew,
                lead=True,
                from_office=True,
            )
            shift = upsert_shift(session, draft)[0]
            session.expunge(shift)
            return shift

    assert (imported(None).crew_code, imported("B").crew_by) == ("P01", CrewSource.FILE)
    assert imported(None).crew_code is None
    with acting_for(sessions, world.agency) as session:
        crew = CrewDraft(code="N1", visitor_ids=(visitor.id,))
        name_crews(session, world.agency, NamedCrews(works_on=TODAY, crews=(crew,)))
    assert (imported("B").crew_code, imported(None).crew_code) == ("N1", "N1")


def test_naming_what_is_no_crew_is_refused_with_its_place(sessions: sessionmaker[Session], world: World) -> None:
    with acting_for_all(sessions) as session:
        here, away = unplaced(session, world).id, make_visitor(session, world).id
    crew = CrewDraft(code="N", visitor_ids=(here, away))
    with acting_for(sessions, world.agency) as session, pytest.raises(InvalidValue) as refused:
        name_crews(session, world.agency, NamedCrews(works_on=TODAY, crews=(crew,)))
    assert refused.value.details["path"] == "crews[0].visitor_ids[1]"
    with pytest.raises(InvalidValue):
        NamedCrews(works_on=TODAY, crews=(crew, CrewDraft(code="M", visitor_ids=(here,))))
    with pytest.raises(InvalidValue):
        CrewDraft(code="N", visitor_ids=())


def test_whoever_came_home_late_and_whoever_worked_most_is_known_from_the_published_plans(
    sessions: sessionmaker[Session], world: World
) -> None:
    tomorrow = TODAY + dt.timedelta(days=1)
    with acting_for_all(sessions) as session:
        make_ready_visit(session, world)
        (today,) = make_crew(session, world, "A")
        make_shift(session, today.visitor, crew=None, on=tomorrow)
        unplaced(session, world, on=tomorrow)
        make_ready_visit(session, world)
    plan_id = drafted(sessions, world)
    with acting_for(sessions, world.agency) as session:
        publish_plan(session, plan_id, published_by_id=None, now=NOW)
        (route,) = get_plan(session, plan_id).routes
        request_forming(session, world.agency, tomorrow, now=NOW)
        claimed = claim_forming(session, world.agency, tomorrow, NOW)
    assert claimed is not None
    people = {one["id"]: one for one in claimed.question.document["people"]}
    mine = people[str(today.visitor_id)]
    worked_s = round((route.return_at - route.depart_at).total_seconds())
    assert (mine["work_before_s"], mine["most_work_s"]) == (worked_s, 48 * 3_600 - worked_s)
    assert -24 * 3_600 < mine["worked_until_s"] < 0
    assert [one["worked_until_s"] for who, one in people.items() if who != str(today.visitor_id)] == [None]


def test_a_plan_forms_the_crews_that_nobody_has_named(
    tools: Tools, sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for_all(sessions) as session:
        make_ready_visit(session, world, make_ready_case(session, world))
        rider = unplaced(session, world).id
    with acting_for(sessions, world.agency) as session:
        assert is_forming_due(session, world.agency, TODAY)
        plan_id = ask_for_plan(session, world)
    asyncio.run(solve_plan(tools, world.agency, plan_id))
    with acting_for(sessions, world.agency) as session:
        plan = get_plan(session, plan_id)
        assert plan.state is DayPlanState.DRAFT
        assert session.scalars(sa.select(CrewMember.visitor_id)).all() == [rider]
        assert not is_forming_due(session, world.agency, TODAY)


def test_a_proposal_that_was_asked_for_anew_meanwhile_is_not_written(
    sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for_all(sessions) as session:
        make_ready_visit(session, world)
        unplaced(session, world)
    with acting_for(sessions, world.agency) as session:
        request_forming(session, world.agency, TODAY, now=NOW)
        claimed = claim_forming(session, world.agency, TODAY, NOW)
        assert claimed is not None
        request_forming(session, world.agency, TODAY, now=NOW)
        answer = answer_crews(claimed.question.document)
        assert not accept_forming(session, claimed, answer, now=NOW)
        fail_forming(session, claimed, PlanFailure.SEARCH_DIED, says="", now=NOW)
        day = crews_of_day(session, world.agency, TODAY)
        assert day.forming is not None
        assert (day.forming.state, day.crews) == (FormingState.REQUESTED, ())


def test_a_child_without_memory_leaves_a_proposal_that_failed_and_the_crews_as_they_were(
    tools: Tools, sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for_all(sessions) as session:
        make_ready_visit(session, world)
        unplaced(session, world)
    with acting_for(sessions, world.agency) as session:
        request_forming(session, world.agency, TODAY, now=NOW)
    poor = Tools(
        settings=Settings(**{**vars(tools.settings), "solve_memory_mb": 100}),
        sessions=tools.sessions,
        clock=tools.clock,
    )
    asyncio.run(form_crews(poor, world.agency, TODAY))
    with acting_for(sessions, world.agency) as session:
        day = crews_of_day(session, world.agency, TODAY)
        assert day.forming is not None
        assert day.forming.state is FormingState.FAILED
        assert day.failure is not None
