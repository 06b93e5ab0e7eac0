"""VROOM through pyvroom: each exploration level that ends in time, and the best of them.

VROOM leaves visits out by priority first and looks at travel afterwards, so values become priorities.
"""

from datetime import timedelta
from importlib.metadata import version
from typing import Any

from routing.benchmark.judged import plan_of
from routing.benchmark.peers import Answer, Ask, Orders, package, refuse
from routing.plan import Plan
from routing.problem import Problem, Task

LEVELS = range(6)
PRIORITIES = 100
STOPPED = 0.95
"""A level that took this share of the time did not end by itself."""


def ask_vroom(ask: Ask) -> Answer:
    """The best plan of all levels that end within the time, each with the whole of it. The first that it stops is
    the last: those above it search longer still."""
    package("vroom")
    demand_modelled(ask.problem)
    found: list[tuple[Plan, float, int]] = []
    for level in LEVELS:
        plan, took = _explored(ask, level)
        if took > ask.seconds * 1.05 and found:
            break
        found.append((plan, took, level))
        if took > ask.seconds * STOPPED:
            break
    best, took, level = min(found, key=lambda each: each[0].rank)
    trace = tuple((spent, plan.cost) for plan, spent, _ in found)
    return Answer(
        orders={route.crew: tuple(stop.task for stop in route.stops) for route in best.routes},
        seconds=took,
        version=version("pyvroom"),
        trace=trace,
        note=f"level {level} of {len(found)} tried",
    )


def demand_modelled(problem: Problem) -> None:
    """`Unsupported` for what VROOM has no notion of."""
    prices, tasks, crews = problem.prices, problem.tasks, problem.crews
    refuse(
        "VROOM",
        [
            ("travel by hour band", len(problem.travel.matrices) > 1),
            ("two crews at one door", any(task.crews == 2 for task in tasks)),
            ("groups", any(task.group for task in tasks)),
            ("a limit of work", any(crew.max_work_s is not None for crew in crews)),
            ("overtime", any(crew.overtime for crew in crews)),
            ("prices on waiting, change or balance", prices.wait + prices.change + prices.balance > 0),
            ("places without a way", any(cell is None for row in problem.travel.matrices[0] for cell in row)),
        ],
    )


def _explored(ask: Ask, level: int) -> tuple[Plan, float]:
    vroom = package("vroom")
    asked = _input(vroom, ask.problem)
    began = ask.clock()
    solution = asked.solve(exploration_level=level, nb_threads=ask.threads, timeout=timedelta(seconds=ask.at_most_s))
    return plan_of(ask.problem, _orders(ask.problem, solution)), ask.clock() - began


def _orders(problem: Problem, solution: Any) -> Orders:
    orders: dict[str, list[str]] = {}
    frame = solution.routes
    jobs = frame[frame["type"] == "job"]
    for vehicle, job in zip(jobs["vehicle_id"], jobs["id"], strict=True):
        orders.setdefault(problem.crews[int(vehicle)].id, []).append(problem.tasks[int(job)].id)
    return {crew: tuple(stops) for crew, stops in orders.items()}


def _input(vroom: Any, problem: Problem) -> Any:
    asked = vroom.Input()
    asked.set_durations_matrix("car", [list(row) for row in problem.travel.matrices[0]])
    skills = {name: number for number, name in enumerate(sorted({s for t in problem.tasks for s in _skills(t)}))}
    dearest = max((task.value_s for task in problem.tasks), default=0)
    for number, task in enumerate(problem.tasks):
        if task.begins:
            asked.add_job(_job(vroom, problem, number, skills, dearest=dearest))
    for number in range(len(problem.crews)):
        asked.add_vehicle(_vehicle(vroom, problem, number, skills))
    return asked


def _skills(task: Task) -> frozenset[str]:
    """What the task asks of a crew, size and pin told as skills too."""
    size = {f"size-{task.visitors}"} if task.visitors > 1 else set()
    pin = {f"crew-{task.pin.crew}"} if task.pin and task.pin.crew else set()
    return task.requires | size | pin


def _job(vroom: Any, problem: Problem, number: int, skills: dict[str, int], *, dearest: int) -> Any:
    task = problem.tasks[number]
    urgency = PRIORITIES if task.mandatory else round((PRIORITIES - 1) * task.value_s / max(1, dearest))
    return vroom.Job(
        number,
        location=task.location,
        default_service=task.service_s,
        delivery=vroom.Amount(_loads(problem, task)),
        skills={skills[name] for name in _skills(task)},
        priority=urgency,
        time_windows=[vroom.TimeWindow(max(0, opens), last) for opens, last in task.begins] if task.windows else (),
    )


def _loads(problem: Problem, task: Task) -> list[int]:
    kinds = max((len(each.load) for each in problem.tasks), default=0)
    return [*task.load, *[0] * (kinds - len(task.load))]


def _vehicle(vroom: Any, problem: Problem, number: int, skills: dict[str, int]) -> Any:
    crew = problem.crews[number]
    kinds = max((len(each.load) for each in problem.tasks), default=0)
    room = [10**9 if crew.capacity is None else (*crew.capacity, *[0] * kinds)[kind] for kind in range(kinds)]
    own = crew.offers | {f"size-{size}" for size in range(2, crew.size + 1)} | {f"crew-{crew.id}"}
    rest = crew.break_
    breaks = []
    if rest is not None:
        window = vroom.TimeWindow(rest.window.opens_s, rest.window.closes_s - 1)
        breaks.append(vroom.Break(number, time_windows=[window], service=rest.duration_s))
    limits: dict[str, int] = {}
    if crew.max_tasks is not None:
        limits["max_tasks"] = crew.max_tasks
    if crew.max_travel_s is not None:
        limits["max_travel_time"] = crew.max_travel_s
    return vroom.Vehicle(
        number,
        start=crew.start,
        end=crew.end,
        capacity=room,
        skills={skills[name] for name in own if name in skills},
        time_window=vroom.TimeWindow(*crew.shift),
        breaks=breaks,
        costs=vroom.VehicleCosts(fixed=problem.prices.crew_used),
        **limits,
    )
