"""The lender's office and the agency's, in one world."""

from pathlib import Path

import pytest
from sqlalchemy.orm import Session, sessionmaker

from tests.imports.files import Office
from tests.worlds import World, make_world


@pytest.fixture
def world(sessions: sessionmaker[Session]) -> World:
    return make_world(sessions)


@pytest.fixture
def lender(sessions: sessionmaker[Session], world: World, tmp_path: Path) -> Office:
    return Office(sessions, world.lender, tmp_path)


@pytest.fixture
def agency(sessions: sessionmaker[Session], world: World, tmp_path: Path) -> Office:
    return Office(sessions, world.agency, tmp_path)
