"""What one organisation does counts for another: contacts, reserved visits, and who is at the door already."""

import datetime as dt
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.blocks import BlockDraft, NotYourBlock, file_block, lift_block
from fieldvisit.contact_facts import attempts_of, live_visits_of
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.gate import Opened, RequestReason, VisitOpenAlready, eligibility_of, open_visits, request_visit
from fieldvisit.models import Case, ContactAttempt, Placement, Visit
from fieldvisit.placements import PlacementDraft, place_case
from fieldvisit.vocabulary import AttemptResult, BlockTrigger, Channel, VisitState
from tests.conftest import NOW
from tests.worlds import TODAY, World, make_attempt, make_case, make_failed_attempts, make_visit, make_world

DAY = dt.timedelta(days=1)


@pytest.fixture
def world(sessions: sessionmaker[Session]) -> World:
    return make_world(sessions)


@pytest.fixture
def case(sessions: sessionmaker[Session], world: World) -> Case:
    """Placed with the agency, and tried on the phone often enough."""
    with acting_for_all(sessions) as session:
        case = make_case(session, world)
        make_failed_attempts(session, case, before=NOW)
        return case


def make_second_case(session: Session, world: World, first: Case) -> Case:
    """Another case of the same debtor, which the lender kept."""
    second = make_case(session, world, placed=False)
    second.debtor_id = first.debtor_id
    session.flush()
    return second


def handed_over(sessions: sessionmaker[Session], world: World, case: Case) -> None:
    """The case goes from the agency to the other one today."""
    with acting_for(sessions, world.lender) as session:
        stored = session.get_one(Case, case.id)
        until = PlacementDraft(agency="pohjola-field", from_on=TODAY - 30 * DAY, until_on=TODAY - DAY)
        place_case(session, stored, until, now=NOW)
        place_case(session, stored, PlacementDraft(agency="lansi-field", from_on=TODAY), now=NOW)


def test_a_visit_that_the_lender_made_on_another_case_fills_the_agencys_cap(
    sessions: sessionmaker[Session], world: World, case: Case
) -> None:
    with acting_for_all(sessions) as session:
        other = make_second_case(session, world, case)
        met = {"channel": Channel.VISIT, "result": AttemptResult.NOBODY_HOME}
        visited = make_attempt(session, other, at=NOW - DAY, **met)
    with acting_for(sessions, world.agency) as session:
        assert session.scalars(sa.select(ContactAttempt.id).where(ContactAttempt.id == visited.id)).all() == []
        answer = eligibility_of(session, world.agency, case.id, NOW)
        (clause,) = answer.in_the_way
    assert (answer.eligible, clause.fact_ids) == (False, (str(visited.id),))


def test_a_visit_that_the_lender_plans_on_another_case_fills_the_agencys_cap(
    sessions: sessionmaker[Session], world: World, case: Case
) -> None:
    with acting_for_all(sessions) as session:
        planned = make_visit(session, world, make_second_case(session, world, case), state=VisitState.PUBLISHED)
        planned.org_id = world.lender
    with acting_for(sessions, world.agency) as session:
        answer = eligibility_of(session, world.agency, case.id, NOW)
    assert str(planned.id) in {fact_id for clause in answer.in_the_way for fact_id in clause.fact_ids}


def test_only_of_debtors_who_may_be_seen_is_anything_told(
    sessions: sessionmaker[Session], world: World, case: Case
) -> None:
    with acting_for_all(sessions) as session:
        make_visit(session, world, case, state=VisitState.PUBLISHED)
    told: dict[uuid.UUID | None, tuple[int, int]] = {}
    for org_id in (world.lender, world.agency, world.stranger, None):
        with sessions(info={"org": org_id}) as session:
            attempts = attempts_of(session, {case.debtor_id}, since=NOW - 60 * DAY)
            told[org_id] = (sum(map(len, attempts.values())), len(live_visits_of(session, {case.debtor_id})))
    assert told == {world.lender: (4, 1), world.agency: (4, 1), world.stranger: (0, 0), None: (0, 0)}


def test_reading_across_organisations_leaves_the_transaction_as_narrow_as_it_was(
    sessions: sessionmaker[Session], world: World, case: Case
) -> None:
    with acting_for(sessions, world.stranger) as session:
        attempts_of(session, {case.debtor_id}, since=NOW - 60 * DAY)
        assert session.scalar(sa.text("select app_sees_all()")) is False
        assert session.scalars(sa.select(Case.id)).all() == []


