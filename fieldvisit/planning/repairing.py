"""A running day planned anew by a worker: what has begun stays, crews are where they are, and few visits change hands.

The search works on the rest of the published day, with its travel times. What it finds is an order of stops for each
crew; by the time it is found the day has moved on by some seconds, so the orders are timed again, judged again, and a
crew whose order did not change keeps its times to the second.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from fieldvisit.errors import FieldVisitError, InvalidValue, Kind
from fieldvisit.models import Area, DayPlan, Organisation
from fieldvisit.planning.day import Day
from fieldvisit.planning.drafting import Found
from fieldvisit.planning.effects import Effect, effects_of
from fieldvisit.planning.holding import hand_over
from fieldvisit.planning.joining import joined_by
from fieldvisit.planning.judging import demand_faultless
from fieldvisit.planning.latest import DayMovedOn, PlanOutdated, demand_current, demand_no_work_lost, latest_of
from fieldvisit.planning.plans import Claimed, DayIsOver, get_plan, lock_plan, take_turn, today_of
from fieldvisit.planning.problem import CHANGE_PRICE_S, Draft
from fieldvisit.planning.rest import Rest, Standing, held_to, rest_of, standing_of
from fieldvisit.planning.rewriting import Rewritten, write_plan
from fieldvisit.planning.stops import judge_stops, leave_out
from fieldvisit.visits import lock_visits, move
from fieldvisit.vocabulary import CheckMoment, DayPlanState, VisitState
from routing import plan as answers
from routing.checking import faults
from routing.checking.routes import judged_route
from routing.edits import as_plan
from routing.format import problem_to_document
from routing.plan import Plan
from routing.pricing import route_price
from routing.problem import Pin, Problem, Task
from routing.timetable import forced

type Begins = dict[str, int]
"""Visit → the second at which two crews meet for it."""


class PlanNotPublished(FieldVisitError):
    code, kind = "plan_not_published", Kind.CONFLICT
    says = "This day plan is {state}; only a published day is repaired. Plan it afresh, or change it by hand."


@dataclass(frozen=True, kw_only=True)
class RepairRequest:
    """How to plan the rest of a published day anew.

    `change_price_s`: what a visit costs that changes hands or falls out, in seconds of travel; a crew that keeps its
    visits gets another order only where that saves as much. `most_changed`: how many may change; None: as many as pay.
    `add`: visits that joined since and are to be tried too. `without`: crews that do nothing more than what they have
    begun.
    """

    seconds: int
    iterations: int | None = None
    seed: int = 1
    change_price_s: int = CHANGE_PRICE_S
    most_changed: int | None = None
    add: tuple[uuid.UUID, ...] = ()
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.seconds <= 3_600:
            raise InvalidValue(path="seconds", reason="must be from 1 to 3600")

    @property
    def asked(self) -> dict[str, Any]:
        add = [str(visit_id) for visit_id in self.add]
        asked: dict[str, Any] = {"price": self.change_price_s, "most": self.most_changed, "add": add}
        return asked | ({"without": [*self.without]} if self.without else {})


def request_repair(
    session: Session, plan_id: uuid.UUID, request: RepairRequest, *, by: uuid.UUID | None, now: dt.datetime
) -> DayPlan:
    """Ask for the rest of a published day anew; the caller enqueues the job in the same transaction.

    Raises NotFound, PlanOutdated, PlanNotPublished, DayIsOver, NotToBePlanned.
    """
    base = get_plan(session, plan_id)
    demand_current(session, base)
    if base.state is not DayPlanState.PUBLISHED:
        raise PlanNotPublished(state=base.state)
    if base.planned_on < today_of(session, base.org_id, now):
        raise DayIsOver(planned_on=base.planned_on)
    # Who cannot join is told at once, not by a plan that fails.
    _with_joining(session, standing_of(session, base, now), request.asked, now)
    plan = DayPlan(
        org_id=base.org_id,
        area_id=base.area_id,
        planned_on=base.planned_on,
        state=DayPlanState.REQUESTED,
        seconds=request.seconds,
        iterations=request.iterations,
        seed=request.seed,
        asked=request.asked,
        based_on_id=base.id,
        repairs_id=base.id,
        requested_by_id=by,
    )
    session.add(plan)
    session.flush()
    return plan


def read_rest(session: Session, plan: DayPlan, now: dt.datetime) -> tuple[Day, Draft]:
    """What a worker is to search: the rest of the day, its travel times included. Raises PlanOutdated."""
    standing = _repaired(session, plan, now)
    rest = rest_of(standing, standing.problem.crew_by_id)
    area = session.get_one(Area, plan.area_id)
    zone = ZoneInfo(session.get_one(Organisation, plan.org_id).zone)
    day = Day(
        area=area, on=plan.planned_on, zone=zone, visits=(), left_out=(), crews=(), stayed_home=(), papers=frozenset()
    )
    return day, Draft(document=problem_to_document(_without(rest.problem, plan.relieves)), points=())


def accept_repair(session: Session, claimed: Claimed, found: Found, *, now: dt.datetime) -> bool:
    """Write the found orders as the day's draft; False where nobody waits for it any more.

    Raises DayMovedOn where they no longer hold, or where a person's draft would be lost, and PlanFaulty where the judge
    objects to what was found.
    """
    _, plan_found = demand_faultless(found.problem, found.plan)
    take_turn(session)
    row = lock_plan(session, claimed.plan_id)
    if row.state is not DayPlanState.SOLVING or row.claimed_at != claimed.claimed_at:
        return False
    demand_no_work_lost(session, row)
    try:
        standing = _repaired(session, row, now)
    except PlanOutdated as error:
        raise DayMovedOn(str(error)) from error
    orders, begins = _orders(standing, plan_found), meetings_of(standing.problem, plan_found)
    changed = _changed(standing, orders, begins, row.asked["price"])
    rest, plan, changed = _timed_together(standing, orders, begins, changed)
    wrong = faults(rest.problem, plan)
    if wrong:
        raise DayMovedOn("; ".join(str(fault) for fault in wrong[:3]))
    row.state, row.finished_at = DayPlanState.DRAFT, now
    rewritten = Rewritten(standing=standing, problem=rest.problem, plan=plan, crews=changed)
    write_plan(session, row, rewritten)
    session.flush()
    hand_over(session, standing.row, get_plan(session, row.id), now)
    send_back(session, row, changed, standing, now=now)
    effects = effects_of(session, standing.row, get_plan(session, row.id))
    moved = [one for one in effects.visits if one.effect in (Effect.MOVED, Effect.LEFT_OUT)]
    row.progress = {**row.progress, "changed": len(moved)}
    session.flush()
    return True


def _repaired(session: Session, plan: DayPlan, now: dt.datetime) -> Standing:
    if plan.repairs_id is None:
        raise PlanOutdated(latest=latest_of(session, plan))
    base = get_plan(session, plan.repairs_id)
    if base.state is not DayPlanState.PUBLISHED:
        raise PlanOutdated(latest=latest_of(session, plan))
    return _with_joining(session, standing_of(session, base, now), plan.asked, now)


def _without(problem: Problem, crews: Collection[str]) -> Problem:
    """The rest of the day for the others; what those had ahead is free to go to anybody."""
    if not crews:
        return problem
    tasks = []
    for task in problem.tasks:
        pin, shown = task.pin, task.published_crew
        if pin is not None and pin.crew in crews:
            pin = None if pin.begin is None else Pin(begin=pin.begin)
        tasks.append(replace(task, pin=pin, published_crew=None if shown in crews else shown))
    return replace(problem, tasks=tuple(tasks), crews=tuple(crew for crew in problem.crews if crew.id not in crews))


def _with_joining(session: Session, standing: Standing, asked: dict[str, Any], now: dt.datetime) -> Standing:
    for visit_id in asked["add"]:
        standing = joined_by(session, standing, uuid.UUID(visit_id), now)
    return standing


def meetings_of(problem: Problem, plan: Plan) -> Begins:
    """The visits that two crews make, and when they meet there."""
    stops = (stop for route in plan.routes for stop in route.stops)
    return {stop.task: stop.begin_s for stop in stops if problem.task_by_id[stop.task].crews == 2}


def met(problem: Problem, order: Collection[str], begins: Begins) -> list[Task]:
    """The visits in this order, each that two crews make held to its second."""
    tasks = (problem.task_by_id[name] for name in order)
    return [task if task.id not in begins else held_to(task, begins[task.id]) for task in tasks]


def _shown(standing: Standing, crew: str) -> list[str]:
    """The open stops of a crew as the phones show them."""
    route = standing.routes.get(crew)
    return [] if route is None else [str(stop.visit_id) for stop in route.stops if standing.is_open(stop)]


def _orders(standing: Standing, found: Plan) -> dict[str, list[str]]:
    """Crew → the stops that the search gave it, but for those it has begun meanwhile."""
    orders: dict[str, list[str]] = {crew.id: [] for crew in standing.problem.crews}
    for route in found.routes:
        begun = {str(stop.visit_id) for stop in standing.frozen(route.crew)}
        orders[route.crew] = [stop.task for stop in route.stops if stop.task not in begun]
    known = set(standing.problem.task_by_id) - {
        str(s.visit_id) for code in standing.routes for s in standing.frozen(code)
    }
    if any(name not in known for order in orders.values() for name in order):
        raise DayMovedOn("a visit that was moved has begun")
    return orders


def _changed(standing: Standing, orders: dict[str, list[str]], begins: Begins, price_s: int) -> set[str]:
    """The crews whose order is another one: they get or lose a visit, or it spares enough to be worth the news; and
    those that meet another one at another second."""
    shown = {crew: _shown(standing, crew) for crew in orders}
    differ = {crew for crew, order in orders.items() if order != shown[crew]}
    rest = rest_of(standing, differ)
    same = {crew for crew in differ if sorted(orders[crew]) == sorted(shown[crew])}
    kept = {crew for crew in same if not _spares(rest, crew, shown[crew], orders[crew], begins=begins, price_s=price_s)}
    met = _shown_begins(standing)
    moved = {name for name, begin_s in begins.items() if met.get(name) != begin_s}
    return (differ - kept) | {crew for crew, order in orders.items() if moved & set(order)}


def _shown_begins(standing: Standing) -> Begins:
    stops = (stop for route in standing.routes.values() for stop in route.stops)
    return {str(stop.visit_id): standing.second(stop.begin_at) for stop in stops if stop.with_crew is not None}


def _spares(rest: Rest, crew: str, shown: list[str], order: list[str], *, begins: Begins, price_s: int) -> bool:
    """Whether the second order costs so much less than the first, or the first can no longer be kept."""
    problem = rest.problem
    before, after = (forced(problem, problem.crew_by_id[crew], met(problem, each, begins)) for each in (shown, order))
    broken = bool(judged_route(problem, before, "")[1])
    return broken or route_price(problem, before) - route_price(problem, after) >= max(1, price_s)


def _timed_together(
    standing: Standing, orders: dict[str, list[str]], begins: Begins, changed: set[str]
) -> tuple[Rest, Plan, set[str]]:
    """The rest of the day with these orders for the changed crews, and whom they draw in: where one of two that meet
    cannot be there in time any more, both meet as soon as they can."""
    rest = rest_of(standing, changed)
    plan = _timed(rest, {crew: orders[crew] for crew in changed}, begins)
    for _ in orders:
        late = {name: max(at) for name, at in _begins_in(plan, begins).items() if max(at) > begins[name]}
        if not late:
            break
        begins = begins | late
        changed = changed | {crew for crew, order in orders.items() if set(late) & set(order)}
        rest = rest_of(standing, changed)
        plan = _timed(rest, {crew: orders[crew] for crew in changed}, begins)
    return rest, plan, changed


def _begins_in(plan: Plan, names: Collection[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for route in plan.routes:
        for stop in route.stops:
            if stop.task in names:
                found[stop.task].append(stop.begin_s)
    return found


def _timed(rest: Rest, orders: dict[str, list[str]], begins: Begins) -> Plan:
    """The rest of the day with these orders for these crews, and everything else as it stands."""
    problem = rest.problem
    routes: list[answers.Route] = []
    standing = {route.crew: route for route in rest.plan.routes}
    for crew in problem.crews:
        if crew.id not in orders:
            routes += [standing[crew.id]] if crew.id in standing else []
        elif orders[crew.id]:
            routes.append(forced(problem, crew, met(problem, orders[crew.id], begins)))
    return as_plan(problem, tuple(routes), rest.plan)


def send_back(session: Session, row: DayPlan, crews: set[str], standing: Standing, *, now: dt.datetime) -> None:
    """Judge the stops that changed, and leave out those that the policy refuses, as any draft does."""
    routes = [route for route in get_plan(session, row.id).routes if route.crew_code in crews]
    frozen = {stop.visit_id for code in crews for stop in standing.frozen(code)}
    visits = lock_visits(session, (stop.visit_id for route in routes for stop in route.stops))
    for judged in judge_stops(session, routes, visits, moment=CheckMoment.PLANNING, now=now, but=frozen):
        if not judged.allowed:
            leave_out(session, row, judged)
            if judged.visit.state is VisitState.PLANNED and judged.visit.plan_id == row.id:
                move(session, judged.visit, VisitState.ELIGIBLE, now=now, code="not_permitted", plan_id=str(row.id))
