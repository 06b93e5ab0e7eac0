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
from fieldvisit.vocabulary import SafetyState, SessionCover

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


def timers_in_force(row: SafetySession) -> Timers:
    """The timers that a session began with, as its cover lets them be now."""
    timers = Timers.from_json(row.policy)
    return timers.alone() if row.cover is SessionCover.NONE else timers


def due(timers: Timers, since: Moment) -> dict[str, Moment]:
    """The deadlines of the next check-in, counted from `since`."""
    return around(timers, since + seconds(timers.check_in_s))


def due_at_the_door(timers: Timers, since: Moment) -> dict[str, Moment]:
    """The same for a stored session, for which a check-in is due at the planned end of its time at the door too."""
    # A planned end that is nearer than a reminder would be says nothing new to somebody who checks in just now.
    ahead = SafetySession.door_until > since + seconds(timers.remind_s)
    return sooner(due(timers, since), around(timers, sa.case((ahead, SafetySession.door_until))))


def around(timers: Timers, due_at: Moment) -> dict[str, Moment]:
    """The three deadlines of a check-in that is due at this moment."""
    return {
        "remind_at": due_at - seconds(timers.remind_s),
        "due_at": due_at,
        "grace_until": due_at + seconds(timers.grace_s),
    }


def sooner(*several: Mapping[str, Moment]) -> dict[str, Moment]:
    """Of the deadlines of one name the earliest; one that is null does not count."""
    return {name: sa.func.least(*(each[name] for each in several)) for name in several[0]}


def later(expressions: Mapping[str, Moment]) -> dict[str, Moment]:
    """The same, but no stored deadline is ever moved earlier."""
    return {name: sa.func.greatest(getattr(SafetySession, name), value) for name, value in expressions.items()}


def heard(timers: Timers, told: Told | None, now: Moment) -> dict[str, Any]:
    """What follows from any sign of the phone: contact holds from now on, and this is where it was when it told."""
    known: dict[str, Any] = {
        "last_heard_at": now,
        "lost_at": now + seconds(timers.lost_s),
        "lost_contact": sa.false(),
        # Of one that runs it is known again how it stands; what was raised as unverified is for a person to say.
        "unverified": sa.and_(SafetySession.unverified, SafetySession.state != SafetyState.ACTIVE),
    }
    if told is not None and told.lat is not None and told.lon is not None:
        known |= located(
            sa.literal(told.lat),
            sa.literal(told.lon),
            now - seconds(told.age_s),
            accuracy_m=sa.literal(told.accuracy_m, sa.Integer()),
        )
    return known


def located(
    lat: sa.ColumnElement[float],
    lon: sa.ColumnElement[float],
    at: Moment,
    *,
    accuracy_m: sa.ColumnElement[Any],
) -> dict[str, Any]:
    """Where the phone was at that moment, unless it is known where it was later: a phone tells again what it does not
    know to have arrived, and what has waited arrives in any order."""
    newer = sa.func.coalesce(SafetySession.last_located_at <= at, sa.true())
    return {
        "last_lat": sa.case((newer, lat), else_=SafetySession.last_lat),
        "last_lon": sa.case((newer, lon), else_=SafetySession.last_lon),
        "last_accuracy_m": sa.case((newer, accuracy_m), else_=SafetySession.last_accuracy_m),
        "last_located_at": sa.func.greatest(SafetySession.last_located_at, at),
    }
