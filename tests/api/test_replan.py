"""The rest of a running day planned anew by a worker: what has begun stays, few visits change hands, and what goes
wrong is told."""

import asyncio
import datetime as dt
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.apart import Apart
from fieldvisit.clock import Clock
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import DayPlan
from fieldvisit.planning.claiming import claim_plan
from fieldvisit.planning.drafting import Found
from fieldvisit.planning.failures import PlanFailure
from fieldvisit.planning.jobs import solve_plan
from fieldvisit.planning.latest import DayMovedOn
from fieldvisit.planning.plans import get_plan, give_up_plan
from fieldvisit.planning.relieving import propose_relief, relieve_crews
from fieldvisit.planning.repairing import accept_repair
from fieldvisit.planning.tools import Tools
from fieldvisit.safety.drafts import Sos
from fieldvisit.safety.sos import call_for_help
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import DayPlanState, Role
from tests.api.conftest import ClientFor
from tests.api.test_plan_changes import busiest, order_of, plan_of, post, reason_of, set_out, times_of
from tests.api.test_plan_changes import day as day
from tests.api.test_plan_changes import dispatcher as dispatcher
from tests.api.test_plan_changes import draft as draft
from tests.api.test_plan_changes import published as published
from tests.conftest import NOW
from tests.planning.worlds import make_ready_case, make_ready_visit
from tests.worlds import World

BRIEF = {"seconds": 30, "iterations": 30}


@pytest.fixture
def tools(settings: Settings, sessions: sessionmaker[Session], engine: sa.Engine) -> Tools:
    return Tools(settings=settings, sessions=sessions, clock=Clock(engine))


def replanned(dispatcher: FlaskClient, tools: Tools, world: World, plan_id: str, **more: Any) -> dict[str, Any]:
    """Asked for, made by a worker, and read."""
    asked = dispatcher.post(f"/day-plans/{plan_id}/replan", json=BRIEF | more)
    assert (asked.status_code, asked.json["state"], asked.json["repairs_id"]) == (202, "requested", plan_id)
    asyncio.run(solve_plan(tools, world.agency, uuid.UUID(asked.json["id"])))
    return plan_of(dispatcher, asked.json["id"])


def test_an_urgent_visit_is_taken_into_a_running_day_and_what_has_begun_stays(
    dispatcher: FlaskClient, tools: Tools, sessions: sessionmaker[Session], day: World, published: str
) -> None:
    before = plan_of(dispatcher, published)
    crew, visits, _ = busiest(before)
    set_out(sessions, day, visits[0])
    with acting_for_all(sessions) as session:
        urgent = str(make_ready_visit(session, day, make_ready_case(session, day, point=(60.1935, 24.9410))).id)
    found = replanned(dispatcher, tools, day, published, add=[urgent])
    assert (found["state"], found["progress"]["changed"]) == ("draft", 0), found["failure"]
    assert dispatcher.get(f"/day-plans/{found['id']}/faults").json == {"faults": []}
    orders = order_of(found)
    assert (orders[crew][0], times_of(found, crew)[0]) == (visits[0], times_of(before, crew)[0])
    assert urgent in [visit for order in orders.values() for visit in order]
    effects = dispatcher.get(f"/day-plans/{found['id']}/effects").json["visits"]
    assert {one["effect"] for one in effects} <= {"added", "retimed"}
    made = dispatcher.post(f"/day-plans/{found['id']}/publication")
    assert (made.status_code, made.json["version"]) == (200, 2)


def test_a_repair_that_finds_nothing_better_changes_nothing_to_the_second(
    dispatcher: FlaskClient, tools: Tools, day: World, published: str
) -> None:
    before = plan_of(dispatcher, published)
    found = replanned(dispatcher, tools, day, published, most_changed=0)
    assert found["routes"] == before["routes"]
    assert dispatcher.get(f"/day-plans/{found['id']}/effects").json == {"visits": [], "people": []}
    back = dispatcher.post(f"/day-plans/{found['id']}/undo")
    assert (back.status_code, back.json["id"], back.json["state"]) == (200, published, "published")


