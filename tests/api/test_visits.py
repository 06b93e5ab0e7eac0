"""Visits, blocks and eligibility over HTTP, as the office uses them."""

import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import Case
from fieldvisit.reports import report_visit
from fieldvisit.vocabulary import Role, VisitOutcome
from tests.api.conftest import ClientFor
from tests.conftest import NOW
from tests.phone.worlds import make_morning, report, teller
from tests.worlds import World, make_case, make_failed_attempts

ZH = {"Accept-Language": "zh-CN"}


@pytest.fixture
def dispatcher(client_for: ClientFor, world: World) -> FlaskClient:
    return client_for(Role.DISPATCHER, org=world.agency)


@pytest.fixture
def tried(sessions: sessionmaker[Session], world: World) -> Case:
    """A case whose debtor the phone did not reach."""
    with acting_for_all(sessions) as session:
        case = make_case(session, world)
        make_failed_attempts(session, case, before=NOW)
        return case


@pytest.fixture
def untried(sessions: sessionmaker[Session], world: World) -> Case:
    with acting_for_all(sessions) as session:
        return make_case(session, world)


@pytest.fixture
def visit(dispatcher: FlaskClient, tried: Case) -> dict[str, Any]:
    """Opened by the gate."""
    dispatcher.post("/visits/opening")
    (found,) = dispatcher.get("/visits").json["items"]
    return dict(found)


def test_the_gate_opens_what_is_due_and_tells_its_numbers(dispatcher: FlaskClient, tried: Case, untried: Case) -> None:
    opened = dispatcher.post("/visits/opening")
    (found,) = dispatcher.get("/visits").json["items"]
    assert (opened.status_code, opened.json) == (200, {"looked_at": 2, "visits": [found["reference"]], "held": []})
    assert (found["case_id"], found["state"], len(found["evidence"])) == (str(tried.id), "eligible", 4)
    assert dispatcher.post("/visits/opening").json == {"looked_at": 1, "visits": [], "held": []}


def test_eligibility_says_yes_with_evidence_and_no_with_what_is_missing(
    dispatcher: FlaskClient, tried: Case, untried: Case
) -> None:
    yes = dispatcher.get(f"/cases/{tried.id}/eligibility").json
    no = dispatcher.get(f"/cases/{untried.id}/eligibility", headers=ZH).json
    assert (yes["eligible"], len(yes["evidence"]), yes["in_the_way"]) == (True, 4, [])
    assert yes["words"] == "A visit may be opened: the phone has demonstrably failed."
    assert (no["eligible"], no["evidence"], [clause["clause_id"] for clause in no["in_the_way"]]) == (
        False,
        [],
        ["house/prior_effort/1"],
    )
    assert no["words"].startswith("暂不能外访：")
    assert no["words"] == "暂不能外访：" + no["in_the_way"][0]["words"]


def test_the_gates_own_reason_is_not_for_people_to_give(dispatcher: FlaskClient, tried: Case) -> None:
    refused = dispatcher.post("/visits", json={"case_id": str(tried.id), "reason": "failed_contact"})
    assert (refused.status_code, [fault["pointer"] for fault in refused.json["errors"]]) == (422, ["/reason"])
    assert dispatcher.get("/visits").json["items"] == []


def test_a_visit_by_hand_is_opened_where_the_policy_lets_it(
    dispatcher: FlaskClient, tried: Case, untried: Case
) -> None:
    made = dispatcher.post("/visits", json={"case_id": str(tried.id), "reason": "debtor_asked"})
    assert (made.status_code, made.json["requested_reason"]) == (201, "debtor_asked")
    again = dispatcher.post("/visits", json={"case_id": str(tried.id), "reason": "other"})
    assert (again.status_code, again.json["code"]) == (409, "visit_open_already")
    refused = dispatcher.post("/visits", json={"case_id": str(untried.id), "reason": "other"})
    assert (refused.status_code, refused.json["code"]) == (409, "forbidden_by_policy")
    assert refused.json["details"]["clause_ids"] == ["house/prior_effort/1"]
    assert refused.json["detail"] == (
        "The policy does not permit this now: " + " ".join(refused.json["details"]["clauses"])
    )


