"""What is left of a planned day: what is done and under way stays as it is, crews are where they are, the rest is open.

Only crews that are asked for are cut off at the present moment. The others keep their routes to the second, as they are
on the phones: whoever changes one crew's afternoon does not touch the others.
"""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from sqlalchemy.orm import Session

from fieldvisit.models import DayPlan, Route, Stop, Visit
from fieldvisit.planning.announced import announced_hours
from fieldvisit.planning.plans import BEGAN, get_plan, published_plan, today_of
from fieldvisit.planning.problem import CHANGE_PRICE_S, seconds_from
from fieldvisit.planning.quotas import BEGUN as COUNTED
from fieldvisit.planning.quotas import within_limits
from fieldvisit.vocabulary import VisitState
from routing import plan as answers
from routing.checking.drives import legs_of, timely_drives
from routing.edits import as_plan
from routing.format import plan_from_document, problem_from_document
from routing.problem import Crew, Pin, Problem, Quota, Task
from routing.timetable import forced


@dataclass(frozen=True)
class Standing:
    """A stored plan with the published one that it would replace, and the present second of its day."""

    row: DayPlan
    published: DayPlan | None
    problem: Problem
    now_s: int | None
    """None on any other day than today: then nothing has begun, and nobody is anywhere yet."""
    open: frozenset[uuid.UUID] = frozenset()
    """The visits that wait in this plan, or in the published one that it repairs, when it was looked at."""
    announced: Mapping[uuid.UUID, tuple[int, int]] = field(default_factory=dict)
    estimated: tuple[str, ...] = ()
    """References of visits whose travel times are estimated: the plan was made before them."""
    joined: frozenset[str] = frozenset()
    """Visits that joined the plan after it was made."""

    @cached_property
    def left(self) -> tuple[answers.Unserved, ...]:
        return plan_from_document(self.row.plan or {}).unserved

    @cached_property
    def routes(self) -> dict[str, Route]:
        return {route.crew_code: route for route in self.row.routes}

    @cached_property
    def origin(self) -> dt.datetime:
        return dt.datetime.fromisoformat(str((self.row.problem or {})["origin"]))

    def second(self, at: dt.datetime) -> int:
        return seconds_from(self.origin, at)

    def frozen(self, crew: str) -> list[Stop]:
        """The stops of a crew that stay as they are: begun, done, or cancelled and still listed for the phone."""
        route = self.routes.get(crew)
        return [] if route is None else [stop for stop in route.stops if not self.is_open(stop)]

    @cached_property
    def references(self) -> dict[str, str]:
        """Visit id → what people call it."""
        left = {str(one.visit_id): one.visit.reference for one in self.row.unserved}
        return left | {str(stop.visit_id): stop.visit.reference for route in self.row.routes for stop in route.stops}

    @cached_property
    def published_crews(self) -> dict[str, str]:
        """Visit → the crew that the phones show for it, where it has not begun."""
        routes: Sequence[Route] = () if self.published is None else self.published.routes
        return {
            str(stop.visit_id): route.crew_code
            for route in routes
            for stop in route.stops
            if stop.visit.state is VisitState.PUBLISHED
        }

    def begun(self, crew: str) -> list[Stop]:
        return [stop for stop in self.frozen(crew) if stop.visit.state in BEGAN]

    def is_open(self, stop: Stop) -> bool:
        """Whether the visit may still be moved."""
        return stop.visit_id in self.open


@dataclass(frozen=True, kw_only=True)
class Rest:
    """The rest of the day as a problem, the plan of it as it stands, and the crews that were cut off at the moment."""

    standing: Standing
    problem: Problem
    plan: answers.Plan
    crews: frozenset[str]


def standing_of(session: Session, row: DayPlan, now: dt.datetime) -> Standing:
    """The plan, made and read with `get_plan`, as it stands now."""
    published = published_plan(session, row.area_id, row.planned_on)
    if published is not None and published.id != row.id:
        published = get_plan(session, published.id)
    problem = within_limits(session, row, problem_from_document(row.problem or {}))
    standing = Standing(row=row, published=published, problem=problem, now_s=None)
    now_s = standing.second(now) if row.planned_on == today_of(session, row.org_id, now) else None
    visits = [stop.visit for route in row.routes for stop in route.stops]
    ours = {row.id, None if published is None else published.id}
    waiting = (visit for visit in visits if visit.state in (VisitState.PLANNED, VisitState.PUBLISHED))
    still_open = frozenset(visit.id for visit in waiting if visit.plan_id in ours)
    # What waits beside the routes may be put in: its debtor was told of hours as well.
    beside = [left.visit for left in row.unserved if _waits(standing, left.visit)]
    hours = {
        visit_id: (standing.second(begins_at), standing.second(ends_at))
        for visit_id, (begins_at, ends_at) in announced_hours(session, [*visits, *beside]).items()
    }
    return replace(standing, now_s=now_s, announced=hours, open=still_open)


