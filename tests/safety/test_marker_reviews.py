"""A marker is reviewed in time by another person; one that is not goes on counting, and it is told that it waits."""

import datetime as dt
import uuid

import pytest
import sqlalchemy as sa

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import InvalidValue
from fieldvisit.models import Marker, OfficerContact, OutboxMessage
from fieldvisit.safety.incidents import OwnWriting
from fieldvisit.safety.marker_reviews import MarkerNotStanding, MarkerReview, remind_of_reviews, review_marker
from fieldvisit.safety.markers import MarkersUnread
from fieldvisit.safety.pairs import PairNeeded
from fieldvisit.safety.wording import write
from fieldvisit.vocabulary import MessagePurpose
from tests.safety.test_markers import DAY, LATER, SOON, Dangerous, dangerous
from tests.safety.worlds import MINUTE
from tests.worlds import TODAY

__all__ = ["dangerous"]
DAY_S = 24 * 60 * MINUTE
FOUND = "The dog is there still."


def reviews(
    dangerous: Dangerous, marker_id: uuid.UUID, *, review_on: dt.date | None, by: uuid.UUID | None = None
) -> Marker:
    door, review = dangerous.door, MarkerReview(text=FOUND, review_on=review_on)
    with acting_for(door.sessions, door.world.agency) as session:
        return review_marker(session, marker_id, review, by or dangerous.supervisor_id)


def overdue(dangerous: Dangerous) -> list[uuid.UUID]:
    with acting_for(dangerous.door.sessions, dangerous.door.world.agency) as session:
        return list(session.scalars(sa.select(Marker.id).where(Marker.review_due)))


def remind(dangerous: Dangerous) -> int:
    with acting_for_all(dangerous.door.sessions) as session:
        return remind_of_reviews(session)


def test_until_it_is_reviewed_it_goes_on_counting_and_that_is_told_once_a_week_by_day(dangerous: Dangerous) -> None:
    marker_id, clock = dangerous.marks(), dangerous.door.clock
    clock.pass_s((SOON - TODAY).days * DAY_S)
    assert (overdue(dangerous), remind(dangerous)) == ([], 0), "the day itself is not over"
    clock.pass_s(DAY_S)
    assert overdue(dangerous) == [marker_id]
    assert [remind(dangerous), remind(dangerous)] == [2, 0], "two officers, once"
    clock.pass_s(7 * DAY_S + 12 * 60 * MINUTE)
    assert remind(dangerous) == 0, "by night"
    clock.pass_s(12 * 60 * MINUTE)
    assert remind(dangerous) == 2
    with pytest.raises(MarkersUnread):
        dangerous.starts()
    dangerous.reads(marker_id)
    with pytest.raises(PairNeeded):
        dangerous.starts()
    row = reviews(dangerous, marker_id, review_on=LATER)
    assert (row.review_due, row.reviewed_by_id, row.review) == (False, dangerous.supervisor_id, FOUND)
    clock.pass_s(7 * DAY_S)
    assert (overdue(dangerous), remind(dangerous)) == ([], 0)


def test_it_is_reviewed_by_another_person_for_six_months_at_most_and_never_past_its_expiry(
    dangerous: Dangerous,
) -> None:
    marker_id = dangerous.marks()
    with pytest.raises(OwnWriting):
        reviews(dangerous, marker_id, review_on=SOON, by=dangerous.officer_id)
    for day in (TODAY - DAY, TODAY + 184 * DAY):
        with pytest.raises(InvalidValue):
            reviews(dangerous, marker_id, review_on=day)
    assert reviews(dangerous, marker_id, review_on=TODAY + 183 * DAY).expires_on == LATER
    dangerous.door.clock.pass_s(100 * DAY_S)
    with pytest.raises(InvalidValue):
        reviews(dangerous, marker_id, review_on=LATER + DAY)


def test_a_review_may_end_it_also_once_it_has_expired(dangerous: Dangerous) -> None:
    unapproved, marker_id = dangerous.marks(approved=False), dangerous.marks()
    dangerous.door.clock.pass_s(201 * DAY_S)
    assert overdue(dangerous) == [marker_id]
    ended = reviews(dangerous, marker_id, review_on=None)
    assert (ended.withdrawn_by_id, ended.review_due, overdue(dangerous)) == (dangerous.supervisor_id, False, [])
    for each in (marker_id, unapproved):
        with pytest.raises(MarkerNotStanding):
            reviews(dangerous, each, review_on=None)


def test_it_is_told_in_the_readers_language(dangerous: Dangerous) -> None:
    dangerous.marks()
    with acting_for_all(dangerous.door.sessions) as session:
        of_one = OfficerContact.account_id == dangerous.officer_id
        session.execute(sa.update(OfficerContact).where(of_one).values(language="zh_CN"))
    dangerous.door.clock.pass_s(91 * DAY_S)
    assert remind(dangerous) == 2
    with acting_for_all(dangerous.door.sessions) as session:
        found = sa.select(OutboxMessage.id).where(OutboxMessage.purpose == MessagePurpose.MARKER_REVIEW_DUE)
        said = {getattr(each, "text", "") for each in write(session, session.scalars(found).all()).values()}
    assert any(each.startswith("有风险标记已过复审日期") for each in said)
    assert any(each.startswith("The day has passed on which a marker") for each in said)
