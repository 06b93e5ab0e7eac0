"""The third gate: what may be published, what goes back, and what two who publish at once get."""

import datetime as dt
import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.blocks import BlockDraft, file_block
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import FieldVisitError, NotFound
from fieldvisit.languages import say
from fieldvisit.models import (
    Account,
    CredentialCheck,
    CrewMember,
    DayPlan,
    Placement,
    Shift,
    StoredDecision,
    UnservedVisit,
    Visit,
    VisitEvent,
    Visitor,
)
from fieldvisit.planning.plans import DayHasBegun, DayIsOver, PlanNotDraft, PlanRequest, get_plan, request_plan
from fieldvisit.planning.publishing import NothingToPublish, publish_plan
from fieldvisit.planning.stops import FROZEN, TAKEN_BACK
from fieldvisit.safety.incidents import IncidentDraft, report_incident
from fieldvisit.visits import get_visit, move
from fieldvisit.vocabulary import (
    BlockScope,
    BlockTrigger,
    CheckMoment,
    CredentialKind,
    DayPlanState,
    IncidentKind,
    UnservedReason,
    Verdict,
    VisitState,
)
from tests.conftest import NOW
from tests.planning.worlds import drafted, make_crew, make_ready_visit, states
from tests.worlds import TODAY, World

LATER = NOW + dt.timedelta(minutes=5)


@pytest.fixture
def visits(sessions: sessionmaker[Session], world: World) -> list[uuid.UUID]:
    """Three visits that wait, and a pair that could make them all."""
    with acting_for_all(sessions) as session:
        make_crew(session, world, "A", people=2)
        return [make_ready_visit(session, world).id for _ in range(3)]


@pytest.fixture
def draft(sessions: sessionmaker[Session], world: World, visits: list[uuid.UUID]) -> uuid.UUID:
    return drafted(sessions, world)


def publish(sessions: sessionmaker[Session], world: World, plan_id: uuid.UUID, *, now: dt.datetime = LATER) -> DayPlan:
    with acting_for(sessions, world.agency) as session:
        publish_plan(session, plan_id, published_by_id=None, now=now)
        return get_plan(session, plan_id)


def stops_of(plan: DayPlan) -> set[uuid.UUID]:
    return {stop.visit_id for route in plan.routes for stop in route.stops}


def dispute(sessions: sessionmaker[Session], visit_id: uuid.UUID) -> None:
    with acting_for_all(sessions) as session:
        visit = session.get_one(Visit, visit_id)
        block = BlockDraft(debtor_id=visit.debtor_id, trigger=BlockTrigger.DISPUTE, scope=BlockScope.VISITS)
        file_block(session, block, filed_by_id=None, now=NOW)


def test_the_first_version_publishes_every_stop_with_its_decision(
    sessions: sessionmaker[Session], world: World, visits: list[uuid.UUID], draft: uuid.UUID
) -> None:
    plan = publish(sessions, world, draft)
    assert (plan.state, plan.version, plan.published_at) == (DayPlanState.PUBLISHED, 1, LATER)
    assert stops_of(plan) == set(visits)
    with acting_for(sessions, world.agency) as session:
        assert set(states(session).values()) == {VisitState.PUBLISHED}
        of_publishing = sa.select(StoredDecision).where(StoredDecision.moment == CheckMoment.PUBLISHING)
        decisions = {row.visit_id: row for row in session.scalars(of_publishing)}
        for stop in plan.routes[0].stops:
            row = decisions[stop.visit_id]
            assert (row.verdict, row.policies, row.begins_at, row.ends_at, row.decided_at) == (
                Verdict.ALLOWED,
                [["house", 1]],
                stop.begin_at,
                stop.end_at,
                LATER,
            )
            assert len(row.inputs_hash) == 64


def test_a_block_filed_since_the_draft_takes_its_stop_away_and_the_plan_says_which_clause(
    sessions: sessionmaker[Session], world: World, visits: list[uuid.UUID], draft: uuid.UUID
) -> None:
    dispute(sessions, visits[0])
    plan = publish(sessions, world, draft)
    assert stops_of(plan) == set(visits[1:])
    (left,) = plan.unserved
    assert (left.visit_id, left.reason) == (visits[0], UnservedReason.NOT_PERMITTED)
    assert [clause["clause_id"] for clause in left.detail["clauses"]] == ["house/stops/1"]
    with acting_for(sessions, world.agency) as session:
        assert session.get_one(Visit, visits[0]).state is VisitState.CANCELLED


