"""From a search's answer to the day's draft: what is written, what is released, and what changed meanwhile."""

import datetime as dt
import uuid
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.blocks import BlockDraft, file_block
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import InvalidValue, NotFound
from fieldvisit.models import Area, CredentialCheck, DayPlan, Shift, StoredDecision, Visit, VisitEvent
from fieldvisit.planning.claiming import claim_plan
from fieldvisit.planning.drafting import accept_plan
from fieldvisit.planning.failures import PlanFailure
from fieldvisit.planning.judging import PlanFaulty, faults_of
from fieldvisit.planning.plans import (
    Claimed,
    PlanNotDraft,
    PlanRequest,
    drop_plan,
    fail_plan,
    fail_silent_plans,
    get_plan,
    lock_plan,
    note_progress,
    request_plan,
)
from fieldvisit.planning.publishing import publish_plan
from fieldvisit.visits import CancelReason, cancel_visit
from fieldvisit.vocabulary import (
    BlockScope,
    BlockTrigger,
    CheckMoment,
    CredentialKind,
    DayPlanState,
    UnservedReason,
    Verdict,
    VisitState,
)
from tests.conftest import NOW
from tests.planning.worlds import (
    at,
    claimed_plan,
    drafted,
    found_in,
    make_crew,
    make_ready_case,
    make_ready_visit,
    make_second_case,
    solved,
    states,
)
from tests.worlds import HELSINKI, TODAY, World

type Change = Callable[[Session, Visit], None]


@pytest.fixture
def visits(sessions: sessionmaker[Session], world: World) -> list[uuid.UUID]:
    """Three visits that wait, and a pair that could make them all."""
    with acting_for_all(sessions) as session:
        make_crew(session, world, "A", people=2)
        return [make_ready_visit(session, world).id for _ in range(3)]


def accept(sessions: sessionmaker[Session], world: World, claimed: Claimed) -> bool:
    with acting_for(sessions, world.agency) as session:
        return accept_plan(session, claimed, found_in(solved(claimed)), now=NOW)


def test_a_draft_holds_the_stops_of_the_answer_at_its_times(
    sessions: sessionmaker[Session], world: World, visits: list[uuid.UUID]
) -> None:
    claimed = claimed_plan(sessions, world)
    answer = solved(claimed)
    with acting_for(sessions, world.agency) as session:
        assert accept_plan(session, claimed, found_in(answer), now=NOW)
    midnight = at("00:00")
    with acting_for(sessions, world.agency) as session:
        plan = get_plan(session, claimed.plan_id)
        (route,), (found,) = plan.routes, answer.plan["routes"]  # type: ignore[index]
        assert [
            (
                str(stop.visit_id),
                *(int((t - midnight).total_seconds()) for t in (stop.arrive_at, stop.begin_at, stop.end_at)),
            )
            for stop in route.stops
        ] == [(stop["task"], stop["arrive_s"], stop["begin_s"], stop["end_s"]) for stop in found["stops"]]
        assert [stop.position for stop in route.stops] == [1, 2, 3]
        assert {stop.visit_id for stop in route.stops} == set(visits)
        assert sum(stop.travel_s for stop in route.stops) < route.travel_s == found["travel_s"]
        assert (route.depart_at, route.return_at) == tuple(
            midnight + dt.timedelta(seconds=found[name]) for name in ("depart_s", "return_s")
        )
        assert [member.lead for member in route.members] == [True, False]
        assert route.path[0] == route.path[-1] == [HELSINKI[1], HELSINKI[0]]
        assert (plan.state, plan.cost, plan.finished_at, plan.version) == (
            DayPlanState.DRAFT,
            answer.plan["cost"],  # type: ignore[index]
            NOW,
            None,
        )
        assert faults_of(plan) == []
        assert (plan.problem, plan.plan) == (answer.problem, answer.plan)


