"""What a report needs, what it changes, and when it is still taken."""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import InvalidValue, NotFound
from fieldvisit.models import (
    Case,
    ContactAttempt,
    ContactAttemptKey,
    ContactBlock,
    Placement,
    Promise,
    Visit,
    VisitReport,
)
from fieldvisit.phone.steps import arrive, check_identity
from fieldvisit.report_drafts import (
    AbortDraft,
    AdditionDraft,
    PromiseDraft,
)
from fieldvisit.reports import (
    IdentityNotConfirmed,
    VisitAlreadyReported,
    abort_visit,
    add_to_report,
    get_report,
    report_visit,
)
from fieldvisit.visits import (
    CancelReason,
    VisitCancelled,
    WrongState,
    cancel_visit,
    close_visit,
    expire_visits,
    history_of,
    return_unbegun,
)
from fieldvisit.vocabulary import (
    AbortReason,
    AttemptResult,
    BlockScope,
    BlockTrigger,
    Channel,
    DayPlanState,
    NextStep,
    PaymentMethod,
    PromiseState,
    ReachedDetail,
    VisitOutcome,
    VisitState,
)
from tests.conftest import NOW
from tests.phone.worlds import Morning, arrival, identity, make_morning, make_plan, report, teller
from tests.worlds import TODAY, make_case, make_visit

V, R, D = VisitOutcome, AttemptResult, ReachedDetail
NEXT_WEEK = TODAY + dt.timedelta(days=7)

type Tell = Callable[..., Any]


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    return make_morning(sessions)


@pytest.fixture
def tell(sessions: sessionmaker[Session], morning: Morning) -> Tell:
    """Tell one thing of the morning's first visit, in a transaction of its own, as Ilta unless told otherwise."""

    def told(use_case: Callable[..., Any], draft: Any, *, by: uuid.UUID = morning.ilta, **more: Any) -> Any:
        with acting_for(sessions, morning.world.agency) as session:
            return use_case(session, morning.visit, draft, by=teller(by), **{"now": NOW, **more})

    return told


@pytest.fixture
def at_the_door(tell: Tell) -> None:
    tell(arrive, arrival(), geofence_m=150)


@pytest.fixture
def identified(tell: Tell, at_the_door: None) -> None:
    tell(check_identity, identity())


def abort(reason: AbortReason = AbortReason.SAFETY, **given: Any) -> AbortDraft:
    return AbortDraft(**{"event_id": uuid.uuid4(), "reason": reason, **given})


def promise(**given: Any) -> PromiseDraft:
    values = {"amount_minor": 5_000, "currency": "EUR", "due_on": NEXT_WEEK, "method": PaymentMethod.TRANSFER}
    return PromiseDraft(**(values | given))


def attempts_by_visit(sessions: sessionmaker[Session]) -> list[tuple[Any, ...]]:
    with acting_for_all(sessions) as session:
        rows = session.scalars(sa.select(ContactAttempt).where(ContactAttempt.channel == Channel.VISIT))
        return [(row.at, row.result, row.detail) for row in rows]


def blocks(sessions: sessionmaker[Session]) -> list[tuple[BlockTrigger, BlockScope]]:
    with acting_for_all(sessions) as session:
        rows = session.scalars(sa.select(ContactBlock).order_by(ContactBlock.trigger))
        return [(row.trigger, row.scope) for row in rows]


def visit_of(sessions: sessionmaker[Session], morning: Morning) -> Visit:
    with acting_for_all(sessions) as session:
        return session.get_one(Visit, morning.visit)


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


@pytest.mark.parametrize("minutes", [6, -7 * 24 * 60 - 1])
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


@pytest.mark.parametrize("state", [VisitState.PUBLISHED, VisitState.UNDER_WAY, VisitState.ARRIVED])
def test_a_report_is_taken_from_wherever_the_server_believes_the_visit_to_be(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell, state: VisitState
) -> None:
    with acting_for_all(sessions) as session:
        session.get_one(Visit, morning.visit).state = state
    assert tell(report_visit, report()).state is VisitState.REPORTED


def test_a_report_of_a_phone_that_had_no_signal_all_day_is_taken_the_day_after(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell
) -> None:
    tomorrow = NOW + dt.timedelta(days=1)
    with acting_for(sessions, morning.world.agency) as session:
        assert return_unbegun(session, tomorrow, tomorrow.date()) == 1
    assert tell(report_visit, report(), now=tomorrow).state is VisitState.REPORTED


def test_even_when_the_visit_expired_meanwhile(sessions: sessionmaker[Session], morning: Morning, tell: Tell) -> None:
    tomorrow = NOW + dt.timedelta(days=1)
    with acting_for(sessions, morning.world.agency) as session:
        session.get_one(Visit, morning.visit).last_on = TODAY
        return_unbegun(session, tomorrow, tomorrow.date())
        assert expire_visits(session, tomorrow, tomorrow.date()) == 1
    assert tell(report_visit, report(), now=tomorrow).state is VisitState.REPORTED