def test_only_the_one_whose_papers_fail_is_marked_and_the_papers_relied_on_are_named(
    sessions: sessionmaker[Session], world: World, visits: list[uuid.UUID], draft: uuid.UUID
) -> None:
    """Of the pair, one loses her letter; the other keeps his. The visits of a spare crew go out."""
    with acting_for_all(sessions) as session:
        lead, other = session.scalars(sa.select(Shift).order_by(Shift.lead.desc())).all()
        papers = {p.kind: p for p in lead.visitor.credentials}
        papers[CredentialKind.AUTHORISATION_LETTER].revoked_at = NOW
        card, kept = papers[CredentialKind.ID_CARD].id, {p.id for p in other.visitor.credentials}
        lead_id, other_id = lead.visitor_id, other.visitor_id
    with pytest.raises(NothingToPublish):
        publish(sessions, world, draft)
    with acting_for_all(sessions) as session:
        # One visit is made by somebody else whose papers hold, so that there is something to publish.
        _give_away(session, world, draft, visits[0])
    publish(sessions, world, draft)
    with acting_for(sessions, world.agency) as session:
        checks = session.scalars(
            sa.select(CredentialCheck).where(
                CredentialCheck.moment == CheckMoment.PUBLISHING, CredentialCheck.visit_id == visits[1]
            )
        ).all()
        found = {
            c.visitor_id: (c.passed, set(c.credential_ids), [x["clause_id"] for x in c.faults.get("clauses", [])])
            for c in checks
        }
        assert found == {lead_id: (False, {card}, ["house/credentials/2"]), other_id: (True, kept, [])}
        refused = session.scalars(sa.select(UnservedVisit).where(UnservedVisit.visit_id == visits[1])).one()
        assert [clause["clause_id"] for clause in refused.detail["clauses"]] == ["house/credentials/2"]
        assert session.get_one(Visit, visits[1]).state is VisitState.ELIGIBLE


def test_nothing_is_stored_where_nothing_may_be_published(
    sessions: sessionmaker[Session], world: World, visits: list[uuid.UUID], draft: uuid.UUID
) -> None:
    with acting_for_all(sessions) as session:
        session.execute(sa.text("update credentials set valid_until = :day"), {"day": TODAY - dt.timedelta(days=1)})
        (number, *_) = sorted(session.scalars(sa.select(Visitor.staff_number)))
    with pytest.raises(NothingToPublish) as refused:
        publish(sessions, world, draft)
    assert f"The paper of visitor {number} is valid only until 2026-03-02: Identity card." in say(refused.value, "en")
    with acting_for(sessions, world.agency) as session:
        assert get_plan(session, draft).state is DayPlanState.DRAFT
        assert set(states(session).values()) == {VisitState.PLANNED}


def test_a_case_that_the_lender_took_back_is_not_published(
    sessions: sessionmaker[Session], world: World, visits: list[uuid.UUID], draft: uuid.UUID
) -> None:
    with acting_for_all(sessions) as session:
        case_id = session.get_one(Visit, visits[0]).case_id
        yesterday = TODAY - dt.timedelta(days=1)
        session.execute(sa.update(Placement).where(Placement.case_id == case_id).values(until_on=yesterday))
    plan = publish(sessions, world, draft)
    (left,) = plan.unserved
    assert (stops_of(plan), left.visit_id) == (set(visits[1:]), visits[0])
    assert [clause["clause_id"] for clause in left.detail["clauses"]] == [TAKEN_BACK.clause_id]


def test_where_something_happened_that_nobody_has_reviewed_nobody_is_published(
    sessions: sessionmaker[Session], world: World, visits: list[uuid.UUID], draft: uuid.UUID
) -> None:
    with acting_for_all(sessions) as session:
        told = IncidentDraft(kind=IncidentKind.THREAT, happened_at=NOW, account="A threat.", visit_id=visits[0])
        session.info["org"] = world.agency
        account = Account(org_id=world.agency, username="officer", password_hash="none", roles=["safety_officer"])
        session.add(account)
        session.flush()
        report_incident(session, told, account.id)
    plan = publish(sessions, world, draft)
    (left,) = plan.unserved
    assert (stops_of(plan), left.visit_id) == (set(visits[1:]), visits[0])
    assert [clause["clause_id"] for clause in left.detail["clauses"]] == [FROZEN.clause_id]


def test_a_second_version_replaces_the_first_and_keeps_what_both_hold(
    sessions: sessionmaker[Session], world: World, visits: list[uuid.UUID], draft: uuid.UUID
) -> None:
    publish(sessions, world, draft)
    with acting_for_all(sessions) as session:
        session.get_one(Visit, visits[0]).last_on = TODAY - dt.timedelta(days=1)
        added = make_ready_visit(session, world).id
    second = drafted(sessions, world)
    assert publish(sessions, world, second).version == 2
    with acting_for(sessions, world.agency) as session:
        assert dict(session.execute(sa.select(DayPlan.id, DayPlan.state)).all()) == {
            draft: DayPlanState.SUPERSEDED,
            second: DayPlanState.PUBLISHED,
        }
        rows = {v.id: (v.state, v.plan_id, v.planned_on) for v in session.scalars(sa.select(Visit))}
        assert rows == {
            visits[0]: (VisitState.ELIGIBLE, None, None),
            visits[1]: (VisitState.PUBLISHED, second, TODAY),
            visits[2]: (VisitState.PUBLISHED, second, TODAY),
            added: (VisitState.PUBLISHED, second, TODAY),
        }
        told = session.scalars(
            sa.select(VisitEvent.kind).where(VisitEvent.visit_id == visits[1]).order_by(VisitEvent.id)
        ).all()
        assert told == ["planned", "published", "planned_anew"]


