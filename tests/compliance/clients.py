"""The real application under a clock that a test moves, asked as somebody whose login outlasts every move."""

import dataclasses
import datetime as dt
import itertools
import uuid
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from api.context import KEY
from fieldvisit.clock import Clock, shift_clock_to
from fieldvisit.database import acting_for_all
from fieldvisit.models import Account
from fieldvisit.tokens import sign_access
from fieldvisit.vocabulary import Role

_numbers = itertools.count(1)
LASTS_S = 60 * 24 * 3_600


def client_of(
    app: Flask,
    sessions: sessionmaker[Session],
    role: Role,
    org: uuid.UUID,
    *,
    since: dt.datetime,
    visitor: uuid.UUID | None = None,
) -> FlaskClient:
    """With a login of the day before `since` that nobody has to renew for two months."""
    with acting_for_all(sessions) as session:
        name = f"u{next(_numbers)}"
        account = Account(org_id=org, username=name, password_hash="-", roles=[role.value], visitor_id=visitor)
        session.add(account)
        session.flush()
        key, day = app.extensions[KEY].settings.token_key, dt.timedelta(days=1)
        token = sign_access(account, key=key, now=since - day, lifetime_s=LASTS_S)
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


def go_to(app: Flask, owner: sa.Engine, at: dt.datetime) -> None:
    """Let the product's clock show this instant, in the database and in the application."""
    shift_clock_to(owner, at)
    app.extensions[KEY] = dataclasses.replace(app.extensions[KEY], clock=Clock(owner))


def ask(client: FlaskClient, path: str, body: Any = None, *, method: str = "POST") -> Any:
    answer = client.open(path, method=method, json=body)
    assert answer.status_code < 300, (path, body, answer.json)
    return answer.json