def test_its_visits_are_planned_each_with_a_decision_and_a_check_of_each_persons_papers(
    sessions: sessionmaker[Session], world: World, visits: list[uuid.UUID]
) -> None:
    plan_id = drafted(sessions, world)
    with acting_for(sessions, world.agency) as session:
        rows = session.scalars(sa.select(Visit)).all()
        assert {(row.state, row.planned_on, row.plan_id) for row in rows} == {(VisitState.PLANNED, TODAY, plan_id)}
        decisions = session.scalars(sa.select(StoredDecision)).all()
        assert {(d.visit_id, d.moment, d.verdict) for d in decisions} == {
            (visit_id, CheckMoment.PLANNING, Verdict.ALLOWED) for visit_id in visits
        }
        checks = session.scalars(sa.select(CredentialCheck)).all()
        assert [check.passed for check in checks] == [True] * 6
        assert {len(check.credential_ids) for check in checks} == {2}


def test_a_second_draft_takes_the_place_of_the_first(
    sessions: sessionmaker[Session], world: World, visits: list[uuid.UUID]
) -> None:
    first, second = drafted(sessions, world), drafted(sessions, world)
    with acting_for(sessions, world.agency) as session:
        found = dict(session.execute(sa.select(DayPlan.id, DayPlan.state)).all())
        assert found == {first: DayPlanState.DROPPED, second: DayPlanState.DRAFT}
        assert set(session.scalars(sa.select(Visit.plan_id))) == {second}


def cancel_it(session: Session, visit: Visit) -> None:
    cancel_visit(session, visit.id, reason=CancelReason.BY_HAND, now=NOW)


def dispute(session: Session, visit: Visit) -> None:
    draft = BlockDraft(debtor_id=visit.debtor_id, trigger=BlockTrigger.DISPUTE, scope=BlockScope.VISITS)
    file_block(session, draft, filed_by_id=None, now=NOW - dt.timedelta(minutes=1))


def revoke_letters(session: Session, visit: Visit) -> None:
    session.execute(
        sa.text("update credentials set revoked_at = :now where kind = :kind"),
        {"now": NOW, "kind": CredentialKind.AUTHORISATION_LETTER.value},
    )


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        (cancel_it, (UnservedReason.TAKEN_MEANWHILE, VisitState.CANCELLED, set())),
        (dispute, (UnservedReason.NOT_PERMITTED, VisitState.CANCELLED, {"house/stops/1"})),
        (revoke_letters, (UnservedReason.NOT_PERMITTED, VisitState.ELIGIBLE, {"house/credentials/2"})),
    ],
    ids=["cancelled", "disputed", "letters revoked"],
)
def test_what_happened_while_the_search_ran_is_seen_when_its_answer_comes(
    sessions: sessionmaker[Session], world: World, visits: list[uuid.UUID], change: Change, outcome: object
) -> None:
    claimed = claimed_plan(sessions, world)
    with acting_for_all(sessions) as session:
        change(session, session.get_one(Visit, visits[0]))
    assert accept(sessions, world, claimed)
    with acting_for(sessions, world.agency) as session:
        plan = get_plan(session, claimed.plan_id)
        (left,) = [one for one in plan.unserved if one.visit_id == visits[0]]
        clauses = {clause["clause_id"] for clause in left.detail["clauses"]}
        assert (left.reason, session.get_one(Visit, visits[0]).state, clauses) == outcome
        assert visits[0] not in {stop.visit_id for route in plan.routes for stop in route.stops}


def test_of_two_overlapping_areas_the_second_draft_sees_what_the_first_has_taken(
    sessions: sessionmaker[Session], world: World, visits: list[uuid.UUID]
) -> None:
    """The same visit, and the same debtor's slot of a cap: both go to whoever writes first."""
    with acting_for_all(sessions) as session:
        harbour = Area(org_id=world.agency, code="harbour", name="Harbour", lat=60.16, lon=24.94, radius_m=5_000)
        session.add(harbour)
        session.flush()
        harbour_id = harbour.id
        sibling = make_ready_visit(
            session, world, make_second_case(session, world, session.get_one(Visit, visits[0]).case)
        )
        sibling_id = sibling.id
    first = claimed_plan(sessions, world)
    with acting_for_all(sessions) as session:
        # Other people for the other area, who would otherwise be taken themselves.
        session.execute(sa.delete(Shift))
        make_crew(session, world, "B", people=2)
    with acting_for(sessions, world.agency) as session:
        request = PlanRequest(area_id=harbour_id, planned_on=TODAY, seconds=5, iterations=30)
        second_id = request_plan(session, world.agency, request, requested_by_id=None, now=NOW).id
        second = claim_plan(session, second_id, NOW)
    assert second is not None
    assert accept(sessions, world, first)
    assert accept(sessions, world, second)
    with acting_for(sessions, world.agency) as session:
        one, other = get_plan(session, first.plan_id), get_plan(session, second_id)
        assert sum(len(route.stops) for route in one.routes) == 3
        assert [len(route.stops) for route in other.routes] == [0] * len(other.routes)
        assert {left.reason for left in other.unserved} <= {
            UnservedReason.TAKEN_MEANWHILE,
            UnservedReason.NOT_PERMITTED,
            UnservedReason.GROUP_TAKEN,
        }
        planned = session.scalars(sa.select(Visit).where(Visit.state == VisitState.PLANNED)).all()
        assert len({visit.debtor_id for visit in planned}) == len(planned) == 3
        assert {visits[0], sibling_id} - {visit.id for visit in planned} != set()