def test_the_next_agency_goes_on_from_what_the_first_one_tried(
    sessions: sessionmaker[Session], world: World, case: Case
) -> None:
    with acting_for(sessions, world.agency) as session:
        (first,) = open_visits(session, world.agency, NOW).visits
    handed_over(sessions, world, case)
    with acting_for(sessions, world.stranger) as session:
        (second,) = open_visits(session, world.stranger, NOW).visits
    with acting_for_all(sessions) as session:
        states = dict(session.execute(sa.select(Visit.reference, Visit.state)).all())
    assert states == {first: VisitState.CANCELLED, second: VisitState.ELIGIBLE}


def test_while_the_first_agency_is_at_the_door_the_next_one_waits(
    sessions: sessionmaker[Session], world: World, case: Case
) -> None:
    with acting_for_all(sessions) as session:
        there = make_visit(session, world, case, state=VisitState.ARRIVED)
        waiting = make_case(session, world)
        make_failed_attempts(session, waiting, before=NOW)
        placement = session.scalars(sa.select(Placement).where(Placement.case_id == waiting.id)).one()
        placement.agency_id = world.stranger
    handed_over(sessions, world, case)
    with acting_for(sessions, world.stranger) as session:
        opened = open_visits(session, world.stranger, NOW)
        assert (opened.looked_at, len(opened.visits)) == (1, 1), "the rest of the run is not held up"
        with pytest.raises(VisitOpenAlready, match=there.reference):
            request_visit(session, world.stranger, case.id, reason=RequestReason.LENDER_ASKED, now=NOW)
        assert open_visits(session, world.stranger, NOW) == Opened(looked_at=0, visits=(), held=())


def test_the_ids_that_two_organisations_give_their_blocks_do_not_meet(
    sessions: sessionmaker[Session], world: World, case: Case
) -> None:
    filed = {}
    for org_id, trigger in ((world.lender, BlockTrigger.DISPUTE), (world.agency, BlockTrigger.VULNERABILITY)):
        draft = BlockDraft(debtor_id=case.debtor_id, trigger=trigger, external_id="1")
        with acting_for(sessions, org_id) as session:
            filed[org_id] = file_block(session, draft, filed_by_id=None, now=NOW)[0].trigger
    assert filed == {world.lender: BlockTrigger.DISPUTE, world.agency: BlockTrigger.VULNERABILITY}


def test_an_agency_lifts_its_own_blocks_only_and_the_lender_all(
    sessions: sessionmaker[Session], world: World, case: Case
) -> None:
    blocks = {}
    for name, org_id in (("lender", world.lender), ("agency", world.agency), ("agency too", world.agency)):
        draft = BlockDraft(debtor_id=case.debtor_id, trigger=BlockTrigger.DISPUTE)
        with acting_for(sessions, org_id) as session:
            blocks[name] = file_block(session, draft, filed_by_id=None, now=NOW)[0].id
    with acting_for(sessions, world.agency) as session:
        with pytest.raises(NotYourBlock):
            lift_block(session, blocks["lender"], now=NOW)
        lift_block(session, blocks["agency"], now=NOW)
    with acting_for(sessions, world.lender) as session:
        for name in ("lender", "agency too"):
            lift_block(session, blocks[name], now=NOW)


def test_two_agencies_that_hear_something_at_once_stop_each_others_visits_and_never_wait_in_a_circle(
    sessions: sessionmaker[Session], world: World, case: Case
) -> None:
    with acting_for_all(sessions) as session:
        second = make_second_case(session, world, case)
        placed = {"case_id": second.id, "debtor_id": second.debtor_id, "agency_id": world.stranger}
        session.add(Placement(org_id=world.lender, from_on=TODAY - DAY, **placed))
        make_visit(session, world, case, state=VisitState.PUBLISHED)
        make_visit(session, world, second, state=VisitState.PUBLISHED).org_id = world.stranger
    together = threading.Barrier(2)

    def hear(org_id: uuid.UUID) -> int:
        draft = BlockDraft(debtor_id=case.debtor_id, trigger=BlockTrigger.VULNERABILITY)
        with acting_for(sessions, org_id) as session:
            session.execute(sa.select(1))
            together.wait()
            return len(file_block(session, draft, filed_by_id=None, now=NOW)[1])

    for _ in range(5):
        with acting_for_all(sessions) as session:
            session.execute(sa.update(Visit).values(state=VisitState.PUBLISHED, cancelled_reason={}))
        with ThreadPoolExecutor(2) as threads:
            # Whoever was first has stopped both; each is told of its own alone.
            assert sorted(threads.map(hear, (world.agency, world.stranger))) == [0, 1]
        with acting_for_all(sessions) as session:
            assert set(session.scalars(sa.select(Visit.state))) == {VisitState.CANCELLED}
