"""The short-lived process that looks up travel times and solves one day: ``python -m fieldvisit.planning.child``.

It reads one line of JSON, a `Work`, from standard input, writes lines of progress to standard error and one line, the
`Answer`, to standard output. It knows no database. It ends with its parent: the end of standard input is the sign.
"""

import json
import os
import resource
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fieldvisit.planning.failures import PlanFailure
from fieldvisit.planning.work import Answer, Work

if TYPE_CHECKING:
    from fieldvisit.planning.ways import Lines, Ways
    from routing.limits import Limits
    from routing.plan import Plan
    from routing.problem import Problem
    from routing.solver import Progress
    from routing.travel import Point

MEBIBYTE = 1 << 20


def main() -> None:
    """Answer one `Work`."""
    work = Work(**json.loads(sys.stdin.buffer.readline()))
    threading.Thread(target=end_with_parent, daemon=True).start()
    # Address space, not resident size, is what this limits; the loaded libraries alone reserve a fair part of it.
    resource.setrlimit(resource.RLIMIT_AS, (work.memory_mb * MEBIBYTE, work.memory_mb * MEBIBYTE))
    try:
        answer = solve_day(work)
    except MemoryError:
        answer = Answer(failure=PlanFailure.OUT_OF_MEMORY, says=f"more than {work.memory_mb} MB")
    print(json.dumps(asdict(answer)), flush=True)


def solve_day(work: Work) -> Answer:
    """Look up travel times, solve, and trace the ways. A known failure is an answer; the unknown ends the process."""
    # Imported here, so that the memory they take counts under the limit.
    from routing.errors import FaultyPlan, InvalidProblem, MapMissing, RoadsUnavailable
    from routing.format import plan_to_document, problem_to_document
    from routing.limits import Limits
    from routing.travel import Point

    if work.budget is not None:
        return _repaired(work)
    points = [Point(lat=lat, lon=lon) for lat, lon in work.points]
    ways = _ways(work)
    try:
        table, lines = ways.table(points)
        problem = replace(_untravelled(work), travel=ways.travel(table))
        limits = Limits(seconds=work.seconds, iterations=work.iterations, threads=work.threads, seed=work.seed)
        plan, put_in = _explained(problem, _solved(problem, work, limits), work)
        paths = _paths(problem, plan, points, lines)
    except MapMissing as error:
        return Answer(failure=PlanFailure.MAP_UNUSABLE, says=str(error))
    except RoadsUnavailable as error:
        return Answer(failure=PlanFailure.ROADS_UNAVAILABLE, says=str(error))
    except InvalidProblem as error:
        return Answer(failure=PlanFailure.PROBLEM_REFUSED, says=str(error))
    except FaultyPlan as error:
        return Answer(failure=PlanFailure.PLAN_FAULTY, says=str(error))
    aside = {task.id: table.set_aside[task.location] for task in problem.tasks if task.location in table.set_aside}
    return Answer(
        problem=problem_to_document(problem),
        plan=plan_to_document(plan),
        travel_source=table.source,
        paths=paths,
        set_aside={task: reason.value for task, reason in aside.items()},
        put_in=put_in,
    )


def _solved(problem: "Problem", work: Work, limits: "Limits") -> "Plan":
    from routing.solver import solve

    return solve(problem, limits, start=work.orders, on_progress=_tell)


def _repaired(work: Work) -> Answer:
    """The rest of a running day, planned anew within the budget. Whoever writes it prices and explains it."""
    from routing.errors import FaultyPlan, InvalidProblem
    from routing.format import plan_to_document, problem_from_document, problem_to_document
    from routing.replan import Budget, replan
    from routing.solver import Limits, solve

    budget = work.budget or {}
    try:
        limits = Limits(seconds=work.seconds, iterations=work.iterations, threads=work.threads, seed=work.seed)
        problem = problem_from_document(work.document)
        found = replan(problem, Budget(**budget), limits, partial(solve, on_progress=_tell))
    except InvalidProblem as error:
        return Answer(failure=PlanFailure.PROBLEM_REFUSED, says=str(error))
    except FaultyPlan as error:
        return Answer(failure=PlanFailure.PLAN_FAULTY, says=str(error))
    return Answer(
        problem=problem_to_document(found.problem), plan=plan_to_document(found.plan), travel_source="", paths={}
    )


def _explained(problem: "Problem", plan: "Plan", work: Work) -> "tuple[Plan, dict[str, dict[str, Any]]]":
    """The plan with reasons and remedies, and what it would cost to put in each task left out."""
    from routing.explain import explain, unserved_of
    from routing.problem import Window
    from routing.remedies import Wishes

    hours = {
        task: tuple(Window(opens_s=opens, closes_s=closes) for opens, closes in spans if opens < closes)
        for task, spans in work.askable.items()
    }
    wishes = Wishes(hours=hours, skills=frozenset(work.lendable))
    told = explain(problem, plan, wishes)
    put_in = {
        one.task: {"cost": one.put_in.cost, "displaces": list(one.put_in.displaces)}
        for one in told
        if one.put_in is not None
    }
    return replace(plan, unserved=tuple(unserved_of(one) for one in told)), put_in


def _ways(work: Work) -> "Ways":
    from fieldvisit.planning.ways import Ways

    return Ways(
        server=work.road_server,
        map_file=Path(work.map_file) if work.map_file else None,
        folder=Path(work.graph_folder),
        hours=tuple((begin, end, factor) for begin, end, factor in work.busy_hours),
    )


def _untravelled(work: Work) -> "Problem":
    """The problem with no way from anywhere: the matrix of a thousand places need not go through a document."""
    from routing.format import problem_from_document

    nowhere = [[0 if i == j else None for j in range(len(work.points))] for i in range(len(work.points))]
    return problem_from_document({**work.document, "travel": {"seconds": nowhere}})


def _paths(problem: "Problem", plan: "Plan", points: "Sequence[Point]", lines: "Lines") -> dict[str, list[list[float]]]:
    """Crew → its way."""
    paths = {}
    for route in plan.routes:
        crew = problem.crew_by_id[route.crew]
        stops = [problem.task_by_id[stop.task].location for stop in route.stops]
        places = (crew.start, *stops, *([] if crew.end is None else [crew.end]))
        paths[route.crew] = lines.path([points[index] for index in places])
    return paths


def _tell(progress: "Progress") -> None:
    print(json.dumps({"progress": asdict(progress)}), file=sys.stderr, flush=True)


def end_with_parent() -> None:
    """End this process, and what it has started, when the standard input ends."""
    # Not through `sys.stdin`: its lock, held for ever by this thread, would break the interpreter's own ending.
    while os.read(0, 4096):
        pass
    if os.getpgid(0) == os.getpid():
        # The programs that build a road graph are our children: they end too.
        os.killpg(0, signal.SIGKILL)
    os._exit(3)


if __name__ == "__main__":
    main()
