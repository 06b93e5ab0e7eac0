"""How long somebody stays at a door: the phone is told the number that a house gave, and going beyond it is flagged."""

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for
from fieldvisit.models import Visit, VisitEvent
from fieldvisit.phone.day import my_visit
from fieldvisit.reports import report_visit
from tests.conftest import NOW
from tests.notices.worlds import switch_on
from tests.phone.worlds import make_morning, report, teller

HALF_AN_HOUR = """
[visit_length]
id = "contract/visit_length/1"
minutes = 30
source = "a contract"
confidence = "house"
"""


@pytest.mark.parametrize(("stayed_s", "flagged"), [(1800, []), (1801, [1801])])
def test_who_stays_longer_than_the_house_says_is_flagged_and_not_refused(
    sessions: sessionmaker[Session], stayed_s: int, flagged: list[int]
) -> None:
    morning = make_morning(sessions)
    switch_on(sessions, morning.world.agency, HALF_AN_HOUR)
    with acting_for(sessions, morning.world.agency) as session:
        card = my_visit(session, morning.ilta, morning.visit, now=NOW)
        assert card.briefing is not None
        assert card.briefing.longest_stay_s == 1800
        visit = session.get_one(Visit, morning.visit)
        visit.arrived_at = NOW - dt.timedelta(seconds=stayed_s)
        report_visit(session, morning.visit, report(left_at=NOW), by=teller(morning.ilta), now=NOW)
        details = session.scalars(sa.select(VisitEvent.detail).where(VisitEvent.kind == "stay_flagged")).all()
    assert [detail["stayed_s"] for detail in details] == flagged
    assert [detail["clause_ids"] for detail in details] == [["contract@pohjola-field/visit_length/1"] for _ in flagged]
