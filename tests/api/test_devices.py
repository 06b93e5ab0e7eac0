"""Phones that are lost, handed on or long offline: what they may still do, and what they must forget."""

import datetime as dt
import io
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from api.db import db
from fieldvisit.accounts import AccountDraft, Passwords, create_account
from fieldvisit.database import acting_for
from fieldvisit.devices import revoke_device
from fieldvisit.models import Account, Device, SafetyAlert, Visit, Visitor
from fieldvisit.settings import Settings
from fieldvisit.tokens import read_access, sign_access
from fieldvisit.visits import history_of
from fieldvisit.vocabulary import DutyRank, Role, VisitState
from tests.api.conftest import PASSWORD, ClientFor
from tests.conftest import NOW
from tests.phone.worlds import Morning, make_morning
from tests.safety.worlds import make_account, put_on_duty

PHONE = {"id": "0d1e7f2a-5b3c-4d4e-8f6a-7b8c9d0e1f2a", "name": "Fairphone 6", "app_version": "1.4.0"}

type LogIn = Callable[..., Any]


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    return make_morning(sessions)


@pytest.fixture
def log_in(app: Flask, sessions: sessionmaker[Session], morning: Morning) -> LogIn:
    """Log in as Ilta or as Oona; the answer."""
    with acting_for(sessions, morning.world.agency) as session:
        for name, visitor_id in (("ilta", morning.ilta), ("oona", morning.oona)):
            draft = AccountDraft(username=name, password=PASSWORD, roles=(Role.VISITOR,), visitor_id=visitor_id)
            create_account(session, morning.world.agency, draft, Passwords(environment="test"))

    def log_in(name: str = "ilta", device: dict[str, str] | None = PHONE) -> Any:
        body = {"username": name, "password": PASSWORD, "device": device}
        return app.test_client().post("/tokens", json=body)

    return log_in


def client_with(app: Flask, token: str) -> FlaskClient:
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


@pytest.fixture
def phone(app: Flask, log_in: LogIn) -> FlaskClient:
    """Ilta's registered one."""
    return client_with(app, log_in().json["access_token"])


@pytest.fixture
def office(client_for: ClientFor, morning: Morning) -> FlaskClient:
    return client_for(Role.SUPERVISOR, org=morning.world.agency)


def revoke(office: FlaskClient) -> Any:
    return office.post(f"/devices/{PHONE['id']}/revocation", json={"reason": "Left on the tram."})


def reporting(morning: Morning) -> dict[str, Any]:
    left_at = (NOW - dt.timedelta(minutes=40)).isoformat()
    told = {"event_id": str(uuid.uuid4()), "kind": "report", "visit_id": str(morning.visit), "device_at": left_at}
    return told | {"outcome": "nobody", "left_at": left_at}


def send(phone: FlaskClient, *events: dict[str, Any]) -> Any:
    return phone.post("/phone/events", json={"sent_at": NOW.isoformat(), "battery_percent": 41, "events": list(events)})


def state_of(sessions: sessionmaker[Session], morning: Morning) -> VisitState:
    with acting_for(sessions, morning.world.agency) as session:
        return session.get_one(Visit, morning.visit).state


def test_a_login_registers_the_phone_and_the_office_sees_it(
    phone: FlaskClient, office: FlaskClient, morning: Morning
) -> None:
    assert send(phone, reporting(morning)).status_code == 200
    (seen,) = office.get("/devices").json["items"]
    told = (seen["id"], seen["name"], seen["app_version"], seen["visitor_id"], seen["battery_percent"])
    assert told == (*PHONE.values(), str(morning.ilta), 41)
    assert 0 <= seen["clock_drift_s"] < 600


def test_a_renewed_login_still_belongs_to_the_phone(app: Flask, log_in: LogIn, settings: Settings) -> None:
    renewed = app.test_client().post("/tokens/refresh", json={"refresh_token": log_in().json["refresh_token"]}).json
    claims = read_access(renewed["access_token"], key=settings.token_key, now=NOW + dt.timedelta(minutes=10))
    assert (renewed["device_id"], str(claims.device_id)) == (PHONE["id"], PHONE["id"])