def test_an_answer_that_the_judge_objects_to_is_never_stored(
    sessions: sessionmaker[Session], world: World, visits: list[uuid.UUID]
) -> None:
    claimed = claimed_plan(sessions, world)
    found = found_in(solved(claimed))
    found.plan["routes"][0]["stops"][0]["begin_s"] -= 1  # type: ignore[index]
    with pytest.raises(PlanFaulty), acting_for(sessions, world.agency) as session:
        accept_plan(session, claimed, found, now=NOW)
    with acting_for(sessions, world.agency) as session:
        plan = get_plan(session, claimed.plan_id)
        assert (plan.state, plan.plan, plan.routes) == (DayPlanState.SOLVING, None, [])
        assert set(states(session).values()) == {VisitState.ELIGIBLE}


def test_a_plan_claimed_anew_ignores_the_answer_of_its_first_worker(
    sessions: sessionmaker[Session], world: World, visits: list[uuid.UUID]
) -> None:
    first = claimed_plan(sessions, world)
    with acting_for(sessions, world.agency) as session:
        second = claim_plan(session, first.plan_id, NOW + dt.timedelta(seconds=40))
    assert second is not None
    with acting_for(sessions, world.agency) as session:
        assert not note_progress(session, first, {"seconds": 1.0})
        fail_plan(session, first, PlanFailure.SEARCH_DIED, says="", now=NOW)
    assert not accept(sessions, world, first)
    assert accept(sessions, world, second)
    with acting_for(sessions, world.agency) as session:
        assert get_plan(session, first.plan_id).state is DayPlanState.DRAFT
        assert claim_plan(session, first.plan_id, NOW) is None


def test_dropping_a_draft_lets_its_visits_wait_again(
    sessions: sessionmaker[Session], world: World, visits: list[uuid.UUID]
) -> None:
    plan_id = drafted(sessions, world)
    with acting_for(sessions, world.agency) as session:
        assert drop_plan(session, plan_id, now=NOW).state is DayPlanState.DROPPED
    with acting_for(sessions, world.agency) as session:
        rows = session.scalars(sa.select(Visit)).all()
        assert {(row.state, row.planned_on, row.plan_id) for row in rows} == {(VisitState.ELIGIBLE, None, None)}
        codes = session.scalars(sa.select(VisitEvent.detail["code"].as_string()).where(VisitEvent.kind == "eligible"))
        assert set(codes) == {"draft_dropped"}
        with pytest.raises(PlanNotDraft):
            drop_plan(session, plan_id, now=NOW)


def test_a_search_that_is_called_off_hears_so_and_leaves_nothing(
    sessions: sessionmaker[Session], world: World, visits: list[uuid.UUID]
) -> None:
    claimed = claimed_plan(sessions, world)
    with acting_for(sessions, world.agency) as session:
        assert note_progress(session, claimed, {"seconds": 0.5, "served": 1})
        drop_plan(session, claimed.plan_id, now=NOW)
        assert not note_progress(session, claimed, {"seconds": 1.0, "served": 2})
    assert not accept(sessions, world, claimed)
    with acting_for(sessions, world.agency) as session:
        assert get_plan(session, claimed.plan_id).progress == {"seconds": 0.5, "served": 1}
        assert set(states(session).values()) == {VisitState.ELIGIBLE}


