"""A task for two crews that waits: where two crews could meet, why they cannot, and what would help."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings

from routing.checking import faults
from routing.explain import applied, explain
from routing.options import options_for, put
from routing.plan import Plan, Reason, Unserved
from routing.pricing import mandatory_left, plan_price
from routing.problem import Pin, Problem, Quota
from routing.solver import Limits, solve
from tests.routing.days import days
from tests.routing.insertions import lawful_meetings
from tests.routing.worlds import HOUR, between, crew, street, task

FEW = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
BRIEF = Limits(iterations=20, threads=1, seed=7)
TWO = (crew("a"), crew("b", start=9, end=9))


def unplanned(day: Problem, *names: str) -> Plan:
    """The plan of the day in which nobody has thought of these."""
    plan = solve(replace(day, tasks=tuple(each for each in day.tasks if each.id not in names)), BRIEF)
    left = (*plan.unserved, *(Unserved(task=name, reason=Reason.NO_ROOM) for name in names))
    missed = mandatory_left(day, plan.routes)
    return replace(plan, cost=plan_price(day, plan.routes), mandatory_left=missed, unserved=left)


def remedied(day: Problem, plan: Plan, name: str) -> str:
    """The change that helps, which is also made and judged."""
    (one,) = (each for each in explain(day, plan) if each.task == name)
    assert one.remedy is not None
    after, better = applied(day, plan, name, one.remedy)
    assert faults(after, better) == []
    assert name in {stop.task for route in better.routes for stop in route.stops}
    assert better.cost == one.remedy.cost
    return one.remedy.change


@FEW
@given(days())
def test_a_pair_that_is_said_to_have_no_room_has_none_and_one_that_has_is_put_there(problem: Problem) -> None:
    plan = solve(problem, BRIEF)
    by_the_clock = len(problem.travel.matrices) > 1 or any(crew.max_work_s is not None for crew in problem.crews)
    for one in explain(problem, plan):
        asked = problem.task_by_id[one.task]
        if asked.crews == 1:
            continue
        if one.reason is Reason.NO_ROOM and not by_the_clock:
            assert lawful_meetings(problem, plan, asked) == []
        if one.reason is Reason.NOT_WORTH_ITS_COST:
            assert one.put_in is not None
            assert faults(problem, put(problem, plan, one.put_in)) == []


def test_an_urgent_visit_for_two_crews_is_offered_to_every_two_that_can_meet() -> None:
    crews = (*TWO, crew("closed", shift=(0, HOUR)), crew("c", start=4, end=4))
    day = street(task("pair", 4, crews=2, windows=(between(9 * HOUR, 10 * HOUR),)), crews=crews)
    found = options_for(day, unplanned(day, "pair"), "pair")
    assert [(each.crew, each.partner, each.begin_s, each.cost) for each in found] == [
        ("a", "c", 9 * HOUR, 4_800),
        ("b", "c", 9 * HOUR, 6_000),
        ("a", "b", 9 * HOUR, 10_800),
    ]
    after = put(day, unplanned(day, "pair"), found[0])
    assert faults(day, after) == []
    assert [(route.crew, route.stops[0].begin_s) for route in after.routes] == [("a", 9 * HOUR), ("c", 9 * HOUR)]


def test_the_begin_is_one_that_both_can_keep_with_what_they_have() -> None:
    """One of them is held until nine, the other has to be elsewhere at half past ten."""
    held = task("held", 1, windows=(between(8 * HOUR + 3_000, 9 * HOUR),))
    later = task("later", 9, windows=(between(10 * HOUR + 1_800, 10 * HOUR + 2_400),))
    day = street(held, later, task("pair", 4, crews=2), crews=TWO)
    best = options_for(day, unplanned(day, "pair"), "pair")[0]
    assert (best.crew, best.place, best.partner, best.partner_place) == ("a", 1, "b", 0)
    assert best.begin_s == 9 * HOUR + 1_800
    assert faults(day, put(day, unplanned(day, "pair"), best)) == []


def test_who_has_to_go_for_two_crews_to_meet_is_named_with_the_price() -> None:
    hour = (between(8 * HOUR, 9 * HOUR),)
    day = street(
        task("dear", 1, windows=hour, service_s=1_800, value_s=4_000),
        task("pair", 1, windows=hour, service_s=2_400, crews=2, value_s=500),
        crews=(crew("a"), crew("b", start=1, end=1, max_tasks=1)),
    )
    day = replace(day, tasks=(replace(day.tasks[0], pin=Pin(crew="b")), day.tasks[1]))
    plan = unplanned(day, "pair")
    (one,) = explain(day, plan)
    assert (one.reason, one.held_by) == (Reason.NO_ROOM, ("dear",))
    assert one.put_in is not None
    assert (one.put_in.displaces, one.put_in.cost - plan.cost) == (("dear",), 4_000 + 1_200 - 500)


def test_where_both_crews_are_full_one_visit_of_each_falls_out_for_a_pair() -> None:
    hour = (between(8 * HOUR, 9 * HOUR),)
    held = [task(name, 1, windows=hour, service_s=1_800, value_s=3_000, pin=Pin(crew=name)) for name in "ab"]
    day = street(*held, task("pair", 1, windows=hour, service_s=2_400, crews=2), crews=(crew("a"), crew("b")))
    plan = unplanned(day, "pair")
    (option,) = options_for(day, plan, "pair")
    assert (option.displaces, option.cost - plan.cost) == (("a", "b"), 6_000 - 10_000)
    assert faults(day, put(day, plan, option)) == []
    (one,) = explain(day, plan)
    assert (one.reason, one.held_by, one.put_in) == (Reason.NO_ROOM, ("a", "b"), option)


def test_a_visit_for_two_crews_makes_room_on_both_routes_for_one_that_is_worth_more() -> None:
    hour = (between(8 * HOUR, 9 * HOUR),)
    day = street(
        task("pair", 3, windows=hour, crews=2, service_s=1_500, value_s=30_000),
        task("urgent", 2, windows=hour, service_s=1_800, value_s=99_000),
        crews=(crew("a"), crew("b")),
    )
    plan = unplanned(day, "urgent")
    best = options_for(day, plan, "urgent")[0]
    assert (best.displaces, best.emptied) == (("pair",), ("b",))
    after = put(day, plan, best)
    assert faults(day, after) == []
    assert [route.crew for route in after.routes] == ["a"]


def test_a_pair_that_is_planned_is_shown_where_it_could_move_to() -> None:
    day = street(task("pair", 4, crews=2), crews=(*TWO, crew("c", start=4, end=4)))
    plan = solve(day, BRIEF)
    found = options_for(day, plan, "pair")
    assert [({each.crew, each.partner}, each.cost - plan.cost) for each in found] == [
        ({"a", "c"}, 0),
        ({"b", "c"}, 1_200),
        ({"a", "b"}, 6_000),
    ]
    assert [faults(day, put(day, plan, each)) for each in found] == [[], [], []]


def test_of_a_full_quota_whoever_makes_room_need_not_share_a_route_with_who_comes() -> None:
    east = {"quotas": frozenset({"east"})}
    near, far = task("near", 1, value_s=2_500, pin=Pin(crew="a"), **east), task("far", 8, crews=2, **east)
    crews = (crew("a", max_tasks=1), crew("b", start=9, end=9), crew("c", start=9, end=9))
    day = street(near, far, crews=crews, quotas=(Quota(id="east", most=1),))
    plan = unplanned(day, "far")
    (one,) = explain(day, plan)
    assert (one.reason, one.held_by) == (Reason.QUOTA_FULL, ("near",))
    assert one.put_in is not None
    assert (one.put_in.crew, one.put_in.partner, one.put_in.displaces) == ("b", "c", ("near",))
    assert remedied(day, plan, "far") == "put_in"


def test_a_remedy_for_a_pair_is_made_again_and_holds() -> None:
    nine = (between(9 * HOUR, 10 * HOUR),)

    def helps(pair: dict[str, object], *crews: object) -> str:
        day = street(task("pair", 4, crews=2, **pair), crews=crews or TWO)  # type: ignore[arg-type]
        return remedied(day, unplanned(day, "pair"), "pair")

    late = crew("b", shift=(11 * HOUR, 17 * HOUR))
    assert helps({"windows": nine}, crew("a"), late) == f"other_hours from_s={11 * HOUR} until_s={12 * HOUR}"
    assert helps({"requires": frozenset({"sings"})}, crew("a", offers=frozenset({"sings"})), crew("b")) == (
        "offer crew=b skills=sings"
    )
    assert helps({"visitors": 3}, *TWO) == "more_people crew=a people=2"
    assert helps({}, crew("a")) == "extra_crew crew=a%2B like=a"
    assert helps({}, crew("a"), crew("b", max_tasks=0)) == "higher_limit crew=b max_tasks=1"
    assert helps({"pin": Pin(crew="c")}, *TWO, crew("c", shift=(0, 0))) == "free_pin part=crew"
    assert helps({"value_s": 10}, *TWO) == "worth value_s=10801"
    short = crew("b", start=9, end=9, shift=(8 * HOUR, 9 * HOUR + 1_800))
    assert helps({}, crew("a"), short) == f"longer_shift crew=b from_s={8 * HOUR} until_s={10 * HOUR + 1_800}"
