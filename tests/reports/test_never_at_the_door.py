"""Who turned back before the door has contacted nobody: no attempt is written, and no cap is used."""

import datetime as dt

import pytest
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for_all
from fieldvisit.models import Visit
from fieldvisit.phone.steps import arrive
from fieldvisit.report_drafts import Met
from fieldvisit.reports import abort_visit, report_visit
from fieldvisit.vocabulary import AbortReason, AttemptResult, VisitOutcome, VisitState
from tests.conftest import NOW
from tests.phone.worlds import Morning, arrival, report
from tests.reports.conftest import Tell
from tests.reports.worlds import abort, attempts_by_visit

V, R = VisitOutcome, AttemptResult


@pytest.mark.parametrize("state", [VisitState.PUBLISHED, VisitState.UNDER_WAY])
@pytest.mark.parametrize("outcome", [V.UNSAFE, V.NOT_REACHED, V.ABORTED])
def test_a_visit_that_ended_on_the_way_is_no_contact(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell, state: VisitState, outcome: VisitOutcome
) -> None:
    with acting_for_all(sessions) as session:
        session.get_one(Visit, morning.visit).state = state
    told = tell(abort_visit, abort()) if outcome is V.ABORTED else tell(report_visit, report(outcome))
    assert (told.state, told.facts["attempt_id"], attempts_by_visit(sessions)) == (VisitState.REPORTED, None, [])


def test_to_be_asked_to_leave_is_a_contact_whatever_the_phone_told_before(
    sessions: sessionmaker[Session], tell: Tell
) -> None:
    tell(abort_visit, abort(AbortReason.ASKED_TO_LEAVE))
    assert [result for _, result, _ in attempts_by_visit(sessions)] == [R.REACHED]


@pytest.mark.parametrize("late", [dt.timedelta(), dt.timedelta(days=1)])
@pytest.mark.parametrize(
    ("outcome", "said", "counted"),
    [
        (V.UNSAFE, {}, R.THIRD_PARTY),
        (V.UNSAFE, {"met": Met.NOBODY}, R.NOBODY_HOME),
        (V.NOT_REACHED, {}, R.NOBODY_HOME),
    ],
)
def test_an_arrival_told_after_the_report_makes_it_one_contact(
    sessions: sessionmaker[Session],
    tell: Tell,
    outcome: VisitOutcome,
    said: dict[str, Met],
    counted: AttemptResult,
    late: dt.timedelta,
) -> None:
    ended = report(outcome, **said)
    tell(report_visit, ended)
    assert attempts_by_visit(sessions) == []
    for _ in range(2):
        tell(arrive, arrival(device_at=ended.left_at, sent_at=ended.left_at + late), geofence_m=150, now=NOW + late)
    assert [(at, result) for at, result, _ in attempts_by_visit(sessions)] == [(ended.left_at, counted)]
