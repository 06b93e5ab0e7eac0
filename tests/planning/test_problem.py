"""The day in the words of `routing`: a document that its reader accepts, with the seconds right."""

import datetime as dt
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from fieldvisit.planning.crews import language
from fieldvisit.planning.problem import CHANGE_PRICE_S, instant, problem_of
from routing.format import problem_from_document, problem_to_document
from routing.problem import Break, Window
from tests.planning.worlds import at, day_of, make_crew, make_ready_case, make_ready_visit, make_second_case
from tests.worlds import TODAY, World

HELSINKI = ZoneInfo("Europe/Helsinki")
LONG_NIGHT, SHORT_NIGHT = dt.date(2026, 10, 25), dt.date(2026, 3, 29)


def test_a_visit_becomes_a_task_and_a_shift_a_crew(making: Session, world: World) -> None:
    visit = make_ready_visit(making, world, make_ready_case(making, world, point=(60.17, 24.94)))
    make_crew(making, world, "A", people=2)
    papers = f"papers:{world.lender}:house.1"
    found = problem_of(day_of(making, world, now=at("08:00")), {})
    assert found.points == ((60.1699, 24.9384), (60.17, 24.94))
    assert found.document == {
        "format": "fieldvisit-problem/1",
        "origin": "2026-03-03T00:00:00+02:00",
        "tasks": [
            {
                "id": str(visit.id),
                "location": 1,
                "service_s": 1_200,
                "windows": [[8 * 3_600, 19 * 3_600 + 45 * 60]],
                "value_s": 3_600,
                "requires": ["at_most:3", language("fi"), papers],
                "visitors": 1,
                "risk": 1,
                "earning": 60,
            }
        ],
        "crews": [
            {
                "id": "A",
                "start": 0,
                "end": 0,
                "shift": [8 * 3_600 + 1_800, 16 * 3_600 + 1_800],
                "offers": ["at_most:3", language("en"), language("fi"), papers],
                "size": 2,
            }
        ],
        "prices": {"travel": 1, "change": CHANGE_PRICE_S},
    }


def test_the_document_is_one_that_any_reader_of_the_format_accepts(making: Session, world: World) -> None:
    for _ in range(3):
        make_ready_visit(making, world)
    make_crew(making, world, "A")
    found = problem_of(day_of(making, world), {})
    square = [[0] * len(found.points) for _ in found.points]
    problem = problem_from_document({**found.document, "travel": {"seconds": square}})
    assert problem_from_document(problem_to_document(problem)) == problem
    assert [len(problem.tasks), len(problem.crews)] == [3, 1]


def test_a_day_without_visits_and_crews_is_a_problem_too(making: Session, world: World) -> None:
    found = problem_of(day_of(making, world), {})
    problem = problem_from_document({**found.document, "travel": {"seconds": []}})
    assert (problem.tasks, problem.crews, found.points) == ((), (), ())


def test_of_one_debtors_visits_a_plan_serves_one_at_most(making: Session, world: World) -> None:
    first = make_ready_visit(making, world)
    second = make_ready_visit(making, world, make_second_case(making, world, first.case))
    other = make_ready_visit(making, world)
    tasks = problem_of(day_of(making, world), {}).document["tasks"]
    assert {task["id"]: task.get("group") for task in tasks} == {
        str(first.id): str(first.debtor_id),
        str(second.id): str(first.debtor_id),
        str(other.id): None,
    }


def test_neighbours_share_a_place(making: Session, world: World) -> None:
    for _ in range(2):
        make_ready_visit(making, world, make_ready_case(making, world, point=(60.17, 24.94)))
    found = problem_of(day_of(making, world), {})
    assert ([task["location"] for task in found.document["tasks"]], len(found.points)) == ([0, 0], 1)


def test_the_break_is_the_leads(making: Session, world: World) -> None:
    lead, other = make_crew(making, world, "A", people=2)
    lead.break_from_at, lead.break_until_at, lead.break_s = at("11:00"), at("13:00"), 1_800
    other.break_from_at, other.break_until_at, other.break_s = at("12:00"), at("14:00"), 2_700
    making.flush()
    found = problem_of(day_of(making, world), {})
    (crew,) = problem_from_document({**found.document, "travel": {"seconds": [[0]]}}).crews
    assert crew.break_ == Break(window=Window(opens_s=11 * 3_600, closes_s=13 * 3_600), duration_s=1_800)


def test_a_published_visit_is_held_to_its_crew_while_that_crew_works(making: Session, world: World) -> None:
    visits = [make_ready_visit(making, world) for _ in range(2)]
    make_crew(making, world, "A")
    published = {str(visits[0].id): "A", str(visits[1].id): "gone"}
    tasks = problem_of(day_of(making, world), published).document["tasks"]
    assert {task["id"]: task.get("published_crew") for task in tasks} == {
        str(visits[0].id): "A",
        str(visits[1].id): None,
    }


def test_seconds_are_elapsed_ones_where_the_clocks_are_changed(making: Session, world: World) -> None:
    shifts = {}
    for on in (SHORT_NIGHT, TODAY, LONG_NIGHT):
        begins_at = shift_from_ten(making, world, on)
        day = day_of(making, world, on=on, now=at("00:00"))
        ((begins_s, ends_s),) = [crew["shift"] for crew in problem_of(day, {}).document["crews"]]
        assert (instant(day.origin, begins_s), ends_s - begins_s) == (begins_at, 2 * 3_600)
        shifts[on] = begins_s
    assert shifts == {SHORT_NIGHT: 9 * 3_600, TODAY: 10 * 3_600, LONG_NIGHT: 11 * 3_600}


def test_part_seconds_are_rounded_into_the_hours_never_out_of_them(making: Session, world: World) -> None:
    make_crew(making, world, "A")
    day = day_of(making, world, now=at("09:00") + dt.timedelta(milliseconds=1))
    assert problem_of(day, {}).document["crews"][0]["shift"] == [9 * 3_600 + 1, 16 * 3_600 + 1_800]


def shift_from_ten(session: Session, world: World, on: dt.date) -> dt.datetime:
    """A crew that works from ten to noon by the clock on the wall; the instant at which it begins."""
    (shift,) = make_crew(session, world, "A", on=on)
    shift.starts_at, shift.ends_at = (dt.datetime.combine(on, dt.time(hour), HELSINKI) for hour in (10, 12))
    session.flush()
    return shift.starts_at
