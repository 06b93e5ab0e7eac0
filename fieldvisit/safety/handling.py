"""What an officer does with an alert besides taking and closing it: hand it over, say what a call gave, refer it, agree
to a closing that needs two, open it again."""

import datetime as dt
import uuid
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.models import SafetyAlert, SafetySession
from fieldvisit.safety.alerts import (
    demand_owner,
    get_alert,
    lock_alert,
    pass_on,
    record,
    refuse_unfit,
    renew,
)
from fieldvisit.safety.by_voice import UNFREE
from fieldvisit.safety.by_voice import end_for_visitor as end_for_visitor
from fieldvisit.safety.calling import silence
from fieldvisit.safety.climbing import Rise, climb
from fieldvisit.safety.closing import close
from fieldvisit.safety.drafts import Officer, Resolution, check_note
from fieldvisit.safety.events import SafetyEventKind, history
from fieldvisit.safety.opening import find_open
from fieldvisit.safety.seeming import seem
from fieldvisit.safety.sessions import SessionAlreadyOpen
from fieldvisit.safety.standing import lock_session, standing
from fieldvisit.safety.taking_over import join_open
from fieldvisit.safety.timers import decide_by
from fieldvisit.vocabulary import AlertKind, AlertState, CallResult, ResolutionProof, SafetyState
from fieldvisit.vocabulary import AlertOutcome as Outcome

REOPENED_WITHIN = dt.timedelta(hours=24)


class AlertNotOffered(FieldVisitError):
    code, kind = "alert_not_offered", Kind.CONFLICT
    says = "This alert was not offered to you."


class SecondOfficerNeeded(FieldVisitError):
    code, kind = "second_officer_needed", Kind.CONFLICT
    says = "An alert under duress is closed by two officers: its owner proposes, another one agrees."


class OnlyADrill(FieldVisitError):
    code, kind = "only_a_drill", Kind.CONFLICT
    says = "This is a drill: nobody is in danger, and the emergency service is not called."


class AlertNotReopened(FieldVisitError):
    code, kind = "alert_not_reopened", Kind.CONFLICT
    says = "Only an alert that was closed within the last 24 hours is opened again."


@dataclass(frozen=True, kw_only=True)
class Referral:
    """To whom, under which reference, and what was said: the script that was used, or why not."""

    service: str
    reference: str
    note: str | None = None

    def __post_init__(self) -> None:
        check_note(self.service)
        check_note(self.reference)
        if self.note is not None:
            check_note(self.note)


def offer(session: Session, alert_id: uuid.UUID, by: Officer, to: Officer) -> SafetyAlert:
    """Ask another officer to take it. Until that one accepts, the alert stays with its owner, and lapses as ever. Said
    again it is the same offer."""
    alert = lock_alert(session, alert_id, by)
    demand_owner(alert, by)
    refuse_unfit(session, alert.session, to)
    if alert.offered_to_id == to.account_id:
        return alert
    at = standing(session, alert.session).now_at
    alert.offered_to_id = to.account_id
    alert.version += 1
    record(session, alert, by, SafetyEventKind.OFFERED, at=at, to_id=str(to.account_id))
    return alert


def accept(session: Session, alert_id: uuid.UUID, by: Officer) -> SafetyAlert:
    """Take what was offered. Whoever has it already keeps it."""
    alert = lock_alert(session, alert_id, by)
    if alert.state is AlertState.ACKNOWLEDGED and alert.owner_id == by.account_id:
        return alert
    if alert.offered_to_id != by.account_id or alert.state is not AlertState.ACKNOWLEDGED:
        raise AlertNotOffered()
    at = standing(session, alert.session).now_at
    before = alert.owner_id
    pass_on(alert, by, at)
    record(session, alert, by, SafetyEventKind.HANDED_OVER, at=at, from_id=str(before))
    return alert


def record_call(
    session: Session, alert_id: uuid.UUID, by: Officer, result: CallResult, *, note: str | None = None
) -> SafetyAlert:
    """What calling the visitor gave. A wrong answer to the challenge turns the alert into one under duress: covert,
    and closed by two officers only. Nothing on the visitor's phone changes."""
    if note is not None:
        check_note(note)
    alert = lock_alert(session, alert_id, by)
    at = standing(session, alert.session).now_at
    if alert.owner_id == by.account_id:
        renew(alert, at)
    record(session, alert, by, SafetyEventKind.CALL_RESULT, at=at, note=note, result=result.value)
    if result in UNFREE:
        # Whatever was proposed before: now the visitor is known not to be free.
        alert.closing = None
    if result in UNFREE and alert.kind is not AlertKind.DURESS:
        record(session, alert, by, SafetyEventKind.TURNED_DURESS, at=at, was=alert.kind.value)
        alert.kind = AlertKind.DURESS
        alert.turn_covert(at)
        if alert.police_decision is None and alert.police_due_at is None:
            alert.police_due_at = decide_by(alert.session, alert.kind, at)
        if alert.owner_id == by.account_id:
            renew(alert, at)
    return alert


