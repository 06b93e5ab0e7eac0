"""Day plans over HTTP: asked for, polled, read, published and dropped; by whom, and in whose language."""

import asyncio
import datetime as dt
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.clock import Clock
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import DayPlan, Placement, Visit
from fieldvisit.planning.failures import PlanFailure
from fieldvisit.planning.jobs import solve_plan
from fieldvisit.planning.plans import fail_plan
from fieldvisit.planning.tools import Tools
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import DayPlanState, Role, VisitState
from routing.checking import faults
from routing.format import plan_from_document, problem_from_document
from tests.api.conftest import ClientFor
from tests.conftest import NOW
from tests.planning.worlds import claimed_plan, drafted, make_crew, make_ready_visit, states
from tests.worlds import TODAY, World

CHINESE = {"Accept-Language": "zh-CN"}


@pytest.fixture
def day(sessions: sessionmaker[Session], world: World) -> World:
    """Two visits that a crew could make, and one in a language that nobody there speaks."""
    with acting_for_all(sessions) as session:
        make_crew(session, world, "A")
        for _ in range(2):
            make_ready_visit(session, world)
        make_ready_visit(session, world).debtor.language = "sv"
    return world


@pytest.fixture
def dispatcher(client_for: ClientFor, world: World) -> FlaskClient:
    return client_for(Role.DISPATCHER, org=world.agency)


def request_for(world: World, **more: Any) -> dict[str, Any]:
    return {"area_id": str(world.area), "planned_on": TODAY.isoformat(), "seconds": 5, "iterations": 20} | more


def reason_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["code"]


def test_a_plan_is_asked_for_made_by_a_worker_read_and_published(
    dispatcher: FlaskClient, settings: Settings, sessions: sessionmaker[Session], engine: sa.Engine, day: World
) -> None:
    asked = dispatcher.post("/day-plans", json=request_for(day))
    assert (asked.status_code, asked.json["state"], asked.json["failure"]) == (202, "requested", None)
    plan_id = asked.json["id"]
    tools = Tools(settings=settings, sessions=sessions, clock=Clock(engine))
    asyncio.run(solve_plan(tools, day.agency, uuid.UUID(plan_id)))
    found = dispatcher.get(f"/day-plans/{plan_id}").json
    assert (found["state"], found["travel_words"]) == ("draft", "estimated from straight lines, not from roads")
    assert found["progress"]["served"] == 2
    (route,) = found["routes"]
    assert (route["crew"], [stop["state"] for stop in route["stops"]]) == ("A", ["planned", "planned"])
    assert set(route["stops"][0]) == {
        *("visit_id", "reference", "state", "address", "point"),
        *("arrive_at", "begin_at", "end_at", "travel_s", "with_crew"),
    }
    assert dispatcher.get(f"/day-plans/{plan_id}/faults").json == {"faults": []}
    published = dispatcher.post(f"/day-plans/{plan_id}/publication")
    assert (published.status_code, published.json["state"], published.json["version"]) == (200, "published", 1)
    assert {stop["state"] for stop in published.json["routes"][0]["stops"]} == {"published"}


def test_what_is_left_out_is_told_in_the_readers_language(
    dispatcher: FlaskClient, sessions: sessionmaker[Session], day: World
) -> None:
    plan_id = drafted(sessions, day)

    def told(**headers: str) -> tuple[str, str, list[str]]:
        (left,) = dispatcher.get(f"/day-plans/{plan_id}", headers=headers).json["unserved"]
        return left["reason"], left["words"], left["remarks"]

    assert told() == (
        "no_crew_offers",
        "No crew has what it needs",
        ["it needs somebody who speaks svenska (sv)"],
    )
    assert told(**CHINESE) == ("no_crew_offers", "没有小组具备所需条件", ["需要：会说 svenska (sv) 的人员"])


