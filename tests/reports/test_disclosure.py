"""Who established at the door whom they spoke with may tell that the debt was spoken of; they are believed late."""

import datetime as dt
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import InvalidValue
from fieldvisit.models import IdentityCheck, Placement, Promise, Visit
from fieldvisit.phone.steps import check_identity
from fieldvisit.report_demands import IdentityNotConfirmed
from fieldvisit.report_drafts import ReportDraft
from fieldvisit.reports import get_report, report_visit
from fieldvisit.visits import return_unbegun
from fieldvisit.vocabulary import DayPlanState, IdentityMethod, IdentityResult, VisitOutcome, VisitState
from tests.conftest import NOW
from tests.phone.worlds import Morning, identity, make_plan, report
from tests.reports.conftest import Tell
from tests.reports.worlds import promise
from tests.worlds import TODAY

DAY = dt.timedelta(days=1)


def spoken_of(**given: Any) -> ReportDraft:
    """A report in which the debt was spoken of."""
    return report(VisitOutcome.MET_DEBTOR, disclosed=True, **given)


def confirmed_before(sessions: sessionmaker[Session], morning: Morning, *, by: uuid.UUID, at: dt.datetime) -> None:
    with acting_for(sessions, morning.world.agency) as session:
        visit = session.get_one(Visit, morning.visit)
        check = IdentityCheck(visit_id=visit.id, visitor_id=by, org_id=visit.org_id, lender_id=visit.lender_id, at=at)
        check.method, check.result = IdentityMethod.DOCUMENT_SEEN, IdentityResult.CONFIRMED
        session.add(check)


def test_a_confirmation_of_an_earlier_day_does_not_count(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell, at_the_door: None
) -> None:
    confirmed_before(sessions, morning, by=morning.ilta, at=NOW - DAY)
    with pytest.raises(IdentityNotConfirmed):
        tell(report_visit, spoken_of())


def test_a_confirmation_by_another_crew_does_not_count(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell, at_the_door: None
) -> None:
    confirmed_before(sessions, morning, by=morning.outsider, at=NOW)
    with pytest.raises(IdentityNotConfirmed):
        tell(report_visit, spoken_of())


def test_a_later_check_takes_the_earlier_back(tell: Tell, identified: None) -> None:
    tell(check_identity, identity(IdentityResult.SOMEONE_ELSE), now=NOW + dt.timedelta(minutes=5))
    with pytest.raises(IdentityNotConfirmed):
        tell(report_visit, spoken_of())


def test_a_confirmation_without_an_arrival_does_not_count_while_one_can_be_told(tell: Tell) -> None:
    tell(check_identity, identity())
    with pytest.raises(IdentityNotConfirmed):
        tell(report_visit, spoken_of())


def test_a_phone_without_signal_all_day_tells_identity_and_promise_the_day_after(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell
) -> None:
    tomorrow = NOW + DAY
    with acting_for(sessions, morning.world.agency) as session:
        assert return_unbegun(session, tomorrow, tomorrow.date()) == 1
    tell(check_identity, identity(), now=tomorrow)
    told = spoken_of(promises=(promise(),))
    assert tell(report_visit, told, now=tomorrow).state is VisitState.REPORTED


def test_the_crew_of_a_plan_that_was_replaced_is_believed(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell
) -> None:
    with acting_for_all(sessions) as session:
        visit = session.get_one(Visit, morning.visit)
        make_plan(session, morning.world, [morning.outsider], [visit], state=DayPlanState.SUPERSEDED)
    tell(check_identity, identity(), by=morning.outsider)
    assert tell(report_visit, spoken_of(), by=morning.outsider).state is VisitState.REPORTED


def test_a_promise_made_before_the_case_was_taken_back_is_kept(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell, identified: None
) -> None:
    with acting_for_all(sessions) as session:
        session.execute(sa.update(Placement).values(until_on=TODAY - DAY))
    tell(report_visit, spoken_of(promises=(promise(),)))
    with acting_for(sessions, morning.world.lender) as session:
        assert session.scalars(sa.select(Promise.amount_minor)).all() == [5_000]


def test_a_crew_mate_s_account_of_what_was_said_of_the_debt_needs_a_check_like_a_report(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell
) -> None:
    tell(report_visit, report())
    told = spoken_of(promises=(promise(),))
    with pytest.raises(IdentityNotConfirmed):
        tell(report_visit, told, by=morning.oona)
    with acting_for(sessions, morning.world.agency) as session:
        assert get_report(session, morning.visit).additions == []
    tell(check_identity, identity(), by=morning.oona)
    assert tell(report_visit, told, by=morning.oona).facts["addition_id"] == str(told.event_id)


@pytest.mark.parametrize("off", [DAY, -31 * DAY])
def test_a_crew_mate_has_left_at_a_time_that_can_be(morning: Morning, tell: Tell, off: dt.timedelta) -> None:
    tell(report_visit, report())
    with pytest.raises(InvalidValue, match="left_at"):
        tell(report_visit, report(left_at=NOW + off), by=morning.oona)
