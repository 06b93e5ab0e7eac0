"""What the engines tell of themselves: that they finished a turn, when, and how far behind they are.

The newest beat of any engine is also how the next one knows that nobody was watching for a while.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.apart import Apart
from fieldvisit.clock import database_now
from fieldvisit.database import acting_for_all
from fieldvisit.models import EngineBeat, OutboxMessage, SafetyAlert, SafetySession
from fieldvisit.partitions import make_partitions
from fieldvisit.safety.contact_tests import try_contacts
from fieldvisit.safety.drill_reminders import remind_of_drills
from fieldvisit.safety.firing import Outage, is_due
from fieldvisit.safety.gap_warnings import warn_of_gaps
from fieldvisit.safety.marker_reviews import remind_of_reviews
from fieldvisit.safety.outbox import CALM
from fieldvisit.safety.sessions.planning import cancel_idle
from fieldvisit.safety.slow_weeks import tell_of_slow_weeks
from fieldvisit.vocabulary import AlertState, SafetyState

OUTAGE_S = 15
"""With no beat of any engine for longer, deadlines that passed meanwhile are raised as unverified."""
LONGEST_REST_S, SHORTEST_REST_S = 1.0, 0.05
STATEMENT_MS, LOCK_MS = 10_000, 2_000
FORGET_AFTER = dt.timedelta(days=1)

UNFLAGGED_LOST_AT = sa.case((~SafetySession.lost_contact, SafetySession.lost_at))


@contextmanager
def engine_transaction(sessions: sessionmaker[Session], *, lock_ms: int = LOCK_MS) -> Iterator[Session]:
    """A transaction over all organisations that rather fails, to be tried again, than waits for anything long."""
    with acting_for_all(sessions) as session:
        session.execute(
            sa.select(
                sa.func.set_config("statement_timeout", str(STATEMENT_MS), True),
                sa.func.set_config("lock_timeout", str(lock_ms), True),
                # An engine that is stopped in mid-transaction, but not killed, holds its rows: the server lets them go.
                sa.func.set_config("idle_in_transaction_session_timeout", str(STATEMENT_MS), True),
            )
        )
        yield session


def find_outage(session: Session) -> Outage | None:
    """The time since the last beat of any engine, if it is too long; None where somebody was watching."""
    last_at, now_at = session.execute(
        sa.select(sa.select(sa.func.max(EngineBeat.at)).scalar_subquery(), database_now())
    ).one()
    if last_at is not None and now_at - last_at <= dt.timedelta(seconds=OUTAGE_S):
        return None
    return Outage(last_at, now_at)


def beat(session: Session, name: str, *, fired: int) -> None:
    """Say that this engine finished a turn, how many alerts it opened, and how old the oldest deadline is that it
    had to leave."""
    soonest = sa.func.least(
        SafetySession.grace_until,
        SafetySession.end_at,
        SafetySession.arrive_by,
        SafetySession.leave_by,
        UNFLAGGED_LOST_AT,
    )
    oldest = sa.extract("epoch", sa.func.max(database_now() - soonest))
    oldest_due_s = sa.select(sa.func.coalesce(oldest, 0.0)).where(is_due()).scalar_subquery()
    row = insert(EngineBeat).values(
        name=name,
        at=database_now(),
        fired=fired,
        oldest_due_s=oldest_due_s,
        oldest_unsent_s=_oldest_unsent_s(),
        host_ahead_s=sa.literal(time.time()) - sa.extract("epoch", sa.func.clock_timestamp()),
    )
    session.execute(
        row.on_conflict_do_update(
            index_elements=["name"],
            set_={
                "at": row.excluded.at,
                "fired": EngineBeat.fired + row.excluded.fired,
                "oldest_due_s": row.excluded.oldest_due_s,
                "oldest_unsent_s": row.excluded.oldest_unsent_s,
                "host_ahead_s": row.excluded.host_ahead_s,
            },
        )
    )


def _oldest_unsent_s() -> sa.ScalarSelect[float]:
    now = sa.select(database_now()).scalar_subquery()
    waited = sa.extract("epoch", now - sa.func.min(OutboxMessage.next_try_at))
    # Those in hand as well: of a sender that hangs, or takes a message again and again, they are the ones that tell.
    due = (OutboxMessage.next_try_at <= now, OutboxMessage.urgency > CALM)
    return sa.select(sa.func.coalesce(waited, 0.0)).where(*due).scalar_subquery()


def keep_up(sessions: sessionmaker[Session]) -> bool:
    """What an engine sees to once an hour; False where it should be tried again.

    Next month's partitions are made, it is said which drills and reviews of markers are due, when nobody will be on
    duty and that alarms were taken late last week, the addresses of those who answer alarms are tested, what was
    planned for visits that are over is cancelled, and the beats of engines long gone are forgotten. What fails of these
    stops none of the others; raises LeftUndone at the end.
    """
    made, apart = make_partitions(sessions), Apart()
    duties: tuple[Callable[[Session], object], ...] = (
        remind_of_drills,
        remind_of_reviews,
        warn_of_gaps,
        tell_of_slow_weeks,
        try_contacts,
        cancel_idle,
        _forget_beats,
    )
    for duty in duties:
        with apart.each(duty.__name__), engine_transaction(sessions) as session:
            duty(session)
    apart.end()
    return made


def _forget_beats(session: Session) -> None:
    newest = sa.select(sa.func.max(EngineBeat.at)).scalar_subquery()
    session.execute(sa.delete(EngineBeat).where(EngineBeat.at < newest - FORGET_AFTER))


def rest_s(session: Session) -> float:
    """Seconds until the next deadline, within bounds: a new deadline is never nearer than the longest rest."""
    running = SafetySession.state == SafetyState.ACTIVE
    unresolved = SafetyAlert.state != AlertState.RESOLVED
    # One question for each column, so that each is answered from the end of its own index.
    soonest = sa.func.least(
        sa.select(sa.func.min(SafetySession.grace_until)).where(running).scalar_subquery(),
        sa.select(sa.func.min(SafetySession.end_at)).where(running).scalar_subquery(),
        sa.select(sa.func.min(SafetySession.arrive_by)).where(running).scalar_subquery(),
        sa.select(sa.func.min(SafetySession.leave_by)).where(running).scalar_subquery(),
        sa.select(sa.func.min(SafetySession.lost_at)).where(running, ~SafetySession.lost_contact).scalar_subquery(),
        sa.select(sa.func.min(SafetyAlert.next_action_at)).where(unresolved).scalar_subquery(),
    )
    left = session.scalar(sa.select(soonest - database_now()))
    return LONGEST_REST_S if left is None else min(LONGEST_REST_S, max(SHORTEST_REST_S, left.total_seconds()))
