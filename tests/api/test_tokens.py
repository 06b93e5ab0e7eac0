"""Logging in and staying logged in."""

import dataclasses
import datetime as dt
import uuid
from collections.abc import Iterator

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from api.app import close_app, create_app
from fieldvisit.accounts import AccountDraft, Passwords, create_account
from fieldvisit.database import acting_for
from fieldvisit.models import Account, Visitor
from fieldvisit.settings import Settings
from fieldvisit.tokens import read_access, sign_access
from fieldvisit.vocabulary import Role
from tests.api.conftest import PASSWORD
from tests.conftest import NOW
from tests.worlds import World, make_visitor


@pytest.fixture
def aino(sessions: sessionmaker[Session], world: World) -> uuid.UUID:
    """Aino, a dispatcher of the agency."""
    draft = AccountDraft(username="aino", password=PASSWORD, roles=(Role.DISPATCHER,))
    with acting_for(sessions, world.agency) as session:
        return create_account(session, world.agency, draft, Passwords(environment="test")).id


def log_in(client: FlaskClient, username: str = "aino", password: str = PASSWORD) -> dict[str, object]:
    answer = client.post("/tokens", json={"username": username, "password": password})
    assert answer.status_code == 201
    return dict(answer.json)


def test_a_login_tells_who_one_is_and_for_how_long(client: FlaskClient, aino: uuid.UUID, world: World) -> None:
    tokens = log_in(client)
    assert {name: tokens[name] for name in tokens if name not in ("access_token", "refresh_token")} == {
        "token_type": "Bearer",
        "expires_in_s": 900,
        "account_id": str(aino),
        "organisation_id": str(world.agency),
        "roles": ["dispatcher"],
        "visitor_id": None,
        "device_id": None,
        "wipe": False,
    }


@pytest.mark.parametrize(("username", "password"), [("aino", "wrong horse battery"), ("nobody", PASSWORD)])
def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(
    client: FlaskClient, aino: uuid.UUID, username: str, password: str
) -> None:
    answer = client.post("/tokens", json={"username": username, "password": password})
    assert (answer.status_code, answer.json["code"], answer.json["details"]) == (401, "login_refused", {})