def test_once_somebody_has_set_out_the_day_cannot_be_planned_afresh(
    sessions: sessionmaker[Session], world: World, visits: list[uuid.UUID], draft: uuid.UUID
) -> None:
    publish(sessions, world, draft)
    second = drafted(sessions, world)
    with acting_for(sessions, world.agency) as session:
        move(session, get_visit(session, visits[0], lock=True), VisitState.UNDER_WAY, now=LATER)
    with pytest.raises(DayHasBegun):
        publish(sessions, world, second)
    again = PlanRequest(area_id=world.area, planned_on=TODAY, seconds=5)
    with pytest.raises(DayHasBegun), acting_for(sessions, world.agency) as session:
        request_plan(session, world.agency, again, requested_by_id=None, now=LATER)


def test_only_a_draft_of_a_day_that_is_not_over_can_be_published(
    sessions: sessionmaker[Session], world: World, draft: uuid.UUID
) -> None:
    with pytest.raises(DayIsOver):
        publish(sessions, world, draft, now=NOW + dt.timedelta(days=1))
    publish(sessions, world, draft)
    with pytest.raises(PlanNotDraft) as refused:
        publish(sessions, world, draft)
    assert refused.value.details == {"state": DayPlanState.PUBLISHED}


def test_another_organisation_sees_no_plan_to_publish(
    sessions: sessionmaker[Session], world: World, draft: uuid.UUID
) -> None:
    with pytest.raises(NotFound), acting_for(sessions, world.stranger) as session:
        publish_plan(session, draft, published_by_id=None, now=NOW)


def test_of_two_who_publish_at_once_one_does_and_the_other_is_told(
    sessions: sessionmaker[Session], world: World, visits: list[uuid.UUID], draft: uuid.UUID
) -> None:
    together = Barrier(2)

    def one_of_two() -> str:
        try:
            with acting_for(sessions, world.agency) as session:
                together.wait()
                publish_plan(session, draft, published_by_id=None, now=LATER)
        except FieldVisitError as error:
            return error.code
        return "published"

    with ThreadPoolExecutor(2) as threads:
        answers = [answer.result() for answer in [threads.submit(one_of_two) for _ in range(2)]]
    assert sorted(answers) == ["plan_not_draft", "published"]
    with acting_for(sessions, world.agency) as session:
        of_publishing = sa.select(sa.func.count()).where(StoredDecision.moment == CheckMoment.PUBLISHING)
        assert session.scalar(of_publishing) == len(visits)


def test_a_publication_and_blocks_that_meet_wait_for_each_other_and_never_in_a_circle(
    sessions: sessionmaker[Session], world: World, visits: list[uuid.UUID], draft: uuid.UUID
) -> None:
    together = Barrier(4)

    def published() -> None:
        together.wait()
        publish(sessions, world, draft)

    def blocked(visit_id: uuid.UUID) -> None:
        together.wait()
        dispute(sessions, visit_id)

    with ThreadPoolExecutor(4) as threads:
        blocks = [threads.submit(blocked, visit_id) for visit_id in reversed(visits)]
        publication = threads.submit(published)
        for done in blocks:
            done.result()
        refused = publication.exception()
    assert refused is None or isinstance(refused, NothingToPublish)
    with acting_for(sessions, world.agency) as session:
        assert set(states(session).values()) == {VisitState.CANCELLED}


def _give_away(session: Session, world: World, plan_id: uuid.UUID, visit_id: uuid.UUID) -> None:
    """Let a new crew with papers of its own make this visit of the draft, at the time it has."""
    plan = get_plan(session, plan_id)
    (route,) = plan.routes
    (spare,) = make_crew(session, world, "B")
    made = type(route)(
        org_id=plan.org_id,
        plan_id=plan.id,
        crew_code="B",
        start_lat=route.start_lat,
        start_lon=route.start_lon,
        from_office=True,
        depart_at=route.depart_at,
        return_at=route.return_at,
        travel_s=0,
        travel_m=0,
        wait_s=0,
        path=[],
    )
    made.members = [CrewMember(org_id=plan.org_id, visitor_id=spare.visitor_id, lead=True)]
    session.add(made)
    session.flush()
    stop = next(stop for stop in route.stops if stop.visit_id == visit_id)
    stop.route_id, stop.position = made.id, 1
    session.flush()
