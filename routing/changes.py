"""What could be changed about a day so that a visit gets its place, as a text of the format and as a problem.

A change is written as its kind and its facts: ``longer_shift crew=north from_s=28800 until_s=64800``. Values are
percent-encoded where they hold a space, so that names of any kind can be read back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from urllib.parse import quote, unquote

from routing.errors import InvalidProblem
from routing.problem import Crew, Pin, Problem, Task, Window


class Kind(Enum):
    """Each names the facts that it needs."""

    PUT_IN = "put_in"
    """Nothing changes but the plan: others fall out, or the visit costs more than it is worth."""
    WORTH = "worth"
    """The visit is worth `value_s`."""
    OTHER_HOURS = "other_hours"
    """The visit may be made from `from_s` to `until_s` as well."""
    OFFER = "offer"
    """`crew` has `skills` too."""
    MORE_PEOPLE = "more_people"
    """`crew` has `people`."""
    LONGER_SHIFT = "longer_shift"
    """`crew` works from `from_s` to `until_s`."""
    HIGHER_LIMIT = "higher_limit"
    """`crew` may have `max_tasks`, `max_travel_s` or `max_work_s`: the one that is given."""
    FREE_PIN = "free_pin"
    """The visit is no longer held to a crew (`part=crew`), to a begin (`part=begin`) or to either (`part=all`)."""
    EXTRA_CREW = "extra_crew"
    """There is one more crew like `like`, called `crew`."""


type Facts = Mapping[str, str | int]


@dataclass(frozen=True)
class Change:
    """One change and its facts, in the order in which they are written."""

    kind: Kind
    facts: tuple[tuple[str, str | int], ...] = ()

    @classmethod
    def of(cls, kind: Kind, **facts: str | int) -> "Change":
        return cls(kind, tuple(facts.items()))

    @classmethod
    def parse(cls, text: str) -> "Change":
        """The change that a text of the format tells; raises InvalidProblem."""
        kind, *pairs = text.split(" ")
        if kind not in {known.value for known in Kind} or not all("=" in pair for pair in pairs):
            raise InvalidProblem("change", f"is no change: {text!r}")
        facts = [pair.split("=", 1) for pair in pairs]
        return cls(Kind(kind), tuple((name, _read(name, value)) for name, value in facts))

    def __str__(self) -> str:
        return " ".join([self.kind.value, *(f"{name}={quote(str(value), safe=':,-_')}" for name, value in self.facts)])

    def __getitem__(self, name: str) -> str:
        return str(dict(self.facts)[name])

    @property
    def skills(self) -> tuple[str, ...]:
        """The skills that a crew would be given."""
        return tuple(unquote(skill) for skill in self["skills"].split(","))

    def seconds(self, name: str) -> int:
        return int(dict(self.facts)[name])


TEXTS = frozenset({"crew", "like", "part", "skills"})


def _read(name: str, value: str) -> str | int:
    if name in TEXTS:
        return unquote(value)
    try:
        return int(value)
    except ValueError:
        raise InvalidProblem("change", f"{name} must be a whole number, not {value!r}") from None


def joined_skills(skills: frozenset[str]) -> str:
    """Several skills as one fact; a comma inside of one is encoded."""
    return ",".join(quote(skill, safe=":-_") for skill in sorted(skills))


def changed(problem: Problem, name: str, change: Change) -> Problem:
    """The problem once the change is made, for this task."""
    kind, task = change.kind, problem.task_by_id[name]
    if kind is Kind.PUT_IN:
        return problem
    if kind is Kind.WORTH:
        return with_task(problem, replace(task, value_s=change.seconds("value_s")))
    if kind is Kind.OTHER_HOURS:
        window = Window(opens_s=change.seconds("from_s"), closes_s=change.seconds("until_s"))
        return with_task(problem, replace(task, windows=merged((*task.windows, window)), pin=_crew_only(task)))
    if kind is Kind.FREE_PIN:
        return with_task(problem, replace(task, pin=freed(task, change["part"])))
    if kind is Kind.EXTRA_CREW:
        like = problem.crew_by_id[change["like"]]
        return replace(problem, crews=(*problem.crews, replace(like, id=change["crew"], work_before_s=0)))
    return with_crew(problem, changed_crew(problem.crew_by_id[change["crew"]], change))


def changed_crew(crew: Crew, change: Change) -> Crew:
    """The crew once a change of its own is made."""
    if change.kind is Kind.OFFER:
        return replace(crew, offers=crew.offers | set(change.skills))
    if change.kind is Kind.MORE_PEOPLE:
        return replace(crew, size=change.seconds("people"))
    if change.kind is Kind.LONGER_SHIFT:
        until = change.seconds("until_s")
        late = crew.overtime
        if late is not None:
            late = replace(late, until_s=max(late.until_s, until))
        return replace(crew, shift=(change.seconds("from_s"), until), overtime=late)
    limits = {name: int(value) for name, value in change.facts if name != "crew"}
    return replace(crew, **limits)  # type: ignore[arg-type]  # the names of limits are those of the crew's fields


def freed(task: Task, part: str) -> Pin | None:
    """What is left of the pin."""
    pin = task.pin
    if pin is None or part == "all":
        return None
    if part == "crew":
        return Pin(begin=pin.begin) if pin.begin is not None else None
    return _crew_only(task)


def _crew_only(task: Task) -> Pin | None:
    return Pin(crew=task.pin.crew) if task.pin is not None and task.pin.crew is not None else None


def merged(windows: tuple[Window, ...]) -> tuple[Window, ...]:
    """The same time as windows that neither overlap nor touch."""
    found: list[Window] = []
    for window in sorted(windows, key=lambda each: each.opens_s):
        if found and window.opens_s <= found[-1].closes_s:
            last = found.pop()
            window = Window(opens_s=last.opens_s, closes_s=max(last.closes_s, window.closes_s))
        found.append(window)
    return tuple(found)


def with_task(problem: Problem, task: Task) -> Problem:
    """The problem with this task in place of the one with its id."""
    return replace(problem, tasks=tuple(task if each.id == task.id else each for each in problem.tasks))


def with_crew(problem: Problem, crew: Crew) -> Problem:
    """The problem with this crew in place of the one with its id."""
    return replace(problem, crews=tuple(crew if each.id == crew.id else each for each in problem.crews))
