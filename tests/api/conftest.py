"""The real application over the real database, asked as somebody: `client_for(Role.DISPATCHER, world.agency)`."""

import itertools
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from api.app import close_app, create_app
from api.db import db
from fieldvisit import embedded
from fieldvisit.accounts import AccountDraft, Passwords, create_account
from fieldvisit.database import Urls, acting_for, app_engine, plain_url, session_factory
from fieldvisit.settings import Settings, read_settings
from fieldvisit.vocabulary import Role
from tests.engines import sharing_statements
from tests.worlds import World, make_world

PASSWORD = "correct horse battery"

type ClientFor = Callable[..., FlaskClient]


def log_in(app: Flask, sessions: sessionmaker[Session], draft: AccountDraft, org: uuid.UUID) -> FlaskClient:
    """Open the account and log in with it, as anybody would."""
    with acting_for(sessions, org) as session:
        create_account(session, org, draft, Passwords(environment="test"))
    client = app.test_client()
    answer = client.post("/tokens", json={"username": draft.username, "password": draft.password})
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {answer.json['access_token']}"
    return client


@pytest.fixture(scope="session")
def standing_app(
    server: embedded.Server, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Flask, sessionmaker[Session]]]:
    """One app and database for all tests whose requests are refused, and so leave nothing behind."""
    embedded.create_database(server, "standing", template=template)
    urls = Urls(app=server.url(embedded.APP, "standing"), owner=server.url(embedded.OWNER, "standing"))
    settings = settings_for(urls, tmp_path_factory.mktemp("standing"))
    app, engine = create_app(settings), app_engine(urls.app, settings)
    yield app, session_factory(engine)
    engine.dispose()
    close_app(app)
    embedded.drop_database(server, "standing")


@pytest.fixture(scope="session")
def standing_integrator(standing_app: tuple[Flask, sessionmaker[Session]]) -> FlaskClient:
    """An integrator of the agency, for requests that are refused."""
    app, sessions = standing_app
    draft = AccountDraft(username="standing", password=PASSWORD, roles=(Role.INTEGRATOR,))
    return log_in(app, sessions, draft, make_world(sessions).agency)


def settings_for(urls: Urls, folder: Path) -> Settings:
    return read_settings(
        {
            "ENVIRONMENT": "test",
            "DATA_FOLDER": str(folder),
            "DATABASE_URL": plain_url(urls.app),
            "DATABASE_OWNER_URL": plain_url(urls.owner),
            "PATH": os.environ["PATH"],
        }
    )


@pytest.fixture
def world(sessions: sessionmaker[Session]) -> World:
    return make_world(sessions)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    with app.app_context():
        sharing_statements(db.engine)
    yield app
    close_app(app)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Nobody in particular: no token."""
    return app.test_client()


@pytest.fixture
def client_for(app: Flask, sessions: sessionmaker[Session]) -> ClientFor:
    """A client that is logged in with a new account of these roles. A visitor's needs its `visitor_id`."""
    numbers = itertools.count(1)

    def client_of(*roles: Role, org: uuid.UUID, visitor_id: uuid.UUID | None = None) -> FlaskClient:
        username = f"somebody{next(numbers)}"
        draft = AccountDraft(username=username, password=PASSWORD, roles=roles, visitor_id=visitor_id)
        return log_in(app, sessions, draft, org)

    return client_of
