"""What the picture of a plan shows, and nothing more: no names of debtors, no amounts."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from fieldvisit.languages import Message

OFFICE = Message("the office")
HOME = Message("home of the crew's lead")


@dataclass(frozen=True, kw_only=True)
class StopView:
    """One visit of a route. Instants are aware; `travel_s` is the way here; `number` counts from 1 along the route.
    `begun`: somebody is there, or was; its times are those of the plan all the same. `with_crew`: the other crew that
    begins it in the same second."""

    number: int
    reference: str
    address: str
    lat: float
    lon: float
    arrive_at: datetime
    begin_at: datetime
    end_at: datetime
    travel_s: int
    begun: bool = False
    with_crew: str | None = None

    def __post_init__(self) -> None:
        _check_aware(self.arrive_at, self.begin_at, self.end_at)
        if not self.arrive_at <= self.begin_at <= self.end_at:
            raise ValueError(f"visit {self.reference}: arrival, beginning and end are not in order")


@dataclass(frozen=True, kw_only=True)
class EndView:
    """Where a crew's day begins or ends; the label is general (`OFFICE`, `HOME`): it says not whose home."""

    label: Message | str
    lat: float
    lon: float


@dataclass(frozen=True, kw_only=True)
class RouteView:
    """A crew's day. `path` are (lon, lat) along roads; `end` is None where the day ends with the last visit.

    `colour` picks one of eight colours, modulo; `break_at` is None where there is no break.
    """

    crew: str
    members: int
    colour: int
    start: EndView
    end: EndView | None
    depart_at: datetime
    return_at: datetime
    travel_s: int
    wait_s: int
    path: tuple[tuple[float, float], ...]
    stops: tuple[StopView, ...]
    travel_m: int | None = None
    break_at: datetime | None = None
    break_s: int = 0

    def __post_init__(self) -> None:
        _check_aware(self.depart_at, self.return_at, *([self.break_at] if self.break_at else []))
        if [stop.number for stop in self.stops] != list(range(1, len(self.stops) + 1)):
            raise ValueError(f"crew {self.crew}: stops are not numbered from 1 in order")
        # A crew that is early goes on from where it is: before the end that was planned for what it has begun.
        ahead = (stop for stop in self.stops if not stop.begun)
        if any(later.arrive_at < earlier.end_at for earlier, later in pairwise(ahead)):
            raise ValueError(f"crew {self.crew}: stops are not in order of time")


@dataclass(frozen=True, kw_only=True)
class UnservedView:
    """A visit left out: why, in one sentence or one word of the vocabulary, and what else there is to say."""

    reference: str
    address: str
    reason: Message | StrEnum | str
    remarks: tuple[Message | str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PlanView:
    """A plan of one area and date. Times are shown in `zone`; `version` is None for a draft.

    `cost` is in the seconds that prices are stated in; `travel_source` says where the travel times come from.
    """

    area: str
    planned_on: date
    zone: ZoneInfo
    version: int | None
    travel_source: Message | StrEnum | str
    cost: int | None
    routes: tuple[RouteView, ...]
    unserved: tuple[UnservedView, ...]


def _check_aware(*instants: datetime) -> None:
    if any(instant.utcoffset() is None for instant in instants):
        raise ValueError("an instant without a time zone cannot be shown")
