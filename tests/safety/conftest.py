from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import Urls
from tests.safety.offices import Office
from tests.safety.providers import Providers, fake_providers
from tests.safety.worlds import Clock, Door, make_door


@pytest.fixture
def clock(urls: Urls) -> Iterator[Clock]:
    owner = sa.create_engine(urls.owner, poolclass=sa.StaticPool)
    yield Clock(owner)
    owner.dispose()


@pytest.fixture
def door(sessions: sessionmaker[Session], clock: Clock) -> Door:
    return make_door(sessions, clock)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Providers]:
    with fake_providers(tmp_path_factory.mktemp("providers")) as found:
        yield found


@pytest.fixture
def providers(started: Providers) -> Providers:
    for each in started.all():
        started.behave(each.name, mode="ok")
    return started


@pytest.fixture
def office(door: Door, providers: Providers) -> Iterator[Office]:
    office = Office(door, providers)
    yield office
    office.channels.close()


@pytest.fixture
def told_office(door: Door, providers: Providers) -> Iterator[Office]:
    """The same with providers that send receipts."""
    office = Office(door, providers, receipts=True)
    yield office
    office.channels.close()
