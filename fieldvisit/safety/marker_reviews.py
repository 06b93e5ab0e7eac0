"""Whether a marker still holds is said anew in time, by somebody else than who placed it. One that nobody has reviewed
goes on counting, and those who answer alarms are told of it once a week."""

import datetime as dt
import uuid
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.clock import database_now
from fieldvisit.errors import FieldVisitError, InvalidValue, Kind
from fieldvisit.languages import Message
from fieldvisit.models import Marker, Organisation
from fieldvisit.safety.drafts import check_note
from fieldvisit.safety.drill_reminders import OFFICE_HOURS, tell_office
from fieldvisit.safety.incidents import OwnWriting
from fieldvisit.safety.markers import REVIEWED_WITHIN, lock_marker
from fieldvisit.vocabulary import MessagePurpose


class MarkerNotStanding(FieldVisitError):
    code, kind = "marker_not_standing", Kind.CONFLICT
    says = "This marker was not approved yet, or was withdrawn: there is nothing to review."


@dataclass(frozen=True, kw_only=True)
class MarkerReview:
    """What a review found, and when the next one is due; without a day the marker counts no more."""

    text: str
    review_on: dt.date | None

    def __post_init__(self) -> None:
        check_note(self.text)


def review_marker(session: Session, marker_id: uuid.UUID, review: MarkerReview, by: uuid.UUID) -> Marker:
    """Say that a marker still holds, or end it. No review lets it stand for longer than it was placed for. Raises
    NotFound, MarkerNotStanding, OwnWriting, InvalidValue."""
    marker = lock_marker(session, marker_id)
    if marker.approved_at is None or marker.withdrawn_at is not None:
        raise MarkerNotStanding()
    if marker.placed_by_id == by:
        raise OwnWriting()
    now: dt.datetime = session.scalars(sa.select(database_now())).one()
    if review.review_on is None:
        marker.withdrawn_by_id, marker.withdrawn_at = by, now
    else:
        if not now.date() <= review.review_on <= min(now.date() + REVIEWED_WITHIN, marker.expires_on):
            raise InvalidValue(path="review_on", reason=Message("within six months, and not after it expires"))
        marker.review_on = review.review_on
    marker.reviewed_by_id, marker.reviewed_at, marker.review = by, now, review.text
    session.flush()
    session.refresh(marker, ["review_due"])
    return marker


def remind_of_reviews(session: Session) -> int:
    """Tell what is overdue in all organisations, once a week, by day; how many messages were put out. The session sees
    the rows of all. Asked again it puts out nothing twice."""
    now: dt.datetime = session.scalars(sa.select(database_now())).one()
    overdue = sa.select(Marker.id).where(Marker.org_id == Organisation.id, Marker.review_due).exists()
    put_out = 0
    for org_id, zone in session.execute(sa.select(Organisation.id, Organisation.zone).where(overdue)).all():
        here = now.astimezone(ZoneInfo(zone))
        if here.hour in OFFICE_HOURS:
            year, week, _ = here.isocalendar()
            put_out += tell_office(session, org_id, f"review:{year}-{week}", MessagePurpose.MARKER_REVIEW_DUE)
    return put_out
