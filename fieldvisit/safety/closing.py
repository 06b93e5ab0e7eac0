"""An alert is closed: by its owner, with outcome and proof, and under duress by two."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.errors import FieldVisitError, InvalidValue, Kind
from fieldvisit.languages import Message
from fieldvisit.models import SafetyAlert, SafetyEvent, SafetySession
from fieldvisit.safety.alerts import demand_owner, get_alert, lock_alert, record, renew
from fieldvisit.safety.calling import silence
from fieldvisit.safety.deadlines import due, set_by_clock, timers_in_force
from fieldvisit.safety.drafts import Officer, Resolution
from fieldvisit.safety.events import Entry, SafetyEventKind, append
from fieldvisit.safety.going_on import judge_anew
from fieldvisit.safety.news import tell_all_clear, tell_closer
from fieldvisit.safety.standing import standing
from fieldvisit.safety.taking_over import close_children
from fieldvisit.safety.timers import seconds
from fieldvisit.vocabulary import AlertKind, AlertOutcome, AlertState, ResolutionProof, RiskLevel, SafetyState

CALLS = (SafetyEventKind.SOS_PRESSED, SafetyEventKind.DURESS_PIN, SafetyEventKind.WRONG_PINS)
# With the last alert duress is over: a phone that went on showing what it was made to show would say that somebody is
# watched over who is not, or would end nothing.
SEEN_AS_IT_IS = {"duress": sa.false(), "shown": sa.null()}


class CalledMeanwhile(FieldVisitError):
    code, kind = "called_meanwhile", Kind.CONFLICT
    says = "The visitor has called for help since you read this alert."


def resolve(session: Session, alert_id: uuid.UUID, by: Officer, resolution: Resolution) -> SafetyAlert:
    """Close the alert with its outcome and the proof of it. With the last one the session goes on or ends. Under duress
    this is a proposal only: a second officer has to agree. Raises CalledMeanwhile for a call that the officer has not
    read."""
    alert = lock_alert(session, alert_id, by)
    demand_owner(alert, by)
    _refuse_unread(session, alert.session, resolution)
    _refuse_mixing(alert.session, resolution)
    if resolution.outcome is AlertOutcome.CANCELLED_BY_VISITOR:
        raise InvalidValue(path="outcome", reason=Message("only the visitor cancels, while the call is being pressed"))
    if alert.kind is AlertKind.DURESS:
        return _propose(session, alert, by, resolution)
    return close(session, alert, by, resolution)


def _refuse_unread(session: Session, row: SafetySession, resolution: Resolution) -> None:
    """A press joins the alert that is open: it would be closed with it by an officer who knows nothing of it."""
    if resolution.read_to is None:
        return
    unread = sa.select(SafetyEvent.sequence, SafetyEvent.at).where(
        SafetyEvent.session_id == row.id, SafetyEvent.sequence > resolution.read_to, SafetyEvent.kind.in_(CALLS)
    )
    call = session.execute(unread.order_by(SafetyEvent.sequence.desc()).limit(1)).first()
    if call is not None:
        raise CalledMeanwhile(sequence=call.sequence, at=call.at.isoformat())


def _refuse_mixing(row: SafetySession, resolution: Resolution) -> None:
    """What was rehearsed is closed as that and as nothing else, so that it is never counted as a false alarm, and what
    was real never as a drill."""
    if row.drill is None:
        if resolution.outcome is AlertOutcome.DRILL and row.level is not RiskLevel.DRILL:
            raise InvalidValue(path="outcome", reason=Message("this was no drill"))
        return
    if resolution.outcome is not AlertOutcome.DRILL:
        raise InvalidValue(path="outcome", reason=Message("this is a drill; what is real is raised by a call for help"))
    if resolution.proof is ResolutionProof.EMERGENCY_SERVICE:
        raise InvalidValue(path="proof", reason=Message("the emergency service has no part in a drill"))
    if resolution.resume:
        raise InvalidValue(path="resume", reason=Message("a drill ends with its alert"))


def close(
    session: Session, alert: SafetyAlert, by: Officer, resolution: Resolution, *, second: Officer | None = None
) -> SafetyAlert:
    """Close a locked alert and what it took over; tell everyone who was told; let the session go on, or end it."""
    row = alert.session
    at = standing(session, row).now_at
    alert.state, alert.resolved_at, alert.next_action_at = AlertState.RESOLVED, at, None
    alert.outcome, alert.proof = resolution.outcome, resolution.proof
    alert.version += 1
    session.flush()
    close_children(session, alert)
    silence(session, alert.id)
    tell_all_clear(session, alert.id)
    said = {"outcome": resolution.outcome.value, "proof": resolution.proof.value}
    if second is not None:
        said["second_id"] = str(second.account_id)
    record(session, alert, by, SafetyEventKind.RESOLVED, at=at, note=resolution.note, **said)
    if not _others_open(session, row):
        (_resume if resolution.resume else _end)(session, row, by)
    return get_alert(session, alert.id)


def _propose(session: Session, alert: SafetyAlert, by: Officer, resolution: Resolution) -> SafetyAlert:
    at = standing(session, alert.session).now_at
    said = {"outcome": resolution.outcome.value, "proof": resolution.proof.value, "resume": resolution.resume}
    alert.closing = said
    renew(alert, at)
    record(session, alert, by, SafetyEventKind.CLOSING_PROPOSED, at=at, note=resolution.note, **said)
    return alert


def _others_open(session: Session, row: SafetySession) -> bool:
    unresolved = sa.select(SafetyAlert.id).where(
        SafetyAlert.session_id == row.id, SafetyAlert.state != AlertState.RESOLVED
    )
    return bool(session.scalar(sa.select(unresolved.exists())))


def _resume(session: Session, row: SafetySession, by: Officer) -> None:
    closer = judge_anew(session, row, by.account_id)
    timers = timers_in_force(row)

    def afresh(now: sa.ColumnElement[dt.datetime]) -> dict[str, object]:
        deadlines = due(timers, now)
        return {
            **deadlines,
            "state": SafetyState.ACTIVE,
            "end_at": sa.func.greatest(SafetySession.end_at, deadlines["grace_until"]),
            "lost_at": now + seconds(timers.lost_s),
            "lost_contact": sa.false(),
            "unverified": sa.false(),
            **SEEN_AS_IT_IS,
            # An officer has spoken with the visitor: where they are is known.
            "arrive_by": sa.null(),
            "leave_by": sa.null(),
            "generation": SafetySession.generation + 1,
        }

    at = set_by_clock(session, row, afresh)
    append(session, row, Entry(kind=SafetyEventKind.RESUMED, at=at, actor_id=by.account_id))
    if closer:
        tell_closer(session, row.id)


def _end(session: Session, row: SafetySession, by: Officer) -> None:
    at = set_by_clock(session, row, lambda now: {"state": SafetyState.ENDED, "ended_at": now, **SEEN_AS_IT_IS})
    append(session, row, Entry(kind=SafetyEventKind.ENDED, at=at, actor_id=by.account_id))
