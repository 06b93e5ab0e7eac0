"""The question of which visit on which day, as a document between a worker and its child, and its answer.

Read and written here alone: the two sides cannot come apart. What a day holds is estimated here too: from where the
visits lie, before any route is known.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from routing.horizon import Cap, Choice, Errand, Horizon, Room
from routing.travel.tables import Point

NEIGHBOURHOOD = 12
"""At most so many visits are taken for one neighbourhood."""
LEAST_HOP_S, MOST_HOP_S = 120, 1_800


def answer_week(ask: Mapping[str, Any]) -> dict[str, Any]:
    """Choose days. `visits`: errands with `service_s` and `point` for work and place; `starts`: where crews begin."""
    from routing.horizon.choosing import choose_days

    points = [Point(lat=one["point"][0], lon=one["point"][1]) for one in ask["visits"]]
    starts = [Point(lat=lat, lon=lon) for lat, lon in ask["starts"]]
    places, hops, approach = _estimates(points, starts)
    errands = tuple(_errand(one, place=places[index], hop_s=hops[index]) for index, one in enumerate(ask["visits"]))
    horizon = Horizon(
        rooms=tuple(tuple(_room(room) for room in rooms) for rooms in ask["rooms"]),
        errands=errands,
        caps=tuple(_cap(cap) for cap in ask["caps"]),
        approach_s=approach,
    )
    return _document(choose_days(horizon, seed=ask["seed"]))


def _errand(one: Mapping[str, Any], *, place: int, hop_s: int) -> Errand:
    return Errand(
        id=one["id"],
        days=tuple(one["days"]),
        # Two crews that meet at a door both work, and both drive there.
        work_s=(one["service_s"] + hop_s) * one["crews"],
        value_s=one["value_s"],
        due_on=one["due_on"],
        requires=frozenset(one["requires"]),
        visitors=one["visitors"],
        place=place,
    )


def _room(room: Mapping[str, Any]) -> Room:
    return Room(work_s=room["work_s"], offers=frozenset(room["offers"]), size=room["size"])


def _cap(cap: Mapping[str, Any]) -> Cap:
    return Cap(
        errands=tuple(cap["visits"]),
        most=cap["most"],
        windows=tuple((first, last) for first, last in cap["windows"]),
        gap=cap["gap"],
        past=tuple(cap["past"]),
    )


def _estimates(points: Sequence[Point], starts: Sequence[Point]) -> tuple[list[int], list[int], tuple[int, ...]]:
    """The neighbourhood of each visit, the drive to it from its nearest neighbour there, and the approach to each.

    The approach is shared: a crew that comes from afar goes on to the next neighbourhood, so only half of it counts.
    """
    import numpy as np

    from routing.geography import halved
    from routing.travel.lines import line_metres
    from routing.travel.profiles import SpeedProfile

    profile = SpeedProfile()
    places, hops, approach = [0] * len(points), [0] * len(points), []
    for number, indices in enumerate(halved(points, NEIGHBOURHOOD)):
        mine = [points[index] for index in indices]
        lines = line_metres(mine, mine)
        np.fill_diagonal(lines, np.inf)
        near = profile.seconds(np.minimum(lines.min(axis=1, initial=np.inf), 50_000.0))
        for index, seconds in zip(indices, near, strict=True):
            places[index] = number
            hops[index] = int(min(MOST_HOP_S, max(LEAST_HOP_S, seconds))) if len(mine) > 1 else LEAST_HOP_S
        way = profile.seconds(line_metres(starts, mine)).min() / 2 if starts else 0.0
        approach.append(round(float(way)))
    return places, hops, tuple(approach)


def _document(choice: Choice) -> dict[str, Any]:
    return {
        "days": choice.days,
        "later": {one.errand: one.reason.value for one in choice.later},
        "best": choice.best,
    }