def rest_of(standing: Standing, crews: Collection[str]) -> Rest:
    """The rest of the day for these crews."""
    known = frozenset(crews) & set(standing.problem.crew_by_id)
    gone = _gone(standing, known)
    tasks = tuple(_task(standing, task) for task in standing.problem.tasks if task.id not in gone)
    cut = tuple(_cut(standing, crew) if crew.id in known else crew for crew in standing.problem.crews)
    prices = replace(standing.problem.prices, change=CHANGE_PRICE_S)
    problem = replace(standing.problem, tasks=tasks, crews=cut, prices=prices, quotas=_quotas(standing, gone))
    routes = tuple(route for crew in problem.crews if (route := _route(standing, problem, crew, known)) is not None)
    served = {stop.task for route in routes for stop in route.stops}
    left = [one for one in standing.left if one.task in problem.task_by_id and one.task not in served]
    before = answers.Plan(cost=0, mandatory_left=0, unserved=tuple(left))
    return Rest(standing=standing, problem=problem, plan=as_plan(problem, routes, before), crews=known)


def _gone(standing: Standing, crews: Collection[str]) -> set[str]:
    """The tasks that are no longer there to be planned: of these crews whatever has begun, of all whatever is over."""
    gone = set()
    for code, route in standing.routes.items():
        for stop in route.stops:
            over = not standing.is_open(stop) and stop.visit.state not in BEGAN
            if over or (code in crews and not standing.is_open(stop)):
                gone.add(str(stop.visit_id))
    known = {str(stop.visit_id) for route in standing.routes.values() for stop in route.stops} | standing.joined
    known |= {str(left.visit_id) for left in standing.row.unserved if _waits(standing, left.visit)}
    return gone | {task.id for task in standing.problem.tasks if task.id not in known}


def _quotas(standing: Standing, gone: Collection[str]) -> tuple[Quota, ...]:
    """How many visits there may still be: those that are made or under way count."""
    made = {
        str(stop.visit_id)
        for route in standing.routes.values()
        for stop in route.stops
        if stop.visit.state in COUNTED and str(stop.visit_id) in gone
    }
    counts = Counter(name for task in standing.problem.tasks if task.id in made for name in task.quotas)
    return tuple(replace(quota, most=max(0, quota.most - counts[quota.id])) for quota in standing.problem.quotas)


def _waits(standing: Standing, visit: Visit) -> bool:
    """Whether a visit that is left out may still be put in: it waits, or the phones show it where it may be moved."""
    shown = standing.published is not None and visit.plan_id == standing.published.id
    return visit.state is VisitState.ELIGIBLE or (shown and visit.state is VisitState.PUBLISHED)


def _task(standing: Standing, task: Task) -> Task:
    """The task with the crew that the phones show for it, and inside the hours that its debtor was told."""
    published = standing.published_crews.get(task.id)
    told = standing.announced.get(uuid.UUID(task.id))
    pin = task.pin
    if told is not None:
        begins = (told[0], max(told[0], told[1] - task.service_s))
        pin = Pin(crew=None if pin is None else pin.crew, begin=begins)
    crew = published if published is not None and published in standing.problem.crew_by_id else None
    return replace(task, published_crew=crew, pin=pin)


