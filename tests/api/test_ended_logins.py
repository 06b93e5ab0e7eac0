"""What an access token is good for when its login was ended, logged out or found to be stolen: the same from the next
call on as when it has expired since."""

import uuid
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import OctKey
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.accounts import AccountDraft, Passwords, close_account, create_account
from fieldvisit.database import acting_for
from fieldvisit.models import Account
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import DutyRank, Role, VisitState
from tests.api.conftest import PASSWORD, ClientFor
from tests.api.test_devices import PHONE, client_with, reporting, send, state_of
from tests.api.test_phone_changes import counted
from tests.conftest import NOW
from tests.phone.worlds import Morning, make_morning
from tests.safety.worlds import make_account, put_on_duty

type End = Callable[[FlaskClient, str], None]
type Aged = Callable[[FlaskClient, Settings], FlaskClient]


def logged_out(client: FlaskClient, token: str) -> None:
    assert client.delete("/tokens", json={"refresh_token": token}).status_code == 204


def stolen(client: FlaskClient, token: str) -> None:
    shown = token
    for _ in range(2):
        shown = client.post("/tokens/refresh", json={"refresh_token": shown}).json["refresh_token"]
    assert client.post("/tokens/refresh", json={"refresh_token": token}).status_code == 401


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    morning = make_morning(sessions)
    draft = AccountDraft(username="ilta", password=PASSWORD, roles=(Role.VISITOR,), visitor_id=morning.ilta)
    with acting_for(sessions, morning.world.agency) as session:
        create_account(session, morning.world.agency, draft, Passwords(environment="test"))
        put_on_duty(session, make_account(session, morning.world, Role.SAFETY_OFFICER), DutyRank.DUTY)
    return morning


def log_in(app: Flask, device: dict[str, str] | None = None) -> tuple[FlaskClient, str]:
    """Ilta, without a registered phone where none is given; her refresh token."""
    body = {"username": "ilta", "password": PASSWORD, "device": device}
    given = app.test_client().post("/tokens", json=body).json
    return client_with(app, given["access_token"]), given["refresh_token"]


def long_ago(client: FlaskClient, settings: Settings) -> FlaskClient:
    """The same with the same token, signed three weeks ago."""
    key, days_s = OctKey.import_key(settings.token_key), 21 * 86_400
    said = jwt.decode(client.environ_base["HTTP_AUTHORIZATION"].removeprefix("Bearer "), key).claims
    aged = said | {"iat": said["iat"] - days_s, "exp": said["exp"] - days_s}
    return client_with(client.application, jwt.encode({"alg": "HS256"}, aged, key))


def still_good(client: FlaskClient, _: Settings) -> FlaskClient:
    return client


@pytest.mark.parametrize(("end", "aged"), [(logged_out, long_ago), (stolen, long_ago), (stolen, still_good)])
def test_what_an_ended_login_tells_is_kept_and_not_believed(
    app: Flask,
    settings: Settings,
    client_for: ClientFor,
    morning: Morning,
    sessions: sessionmaker[Session],
    end: End,
    aged: Aged,
) -> None:
    phone, token = log_in(app)
    copied = aged(phone, settings)
    end(app.test_client(), token)
    told = reporting(morning)
    assert send(copied, told).json["results"][0]["problem"]["code"] == "login_ended"
    answers = [
        copied.post(f"/phone/visits/{morning.visit}/abort", json={"event_id": str(uuid.uuid4()), "reason": "threat"}),
        copied.post(
            f"/phone/visits/{morning.visit}/report",
            json={"id": str(uuid.uuid4()), "outcome": "nobody", "left_at": NOW.isoformat()},
        ),
        copied.post("/phone/evidence", headers={"Tus-Resumable": "1.0.0"}),
    ]
    assert [(answer.status_code, answer.json["code"]) for answer in answers] == [(401, "login_ended")] * 3
    office = client_for(Role.SUPERVISOR, org=morning.world.agency)
    (held,) = office.get("/held-events").json["items"]
    assert (held["code"], held["event_id"]) == ("login_ended", told["event_id"])
    assert state_of(sessions, morning) is VisitState.PUBLISHED

    anew, _ = log_in(app)
    assert send(anew, told).json["taken"] == 1
    assert office.get("/held-events").json["items"] == []
    assert send(copied, told).json["refused"] == 1
    assert office.get("/held-events").json["items"] == []


