"""The short-lived process that looks up travel times and solves one day: ``python -m fieldvisit.planning.child``.

It reads one line of JSON, the `Work` below, from standard input, writes lines of progress to standard error and one
line, the `Answer`, to standard output. It knows no database. It ends with its parent: the end of standard input is the
sign.
"""

import json
import os
import resource
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fieldvisit.planning.work import Answer, Work

MEBIBYTE = 1 << 20


def main() -> None:
    work = Work(**json.loads(sys.stdin.readline()))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Address space, not resident size, is what this limits; the loaded libraries alone reserve a fair part of it.
    resource.setrlimit(resource.RLIMIT_AS, (work.memory_mb * MEBIBYTE, work.memory_mb * MEBIBYTE))
    answer = solve_day(work)
    print(json.dumps(asdict(answer)), flush=True)


def solve_day(work: Work) -> Answer:
    """Look up travel times, solve, and trace the ways. A known failure is an answer; the unknown ends the process."""
    from routing.solver import Limits, solve
    from routing.travel import MapMissing, Point

    from routing.errors import InvalidProblem
    from routing.format import plan_to_document, problem_from_document, problem_to_document

    points = [Point(lat=lat, lon=lon) for lat, lon in work.points]
    try:
        roads = _roads(work)
        table = roads.table(points) if roads else _geodesic(points)
    except MapMissing as error:
        return Answer(failure="map_missing", says=str(error))
    travel = {"seconds": _lists(table.seconds), "metres": _lists(table.metres)}
    try:
        problem = problem_from_document({**work.document, "travel": travel})
    except InvalidProblem as error:
        return Answer(failure="invalid_problem", says=str(error))
    limits = Limits(seconds=work.seconds, iterations=work.iterations, threads=work.threads, seed=work.seed)
    plan = solve(problem, limits, on_progress=_tell)
    paths = {}
    for route in plan.routes:
        crew = problem.crew_by_id[route.crew]
        stops = [problem.task_by_id[stop.task].location for stop in route.stops]
        indexes = [crew.start, *stops, *([] if crew.end is None else [crew.end])]
        way = [points[index] for index in indexes]
        paths[route.crew] = [
            [lon, lat] for lon, lat in (roads.path(way) if roads else [(point.lon, point.lat) for point in way])
        ]
    return Answer(
        problem=problem_to_document(problem), plan=plan_to_document(plan), travel_source=table.source, paths=paths
    )


def _roads(work: Work) -> Any:
    from routing.travel import OsrmRoads

    return OsrmRoads.build(Path(work.map_file), Path(work.graph_folder)) if work.map_file else None


def _geodesic(points: Any) -> Any:
    from routing.travel import geodesic

    return geodesic(points)


def _lists(matrix: Any) -> Any:
    return None if matrix is None else [list(row) for row in matrix]


def _tell(progress: Any) -> None:
    print(json.dumps({"progress": asdict(progress)}), file=sys.stderr, flush=True)


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(3)


if __name__ == "__main__":
    main()