def test_a_crew_that_keeps_its_visits_hears_of_another_order_only_where_that_saves_what_was_asked(
    dispatcher: FlaskClient, tools: Tools, day: World, published: str
) -> None:
    crew, visits, _ = busiest(plan_of(dispatcher, published))
    to_and_fro = visits[1::2] + visits[::2]
    turned = {"kind": "reorder", "crew": crew, "visit_ids": to_and_fro}
    kept = post(dispatcher, published, "changes", turned).json["id"]
    shown = dispatcher.post(f"/day-plans/{kept}/publication").json
    calm = replanned(dispatcher, tools, day, kept, most_changed=0, change_price_s=86_400)
    assert calm["routes"] == shown["routes"]
    assert dispatcher.get(f"/day-plans/{calm['id']}/effects").json["people"] == []
    keen = replanned(dispatcher, tools, day, kept, most_changed=0, change_price_s=0)
    assert order_of(keen)[crew] != to_and_fro


def test_a_repair_whose_visit_was_set_out_to_meanwhile_fails_with_that_reason(
    dispatcher: FlaskClient, tools: Tools, sessions: sessionmaker[Session], day: World, published: str
) -> None:
    _, visits, _ = busiest(plan_of(dispatcher, published))
    asked = dispatcher.post(f"/day-plans/{published}/replan", json=BRIEF).json["id"]
    kept = post(dispatcher, published, "changes", {"kind": "remove", "visit_id": visits[0]}).json["id"]
    assert dispatcher.post(f"/day-plans/{kept}/publication").status_code == 200
    asyncio.run(solve_plan(tools, day.agency, uuid.UUID(asked)))
    failed = plan_of(dispatcher, asked)
    assert (failed["state"], failed["failure"]["code"]) == ("failed", "day_moved_on")


def test_only_a_published_day_is_repaired_by_those_who_run_it(
    dispatcher: FlaskClient, client_for: ClientFor, day: World, draft: str
) -> None:
    path = f"/day-plans/{draft}/replan"
    assert reason_of(dispatcher.post(path, json=BRIEF)) == (409, "plan_not_published")
    assert reason_of(dispatcher.post(path, json={"seconds": 0})) == (422, "invalid_request")
    assert reason_of(client_for(Role.AUDITOR, org=day.agency).post(path, json=BRIEF)) == (403, "not_permitted")
    assert reason_of(client_for(Role.DISPATCHER, org=day.stranger).post(path, json=BRIEF)) == (404, "not_found")


def test_a_claim_is_taken_over_when_its_worker_dies_and_the_dead_ones_answer_is_ignored(
    dispatcher: FlaskClient, tools: Tools, sessions: sessionmaker[Session], day: World, published: str
) -> None:
    asked = uuid.UUID(dispatcher.post(f"/day-plans/{published}/replan", json=BRIEF).json["id"])
    with acting_for(sessions, day.agency) as session:
        # As a worker leaves it that was killed in mid-search.
        silent = {"state": DayPlanState.SOLVING, "claimed_at": NOW}
        session.execute(sa.update(DayPlan).where(DayPlan.id == asked).values(silent))
    asyncio.run(solve_plan(tools, day.agency, asked))
    assert plan_of(dispatcher, str(asked))["state"] == "draft"
    assert plan_of(dispatcher, published)["state"] == "published"


def test_the_route_behind_somebody_in_alarm_is_proposed_to_others_and_never_published_by_itself(
    dispatcher: FlaskClient, tools: Tools, sessions: sessionmaker[Session], day: World, published: str
) -> None:
    before = plan_of(dispatcher, published)
    set_out(sessions, day, busiest(before)[1][0])
    crew, visits, other = alarm_on(sessions, day, before)
    asked: list[uuid.UUID] = []
    for _ in range(2):
        relieve_crews(sessions, tools.clock, lambda session, org_id, plan_id: asked.append(plan_id))
    (plan_id,) = asked
    with acting_for(sessions, day.agency) as session:
        # The product searches for ten seconds; of three visits there is nothing to find after one.
        session.get_one(DayPlan, plan_id).seconds = 1
    asyncio.run(solve_plan(tools, day.agency, plan_id))
    found = plan_of(dispatcher, str(plan_id))
    assert (found["state"], found["repairs_id"], found["relieves"]) == ("draft", published, [crew]), found["failure"]
    assert order_of(found)[crew] == visits[:1]
    assert set(visits[1:]) <= {*order_of(found)[other], *(each["visit_id"] for each in found["unserved"])}
    assert set(visits[1:]) & set(order_of(found)[other])
    assert plan_of(dispatcher, published)["state"] == "published"
    assert dispatcher.post(f"/day-plans/{plan_id}/publication").status_code == 200


