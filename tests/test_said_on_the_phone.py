"""What a debtor says on the phone and stops the contact: a block, whoever records it and however late."""

import datetime as dt
import uuid

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.blocks import lift_block
from fieldvisit.contacts import AttemptDraft, record_attempts
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.debtors import ContactPointDraft, contact_digest
from fieldvisit.drafts import Change
from fieldvisit.gate import open_visits
from fieldvisit.models import Case, ContactAttempt, ContactBlock, ContactPoint, Visit
from fieldvisit.vocabulary import (
    AttemptResult,
    BlockScope,
    BlockTrigger,
    Channel,
    ContactPointKind,
    ReachedDetail,
    VisitState,
)
from tests.conftest import NOW
from tests.worlds import World, make_case, make_visit, make_world

DAY = dt.timedelta(days=1)
STOPS = {ReachedDetail.ASKED_TO_STOP: BlockTrigger.CEASE_REQUEST, ReachedDetail.DISPUTED: BlockTrigger.DISPUTE}


@pytest.fixture
def world(sessions: sessionmaker[Session]) -> World:
    return make_world(sessions)


@pytest.fixture
def case(sessions: sessionmaker[Session], world: World) -> Case:
    """Of the lender, placed with the agency, with a number that the dialer's own is recognised by."""
    with acting_for_all(sessions) as session:
        case = make_case(session, world)
        point = session.scalars(sa.select(ContactPoint).where(ContactPoint.debtor_id == case.debtor_id)).one()
        point.digest = contact_digest(session, ContactPointDraft(kind=point.kind, value=point.value))
        return case


def said(case: Case, detail: ReachedDetail, *, days_ago: float = 10) -> AttemptDraft:
    return AttemptDraft(
        external_id=f"A-{detail}-{case.external_id}",
        source="dialer",
        case_id=case.external_id,
        channel=Channel.CALL,
        at=NOW - days_ago * DAY,
        result=AttemptResult.REACHED,
        detail=detail,
    )


def failures(sessions: sessionmaker[Session], case: Case) -> list[AttemptDraft]:
    """Enough of them for the house policy: three mornings and evenings, to the one number."""
    with acting_for_all(sessions) as session:
        number = session.scalars(sa.select(ContactPoint.value).where(ContactPoint.debtor_id == case.debtor_id)).one()
    point = ContactPointDraft(kind=ContactPointKind.PHONE, value=number)
    times = (NOW - DAY, NOW - 2 * DAY + dt.timedelta(hours=10), NOW - 3 * DAY)
    return [
        AttemptDraft(
            external_id=f"F-{case.external_id}-{number}",
            source="dialer",
            case_id=case.external_id,
            channel=Channel.CALL,
            at=at,
            result=AttemptResult.NO_ANSWER,
            contact_point=point,
        )
        for number, at in enumerate(times)
    ]


def record(sessions: sessionmaker[Session], org_id: uuid.UUID, *drafts: AttemptDraft) -> tuple[object, ...]:
    with acting_for(sessions, org_id) as session:
        return record_attempts(session, drafts, NOW).outcomes


def blocks(sessions: sessionmaker[Session]) -> list[ContactBlock]:
    with acting_for_all(sessions) as session:
        return list(session.scalars(sa.select(ContactBlock).order_by(ContactBlock.id)))


def opened(sessions: sessionmaker[Session], org_id: uuid.UUID) -> int:
    with acting_for(sessions, org_id) as session:
        return len(open_visits(session, org_id, NOW).visits)


@pytest.mark.parametrize("detail", STOPS)
def test_what_was_said_files_its_block_once(
    sessions: sessionmaker[Session], world: World, case: Case, detail: ReachedDetail
) -> None:
    draft = said(case, detail)
    assert record(sessions, world.agency, draft, draft) == (Change.ADDED, Change.UNCHANGED)
    assert record(sessions, world.agency, draft) == (Change.UNCHANGED,)
    (block,) = blocks(sessions)
    of_case = case.id if detail is ReachedDetail.DISPUTED else None
    assert (block.org_id, block.debtor_id, block.case_id) == (world.lender, case.debtor_id, of_case)
    assert (block.trigger, block.scope, block.since_at, block.until_at) == (STOPS[detail], BlockScope.ALL, NOW, None)
    with acting_for_all(sessions) as session:
        attempt = session.scalars(sa.select(ContactAttempt)).one()
    assert block.external_id == f"attempt {attempt.id}"


@pytest.mark.parametrize("detail", STOPS)
@pytest.mark.parametrize("late", [False, True])
def test_three_failures_afterwards_open_no_visit(
    sessions: sessionmaker[Session], world: World, case: Case, detail: ReachedDetail, *, late: bool
) -> None:
    history = [said(case, detail), *failures(sessions, case)]
    for draft in reversed(history) if late else history:
        record(sessions, world.lender, draft)
    assert opened(sessions, world.agency) == 0
    with acting_for(sessions, world.lender) as session:
        for block in blocks(sessions):
            lift_block(session, block.id, now=NOW)
    assert opened(sessions, world.agency) == 1


@pytest.mark.parametrize("detail", [detail for detail in ReachedDetail if detail not in STOPS])
def test_whatever_else_is_said_files_nothing(
    sessions: sessionmaker[Session], world: World, case: Case, detail: ReachedDetail
) -> None:
    record(sessions, world.lender, said(case, detail), *failures(sessions, case))
    assert blocks(sessions) == []
    assert opened(sessions, world.agency) == 1


@pytest.mark.parametrize("detail", STOPS)
def test_a_published_visit_is_cancelled_when_the_dialer_tells_late(
    sessions: sessionmaker[Session], world: World, case: Case, detail: ReachedDetail
) -> None:
    """In the one transaction; a wish concerns every case of the debtor, a dispute the one. What is left of the same
    debtor's is judged anew: two visits to one debtor are one too many, and that one loses its day, not its life."""
    with acting_for_all(sessions) as session:
        visit = make_visit(session, world, case, state=VisitState.PUBLISHED)
        same, others = make_case(session, world), make_case(session, world)
        of_same = make_visit(session, world, same, state=VisitState.PUBLISHED)
        of_others = make_visit(session, world, others, state=VisitState.PUBLISHED)
        same.debtor_id = of_same.debtor_id = case.debtor_id
        ids = (visit.id, of_same.id, of_others.id)
    record(sessions, world.lender, said(case, detail, days_ago=0.1))
    with acting_for_all(sessions) as session:
        found = [session.get_one(Visit, visit_id) for visit_id in ids]
    everywhere = detail is ReachedDetail.ASKED_TO_STOP
    assert [visit.state for visit in found] == [
        VisitState.CANCELLED,
        VisitState.CANCELLED if everywhere else VisitState.ELIGIBLE,
        VisitState.PUBLISHED,
    ]
    assert found[0].cancelled_reason == {"code": STOPS[detail].value, "block_id": str(blocks(sessions)[0].id)}


def test_a_block_that_was_lifted_is_not_filed_again_by_the_same_attempt(
    sessions: sessionmaker[Session], world: World, case: Case
) -> None:
    draft = said(case, ReachedDetail.DISPUTED)
    record(sessions, world.lender, draft)
    with acting_for(sessions, world.lender) as session:
        lift_block(session, blocks(sessions)[0].id, now=NOW)
    record(sessions, world.lender, draft)
    assert [block.lifted_at for block in blocks(sessions)] == [NOW]