def test_visits_are_listed_a_page_at_a_time_by_state_and_day(
    sessions: sessionmaker[Session], dispatcher: FlaskClient, world: World
) -> None:
    with acting_for_all(sessions) as session:
        for _ in range(3):
            make_failed_attempts(session, make_case(session, world), before=NOW)
    dispatcher.post("/visits/opening")
    first = dispatcher.get("/visits?limit=2&state=eligible").json
    rest = dispatcher.get(f"/visits?limit=2&state=eligible&after={first['next']}").json
    assert len({visit["id"] for visit in first["items"] + rest["items"]}) == 3
    assert rest["next"] is None
    assert dispatcher.get("/visits?planned_on=2026-03-03").json["items"] == []
    assert dispatcher.get("/visits?state=asleep").status_code == 422


def test_a_change_needs_the_version_that_was_looked_at(dispatcher: FlaskClient, visit: dict[str, Any]) -> None:
    change = {"version": visit["version"], "requires": ["swedish"], "service_s": 1_800}
    changed = dispatcher.patch(f"/visits/{visit['id']}", json=change)
    assert (changed.status_code, changed.json["requires"], changed.json["service_s"]) == (200, ["swedish"], 1_800)
    again = dispatcher.patch(f"/visits/{visit['id']}", json=change)
    assert (again.status_code, again.json["code"]) == (409, "changed_meanwhile")
    assert again.json["details"]["version"] == changed.json["version"]


def test_a_cancelled_visit_says_why_and_its_history_tells_it(dispatcher: FlaskClient, visit: dict[str, Any]) -> None:
    answer = dispatcher.post(
        f"/visits/{visit['id']}/cancellation", json={"reason": "agreed_otherwise"}, headers=ZH
    ).json
    assert (answer["state"], answer["cancelled"], answer["cancelled_words"]) == (
        "cancelled",
        "agreed_otherwise",
        "已另行约定",
    )
    history = dispatcher.get(f"/visits/{visit['id']}/history").json["items"]
    assert [(entry["kind"], entry["detail"]) for entry in history] == [
        ("requested", {"reason": "failed_contact"}),
        ("eligible", {}),
        ("cancelled", {"code": "agreed_otherwise"}),
    ]


def test_the_decisions_on_a_visit_are_told_in_the_callers_language(
    dispatcher: FlaskClient, visit: dict[str, Any]
) -> None:
    told = {}
    for tag in ("en", "zh-CN"):
        answer = dispatcher.get(f"/visits/{visit['id']}/decisions", headers={"Accept-Language": tag})
        (decision,) = answer.json["items"]
        told[tag] = {clause["clause_id"]: clause["words"] for clause in decision["clauses"]}
    assert (decision["moment"], decision["verdict"]) == ("eligible", "allowed")
    assert decision["policies"] == [{"id": "house", "version": 1}]
    assert told["en"]["house/prior_effort/1"] == "The phone has demonstrably failed: 4 attempts."
    assert set(told["en"]) == set(told["zh-CN"])
    assert not set(told["en"].values()) & set(told["zh-CN"].values())