def test_who_stays_at_home_is_told_with_the_clauses(
    dispatcher: FlaskClient, sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for_all(sessions) as session:
        make_ready_visit(session, world)
        (shift,) = make_crew(session, world, "A")
        for paper in shift.visitor.credentials:
            paper.valid_until = TODAY - dt.timedelta(days=1)
        number = shift.visitor.staff_number
    (home,) = dispatcher.get(f"/day-plans/{drafted(sessions, world)}").json["stayed_home"]
    assert (home["staff_number"], home["clauses"]) == (
        number,
        [
            f"The paper of visitor {number} is valid only until 2026-03-02: Identity card.",
            f"The paper of visitor {number} is valid only until 2026-03-02: Letter of authorisation.",
        ],
    )


def test_why_a_search_failed_is_told_as_a_code_and_in_words(
    dispatcher: FlaskClient, sessions: sessionmaker[Session], day: World
) -> None:
    claimed = claimed_plan(sessions, day)
    with acting_for(sessions, day.agency) as session:
        fail_plan(session, claimed, PlanFailure.MAP_UNUSABLE, says="/srv/maps/x.pbf", now=NOW)
    answer = dispatcher.get(f"/day-plans/{claimed.plan_id}")
    assert (answer.json["state"], answer.json["failure"]) == (
        "failed",
        {
            "code": "map_unusable",
            "words": "The map for road travel times cannot be read. An operator has to mend the setting MAP_FILE.",
        },
    )
    assert "/srv/maps" not in answer.text


def test_the_documents_of_a_plan_pass_any_judge(
    dispatcher: FlaskClient, sessions: sessionmaker[Session], day: World
) -> None:
    documents = dispatcher.get(f"/day-plans/{drafted(sessions, day)}/documents").json
    assert faults(problem_from_document(documents["problem"]), plan_from_document(documents["plan"])) == []


def test_faults_are_told_in_the_readers_language(
    dispatcher: FlaskClient, sessions: sessionmaker[Session], day: World
) -> None:
    plan_id = drafted(sessions, day)
    with acting_for(sessions, day.agency) as session:
        tampered = session.get_one(DayPlan, plan_id)
        tampered.plan = {**(tampered.plan or {}), "cost": 1}
    assert dispatcher.get(f"/day-plans/{plan_id}/faults", headers=CHINESE).json == {
        "faults": ["cost：计划的成本与实际计算不符。 [cost_wrong]"]
    }


def test_a_plan_in_the_making_has_no_documents_and_no_faults(dispatcher: FlaskClient, day: World) -> None:
    plan_id = dispatcher.post("/day-plans", json=request_for(day)).json["id"]
    assert dispatcher.get(f"/day-plans/{plan_id}/documents").json == {"problem": None, "plan": None}
    assert dispatcher.get(f"/day-plans/{plan_id}/faults").json == {"faults": []}
    assert dispatcher.get(f"/day-plans/{plan_id}").json["travel_words"] is None


def test_the_picture_is_one_page_in_the_readers_language(
    dispatcher: FlaskClient, sessions: sessionmaker[Session], day: World
) -> None:
    plan_id = drafted(sessions, day)
    page = dispatcher.get(f"/day-plans/{plan_id}/picture", headers=CHINESE)
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert page.text.startswith("<!doctype html>")
    assert "按直线距离估算，并非道路时间" in page.text


def test_a_plan_stays_readable_when_the_lender_takes_a_case_back_but_not_its_address(
    dispatcher: FlaskClient, sessions: sessionmaker[Session], day: World
) -> None:
    plan_id = drafted(sessions, day)
    with acting_for_all(sessions) as session:
        session.execute(sa.update(Placement).values(until_on=TODAY - dt.timedelta(days=1)))
    (route,) = dispatcher.get(f"/day-plans/{plan_id}").json["routes"]
    assert [(stop["address"], stop["point"]) for stop in route["stops"]] == [(None, None)] * 2
    page = dispatcher.get(f"/day-plans/{plan_id}/picture")
    assert (page.status_code, "Aleksanterinkatu" in page.text) == (200, False)
    assert reason_of(dispatcher.post(f"/day-plans/{plan_id}/publication")) == (409, "nothing_to_publish")


def test_plans_are_listed_newest_first_of_a_day_and_in_a_state(
    dispatcher: FlaskClient, sessions: sessionmaker[Session], day: World
) -> None:
    made = drafted(sessions, day)
    asked = dispatcher.post("/day-plans", json=request_for(day, planned_on="2026-03-04")).json["id"]
    everything = dispatcher.get("/day-plans").json["items"]
    assert [plan["id"] for plan in everything] == [asked, str(made)]
    assert "routes" not in everything[0]
    for query, wanted in (("state=draft", str(made)), ("planned_on=2026-03-04", asked)):
        (found,) = dispatcher.get(f"/day-plans?{query}").json["items"]
        assert found["id"] == wanted


def test_dropping_a_draft_lets_its_visits_wait_again_and_is_done_once(
    dispatcher: FlaskClient, sessions: sessionmaker[Session], day: World
) -> None:
    plan_id = drafted(sessions, day)
    dropped = dispatcher.delete(f"/day-plans/{plan_id}")
    assert (dropped.status_code, dropped.json["state"]) == (200, "dropped")
    with acting_for(sessions, day.agency) as session:
        assert set(states(session).values()) == {VisitState.ELIGIBLE}
    again = dispatcher.delete(f"/day-plans/{plan_id}", headers=CHINESE)
    assert reason_of(again) == (409, "plan_not_draft")
    assert reason_of(dispatcher.post(f"/day-plans/{plan_id}/publication")) == (409, "plan_not_draft")


def test_a_day_on_which_somebody_has_set_out_is_not_planned_afresh(
    dispatcher: FlaskClient, sessions: sessionmaker[Session], day: World
) -> None:
    plan_id = drafted(sessions, day)
    dispatcher.post(f"/day-plans/{plan_id}/publication")
    with acting_for(sessions, day.agency) as session:
        one = sa.select(Visit.id).where(Visit.state == VisitState.PUBLISHED).limit(1).scalar_subquery()
        session.execute(sa.update(Visit).where(Visit.id == one).values(state=VisitState.UNDER_WAY))
    assert reason_of(dispatcher.post("/day-plans", json=request_for(day))) == (409, "day_has_begun")


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"seconds": 0}, "/seconds"),
        ({"seconds": 3_601}, "/seconds"),
        ({"iterations": 0}, "/iterations"),
        ({"planned_on": "3.3.2026"}, "/planned_on"),
        ({"area_id": "centre"}, "/area_id"),
        ({"wait": True}, "/wait"),
    ],
)
def test_a_request_that_means_nothing_is_refused_with_the_place(
    dispatcher: FlaskClient, world: World, wrong: dict[str, Any], pointer: str
) -> None:
    answer = dispatcher.post("/day-plans", json=request_for(world, **wrong))
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_yesterday_and_an_unknown_area_are_refused(dispatcher: FlaskClient, world: World) -> None:
    yesterday = dispatcher.post("/day-plans", json=request_for(world, planned_on="2026-03-02"))
    assert reason_of(yesterday) == (422, "invalid_value")
    nowhere = dispatcher.post("/day-plans", json=request_for(world, area_id=str(uuid.uuid4())))
    assert reason_of(nowhere) == (404, "not_found")


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.AUDITOR])
def test_who_may_read_plans_and_who_may_make_them(
    client_for: ClientFor, sessions: sessionmaker[Session], day: World, role: Role
) -> None:
    plan_id = drafted(sessions, day)
    client = client_for(role, org=day.agency)
    assert client.get(f"/day-plans/{plan_id}").status_code == 200
    publication = client.post(f"/day-plans/{plan_id}/publication")
    assert publication.status_code == (200 if role is Role.SUPERVISOR else 403)


def test_for_another_organisation_there_is_no_such_plan(
    client_for: ClientFor, sessions: sessionmaker[Session], day: World
) -> None:
    """Not even for the lender whose cases it holds."""
    plan_id = drafted(sessions, day)
    for org in (day.lender, day.stranger):
        client = client_for(Role.DISPATCHER, org=org)
        answers = [
            *(client.get(f"/day-plans/{plan_id}{part}") for part in ("", "/faults", "/documents", "/picture")),
            client.post(f"/day-plans/{plan_id}/publication"),
            client.delete(f"/day-plans/{plan_id}"),
            client.post("/day-plans", json=request_for(day)),
        ]
        assert {reason_of(answer) for answer in answers} == {(404, "not_found")}
        assert client.get("/day-plans").json["items"] == []
    with acting_for(sessions, day.agency) as session:
        assert session.get_one(DayPlan, plan_id).state is DayPlanState.DRAFT
