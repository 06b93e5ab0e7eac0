"""A contact block reaches every visit it concerns, and no other."""

import datetime as dt
import uuid
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.blocks import AlreadyLifted, BlockDiffers, BlockDraft, BlockEnded, blocks_of, file_block, lift_block
from fieldvisit.compliance.facts import ConsentForm
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import InvalidValue, NotFound
from fieldvisit.models import ContactBlock, Organisation, Visit
from fieldvisit.visits import LIVE, history_of
from fieldvisit.vocabulary import BlockScope, BlockTrigger, Channel, VisitState
from tests.conftest import NOW
from tests.worlds import World, make_case, make_visit, make_world

T, C = BlockTrigger, Channel


@pytest.fixture
def world(sessions: sessionmaker[Session]) -> World:
    return make_world(sessions)


def make_published(sessions: sessionmaker[Session], world: World, **given: Any) -> Visit:
    with acting_for_all(sessions) as session:
        visit = make_visit(session, world, make_case(session, world), **{"state": VisitState.PUBLISHED, **given})
        assert visit.place is not None
        return visit


def filed(sessions: sessionmaker[Session], org_id: uuid.UUID, **given: Any) -> tuple[ContactBlock, list[Visit]]:
    with acting_for(sessions, org_id) as session:
        return file_block(session, BlockDraft(**given), filed_by_id=None, now=NOW)


def state_of(sessions: sessionmaker[Session], visit: Visit) -> VisitState:
    with acting_for_all(sessions) as session:
        return session.get_one(Visit, visit.id).state


@pytest.mark.parametrize("state", VisitState)
def test_a_block_cancels_what_has_not_begun_at_the_door(
    sessions: sessionmaker[Session], world: World, state: VisitState
) -> None:
    reason = {"code": "by_hand"} if state is VisitState.CANCELLED else {}
    visit = make_published(sessions, world, state=state, cancelled_reason=reason)
    block, cancelled = filed(sessions, world.lender, debtor_id=visit.debtor_id, trigger=T.DISPUTE)
    stopped = state in LIVE and state is not VisitState.ARRIVED
    assert [each.id for each in cancelled] == ([visit.id] if stopped else [])
    assert state_of(sessions, visit) is (VisitState.CANCELLED if stopped else state)
    if stopped:
        with acting_for_all(sessions) as session:
            (entry,) = history_of(session, visit.id)
            assert (entry.kind, entry.detail) == ("cancelled", {"code": "dispute", "block_id": str(block.id)})


@pytest.mark.parametrize(
    ("given", "stops"),
    [
        ({"scope": BlockScope.ALL}, True),
        ({"scope": BlockScope.VISITS}, True),
        ({"scope": BlockScope.CHANNEL, "channel": C.VISIT}, True),
        ({"scope": BlockScope.CHANNEL, "channel": C.SMS}, False),
        ({"scope": BlockScope.PLACE, "place_id": "here"}, True),
        ({"scope": BlockScope.PLACE, "place_id": "elsewhere"}, False),
        ({"case_id": "this"}, True),
        ({"case_id": "other"}, False),
    ],
)
def test_a_block_stops_what_its_scope_says(
    sessions: sessionmaker[Session], world: World, given: dict[str, Any], stops: bool
) -> None:
    visit = make_published(sessions, world)
    with acting_for_all(sessions) as session:
        other = make_case(session, world)
        elsewhere = make_visit(session, world, other).place
        other.debtor_id = elsewhere.debtor_id = visit.debtor_id
        session.flush()
        named = {"here": visit.place_id, "elsewhere": elsewhere.id, "this": visit.case_id, "other": other.id}
    # A reason that the house policy does not widen.
    terms = {name: named.get(value, value) for name, value in given.items()}
    filed(sessions, world.lender, debtor_id=visit.debtor_id, trigger=T.MEDIUM_REFUSED, **terms)
    assert state_of(sessions, visit) is (VisitState.CANCELLED if stops else VisitState.PUBLISHED)


@pytest.mark.parametrize(("policies", "stops"), [(["house"], True), ([], False)])
def test_a_policy_can_make_a_block_stop_more_than_its_scope(
    sessions: sessionmaker[Session], world: World, policies: list[str], stops: bool
) -> None:
    with acting_for_all(sessions) as session:
        for org_id in (world.lender, world.agency):
            session.get_one(Organisation, org_id).policies = policies
    visit = make_published(sessions, world)
    by_sms = {"scope": BlockScope.CHANNEL, "channel": C.SMS}
    filed(sessions, world.lender, debtor_id=visit.debtor_id, trigger=T.DISPUTE, **by_sms)
    assert state_of(sessions, visit) is (VisitState.CANCELLED if stops else VisitState.PUBLISHED)


def test_the_debtors_of_others_are_left_as_they_are(sessions: sessionmaker[Session], world: World) -> None:
    mine, theirs = make_published(sessions, world), make_published(sessions, world)
    filed(sessions, world.lender, debtor_id=mine.debtor_id, trigger=T.DECEASED)
    assert (state_of(sessions, mine), state_of(sessions, theirs)) == (VisitState.CANCELLED, VisitState.PUBLISHED)


def test_the_same_external_id_again_changes_nothing(sessions: sessionmaker[Session], world: World) -> None:
    visit = make_published(sessions, world)
    terms = {"debtor_id": visit.debtor_id, "trigger": T.DISPUTE, "external_id": "crm-7"}
    first, cancelled = filed(sessions, world.lender, **terms)
    again, more = filed(sessions, world.lender, **terms)
    assert (first.id, [each.id for each in cancelled]) == (again.id, [visit.id])
    assert more == []