@pytest.mark.parametrize("aged", [long_ago, still_good])
def test_help_and_check_ins_are_heard_from_an_ended_login(
    app: Flask, settings: Settings, morning: Morning, aged: Aged
) -> None:
    watch = {"id": str(uuid.uuid4()), "planned_s": 3_600}
    good, token = log_in(app)
    assert good.post("/safety/sessions", json=watch).status_code == 201
    phone = aged(good, settings)
    logged_out(app.test_client(), token)
    well = phone.post(f"/safety/sessions/{watch['id']}/check-ins", json={"event_id": str(uuid.uuid4())})
    said = {"session_id": watch["id"], "device_at": NOW.isoformat()}
    events = [{"event_id": str(uuid.uuid4()), "kind": kind} | said for kind in ("check_in", "safety_end", "sos")]
    outcomes = [one["outcome"] for one in send(phone, *events).json["results"]]
    help_me = phone.post("/safety/sos", json={"event_id": str(uuid.uuid4())})
    assert (well.status_code, outcomes, help_me.status_code) == (200, ["taken", "refused", "taken"], 201)


def test_a_lapsed_token_whose_login_goes_on_is_believed(
    app: Flask, settings: Settings, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    good, token = log_in(app)
    assert app.test_client().post("/tokens/refresh", json={"refresh_token": token}).status_code == 201
    assert send(long_ago(good, settings), reporting(morning)).json["taken"] == 1
    assert state_of(sessions, morning) is VisitState.REPORTED


@pytest.mark.parametrize("device", [None, PHONE])
def test_logging_out_shuts_every_door_at_the_next_call_and_no_other_login(
    app: Flask, morning: Morning, device: dict[str, str] | None
) -> None:
    ours, token = log_in(app, device=device)
    another, _ = log_in(app, device=device)
    assert ours.get("/phone/my-day").status_code == 200
    logged_out(app.test_client(), token)
    told = {"event_id": str(uuid.uuid4())}
    answers = [
        ours.get("/phone/my-day"),
        ours.get("/phone/changes"),
        ours.post(f"/phone/visits/{morning.visit}/set-out", json=told),
    ]
    assert [(answer.status_code, answer.json["code"]) for answer in answers] == [(401, "login_ended")] * 3
    assert another.get("/phone/my-day").status_code == 200


def test_whether_its_login_goes_on_costs_a_registered_phone_no_statement(app: Flask, morning: Morning) -> None:
    phone, _ = log_in(app, device=PHONE)
    tag = phone.get("/phone/my-day").headers["ETag"]
    with counted(app) as sent:
        assert phone.get("/phone/my-day", headers={"If-None-Match": tag}).status_code == 304
    # The transaction's own, how the phone stands, and whether the day is as it was.
    assert len([each for each in sent if "fieldvisit_now" not in each.lower()]) == 3


def test_a_check_in_does_not_ask_after_its_login_and_steps_ask_once(app: Flask, morning: Morning) -> None:
    phone, _ = log_in(app, device=PHONE)
    watch = {"id": str(uuid.uuid4()), "planned_s": 3_600}
    assert phone.post("/safety/sessions", json=watch).status_code == 201
    well = {"event_id": str(uuid.uuid4()), "kind": "check_in", "session_id": watch["id"], "device_at": NOW.isoformat()}
    given = {"visit_id": str(morning.visit), "device_at": NOW.isoformat()}
    steps = [{"event_id": str(uuid.uuid4()), "kind": "set_out"} | given for _ in range(2)]
    heard = well | {"event_id": str(uuid.uuid4()), "kind": "beat"}
    sos = well | {"event_id": str(uuid.uuid4()), "kind": "sos"}
    again = steps[0] | {"event_id": str(uuid.uuid4())}
    asked_after = []
    # What is told beside a call for help is taken apart from the rest, and still asked after with it.
    for events in ([well], steps, [sos, heard, again]):
        with counted(app) as sent:
            assert send(phone, *events).json["refused"] == 0
        asked_after.append(sum("refresh_tokens" in each for each in sent))
    assert asked_after == [0, 1, 1]


def test_a_closed_account_sees_nothing_more(app: Flask, morning: Morning, sessions: sessionmaker[Session]) -> None:
    phone, _ = log_in(app)
    with acting_for(sessions, morning.world.agency) as session:
        account = session.scalars(sa.select(Account).where(Account.username == "ilta")).one()
        close_account(session, account.id, NOW)
    assert phone.get("/phone/my-day").json["code"] == "login_ended"