def refer(session: Session, alert_id: uuid.UUID, by: Officer, referral: Referral) -> SafetyAlert:
    """Say that the emergency service, or the alarm centre, has it too. The alert stays its owner's."""
    alert = lock_alert(session, alert_id, by)
    demand_owner(alert, by)
    if alert.session.drill is not None:
        raise OnlyADrill()
    at = standing(session, alert.session).now_at
    alert.referred_at = at
    alert.police_due_at = None
    renew(alert, at)
    note = f"{referral.service}: {referral.reference}" + (f"\n{referral.note}" if referral.note else "")
    record(session, alert, by, SafetyEventKind.REFERRED, at=at, note=note)
    return alert


def agree_to_close(session: Session, alert_id: uuid.UUID, by: Officer) -> SafetyAlert:
    """The second officer agrees to the closing that the owner proposed."""
    alert = lock_alert(session, alert_id, by)
    if alert.closing is None or alert.owner_id is None:
        raise SecondOfficerNeeded()
    if by.account_id == alert.owner_id:
        raise SecondOfficerNeeded()
    proposed = Resolution(
        outcome=Outcome(alert.closing["outcome"]),
        proof=ResolutionProof(alert.closing["proof"]),
        resume=bool(alert.closing["resume"]),
        note=_proposal_note(session, alert),
    )
    return close(session, alert, Officer(account_id=alert.owner_id), proposed, second=by)


def _proposal_note(session: Session, alert: SafetyAlert) -> str | None:
    """What stood in the proposal: kept sealed, in the record alone."""
    proposed = [each for each in history(session, alert.session) if each.kind == SafetyEventKind.CLOSING_PROPOSED]
    return next((each.note for each in reversed(proposed) if each.detail["alert_id"] == str(alert.id)), None)


def reopen(session: Session, alert_id: uuid.UUID, by: Officer, note: str) -> SafetyAlert:
    """Open a closed alert again: it climbs from its first step, or waits for a stronger one that is open.

    Raises AlertNotReopened, SessionAlreadyOpen, and OnlyADrill for a drill, which is begun anew instead.
    """
    check_note(note)
    row = lock_session(session, get_alert(session, alert_id).session_id)
    alert = get_alert(session, alert_id)
    refuse_unfit(session, row, by)
    at = standing(session, row).now_at
    if alert.resolved_at is None or alert.parent_id or at - alert.resolved_at > REOPENED_WITHIN:
        raise AlertNotReopened()
    if row.drill is not None:
        raise OnlyADrill()
    if find_open(session, row.visitor_id) not in (None, row.id) or _open_of_kind(session, alert):
        raise SessionAlreadyOpen()
    _open_again(session, row, alert, at=at)
    record(session, alert, by, SafetyEventKind.REOPENED_ALERT, at=at, note=note)
    if join_open(session, row, alert.id, alert.kind, at=at):
        climb(session, [(row, Rise.of(alert))])
    return get_alert(session, alert_id)


def _open_again(session: Session, row: SafetySession, alert: SafetyAlert, *, at: dt.datetime) -> None:
    if alert.covert and row.state is not SafetyState.ALARM:
        # The phone goes on showing what it shows: nobody beside it is to see that anything was raised.
        seem(row, at, row.state)
    row.state, row.ended_at = SafetyState.ALARM, None
    row.version += 1
    alert.state, alert.step, alert.round = AlertState.OPEN, 1, alert.round + 1
    alert.outcome = alert.proof = alert.resolved_at = alert.closing = None
    alert.owner_id = alert.acknowledged_at = alert.ack_until = alert.offered_to_id = None
    alert.next_action_at = at
    alert.version += 1
    session.flush()
    silence(session, alert.id)


def _open_of_kind(session: Session, alert: SafetyAlert) -> bool:
    same = sa.select(SafetyAlert.id).where(
        SafetyAlert.session_id == alert.session_id,
        SafetyAlert.kind == alert.kind,
        SafetyAlert.state != AlertState.RESOLVED,
    )
    return bool(session.scalar(sa.select(same.exists())))
