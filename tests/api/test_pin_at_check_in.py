"""Over HTTP: a check-in that needs the PIN, and under duress one that answers like any other, in a batch too."""

import json
import uuid
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.settings import Settings
from fieldvisit.vocabulary import Role
from tests.api.conftest import ClientFor
from tests.api.test_duress import DURESS, PIN, Phone, _names, make_phones, officer
from tests.conftest import NOW
from tests.worlds import World

__all__ = ["officer"]

RULES = {"positions_days": 30, "sessions_days": 730, "reason": "Phones were taken away.", "pin_from": "low"}


@pytest.fixture
def phones(
    app: Flask,
    settings: Settings,
    sessions: sessionmaker[Session],
    world: World,
    officer: FlaskClient,
    client_for: ClientFor,
) -> list[Phone]:
    client_for(Role.SUPERVISOR, org=world.agency).post("/safety/rules", json=RULES)
    return make_phones(app, settings, sessions, world, 2)


def check_in(phone: Phone, session_id: str, **given: Any) -> Any:
    return phone.client.post(f"/safety/sessions/{session_id}/check-ins", json={"event_id": str(uuid.uuid4())} | given)


def test_a_check_in_under_duress_is_answered_like_any_other(phones: list[Phone], officer: FlaskClient) -> None:
    calm, forced = phones
    calm_id, forced_id = calm.start(), forced.start()
    without = check_in(calm, calm_id)
    assert (without.status_code, without.json["code"]) == (403, "pin_needed")
    usual, covert = check_in(calm, calm_id, pin=PIN), check_in(forced, forced_id, pin=DURESS)
    assert usual.json["pin_at_check_in"] is True
    assert (usual.status_code, _names(usual), len(usual.data)) == (200, _names(covert), len(covert.data))
    said = ("state", "shown", "level", "ended_at", "extended_s", "pin_at_check_in")
    assert [usual.json[name] for name in said] == [covert.json[name] for name in said]
    assert [each["kind"] for each in officer.get("/safety/alerts").json["items"]] == ["duress"]


def test_a_batch_carries_the_pin_and_tells_as_little(phones: list[Phone], client_for: ClientFor, world: World) -> None:
    calm = phones[0]
    ids = [phone.start() for phone in phones]

    def event(kind: str, session_id: str, **given: Any) -> dict[str, Any]:
        told = {"kind": kind, "session_id": session_id, "event_id": str(uuid.uuid4()), "device_at": NOW.isoformat()}
        return told | given

    def send(phone: Phone, *events: dict[str, Any]) -> list[tuple[str, Any]]:
        body = {"sent_at": NOW.isoformat(), "events": [*events]}
        results = phone.client.post("/phone/events", json=body).json["results"]
        return [(each["outcome"], (each["answer"] or each["problem"] or {})) for each in results]

    seen = []
    for phone, session_id, pin in zip(phones, ids, (PIN, DURESS), strict=True):
        told = send(phone, event("check_in", session_id, pin=pin), event("beat", session_id))
        told += send(phone, event("safety_end", session_id, pin=pin))
        seen.append([(outcome, answer["state"], answer["shown"]) for outcome, answer in told])
    assert seen[0] == seen[1] == [("taken", "active", "ok")] * 2 + [("taken", "ended", "ended")]

    again = calm.start()
    ((outcome, problem),) = send(calm, wrong := event("check_in", again, pin="0000"))
    assert (outcome, problem["code"]) == ("refused", "pin_wrong")
    held = client_for(Role.SUPERVISOR, org=world.agency).get(f"/held-events/{wrong['event_id']}")
    assert json.loads(held.json["event"])["pin"] == "***"
    assert send(calm, wrong | {"pin": PIN})[0][0] == "taken"
