"""What becomes of an alert that nobody answers, or whose owner has gone quiet: it climbs, and it never ends by itself.

What is decided and recorded here is which step has begun, and in the same transaction its messages are put out.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from fieldvisit.clock import database_now, one_moment
from fieldvisit.models import SafetyAlert, SafetySession
from fieldvisit.safety.calling import call
from fieldvisit.safety.events import Entry, SafetyEventKind, append
from fieldvisit.safety.standing import by_risk
from fieldvisit.safety.timers import Ladder, Timers, seconds
from fieldvisit.vocabulary import AlertKind, AlertState

ALERTS = cast("sa.Table", SafetyAlert.__table__)
NOW = one_moment()
# Made once: see `fieldvisit.safety.events.WRITE`.
CLIMB = (
    sa.update(ALERTS)
    .where(
        ALERTS.c.id == sa.bindparam("this_id"),
        ALERTS.c.version == sa.bindparam("this_version"),
        ALERTS.c.state != AlertState.RESOLVED,
        ALERTS.c.next_action_at <= NOW,
    )
    .values(
        state=sa.bindparam("next_state"),
        step=sa.bindparam("next_step"),
        round=sa.bindparam("next_round"),
        next_action_at=NOW + sa.bindparam("next_wait", type_=sa.Interval),
        owner_id=None,
        offered_to_id=None,
        closing=None,
        acknowledged_at=None,
        ack_until=None,
        version=ALERTS.c.version + 1,
    )
    .returning(NOW)
)
AT_ONCE = sa.update(ALERTS).where(ALERTS.c.id == sa.bindparam("this_id")).values(next_action_at=NOW)


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

    @classmethod
    def of(cls, alert: SafetyAlert) -> "Rise":
        return cls(alert.id, alert.kind, alert.state, alert.step, alert.round, alert.version, alert.owner_id)


@dataclass(frozen=True)
class Rung:
    """Where an alert stands on its ladder, and for how long."""

    state: AlertState
    step: int
    round: int
    wait_s: int


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
        .order_by(by_risk(SafetySession.level).desc(), SafetyAlert.next_action_at, SafetyAlert.id)
        .limit(limit)
        .with_for_update(of=SafetySession, skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()


def climb(session: Session, row: SafetySession, alert: Rise) -> Rung | None:
    """Take one alert of a locked session to its next rung; None where somebody answered meanwhile."""
    ladder = Timers.from_json(row.policy).ladder(alert.kind)
    rung = next_rung(ladder, state=alert.state, step=alert.step, round=alert.round)
    at = session.scalar(
        CLIMB,
        {
            "this_id": alert.id,
            "this_version": alert.version,
            "next_state": rung.state,
            "next_step": rung.step,
            "next_round": rung.round,
            "next_wait": seconds(rung.wait_s),
        },
    )
    if at is None:
        return None
    about: dict[str, object] = {"alert_id": str(alert.id)}
    if alert.state is AlertState.ACKNOWLEDGED:
        detail = about | {"owner_id": str(alert.owner_id)}
        append(session, row, Entry(kind=SafetyEventKind.ACKNOWLEDGEMENT_LAPSED, at=at, detail=detail))
    messages = call(session, alert.id, ladder, state=rung.state, step=rung.step, round=rung.round)
    if not messages and rung.state is not AlertState.EXHAUSTED:
        # Nobody there to wait for: the next turn goes on at once.
        session.execute(AT_ONCE, {"this_id": alert.id})
    exhausted = rung.state is AlertState.EXHAUSTED
    kind = SafetyEventKind.EXHAUSTED if exhausted else SafetyEventKind.STEP_BEGUN
    said = about | {"step": rung.step, "round": rung.round, "messages": messages}
    append(session, row, Entry(kind=kind, at=at, detail=said))
    return rung
