"""What a report needs and what it changes."""

import datetime as dt
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import InvalidValue, NotFound
from fieldvisit.models import (
    Case,
    ContactAttemptKey,
    Promise,
    Visit,
    VisitReport,
)
from fieldvisit.phone.steps import check_identity
from fieldvisit.report_demands import IdentityNotConfirmed
from fieldvisit.report_drafts import (
    AdditionDraft,
)
from fieldvisit.reports import (
    VisitAlreadyReported,
    add_to_report,
    get_report,
    report_visit,
)
from fieldvisit.visits import (
    WrongState,
    close_visit,
    history_of,
)
from fieldvisit.vocabulary import (
    AttemptResult,
    BlockScope,
    BlockTrigger,
    NextStep,
    PaymentMethod,
    PromiseState,
    ReachedDetail,
    VisitOutcome,
    VisitState,
)
from tests.conftest import NOW
from tests.phone.worlds import Morning, identity, report, teller
from tests.reports.conftest import Tell
from tests.reports.worlds import NEXT_WEEK, attempts_by_visit, blocks, promise, visit_of
from tests.worlds import TODAY

V, R, D = VisitOutcome, AttemptResult, ReachedDetail


def test_a_report_moves_the_visit_and_settles_it_as_one_attempt(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell, at_the_door: None
) -> None:
    left_at, later = NOW + dt.timedelta(minutes=15), NOW + dt.timedelta(minutes=25)
    draft = report(V.NOBODY, left_at=left_at)
    receipt = tell(report_visit, draft, now=later)
    visit = visit_of(sessions, morning)
    assert (visit.state, visit.outcome, visit.ended_at) == (VisitState.REPORTED, V.NOBODY, left_at)
    assert attempts_by_visit(sessions) == [(left_at, R.NOBODY_HOME, None)]
    assert receipt.facts["report_id"] == str(draft.event_id)
    assert receipt.state is VisitState.REPORTED
    with acting_for_all(sessions) as session:
        (key,) = session.scalars(sa.select(ContactAttemptKey).where(ContactAttemptKey.source == "visit"))
    assert (key.external_id, str(key.attempt_id)) == (str(morning.visit), receipt.facts["attempt_id"])


def test_the_debt_is_spoken_of_only_after_a_confirmed_identity(tell: Tell, at_the_door: None) -> None:
    with pytest.raises(IdentityNotConfirmed):
        tell(report_visit, report(V.MET_DEBTOR, disclosed=True))
    with pytest.raises(IdentityNotConfirmed):
        tell(report_visit, report(V.MET_DEBTOR, promises=(promise(),)))
    tell(check_identity, identity())
    assert tell(report_visit, report(V.MET_DEBTOR, disclosed=True)).state is VisitState.REPORTED


def test_a_promise_is_kept_and_the_attempt_says_promised(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell, identified: None
) -> None:
    tell(
        report_visit, report(V.MET_DEBTOR, disclosed=True, promises=(promise(), promise(due_on=TODAY.replace(day=20))))
    )
    with acting_for_all(sessions) as session:
        kept = get_report(session, morning.visit).promises
        told = [(p.amount_minor, p.currency, p.due_on, p.method, p.state, p.case_id) for p in kept]
        case_id = session.get_one(Visit, morning.visit).case_id
    terms = (PaymentMethod.TRANSFER, PromiseState.OPEN, case_id)
    assert told == [(5_000, "EUR", NEXT_WEEK, *terms), (5_000, "EUR", TODAY.replace(day=20), *terms)]
    assert attempts_by_visit(sessions) == [(NOW, R.REACHED, D.PROMISED)]


@pytest.mark.parametrize(
    ("given", "path"),
    [({"currency": "SEK"}, "promises.currency"), ({"due_on": TODAY}, "promises.due_on")],
)
def test_a_promise_that_cannot_be_is_refused(
    sessions: sessionmaker[Session], tell: Tell, identified: None, given: dict[str, Any], path: str
) -> None:
    with pytest.raises(InvalidValue) as refused:
        tell(report_visit, report(V.MET_DEBTOR, promises=(promise(**given),)))
    assert refused.value.details["path"] == path
    assert attempts_by_visit(sessions) == []
    with acting_for_all(sessions) as session:
        assert session.scalars(sa.select(Promise)).all() == []


@pytest.mark.parametrize("minutes", [6, -30 * 24 * 60 - 1])
def test_a_time_of_leaving_that_cannot_be_is_refused(tell: Tell, minutes: int) -> None:
    with pytest.raises(InvalidValue, match="left_at"):
        tell(report_visit, report(left_at=NOW + dt.timedelta(minutes=minutes)))


def test_a_clock_that_runs_ahead_a_little_counts_as_now(sessions: sessionmaker[Session], tell: Tell) -> None:
    tell(report_visit, report(left_at=NOW + dt.timedelta(minutes=4)))
    assert attempts_by_visit(sessions) == [(NOW, R.NOBODY_HOME, None)]


def test_the_same_report_again_gets_the_same_answer(sessions: sessionmaker[Session], tell: Tell) -> None:
    draft = report()
    assert tell(report_visit, draft) == tell(report_visit, draft, now=NOW + dt.timedelta(days=2))
    assert len(attempts_by_visit(sessions)) == 1


