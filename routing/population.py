"""A population of days: short searches that each begin from nothing, then children of two that are searched warm.

The landscape has many deep valleys a few per cent apart, in which whole neighbourhoods are dealt out differently among
the crews: no ruin leads from one to another, and a longer search ends in one of them all the same. Many short ones end
in as many valleys, and a child has the better neighbourhoods of two. Like Prins, *A simple and effective evolutionary
algorithm for the vehicle routing problem*, Computers & Operations Research 31(12), 2004, with the exchange of
routes of Nagata and Kobayashi, *A memetic algorithm for the pickup and delivery problem with time windows using
selective route exchange crossover*, PPSN XI, 2010.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np

from routing.crossing import crossed
from routing.improve.search import Lane, Order, Stretch, Watch, run
from routing.select import Met, standing
from routing.starting import stand

SIZE = 12
FOUNDING_ROUNDS, FOUNDING_HOT = 25, 3.0
"""Rounds for each visit of a search from nothing, and its first temperature in drives to a near neighbour."""
CHILD_ROUNDS, CHILD_HOT = 30, 1.0
"""The same for a child, whose visits are those of its changed routes."""
COLD = 0.08
MOST_MET = 8_000
"""So many routes are kept for the choice, the latest."""


@dataclass(frozen=True)
class Member:
    cost: float
    order: Order


@dataclass
class Population:
    """The best day of each valley, and every route of every day that was met."""

    lanes: Sequence[Lane]
    watch: Watch
    unit: float
    dice: Random
    members: list[Member] = field(default_factory=list)
    met: Met = field(default_factory=dict)
    rounds: int = 0
    """How many each lane has made."""

    @property
    def best(self) -> Member:
        return min(self.members, key=lambda member: member.cost)

    def greet(self, lane: Lane) -> None:
        """Take in the day that a lane stands on."""
        self.members.append(Member(lane.cost(), lane.order()))

    def found(self, enough: Callable[[], bool]) -> None:
        """Search from nothing until it is enough, at least twice; the best are kept."""
        nobody: Order = ((),) * len(self.lanes[0].day.crews)
        while not self.watch.ended and (len(self.members) < 2 or not enough()):
            for lane in self.lanes:
                stand(lane, nobody)
            self.members += self._searched(FOUNDING_ROUNDS * len(self.lanes[0].day.tasks), FOUNDING_HOT)
        self.members = sorted(self.members, key=lambda member: member.cost)[:SIZE]

    def breed(self, enough: Callable[[], bool]) -> None:
        """Let each lane search a child of two members until it is enough; a child that is better than its mother takes
        her place."""
        while not self.watch.ended and not enough():
            mothers = [self._begin_child(lane) for lane in self.lanes]
            visits = sum(lane.seeds for lane in self.lanes) // len(self.lanes)
            for mother, child in zip(mothers, self._searched(CHILD_ROUNDS * visits, CHILD_HOT), strict=True):
                known = any(abs(child.cost - member.cost) < 0.5 for member in self.members)
                if not known and child.cost < self.members[mother].cost:
                    self.members[mother] = child

    def _begin_child(self, lane: Lane) -> int:
        """Let the lane stand on a child, to be searched where it differs from its mother; her number."""
        mother, father = self.dice.sample(range(len(self.members)), 2)
        order = self.members[mother].order
        child = crossed(lane.day, order, self.members[father].order, self.dice)
        stand(lane, child)
        lane.fill()
        absent = np.flatnonzero(lane.routes.crew_of < 0).tolist()
        lane.search_around([row for old, new in zip(order, child, strict=True) if old != new for row in new] + absent)
        return mother

    def _searched(self, rounds: int, hot: float) -> list[Member]:
        """What each lane finds from where it stands."""
        for lane in self.lanes:
            lane.forget()
            lane.keep()
        run(self.lanes, Stretch(hot * self.unit, COLD * self.unit, rounds, None), self.watch)
        self.rounds += rounds
        return [self._harvested(lane) for lane in self.lanes]

    def _harvested(self, lane: Lane) -> Member:
        order = lane.best_order()
        lane.search_around(())
        lane.load(order)
        self.met |= standing(lane)
        while len(self.met) > MOST_MET:
            del self.met[next(iter(self.met))]
        return Member(float(lane.best.cost[0]), order)
