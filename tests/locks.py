"""Who waits for whom in a database: so that a test knows that somebody has come as far as a lock."""

import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from tests.processes import wait_until

WAITING = """
    select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')
"""


def until_somebody_waits(sessions: sessionmaker[Session]) -> None:
    """Return when another connection of this database waits for a lock."""
    with sessions() as session, session.connection(execution_options={"isolation_level": "AUTOCOMMIT"}):
        wait_until(lambda: session.scalar(sa.text(WAITING)))