def test_a_closed_account_cannot_log_in(
    client: FlaskClient, aino: uuid.UUID, sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for(sessions, world.agency) as session:
        session.get_one(Account, aino).active = False
    answer = client.post("/tokens", json={"username": "aino", "password": PASSWORD})
    assert (answer.status_code, answer.json["code"]) == (401, "login_refused")


def test_a_refresh_token_is_good_for_one_renewal(client: FlaskClient, aino: uuid.UUID) -> None:
    first = log_in(client)["refresh_token"]
    renewed = client.post("/tokens/refresh", json={"refresh_token": first})
    assert renewed.status_code == 201
    assert renewed.json["refresh_token"] != first


def renewed(client: FlaskClient, token: object) -> object:
    return client.post("/tokens/refresh", json={"refresh_token": token}).json["refresh_token"]


def test_an_answer_that_got_lost_is_given_again(client: FlaskClient, aino: uuid.UUID) -> None:
    token = log_in(client)["refresh_token"]
    assert renewed(client, token) == renewed(client, token)


def test_two_that_renew_together_both_stay_logged_in(client: FlaskClient, aino: uuid.UUID) -> None:
    token = log_in(client)["refresh_token"]
    both = [renewed(client, token), renewed(client, token)]
    answers = [client.post("/tokens/refresh", json={"refresh_token": each}) for each in both]
    assert [answer.status_code for answer in answers] == [201, 201]


def test_a_refresh_token_used_twice_ends_the_login_for_both_who_hold_it(client: FlaskClient, aino: uuid.UUID) -> None:
    stolen = log_in(client)["refresh_token"]
    honest = renewed(client, renewed(client, stolen))
    for token in (stolen, honest):
        answer = client.post("/tokens/refresh", json={"refresh_token": token})
        assert (answer.status_code, answer.json["code"]) == (401, "refresh_token_refused")


def test_another_login_of_the_same_account_is_not_touched_by_a_theft(client: FlaskClient, aino: uuid.UUID) -> None:
    stolen, other = log_in(client)["refresh_token"], log_in(client)["refresh_token"]
    renewed(client, renewed(client, stolen))
    assert client.post("/tokens/refresh", json={"refresh_token": stolen}).status_code == 401
    assert client.post("/tokens/refresh", json={"refresh_token": other}).status_code == 201


def test_after_logging_out_nothing_can_be_renewed(client: FlaskClient, aino: uuid.UUID) -> None:
    token = log_in(client)["refresh_token"]
    assert client.delete("/tokens", json={"refresh_token": token}).status_code == 204
    assert client.post("/tokens/refresh", json={"refresh_token": token}).status_code == 401


def account_of(aino: uuid.UUID, world: World) -> Account:
    return Account(id=aino, org_id=world.agency, roles=["dispatcher"], visitor_id=None)


def test_an_access_token_ends_at_its_second(settings: Settings, aino: uuid.UUID, world: World) -> None:
    key = settings.token_key
    token = sign_access(account_of(aino, world), key=key, now=NOW, lifetime_s=60)
    assert read_access(token, key=key, now=NOW + dt.timedelta(seconds=59)).account_id == aino


@pytest.mark.parametrize("spoil", ["expired", "altered", "other key", "unsigned", "no token at all"])
def test_a_token_that_is_no_good_is_refused(
    client: FlaskClient, settings: Settings, aino: uuid.UUID, world: World, spoil: str
) -> None:
    key, long_ago = settings.token_key, NOW - dt.timedelta(days=1)
    good = sign_access(account_of(aino, world), key=key, now=NOW, lifetime_s=900)
    head, body, signature = good.split(".")
    token = {
        "expired": sign_access(account_of(aino, world), key=key, now=long_ago, lifetime_s=900),
        "altered": f"{head}.{body[:-2]}AA.{signature}",
        "other key": sign_access(account_of(aino, world), key=bytes(32), now=NOW, lifetime_s=900),
        "unsigned": f"eyJhbGciOiJub25lIn0.{body}.",
        "no token at all": "gibberish",
    }[spoil]
    answer = client.get("/organisations", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json["code"]) == (401, "access_token_refused")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="fieldvisit"'


def test_passwords_are_guessed_at_twenty_a_minute_and_no_faster(client: FlaskClient, aino: uuid.UUID) -> None:
    guess = {"username": "aino", "password": "wrong horse battery"}
    answers = [client.post("/tokens", json=guess) for _ in range(21)]
    assert [answer.status_code for answer in answers] == [401] * 20 + [429]
    assert (answers[-1].json["code"], answers[-1].headers["RateLimit-Remaining"]) == ("too_many_requests", "0")
    assert int(answers[-1].headers["Retry-After"]) > 0


@pytest.fixture
def strict(settings: Settings) -> Iterator[Flask]:
    """Five requests a minute for each caller, and one proxy in front."""
    app = create_app(dataclasses.replace(settings, rate_limit="5/minute", trusted_proxies=1))
    yield app
    close_app(app)


def asked_from(app: Flask, address: str, token: object) -> Response:
    """Renew through the proxy, which puts the address that it sees behind whatever the caller claims."""
    headers = {"X-Forwarded-For": f"198.51.100.1, {address}"}
    return app.test_client().post("/tokens/refresh", json={"refresh_token": token}, headers=headers)


def test_a_fleet_behind_one_address_renews_its_logins(strict: Flask, client: FlaskClient, aino: uuid.UUID) -> None:
    logins = [log_in(client)["refresh_token"] for _ in range(7)]
    assert [asked_from(strict, "192.0.2.1", token).status_code for token in logins] == [201] * 7


def test_one_token_is_shown_so_often_and_no_oftener(strict: Flask, client: FlaskClient, aino: uuid.UUID) -> None:
    token = log_in(client)["refresh_token"]
    answers = [asked_from(strict, f"192.0.2.{number}", token).status_code for number in range(6)]
    assert answers == [201] * 5 + [429]


def test_made_up_tokens_are_counted_by_the_address_that_the_proxy_sees(strict: Flask, aino: uuid.UUID) -> None:
    answers = [asked_from(strict, "192.0.2.1", f"made up {number}").status_code for number in range(6)]
    assert answers == [401] * 5 + [429]
    assert asked_from(strict, "192.0.2.2", "made up").status_code == 401


def test_an_address_that_a_caller_claims_is_not_believed_without_a_proxy(settings: Settings, aino: uuid.UUID) -> None:
    app = create_app(dataclasses.replace(settings, rate_limit="5/minute"))
    answers = [asked_from(app, f"192.0.2.{number}", f"made up {number}").status_code for number in range(6)]
    close_app(app)
    assert answers == [401] * 5 + [429]


def test_a_visitor_who_left_does_not_log_in(client: FlaskClient, sessions: sessionmaker[Session], world: World) -> None:
    with acting_for(sessions, world.agency) as session:
        visitor = make_visitor(session, world)
        draft = AccountDraft(username="ilta", password=PASSWORD, roles=(Role.VISITOR,), visitor_id=visitor.id)
        create_account(session, world.agency, draft, Passwords(environment="test"))
    login = {"username": "ilta", "password": PASSWORD}
    assert client.post("/tokens", json=login).status_code == 201
    with acting_for(sessions, world.agency) as session:
        session.get_one(Visitor, visitor.id).active = False
    answer = client.post("/tokens", json=login)
    assert (answer.status_code, answer.json["code"]) == (401, "login_refused")
