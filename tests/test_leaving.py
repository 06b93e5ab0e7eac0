"""A visitor leaves: is planned no more, logs in no more, and what HR's file says is what is stored."""

import datetime as dt
import uuid
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.accounts import AccountDraft, LoginRefused, Passwords, create_account, demand_open
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.datums import to_wgs84
from fieldvisit.drafts import Change
from fieldvisit.errors import Refused
from fieldvisit.models import Account, Visitor
from fieldvisit.people import VisitorDraft, upsert_visitor
from fieldvisit.tokens import Renewal, begin_family, renew
from fieldvisit.vocabulary import Datum, Role
from tests.conftest import NOW
from tests.imports.files import VISITOR, Office
from tests.worlds import World, make_world

PASSWORD = "correct horse battery"
KEY = bytes(range(32))
CHEAP = Passwords(environment="test")


@pytest.fixture
def world(sessions: sessionmaker[Session]) -> World:
    return make_world(sessions)


@pytest.fixture
def agency(sessions: sessionmaker[Session], world: World, tmp_path: Path) -> Office:
    return Office(sessions, world.agency, tmp_path)


def ilta(office: Office) -> Visitor:
    with acting_for(office.sessions, office.org_id) as session:
        return session.scalars(sa.select(Visitor)).one()


def test_who_is_no_longer_active_is_told_by_the_file(agency: Office) -> None:
    assert agency.load("visitors", VISITOR).added == 1
    assert ilta(agency).active
    for cell, active in (("no", False), ("", False), ("是", True), ("否", False)):
        agency.load("visitors", VISITOR | {"active": cell})
        assert ilta(agency).active is active
    agency.load("visitors", VISITOR)
    assert not ilta(agency).active


@pytest.mark.parametrize("column", ["skills", "languages"])
def test_an_empty_cell_of_a_list_means_none_and_a_missing_column_says_nothing(agency: Office, column: str) -> None:
    agency.load("visitors", VISITOR)
    stored = list(getattr(ilta(agency), column))
    without = {name: cell for name, cell in VISITOR.items() if name != column}
    assert agency.load("visitors", without).unchanged == 1
    assert getattr(ilta(agency), column) == stored
    assert agency.load("visitors", VISITOR | {column: ""}).changed == 1
    assert getattr(ilta(agency), column) == []


@pytest.mark.parametrize(
    ("cell", "datum"), [("gcj02", Datum.GCJ02), ("BD-09", Datum.BD09), ("wgs84", Datum.WGS84), ("", Datum.WGS84)]
)
def test_a_home_is_stored_in_wgs84_whatever_datum_it_came_in(agency: Office, cell: str, datum: Datum) -> None:
    beijing = {"home_latitude": "39.908692", "home_longitude": "116.397477"}
    agency.load("visitors", VISITOR | beijing | {"datum": cell})
    home = to_wgs84(39.908692, 116.397477, datum)
    assert (ilta(agency).home_lat, ilta(agency).home_lon) == (home.lat, home.lon)


def test_a_home_in_a_datum_that_is_not_used_there_is_refused(agency: Office) -> None:
    result = agency.load("visitors", VISITOR | {"坐标系": "gcj02"})
    assert [(fault.column, fault.value) for fault in result.faults] == [("坐标系", "gcj02")]


def made(session: Session, **given: Any) -> tuple[Visitor, Change]:
    return upsert_visitor(session, VisitorDraft(external_id="V-1", name="Ilta", staff_number="4100", **given))


def test_who_left_neither_logs_in_nor_renews_and_whoever_comes_back_does(
    sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for(sessions, world.agency) as session:
        visitor_id = made(session)[0].id
        account_id = open_account(session, world, visitor_id)
        token = begin_family(session, session.get_one(Account, account_id), NOW, lifetime_s=3_600).token
        assert made(session, active=False)[1] is Change.CHANGED
    with acting_for_all(sessions) as session:
        with pytest.raises(LoginRefused):
            demand_open(session, account_id)
        assert isinstance(renew(session, token, NOW + dt.timedelta(minutes=1), lifetime_s=3_600, key=KEY), Refused)
    with acting_for(sessions, world.agency) as session:
        made(session, active=True)
    with acting_for_all(sessions) as session:
        demand_open(session, account_id)
        assert isinstance(renew(session, token, NOW + dt.timedelta(minutes=2), lifetime_s=3_600, key=KEY), Renewal)


def open_account(session: Session, world: World, visitor_id: uuid.UUID) -> uuid.UUID:
    draft = AccountDraft(username="ilta", password=PASSWORD, roles=(Role.VISITOR,), visitor_id=visitor_id)
    return create_account(session, world.agency, draft, CHEAP).id