def test_a_second_different_report_of_the_same_visitor_is_refused(sessions: sessionmaker[Session], tell: Tell) -> None:
    first = report()
    tell(report_visit, first)
    with pytest.raises(VisitAlreadyReported) as refused:
        tell(report_visit, report())
    assert refused.value.details["report_id"] == first.event_id
    assert len(attempts_by_visit(sessions)) == 1


def test_a_crew_mates_report_becomes_an_addition_with_everything_said(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell, identified: None
) -> None:
    tell(report_visit, report(V.MET_DEBTOR))
    mate = report(V.MET_DEBTOR, willing=False, disputed=True, promises=(promise(),), note="He said it was paid.")
    receipt = tell(report_visit, mate, by=morning.oona)
    with acting_for_all(sessions) as session:
        (addition,) = get_report(session, morning.visit).additions
    assert (addition.visitor_id, str(addition.id)) == (morning.oona, receipt.facts["addition_id"])
    assert addition.text.splitlines() == [
        "outcome: met_debtor",
        "left_at: 2026-03-03 07:00:00+00:00",
        "disclosed: False",
        "willing: False",
        "hardship: False",
        "vulnerable: False",
        "disputed: True",
        "next_step: call",
        "promise: 5000 EUR 2026-03-10 transfer",
        "He said it was paid.",
    ]
    assert blocks(sessions) == [(BlockTrigger.DISPUTE, BlockScope.VISITS)]
    assert len(attempts_by_visit(sessions)) == 1


def test_a_crew_mates_long_report_is_kept_whole(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell, at_the_door: None
) -> None:
    tell(report_visit, report(V.REFUSED))
    mate = report(V.REFUSED, note="n" * 4_000, reason_for_arrears="r" * 4_000)
    tell(report_visit, mate, by=morning.oona)
    with acting_for_all(sessions) as session:
        (addition,) = get_report(session, morning.visit).additions
    assert "n" * 4_000 in addition.text
    assert "r" * 4_000 in addition.text


def test_a_report_is_amended_by_addition_only(sessions: sessionmaker[Session], morning: Morning, tell: Tell) -> None:
    addition = AdditionDraft(event_id=uuid.uuid4(), text="The bell\nis broken.")
    with pytest.raises(NotFound, match="report"):
        tell(add_to_report, addition)
    tell(report_visit, report(note="Nobody."))
    tell(add_to_report, addition)
    tell(add_to_report, addition)
    with acting_for_all(sessions) as session:
        kept = get_report(session, morning.visit)
        assert (kept.note, [added.text for added in kept.additions]) == ("Nobody.", ["The bell\nis broken."])


def test_the_office_closes_a_reported_visit_with_the_next_step(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell
) -> None:
    with (
        pytest.raises(WrongState),
        acting_for(sessions, morning.world.agency) as session,
    ):
        close_visit(session, morning.visit, next_step=NextStep.CALL, now=NOW)
    tell(report_visit, report(V.REFUSED, next_step=NextStep.VISIT_AGAIN))
    with acting_for(sessions, morning.world.agency) as session:
        close_visit(session, morning.visit, next_step=NextStep.HAND_OVER, now=NOW)
        entry = history_of(session, morning.visit)[-1]
        assert (entry.kind, entry.detail) == ("closed", {"next_step": "hand_over"})
        assert get_report(session, morning.visit).next_step is NextStep.VISIT_AGAIN
    visit = visit_of(sessions, morning)
    assert (visit.state, visit.next_step) == (VisitState.CLOSED, NextStep.HAND_OVER)


def test_what_was_said_at_the_door_is_not_readable_in_the_database(sessions: sessionmaker[Session], tell: Tell) -> None:
    tell(report_visit, report(V.MET_DEBTOR, note="He is ill.", reason_for_arrears="illness"))
    with acting_for_all(sessions) as session:
        note, reason = session.execute(sa.text("select note, reason_for_arrears from visit_reports")).one()
        (opened,) = session.scalars(sa.select(VisitReport))
    assert b"ill" not in bytes(note) + bytes(reason)
    assert (opened.note, opened.reason_for_arrears) == ("He is ill.", "illness")


def test_an_agency_to_which_nothing_was_given_finds_no_visit_to_report(
    sessions: sessionmaker[Session], morning: Morning
) -> None:
    with acting_for(sessions, morning.world.stranger) as session, pytest.raises(NotFound):
        report_visit(session, morning.visit, report(), by=teller(morning.ilta), now=NOW)
    with acting_for(sessions, morning.world.stranger) as session, pytest.raises(NotFound):
        get_report(session, morning.visit)


def test_a_case_in_another_currency_takes_promises_in_it(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell, identified: None
) -> None:
    with acting_for_all(sessions) as session:
        session.execute(sa.update(Case).values(currency="SEK"))
    draft = report(V.MET_DEBTOR, disclosed=True, promises=(promise(currency="SEK"),))
    assert tell(report_visit, draft).state is VisitState.REPORTED
