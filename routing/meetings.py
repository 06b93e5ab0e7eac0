"""Where two crews could meet at one door: of two places on two lines the begins that both allow.

Exact where a line's spans are; under a limit on work or hour bands a begin is tried by the whole clock afterwards, and
only some are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from routing.lines import Line
from routing.openings import Spans
from routing.problem import Crew, Task

TRIED = 8
"""Of how many meetings of two crews the begins are tried where spans may be too hopeful, those that cost least."""


@dataclass(frozen=True)
class Half:
    """A place on one line: `extra` is how much dearer its route gets, `begins` when the task may begin there.

    `displaces`: what the line went without for it.
    """

    extra: int
    line: Line
    place: int
    begins: Spans
    displaces: tuple[str, ...] = ()

    @property
    def crew(self) -> Crew:
        return self.line.crew


@dataclass(frozen=True)
class Meeting:
    """Two halves and begins that both allow, the earliest first."""

    extra: int
    halves: tuple[Half, Half]
    begins: tuple[int, ...]


def halves_on(line: Line, task: Task) -> list[Half]:
    """The places of a line that might do, cheapest first."""
    if not line.takes(task):
        return []
    prices = line.table.problem.prices
    used = 0 if line.visits else prices.crew_used
    found = [
        Half(prices.travel * line.extra_travel(place, task) + used, line, place, spans)
        for place, spans in line.begins(task, task.begins)
    ]
    return sorted(found, key=lambda half: half.extra)


def change_price(task: Task, halves: Sequence[Half]) -> int:
    """What it costs that none of these crews is the published one."""
    moved = task.published_crew is not None and all(half.crew.id != task.published_crew for half in halves)
    return halves[0].line.table.problem.prices.change if moved else 0


def meetings(task: Task, ones: Sequence[Half], others: Sequence[Half]) -> Iterator[Meeting]:
    """The cheapest meeting of a half of the one kind with one of the other, both in order of price.

    More than one only where the first may turn out to have no lawful begin.
    """
    best: Meeting | None = None
    hopeful: list[Meeting] = []
    for one in ones:
        if best is not None and others and one.extra + others[0].extra >= best.extra:
            break
        for other in others:
            extra = one.extra + other.extra
            if best is not None and extra >= best.extra:
                break
            if may_go_together(task, one.crew, other.crew) and (begins := common(one.begins, other.begins)):
                met = Meeting(extra, (one, other), begins)
                if one.line.table.searched or other.line.table.searched:
                    hopeful.append(met)
                else:
                    best = met
                    break
    if best is not None:
        yield best
    yield from sorted(hopeful, key=lambda each: each.extra)[:TRIED]


def may_go_together(task: Task, one: Crew, other: Crew) -> bool:
    """Whether these two are different, enough people, and one of them the crew that the task is held to."""
    if one.id == other.id or one.size + other.size < task.visitors:
        return False
    return task.pin is None or task.pin.crew in (None, one.id, other.id)


def common(ones: Spans, others: Spans) -> tuple[int, ...]:
    """The first and the last begin of each stretch that both have; empty where there is none."""
    found: set[int] = set()
    for opens, last in ones:
        for other_opens, other_last in others:
            first, end = max(opens, other_opens), min(last, other_last)
            if first <= end:
                found |= {first, end}
    return tuple(sorted(found))
