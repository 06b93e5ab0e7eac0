"""Phones that logged in within the hours that a restore of the database has lost: unknown, and not revoked."""

import datetime as dt
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.accounts import AccountDraft, Passwords, create_account
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import Device, RefreshToken, SafetyEvent
from fieldvisit.safety.epochs import Witness, current_epoch, notice
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import DutyRank, Role, VisitState
from tests.api.conftest import PASSWORD, ClientFor
from tests.api.test_devices import PHONE, client_with, reporting, send, state_of
from tests.api.test_ended_logins import long_ago
from tests.conftest import NOW
from tests.phone.worlds import Morning, make_morning
from tests.safety.worlds import make_account, put_on_duty


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    morning = make_morning(sessions)
    with acting_for(sessions, morning.world.agency) as session:
        for name, visitor_id in (("ilta", morning.ilta), ("oona", morning.oona)):
            draft = AccountDraft(username=name, password=PASSWORD, roles=(Role.VISITOR,), visitor_id=visitor_id)
            create_account(session, morning.world.agency, draft, Passwords(environment="test"))
        put_on_duty(session, make_account(session, morning.world, Role.SAFETY_OFFICER), DutyRank.DUTY)
    return morning


def log_in(app: Flask, name: str = "ilta") -> Any:
    return app.test_client().post("/tokens", json={"username": name, "password": PASSWORD, "device": PHONE}).json


def forget_logins(sessions: sessionmaker[Session]) -> uuid.UUID:
    """As a backup of before the login has it, read in; the epoch that began with that."""
    with acting_for_all(sessions) as session:
        session.execute(sa.delete(RefreshToken))
        session.execute(sa.delete(Device))
        notice(session, "one", Witness())
        epoch = current_epoch(session)
    assert epoch is not None
    return epoch


@pytest.fixture
def forgotten(app: Flask, sessions: sessionmaker[Session], morning: Morning) -> FlaskClient:
    """Ilta's phone, whose login the database has lost."""
    phone = client_with(app, log_in(app)["access_token"])
    forget_logins(sessions)
    return phone