def test_relief_that_failed_is_asked_for_again_while_the_alert_is_open_and_less_often_the_older_it_is(
    dispatcher: FlaskClient, tools: Tools, sessions: sessionmaker[Session], day: World, published: str
) -> None:
    alarm_on(sessions, day, plan_of(dispatcher, published))

    def asked(after_min: int) -> list[uuid.UUID]:
        with acting_for(sessions, day.agency) as session:
            return propose_relief(session, NOW + dt.timedelta(minutes=after_min), Apart())

    def fail(plan_id: uuid.UUID, after_min: int) -> None:
        with acting_for(sessions, day.agency) as session:
            at = NOW + dt.timedelta(minutes=after_min)
            give_up_plan(session, plan_id, PlanFailure.DAY_MOVED_ON, says="", now=at)

    (first,) = asked(0)
    assert asked(1) == []
    fail(first, 1)
    assert asked(2) == []
    (second,) = asked(4)
    fail(second, 60)
    assert asked(70) == []
    (third,) = asked(85)
    assert third not in (first, second)


def test_relief_waits_for_the_draft_that_somebody_works_on(
    dispatcher: FlaskClient, tools: Tools, sessions: sessionmaker[Session], day: World, published: str
) -> None:
    _, visits, other = alarm_on(sessions, day, plan_of(dispatcher, published))

    def asked(after_min: int) -> list[uuid.UUID]:
        with acting_for(sessions, day.agency) as session:
            return propose_relief(session, NOW + dt.timedelta(minutes=after_min), Apart())

    (relief,) = asked(0)
    with acting_for(sessions, day.agency) as session:
        claimed = claim_plan(session, relief, NOW)
        assert claimed is not None
        shown = get_plan(session, uuid.UUID(published))
        found = Found(problem=shown.problem or {}, plan=shown.plan or {}, travel_source="", paths={})
    moved = {"kind": "move", "visit_id": visits[0], "crew": other}
    mine = post(dispatcher, published, "changes", moved).json["id"]
    with pytest.raises(DayMovedOn), acting_for(sessions, day.agency) as session:
        accept_repair(session, claimed, found, now=NOW)
    assert plan_of(dispatcher, mine)["state"] == "draft"
    with acting_for(sessions, day.agency) as session:
        give_up_plan(session, relief, PlanFailure.DAY_MOVED_ON, says="", now=NOW)
    assert asked(10) == []
    assert dispatcher.post(f"/day-plans/{mine}/undo").status_code == 200
    assert len(asked(10)) == 1


def test_nobody_who_plans_learns_of_a_call_that_nobody_may_see(
    dispatcher: FlaskClient, tools: Tools, sessions: sessionmaker[Session], day: World, published: str
) -> None:
    route = plan_of(dispatcher, published)["routes"][0]
    call_for_help_of(sessions, day, uuid.UUID(route["members"][0]["visitor_id"]), covert=True)
    with acting_for(sessions, day.agency) as session:
        assert propose_relief(session, NOW, Apart()) == []


def call_for_help_of(sessions: sessionmaker[Session], world: World, visitor_id: uuid.UUID, **given: Any) -> None:
    with acting_for(sessions, world.agency) as session:
        call_for_help(session, Sos(visitor_id=visitor_id, actor_id=None, event_id=uuid.uuid4(), **given))


def alarm_on(sessions: sessionmaker[Session], world: World, plan: dict[str, Any]) -> tuple[str, list[str], str]:
    """Somebody of the busiest crew calls for help: the crew, its visits, and another crew."""
    crew, visits, other = busiest(plan)
    members = {route["crew"]: route["members"][0]["visitor_id"] for route in plan["routes"]}
    call_for_help_of(sessions, world, uuid.UUID(members[crew]))
    return crew, visits, other
