"""The days by CP-SAT, on estimates: deadlines first, then value, soon rather than late, and neighbours together."""

from collections.abc import Sequence
from dataclasses import dataclass

from ortools.sat.python import cp_model

from routing.errors import FaultyPlan, SolverFailed
from routing.horizon.checking import horizon_faults
from routing.horizon.errands import Cap, Choice, Errand, Horizon, Later, LaterReason, Room

MINUTE = 60
EFFORT = 4.0
"""Deterministic time; with one worker and a seed the answer depends on nothing else."""

type _Kind = tuple[frozenset[str], int, int | None]


@dataclass(frozen=True)
class _Made:
    """The variables: `made[errand, day]`, and which neighbourhood is gone to on which day."""

    model: cp_model.CpModel
    made: dict[tuple[str, int], cp_model.IntVar]


def choose_days(horizon: Horizon, *, seed: int = 1, effort: float = EFFORT) -> Choice:
    """A day for each errand that has room, and why the others have none.

    `FaultyPlan` if the judge refuses the days, `SolverFailed` if there is no answer: both are errors of this package.
    """
    days = {one.id: _able(horizon, one) for one in horizon.errands}
    chosen: dict[str, int] = {}
    best = True
    if any(days.values()):
        chosen, best = _chosen(horizon, days, seed=seed, effort=effort)
    later = [
        Later(errand=one.id, reason=_why(horizon, one, days[one.id])) for one in horizon.errands if one.id not in chosen
    ]
    choice = Choice(days=chosen, later=tuple(later), best=best)
    wrong = horizon_faults(horizon, choice)
    if wrong:
        raise FaultyPlan(f"The days break a rule: {wrong[0]}.")
    return choice


def _able(horizon: Horizon, one: Errand) -> tuple[int, ...]:
    """The days on which somebody could do it, and no cap forbids it whatever else happens."""
    return tuple(
        day
        for day in one.open_days
        if any(one.fits(room) and room.work_s >= one.work_s for room in horizon.rooms[day])
        and all(_lawful(cap, day) for cap in horizon.caps if one.id in cap.errands)
    )


def _lawful(cap: Cap, day: int) -> bool:
    if any(abs(day - past) < cap.gap for past in cap.past):
        return False
    held = [(first, last) for first, last in cap.windows if first <= day <= last]
    return all(sum(first <= past <= last for past in cap.past) < cap.most for first, last in held)


def _why(horizon: Horizon, one: Errand, able: tuple[int, ...]) -> LaterReason:
    if not one.open_days:
        return LaterReason.NO_DAY
    if able:
        return LaterReason.NO_ROOM
    staffed = [day for day in one.open_days if any(one.fits(room) and room.work_s for room in horizon.rooms[day])]
    if not staffed:
        return LaterReason.NOBODY
    capped = not any(all(_lawful(cap, day) for cap in horizon.caps if one.id in cap.errands) for day in staffed)
    return LaterReason.CAPPED if capped else LaterReason.NO_ROOM


def _chosen(
    horizon: Horizon, days: dict[str, tuple[int, ...]], *, seed: int, effort: float
) -> tuple[dict[str, int], bool]:
    try:
        built = _built(horizon, days)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = seed % (1 << 31)
        solver.parameters.max_deterministic_time = effort
        status = solver.solve(built.model)
    except Exception as error:  # OR-Tools raises bare exceptions; none of them may leave this package.
        raise SolverFailed(f"Choosing days failed: {error}") from error
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        raise SolverFailed("Choosing days found no answer in its time.")
    found = {name: day for (name, day), variable in built.made.items() if solver.boolean_value(variable)}
    return found, status == cp_model.OPTIMAL