def _cut(standing: Standing, crew: Crew) -> Crew:
    """The crew from now on: where it is, once it is free, and without the break it has had."""
    begun = standing.begun(crew.id)
    if standing.now_s is None and not begun:
        return crew
    now_s = standing.now_s or crew.shift[0]
    begins, start, rest = max(crew.shift[0], now_s), crew.start, crew.break_
    route = standing.routes.get(crew.id)
    if begun:
        last = begun[-1]
        start = standing.problem.task_by_id[str(last.visit_id)].location if _known(standing, last) else crew.start
        begins = max(begins, _free_s(standing, last))
    if rest is not None and route is not None and route.break_at is not None and route.break_s is not None:
        over_s = standing.second(route.break_at) + route.break_s
        if standing.second(route.break_at) <= now_s:
            # It is being taken, or was: nobody rests twice.
            begins, rest = max(begins, over_s) if over_s > now_s else begins, None
    ends = max(crew.shift[1], begins)
    overtime = None if crew.overtime is None or crew.overtime.until_s < ends else crew.overtime
    most = None if crew.max_tasks is None else max(0, crew.max_tasks - len(begun))
    worked = crew.work_before_s
    if begun and route is not None:
        # What it has worked today counts as if it were carried in.
        worked += max(0, begins - max(crew.shift[0], standing.second(route.depart_at)))
    known = [standing.problem.task_by_id[str(stop.visit_id)] for stop in begun if _known(standing, stop)]
    crew = replace(crew, start=start, shift=(begins, ends), break_=rest, overtime=overtime)
    crew = replace(
        crew,
        risk_before=crew.risk_before + sum(task.risk for task in known),
        earning_before=crew.earning_before + sum(task.earning for task in known),
    )
    return replace(crew, max_tasks=most, work_before_s=worked)


def _known(standing: Standing, stop: Stop) -> bool:
    return str(stop.visit_id) in standing.problem.task_by_id


def _free_s(standing: Standing, stop: Stop) -> int:
    """When the crew will have ended the visit it is at, or is on its way to."""
    visit, now_s = stop.visit, standing.now_s or 0
    if visit.ended_at is not None or visit.state in (VisitState.REPORTED, VisitState.CLOSED):
        return now_s
    if visit.arrived_at is not None:
        return max(now_s, standing.second(visit.arrived_at) + visit.service_s)
    return max(now_s, standing.second(stop.begin_at)) + visit.service_s


def _route(standing: Standing, problem: Problem, crew: Crew, cut: Collection[str]) -> answers.Route | None:
    """The crew's open stops: timed anew from now on, or exactly as the phones show them."""
    row = standing.routes.get(crew.id)
    stops = [] if row is None else [stop for stop in row.stops if str(stop.visit_id) in problem.task_by_id]
    if row is None or not stops:
        return None
    if crew.id in cut:
        return forced(problem, crew, [_met(standing, problem, stop) for stop in stops])
    return as_shown(standing, problem, crew, row, names=[str(stop.visit_id) for stop in stops])


def _met(standing: Standing, problem: Problem, stop: Stop) -> Task:
    """The visit; where two crews meet for it, at the second at which they do."""
    task = problem.task_by_id[str(stop.visit_id)]
    return task if task.crews == 1 else held_to(task, standing.second(stop.begin_at))


def held_to(task: Task, begin_s: int) -> Task:
    """The task at this second and no other: routes of two crews that meet are timed apart."""
    return replace(task, pin=Pin(crew=None if task.pin is None else task.pin.crew, begin=(begin_s, begin_s)))


def as_shown(standing: Standing, problem: Problem, crew: Crew, row: Route, *, names: Collection[str]) -> answers.Route:
    """These stops of a stored route at their stored times; from where the crew is, if it had set out by then."""
    told = tuple(
        answers.Stop(
            task=str(stop.visit_id),
            arrive_s=standing.second(stop.arrive_at),
            begin_s=standing.second(stop.begin_at),
            end_s=standing.second(stop.end_at),
        )
        for stop in row.stops
        if str(stop.visit_id) in names
    )
    break_s = None if row.break_at is None or crew.break_ is None else standing.second(row.break_at)
    route = answers.Route(
        crew=crew.id,
        depart_s=max(crew.shift[0], standing.second(row.depart_at)),
        return_s=standing.second(row.return_at),
        travel_s=0,
        wait_s=0,
        stops=told,
        break_begin_s=break_s,
    )
    travel = sum(next(iter(timely_drives(problem.travel, leg)), 0) for leg in legs_of(problem, crew, route, ""))
    busy = travel + sum(problem.task_by_id[stop.task].service_s for stop in told)
    busy += 0 if break_s is None else row.break_s or 0
    return replace(route, travel_s=travel, wait_s=route.return_s - route.depart_s - busy)
