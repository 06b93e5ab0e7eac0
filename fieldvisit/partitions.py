"""The monthly partitions of the append-only tables: made a month ahead by everything that runs for long."""

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

PARTITIONED = ("safety_events", "visit_events", "audit_events", "contact_attempts", "debtor_accesses")
"""What an alarm needs comes first."""
CHECK_VIOLATION = "23514"

log = structlog.get_logger(__name__)

_MAKE = sa.text(
    "select ensure_partition(:parent, (fieldvisit_now() at time zone 'utc')::date),"
    " ensure_partition(:parent, ((fieldvisit_now() + interval '1 month') at time zone 'utc')::date)"
)


def make_partitions(sessions: sessionmaker[Session]) -> bool:
    """Make this month's and next month's partition of every table, where they are missing.

    A transaction a table, none of which waits long for a lock: whatever holds one table does not keep the others from
    theirs. False where one could not be made just now, which is logged: a month ahead there is time to try again.
    """
    made = [_make(sessions, parent) for parent in PARTITIONED]
    return all(made)


def _make(sessions: sessionmaker[Session], parent: str) -> bool:
    try:
        with sessions() as session, session.begin():
            session.execute(_MAKE, {"parent": parent})
    except OperationalError as error:
        log.warning("partition_not_made", table=parent, error=type(error.orig).__name__)
        return False
    return True


def lacks_partition(error: BaseException) -> bool:
    """Whether a row was refused because its month has no partition yet: the one check that has no name."""
    if not isinstance(error, IntegrityError):
        return False
    state, diag = getattr(error.orig, "sqlstate", None), getattr(error.orig, "diag", None)
    return state == CHECK_VIOLATION and getattr(diag, "constraint_name", None) is None
