"""The days of a placement are days of the calendar at the debtor's door, east and west of Greenwich."""

import datetime as dt
import uuid
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.clock import shift_clock_to
from fieldvisit.database import Urls, acting_for, acting_for_all
from fieldvisit.errors import Refused
from fieldvisit.gate import open_visits
from fieldvisit.models import Case, Debtor, Place, Placement, Route, Visit
from fieldvisit.phone.routes import CaseTakenBack
from fieldvisit.phone.steps import arrive, set_out
from fieldvisit.phone.telling import Receipt
from fieldvisit.placements import call_off_visits
from fieldvisit.planning.stops import TAKEN_BACK, judge_stops
from fieldvisit.visits import CalledOff, lock_visits, why_cancelled
from fieldvisit.vocabulary import CheckMoment, VisitState
from tests.phone.worlds import Morning, arrival, event, make_morning, teller
from tests.worlds import TODAY

DAY = dt.timedelta(days=1)
EAST, WEST = "Australia/Sydney", "America/Los_Angeles"


def make_far_morning(
    sessions: sessionmaker[Session], urls: Urls, zone: str, clock: dt.time, *, until_on: dt.date
) -> tuple[Morning, dt.datetime]:
    """A visit for TODAY by the clocks of its place, the case placed until that day, and now this hour there."""
    morning = make_morning(sessions)
    now = dt.datetime.combine(TODAY, clock, ZoneInfo(zone)).astimezone(dt.UTC)
    owner = sa.create_engine(urls.owner, poolclass=sa.NullPool)
    shift_clock_to(owner, now)
    with acting_for_all(sessions) as session:
        visit = session.get_one(Visit, morning.visit)
        visit.place.zone = zone
        session.execute(sa.update(Placement).where(Placement.case_id == visit.case_id).values(until_on=until_on))
    return morning, now


def come(sessions: sessionmaker[Session], morning: Morning, now: dt.datetime) -> Receipt | Refused:
    with acting_for(sessions, morning.world.agency) as session:
        return arrive(session, morning.visit, arrival(), by=teller(morning.ilta), now=now, geofence_m=150)


def call_off(sessions: sessionmaker[Session], morning: Morning, now: dt.datetime) -> object:
    """Why the lender's upkeep cancelled the visit, or the state in which it left it."""
    with acting_for(sessions, morning.world.lender) as session:
        call_off_visits(session, now)
    with acting_for_all(sessions) as session:
        visit = session.get_one(Visit, morning.visit)
        return why_cancelled(visit) if visit.state is VisitState.CANCELLED else visit.state


def test_nobody_goes_after_the_last_day_was_over_at_the_door(sessions: sessionmaker[Session], urls: Urls) -> None:
    morning, now = make_far_morning(sessions, urls, EAST, dt.time(10, 30), until_on=TODAY - DAY)
    assert now.date() == TODAY - DAY, "in Greenwich it is still the last day"
    answer = come(sessions, morning, now)
    assert isinstance(answer, Refused)
    assert isinstance(answer.error, CaseTakenBack)
    with acting_for(sessions, morning.world.agency) as session, pytest.raises(CaseTakenBack):
        set_out(session, morning.visit, event(), by=teller(morning.ilta), now=now)
    assert call_off(sessions, morning, now) is CalledOff.PLACEMENT_ENDED


def test_what_ends_before_the_day_is_published_for_nobody(sessions: sessionmaker[Session], urls: Urls) -> None:
    morning, now = make_far_morning(sessions, urls, EAST, dt.time(10, 30), until_on=TODAY - DAY)
    with acting_for(sessions, morning.world.agency) as session:
        visits = lock_visits(session, morning.visits)
        routes = session.scalars(sa.select(Route)).all()
        (judged,) = judge_stops(session, routes, visits, moment=CheckMoment.PUBLISHING, now=now)
    assert judged.refused_by == (TAKEN_BACK,)


def test_the_last_day_lasts_until_midnight_at_the_door(sessions: sessionmaker[Session], urls: Urls) -> None:
    morning, now = make_far_morning(sessions, urls, WEST, dt.time(16, 30), until_on=TODAY)
    assert now.date() == TODAY + DAY, "in Greenwich the last day is over"
    assert call_off(sessions, morning, now) is VisitState.PUBLISHED
    answer = come(sessions, morning, now)
    assert isinstance(answer, Receipt)
    assert answer.state is VisitState.ARRIVED


def seen(sessions: sessionmaker[Session], morning: Morning) -> tuple[int, ...]:
    with acting_for(sessions, morning.world.agency) as session:
        tables = (Case, Debtor, Place)
        return tuple(session.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in tables)


@pytest.mark.parametrize(("clock", "sees"), [(dt.time(23, 59), (1, 1, 1)), (dt.time(0, 1), (0, 0, 0))])
def test_the_rows_are_shut_when_the_last_day_is_over_at_the_door(
    sessions: sessionmaker[Session], urls: Urls, clock: dt.time, sees: tuple[int, ...]
) -> None:
    over = clock < dt.time(12)
    morning, _ = make_far_morning(sessions, urls, WEST, clock, until_on=TODAY - DAY if over else TODAY)
    assert seen(sessions, morning) == sees


def test_the_first_day_begins_at_midnight_at_the_door(sessions: sessionmaker[Session], urls: Urls) -> None:
    morning, now = make_far_morning(sessions, urls, EAST, dt.time(8), until_on=TODAY)
    with acting_for_all(sessions) as session:
        session.execute(sa.update(Placement).values(from_on=TODAY))
        session.get_one(Visit, morning.visit).state = VisitState.EXPIRED
    assert seen(sessions, morning) == (1, 1, 1)
    with acting_for(sessions, morning.world.agency) as session:
        assert open_visits(session, morning.world.agency, now).looked_at == 1
    assert _looked_at(sessions, morning.world.lender, now) == 0


def _looked_at(sessions: sessionmaker[Session], org_id: uuid.UUID, now: dt.datetime) -> int:
    with acting_for(sessions, org_id) as session:
        return open_visits(session, org_id, now).looked_at
