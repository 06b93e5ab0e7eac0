"""A planned day: routes, and a reason for every task that has none. Any maker's plan, right or wrong, fits in here."""

from dataclasses import dataclass
from enum import Enum


class Reason(Enum):
    """Why a task is not served."""

    UNREACHABLE = "unreachable"
    NO_CREW_OFFERS = "no_crew_offers"
    NO_CREW_LARGE_ENOUGH = "no_crew_large_enough"
    OUTSIDE_EVERY_SHIFT = "outside_every_shift"
    WINDOW_TOO_SHORT = "window_too_short"
    OVER_LIMIT = "over_limit"
    PIN_CONTRADICTS = "pin_contradicts"
    GROUP_TAKEN = "group_taken"
    QUOTA_FULL = "quota_full"
    NO_ROOM = "no_room"
    NOT_WORTH_ITS_COST = "not_worth_its_cost"


@dataclass(frozen=True, kw_only=True)
class Stop:
    """One service on a route, in seconds from the problem's origin."""

    task: str
    arrive_s: int
    begin_s: int
    end_s: int


@dataclass(frozen=True, kw_only=True)
class Route:
    """One crew's day. `break_begin_s` is None when the route has no break."""

    crew: str
    depart_s: int
    return_s: int
    travel_s: int
    wait_s: int
    stops: tuple[Stop, ...]
    break_begin_s: int | None = None


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """A change that was solved again and works: what to change, the cost then, and which tasks fall out."""

    change: str
    cost: int
    displaces: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Unserved:
    """A task left out. `detail`: why not, per crew id, or the ids of the tasks that hold the place."""

    task: str
    reason: Reason
    detail: dict[str, str] | tuple[str, ...] | None = None
    remedy: Remedy | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Routes in the problem's order of crews. `bound` holds for the whole problem, `pool_bound` for the routes met."""

    cost: int
    mandatory_left: int
    routes: tuple[Route, ...] = ()
    unserved: tuple[Unserved, ...] = ()
    bound: int | None = None
    pool_bound: int | None = None
    engine: str = ""
    seed: int = 0
    iterations: int = 0
    seconds: float = 0.0

    @property
    def rank(self) -> tuple[int, int]:
        """Plans are compared by mandatory tasks left out, then by cost."""
        return self.mandatory_left, self.cost