def test_a_failed_search_leaves_the_published_plan_and_the_draft_as_they_were(
    sessions: sessionmaker[Session], world: World, visits: list[uuid.UUID]
) -> None:
    published = drafted(sessions, world)
    with acting_for(sessions, world.agency) as session:
        publish_plan(session, published, published_by_id=None, now=NOW)
    draft = drafted(sessions, world)
    claimed = claimed_plan(sessions, world)
    with acting_for(sessions, world.agency) as session:
        fail_plan(session, claimed, PlanFailure.SEARCH_DIED, says="exit code -9.", now=NOW)
    with acting_for(sessions, world.agency) as session:
        found = dict(session.execute(sa.select(DayPlan.id, DayPlan.state)).all())
        assert found == {
            published: DayPlanState.PUBLISHED,
            draft: DayPlanState.DRAFT,
            claimed.plan_id: DayPlanState.FAILED,
        }
        assert get_plan(session, claimed.plan_id).failure == {"code": "search_died", "says": "exit code -9."}
        assert set(states(session).values()) == {VisitState.PUBLISHED}


def test_a_plan_whose_job_is_gone_fails_an_hour_after_its_time(
    sessions: sessionmaker[Session], world: World, visits: list[uuid.UUID]
) -> None:
    claimed = claimed_plan(sessions, world)
    limit = NOW + dt.timedelta(seconds=claimed.seconds + 3_600)
    with acting_for(sessions, world.agency) as session:
        assert fail_silent_plans(session, limit) == 0
        assert fail_silent_plans(session, limit + dt.timedelta(seconds=1)) == 1
        assert lock_plan(session, claimed.plan_id).failure == {"code": "worker_lost", "says": ""}


def test_a_plan_for_yesterday_or_for_a_strange_area_is_refused(sessions: sessionmaker[Session], world: World) -> None:
    yesterday = PlanRequest(area_id=world.area, planned_on=TODAY - dt.timedelta(days=1), seconds=5)
    with pytest.raises(InvalidValue), acting_for(sessions, world.agency) as session:
        request_plan(session, world.agency, yesterday, requested_by_id=None, now=NOW)
    today = PlanRequest(area_id=world.area, planned_on=TODAY, seconds=5)
    with pytest.raises(NotFound), acting_for(sessions, world.stranger) as session:
        request_plan(session, world.stranger, today, requested_by_id=None, now=NOW)


def test_where_nobody_works_every_visit_is_left_out(sessions: sessionmaker[Session], world: World) -> None:
    with acting_for_all(sessions) as session:
        make_ready_visit(session, world, make_ready_case(session, world))
    plan_id = drafted(sessions, world)
    with acting_for(sessions, world.agency) as session:
        plan = get_plan(session, plan_id)
        assert (plan.routes, [left.reason for left in plan.unserved]) == ([], [UnservedReason.NO_CREW_OFFERS])


def test_an_empty_day_is_a_draft_without_routes(sessions: sessionmaker[Session], world: World) -> None:
    plan_id = drafted(sessions, world)
    with acting_for(sessions, world.agency) as session:
        plan = get_plan(session, plan_id)
        assert (plan.state, plan.routes, plan.unserved, faults_of(plan)) == (DayPlanState.DRAFT, [], [], [])


def test_who_stays_at_home_is_kept_with_the_clauses_under_the_staff_number(
    sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for_all(sessions) as session:
        make_ready_visit(session, world)
        (shift,) = make_crew(session, world, "A")
        for paper in shift.visitor.credentials:
            paper.valid_until = TODAY - dt.timedelta(days=1)
        visitor_id, staff_number = shift.visitor_id, shift.visitor.staff_number
    plan_id = drafted(sessions, world)
    with acting_for(sessions, world.agency) as session:
        home = get_plan(session, plan_id).stayed_home
        assert list(home) == [str(visitor_id)]
        record = home[str(visitor_id)]
        assert record["staff_number"] == staff_number
        assert [(c["clause_id"], c["message"]["values"]["visitor"]) for c in record["clauses"]] == [
            ("house/credentials/1", staff_number),
            ("house/credentials/2", staff_number),
        ]
