"""A database with the world in it, asked as the agency."""

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from tests.worlds import World, make_world


@pytest.fixture
def world(sessions: sessionmaker[Session]) -> World:
    return make_world(sessions)


@pytest.fixture
def making(sessions: sessionmaker[Session], world: World) -> Iterator[Session]:
    """A transaction that sees everything, for making a world; committed at its own `commit`."""
    with acting_for_all(sessions) as session:
        yield session


@pytest.fixture
def agency(sessions: sessionmaker[Session], world: World) -> Iterator[Session]:
    """A transaction of the agency's."""
    with acting_for(sessions, world.agency) as session:
        yield session