def test_a_report_on_a_plan_that_was_replaced_is_taken(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell
) -> None:
    with acting_for_all(sessions) as session:
        visit = session.get_one(Visit, morning.visit)
        make_plan(session, morning.world, [morning.outsider], [visit], state=DayPlanState.SUPERSEDED)
    assert tell(report_visit, report(), by=morning.outsider).state is VisitState.REPORTED


def test_a_visit_cancelled_before_anybody_arrived_is_not_reported_but_for_an_abort(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell
) -> None:
    with acting_for(sessions, morning.world.agency) as session:
        cancel_visit(session, morning.visit, reason=CancelReason.LENDER_ASKED, now=NOW)
    with pytest.raises(VisitCancelled) as refused:
        tell(report_visit, report())
    assert refused.value.details["reason"] is CancelReason.LENDER_ASKED
    assert tell(abort_visit, abort()).state is VisitState.REPORTED


def test_a_visit_cancelled_while_somebody_was_there_is_reported(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell, at_the_door: None
) -> None:
    with acting_for(sessions, morning.world.agency) as session:
        cancel_visit(session, morning.visit, reason=CancelReason.BY_HAND, now=NOW)
    assert tell(report_visit, report()).state is VisitState.REPORTED
    assert len(attempts_by_visit(sessions)) == 1


def test_the_report_of_a_case_that_was_taken_back_is_kept_without_touching_its_books(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell, at_the_door: None
) -> None:
    with acting_for_all(sessions) as session:
        session.execute(sa.update(Placement).values(until_on=TODAY - dt.timedelta(days=1)))
    receipt = tell(report_visit, report(V.MET_DEBTOR, disputed=True))
    assert (receipt.facts["attempt_id"], receipt.facts["block_ids"]) == (None, [])
    assert attempts_by_visit(sessions) == []
    with acting_for(sessions, morning.world.lender) as session:
        assert get_report(session, morning.visit).disputed


@pytest.mark.parametrize(
    ("reason", "filed"),
    [
        (AbortReason.ASKED_TO_LEAVE, [(BlockTrigger.CEASE_REQUEST, BlockScope.VISITS)]),
        (AbortReason.DISTRESS, [(BlockTrigger.VULNERABILITY, BlockScope.ALL)]),
        (AbortReason.WRONG_PERSON, [(BlockTrigger.PLACE_REFUSED, BlockScope.PLACE)]),
        (AbortReason.SAFETY, []),
        (AbortReason.MINOR_ALONE, []),
        (AbortReason.OTHER, []),
    ],
)
def test_an_abort_is_one_call_and_files_the_block_that_its_reason_asks_for(
    sessions: sessionmaker[Session],
    morning: Morning,
    tell: Tell,
    reason: AbortReason,
    filed: list[tuple[BlockTrigger, BlockScope]],
) -> None:
    receipt = tell(abort_visit, abort(reason))
    visit = visit_of(sessions, morning)
    assert (visit.state, visit.outcome) == (VisitState.REPORTED, V.ABORTED)
    assert blocks(sessions) == filed
    assert len(receipt.facts["block_ids"]) == len(filed)
    assert len(attempts_by_visit(sessions)) == 1


@pytest.mark.parametrize("device_at", [dt.datetime(1970, 1, 1, tzinfo=dt.UTC), NOW + dt.timedelta(days=400)])
def test_an_abort_is_never_refused_for_the_phones_clock(
    sessions: sessionmaker[Session], tell: Tell, device_at: dt.datetime
) -> None:
    tell(abort_visit, abort(device_at=device_at))
    assert attempts_by_visit(sessions) == [(NOW, R.NOBODY_HOME, None)]


@pytest.mark.parametrize(
    ("flag", "trigger", "scope"),
    [
        ("hardship", BlockTrigger.HARDSHIP_PLAN, BlockScope.VISITS),
        ("vulnerable", BlockTrigger.VULNERABILITY, BlockScope.ALL),
        ("disputed", BlockTrigger.DISPUTE, BlockScope.VISITS),
    ],
)
def test_what_is_heard_at_the_door_stops_every_visit_it_concerns_at_once(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell, flag: str, trigger: BlockTrigger, scope: BlockScope
) -> None:
    with acting_for_all(sessions) as session:
        first = session.get_one(Visit, morning.visit)
        other = make_case(session, morning.world)
        other.debtor_id = first.debtor_id
        session.flush()
        second = make_visit(session, morning.world, other, state=VisitState.PUBLISHED).id
    tell(report_visit, report(V.MET_DEBTOR, **{flag: True}))
    assert blocks(sessions) == [(trigger, scope)]
    with acting_for_all(sessions) as session:
        state = session.get_one(Visit, second).state
    # A dispute is about one case; need and frailty are about the person.
    assert state is (VisitState.PUBLISHED if flag == "disputed" else VisitState.CANCELLED)


def test_one_reason_heard_twice_is_one_block(sessions: sessionmaker[Session], tell: Tell) -> None:
    tell(report_visit, report(V.ABORTED, abort_reason=AbortReason.DISTRESS, vulnerable=True))
    assert blocks(sessions) == [(BlockTrigger.VULNERABILITY, BlockScope.ALL)]


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
