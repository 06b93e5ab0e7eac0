import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import Urls
from tests.safety.worlds import Clock, Door, make_door


@pytest.fixture
def clock(urls: Urls) -> Clock:
    return Clock(sa.create_engine(urls.owner, poolclass=sa.NullPool))


@pytest.fixture
def door(sessions: sessionmaker[Session], clock: Clock) -> Door:
    return make_door(sessions, clock)
