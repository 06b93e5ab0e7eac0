"""The visitor's day over HTTP, as a phone lives it."""

import dataclasses
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from api.app import close_app, create_app
from fieldvisit.blocks import BlockDraft, file_block
from fieldvisit.database import acting_for
from fieldvisit.models import AuditEvent, StoredDecision, Visit
from fieldvisit.settings import Settings
from fieldvisit.visits import history_of
from fieldvisit.vocabulary import BlockTrigger, Role
from tests.api.conftest import ClientFor
from tests.api.test_phone_changes import asked, counted
from tests.phone.worlds import Morning, make_morning
from tests.worlds import HELSINKI

HERE = {"lat": HELSINKI[0], "lon": HELSINKI[1], "datum": "wgs84", "accuracy_m": 12, "mock": False}
FAR = HERE | {"lat": HELSINKI[0] + 0.009}


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    return make_morning(sessions)


@pytest.fixture
def phone(client_for: ClientFor, morning: Morning) -> FlaskClient:
    """Ilta's."""
    return client_for(Role.VISITOR, org=morning.world.agency, visitor_id=morning.ilta)


def tell(phone: FlaskClient, morning: Morning, what: str, **facts: Any) -> Any:
    """Tell a step of the first visit; its status and its answer."""
    headers = facts.pop("headers", {})
    body = facts if "event_id" in facts or "id" in facts else {"event_id": str(uuid.uuid4()), **facts}
    answer = phone.post(f"/phone/visits/{morning.visit}/{what}", json=body, headers=headers)
    return answer.status_code, answer.json


def report(**given: Any) -> dict[str, Any]:
    values = {"id": str(uuid.uuid4()), "outcome": "nobody", "left_at": "2026-03-03T09:00:00+02:00"}
    return values | given


def test_who_has_to_leave_leaves_however_often_the_phone_has_asked(
    settings: Settings, phone: FlaskClient, morning: Morning
) -> None:
    app = create_app(dataclasses.replace(settings, rate_limit="1/minute"))
    limited = app.test_client()
    limited.environ_base["HTTP_AUTHORIZATION"] = phone.environ_base["HTTP_AUTHORIZATION"]
    asked_twice = [limited.get("/phone/my-day").status_code for _ in range(2)]
    status, _ = tell(limited, morning, "abort", reason="safety")
    close_app(app)
    assert (asked_twice, status) == ([200, 429], 201)


def test_a_telling_sent_again_gets_the_same_bytes(phone: FlaskClient, morning: Morning) -> None:
    body = {"event_id": str(uuid.uuid4()), "position": HERE}
    first, again = (phone.post(f"/phone/visits/{morning.visit}/arrival", json=body) for _ in range(2))
    assert (first.status_code, first.data) == (again.status_code, again.data)
    other = phone.post(f"/phone/visits/{morning.visit}/arrival", json=body | {"position": FAR})
    assert (other.status_code, other.json["code"]) == (422, "event_id_reused")


def test_the_briefing_speaks_the_callers_language(phone: FlaskClient, morning: Morning) -> None:
    told = {}
    for tag in ("en", "zh-CN"):
        answer = phone.get(f"/phone/visits/{morning.visit}", headers={"Accept-Language": tag})
        briefing = answer.json["briefing"]
        told[tag] = (briefing["guide"][0]["title"], briefing["stage_words"], briefing["to_show"][0]["words"])
    assert told == {"en": ("At the door", "Telephone", "Identity card"), "zh-CN": ("到门口时", "电话催收", "身份证件")}


def test_outside_the_geofence_the_distance_is_told_and_a_reason_lets_one_in(
    phone: FlaskClient, morning: Morning
) -> None:
    status, refused = tell(phone, morning, "arrival", position=FAR, headers={"Accept-Language": "zh-CN"})
    assert (status, refused["code"]) == (409, "outside_geofence")
    assert refused["details"] == {"distance_m": 1003, "allowed_m": 162}
    assert refused["detail"] == "您距该地点 1003 米，允许范围为 162 米。如您确在正确地点，请说明原因。"
    status, taken = tell(phone, morning, "arrival", position=FAR, outside_reason="point_wrong")
    assert (status, taken["distance_m"], taken["outside_reason"]) == (201, 1003, "point_wrong")


