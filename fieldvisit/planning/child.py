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
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from fieldvisit.planning.failures import PlanFailure
from fieldvisit.planning.work import Answer, Work

if TYPE_CHECKING:
    from routing.plan import Plan
    from routing.problem import Problem
    from routing.solver import Progress
    from routing.travel import OsrmRoads, Point, TravelTable

MEBIBYTE = 1 << 20


def main() -> None:
    """Answer one `Work`."""
    work = Work(**json.loads(sys.stdin.buffer.readline()))
    threading.Thread(target=_end_with_parent, daemon=True).start()
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
    from routing.format import plan_to_document, problem_from_document, problem_to_document
    from routing.solver import Limits, solve
    from routing.travel import Point

    points = [Point(lat=lat, lon=lon) for lat, lon in work.points]
    try:
        roads = _roads(work)
        table = _table(points, roads)
        travel = {"seconds": _rows(table.seconds), "metres": _rows(table.metres)}
        problem = problem_from_document({**work.document, "travel": travel})
        limits = Limits(seconds=work.seconds, iterations=work.iterations, threads=work.threads, seed=work.seed)
        plan = solve(problem, limits, on_progress=_tell)
        paths = _paths(problem, plan, points, roads)
    except MapMissing as error:
        return Answer(failure=PlanFailure.MAP_UNUSABLE, says=str(error))
    except RoadsUnavailable as error:
        return Answer(failure=PlanFailure.ROADS_UNAVAILABLE, says=str(error))
    except InvalidProblem as error:
        return Answer(failure=PlanFailure.PROBLEM_REFUSED, says=str(error))
    except FaultyPlan as error:
        return Answer(failure=PlanFailure.PLAN_FAULTY, says=str(error))
    return Answer(
        problem=problem_to_document(problem), plan=plan_to_document(plan), travel_source=table.source, paths=paths
    )


def _roads(work: Work) -> "OsrmRoads | None":
    from routing.travel import OsrmRoads

    return OsrmRoads.build(Path(work.map_file), Path(work.graph_folder)) if work.map_file else None


def _table(points: "Sequence[Point]", roads: "OsrmRoads | None") -> "TravelTable":
    from routing.travel import geodesic

    return roads.table(points) if roads else geodesic(points)


def _paths(
    problem: "Problem", plan: "Plan", points: "Sequence[Point]", roads: "OsrmRoads | None"
) -> dict[str, list[list[float]]]:
    """Crew → its way: along the roads, or straight from point to point."""
    paths = {}
    for route in plan.routes:
        crew = problem.crew_by_id[route.crew]
        stops = [problem.task_by_id[stop.task].location for stop in route.stops]
        way = [points[index] for index in (crew.start, *stops, *([] if crew.end is None else [crew.end]))]
        line = roads.path(way) if roads else [(point.lon, point.lat) for point in way]
        paths[route.crew] = [[lon, lat] for lon, lat in line]
    return paths


def _rows(matrix: Sequence[Sequence[int | None]] | None) -> list[list[int | None]] | None:
    return None if matrix is None else [list(row) for row in matrix]


def _tell(progress: "Progress") -> None:
    print(json.dumps({"progress": asdict(progress)}), file=sys.stderr, flush=True)


def _end_with_parent() -> None:
    # Not through `sys.stdin`: its lock, held for ever by this thread, would break the interpreter's own ending.
    while os.read(0, 4096):
        pass
    if os.getpgid(0) == os.getpid():
        # The programs that build a road graph are our children: they end too.
        os.killpg(0, signal.SIGKILL)
    os._exit(3)


if __name__ == "__main__":
    main()
