"""Every address of those who answer alarms is tested each week, by day, and the canary's never by this."""

import datetime as dt

import sqlalchemy as sa

from fieldvisit.database import acting_for_all
from fieldvisit.models import OfficerContact, OutboxMessage
from fieldvisit.safety.contact_tests import try_contacts
from fieldvisit.vocabulary import MessagePurpose
from tests.safety.worlds import Door

HELSINKI = dt.timezone(dt.timedelta(hours=2))


def try_at(door: Door, moment: dt.datetime) -> int:
    with acting_for_all(door.sessions) as session:
        now: dt.datetime = session.scalars(sa.select(sa.func.fieldvisit_now())).one()
    door.clock.pass_s((moment - now).total_seconds())
    with acting_for_all(door.sessions) as session:
        return try_contacts(session)


def test_each_address_is_tested_once_a_week_by_day(door: Door) -> None:
    with acting_for_all(door.sessions) as session:
        now: dt.datetime = session.scalars(sa.select(sa.func.fieldvisit_now())).one()
        session.execute(sa.update(OfficerContact).values(tested_at=now))
    noon = now.astimezone(HELSINKI).replace(hour=12, minute=0)
    due = noon + dt.timedelta(days=8)
    moments = (noon + dt.timedelta(days=6), due.replace(hour=3), due, due + dt.timedelta(hours=1))
    assert [try_at(door, moment) for moment in moments] == [0, 0, 4, 0], "two officers, two addresses each"
    with acting_for_all(door.sessions) as session:
        found = session.scalars(sa.select(OutboxMessage)).all()
        assert {each.purpose for each in found} == {MessagePurpose.CONTACT_TEST}
        session.execute(sa.update(OfficerContact).values(active=False))
    assert try_at(door, due + dt.timedelta(days=8)) == 0
