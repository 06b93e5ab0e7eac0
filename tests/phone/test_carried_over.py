"""A visit that was not begun on its day and is planned again: its card was wiped from the phone, and comes anew."""

import datetime as dt

from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import Visit
from fieldvisit.phone.changes import Asked, Changes, changes
from fieldvisit.visits import return_unbegun
from fieldvisit.vocabulary import VisitState
from tests.conftest import NOW
from tests.phone.worlds import make_morning, make_plan


def test_a_visit_that_is_planned_again_for_the_next_day_is_told_whole(sessions: sessionmaker[Session]) -> None:
    morning, tomorrow = make_morning(sessions), NOW + dt.timedelta(days=1)

    def pulled(now: dt.datetime, since: str | None = None) -> Changes:
        with acting_for(sessions, morning.world.agency) as session:
            return changes(session, Asked(visitor_id=morning.ilta, language="en", since=since, now=now))

    monday = pulled(NOW)
    with acting_for(sessions, morning.world.agency) as session:
        assert return_unbegun(session, tomorrow, tomorrow.date()) == 1
    with acting_for_all(sessions) as session:
        visit = session.get_one(Visit, morning.visit)
        visit.state, visit.planned_on, visit.not_done, visit.not_done_on = (
            VisitState.PUBLISHED,
            tomorrow.date(),
            None,
            None,
        )
        session.flush()
        make_plan(session, morning.world, [morning.ilta, morning.oona], [visit], on=tomorrow.date())
    assert monday.forget_at < tomorrow
    tuesday = pulled(tomorrow, monday.cursor)
    assert (tuesday.reset, [card.visit_id for card in tuesday.visits]) == (False, [morning.visit])
    assert tuesday.visits[0].briefing is not None
    again = pulled(tomorrow, tuesday.cursor)
    assert (again.routes, again.visits) == ((), ())
