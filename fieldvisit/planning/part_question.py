"""A large day as documents: cut into parts, and joined again from their answers. Read and written here alone."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from routing.format import plan_from_document, plan_to_document, problem_from_document
from routing.split.joining import joined
from routing.split.spread import Solved, Spread
from routing.travel.tables import Point

NOWHERE = {"seconds": [[0]]}


def answer_parts(ask: Mapping[str, Any]) -> dict[str, Any]:
    """The works of the parts: a sub-document each, its points, and which of the day's points they are (`places`).

    With `plans` the day is cut anew across the borders, and each work carries the routes as they stand (`orders`).
    """
    from routing.split.borders import borders_of, orders_in
    from routing.split.parting import parts_of
    from routing.split.quotas import shared_quotas

    spread = _spread(ask["document"], ask["points"])
    plans = [plan_from_document(plan) for plan in ask["plans"]]
    most = ask["most_visits"]
    cut = borders_of(spread, plans, most_tasks=most) if plans else parts_of(spread, most_tasks=most)
    served = {stop.task for plan in plans for route in plan.routes for stop in route.stops}
    quotas = shared_quotas(spread.quotas, [part.tasks for part in cut], spread.task_by_id, served)
    works = [
        _work({**ask, "quotas": mine}, set(part.tasks), set(part.crews), orders_in(part, plans) if plans else None)
        for part, mine in zip(cut, quotas, strict=True)
        if part.tasks
    ]
    return {"works": works}


def answer_join(ask: Mapping[str, Any]) -> dict[str, Any]:
    """One problem and one plan out of the parts. Between points that no part holds together no way is told."""
    spread = _spread(ask["document"], ask["points"])
    parts = [
        Solved(problem=problem_from_document(one["problem"]), plan=plan_from_document(one["plan"]))
        for one in ask["answers"]
    ]
    travels = [one["problem"]["travel"] for one in ask["answers"]]
    places = [work["places"] for work in ask["works"]]
    whole = {**ask["document"], "travel": _travel(travels, places, len(ask["points"]))}
    return {"problem": whole, "plan": plan_to_document(joined(spread, parts))}


def _spread(document: Mapping[str, Any], points: Sequence[Sequence[float]]) -> Spread:
    """The day without travel times. Read as if it had one place: a table of thousands need not be made up for that."""
    tasks, crews = document["tasks"], document["crews"]
    flat = problem_from_document(
        {
            **document,
            "tasks": [{**task, "location": 0} for task in tasks],
            "crews": [{**crew, "start": 0, **({"end": 0} if "end" in crew else {})} for crew in crews],
            "travel": NOWHERE,
        }
    )
    return Spread(
        points=tuple(Point(lat=lat, lon=lon) for lat, lon in points),
        tasks=tuple(replace(task, location=told["location"]) for task, told in zip(flat.tasks, tasks, strict=True)),
        crews=tuple(
            replace(crew, start=told["start"], end=told.get("end"))
            for crew, told in zip(flat.crews, crews, strict=True)
        ),
        prices=flat.prices,
        quotas=flat.quotas,
        origin=flat.origin,
    )


def _work(
    ask: Mapping[str, Any], names: set[str], riding: set[str], orders: Mapping[str, Sequence[str]] | None
) -> dict[str, Any]:
    document = ask["document"]
    tasks = [task for task in document["tasks"] if task["id"] in names]
    crews = [crew for crew in document["crews"] if crew["id"] in riding]
    used = {task["location"] for task in tasks} | {
        crew[end] for crew in crews for end in ("start", "end") if end in crew
    }
    places = sorted(used)
    at = {place: number for number, place in enumerate(places)}
    return {
        "document": {
            **document,
            "tasks": [{**_alone(task, riding), "location": at[task["location"]]} for task in tasks],
            "crews": [{**crew, **{end: at[crew[end]] for end in ("start", "end") if end in crew}} for crew in crews],
            "quotas": [{"id": quota.id, "most": quota.most} for quota in ask["quotas"]],
        },
        "points": [list(ask["points"][place]) for place in places],
        "places": places,
        "orders": None if orders is None else {crew: list(stops) for crew, stops in orders.items()},
    }


def _alone(task: Mapping[str, Any], riding: set[str]) -> dict[str, Any]:
    """The task, without the published crew where that rides in another part."""
    return {key: value for key, value in task.items() if key != "published_crew" or value in riding}


type _Table = list[list[int | None]]


def _travel(travels: Sequence[Mapping[str, Any]], places: Sequence[Sequence[int]], size: int) -> dict[str, Any]:
    """The travel times of all parts in one table for each hour band."""
    if "bands" not in travels[0]:
        names = [name for name in ("seconds", "metres") if all(travel.get(name) for travel in travels)]
        return {name: _together([travel[name] for travel in travels], places, size) for name in names}
    bands = [
        {
            "from_s": band["from_s"],
            "seconds": _together([travel["bands"][number]["seconds"] for travel in travels], places, size),
        }
        for number, band in enumerate(travels[0]["bands"])
    ]
    known = all(travel.get("metres") for travel in travels)
    metres = {"metres": _together([travel["metres"] for travel in travels], places, size)} if known else {}
    return {"bands": bands, **metres}


def _together(tables: Sequence[_Table], places: Sequence[Sequence[int]], size: int) -> _Table:
    whole: _Table = [[0 if i == j else None for j in range(size)] for i in range(size)]
    for table, mine in zip(tables, places, strict=True):
        for row, here in zip(table, mine, strict=True):
            target = whole[here]
            for cell, there in zip(row, mine, strict=True):
                target[there] = cell
    return whole
