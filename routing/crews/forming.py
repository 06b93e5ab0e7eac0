"""Crews by CP-SAT: of all that could ride, those that leave least undone, most fairly, at the least price.

A crew is chosen or not, each person rides in one at most. What crews with the same words and size take on is counted
together, in minutes, and shared out to each afterwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ortools.sat.python import cp_model

from routing.crews.candidates import Candidate, candidates, works
from routing.crews.checking import crew_faults
from routing.crews.roster import (
    Demand,
    Duty,
    FormedCrew,
    Forming,
    HomeReason,
    LeftDemand,
    LeftReason,
    Staff,
    StayingHome,
)
from routing.errors import FaultyPlan, SolverFailed

MINUTE = 60
EFFORT = 2.0
"""Deterministic time; with one worker and a seed the answer depends on nothing else."""

type _Kind = tuple[frozenset[str], int]


@dataclass(frozen=True)
class _Model:
    model: cp_model.CpModel
    chosen: list[cp_model.IntVar]
    work: list[cp_model.IntVar]
    """Minutes that each candidate works."""
    shares: dict[tuple[_Kind, int], cp_model.IntVar]
    """Minutes of a demand that the crews of one kind take on."""


def form_crews(staff: Staff, *, seed: int = 1, effort: float = EFFORT) -> Forming:
    """The crews of the day, and why people and work are left.

    `FaultyPlan` if the judge refuses the crews, `SolverFailed` if there is no answer: both are errors of this package.
    """
    riding = candidates(staff)
    forming = Forming(home=_home(staff, riding, ()), left=_left(staff, riding, (), {}), best=True)
    if riding:
        forming = _formed(staff, riding, seed=seed, effort=effort)
    wrong = crew_faults(staff, forming)
    if wrong:
        raise FaultyPlan(f"The crews break a rule: {wrong[0]}.")
    return forming


def _formed(staff: Staff, riding: Sequence[Candidate], *, seed: int, effort: float) -> Forming:
    try:
        built = _built(staff, riding)
        solver, status = _solved(built.model, seed=seed, effort=effort)
    except Exception as error:  # OR-Tools raises bare exceptions; none of them may leave this package.
        raise SolverFailed(f"Forming crews failed: {error}") from error
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        raise SolverFailed("Forming crews found no answer in its time.")
    picked = [(index, one) for index, one in enumerate(riding) if solver.boolean_value(built.chosen[index])]
    minutes = {index: solver.value(built.work[index]) for index, _ in picked}
    shares = {key: solver.value(variable) for key, variable in built.shares.items()}
    crews = _shared_out(staff, picked, minutes, shares)
    return Forming(
        crews=crews,
        home=_home(staff, riding, crews),
        left=_left(staff, riding, crews, _done(crews)),
        best=status == cp_model.OPTIMAL,
    )


def _built(staff: Staff, riding: Sequence[Candidate]) -> _Model:
    model = cp_model.CpModel()
    chosen = [model.new_bool_var("") for _ in riding]
    work = [model.new_int_var(0, one.length_s // MINUTE, "") for one in riding]
    for one, variable, minutes in zip(riding, chosen, work, strict=True):
        model.add(minutes <= one.length_s // MINUTE * variable)
        if one.kept:
            model.add(variable == 1)
    crews_of: dict[str, list[int]] = {}
    for index, one in enumerate(riding):
        for name in one.members:
            crews_of.setdefault(name, []).append(index)
    for indices in crews_of.values():
        model.add_at_most_one(chosen[index] for index in indices)
    shares, undone = _shares(staff, model, riding, work)
    rules = staff.rules
    terms = [(variable, MINUTE * rules.left * price) for variable, price in undone]
    for one, variable in zip(riding, chosen, strict=True):
        idle = -rules.idle * len(one.members)
        terms.append((variable, idle + rules.together * (len(one.members) - 1) + rules.apart * one.apart_s))
    terms += _spread(staff, model, crews_of, work)
    model.minimize(cp_model.LinearExpr.weighted_sum([v for v, _ in terms], [price for _, price in terms]))
    return _Model(model, chosen, work, shares)


def _shares(
    staff: Staff, model: cp_model.CpModel, riding: Sequence[Candidate], work: Sequence[cp_model.IntVar]
) -> tuple[dict[tuple[_Kind, int], cp_model.IntVar], list[tuple[cp_model.IntVar, int]]]:
    """What each kind of crew takes on of each demand, and the minutes of each that are left."""
    by_kind: dict[_Kind, list[cp_model.IntVar]] = {}
    for one, minutes in zip(riding, work, strict=True):
        by_kind.setdefault(_kind(staff, one), []).append(minutes)
    shares: dict[tuple[_Kind, int], cp_model.IntVar] = {}
    undone = []
    for number, asked in enumerate(staff.demands):
        needed = -(-asked.work_s // MINUTE)
        able = [kind for kind in by_kind if asked.met_by(*kind)]
        for kind in able:
            shares[kind, number] = model.new_int_var(0, needed, "")
        left = model.new_int_var(0, needed, "")
        model.add(_sum([*(shares[kind, number] for kind in able), left]) == needed)
        undone.append((left, asked.price))
    for kind, together in by_kind.items():
        model.add(_sum(together) == _sum([v for (other, _), v in shares.items() if other == kind]))
    return shares, undone


def _spread(
    staff: Staff, model: cp_model.CpModel, crews_of: dict[str, list[int]], work: Sequence[cp_model.IntVar]
) -> list[tuple[cp_model.IntVar, int]]:
    """The price of unequal work over those who may ride, the weeks behind included."""
    if staff.rules.balance == 0 or len(crews_of) < 2:
        return []
    before = {name: staff.person_by_id[name].work_before_s // MINUTE for name in crews_of}
    longest = max(before.values()) + max((one.shift[1] - one.shift[0]) // MINUTE for one in staff.people) + 1
    least, most = model.new_int_var(0, longest, ""), model.new_int_var(0, longest, "")
    for name, indices in crews_of.items():
        total = _sum([work[index] for index in indices]) + before[name]
        model.add(least <= total)
        model.add(most >= total)
    price = MINUTE * staff.rules.balance
    return [(most, price), (least, -price)]


def _sum(variables: Sequence[cp_model.IntVar]) -> cp_model.LinearExprT:
    return cp_model.LinearExpr.sum(list(variables))


def _solved(model: cp_model.CpModel, *, seed: int, effort: float) -> tuple[cp_model.CpSolver, cp_model.CpSolverStatus]:
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed % (1 << 31)
    solver.parameters.max_deterministic_time = effort
    return solver, solver.solve(model)


def _kind(staff: Staff, one: Candidate) -> _Kind:
    """The words that matter today, and the size."""
    wanted = frozenset().union(*(asked.requires for asked in staff.demands))
    return one.offers & wanted, len(one.members)


def _shared_out(
    staff: Staff,
    picked: Sequence[tuple[int, Candidate]],
    minutes: dict[int, int],
    shares: dict[tuple[_Kind, int], int],
) -> tuple[FormedCrew, ...]:
    """What each kind takes on, shared out to its crews in order; and never more of a demand than its seconds."""
    left = dict(shares)
    open_s = {number: asked.work_s for number, asked in enumerate(staff.demands)}
    crews = []
    for index, one in picked:
        kind, room, duties = _kind(staff, one), minutes[index], []
        for number, asked in enumerate(staff.demands):
            taken = min(room, left.get((kind, number), 0))
            if taken:
                left[kind, number] -= taken
                room -= taken
                seconds = min(taken * MINUTE, open_s[number])
                open_s[number] -= seconds
                duties.append(Duty(demand=asked.id, work_s=seconds))
        crews.append(FormedCrew(members=one.members, hours=one.hours, offers=one.offers, duties=tuple(duties)))
    return tuple(crews)


def _done(crews: Sequence[FormedCrew]) -> dict[str, int]:
    done: dict[str, int] = {}
    for crew in crews:
        for duty in crew.duties:
            done[duty.demand] = done.get(duty.demand, 0) + duty.work_s
    return done


def _home(staff: Staff, riding: Sequence[Candidate], crews: Sequence[FormedCrew]) -> tuple[StayingHome, ...]:
    rides = {name for crew in crews for name in crew.members}
    could = {name for one in riding for name in one.members}
    found = []
    for person in staff.people:
        if person.id in rides:
            continue
        if works(staff, person):
            reason = HomeReason.NOT_NEEDED
            if person.id not in could or not (person.may_lead and person.may_ride_alone):
                reason = HomeReason.CANNOT_LEAD if not person.may_lead else HomeReason.NOT_ALONE
        else:
            begin, end = staff.hours(person)
            rested = end - begin >= staff.rules.least_s
            tired = person.worked_until_s is not None and not rested
            reason = HomeReason.RESTING if tired else HomeReason.NO_HOURS_LEFT
        found.append(StayingHome(person=person.id, reason=reason))
    return tuple(found)


def _left(
    staff: Staff, riding: Sequence[Candidate], crews: Sequence[FormedCrew], done: dict[str, int]
) -> tuple[LeftDemand, ...]:
    found = []
    for asked in staff.demands:
        left = asked.work_s - done.get(asked.id, 0)
        if left > 0:
            reason, lacks = _why(staff, riding, asked)
            found.append(LeftDemand(demand=asked.id, work_s=left, reason=reason, lacks=lacks))
    return tuple(found)


def _why(staff: Staff, riding: Sequence[Candidate], asked: Demand) -> tuple[LeftReason, tuple[str, ...]]:
    able = [person for person in staff.people if works(staff, person)]
    words = frozenset().union(*(person.knows | person.holds for person in able))
    lacks = tuple(sorted(asked.requires - words))
    if lacks:
        return LeftReason.NOBODY_OFFERS, lacks
    if len(able) < asked.visitors or asked.visitors > staff.rules.largest:
        return LeftReason.TOO_FEW_PEOPLE, ()
    if not any(asked.met_by(one.offers, len(one.members)) for one in riding):
        return LeftReason.NOT_TOGETHER, ()
    return LeftReason.NO_HOURS, ()
