"""When two crews have to meet at a door, because none of the day is large enough alone.

The planning format knows one crew or two for a task, not either. So a visit goes to one crew wherever some crew of the
day could make it alone, and to two only where nobody could.
"""

from collections.abc import Iterable, Set

from fieldvisit.planning.crews import AT_MOST, at_most

type Offer = tuple[Set[str], int]
"""What a crew offers, and how many people it is."""


def crews_needed(visitors: int, requires: Set[str], crews: Iterable[Offer]) -> int:
    """1, or 2 where so many people only come together as two of these crews."""
    known = list(crews)
    if visitors < 2 or any(size >= visitors and requires <= offers for offers, size in known):
        return 1
    sizes = sorted(size for offers, size in known if of_each(requires) <= offers)
    return 2 if len(sizes) > 1 and sizes[-1] + sizes[-2] >= visitors else 1


def of_each(requires: Set[str]) -> frozenset[str]:
    """What each of two crews has to offer. Where only so many people may be at a door, each brings half of them."""
    return frozenset(at_most(_most(need) // 2) if need.startswith(AT_MOST) else need for need in requires)


def sizes_of(asked: Iterable[tuple[int, Set[str]]]) -> frozenset[int]:
    """The largest sizes that are asked for by visits that need so many people and require this: of one crew, and of
    each of two."""
    sizes = set()
    for visitors, requires in asked:
        most = {_most(need) for need in requires if need.startswith(AT_MOST)}
        sizes |= most if visitors < 2 else most | {each // 2 for each in most}
    return frozenset(sizes)


def _most(need: str) -> int:
    return int(need.removeprefix(AT_MOST))
