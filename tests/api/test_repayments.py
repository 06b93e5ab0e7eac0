"""A plan from the door, or from the office, to its approval by somebody else whose role goes that far."""

import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.vocabulary import Role
from tests.api.conftest import ClientFor
from tests.conftest import NOW
from tests.phone.worlds import Morning, make_morning


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    return make_morning(sessions)


def terms(instalments: int, *, currency: str = "EUR") -> dict[str, Any]:
    days = [f"2026-{4 + place // 2:02}-{1 + 14 * (place % 2):02}" for place in range(instalments)]
    parts = [{"amount_minor": 1_000, "due_on": day} for day in days]
    return {"currency": currency, "method": "transfer", "grace_days": 5, "instalments": parts}


def told(phone: FlaskClient, morning: Morning, path: str, **body: Any) -> Any:
    answer = phone.post(f"/phone/visits/{morning.visit}/{path}", json=body)
    assert answer.status_code == 201, answer.json
    return answer.json


def at_the_door(phone: FlaskClient, morning: Morning) -> None:
    """Arrived, and made sure who it is."""
    position = {"lat": 60.1699, "lon": 24.9384, "datum": "wgs84", "accuracy_m": 10}
    told(phone, morning, "arrival", event_id=str(uuid.uuid4()), position=position)
    told(phone, morning, "identity-check", event_id=str(uuid.uuid4()), method="document_seen", result="confirmed")


def test_a_plan_from_the_door_is_approved_by_another_whose_limits_reach_that_far(
    client_for: ClientFor, morning: Morning
) -> None:
    org = morning.world.agency
    phone = client_for(Role.VISITOR, Role.SUPERVISOR, org=org, visitor_id=morning.ilta)
    dispatcher, supervisor = client_for(Role.DISPATCHER, org=org), client_for(Role.SUPERVISOR, org=org)
    at_the_door(phone, morning)
    met = {"outcome": "met_debtor", "disclosed": True, "willing": True, "next_step": "approve_plan"}
    report = {"id": str(uuid.uuid4()), "left_at": NOW.isoformat(), "plan": terms(8), **met}
    assert told(phone, morning, "report", **report) == told(phone, morning, "report", **report)

    (plan,) = dispatcher.get("/repayment-plans?state=proposed").json["items"]
    facts = ("report_id", "total_minor", "approvable_by", "follow_up", "running")
    assert [plan[name] for name in facts] == [report["id"], 8_000, ["supervisor"], "approve_plan", []]
    path = f"/repayment-plans/{plan['id']}"
    too_far = dispatcher.post(f"{path}/approval")
    assert (too_far.status_code, too_far.json["code"]) == (403, "plan_beyond_limits")
    own = phone.post(f"{path}/approval")
    assert (own.status_code, own.json["code"]) == (403, "own_proposal")

    approved = supervisor.post(f"{path}/approval")
    assert (approved.status_code, approved.json["state"], approved.json["broken_after"]) == (200, "running", 2)
    assert [each["state"] for each in approved.json["running"]] == ["open"] * 8
    promises = dispatcher.get("/promises").json["items"]
    assert {each["plan_id"] for each in promises} == {plan["id"]}
    again = supervisor.post(f"{path}/refusal", json={"reason": "Too long."})
    assert (again.status_code, again.json["code"]) == (409, "plan_decided")
    record = dispatcher.get(f"/visits/{morning.visit}/report").json
    assert (record["plan"]["state"], len(record["plan"]["instalments"])) == ("running", 8)
    taken = dispatcher.post(f"{path}/withdrawal", json={"reason": "The debtor asked."})
    assert (taken.status_code, taken.json["state"], taken.json["follow_up"]) == (200, "withdrawn", None)


def test_the_office_proposes_within_what_is_owed_and_the_lenders_limits_bind_its_agency(
    client_for: ClientFor, morning: Morning
) -> None:
    dispatcher, supervisor = (client_for(role, org=morning.world.agency) for role in (Role.DISPATCHER, Role.SUPERVISOR))
    lender = client_for(Role.SUPERVISOR, org=morning.world.lender)
    case_id = dispatcher.get(f"/visits/{morning.visit}").json["case_id"]
    path = f"/cases/{case_id}/repayment-plans"
    wrong = dispatcher.post(path, json=terms(2, currency="SEK"))
    assert (wrong.status_code, wrong.json["code"]) == (422, "invalid_value")
    large = terms(2) | {"instalments": [{"amount_minor": 10**9, "due_on": f"2026-0{month}-01"} for month in (4, 5)]}
    assert dispatcher.post(path, json=large).json["code"] == "plan_exceeds_debt"
    plan = dispatcher.post(path, json=terms(2))
    assert (plan.status_code, plan.json["approvable_by"]) == (201, ["dispatcher", "supervisor"])

    rules = lender.get("/repayment-rules").json
    none = {"most_instalments": 0, "most_days": 0, "most_grace_days": 0}
    assert lender.put("/repayment-rules", json=rules | {"dispatcher": none}).status_code == 200
    shown = supervisor.get(f"/repayment-plans/{plan.json['id']}").json
    assert shown["approvable_by"] == ["supervisor"]
    refused = supervisor.post(f"/repayment-plans/{plan.json['id']}/refusal", json={"reason": "In two months."})
    assert (refused.json["state"], refused.json["follow_up"]) == ("refused", "call")
