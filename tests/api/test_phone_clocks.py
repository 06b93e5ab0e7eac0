"""When something happened is no matter of how long it was on its way."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from api.context import runtime
from fieldvisit.accounts import AccountDraft, Passwords, create_account
from fieldvisit.clock import Clock, shift_clock_to
from fieldvisit.database import Urls, acting_for
from fieldvisit.models import Device, Visit
from fieldvisit.vocabulary import Role
from tests.api.conftest import PASSWORD
from tests.api.test_phone_events import TIDY, a_visit, event, server_now, stand
from tests.conftest import NOW
from tests.phone.worlds import Morning, make_morning

SECOND = dt.timedelta(seconds=1)
PHONE = {"id": str(uuid.uuid4()), "name": "Ilta's", "app_version": "1.4.0"}

type Wait = Callable[[dt.timedelta], None]


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    return make_morning(sessions)


@pytest.fixture
def phone(app: Flask, sessions: sessionmaker[Session], morning: Morning) -> FlaskClient:
    """Ilta's, registered."""
    with acting_for(sessions, morning.world.agency) as session:
        draft = AccountDraft(username="ilta", password=PASSWORD, roles=(Role.VISITOR,), visitor_id=morning.ilta)
        create_account(session, morning.world.agency, draft, Passwords(environment="test"))
    client = app.test_client()
    told = client.post("/tokens", json={"username": "ilta", "password": PASSWORD, "device": PHONE}).json
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {told['access_token']}"
    return client


@pytest.fixture
def wait(app: Flask, urls: Urls, engine: sa.Engine) -> Iterator[Wait]:
    """Time goes by, for the application and its database."""
    owner = sa.create_engine(urls.owner)

    def go_on(for_: dt.timedelta) -> None:
        held = runtime(app)
        shift_clock_to(owner, held.clock() + for_)
        app.extensions["fieldvisit"] = replace(held, clock=Clock(engine))

    yield go_on
    owner.dispose()


def send(phone: FlaskClient, *events: dict[str, Any], took: dt.timedelta = dt.timedelta()) -> Any:
    """`took`: how long it was on its way."""
    sent_at = server_now(phone) - took
    answer = phone.post("/phone/events", json={"sent_at": sent_at.isoformat(), "events": list(events)})
    assert answer.status_code == 200, answer.json
    return answer.json


def test_a_sending_that_was_long_on_its_way_is_no_wrong_clock(
    phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    way, there, who, report, more = a_visit(morning)
    send(phone, way)
    slow = send(phone, there, who, took=40 * SECOND)
    assert abs(slow["clock_drift_s"]) < 20
    told = {name: value for name, value in report.items() if name not in ("kind", "visit_id", "event_id")}
    told["id"] = report["event_id"]
    sent_at = {"sent_at": (server_now(phone) - 90 * SECOND).isoformat()}
    assert phone.post(f"/phone/visits/{morning.visit}/report", json=told | sent_at).status_code == 201
    send(phone, more, took=119 * SECOND)
    assert stand(sessions, morning) == TIDY


def test_a_clock_that_was_set_is_believed_and_so_is_one_that_runs_slow(
    phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session], wait: Wait
) -> None:
    def drift(took: dt.timedelta) -> int:
        send(phone, event("set_out", morning, NOW), took=took)
        with acting_for(sessions, morning.world.agency) as session:
            found = session.get_one(Device, (morning.world.agency, uuid.UUID(PHONE["id"]))).clock_drift_s
        return round(found / 10)

    assert [drift(took * SECOND) for took in (100, 40, 90, -200, 0, 600, 590)] == [10, 4, 4, -20, 0, 60, 59]
    assert drift(650 * SECOND) == 59
    wait(dt.timedelta(hours=1))
    assert drift(650 * SECOND) == 65
    with acting_for(sessions, morning.world.agency) as session:
        assert session.get_one(Visit, morning.visit).under_way_at is not None