def test_an_external_id_is_not_taken_for_another_block(sessions: sessionmaker[Session], world: World) -> None:
    visit, other = make_published(sessions, world), make_published(sessions, world)
    terms = {"debtor_id": visit.debtor_id, "trigger": T.DISPUTE, "scope": BlockScope.VISITS, "external_id": "crm-7"}
    block, _ = filed(sessions, world.lender, **terms)
    others: list[dict[str, Any]] = [
        {"debtor_id": other.debtor_id},
        {"trigger": T.VULNERABILITY},
        {"scope": BlockScope.ALL},
        {"case_id": visit.case_id},
        {"scope": BlockScope.PLACE, "place_id": visit.place_id},
        {"scope": BlockScope.CHANNEL, "channel": C.VISIT},
        {"form": ConsentForm.WRITTEN},
        {"until_at": NOW + dt.timedelta(days=2)},
    ]
    for changes in others:
        with pytest.raises(BlockDiffers):
            filed(sessions, world.lender, **terms | changes)
    assert filed(sessions, world.lender, **terms, note="Said again.")[0].id == block.id


def test_what_is_to_last_longer_is_another_block(sessions: sessionmaker[Session], world: World) -> None:
    visit = make_published(sessions, world)
    terms = {"debtor_id": visit.debtor_id, "trigger": T.HOSPITALISED, "external_id": "crm-7"}
    filed(sessions, world.lender, **terms, until_at=NOW + dt.timedelta(days=1))
    with pytest.raises(BlockDiffers):
        filed(sessions, world.lender, **terms)


@pytest.mark.parametrize("lifted", [True, False])
def test_a_block_that_is_over_is_not_filed_again_under_its_id(
    sessions: sessionmaker[Session], world: World, lifted: bool
) -> None:
    visit = make_published(sessions, world)
    terms = {"debtor_id": visit.debtor_id, "trigger": T.DISPUTE, "external_id": "crm-7"}
    block, _ = filed(sessions, world.lender, **terms)
    with acting_for(sessions, world.lender) as session:
        stored = session.get_one(ContactBlock, block.id)
        if lifted:
            lift_block(session, block.id, now=NOW)
        else:
            stored.since_at, stored.until_at = NOW - dt.timedelta(days=1), NOW
    with pytest.raises(BlockEnded):
        filed(sessions, world.lender, **terms)


def test_an_agency_files_what_it_hears_and_the_lender_sees_it(sessions: sessionmaker[Session], world: World) -> None:
    visit = make_published(sessions, world)
    block, _ = filed(sessions, world.agency, debtor_id=visit.debtor_id, trigger=T.REPRESENTED, note="Lawyer: Aho")
    with acting_for(sessions, world.lender) as session:
        (seen,) = session.scalars(blocks_of(visit.debtor_id))
        assert (seen.id, seen.org_id, seen.note) == (block.id, world.lender, "Lawyer: Aho")
    with acting_for(sessions, world.stranger) as session:
        assert session.scalars(blocks_of(visit.debtor_id)).all() == []


def test_a_stranger_files_and_lifts_nothing(sessions: sessionmaker[Session], world: World) -> None:
    visit = make_published(sessions, world)
    block, _ = filed(sessions, world.lender, debtor_id=visit.debtor_id, trigger=T.DISPUTE)
    with pytest.raises(NotFound, match="debtor"):
        filed(sessions, world.stranger, debtor_id=visit.debtor_id, trigger=T.DISPUTE)
    with acting_for(sessions, world.stranger) as session, pytest.raises(NotFound, match="block"):
        lift_block(session, block.id, now=NOW)


def test_a_block_is_lifted_once_and_what_it_cancelled_stays_cancelled(
    sessions: sessionmaker[Session], world: World
) -> None:
    visit = make_published(sessions, world)
    block, _ = filed(sessions, world.lender, debtor_id=visit.debtor_id, trigger=T.DISPUTE)
    with acting_for(sessions, world.lender) as session:
        assert lift_block(session, block.id, now=NOW).lifted_at == NOW
    with acting_for(sessions, world.lender) as session, pytest.raises(AlreadyLifted):
        lift_block(session, block.id, now=NOW)
    assert state_of(sessions, visit) is VisitState.CANCELLED


@pytest.mark.parametrize(
    "given",
    [
        {"scope": BlockScope.CHANNEL},
        {"channel": C.SMS},
        {"scope": BlockScope.PLACE},
        {"place_id": uuid.uuid4()},
    ],
)
def test_a_scope_and_what_it_names_go_together(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        BlockDraft(debtor_id=uuid.uuid4(), trigger=T.DISPUTE, **given)


def test_what_a_block_names_must_be_the_debtors(sessions: sessionmaker[Session], world: World) -> None:
    mine, theirs = make_published(sessions, world), make_published(sessions, world)
    terms = {"debtor_id": mine.debtor_id, "trigger": T.DISPUTE}
    with pytest.raises(NotFound, match="case"):
        filed(sessions, world.lender, **terms, case_id=theirs.case_id)
    with pytest.raises(NotFound, match="place"):
        filed(sessions, world.lender, **terms, scope=BlockScope.PLACE, place_id=theirs.place_id)
    with pytest.raises(InvalidValue, match="until_at"):
        filed(sessions, world.lender, **terms, until_at=NOW - dt.timedelta(seconds=1))