def test_a_phone_that_is_not_known_wipes_nothing_and_logs_in_again(
    app: Flask, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    phone = client_with(app, log_in(app)["access_token"])
    epoch = forget_logins(sessions)
    answers = [phone.get("/phone/changes"), phone.post(f"/phone/visits/{morning.visit}/report", json={})]
    said = [(answer.status_code, answer.json["code"], answer.json["details"]) for answer in answers]
    assert said == [(401, "device_unknown", {})] * 2
    assert [answer.headers["Database-Epoch"] for answer in answers] == [str(epoch)] * 2
    again = log_in(app)
    assert again["wipe"] is False
    assert client_with(app, again["access_token"]).get("/phone/changes").status_code == 200
    # And so is the login of before: the phone is known again, and the same account's.
    assert phone.get("/phone/changes").status_code == 200


def test_what_an_unknown_phone_tells_is_kept_and_believed_once_it_has_logged_in_again(
    app: Flask, forgotten: FlaskClient, client_for: ClientFor, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    office, told = client_for(Role.SUPERVISOR, org=morning.world.agency), reporting(morning)
    (kept,) = send(forgotten, told).json["results"]
    assert (kept["outcome"], kept["problem"]["code"]) == ("refused", "device_unknown")
    assert [held["code"] for held in office.get("/held-events").json["items"]] == ["device_unknown"]
    assert state_of(sessions, morning) is VisitState.PUBLISHED
    phone = client_with(app, log_in(app)["access_token"])
    assert send(phone, told).json["taken"] == 1
    assert (office.get("/held-events").json["items"], state_of(sessions, morning)) == ([], VisitState.REPORTED)


def test_a_phone_that_was_handed_on_in_the_lost_hours_is_unknown_too(
    app: Flask, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    first, second = log_in(app), log_in(app, "oona")
    ilta, oona = (client_with(app, given["access_token"]) for given in (first, second))
    assert ilta.get("/phone/changes").json["code"] == "device_revoked"
    with acting_for_all(sessions) as session:
        # As it was before Oona's login: Ilta's, for an hour.
        session.execute(sa.delete(RefreshToken).where(RefreshToken.account_id == uuid.UUID(second["account_id"])))
        session.execute(sa.update(RefreshToken).values(revoked_at=None))
        of_ilta = {"account_id": uuid.UUID(first["account_id"]), "visitor_id": morning.ilta, "wipe_due": False}
        session.execute(sa.update(Device).values(account_since=NOW - dt.timedelta(hours=1), **of_ilta))
    assert ilta.get("/phone/changes").status_code == 200
    refused = oona.get("/phone/changes").json
    assert (refused["code"], refused["details"]) == ("device_unknown", {})
    (kept,) = send(oona, reporting(morning)).json["results"]
    assert kept["problem"]["code"] == "device_unknown"
    call = oona.post("/safety/sos", json={"event_id": str(uuid.uuid4())})
    assert call.status_code == 201
    with acting_for(sessions, morning.world.agency) as session:
        details = session.scalars(sa.select(SafetyEvent.detail)).all()
    assert not any("device_revoked" in (detail or {}) for detail in details)


def test_an_unknown_phone_is_watched_over_and_heard(
    forgotten: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    watch: dict[str, Any] = {"event_id": str(uuid.uuid4()), "device_at": NOW.isoformat(), "planned_s": 1_800}
    of_it = {"session_id": watch["event_id"], "device_at": NOW.isoformat()}
    well, end = ({"kind": kind, "event_id": str(uuid.uuid4()), **of_it} for kind in ("check_in", "safety_end"))
    answers = send(forgotten, watch | {"kind": "safety_start"}, well, end).json["results"]
    assert [answer["outcome"] for answer in answers] == ["taken", "taken", "refused"]
    alone = forgotten.post(f"/safety/sessions/{watch['event_id']}/check-ins", json={"event_id": str(uuid.uuid4())})
    call = forgotten.post("/safety/sos", json={"event_id": str(uuid.uuid4())})
    assert (alone.status_code, call.status_code) == (200, 201)
    with acting_for(sessions, morning.world.agency) as session:
        details = session.scalars(sa.select(SafetyEvent.detail)).all()
    # Nobody revoked it, and no officer is told that somebody had.
    assert not any("device_revoked" in (detail or {}) for detail in details)


@pytest.mark.parametrize("planned", [False, True])
def test_an_unknown_phone_begins_its_session_at_its_own_address_too(
    app: Flask, settings: Settings, morning: Morning, sessions: sessionmaker[Session], planned: bool
) -> None:
    phone = client_with(app, log_in(app)["access_token"])
    session_id, event = str(uuid.uuid4()), {"event_id": str(uuid.uuid4())}
    start, visit = ("/safety/sessions", {"id": session_id, "planned_s": 1_200}), {"visit_id": str(morning.visit)}
    if planned:
        assert phone.post("/safety/planned-sessions", json=start[1] | visit).status_code == 201
        start = f"/safety/planned-sessions/{session_id}/start", event
    forget_logins(sessions)
    # Its token has lapsed besides: it cannot be renewed while nobody knows the phone.
    lapsed = long_ago(phone, settings)
    begun = lapsed.post(start[0], json=start[1])
    assert (begun.status_code, begun.json["id"], begun.json["state"]) == (200 if planned else 201, session_id, "active")
    of_it = [lapsed.post(f"/safety/sessions/{session_id}/{what}", json=event) for what in ("beats", "check-ins", "end")]
    # As in a batch: being watched over begins by it, and does not end by it.
    assert [answer.status_code for answer in of_it] == [200, 200, 401]
    assert of_it[-1].json["code"] == "device_unknown"