def test_revoking_works_at_the_next_call_and_says_wipe(
    app: Flask, log_in: LogIn, office: FlaskClient, morning: Morning
) -> None:
    given = log_in().json
    phone = client_with(app, given["access_token"])
    assert phone.get("/phone/my-day").status_code == 200
    assert revoke(office).json["revoked_reason"] == "Left on the tram."
    answers = [
        phone.get("/phone/my-day"),
        phone.get("/phone/changes"),
        app.test_client().post("/tokens/refresh", json={"refresh_token": given["refresh_token"]}),
        log_in(),
    ]
    assert [(answer.status_code, answer.json["code"], answer.json["details"]) for answer in answers] == [
        (401, "device_revoked", {"wipe": True})
    ] * 4
    assert (phone.post("/phone/wiped").status_code, office.get("/devices").json["items"][0]["wiped_at"] is None) == (
        204,
        False,
    )


def test_a_revoked_phone_hears_it_even_with_a_token_that_has_expired(
    app: Flask, log_in: LogIn, office: FlaskClient, settings: Settings, sessions: sessionmaker[Session]
) -> None:
    phone = client_with(app, lapsed(log_in(), settings, sessions))
    assert phone.get("/phone/my-day").json["code"] == "access_token_refused"
    revoke(office)
    assert phone.get("/phone/my-day").json["code"] == "device_revoked"


