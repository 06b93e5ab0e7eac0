"""Every kind of event that a phone may send in a batch, and which use case takes it."""

import datetime as dt
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from fieldvisit import reports
from fieldvisit.errors import InvalidValue, Refused
from fieldvisit.phone import steps, undoing
from fieldvisit.phone.telling import EventDraft, Teller
from fieldvisit.safety import sessions
from fieldvisit.safety.assessments import AssessmentDraft, answer_assessment
from fieldvisit.safety.drafts import OLDEST_S, SessionDraft, Sos, Told
from fieldvisit.safety.markers import Reader
from fieldvisit.safety.sos import call_under_any_id
from fieldvisit.safety.standing import Standing
from fieldvisit.vocabulary import Role


class EventKind(StrEnum):
    """In the order of meaning within one visit, and within one safety session."""

    REJECTION = "rejection"
    SET_OUT = "set_out"
    ARRIVAL = "arrival"
    CREDENTIAL_SHOWN = "credential_shown"
    ARRIVAL_UNDO = "arrival_undo"
    IDENTITY_CHECK = "identity_check"
    ABORT = "abort"
    REPORT = "report"
    ADDITION = "addition"
    SAFETY_ASSESSMENT = "safety_assessment"
    SAFETY_START = "safety_start"
    SOS = "sos"
    CHECK_IN = "check_in"
    BEAT = "beat"
    SAFETY_END = "safety_end"
    SAFETY_CANCEL = "safety_cancel"


OF_SAFETY = (
    EventKind.SAFETY_ASSESSMENT,
    EventKind.SAFETY_START,
    EventKind.SOS,
    EventKind.CHECK_IN,
    EventKind.BEAT,
    EventKind.SAFETY_END,
    EventKind.SAFETY_CANCEL,
)
HEARD_FROM_UNKNOWN = frozenset({EventKind.SAFETY_START, EventKind.CHECK_IN, EventKind.BEAT})
"""Also from a phone that nobody knows after a restore: who is out is watched over before they have logged in again."""
RANK: Mapping[EventKind, int] = {kind: place for place, kind in enumerate(EventKind)} | {
    # Which of these came first is for the phone to say.
    EventKind.ABORT: [*EventKind].index(EventKind.REPORT),
    # Of these the phone's own order counts.
    EventKind.CHECK_IN: 100,
    EventKind.BEAT: 100,
    EventKind.SAFETY_END: 101,
    EventKind.SAFETY_CANCEL: 101,
}


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What taking an event needs to know of the house and the hour."""

    now: dt.datetime
    geofence_m: int
    allow_drill: bool = False
    token_expired: bool = False
    device_revoked: bool = False
    device_unknown: bool = False
    login_ended: Callable[[], bool] = lambda: False
    """Asked for what is not believed from a login that was ended, and for nothing else: no check-in pays for it."""


@dataclass(frozen=True, kw_only=True)
class StepEvent:
    """An event of a visit."""

    kind: EventKind
    visit_id: uuid.UUID
    draft: EventDraft
    terms: Terms

    @property
    def event_id(self) -> uuid.UUID:
        return self.draft.event_id

    @property
    def subject_id(self) -> uuid.UUID:
        return self.visit_id

    @property
    def device_at(self) -> dt.datetime | None:
        return self.draft.device_at

    @property
    def rank(self) -> int:
        return RANK[self.kind]

    def take(self, session: Session, by: Teller) -> object:
        more = {"geofence_m": self.terms.geofence_m} if self.kind is EventKind.ARRIVAL else {}
        return STEPS[self.kind](session, self.visit_id, self.draft, by=by, now=self.terms.now, **more)


@dataclass(frozen=True, kw_only=True)
class SafetyTold:
    """An event of a safety session. `said` is what the phone told, by the names of the draft's fields."""

    kind: EventKind
    session_id: uuid.UUID | None
    event_id: uuid.UUID
    device_at: dt.datetime | None
    said: Mapping[str, Any]
    terms: Terms

    @property
    def subject_id(self) -> uuid.UUID | None:
        return self.session_id

    @property
    def rank(self) -> int:
        return RANK[self.kind]

    def take(self, session: Session, by: Teller) -> object:
        said = self.facts(by)
        if self.kind is EventKind.SOS:
            why: dict[str, Any] = {
                "token_expired": self.terms.token_expired,
                "device_revoked": self.terms.device_revoked,
            }
            return call_under_any_id(session, Sos(**said, **why))
        if self.kind is EventKind.SAFETY_START:
            return sessions.start_session(session, SessionDraft(**said), allow_drill=self.terms.allow_drill)
        if self.kind is EventKind.SAFETY_ASSESSMENT:
            kept = ("visit_id", "questionnaire", "answers", "age_s")
            answered = {name: self.said[name] for name in kept}
            draft = AssessmentDraft(id=self.event_id, visitor_id=by.visitor_id, **answered)
            return answer_assessment(session, draft, _reader(by))
        if self.kind is EventKind.SAFETY_CANCEL and self.session_id is not None:
            return sessions.cancel_session(session, self.session_id, self.event_id, _reader(by))
        return SESSION_STEPS[self.kind](session, self.session_id, Told(**said))

    def facts(self, by: Teller) -> dict[str, Any]:
        """What was told, by the names of a draft's fields."""
        return {
            **self.said,
            "event_id": self.event_id,
            "device_at": self.device_at,
            "visitor_id": by.visitor_id,
            "actor_id": by.account_id,
        }


