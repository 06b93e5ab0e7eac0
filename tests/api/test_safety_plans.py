"""Over HTTP: the questions before a visit, and sessions that are planned by the office or the visitor."""

import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for_all
from fieldvisit.vocabulary import DutyRank, Role
from tests.api.conftest import ClientFor
from tests.conftest import NOW
from tests.phone.worlds import Morning, make_morning
from tests.safety.test_planned import CALM
from tests.safety.worlds import make_account, put_on_duty

RULES = {"positions_days": 30, "sessions_days": 730, "reason": "By our own rules.", "assessed_from": "normal"}


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    morning = make_morning(sessions)
    with acting_for_all(sessions) as session:
        put_on_duty(session, make_account(session, morning.world, Role.SAFETY_OFFICER), DutyRank.DUTY)
    return morning


@pytest.fixture
def phone(morning: Morning, client_for: ClientFor) -> FlaskClient:
    return client_for(Role.VISITOR, org=morning.world.agency, visitor_id=morning.ilta)


def answers(**other: str) -> list[dict[str, str]]:
    return [{"question": name, "value": value} for name, value in (CALM | other).items()]


def planned(morning: Morning, **given: Any) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "visit_id": str(morning.visit), "planned_s": 1_200} | given


def test_from_the_questions_to_a_session_that_the_office_planned_and_the_phone_starts(
    morning: Morning, phone: FlaskClient, client_for: ClientFor
) -> None:
    org = morning.world.agency
    office, supervisor = (client_for(role, org=org) for role in (Role.DISPATCHER, Role.SUPERVISOR))
    assert supervisor.post("/safety/rules", json=RULES).json["assessment_valid_s"] == 43_200
    body = planned(morning, visitor_id=str(morning.ilta))
    refused = office.post("/safety/planned-sessions", json=body)
    assert (refused.status_code, refused.json["code"]) == (409, "assessment_needed")
    asked = phone.get("/safety/questionnaire").json
    assert {each["name"] for each in asked["questions"]} == set(CALM)
    assert set(asked["questions"][0]["label"]) == {"en", "zh-CN"}

    told = {"id": str(uuid.uuid4()), "visit_id": str(morning.visit), "questionnaire": asked["version"]}
    assessed = phone.post("/safety/assessments", json=told | {"answers": answers(place="inside")})
    assert (assessed.status_code, assessed.json["level"]) == (201, "raised")
    again = phone.post("/safety/assessments", json=told | {"answers": answers(place="inside")})
    assert again.json == assessed.json
    (seen,) = supervisor.get(f"/safety/visits/{morning.visit}/assessments").json["items"]
    assert {each["question"]: each["value"] for each in seen["answers"]} == CALM | {"place": "inside"}

    made = office.post("/safety/planned-sessions", json=body)
    assert (made.status_code, made.json["state"], made.json["level"]) == (201, "planned", "raised")
    assert [each["id"] for each in phone.get("/safety/planned-sessions").json["items"]] == [body["id"]]
    (tile,) = supervisor.get("/safety/live").json["tiles"]
    assert (tile["shown"], tile["planned_s"], tile["deadline_at"]) == ("planned", 1_200, None)
    early = phone.post(f"/safety/sessions/{body['id']}/end", json={"event_id": str(uuid.uuid4())})
    assert (early.status_code, early.json["code"]) == (409, "session_not_active")
    start = phone.post(f"/safety/planned-sessions/{body['id']}/start", json={"event_id": str(uuid.uuid4())})
    assert (start.status_code, start.json["shown"], start.json["id"]) == (200, "ok", body["id"])
    assert phone.get("/safety/planned-sessions").json["items"] == []
    late = office.post(
        f"/safety/planned-sessions/{body['id']}/cancellation", json={"event_id": str(uuid.uuid4())}
    )  # fmt: skip
    assert (late.status_code, late.json["code"]) == (409, "session_not_planned")


def test_a_visitor_plans_for_themselves_and_cancels_only_the_own(
    morning: Morning, phone: FlaskClient, client_for: ClientFor
) -> None:
    body = planned(morning, visitor_id=str(morning.outsider))
    made = phone.post("/safety/planned-sessions", json=body).json
    assert made["visitor_id"] == str(morning.ilta), "whoever the body names"
    outsider = client_for(Role.VISITOR, org=morning.world.agency, visitor_id=morning.outsider)
    address, told = f"/safety/planned-sessions/{body['id']}", {"event_id": str(uuid.uuid4())}
    assert outsider.get("/safety/planned-sessions").json["items"] == []
    assert outsider.post(f"{address}/cancellation", json=told).status_code == 404
    assert outsider.post(f"{address}/start", json=told).status_code == 404
    assert outsider.post("/safety/planned-sessions", json=planned(morning)).status_code == 404
    office = client_for(Role.DISPATCHER, org=morning.world.agency)
    nobody = office.post("/safety/planned-sessions", json=planned(morning))
    assert (nobody.status_code, nobody.json["code"]) == (403, "no_visitor")
    assert phone.post(f"{address}/cancellation", json=told).json["state"] == "cancelled"


def test_a_phone_tells_afterwards_what_it_answered_started_or_called_off(
    morning: Morning, phone: FlaskClient, client_for: ClientFor
) -> None:
    first, second = planned(morning), planned(morning)
    phone.post("/safety/planned-sessions", json=first)

    def told(kind: str, **more: Any) -> dict[str, Any]:
        return {"event_id": str(uuid.uuid4()), "kind": kind, "device_at": NOW.isoformat()} | more

    def send(*events: dict[str, Any]) -> list[tuple[str, Any]]:
        body = {"sent_at": NOW.isoformat(), "events": [*events]}
        results = phone.post("/phone/events", json=body).json["results"]
        return [(each["outcome"], each["answer"] or each["problem"]) for each in results]

    assessed = told(
        "safety_assessment", visit_id=str(morning.visit), questionnaire=1, answers=answers(way_out="no_way_out")
    )
    ((outcome, answer), (_, called_off)) = send(assessed, told("safety_cancel", session_id=first["id"]))
    assert (outcome, answer["level"], called_off["state"]) == ("taken", "high", "cancelled")
    phone.post("/safety/planned-sessions", json=second)
    started = told("safety_start", visit_id=str(morning.visit), planned_s=600) | {"event_id": second["id"]}
    wrong = told("safety_assessment", visit_id=str(morning.visit), questionnaire=77, answers=answers())
    ((outcome, answer), (refused, problem)) = send(started, wrong)
    assert (outcome, answer["state"], answer["level"]) == ("taken", "active", "high")
    assert (refused, problem["code"]) == ("refused", "not_found")
