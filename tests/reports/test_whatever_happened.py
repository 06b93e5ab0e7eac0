"""When a report is still taken, how one leaves, and what is stopped by what was heard."""

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.blocks import BlockDraft, file_block
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.ids import new_id
from fieldvisit.models import Case, ContactAttempt, ContactBlock, Placement, Visit
from fieldvisit.phone.drafts import SetOutDraft
from fieldvisit.phone.steps import check_identity, set_out
from fieldvisit.report_drafts import Met
from fieldvisit.reports import (
    abort_visit,
    get_report,
    report_visit,
)
from fieldvisit.visits import (
    CancelReason,
    cancel_visit,
    expire_visits,
    history_of,
    return_unarrived,
    return_unbegun,
)
from fieldvisit.vocabulary import (
    AbortReason,
    AttemptResult,
    BlockScope,
    BlockTrigger,
    Channel,
    DayPlanState,
    IdentityResult,
    ReachedDetail,
    VisitOutcome,
    VisitState,
)
from tests.conftest import NOW
from tests.phone.worlds import Morning, identity, make_plan, report, teller
from tests.reports.conftest import Tell
from tests.reports.worlds import abort, attempts_by_visit, blocks, visit_of
from tests.worlds import TODAY, make_case, make_visit

V, R, D = VisitOutcome, AttemptResult, ReachedDetail


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


def test_a_report_of_who_set_out_and_was_never_heard_of_wins_over_the_giving_back(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell
) -> None:
    tomorrow = NOW + dt.timedelta(days=1)
    tell(set_out, SetOutDraft(event_id=new_id()))
    with acting_for(sessions, morning.world.agency) as session:
        assert return_unarrived(session, tomorrow, tomorrow.date()) == 1
    assert tell(report_visit, report(), now=tomorrow).state is VisitState.REPORTED
    visit = visit_of(sessions, morning)
    assert (visit.not_done, visit.outcome) == (None, report().outcome)


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


def test_what_happened_at_a_door_is_taken_though_the_visit_was_cancelled_meanwhile(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell
) -> None:
    """The phone was offline from the door to the report; a block cancelled the visit in between."""
    with acting_for(sessions, morning.world.lender) as session:
        debtor_id = session.get_one(Visit, morning.visit).debtor_id
        stopped = BlockDraft(debtor_id=debtor_id, trigger=BlockTrigger.COMPLAINT_OPEN)
        file_block(session, stopped, filed_by_id=None, now=NOW)
    later = NOW + dt.timedelta(hours=3)
    receipt = tell(report_visit, report(V.MET_DEBTOR, vulnerable=True), now=later)
    assert (receipt.state, visit_of(sessions, morning).outcome) == (VisitState.REPORTED, V.MET_DEBTOR)
    assert attempts_by_visit(sessions) == [(NOW, R.REACHED, D.TALKED)]
    assert (BlockTrigger.VULNERABILITY, BlockScope.ALL) in blocks(sessions)
    with acting_for(sessions, morning.world.agency) as session:
        assert get_report(session, morning.visit).after_cancellation
        entry = history_of(session, morning.visit)[-1]
    assert (entry.kind, entry.detail["after_cancellation"]) == ("reported", True)
    assert visit_of(sessions, morning).cancelled_reason["code"] == "complaint_open"


def test_a_report_of_a_visit_that_stands_is_not_marked(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell
) -> None:
    tell(report_visit, report())
    with acting_for(sessions, morning.world.agency) as session:
        assert not get_report(session, morning.visit).after_cancellation
        assert "after_cancellation" not in history_of(session, morning.visit)[-1].detail


def test_a_visit_cancelled_while_somebody_was_there_is_reported(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell, at_the_door: None
) -> None:
    with acting_for(sessions, morning.world.agency) as session:
        cancel_visit(session, morning.visit, reason=CancelReason.BY_HAND, now=NOW)
    assert tell(report_visit, report()).state is VisitState.REPORTED
    assert len(attempts_by_visit(sessions)) == 1


def taken_back(sessions: sessionmaker[Session], morning: Morning) -> None:
    with acting_for_all(sessions) as session:
        session.execute(sa.update(Placement).values(until_on=TODAY - dt.timedelta(days=1)))


def test_what_was_heard_at_the_door_counts_and_stops_though_the_case_was_taken_back(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell, at_the_door: None
) -> None:
    taken_back(sessions, morning)
    receipt = tell(report_visit, report(V.ASKED_TO_LEAVE, vulnerable=True))
    assert attempts_by_visit(sessions) == [(NOW, R.REACHED, D.ASKED_TO_STOP)]
    assert blocks(sessions) == [
        (BlockTrigger.CEASE_REQUEST, BlockScope.VISITS),
        (BlockTrigger.VULNERABILITY, BlockScope.ALL),
    ]
    with acting_for(sessions, morning.world.lender) as session:
        (attempt,) = session.scalars(sa.select(ContactAttempt).where(ContactAttempt.channel == Channel.VISIT))
        kept = {str(block_id) for block_id in session.scalars(sa.select(ContactBlock.id))}
    assert (str(attempt.id), attempt.org_id, attempt.made_by_id) == (
        receipt.facts["attempt_id"],
        morning.world.lender,
        morning.world.agency,
    )
    assert set(receipt.facts["block_ids"]) == kept


