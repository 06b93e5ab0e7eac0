"""Attempts to reach the debtor, those to come, and what was announced to them."""

from dataclasses import dataclass
from datetime import date, datetime

from fieldvisit.compliance.intervals import Interval, utc
from fieldvisit.compliance.parameters import NoticeAbout, NoticeContent, NoticeForm
from fieldvisit.errors import InvalidValue
from fieldvisit.vocabulary import AttemptResult, Channel, ReachedDetail


@dataclass(frozen=True, kw_only=True)
class AttemptFact:
    """One contact attempt of the debtor, by whichever organisation, on whichever of their cases. A visit that arrived
    and was not reported is one as well, under its own id, as a talk; among the facts of that visit itself it is not."""

    id: str
    at: datetime
    channel: Channel
    result: AttemptResult
    detail: ReachedDetail | None = None
    contact_point_id: str | None = None
    """The number or address; for a visit, the place."""
    case_id: str | None = None
    creditor_id: str | None = None
    zone: str | None = None
    """Whose calendar its date is of, where that is not the one of the policy's clock: the place of the event."""
    notice: bool = False
    """A notice that was sent, and no attempt to talk: some caps leave those out."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", utc(self.at, "at"))
        if self.detail is not None and self.result is not AttemptResult.REACHED:
            raise InvalidValue(path="detail", reason="belongs to the result reached alone")


@dataclass(frozen=True, kw_only=True)
class PlannedVisitFact:
    """A live reservation of this debtor: a visit in a draft or published plan whose crew is not at the door yet."""

    visit_id: str
    planned_on: date
    case_id: str | None = None
    creditor_id: str | None = None
    place_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class NoticeFact:
    """Something that was announced to the debtor. `sent_at` None: it waits to be sent; `received_at` None: it is not
    known to have arrived. `visit_id` and `announced` of a visit: which, and the hours that were named; a visit that
    moves out of them was not announced."""

    id: str
    about: NoticeAbout
    sent_at: datetime | None
    form: NoticeForm = NoticeForm.WRITTEN
    received_at: datetime | None = None
    visit_id: str | None = None
    announced: Interval | None = None
    contents: frozenset[NoticeContent] = frozenset()

    def __post_init__(self) -> None:
        if self.sent_at is not None:
            object.__setattr__(self, "sent_at", utc(self.sent_at, "sent_at"))
        if self.received_at is not None:
            object.__setattr__(self, "received_at", utc(self.received_at, "received_at"))