def _reader(by: Teller) -> Reader:
    """Whoever holds the phone, for whom nothing is done but the own."""
    return Reader(account_id=by.account_id, roles=frozenset({Role.VISITOR}), visitor_id=by.visitor_id)


type Event = StepEvent | SafetyTold
"""One event, understood. `rank` is its place among the events of its subject; `take` makes it happen."""

STEPS: Mapping[EventKind, Callable[..., object]] = {
    EventKind.SET_OUT: steps.set_out,
    EventKind.ARRIVAL: steps.arrive,
    EventKind.ARRIVAL_UNDO: undoing.undo_arrival,
    EventKind.REJECTION: undoing.reject_visit,
    EventKind.CREDENTIAL_SHOWN: steps.show_credential,
    EventKind.IDENTITY_CHECK: steps.check_identity,
    EventKind.ABORT: reports.abort_visit,
    EventKind.REPORT: reports.report_visit,
    EventKind.ADDITION: reports.add_to_report,
}
SESSION_STEPS: Mapping[EventKind, Callable[..., object]] = {
    EventKind.CHECK_IN: sessions.check_in,
    EventKind.BEAT: sessions.beat,
    EventKind.SAFETY_END: sessions.end_session,
}


ENDS = frozenset({EventKind.ABORT, EventKind.REPORT})
SHOWS = frozenset({EventKind.CREDENTIAL_SHOWN})
SPARING = frozenset({EventKind.CHECK_IN, EventKind.BEAT})
"""Where these are refused, they have written nothing yet."""


def take_run(session: Session, run: Sequence[Event], by: Teller) -> list[Standing | Refused]:
    """Check-ins and beats of one session that follow each other, in one. How the session stands then, for each."""
    told = [event for event in run if isinstance(event, SafetyTold)]
    heard = [(event.kind is EventKind.CHECK_IN, Told(**event.facts(by))) for event in told]
    session_id = told[0].session_id
    if session_id is None:
        raise InvalidValue(path="session_id", reason="is empty, but needed")
    return sessions.hear_all(session, session_id, heard)


def age_of(device_at: dt.datetime, sent_at: dt.datetime, stated_s: int | None) -> int:
    """How many seconds before its sending it was done: as the phone counted, or else by its own two times. What is
    older than a week says nothing of now, and its age no more than that."""
    counted = round((sent_at - device_at).total_seconds()) if stated_s is None else stated_s
    return max(0, min(counted, OLDEST_S))
