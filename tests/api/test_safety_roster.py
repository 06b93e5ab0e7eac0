"""Over HTTP: the roster, the contacts, and the receipts of the providers."""

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from api.app import close_app, create_app
from fieldvisit.database import acting_for_all, plain_url
from fieldvisit.models import Account, OutboxMessage
from fieldvisit.outgoing.signatures import sign
from fieldvisit.settings import Settings, read_settings
from fieldvisit.vocabulary import Role
from tests.api.conftest import ClientFor
from tests.worlds import World, make_visitor

SECRET = "whsec_" + "c2hhcmVkIHdpdGggdGhlIGdhdGV3YXk="
DUTY = {"rank": "duty", "starts_at": "2026-03-03T08:00:00+02:00", "ends_at": "2026-03-03T18:00:00+02:00"}


@pytest.fixture
def officer(client_for: ClientFor, world: World) -> FlaskClient:
    return client_for(Role.SAFETY_OFFICER, org=world.agency)


@pytest.fixture
def officer_id(officer: FlaskClient, sessions: sessionmaker[Session]) -> str:
    with acting_for_all(sessions) as session:
        return str(session.scalars(sa.select(Account.id).where(Account.roles == ["safety_officer"])).one())


def test_an_officer_is_put_on_the_roster_and_taken_off_it(officer: FlaskClient, officer_id: str) -> None:
    made = officer.post("/safety/roster", json=DUTY | {"account_id": officer_id})
    assert (made.status_code, made.json["rank"]) == (201, "duty")
    assert [each["id"] for each in officer.get("/safety/roster").json["items"]] == [made.json["id"]]
    assert officer.delete(f"/safety/roster/{made.json['id']}").status_code == 204
    assert officer.get("/safety/roster").json["items"] == []


def test_who_handles_no_alarms_is_not_put_on_the_roster(
    officer: FlaskClient, client_for: ClientFor, world: World, sessions: sessionmaker[Session]
) -> None:
    client_for(Role.DISPATCHER, org=world.agency)
    with acting_for_all(sessions) as session:
        other = session.scalars(sa.select(Account.id).where(Account.roles == ["dispatcher"])).one()
    answer = officer.post("/safety/roster", json=DUTY | {"account_id": str(other)})
    assert (answer.status_code, answer.json["code"]) == (409, "not_an_officer")


def test_a_supervisor_says_how_long_it_is_kept_where_visitors_were(client_for: ClientFor, world: World) -> None:
    supervisor = client_for(Role.SUPERVISOR, org=world.agency)
    before = supervisor.get("/safety/rules").json
    assert (before["positions_days"], before["sessions_days"], before["set_at"], before["reason"]) == (
        30,
        730,
        None,
        None,
    )
    rules = {"positions_days": 2, "sessions_days": 90, "reason": "Agreed with the works council."}
    assert supervisor.post("/safety/rules", json=rules).status_code == 201
    assert {name: supervisor.get("/safety/rules").json[name] for name in rules} == rules
    longer = supervisor.post("/safety/rules", json=rules | {"positions_days": 91})
    assert (longer.status_code, longer.json["errors"][0]["pointer"]) == (422, "/positions_days")


@pytest.mark.parametrize(
    ("channel", "address"),
    [("sms", "0401234567"), ("voice", "nobody"), ("mail", "nobody"), ("sms", "+1")],
)
def test_an_address_that_cannot_be_one_is_refused(
    officer: FlaskClient, officer_id: str, channel: str, address: str
) -> None:
    body = {"account_id": officer_id, "channel": channel, "address": address}
    answer = officer.post("/safety/contacts", json=body)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_value")


@pytest.fixture
def told(settings: Settings) -> Iterator[Flask]:
    """The app with one provider that signs its receipts."""
    given = {
        "ENVIRONMENT": "test",
        "DATA_FOLDER": str(settings.data_folder),
        "DATABASE_URL": plain_url(settings.database_url or ""),
        "DATABASE_OWNER_URL": settings.database_owner_url or "",
        "ALARM_PROVIDERS": json.dumps(
            [{"name": "voice-a", "channel": "voice", "url": "https://voice.example", "secret": SECRET}]
        ),
    }
    app = create_app(read_settings(given))
    yield app
    close_app(app)


def receipt(app: Flask, *, secret: str = SECRET, name: str = "voice-a", shift_s: int, **given: Any) -> Any:
    body = json.dumps(given).encode()
    now = int(time.time()) + shift_s
    signature = sign(secret, webhook_id="m1", timestamp=now, body=body)
    headers = {"webhook-id": "m1", "webhook-timestamp": str(now), "webhook-signature": signature}
    return app.test_client().post(
        f"/safety/receipts/{name}", data=body, headers=headers, content_type="application/json"
    )


@pytest.fixture
def shift_s(sessions: sessionmaker[Session]) -> int:
    """How far the product's clock is from this machine's."""
    with acting_for_all(sessions) as session:
        return int(session.scalars(sa.text("select extract(epoch from shift) from clock_shift")).one())


def test_a_key_pressed_on_the_telephone_takes_the_alarm(
    told: Flask,
    officer: FlaskClient,
    officer_id: str,
    client_for: ClientFor,
    world: World,
    sessions: sessionmaker[Session],
    shift_s: int,
) -> None:
    officer.post("/safety/roster", json=DUTY | {"account_id": officer_id})
    body = {"account_id": officer_id, "channel": "voice", "address": "+358401234567"}
    contact = officer.post("/safety/contacts", json=body).json
    assert (contact["tested_at"] is not None, contact["confirmed_at"]) == (True, None)
    with acting_for_all(sessions) as session:
        test_id = session.scalars(sa.select(OutboxMessage.id)).one()
        visitor_id = make_visitor(session, world).id
    assert receipt(told, id=str(test_id), kind="key", key="1", shift_s=shift_s).status_code == 204
    assert officer.get("/safety/contacts").json["items"][0]["confirmed_at"] is not None

    visitor = client_for(Role.VISITOR, org=world.agency, visitor_id=visitor_id)
    visitor.post("/safety/sos", json={"event_id": str(uuid.uuid4())})
    with acting_for_all(sessions) as session:
        message_id = session.scalars(sa.select(OutboxMessage.id).where(OutboxMessage.purpose == "alarm")).one()
    said = {"id": str(message_id), "kind": "key", "key": "1", "shift_s": shift_s}
    for wrong in ({"secret": "whsec_AAAA"}, {"name": "voice-b"}):
        assert receipt(told, **said | wrong).json["code"] == "receipt_refused"
    assert officer.get("/safety/alerts").json["items"][0]["state"] == "notifying"
    assert [receipt(told, **said).status_code for _ in range(2)] == [204, 204]
    (alert,) = officer.get("/safety/alerts").json["items"]
    assert (alert["state"], alert["owner_id"]) == ("acknowledged", officer_id)


def test_a_contact_taken_away_is_not_listed_any_more(officer: FlaskClient, officer_id: str) -> None:
    body = {"account_id": officer_id, "channel": "mail", "address": "onni@example.org", "language": "zh-CN"}
    contact = officer.post("/safety/contacts", json=body).json
    assert contact["language"] == "zh-CN"
    assert officer.post(f"/safety/contacts/{contact['id']}/test").status_code == 200
    assert officer.delete(f"/safety/contacts/{contact['id']}").status_code == 204
    assert officer.get("/safety/contacts").json["items"] == []
    assert officer.post(f"/safety/contacts/{contact['id']}/test").status_code == 404
