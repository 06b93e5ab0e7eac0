"""The real application over the real database, asked as somebody: `client_for(Role.DISPATCHER, world.agency)`."""

import itertools
import uuid
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from api.app import create_app
from api.db import db
from fieldvisit.accounts import AccountDraft, Passwords, create_account
from fieldvisit.database import acting_for
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import Role
from tests.worlds import World, make_world

PASSWORD = "correct horse battery"

type ClientFor = Callable[..., FlaskClient]


@pytest.fixture
def world(sessions: sessionmaker[Session]) -> World:
    return make_world(sessions)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Nobody in particular: no token."""
    return app.test_client()


@pytest.fixture
def client_for(app: Flask, sessions: sessionmaker[Session]) -> ClientFor:
    """A client that is logged in with a new account of these roles. A visitor's needs its `visitor_id`."""
    numbers = itertools.count(1)

    def log_in(*roles: Role, org: uuid.UUID, visitor_id: uuid.UUID | None = None) -> FlaskClient:
        username = f"somebody{next(numbers)}"
        draft = AccountDraft(username=username, password=PASSWORD, roles=roles, visitor_id=visitor_id)
        with acting_for(sessions, org) as session:
            create_account(session, org, draft, Passwords(environment="test"))
        client = app.test_client()
        answer = client.post("/tokens", json={"username": username, "password": PASSWORD})
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {answer.json['access_token']}"
        return client

    return log_in