def test_a_reported_visit_is_read_and_closed(
    sessions: sessionmaker[Session], client_for: ClientFor, world: World
) -> None:
    # A world of its own would bear the same names: the morning is made in this one.
    morning = make_morning(sessions, world=world)
    office = client_for(Role.DISPATCHER, org=world.agency)
    address = f"/visits/{morning.visit}"
    assert office.get(f"{address}/report").status_code == 404
    early = office.post(f"{address}/closure", json={"next_step": "call"})
    assert (early.status_code, early.json["code"]) == (409, "wrong_state")
    with acting_for(sessions, world.agency) as session:
        draft = report(VisitOutcome.REFUSED, note="Spoke through the door.")
        report_visit(session, morning.visit, draft, by=teller(morning.ilta), now=NOW)
    read = office.get(f"{address}/report", headers=ZH).json
    assert (read["outcome"], read["outcome_words"], read["note"]) == ("refused", "拒绝交谈", "Spoke through the door.")
    closed = office.post(f"{address}/closure", json={"next_step": "hand_over"}).json
    assert (closed["state"], closed["next_step"], closed["outcome"]) == ("closed", "hand_over", "refused")


def test_a_block_is_filed_listed_and_lifted(
    dispatcher: FlaskClient, client_for: ClientFor, world: World, visit: dict[str, Any]
) -> None:
    body = {"debtor_id": visit["debtor_id"], "trigger": "dispute", "external_id": "crm-7", "note": "By letter."}
    filed = dispatcher.post("/blocks", json=body)
    assert (filed.status_code, filed.json["cancelled_visit_ids"]) == (201, [visit["id"]])
    assert dispatcher.get(f"/visits/{visit['id']}").json["cancelled"] == "dispute"
    again = dispatcher.post("/blocks", json=body).json
    assert (again["block"]["id"], again["cancelled_visit_ids"]) == (filed.json["block"]["id"], [])
    (listed,) = dispatcher.get(f"/blocks?debtor_id={visit['debtor_id']}", headers=ZH).json["items"]
    assert (listed["trigger_words"], listed["note"], listed["lifted_at"]) == ("债务争议", "By letter.", None)
    address = f"/blocks/{listed['id']}/lift"
    why = {"reason": "The dispute was settled."}
    assert dispatcher.post(address, json=why).status_code == 403
    supervisor = client_for(Role.SUPERVISOR, org=world.lender)
    lifted = supervisor.post(address, json=why).json
    assert (lifted["lifted_at"] is not None, lifted["lift_reason"]) == (True, why["reason"])
    assert supervisor.post(address, json=why).json["code"] == "already_lifted"
    for other, code in (({"trigger": "vulnerability"}, "block_differs"), ({}, "block_ended")):
        refused = dispatcher.post("/blocks", json=body | other)
        assert (refused.status_code, refused.json["code"]) == (409, code)


def test_a_block_that_names_no_channel_for_a_channel_is_refused(dispatcher: FlaskClient, visit: dict[str, Any]) -> None:
    body = {"debtor_id": visit["debtor_id"], "trigger": "medium_refused", "scope": "channel"}
    answer = dispatcher.post("/blocks", json=body)
    assert (answer.status_code, answer.json["code"], answer.json["details"]["path"]) == (
        422,
        "invalid_value",
        "channel",
    )


def test_the_lender_sees_the_visits_on_its_cases_and_a_stranger_none(
    client_for: ClientFor, world: World, visit: dict[str, Any]
) -> None:
    lender = client_for(Role.SUPERVISOR, org=world.lender)
    stranger = client_for(Role.SUPERVISOR, org=world.stranger)
    assert [each["id"] for each in lender.get("/visits").json["items"]] == [visit["id"]]
    assert stranger.get("/visits").json["items"] == []
    for address in ("", "/history", "/decisions", "/report"):
        assert stranger.get(f"/visits/{visit['id']}{address}").status_code == 404
    assert stranger.get(f"/blocks?debtor_id={visit['debtor_id']}").status_code == 404
    refused = lender.patch(f"/visits/{visit['id']}", json={"version": visit["version"], "value_s": 0})
    assert (refused.status_code, refused.json["code"]) == (403, "not_your_visit")


def test_a_visit_that_nobody_made_is_not_found(dispatcher: FlaskClient) -> None:
    answer = dispatcher.get(f"/visits/{uuid.uuid4()}", headers=ZH)
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert answer.json["detail"].startswith("找不到编号为")
