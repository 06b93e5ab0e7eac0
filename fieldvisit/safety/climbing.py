"""What becomes of an alert that nobody answers, or whose owner has gone quiet: it climbs, and it never ends by itself.

What is decided and recorded here is which step has begun, and in the same transaction its messages are put out.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from fieldvisit.clock import database_now
from fieldvisit.models import SafetyAlert, SafetySession
from fieldvisit.safety.calling import Call, Called, call_all
from fieldvisit.safety.events import Entry, SafetyEventKind, append_all
from fieldvisit.safety.rows import packed
from fieldvisit.safety.standing import by_risk
from fieldvisit.safety.timers import Ladder, Timers
from fieldvisit.vocabulary import AlertKind, AlertState

ALERTS = cast("sa.Table", SafetyAlert.__table__)
CLIMB = sa.text("""
with moment as materialized (select fieldvisit_now() as now)
update safety_alerts a set
    state = given.state, step = given.step, round = given.round,
    next_action_at = moment.now + given.wait_s * interval '1 second',
    raised_at = case a.state when 'pre' then a.next_action_at else a.raised_at end,
    owner_id = null, offered_to_id = null, closing = null, acknowledged_at = null, ack_until = null,
    version = a.version + 1
from moment, jsonb_to_recordset(cast(:given as jsonb))
    as given(id uuid, version int, state text, step int, round int, wait_s int)
where a.id = given.id and a.version = given.version and a.state <> 'resolved' and a.next_action_at <= moment.now
returning a.id, moment.now
""")
NONE = Called()
AT_ONCE = sa.text("update safety_alerts set next_action_at = fieldvisit_now() where id = any(:ids)")


@dataclass(frozen=True)
class Rise:
    """An alert as it was read; what has happened to it since is told by its version."""

    id: uuid.UUID
    kind: AlertKind
    state: AlertState = AlertState.OPEN
    step: int = 1
    round: int = 1
    version: int = 1
    owner_id: uuid.UUID | None = None
    outage_id: uuid.UUID | None = None

    @classmethod
    def of(cls, alert: SafetyAlert) -> "Rise":
        return cls(
            id=alert.id,
            kind=alert.kind,
            state=alert.state,
            step=alert.step,
            round=alert.round,
            version=alert.version,
            owner_id=alert.owner_id,
            outage_id=alert.outage_id,
        )


@dataclass(frozen=True)
class Rung:
    """Where an alert stands on its ladder, and for how long."""

    state: AlertState
    step: int
    round: int
    wait_s: int

    def as_row(self) -> dict[str, object]:
        return {"state": self.state, "step": self.step, "round": self.round, "wait_s": self.wait_s}


def next_rung(ladder: Ladder, *, state: AlertState, step: int, round: int) -> Rung:
    """The rung after this one. A lapsed acknowledgement goes on one step up; past the last step everyone is called,
    round after round."""
    last = len(ladder.waits_s)
    following = step if state in (AlertState.PRE, AlertState.OPEN) else step + 1
    if following <= last:
        return Rung(AlertState.NOTIFYING, following, round, ladder.waits_s[following - 1])
    again = round + 1 if step > last else round
    return Rung(AlertState.EXHAUSTED, last + 1, again, ladder.repeat_s)


def claim_waiting(session: Session, limit: int, *, but: Collection[uuid.UUID] = ()) -> Sequence[SafetyAlert]:
    """The alerts whose next action is due, their sessions locked, the most dangerous first."""
    return session.scalars(
        sa.select(SafetyAlert)
        .join(SafetyAlert.session)
        .options(joinedload(SafetyAlert.session))
        .where(
            SafetyAlert.state != AlertState.RESOLVED,
            SafetyAlert.next_action_at <= sa.select(database_now()).scalar_subquery(),
            SafetyAlert.id.not_in(but),
        )
        .order_by(
            SafetySession.drill.is_not(None),
            by_risk(SafetySession.level).desc(),
            SafetyAlert.next_action_at,
            SafetyAlert.id,
        )
        .limit(limit)
        .with_for_update(of=SafetySession, skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()


def climb(session: Session, alerts: Sequence[tuple[SafetySession, Rise]]) -> dict[uuid.UUID, Rung]:
    """Take alerts of locked sessions to their next rungs; those are left out that somebody answered meanwhile."""
    session.flush()
    ladders = {alert.id: Timers.from_json(row.policy).ladder(alert.kind) for row, alert in alerts}
    rungs = {
        alert.id: next_rung(ladders[alert.id], state=alert.state, step=alert.step, round=alert.round)
        for _, alert in alerts
    }
    given = [rungs[alert.id].as_row() | {"id": alert.id, "version": alert.version} for _, alert in alerts]
    risen_at = {row.id: row.now for row in session.execute(CLIMB, {"given": packed(given)})}
    risen = [(row, alert, rungs[alert.id]) for row, alert in alerts if alert.id in risen_at]
    calls = [
        Call(a.id, ladders[a.id], rung.state, rung.step, rung.round, outage_id=_with_others(a)) for _, a, rung in risen
    ]
    messages = call_all(session, calls)
    # Those of the house who could take it are not waited for where there are none, whoever is rung besides: the number
    # outside, the visitor, the buddy.
    nobody = [
        a.id for _, a, rung in risen if not messages.get(a.id, NONE).takeable and rung.state is not AlertState.EXHAUSTED
    ]
    if nobody:
        # Nobody there to wait for: the next turn goes on at once.
        session.execute(AT_ONCE, {"ids": nobody})
    append_all(
        session,
        [
            (row, entry)
            for row, alert, rung in risen
            for entry in _told(alert, rung, messages.get(alert.id, NONE), risen_at[alert.id])
        ],
    )
    return {alert.id: rung for _, alert, rung in risen}


def _with_others(alert: Rise) -> uuid.UUID | None:
    """Of which outage it is told. What somebody has had and let go was no longer among those that the others were told
    of."""
    return None if alert.state is AlertState.ACKNOWLEDGED else alert.outage_id


def _told(alert: Rise, rung: Rung, called: Called, at: dt.datetime) -> Iterator[Entry]:
    about: dict[str, object] = {"alert_id": str(alert.id)}
    if alert.state is AlertState.ACKNOWLEDGED:
        detail = about | {"owner_id": str(alert.owner_id)}
        yield Entry(kind=SafetyEventKind.ACKNOWLEDGEMENT_LAPSED, at=at, detail=detail)
    exhausted = rung.state is AlertState.EXHAUSTED
    kind = SafetyEventKind.EXHAUSTED if exhausted else SafetyEventKind.STEP_BEGUN
    outside = {"external": called.outside} if called.outside else {}
    said = {"step": rung.step, "round": rung.round, "messages": called.inside + called.outside}
    yield Entry(kind=kind, at=at, detail=about | said | outside)
