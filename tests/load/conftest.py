"""An office whose server runs as a process of its own."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.settings import Settings
from tests.load.office import Office, opened
from tests.worlds import World


@pytest.fixture
def office(settings: Settings, engine: sa.Engine, sessions: sessionmaker[Session], world: World) -> Iterator[Office]:
    with opened(settings, engine, sessions, world) as office:
        yield office