def test_it_cancels_the_visits_of_whoever_works_on_the_debtor_now(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell, at_the_door: None
) -> None:
    taken_back(sessions, morning)
    with acting_for_all(sessions) as session:
        first = session.get_one(Visit, morning.visit)
        other = make_case(session, morning.world, placed=False)
        other.debtor_id = first.debtor_id
        session.flush()
        second = make_visit(session, morning.world, other, state=VisitState.PUBLISHED)
        second.org_id = morning.world.stranger
        second_id = second.id
    tell(report_visit, report(V.ASKED_TO_LEAVE))
    with acting_for_all(sessions) as session:
        assert session.get_one(Visit, second_id).state is VisitState.CANCELLED


def test_the_lenders_books_are_closed_again_after_the_report(
    sessions: sessionmaker[Session], morning: Morning, at_the_door: None
) -> None:
    taken_back(sessions, morning)
    with acting_for(sessions, morning.world.agency) as session:
        report_visit(session, morning.visit, report(V.ASKED_TO_LEAVE), by=teller(morning.ilta), now=NOW)
        case_id = session.get_one(Visit, morning.visit).case_id
        assert session.get(Case, case_id) is None
        assert session.scalars(sa.select(ContactAttempt)).all() == []
        assert session.scalars(sa.select(ContactBlock)).all() == []


def test_a_crew_mates_report_after_the_taking_back_stops_as_well(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell, at_the_door: None
) -> None:
    taken_back(sessions, morning)
    tell(report_visit, report(V.NOBODY))
    tell(report_visit, report(V.MET_DEBTOR, disputed=True), by=morning.oona)
    assert blocks(sessions) == [(BlockTrigger.DISPUTE, BlockScope.VISITS)]
    assert len(attempts_by_visit(sessions)) == 1


@pytest.mark.parametrize(
    ("reason", "filed"),
    [
        (AbortReason.ASKED_TO_LEAVE, [(BlockTrigger.CEASE_REQUEST, BlockScope.VISITS)]),
        (AbortReason.DISTRESS, [(BlockTrigger.VULNERABILITY, BlockScope.ALL)]),
        (AbortReason.WRONG_PERSON, [(BlockTrigger.PLACE_REFUSED, BlockScope.PLACE)]),
        (AbortReason.SAFETY, []),
        (AbortReason.MINOR_ALONE, [(BlockTrigger.MINOR, BlockScope.PLACE)]),
        (AbortReason.DISPUTE, [(BlockTrigger.DISPUTE, BlockScope.VISITS)]),
        (AbortReason.VULNERABLE, [(BlockTrigger.VULNERABILITY, BlockScope.ALL)]),
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
    # Without an arrival only the reason can say that somebody was met.
    assert len(attempts_by_visit(sessions)) == (reason not in (AbortReason.SAFETY, AbortReason.OTHER))


@pytest.mark.parametrize("device_at", [dt.datetime(1970, 1, 1, tzinfo=dt.UTC), NOW + dt.timedelta(days=400)])
def test_an_abort_is_never_refused_for_the_phones_clock(
    sessions: sessionmaker[Session], tell: Tell, device_at: dt.datetime
) -> None:
    tell(abort_visit, abort(AbortReason.DISTRESS, device_at=device_at))
    assert attempts_by_visit(sessions) == [(NOW, R.REACHED, D.OTHER)]


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
    # A dispute is about one case; need and frailty are about the person. Judged anew is the other case's visit all the
    # same, and it has no failed contacts to stand on.
    assert state is (VisitState.ELIGIBLE if flag == "disputed" else VisitState.CANCELLED)


def test_one_reason_heard_twice_is_one_block(sessions: sessionmaker[Session], tell: Tell) -> None:
    tell(report_visit, report(V.ABORTED, abort_reason=AbortReason.DISTRESS, vulnerable=True))
    assert blocks(sessions) == [(BlockTrigger.VULNERABILITY, BlockScope.ALL)]


@pytest.mark.parametrize(
    ("checked", "met", "counts_as"),
    [
        (None, None, (R.THIRD_PARTY, None)),
        (None, Met.NOBODY, (R.NOBODY_HOME, None)),
        (IdentityResult.SOMEONE_ELSE, None, (R.THIRD_PARTY, None)),
        (IdentityResult.CONFIRMED, None, (R.REACHED, D.OTHER)),
        (IdentityResult.CONFIRMED, Met.OTHER, (R.THIRD_PARTY, None)),
    ],
)
def test_who_left_a_door_for_safety_met_whom_the_phone_told_of(
    sessions: sessionmaker[Session],
    morning: Morning,
    tell: Tell,
    at_the_door: None,
    checked: IdentityResult | None,
    met: Met | None,
    counts_as: tuple[AttemptResult, ReachedDetail | None],
) -> None:
    if checked is not None:
        tell(check_identity, identity(checked))
    tell(abort_visit, abort(AbortReason.SAFETY, met=met))
    assert [attempt[1:] for attempt in attempts_by_visit(sessions)] == [counts_as]
