"""What a worker and its solving child say to each other, each as one line of JSON."""

from dataclasses import dataclass, field
from typing import Any

from fieldvisit.planning.failures import PlanFailure


@dataclass(frozen=True, kw_only=True)
class Work:
    """What to do. Without `road_server` and `map_file`: geodesic travel times. `points` are (lat, lon).

    `busy_hours`: (from second of the day, until, how much longer a drive takes). `askable`: task → spans of seconds in
    which it might be done as well, if somebody asked; its windows are law otherwise. `lendable`: what a crew that lacks
    it could be given. `budget`: of a day that is repaired, the `price` of a change and the `most` visits
    that may change; the document then has its travel times, and no points.
    """

    document: dict[str, Any]
    points: list[tuple[float, float]]
    map_file: str | None
    graph_folder: str
    seconds: int
    iterations: int | None
    threads: int
    seed: int
    memory_mb: int
    road_server: str | None = None
    busy_hours: list[tuple[int, int, float]] = field(default_factory=list)
    orders: dict[str, list[str]] | None = None
    """Crew → its stops as they stand, for a search that starts from them."""
    askable: dict[str, list[list[int]]] = field(default_factory=dict)
    lendable: list[str] = field(default_factory=list)
    budget: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of it: the whole problem and the plan as documents of the planning format, or a failure.

    `paths`: crew → the way along roads as [lon, lat]. `set_aside`: task → why nobody is sent to its point. `put_in`:
    task left out → `cost` of the plan with it, and the tasks it `displaces`. `says`: what happened, for a log.
    `called_off`: nobody waits for an answer any more, which is neither.
    """

    problem: dict[str, Any] | None = None
    plan: dict[str, Any] | None = None
    travel_source: str | None = None
    paths: dict[str, list[list[float]]] | None = None
    set_aside: dict[str, str] | None = None
    put_in: dict[str, dict[str, Any]] | None = None
    failure: PlanFailure | None = None
    says: str = ""
    called_off: bool = False
