import uuid
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for
from fieldvisit.errors import unless_refused
from fieldvisit.phone.steps import arrive
from tests.conftest import NOW
from tests.phone.worlds import Morning, make_morning, teller

GEOFENCE_M = 150

type Told = Callable[..., Any]


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    return make_morning(sessions)


@pytest.fixture
def told(sessions: sessionmaker[Session], morning: Morning) -> Told:
    """Tell one thing of the morning's first visit, in a transaction of its own, as Ilta unless told otherwise."""

    def tell(step: Callable[..., Any], draft: Any, *, by: uuid.UUID = morning.ilta, **more: Any) -> Any:
        terms = {"now": NOW, **({"geofence_m": GEOFENCE_M} if step is arrive else {}), **more}
        with acting_for(sessions, morning.world.agency) as session:
            answer = step(session, morning.visit, draft, by=teller(by), **terms)
        return unless_refused(answer)

    return tell
