"""What was written down of outages of our own, as an alarm needs it: which of them it is raised for, and whether others
were raised with it.

Asked apart, and answered with nothing where it cannot be asked: an alarm is raised and climbs all the same, and those
on duty are told of each by itself.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from fieldvisit.database import waiting_for_locks, was_held_up
from fieldvisit.safety.rows import packed

PATIENT_MS, SHORTEST_MS = 300, 1

log = structlog.get_logger(__name__)

COVERING = sa.text("""
select given.session_id, noted.id
from jsonb_to_recordset(cast(:given as jsonb)) as given(org_id uuid, session_id uuid, deadline_at timestamptz),
lateral (
    select w.id from watch_outages w where w.org_id = given.org_id and w.until_at >= given.deadline_at
      and (w.from_at is null or w.from_at <= given.deadline_at) order by w.until_at desc, w.id desc limit 1) noted
""")
OF_SEVERAL = sa.text("select w.id from watch_outages w where w.id = any(:ids) and w.expected > 1")


@dataclass(frozen=True)
class Unverified:
    """A session of a house whose deadline passed when perhaps nobody watched."""

    org_id: uuid.UUID
    session_id: uuid.UUID
    deadline_at: dt.datetime


def covering(session: Session, passed: Sequence[Unverified]) -> dict[uuid.UUID, uuid.UUID]:
    """The newest outage in which each of these deadlines passed, by session; without those of which none is known."""
    if not passed:
        return {}
    return {found.session_id: found.id for found in _ask(session, COVERING, {"given": packed(map(vars, passed))})}


def of_several(session: Session, outage_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Those of these for which more than one session was raised."""
    if not outage_ids:
        return set()
    return {found.id for found in _ask(session, OF_SEVERAL, {"ids": [*outage_ids]})}


class _Patience:
    """How long somebody who holds the table is waited for: whoever held it a moment ago, not again. A preference of
    this process; nothing depends on it."""

    def __init__(self) -> None:
        self.was_held = False

    @property
    def lock_ms(self) -> int:
        return SHORTEST_MS if self.was_held else PATIENT_MS


_patience = _Patience()


def _ask(session: Session, question: sa.TextClause, given: Mapping[str, Any]) -> Sequence[sa.Row[Any]]:
    try:
        with waiting_for_locks(session, _patience.lock_ms):
            rows = session.execute(question, given).all()
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        _patience.was_held = was_held_up(error)
        log.error("outages_not_told", error=type(error.orig).__name__)
        return ()
    _patience.was_held = False
    return rows
