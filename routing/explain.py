"""Why each visit is left out of a plan, what putting it in would cost, and what would help: every remedy solved again.

A remedy is never a guess: the day is changed, the visit is put in, the whole plan is judged by `routing.checking`, and
only then is it told.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from routing.changes import Change, Kind, changed
from routing.checking import faults
from routing.errors import InvalidProblem
from routing.options import put
from routing.places import Option, Place, Places
from routing.plan import Plan, Reason, Remedy, Unserved
from routing.pricing import plan_price
from routing.problem import Problem, Task
from routing.remedies import Remedies, Trial, Wishes
from routing.screening import Ways, hopelessness, refusal
from routing.standing import Standing

__all__ = ["Explanation", "Wishes", "applied", "explain", "explained"]


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """One visit left out.

    `crews`: for each crew that can never serve it, why not. `held_by`: the visits any one of which would have to go for
    it to fit; of a visit for two crews where no one is enough, those that would have to go together with another one,
    on the other crew's route. `put_in`: the cheapest way to serve it as the day is, None where there is none.
    """

    task: str
    reason: Reason
    crews: Mapping[str, Reason] = field(default_factory=dict)
    held_by: tuple[str, ...] = ()
    put_in: Option | None = None
    remedy: Remedy | None = None


def explain(problem: Problem, plan: Plan, wishes: Wishes | None = None) -> tuple[Explanation, ...]:
    """An explanation for each unserved task, in the order of the plan."""
    ways, standing = Ways(problem.travel), Standing(problem, plan)
    tasks = [problem.task_by_id[left.task] for left in plan.unserved]
    return tuple(_Told(standing, task, ways, wishes or Wishes()).explanation() for task in tasks)


def explained(problem: Problem, plan: Plan, wishes: Wishes | None = None) -> Plan:
    """The plan with the reason, the detail and the remedy of each explanation."""
    return replace(plan, unserved=tuple(unserved_of(told) for told in explain(problem, plan, wishes)))


def unserved_of(told: Explanation) -> Unserved:
    """The explanation as the format has it."""
    detail: dict[str, str] | tuple[str, ...] | None = told.held_by or None
    if told.crews and not told.held_by:
        detail = {crew: reason.value for crew, reason in told.crews.items()}
    return Unserved(task=told.task, reason=told.reason, detail=detail, remedy=told.remedy)


def applied(problem: Problem, plan: Plan, name: str, remedy: Remedy) -> tuple[Problem, Plan]:
    """The changed day, and its plan that serves the visit: what the remedy promises, made.

    Raises InvalidProblem where it does not hold for this plan.
    """
    after = changed(problem, name, Change.parse(remedy.change))
    base = _priced_anew(after, plan)
    places = Places(Standing(after, base), after.task_by_id[name])
    for option in places.options(len(problem.crews) * (len(problem.tasks) + 1)):
        if (option.cost, option.displaces) == (remedy.cost, remedy.displaces):
            return after, put(after, base, option)
    raise InvalidProblem("remedy", f"{remedy.change!r} does not help {name!r} in this plan")


def _priced_anew(problem: Problem, plan: Plan) -> Plan:
    """The plan over a changed day, of which no bound is known."""
    return replace(plan, cost=plan_price(problem, plan.routes), bound=None, pool_bound=None)


class _Told:
    """The parts of one explanation."""

    def __init__(self, standing: Standing, task: Task, ways: Ways, wishes: Wishes) -> None:
        self.standing, self.task, self.wishes = standing, task, wishes
        self.problem, self.plan = standing.problem, standing.plan
        self.hopeless = hopelessness(self.problem, task, ways)
        refusals = {crew.id: refusal(task, crew, ways) for crew in self.problem.crews}
        self.crews = {crew: reason for crew, reason in refusals.items() if reason is not None}
        self.holding = None if self.hopeless is not None else standing.holding(task)
        self.mate = standing.taken_groups.get(task.group) if task.group is not None else None

    def explanation(self) -> Explanation:
        places = Places(self.standing, self.task)
        direct = next((option for place in places.lawful() if (option := places.option(place))), None)
        put_in = direct
        held: tuple[str, ...] = () if self.mate is None else (self.mate,)
        if direct is None and self.hopeless is None:
            lawful = [place for place in _by_extra(places.displacing()) if places.may(place)]
            more = (place for place in places.displacing_two() if not lawful and places.may(place))
            put_in = next((option for place in (*lawful, *more) if (option := places.option(place))), None)
            one = tuple(dict.fromkeys(name for place in lawful for name in place.displaces))
            held = self.holding or one or places.held_by_two()
        return Explanation(
            task=self.task.id,
            reason=self._reason(direct),
            crews=self.crews,
            held_by=held,
            put_in=put_in,
            remedy=self._remedy(put_in),
        )

    def _reason(self, direct: Option | None) -> Reason:
        if self.mate is not None:
            return Reason.GROUP_TAKEN
        if self.hopeless is not None:
            return self.hopeless.reason
        if self.holding is not None:
            return Reason.QUOTA_FULL
        return Reason.NO_ROOM if direct is None else Reason.NOT_WORTH_ITS_COST

    def _remedy(self, put_in: Option | None) -> Remedy | None:
        """The cheapest of what helps."""
        if put_in is not None and not put_in.displaces:
            return self._worth(put_in)
        closed = self.mate is not None or self.holding is not None
        trials = [] if closed else Remedies(self.standing, self.task, self.wishes).trials()
        for trial in trials:
            remedy = self._tried(trial)
            if remedy is not None:
                return remedy
        return None if put_in is None else self._judged(self.problem, self.plan, put_in, Change.of(Kind.PUT_IN))

    def _worth(self, option: Option) -> Remedy | None:
        """What the visit would have to be worth for the plan with it to be the cheaper one."""
        without = self.plan.cost - self.task.value_s if self.task.group is None else self.plan.cost
        change = Change.of(Kind.WORTH, value_s=max(self.task.value_s, option.cost - without + 1))
        after = changed(self.problem, self.task.id, change)
        return self._judged(after, _priced_anew(after, self.plan), option, change)

    def _tried(self, trial: Trial) -> Remedy | None:
        """The trial made: the changed day with the visit at its place, if the judge finds nothing."""
        after = changed(self.problem, self.task.id, trial.change)
        base = _priced_anew(after, self.plan)
        places = Places(Standing(after, base), after.task_by_id[self.task.id])
        if trial.partner is None:
            tried = iter([places.at(trial.crew, trial.place)])
        else:
            tried = places.meeting(trial.crew, trial.partner)
        option = next((option for place in tried if (option := places.option(place))), None)
        return None if option is None else self._judged(after, base, option, trial.change)

    def _judged(self, problem: Problem, base: Plan, option: Option, change: Change) -> Remedy | None:
        if faults(problem, put(problem, base, option)):
            return None
        return Remedy(change=str(change), cost=option.cost, displaces=option.displaces)


def _by_extra(places: Iterator[Place]) -> list[Place]:
    return sorted(places, key=lambda place: place.extra)
