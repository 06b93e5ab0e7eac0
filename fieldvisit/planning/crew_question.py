"""The question of who rides with whom, as a document between a worker and its child, and its answer.

Read and written here alone: the two sides cannot come apart.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from routing.crews import Demand, Forming, Person, Staff
from routing.travel.tables import Point

SPEED_M_S = 7.0


def answer_crews(ask: Mapping[str, Any]) -> dict[str, Any]:
    """Form the crews. `starts`: (lat, lon) of each person in order, None for those who set out from the office."""
    from routing.crews.forming import form_crews

    staff = Staff(
        people=tuple(_person(one) for one in ask["people"]),
        demands=tuple(_demand(one) for one in ask["demands"]),
        kept=tuple(tuple(members) for members in ask["kept"]),
        apart_s=_apart(ask["starts"]),
    )
    return _document(form_crews(staff, seed=ask["seed"]))


def _person(one: Mapping[str, Any]) -> Person:
    words = {name: frozenset(one[name]) for name in ("knows", "holds")}
    return Person(**{**one, **words, "shift": tuple(one["shift"])})


def _demand(one: Mapping[str, Any]) -> Demand:
    return Demand(**{**one, "requires": frozenset(one["requires"])})


def _apart(starts: Sequence[Sequence[float] | None]) -> tuple[tuple[int, ...], ...]:
    from routing.travel.lines import line_metres

    known = [Point(lat=start[0], lon=start[1]) for start in starts if start is not None]
    place = {index: number for number, index in enumerate(i for i, start in enumerate(starts) if start is not None)}
    metres = line_metres(known, known)
    size = range(len(starts))

    def apart(i: int, j: int) -> int:
        # Whoever sets out from the office meets the others there.
        met = i == j or i not in place or j not in place
        return 0 if met else round(float(metres[place[i], place[j]]) / SPEED_M_S)

    return tuple(tuple(apart(i, j) for j in size) for i in size)


def _document(forming: Forming) -> dict[str, Any]:
    return {
        "crews": [list(crew.members) for crew in forming.crews],
        "home": {one.person: one.reason.value for one in forming.home},
        "left": [
            {"demand": one.demand, "work_s": one.work_s, "reason": one.reason.value, "lacks": list(one.lacks)}
            for one in forming.left
        ],
        "best": forming.best,
    }
