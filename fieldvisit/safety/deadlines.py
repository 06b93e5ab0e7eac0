"""Deadlines as expressions over the database's clock, each set of them written by one statement."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.clock import one_moment
from fieldvisit.models import SafetySession
from fieldvisit.safety.drafts import Told
from fieldvisit.safety.timers import Timers, seconds

type Moment = sa.ColumnElement[dt.datetime]


def set_by_clock(session: Session, row: SafetySession, values: Callable[[Moment], Mapping[str, Any]]) -> dt.datetime:
    """Write these expressions to a locked row, all at one moment of the database's clock; return that moment."""
    session.flush()
    now = one_moment()
    changed = session.execute(
        sa.update(SafetySession)
        .where(SafetySession.id == row.id)
        .values({"version": SafetySession.version + 1, **values(now)})
        .returning(SafetySession, now),
        execution_options={"populate_existing": True, "synchronize_session": False},
    )
    at: dt.datetime = changed.one()[1]
    return at


def due(timers: Timers, since: Moment) -> dict[str, Moment]:
    """The deadlines of the next check-in, counted from `since`."""
    return {
        "remind_at": since + seconds(timers.check_in_s - timers.remind_s),
        "due_at": since + seconds(timers.check_in_s),
        "grace_until": since + seconds(timers.check_in_s + timers.grace_s),
    }


def later(expressions: Mapping[str, Moment]) -> dict[str, Moment]:
    """The same, but no stored deadline is ever moved earlier."""
    return {name: sa.func.greatest(getattr(SafetySession, name), value) for name, value in expressions.items()}


def heard(timers: Timers, told: Told, now: Moment) -> dict[str, Any]:
    """What follows from any sign of the phone: contact holds from now on, and this is where it was."""
    known: dict[str, Any] = {"last_heard_at": now, "lost_at": now + seconds(timers.lost_s), "lost_contact": sa.false()}
    if told.lat is not None:
        known |= {"last_lat": told.lat, "last_lon": told.lon}
    return known
