"""A day made of two: one keeps its routes, but for a neighbourhood in which it takes those of the other."""

from collections.abc import Set
from random import Random

from routing.improve.arrays import GROUP, Day
from routing.improve.search import Order

FEWEST, MOST, SHARE = 2, 4, 0.6
"""How many routes a child gives up for those of its other parent, and at most this share of all."""


def crossed(day: Day, mother: Order, father: Order, dice: Random) -> Order:
    """The mother's day with the father's routes around a visit picked by chance.

    What both bring is left with one of them, and what neither brings is absent. Each route stays with its crew or
    goes to one alike, so the child is lawful as far as leaving stops out keeps a route lawful.
    """
    given_up = _around(day, mother, dice)
    gone = {row for crew in given_up for row in mother[crew]}
    child = [() if crew in given_up else rows for crew, rows in enumerate(mother)]
    taken = _take_over(day, child, father, gone)
    kept = [crew for crew, rows in enumerate(child) if rows and crew not in taken]
    room = Room(day)
    for crew in (*kept, *taken) if dice.random() < 0.5 else (*taken, *kept):
        child[crew] = tuple(row for row in child[crew] if room.takes(row))
    return tuple(child)


class Room:
    """Which rows a day has still room for: each once, of a group one, and of a quota no more than may."""

    def __init__(self, day: Day) -> None:
        self.day, self.served, self.left = day, set[int](), day.most.copy()

    def takes(self, row: int) -> bool:
        """Whether there is room for it, which it then takes."""
        counted = [number for number in (self.day.tasks[row, GROUP], *self.day.quotas[row]) if number >= 0]
        if row in self.served or any(self.left[number] < 1 for number in counted):
            return False
        self.served.add(row)
        for number in counted:
            self.left[number] -= 1
        return True


def _around(day: Day, order: Order, dice: Random) -> Set[int]:
    """The crews whose routes come nearest to a visit picked by chance."""
    crew_of = {row: crew for crew, rows in enumerate(order) for row in rows}
    wanted = min(dice.randint(FEWEST, MOST), round(SHARE * sum(1 for rows in order if rows)))
    seed = dice.randrange(len(day.tasks))
    found = dict.fromkeys(crew_of[row] for row in (seed, *day.near[seed].tolist()) if row in crew_of)
    return set(list(found)[: max(1, wanted)])


def _take_over(day: Day, child: list[tuple[int, ...]], father: Order, gone: Set[int]) -> list[int]:
    """Put the father's routes that mostly serve what is gone on crews that are free; the crews that have one now."""
    free = [crew for crew, rows in enumerate(child) if not rows]
    taken: list[int] = []
    for crew, rows in enumerate(father):
        if 2 * sum(row in gone for row in rows) <= len(rows):
            continue
        alike = [other for other in free if day.kinds[other] == day.kinds[crew]]
        if alike:
            target = crew if crew in alike else alike[0]
            free.remove(target)
            child[target] = rows
            taken.append(target)
    return taken
