"""What is written when a phone is heard: one statement for each way of being heard, put together once.

Putting such a statement together takes Python longer than the database takes to obey it, and whole fleets say the same.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import instance_dict

from fieldvisit.clock import one_moment
from fieldvisit.models import SafetyKey, SafetySession
from fieldvisit.obeyed import Obeyed, Rows
from fieldvisit.safety.deadlines import due_at_the_door, heard, later, located, timers_in_force
from fieldvisit.safety.drafts import Told
from fieldvisit.safety.following import Spot, leaving, spot_of
from fieldvisit.safety.timers import Timers
from fieldvisit.vocabulary import SafetyState

SESSIONS = cast("sa.Table", SafetySession.__table__)
KEYS = cast("sa.Table", SafetyKey.__table__)
MOVED = (
    *("version", "generation", "remind_at", "due_at", "grace_until", "lost_at", "lost_contact", "last_heard_at"),
    *("leave_by", "last_lat", "last_lon", "last_located_at", "last_accuracy_m", "unverified"),
)


@dataclass(frozen=True)
class Way:
    """How a session is heard of: by which timers, from where as seen from its door, with a position or without, and
    whether the visitor pressed or the phone gave a sign by itself."""

    timers: Timers
    spot: Spot
    placed: bool
    pressed: bool


def write_heard(session: Session, row: SafetySession, news: Sequence[Told], pressed: Sequence[Told]) -> dt.datetime:
    """All deadlines of the locked row as the youngest press moves them, the youngest position, and one version for each
    that was told; at which moment of the database's clock.

    Counted from the press, not from its arrival: a check-in that waited for the network says nothing of the minutes in
    between. The new generation makes every engine that read the old deadlines come too late.
    """
    # Of two that are as young the one that was told last.
    placed = [told for told in reversed(news) if told.lat is not None]
    where = min(placed, key=lambda told: told.age_s, default=news[-1])
    timers = timers_in_force(row) if pressed else Timers.from_json(row.policy)
    way = Way(timers, spot_of(row, where), where.lat is not None, bool(pressed))
    given = {
        "session": row.id,
        "age": dt.timedelta(seconds=min((told.age_s for told in pressed), default=0)),
        "presses": len(pressed),
        "told": len(news),
        "lat": where.lat,
        "lon": where.lon,
        "place_age": dt.timedelta(seconds=where.age_s),
        "accuracy": where.accuracy_m,
    }
    statement, names = _statement(way)
    session.flush()
    *values, at = statement.one(session, {name: given[name] for name in names})
    # Nothing of the row waits to be written: this is all that there is to know of it.
    instance_dict(row).update(zip(MOVED, values, strict=True))
    moment: dt.datetime = at
    return moment


@lru_cache(maxsize=1_000)
def _statement(way: Way) -> tuple[Obeyed, tuple[str, ...]]:
    """And the names of the values that it is given."""
    now = one_moment()
    values: dict[str, Any] = heard(way.timers, None, now) | leaving(way.spot, way.timers, now, safe=way.pressed)
    names = ["session", "told"]
    values["version"] = SESSIONS.c.version + sa.bindparam("told", type_=sa.Integer)
    if way.placed:
        names += ["lat", "lon", "place_age", "accuracy"]
        lat, lon = (sa.bindparam(name, type_=sa.Double) for name in ("lat", "lon"))
        accuracy_m = sa.bindparam("accuracy", type_=sa.Integer)
        values |= located(lat, lon, now - sa.bindparam("place_age", type_=sa.Interval), accuracy_m=accuracy_m)
    if way.pressed:
        names += ["age", "presses"]
        values |= later(due_at_the_door(way.timers, now - sa.bindparam("age", type_=sa.Interval)))
        values["generation"] = SESSIONS.c.generation + sa.bindparam("presses", type_=sa.Integer)
    written = sa.update(SESSIONS).where(SESSIONS.c.id == sa.bindparam("session")).values(values)
    return Obeyed(written.returning(*(SESSIONS.c[name] for name in MOVED), now)), tuple(names)


def lock_fresh(session: Session, session_id: object, told: Told) -> tuple[SafetySession, bool] | None:
    """In one statement: the visitor's own session, locked, the phone's id of what it tells kept, and whether it was
    new (never, where the PIN is asked for or nobody has set out by it). None where the visitor has no session of this
    id."""
    given = {"session": session_id, "visitor": told.visitor_id, "event": told.event_id}
    session.flush()
    found = LOCKED.first(session, given)
    return None if found is None else (ROWS.held(session, found[:-1]), found[-1])


def _locked() -> sa.Select[Any]:
    own = SESSIONS.c.id == sa.bindparam("session"), SESSIONS.c.visitor_id == sa.bindparam("visitor")
    held = sa.select(SESSIONS).where(*own).with_for_update().cte("held")
    # Where the PIN is asked for, nothing of what is told is kept before it is judged.
    asked = sa.func.coalesce(
        sa.func.coalesce(held.c.shown["policy"], held.c.policy)["pin_at_check_in"].as_boolean(), sa.false()
    )
    begun = sa.and_(held.c.state != SafetyState.PLANNED, held.c.state != SafetyState.CANCELLED)
    key = sa.select(held.c.org_id, sa.bindparam("event", type_=sa.Uuid), held.c.id).where(~asked, begun)
    kept = insert(KEYS).from_select(["org_id", "event_id", "session_id"], key).on_conflict_do_nothing()
    told = kept.returning(KEYS.c.event_id).cte("told")
    columns = [held.c[column.key] for column in ROWS.columns]
    return sa.select(*columns, sa.select(sa.func.count() > 0).select_from(told).scalar_subquery())


ROWS = Rows(SafetySession)
LOCKED = Obeyed(_locked())
