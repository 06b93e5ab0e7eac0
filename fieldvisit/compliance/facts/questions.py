"""What is asked: may this visit begin and end then, with these people?"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from fieldvisit.compliance.conduct_parameters import Recorded
from fieldvisit.compliance.facts.staff import StaffFact
from fieldvisit.compliance.intervals import Interval
from fieldvisit.errors import InvalidValue
from fieldvisit.vocabulary import CheckMoment

LONGEST_VISIT = timedelta(hours=12)


class Purpose(StrEnum):
    """What the visit is for. Some texts exempt what is not collection."""

    COLLECTION = "collection"
    REPOSSESSION = "repossession"
    PROCESS_SERVING = "process_serving"
    INSPECTION = "inspection"


@dataclass(frozen=True, kw_only=True)
class Question:
    """May this visit begin and end then, with these people?

    `moment` ELIGIBLE asks before an hour and a crew are known: then both instants may be None, and hours and staff are
    not judged; dates and caps are judged as of `now`, or of `begins_at` where it is given. `staff` None: nobody is
    named yet, and staff is not judged; an empty one is nobody at the door.
    """

    visit_id: str
    moment: CheckMoment
    begins_at: datetime | None = None
    ends_at: datetime | None = None
    staff: tuple[StaffFact, ...] | None = ()
    purpose: Purpose = Purpose.COLLECTION
    recording: frozenset[Recorded] | None = None
    """What is being recorded; None: nobody has said, and it is asked at the door."""

    def __post_init__(self) -> None:
        if (self.begins_at is None) != (self.ends_at is None):
            raise InvalidValue(path="ends_at", reason="is given when, and only when, begins_at is")
        if self.begins_at is None and self.moment is not CheckMoment.ELIGIBLE:
            raise InvalidValue(path="begins_at", reason="is needed at every moment but eligible")
        if self.begins_at is not None and self.ends_at is not None:
            span = Interval(self.begins_at, self.ends_at)
            if span.ends_at - span.begins_at > LONGEST_VISIT:
                raise InvalidValue(path="ends_at", reason="must lie within twelve hours of begins_at")
            object.__setattr__(self, "begins_at", span.begins_at)
            object.__setattr__(self, "ends_at", span.ends_at)
        if self.staff is None:
            return
        if len({fact.visitor_id for fact in self.staff}) < len(self.staff):
            raise InvalidValue(path="staff", reason="names somebody twice")
        object.__setattr__(self, "staff", tuple(sorted(self.staff, key=lambda fact: fact.visitor_id)))

    @property
    def span(self) -> Interval | None:
        return Interval(self.begins_at, self.ends_at) if self.begins_at and self.ends_at else None
