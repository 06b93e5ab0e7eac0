"""Who reports twice: an abort and a full report are one of each, in whatever order; the money is taken once."""

import uuid

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.blocks import lift_block
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.door_records import DoorDraft, MoneyTaken
from fieldvisit.models import ContactBlock, Promise, Receipt
from fieldvisit.report_drafts import Met, ReportDraft
from fieldvisit.reports import VisitAlreadyReported, abort_visit, get_report, report_visit
from fieldvisit.visit_records import read_record
from fieldvisit.vocabulary import AbortReason, AttemptResult, BlockScope, BlockTrigger, VisitOutcome
from tests.conftest import NOW
from tests.phone.worlds import Morning, report
from tests.reports.conftest import Tell
from tests.reports.worlds import abort, attempts_by_visit, blocks, promise

V = VisitOutcome


def with_money(outcome: VisitOutcome = V.REFUSED, **given: object) -> ReportDraft:
    payment = MoneyTaken(amount_minor=100, currency="EUR", receipt_number=None)
    return report(outcome, door=DoorDraft(payment=payment), **given)


def receipts(sessions: sessionmaker[Session]) -> int | None:
    with acting_for_all(sessions) as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Receipt))


def standing(sessions: sessionmaker[Session], morning: Morning) -> tuple[VisitOutcome, list[str], int | None]:
    """The outcome of the report that stands, those of what was added to it, and how many promises it has."""
    with acting_for(sessions, morning.world.agency) as session:
        found = get_report(session, morning.visit)
        promises = sa.select(sa.func.count()).select_from(Promise).where(Promise.report_id == found.id)
        added = [each.text.split("\n")[0] for each in found.additions]
        return found.outcome, added, session.scalar(promises)


@pytest.mark.parametrize("abort_first", [True, False])
def test_of_an_abort_and_a_full_report_that_met_the_debtor_the_full_one_stands_with_its_promise_and_its_money(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell, identified: None, abort_first: bool
) -> None:
    both = [(abort_visit, abort(AbortReason.ASKED_TO_LEAVE))]
    both.insert(abort_first, (report_visit, with_money(V.MET_DEBTOR, promises=(promise(),))))
    for tells, draft in both:
        tell(tells, draft)
    assert standing(sessions, morning) == (V.MET_DEBTOR, ["outcome: aborted"], 1)
    # What was heard when they broke off stops what it stops all the same.
    assert blocks(sessions) == [(BlockTrigger.CEASE_REQUEST, BlockScope.VISITS)]
    assert receipts(sessions) == 1
    for tells, draft in ((abort_visit, abort()), (report_visit, report())):
        with pytest.raises(VisitAlreadyReported):
            tell(tells, draft)


def test_who_broke_off_does_not_unmeet_the_debtor_and_the_money_is_booked(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell, at_the_door: None
) -> None:
    tell(abort_visit, abort(met=Met.DEBTOR))
    tell(report_visit, with_money(V.MET_OTHER))
    assert standing(sessions, morning) == (V.ABORTED, ["outcome: met_other"], 0)
    assert [result for _, result, _ in attempts_by_visit(sessions)] == [AttemptResult.REACHED]
    assert receipts(sessions) == 1


@pytest.mark.parametrize("lead_first", [True, False])
def test_a_crew_mates_second_report_is_refused_whatever_became_of_the_first(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell, at_the_door: None, lead_first: bool
) -> None:
    first = [(morning.ilta, report()), (morning.oona, with_money())]
    for visitor_id, draft in first if lead_first else reversed(first):
        tell(report_visit, draft, by=visitor_id)
    with pytest.raises(VisitAlreadyReported):
        tell(report_visit, with_money(event_id=uuid.uuid4()), by=morning.oona)
    assert receipts(sessions) == 1


def test_what_a_crew_mate_heard_stops_though_the_same_was_lifted_before(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell, at_the_door: None
) -> None:
    tell(report_visit, report(V.ASKED_TO_LEAVE))
    with acting_for(sessions, morning.world.agency) as session:
        (first,) = session.scalars(sa.select(ContactBlock))
        lift_block(session, first.id, now=NOW)
    receipt = tell(report_visit, report(V.ASKED_TO_LEAVE), by=morning.oona)
    with acting_for(sessions, morning.world.agency) as session:
        stopping = session.scalars(sa.select(ContactBlock).where(ContactBlock.lifted_at.is_(None))).all()
        assert [str(block.id) for block in stopping] == receipt.facts["block_ids"]
        assert len(read_record(session, morning.visit).content["blocks"]) == 2
