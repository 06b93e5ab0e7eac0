"""What the safety officer does with an alert: take it, say what was done, and close it with proof.

Whoever takes it first has it. Nobody handles an alert about themselves or about somebody they went out with.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session, joinedload

from fieldvisit.clock import one_moment
from fieldvisit.errors import FieldVisitError, Kind, NotFound
from fieldvisit.models import Account, OutboxMessage, SafetyAlert, SafetyEvent, SafetySession, Visit
from fieldvisit.safety.calling import silence
from fieldvisit.safety.crews import went_out_together
from fieldvisit.safety.drafts import Officer, check_note
from fieldvisit.safety.events import Entry, SafetyEventKind, append, history
from fieldvisit.safety.named_visits import named_visit_id
from fieldvisit.safety.news import tell_taken
from fieldvisit.safety.roster import demand_officer
from fieldvisit.safety.standing import by_risk, lock_session, standing
from fieldvisit.safety.timers import RED, Timers, seconds, strength
from fieldvisit.vocabulary import AlertState

log = structlog.get_logger(__name__)

UNANSWERED = (AlertState.PRE, AlertState.OPEN, AlertState.NOTIFYING, AlertState.EXHAUSTED)


class AlreadyAcknowledged(FieldVisitError):
    code, kind = "already_acknowledged", Kind.CONFLICT
    says = "{name} has taken this alert."


class AlertResolved(FieldVisitError):
    code, kind = "alert_resolved", Kind.CONFLICT
    says = "This alert is closed."


class AlertNotYours(FieldVisitError):
    """Only its owner closes an alert: the one who spoke with the visitor."""

    code, kind = "alert_not_yours", Kind.CONFLICT
    says = "Acknowledge the alert first; only its owner may close it."


class SelfHandling(FieldVisitError):
    """The visitor and the crew may all be under the same threat."""

    code, kind = "self_handling", Kind.FORBIDDEN
    says = "An alert is not handled by the visitor it is about, nor by anyone of the same crew."


@dataclass(frozen=True, kw_only=True)
class AlertFile:
    alert: SafetyAlert
    visit: Visit | None
    other_visit: Visit | None
    events: Sequence[SafetyEvent]
    messages: Sequence[OutboxMessage]

    @property
    def address(self) -> str | None:
        """Where the visitor was going. Empty where there was no visit, or its case is not ours any more."""
        return self.visit.place.address if self.visit and self.visit.place else None

    @property
    def other_address(self) -> str | None:
        """Of another visit that the call for help named: the visitor may be at either."""
        return self.other_visit.place.address if self.other_visit and self.other_visit.place else None


def open_alerts(session: Session) -> Sequence[SafetyAlert]:
    """All alerts that are not closed, never cut short: calls for help first, then by risk, then the oldest; drills
    last."""
    return session.scalars(
        _with_visitor()
        .where(SafetyAlert.state != AlertState.RESOLVED)
        .order_by(
            SafetySession.drill.is_not(None),
            sa.case(
                {kind.value: strength(kind) for kind in RED}, value=sa.cast(SafetyAlert.kind, sa.Text), else_=0
            ).desc(),
            by_risk(SafetySession.level).desc(),
            SafetyAlert.opened_at,
            SafetyAlert.id,
        )
    ).all()


def closed_alerts() -> sa.Select[SafetyAlert]:
    return _with_visitor().where(SafetyAlert.state == AlertState.RESOLVED)


def get_alert(session: Session, alert_id: uuid.UUID) -> SafetyAlert:
    found = session.scalar(_with_visitor().where(SafetyAlert.id == alert_id).execution_options(populate_existing=True))
    if found is None:
        raise NotFound(what="alert", id=alert_id)
    return found


def read_alert(session: Session, alert_id: uuid.UUID) -> AlertFile:
    """All that an officer needs at hand: the alert, where the visitor went, and what happened, oldest first."""
    alert = get_alert(session, alert_id)
    visit = session.get(Visit, alert.session.visit_id) if alert.session.visit_id else None
    of_all = sa.and_(OutboxMessage.outage_id.is_not(None), OutboxMessage.outage_id == alert.outage_id)
    put_out = sa.select(OutboxMessage).where(sa.or_(OutboxMessage.alert_id == alert.id, of_all))
    messages = session.scalars(put_out.order_by(OutboxMessage.created_at, OutboxMessage.key)).all()
    other_id = session.scalar(named_visit_id(alert, alert.session))
    other = session.get(Visit, other_id) if other_id not in (None, alert.session.visit_id) else None
    events = history(session, alert.session)
    return AlertFile(alert=alert, visit=visit, other_visit=other, events=events, messages=messages)


def acknowledge(session: Session, alert_id: uuid.UUID, by: Officer) -> SafetyAlert:
    """Take the alert: the first wins, the others learn who. It holds for minutes only, unless something is done."""
    alert = lock_alert(session, alert_id, by)
    if alert.state is AlertState.ACKNOWLEDGED and alert.owner_id == by.account_id:
        return alert
    now, ladder = one_moment(), Timers.from_json(alert.session.policy).ladder(alert.kind)
    until = now + seconds(ladder.ack_s)
    at = session.scalar(
        sa.update(SafetyAlert)
        .where(
            SafetyAlert.id == alert.id,
            SafetyAlert.version == alert.version,
            SafetyAlert.state.in_(UNANSWERED),
        )
        .values(
            state=AlertState.ACKNOWLEDGED,
            owner_id=by.account_id,
            acknowledged_at=now,
            first_acknowledged_at=sa.func.coalesce(SafetyAlert.first_acknowledged_at, now),
            offered_to_id=None,
            ack_until=until,
            next_action_at=until,
            version=SafetyAlert.version + 1,
        )
        .returning(now),
        execution_options={"synchronize_session": False},
    )
    if at is None:
        raise AlreadyAcknowledged(owner_id=alert.owner_id, name=_name(session, alert.owner_id))
    silence(session, alert.id)
    tell_taken(session, alert.id)
    record(session, alert, by, SafetyEventKind.ACKNOWLEDGED, at=at)
    return get_alert(session, alert.id)


def add_note(session: Session, alert_id: uuid.UUID, by: Officer, text: str) -> SafetyAlert:
    """Say what was done. From its owner this renews the acknowledgement; from anyone else it is only recorded."""
    check_note(text)
    alert = lock_alert(session, alert_id, by)
    at = standing(session, alert.session).now_at
    renews = alert.owner_id == by.account_id
    if renews:
        renew(alert, at)
    record(session, alert, by, SafetyEventKind.NOTED, at=at, note=text, renews=renews)
    return alert


def renew(alert: SafetyAlert, at: dt.datetime) -> None:
    """Something was done: the acknowledgement holds for its time once more."""
    alert.ack_until = at + seconds(Timers.from_json(alert.session.policy).ladder(alert.kind).ack_s)
    alert.next_action_at = alert.ack_until
    alert.version += 1


def pass_on(alert: SafetyAlert, to: Officer, at: dt.datetime) -> None:
    """It is this officer's from now on. What the owner before proposed is no proposal of theirs: under duress that one
    could otherwise agree to the own proposal."""
    alert.owner_id, alert.offered_to_id, alert.acknowledged_at, alert.closing = to.account_id, None, at, None
    renew(alert, at)


def demand_owner(alert: SafetyAlert, by: Officer) -> None:
    if alert.owner_id != by.account_id:
        raise AlertNotYours(owner_id=alert.owner_id)


def _name(session: Session, account_id: uuid.UUID | None) -> str:
    account = session.get(Account, account_id) if account_id else None
    return (account.name or account.username) if account else "-"


def _with_visitor() -> sa.Select[SafetyAlert]:
    return (
        sa.select(SafetyAlert)
        .join(SafetyAlert.session)
        .options(joinedload(SafetyAlert.session).joinedload(SafetySession.visitor))
    )


def lock_alert(session: Session, alert_id: uuid.UUID, by: Officer) -> SafetyAlert:
    """The alert as it is, under the lock of its session; the stronger one where that has taken it over. Refuses whom it
    is about, whose account is closed, and what is closed."""
    row = lock_session(session, get_alert(session, alert_id).session_id)
    alert = get_alert(session, alert_id)
    try:
        refuse_unfit(session, row, by)
        if alert.state is AlertState.RESOLVED:
            raise AlertResolved()
    except FieldVisitError as refused:
        log.warning("alert_refused", code=refused.code, alert_id=str(alert_id), account_id=str(by.account_id))
        raise
    return get_alert(session, alert.parent_id) if alert.parent_id else alert


def refuse_unfit(session: Session, row: SafetySession, by: Officer) -> None:
    """Raise SelfHandling or NotAnOfficer for who may not handle an alert of this session."""
    demand_officer(session, by.account_id)
    if by.visitor_id is not None and (
        by.visitor_id == row.visitor_id or went_out_together(session, row, by.visitor_id)
    ):
        raise SelfHandling()


def record(
    session: Session,
    alert: SafetyAlert,
    by: Officer,
    kind: SafetyEventKind,
    *,
    at: dt.datetime,
    note: str | None = None,
    **detail: object,
) -> None:
    detail["alert_id"] = str(alert.id)
    entry = Entry(kind=kind, at=at, actor_id=by.account_id, detail=detail, note=note)
    append(session, alert.session, entry)
