"""A morning whose first visit is told of, step by step."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for
from fieldvisit.phone.steps import arrive, check_identity
from tests.conftest import NOW
from tests.phone.worlds import Morning, arrival, identity, make_morning, teller
from tests.reports.books import Books

type Tell = Callable[..., Any]


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    return make_morning(sessions)


@pytest.fixture
def tell(sessions: sessionmaker[Session], morning: Morning) -> Tell:
    """Tell one thing of the morning's first visit, in a transaction of its own, as Ilta unless told otherwise."""

    def told(use_case: Callable[..., Any], draft: Any, *, by: uuid.UUID = morning.ilta, **more: Any) -> Any:
        with acting_for(sessions, morning.world.agency) as session:
            return use_case(session, morning.visit, draft, by=teller(by), **{"now": NOW, **more})

    return told


@pytest.fixture
def at_the_door(tell: Tell) -> None:
    tell(arrive, arrival(), geofence_m=150)


@pytest.fixture
def identified(tell: Tell, at_the_door: None) -> None:
    tell(check_identity, identity())


@pytest.fixture
def books(sessions: sessionmaker[Session], morning: Morning) -> Books:
    return Books(sessions, morning)
