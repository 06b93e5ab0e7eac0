"""Accounts, and the tokens that keep somebody logged in."""

import datetime as dt
import uuid

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.accounts import (
    AccountDraft,
    LoginRefused,
    Passwords,
    close_account,
    create_account,
    find_account,
    log_in,
)
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import InvalidValue, NotFound, Refused
from fieldvisit.models import Account, RefreshToken
from fieldvisit.tokens import Renewal, begin_family, renew
from fieldvisit.vocabulary import Role
from tests.conftest import NOW
from tests.worlds import World, make_visitor, make_world

PASSWORD = "correct horse battery"
CHEAP = Passwords(environment="test")
HOUR_S, KEY = 3_600, bytes(range(32))


def draft(**given: object) -> AccountDraft:
    values = {"username": "aino", "password": PASSWORD, "roles": (Role.DISPATCHER,)} | given
    return AccountDraft(**values)  # type: ignore[arg-type]  # the tests give wrong values on purpose


@pytest.fixture
def world(sessions: sessionmaker[Session]) -> World:
    return make_world(sessions)


@pytest.fixture
def aino(sessions: sessionmaker[Session], world: World) -> uuid.UUID:
    with acting_for(sessions, world.agency) as session:
        return create_account(session, world.agency, draft(), CHEAP).id


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"username": "Aino"}, "username"),
        ({"username": "ai"}, "username"),
        ({"username": "a b c"}, "username"),
        ({"password": "too short"}, "password"),
        ({"password": "x" * 201}, "password"),
        ({"roles": ()}, "roles"),
        ({"roles": (Role.ADMIN, Role.ADMIN)}, "roles"),
        ({"roles": (Role.VISITOR,)}, "visitor_id"),
        ({"visitor_id": uuid.uuid4()}, "visitor_id"),
    ],
)
def test_a_draft_that_means_nothing_is_refused(given: dict[str, object], path: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        draft(**given)
    assert refused.value.details["path"] == path


def test_the_password_is_stored_as_a_slow_hash_only(sessions: sessionmaker[Session], aino: uuid.UUID) -> None:
    with acting_for_all(sessions) as session:
        stored = session.get_one(Account, aino).password_hash
    assert stored.startswith("$argon2id$")
    assert PASSWORD not in stored


def test_production_hashes_cost_what_they_should() -> None:
    assert "m=65536,t=3,p=4" in Passwords(environment="production").hash(PASSWORD)


def test_a_password_fits_however_the_keyboard_writes_it() -> None:
    composed, decomposed = "mets\u00e4l\u00e4inen", "metsa\u0308la\u0308inen"
    assert CHEAP.fit(decomposed, CHEAP.hash(composed))


def test_one_logs_in_with_ones_own_password_alone(sessions: sessionmaker[Session], aino: uuid.UUID) -> None:
    with acting_for_all(sessions) as session:
        assert log_in(session, find_account(session, "aino"), PASSWORD, CHEAP).id == aino
        for username, password in (("aino", PASSWORD + "!"), ("nobody", PASSWORD), ("aino", "")):
            with pytest.raises(LoginRefused):
                log_in(session, find_account(session, username), password, CHEAP)


def test_a_visitor_of_another_organisation_gets_no_account(sessions: sessionmaker[Session], world: World) -> None:
    with acting_for_all(sessions) as session:
        visitor_id = make_visitor(session, world, papers=False).id
    with acting_for(sessions, world.stranger) as session, pytest.raises(NotFound):
        create_account(session, world.stranger, draft(roles=(Role.VISITOR,), visitor_id=visitor_id), CHEAP)


def test_a_refresh_token_lives_to_its_last_second(sessions: sessionmaker[Session], aino: uuid.UUID) -> None:
    with acting_for_all(sessions) as session:
        account = session.get_one(Account, aino)
        first, second = (begin_family(session, account, NOW, lifetime_s=HOUR_S).token for _ in range(2))
        end = NOW + dt.timedelta(seconds=HOUR_S)
        answers = [
            renew(session, first, end - dt.timedelta(seconds=1), lifetime_s=HOUR_S, key=KEY),
            renew(session, second, end, lifetime_s=HOUR_S, key=KEY),
        ]
    assert [type(answer) for answer in answers] == [Renewal, Refused]


def test_tokens_are_stored_as_hashes_only(sessions: sessionmaker[Session], aino: uuid.UUID) -> None:
    with acting_for_all(sessions) as session:
        token = begin_family(session, session.get_one(Account, aino), NOW, lifetime_s=HOUR_S).token
        stored = session.scalars(sa.select(RefreshToken.token_hash)).one()
    assert token.encode() not in bytes(stored)


def test_closing_an_account_ends_its_logins(sessions: sessionmaker[Session], aino: uuid.UUID) -> None:
    with acting_for_all(sessions) as session:
        token = begin_family(session, session.get_one(Account, aino), NOW, lifetime_s=HOUR_S).token
        close_account(session, aino, NOW)
        assert isinstance(renew(session, token, NOW, lifetime_s=HOUR_S, key=KEY), Refused)
        assert session.scalars(sa.select(RefreshToken.revoked_at)).one() == NOW