def test_after_a_dispute_the_day_says_cancelled_and_the_door_stays_closed(
    phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    with acting_for(sessions, morning.world.lender) as session:
        draft = BlockDraft(debtor_id=session.get_one(Visit, morning.visit).debtor_id, trigger=BlockTrigger.DISPUTE)
        file_block(session, draft, filed_by_id=None, now=session.get_one(Visit, morning.visit).created_at)
    day = phone.get("/phone/my-day", headers={"Accept-Language": "zh-CN"}).json
    card = day["routes"][0]["stops"][0]["visit"]
    told = (card["state"], card["cancelled"], card["cancelled_words"], card["briefing"])
    assert told == ("cancelled", "dispute", "债务争议", None)
    status, refused = tell(phone, morning, "arrival", position=HERE)
    assert (status, refused["code"], refused["details"]["reason"]) == (409, "visit_cancelled", "dispute")


def test_a_forbidden_arrival_tells_the_clauses_in_words(
    phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    with acting_for(sessions, morning.world.agency) as session:
        session.get_one(Visit, morning.visit).service_s = 11 * 3_600 + 1_800
    status, refused = tell(phone, morning, "arrival", position=HERE)
    assert (status, refused["code"]) == (409, "forbidden_by_policy")
    assert "house/windows/1" in refused["details"]["clause_ids"]
    assert all(isinstance(clause, str) for clause in refused["details"]["clauses"])
    assert "Message(" not in refused["detail"]
    with acting_for(sessions, morning.world.agency) as session:
        (kept,) = history_of(session, morning.visit)
        decision = session.scalars(sa.select(StoredDecision)).one()
        traced = session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.id.desc()).limit(1)).one()
    assert (kept.kind, kept.detail["decision_id"], traced) == ("arrival_refused", str(decision.id), "arrive_refused")


def test_one_call_leaves_the_door(phone: FlaskClient, morning: Morning) -> None:
    status, receipt = tell(phone, morning, "abort", reason="asked_to_leave")
    assert (status, receipt["state"], len(receipt["block_ids"])) == (201, "reported", 1)


def test_an_unchanged_day_costs_the_phone_nothing_and_the_database_one_query(
    app: Flask, phone: FlaskClient, morning: Morning
) -> None:
    first = phone.get("/phone/my-day")
    with counted(app) as sent:
        again = phone.get("/phone/my-day", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data, len(asked(sent))) == (304, b"", 1)
    tell(phone, morning, "set-out")
    changed = phone.get("/phone/my-day", headers={"If-None-Match": first.headers["ETag"]})
    assert changed.json["routes"][0]["stops"][0]["visit"]["state"] == "under_way"


@pytest.mark.parametrize(
    ("what", "facts", "pointer"),
    [
        ("set-out", {"event_id": "one"}, "/event_id"),
        ("set-out", {"device_at": "2026-03-03T09:00:00"}, "/device_at"),
        ("arrival", {}, "/position"),
        ("arrival", {"position": HERE | {"lat": 91}}, "/position/lat"),
        ("arrival", {"position": HERE | {"datum": "utm"}}, "/position/datum"),
        ("arrival", {"position": HERE, "mood": "good"}, "/mood"),
        ("identity-check", {"method": "guessed", "result": "confirmed"}, "/method"),
        ("abort", {"reason": "lunch"}, "/reason"),
        ("report", {"id": str(uuid.uuid4()), "outcome": "nobody"}, "/left_at"),
        ("report", report(promises=[{"amount_minor": 0}]), "/promises/0/amount_minor"),
    ],
)
def test_what_is_not_understood_is_named(
    phone: FlaskClient, morning: Morning, what: str, facts: dict[str, Any], pointer: str
) -> None:
    status, refused = tell(phone, morning, what, **facts)
    assert (status, refused["code"]) == (422, "invalid_request")
    assert pointer in [error["pointer"] for error in refused["errors"]]


def test_a_report_without_what_its_outcome_needs_says_what(phone: FlaskClient, morning: Morning) -> None:
    status, refused = tell(phone, morning, "report", **report(outcome="met_debtor"))
    assert (status, refused["code"], refused["details"]["missing"]) == (422, "report_incomplete", "willing, next_step")


def test_the_debt_is_not_spoken_of_before_the_identity(phone: FlaskClient, morning: Morning) -> None:
    told = report(outcome="met_debtor", disclosed=True, willing=True, next_step="call")
    status, refused = tell(phone, morning, "report", **told)
    assert (status, refused["code"]) == (409, "identity_not_confirmed")


def test_the_visits_of_other_crews_do_not_exist(client_for: ClientFor, morning: Morning) -> None:
    outsider = client_for(Role.VISITOR, org=morning.world.agency, visitor_id=morning.outsider)
    assert outsider.get("/phone/my-day").json["routes"] == []
    assert outsider.get(f"/phone/visits/{morning.visit}").status_code == 404
    assert [tell(outsider, morning, what, **facts)[0] for what, facts in STEPS] == [404] * len(STEPS)


STEPS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("set-out", {}),
    ("arrival", {"position": HERE}),
    ("credential-shown", {"credential_ids": []}),
    ("identity-check", {"method": "two_facts", "result": "confirmed"}),
    ("abort", {"reason": "safety"}),
    ("report", report()),
    ("report/additions", {"text": "More."}),
)


def test_the_geofence_is_the_settings(settings: Settings, phone: FlaskClient, morning: Morning) -> None:
    _, refused = tell(phone, morning, "arrival", position=FAR | {"accuracy_m": 0})
    assert refused["details"]["allowed_m"] == settings.geofence_m