def _built(horizon: Horizon, days: dict[str, tuple[int, ...]]) -> _Made:
    model = cp_model.CpModel()
    made = {(one.id, day): model.new_bool_var("") for one in horizon.errands for day in days[one.id]}
    terms: list[tuple[cp_model.IntVar, int]] = []
    for one in horizon.errands:
        mine = [made[one.id, day] for day in days[one.id]]
        if mine:
            model.add_at_most_one(mine)
        worth = _worth(horizon, one)
        terms += [(made[one.id, day], day * horizon.prices.delay - worth) for day in days[one.id]]
    for cap in horizon.caps:
        _capped(model, cap, made, len(horizon.rooms))
    for day, rooms in enumerate(horizon.rooms):
        terms += _held(horizon, model, made, day=day, rooms=rooms)
    model.minimize(cp_model.LinearExpr.weighted_sum([v for v, _ in terms], [price for _, price in terms]))
    return _Made(model, made)


def _worth(horizon: Horizon, one: Errand) -> int:
    """What leaving it out costs. More than all delay could: an errand is never left out only to save waiting."""
    due = one.due_on is not None and one.due_on < len(horizon.rooms)
    share = 100 if due else horizon.prices.late_share
    return one.value_s * share // 100 + horizon.prices.delay * len(horizon.rooms)


def _capped(model: cp_model.CpModel, cap: Cap, made: dict[tuple[str, int], cp_model.IntVar], days: int) -> None:
    def between(first: int, last: int) -> list[cp_model.IntVar]:
        span = range(max(0, first), min(days, last + 1))
        return [made[name, day] for name in cap.errands for day in span if (name, day) in made]

    for first, last in cap.windows:
        here = between(first, last)
        room = cap.most - sum(first <= past <= last for past in cap.past)
        if len(here) > room:
            model.add(_sum(here) <= max(0, room))
    for first in range(days if cap.gap > 0 else 0):
        here = between(first, first + cap.gap - 1)
        if len(here) > 1:
            model.add_at_most_one(here)


def _held(
    horizon: Horizon,
    model: cp_model.CpModel,
    made: dict[tuple[str, int], cp_model.IntVar],
    *,
    day: int,
    rooms: Sequence[Room],
) -> list[tuple[cp_model.IntVar, int]]:
    """That the crews of a day can share its work out; and the price of the neighbourhoods that are gone to."""
    kinds: dict[_Kind, list[Errand]] = {}
    for one in horizon.errands:
        if (one.id, day) in made:
            kinds.setdefault((one.requires, one.visitors, one.most_visitors), []).append(one)
    given: dict[int, list[cp_model.IntVar]] = {}
    for errands in kinds.values():
        able = [index for index, room in enumerate(rooms) if errands[0].fits(room)]
        shares = [model.new_int_var(0, rooms[index].work_s, "") for index in able]
        for index, share in zip(able, shares, strict=True):
            given.setdefault(index, []).append(share)
        work = cp_model.LinearExpr.weighted_sum([made[one.id, day] for one in errands], [one.work_s for one in errands])
        model.add(work == _sum(shares))
    for index, shares in given.items():
        model.add(_sum(shares) <= rooms[index].work_s)
    return _gone_to(horizon, model, made, day=day, total=sum(room.work_s for room in rooms))


def _gone_to(
    horizon: Horizon, model: cp_model.CpModel, made: dict[tuple[str, int], cp_model.IntVar], *, day: int, total: int
) -> list[tuple[cp_model.IntVar, int]]:
    places: dict[int, list[Errand]] = {}
    for one in horizon.errands:
        if (one.id, day) in made:
            places.setdefault(one.place, []).append(one)
    gone: list[tuple[cp_model.IntVar, int]] = []
    work: list[tuple[cp_model.IntVar, int]] = []
    for place, errands in sorted(places.items()):
        cost = horizon.approach((place,))
        visited = model.new_bool_var("")
        for one in errands:
            model.add_implication(made[one.id, day], visited)
            work.append((made[one.id, day], one.work_s))
        gone.append((visited, cost))
    everything = [*work, *gone]
    model.add(cp_model.LinearExpr.weighted_sum([v for v, _ in everything], [s for _, s in everything]) <= total)
    return gone


def _sum(variables: Sequence[cp_model.IntVar]) -> cp_model.LinearExprT:
    return cp_model.LinearExpr.sum(list(variables))
