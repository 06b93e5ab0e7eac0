"""A debtor asks about their own data over the privacy officer's desk."""

import hashlib
import json
import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for_all
from fieldvisit.models import Visit
from fieldvisit.vocabulary import Role
from tests.api.conftest import ClientFor
from tests.phone.worlds import Morning
from tests.retention.worlds import make_finished

ASKED_AT = "2026-03-02T10:00:00+02:00"


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    return make_finished(sessions)


@pytest.fixture
def debtor_id(sessions: sessionmaker[Session], morning: Morning) -> str:
    with acting_for_all(sessions) as session:
        return str(session.get_one(Visit, morning.visit).debtor_id)


@pytest.fixture
def privacy(client_for: ClientFor, morning: Morning) -> FlaskClient:
    return client_for(Role.PRIVACY_OFFICER, org=morning.world.lender)


def ask(privacy: FlaskClient, debtor_id: str, kind: str, **given: Any) -> dict[str, Any]:
    body = {"debtor_id": debtor_id, "kind": kind, "received_at": ASKED_AT, **given}
    answer = privacy.post("/debtor-requests", json=body)
    assert answer.status_code == 201, answer.json
    return dict(answer.json)


def test_a_correction_is_made_where_it_is_granted_and_answered_once(
    client_for: ClientFor, privacy: FlaskClient, morning: Morning, debtor_id: str
) -> None:
    asked = ask(privacy, debtor_id, "correction", words="My name is spelt otherwise.")
    assert (asked["state"], asked["kind_words"], asked["words"]) == (
        "open",
        "To have it corrected",
        "My name is spelt otherwise.",
    )
    path = f"/debtor-requests/{asked['id']}/answer"
    agency = client_for(Role.PRIVACY_OFFICER, org=morning.world.agency)
    answer = {"granted": True, "words": "Corrected.", "correction": {"name": "Meri Esimerkki"}}
    assert agency.post(path, json=answer).status_code == 404
    done = privacy.post(path, json=answer).json
    assert (done["state"], done["answer"]) == ("done", "Corrected.")
    assert privacy.get(f"/debtors/{debtor_id}").json["name"] == "Meri Esimerkki"
    again = privacy.post(path, json=answer, headers={"Accept-Language": "zh-CN"})
    assert (again.status_code, again.json["code"], again.json["detail"]) == (
        409,
        "request_answered",
        "该请求此前已答复。",
    )


def test_what_is_refused_corrects_nothing_and_an_erasure_takes_no_correction(
    privacy: FlaskClient, debtor_id: str
) -> None:
    correction = {"correction": {"name": "Somebody Else"}}
    for kind, granted in (("correction", False), ("erasure", True)):
        path = f"/debtor-requests/{ask(privacy, debtor_id, kind)['id']}/answer"
        refused = privacy.post(path, json={"granted": granted, "words": "No.", **correction})
        assert (refused.status_code, refused.json["code"]) == (422, "invalid_value")
    future = {"debtor_id": debtor_id, "kind": "export", "received_at": "2027-01-01T00:00:00+00:00"}
    assert privacy.post("/debtor-requests", json=future).status_code == 422
    unknown = {"debtor_id": str(uuid.uuid4()), "kind": "export", "received_at": ASKED_AT}
    assert privacy.post("/debtor-requests", json=unknown).status_code == 404


def test_a_debtor_gets_everything_that_is_kept_of_them_and_who_looked_at_it(
    client_for: ClientFor, privacy: FlaskClient, morning: Morning, debtor_id: str
) -> None:
    client_for(Role.DISPATCHER, org=morning.world.agency).get(f"/debtors/{debtor_id}")
    asked = ask(privacy, debtor_id, "export")
    answer = privacy.get(f"/debtors/{debtor_id}/export").json
    content = answer["content"]
    assert content["debtor"]["name"].startswith("Meri Example")
    assert content["contact_points"][0]["value"].startswith("+35845")
    assert [len(content[part]) for part in ("cases", "visits", "contacts", "places")] == [1, 1, 5, 1]
    assert content["visits"][0]["report"]["additions"][0]["text"] == "More."
    assert [each["action"] for each in content["accesses"]] == ["get_debtor"]
    assert [each["id"] for each in content["requests"]] == [asked["id"]]
    assert {each["record"] for each in content["kept"]} == {"attempt", "visit", "case"}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert hashlib.sha256(canonical).hexdigest() == answer["sha256"]
    (listed,) = privacy.get("/debtor-requests", query_string={"state": "open"}).json["items"]
    assert listed["id"] == asked["id"]
    assert privacy.get("/purges").json["items"] == []
    other = client_for(Role.PRIVACY_OFFICER, org=morning.world.stranger)
    assert other.get(f"/debtors/{debtor_id}/export").status_code == 404