def test_what_a_revoked_phone_had_to_tell_is_kept_and_not_believed(
    phone: FlaskClient, office: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    revoke(office)
    told = reporting(morning) | {"note": "Nobody opened."}
    assert send(phone, told).json["results"][0]["problem"]["code"] == "device_revoked"
    (held,) = office.get("/held-events").json["items"]
    assert (held["code"], held["event_id"]) == ("device_revoked", told["event_id"])
    assert "Nobody opened." in office.get(f"/held-events/{told['event_id']}").json["event"]
    assert state_of(sessions, morning) is VisitState.PUBLISHED


def test_what_a_phone_told_before_it_was_revoked_is_not_kept_a_second_time(
    phone: FlaskClient, office: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    told = reporting(morning)
    watch = {"kind": "safety_start", "event_id": str(uuid.uuid4()), "device_at": NOW.isoformat(), "planned_s": 1_800}
    well = {"kind": "check_in", "event_id": str(uuid.uuid4()), "device_at": NOW.isoformat()}
    well["session_id"] = watch["event_id"]
    assert [one["outcome"] for one in send(phone, told, watch, well).json["results"]] == ["taken"] * 3
    revoke(office)
    assert [one["outcome"] for one in send(phone, told, watch, well).json["results"]] == ["refused"] * 3
    assert office.get("/held-events").json["items"] == []
    assert state_of(sessions, morning) is VisitState.REPORTED


def test_a_call_for_help_is_heard_from_a_revoked_phone(
    phone: FlaskClient, office: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    watch = {"kind": "check_in", "session_id": str(uuid.uuid4()), "device_at": NOW.isoformat()}
    assert send(phone, watch | {"event_id": str(uuid.uuid4())}).json["held"] == 1
    revoke(office)
    call = watch | {"event_id": str(uuid.uuid4()), "kind": "sos"}
    assert send(phone, call).json["taken"] == 1
    assert phone.post("/safety/sos", json={"event_id": str(uuid.uuid4())}).status_code == 201
    with acting_for(sessions, morning.world.agency) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(SafetyAlert)) == 1


def lapsed(login: Any, settings: Settings, sessions: sessionmaker[Session]) -> str:
    """An access token of this login that expired three weeks ago."""
    with sessions(info={"sees_all": True}) as session:
        account = session.get_one(Account, uuid.UUID(login.json["account_id"]))
    long_ago = NOW - dt.timedelta(days=21)
    device_id = uuid.UUID(PHONE["id"])
    return sign_access(account, key=settings.token_key, now=long_ago, lifetime_s=900, device_id=device_id)


def test_a_lapsed_token_stops_no_evidence_and_that_it_had_lapsed_is_kept(
    app: Flask, log_in: LogIn, settings: Settings, sessions: sessionmaker[Session], morning: Morning
) -> None:
    phone = client_with(app, lapsed(log_in(), settings, sessions))
    assert send(phone, reporting(morning)).json["taken"] == 1
    assert state_of(sessions, morning) is VisitState.REPORTED
    with acting_for(sessions, morning.world.agency) as session:
        (entry,) = history_of(session, morning.visit)
    assert entry.detail["token_expired"] is True
    assert phone.get(f"/phone/visits/{morning.visit}").status_code == 401


def test_a_report_and_a_check_in_are_taken_with_a_lapsed_token(
    app: Flask, log_in: LogIn, settings: Settings, sessions: sessionmaker[Session], morning: Morning
) -> None:
    with acting_for(sessions, morning.world.agency) as session:
        put_on_duty(session, make_account(session, morning.world, Role.SAFETY_OFFICER), DutyRank.DUTY)
    login = log_in()
    good, phone = client_with(app, login.json["access_token"]), client_with(app, lapsed(login, settings, sessions))
    watch = {"id": str(uuid.uuid4()), "planned_s": 3_600}
    assert good.post("/safety/sessions", json=watch).status_code == 201
    answers = [
        phone.post(f"/safety/sessions/{watch['id']}/check-ins", json={"event_id": str(uuid.uuid4())}),
        phone.post(
            f"/phone/visits/{morning.visit}/report",
            json={"id": str(uuid.uuid4()), "outcome": "nobody", "left_at": NOW.isoformat()},
        ),
        phone.post("/safety/sos", json={"event_id": str(uuid.uuid4())}),
    ]
    assert [answer.status_code for answer in answers] == [200, 201, 201]


def test_a_lapsed_token_of_a_closed_account_is_good_for_nothing(
    app: Flask, log_in: LogIn, settings: Settings, sessions: sessionmaker[Session], morning: Morning
) -> None:
    login = log_in()
    phone = client_with(app, lapsed(login, settings, sessions))
    with acting_for(sessions, morning.world.agency) as session:
        session.get_one(Account, uuid.UUID(login.json["account_id"])).active = False
    assert send(phone, reporting(morning)).json["code"] == "login_refused"


def test_a_phone_that_is_handed_on_is_the_next_ones_and_forgets_the_first(app: Flask, log_in: LogIn) -> None:
    first = log_in("ilta").json
    second = log_in("oona").json
    assert (first["wipe"], second["wipe"]) == (False, True)
    renewal = app.test_client().post("/tokens/refresh", json={"refresh_token": first["refresh_token"]})
    old = client_with(app, first["access_token"]).get("/phone/my-day")
    assert (renewal.json["code"], old.json["code"]) == ("device_revoked", "device_revoked")
    assert client_with(app, second["access_token"]).get("/phone/my-day").status_code == 200


def test_whoever_has_a_phone_now_is_told_to_wipe_it_until_that_is_said_to_be_done(app: Flask, log_in: LogIn) -> None:
    """The answer that told it first may have got lost."""
    ilta = client_with(app, log_in("ilta").json["access_token"])
    oona = client_with(app, log_in("oona").json["access_token"])
    assert ilta.post("/phone/wiped").status_code == 204
    assert log_in("oona").json["wipe"] is True
    assert oona.post("/phone/wiped").status_code == 204
    assert [log_in(name).json["wipe"] for name in ("oona", "ilta", "ilta")] == [False, True, True]


def test_a_phone_may_be_handed_on_to_another_organisation(
    app: Flask, log_in: LogIn, sessions: sessionmaker[Session], morning: Morning
) -> None:
    stranger = morning.world.stranger
    with acting_for(sessions, stranger) as session:
        visitor = Visitor(org_id=stranger, external_id="X1", name="Xeno", staff_number="1", languages=["fi"])
        session.add(visitor)
        session.flush()
        draft = AccountDraft(username="xeno", password=PASSWORD, roles=(Role.VISITOR,), visitor_id=visitor.id)
        create_account(session, stranger, draft, Passwords(environment="test"))
    ilta, xeno = log_in("ilta").json, log_in("xeno").json
    assert (ilta["wipe"], xeno["wipe"]) == (False, True)
    answers = [
        client_with(app, ilta["access_token"]).get("/phone/changes"),
        app.test_client().post("/tokens/refresh", json={"refresh_token": ilta["refresh_token"]}),
    ]
    assert [answer.json["code"] for answer in answers] == ["device_revoked"] * 2
    assert client_with(app, xeno["access_token"]).post("/phone/wiped").status_code == 204
    # Back again: it is the stranger's data that is on it now.
    assert [log_in(name).json["wipe"] for name in ("xeno", "ilta", "oona", "xeno")] == [False, True, True, True]
    assert client_with(app, ilta["access_token"]).get("/phone/changes").json["code"] == "device_revoked"


def test_only_a_revoked_phone_is_shown_as_wiped_and_only_by_its_own_word(
    app: Flask, log_in: LogIn, office: FlaskClient
) -> None:
    def wiped_at() -> str | None:
        found: str | None = office.get("/devices").json["items"][0]["wiped_at"]
        return found

    def due() -> Any:
        return office.get("/devices").json["items"][0]["wipe_due"]

    ilta, oona = (client_with(app, log_in(name).json["access_token"]) for name in ("ilta", "oona"))
    assert due() is True
    assert oona.post("/phone/wiped").status_code == 204
    assert (wiped_at(), due()) == (None, False)
    assert revoke(office).json["wipe_due"] is True
    assert ilta.post("/phone/wiped").status_code == 204
    assert (wiped_at(), due()) == (None, True)
    said = []
    for _ in range(2):
        oona.post("/phone/wiped")
        said.append(wiped_at())
    assert None not in said
    assert said[0] != said[1]
    assert due() is False


def test_a_login_without_a_phone_names_none(app: Flask, log_in: LogIn, sessions: sessionmaker[Session]) -> None:
    given = log_in(device=None).json
    assert (given["device_id"], given["wipe"]) == (None, False)
    client = client_with(app, given["access_token"])
    assert client.get("/phone/my-day").status_code == 200
    assert client.post("/phone/wiped").json["code"] == "no_device"
    with sessions(info={"sees_all": True}) as session:
        assert session.scalars(sa.select(Device)).all() == []


def test_a_phone_of_another_organisation_is_not_there_to_be_revoked(
    phone: FlaskClient, client_for: ClientFor, morning: Morning
) -> None:
    stranger = client_for(Role.SUPERVISOR, org=morning.world.stranger)
    assert revoke(stranger).status_code == 404
    assert phone.get("/phone/my-day").status_code == 200


def test_a_phone_says_where_it_is_pushed_to_until_it_is_somebody_elses_or_revoked(
    log_in: LogIn, app: Flask, sessions: sessionmaker[Session], morning: Morning
) -> None:
    def token_of(phone: dict[str, str] = PHONE) -> str | None:
        with acting_for(sessions, morning.world.agency) as session:
            return session.get_one(Device, (morning.world.agency, uuid.UUID(phone["id"]))).push_token

    other_phone = PHONE | {"id": str(uuid.uuid4())}
    phone = client_with(app, log_in().json["access_token"])
    for token in ("up-first", "up-second"):
        assert phone.put("/phone/push-token", json={"token": token, "language": "zh-CN"}).status_code == 204
    assert token_of() == "up-second"
    refused = phone.put("/phone/push-token", json={"token": "two words"})
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/token")
    assert [phone.delete("/phone/push-token").status_code for _ in range(2)] == [204, 204]
    assert token_of() is None

    phone.put("/phone/push-token", json={"token": "up-third"})
    anew = client_with(app, log_in(device=other_phone).json["access_token"])
    anew.put("/phone/push-token", json={"token": "up-third"})
    assert (token_of(), token_of(other_phone)) == (None, "up-third")

    oona = client_with(app, log_in("oona", device=other_phone).json["access_token"])
    assert token_of(other_phone) is None
    oona.put("/phone/push-token", json={"token": "up-oona"})
    assert token_of(other_phone) == "up-oona"
    with acting_for(sessions, morning.world.agency) as session:
        by = make_account(session, morning.world, Role.SUPERVISOR).id
        revoke_device(session, uuid.UUID(other_phone["id"]), reason="lost", by=by, now=NOW)
    assert token_of(other_phone) is None

    without = client_with(app, log_in(device=None).json["access_token"])
    assert without.put("/phone/push-token", json={"token": "up"}).json["code"] == "no_device"


class OnItsWay(io.RawIOBase):
    """A body of which each byte asks whether the database waits for it."""

    def __init__(self, body: bytes) -> None:
        self._rest = io.BytesIO(body)
        self.waited: list[bool] = []

    def read(self, size: int = -1, /) -> bytes:
        self.waited.append(db.session().in_transaction())
        return self._rest.read(size)


@pytest.mark.parametrize("big", [True, False])
def test_no_transaction_waits_for_a_body_that_may_be_long_on_its_way(phone: FlaskClient, big: bool) -> None:
    """The database ends one that stands idle for a minute: a photo on a slow line would never arrive."""
    said = json.dumps({"sent_at": NOW.isoformat(), "events": [{"kind": "rest", "text": "x" * 20_000 * big}]}).encode()
    body = OnItsWay(said)
    told = {"CONTENT_LENGTH": str(len(said)), "wsgi.input": body}
    answer = phone.post("/phone/events", content_type="application/json", environ_overrides=told)
    assert answer.status_code == 200, answer.json
    assert set(body.waited) == {not big}
