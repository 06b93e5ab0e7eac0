import pytest
from sqlalchemy.orm import Session, sessionmaker

from tests.phone.worlds import Morning, make_morning


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    return make_morning(sessions)
