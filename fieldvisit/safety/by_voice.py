"""What an officer does for a visitor who asks by voice: end a session, or move its planned end.

Each time the visitor has been spoken with and asked the challenge. Whoever gives the wrong answer is not free to speak:
nothing of what was asked is done, and an alarm is raised of which the phone shows nothing.
"""

import datetime as dt
import uuid
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.errors import FieldVisitError, InvalidValue, Kind
from fieldvisit.languages import Message
from fieldvisit.models import SafetySession
from fieldvisit.safety.alerts import refuse_unfit
from fieldvisit.safety.deadlines import set_by_clock
from fieldvisit.safety.drafts import Officer, check_note
from fieldvisit.safety.events import Entry, SafetyEventKind, append
from fieldvisit.safety.hints import give_hint
from fieldvisit.safety.raising import Cause, open_alert
from fieldvisit.safety.seeming import seem_as_before
from fieldvisit.safety.sessions import ExtensionTooLong, SessionNotActive
from fieldvisit.safety.standing import Standing, lock_session
from fieldvisit.safety.timers import Timers, seconds
from fieldvisit.vocabulary import AlertKind, CallResult, SafetyState

UNFREE = (CallResult.WRONG_ANSWER, CallResult.DURESS_WORD)


class NoVoiceContact(FieldVisitError):
    """Nobody's session is ended or moved who was not spoken with, and did not say that all is well."""

    code, kind = "no_voice_contact", Kind.CONFLICT
    says = "Only after the visitor has been spoken with and has given the right answer to the challenge."


@dataclass(frozen=True, kw_only=True)
class VoiceContact:
    """`result`: what the challenge gave; `note`: what was said, and when."""

    result: CallResult
    note: str

    def __post_init__(self) -> None:
        check_note(self.note)


@dataclass(frozen=True, kw_only=True)
class SpokenExtension(VoiceContact):
    """`by_s`: seconds by which the planned end moves."""

    by_s: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.by_s < 1:
            raise InvalidValue(path="by_s", reason=Message("the planned end is only ever moved later"))


def end_by_voice(session: Session, session_id: uuid.UUID, by: Officer, contact: VoiceContact) -> Standing:
    """End a running session for its visitor. Never an own one, nor one in alarm. Raises NoVoiceContact."""
    row, raised = _spoken_with(session, session_id, by, contact)
    if raised is not None:
        return raised
    at = set_by_clock(session, row, lambda now: {"state": SafetyState.ENDED, "ended_at": now})
    detail = {"result": contact.result.value}
    entry = Entry(
        kind=SafetyEventKind.ENDED_BY_OFFICER, at=at, actor_id=by.account_id, detail=detail, note=contact.note
    )
    append(session, row, entry)
    return Standing(row, at)


def extend_by_voice(session: Session, session_id: uuid.UUID, by: Officer, contact: SpokenExtension) -> Standing:
    """Move the planned end of a running session, and only that: the next check-in stays due when it was. Counts against
    the same limit as what the visitor moves. Raises NoVoiceContact, ExtensionTooLong."""
    row, raised = _spoken_with(session, session_id, by, contact)
    if raised is not None:
        return raised
    cap_s = Timers.from_json(row.policy).extend_cap_s
    if row.extended_s + contact.by_s > cap_s:
        raise ExtensionTooLong(cap_s=cap_s, used_s=row.extended_s)
    moved = {
        "end_at": SafetySession.end_at + seconds(contact.by_s),
        "extended_s": SafetySession.extended_s + contact.by_s,
    }
    at = set_by_clock(session, row, lambda _: moved)
    detail = {"by_s": contact.by_s, "result": contact.result.value}
    entry = Entry(
        kind=SafetyEventKind.EXTENDED_BY_OFFICER, at=at, actor_id=by.account_id, detail=detail, note=contact.note
    )
    append(session, row, entry)
    return Standing(row, at)


def _spoken_with(
    session: Session, session_id: uuid.UUID, by: Officer, contact: VoiceContact
) -> tuple[SafetySession, Standing | None]:
    """The running session, locked; and how it stands where the visitor was not free to speak."""
    row = lock_session(session, session_id)
    refuse_unfit(session, row, by)
    if row.state is not SafetyState.ACTIVE:
        raise SessionNotActive(state=row.state.value)
    if contact.result in UNFREE:
        return row, _raise_unfree(session, row, by, contact)
    if contact.result is not CallResult.SPOKE_SAFE:
        raise NoVoiceContact()
    return row, None


def _raise_unfree(session: Session, row: SafetySession, by: Officer, contact: VoiceContact) -> Standing:
    seem_as_before(row)
    session.flush()

    def alarmed(_: sa.ColumnElement[dt.datetime]) -> dict[str, object]:
        return {"state": SafetyState.ALARM}

    at = set_by_clock(session, row, alarmed)
    detail = {"result": contact.result.value}
    said = Entry(kind=SafetyEventKind.CALL_RESULT, at=at, actor_id=by.account_id, detail=detail, note=contact.note)
    append(session, row, said)
    cause = Cause(kind=AlertKind.DURESS, deadline_at=at, covert=True, actor_id=by.account_id)
    open_alert(session, row, cause, at=at)
    give_hint(session)
    return Standing(row, at)


def end_for_visitor(session: Session, session_id: uuid.UUID, by: Officer, note: str) -> Standing:
    """The same as `end_by_voice` where the right answer was given."""
    return end_by_voice(session, session_id, by, VoiceContact(result=CallResult.SPOKE_SAFE, note=note))
