"""A search of all states, breadth first: the first fault that is found has the shortest story."""

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field


class Fault(AssertionError):
    """What may never be, and the moves that led there."""

    def __init__(self, what: str, story: Iterable[str]) -> None:
        self.what, self.story = what, tuple(story)
        super().__init__(f"{what}\n  after: " + "\n         ".join(self.story))


@dataclass(frozen=True)
class Step[State]:
    """What a move led to, and what of it may never be (empty where nothing is wrong)."""

    move: str
    after: State
    faults: tuple[str, ...] = ()


@dataclass
class Searched:
    """How much was looked at, and how many states were found in all; `whole` where nothing was left to look at."""

    states: int = 0
    found: int = 0
    transitions: int = 0
    deepest: int = 0
    whole: bool = False
    tried: int = 0
    """So many of the transitions were made in the database, and each state of it judged, of which there are:"""
    different: int = 0
    by_move: dict[str, int] = field(default_factory=dict)


def search[State](
    start: Iterable[State],
    *,
    key: Callable[[State], Hashable],
    steps: Callable[[State], tuple[list[str], list[Step[State]]]],
    limit: int,
) -> Searched:
    """Look at up to `limit` states. `steps` gives what is wrong with a state itself, and all that follows it. Raises
    Fault for the first thing that may never be."""
    seen = Searched()
    cause: dict[Hashable, tuple[Hashable | None, str]] = {}
    waiting: deque[tuple[State, Hashable, int]] = deque()
    for state in start:
        cause.setdefault(key(state), (None, "it begins"))
        waiting.append((state, key(state), 0))
    while waiting:
        seen.found = len(cause)
        if seen.states == limit:
            return seen
        state, name, depth = waiting.popleft()
        seen.states, seen.deepest = seen.states + 1, max(seen.deepest, depth)
        wrong, following = steps(state)
        if wrong:
            raise Fault(wrong[0], _story(cause, name))
        for step in following:
            seen.transitions += 1
            seen.by_move[step.move] = seen.by_move.get(step.move, 0) + 1
            if step.faults:
                raise Fault(step.faults[0], [*_story(cause, name), step.move])
            after = key(step.after)
            if after not in cause:
                cause[after] = (name, step.move)
                waiting.append((step.after, after, depth + 1))
    seen.found, seen.whole = len(cause), True
    return seen


def _story(cause: dict[Hashable, tuple[Hashable | None, str]], name: Hashable | None) -> list[str]:
    moves = []
    while name is not None:
        name, move = cause[name]
        moves.append(move)
    return moves[::-1]
