"""A session that goes on after an alarm is judged anew: what is known by then makes it stricter, never looser.

What an alarm has made a session of, where there was none, has the usual timers only: no alarm waits for a judgement.
"""

import uuid

from sqlalchemy.orm import Session

from fieldvisit.models import Place, SafetySession, Visit
from fieldvisit.safety.assessments import valid_assessment
from fieldvisit.safety.events import Entry, SafetyEventKind, append
from fieldvisit.safety.opening import Beginning
from fieldvisit.safety.own_timers import timers_of
from fieldvisit.safety.pairs import cover_of
from fieldvisit.safety.risk import Risk, circumstances_of, judge
from fieldvisit.safety.rules import rules_of
from fieldvisit.safety.standing import standing
from fieldvisit.safety.timers import ORDER, danger
from fieldvisit.vocabulary import RiskLevel, SessionCover


def judge_anew(session: Session, row: SafetySession, by: uuid.UUID) -> bool:
    """Let a locked session in alarm be as strict as its visit would be judged if it began now; whether the level is
    higher by that. Its deadlines are the caller's to set."""
    if row.level not in ORDER or row.level is RiskLevel.DRILL:
        return False
    visit = session.get(Visit, row.visit_id) if row.visit_id else None
    risk = _risk(session, visit, row) if visit is not None else Risk(row.level)
    if danger(risk.level) < danger(row.level):
        risk = Risk(row.level)
    timers = timers_of(session, row.org_id, risk.level)
    return make_stricter(session, row, Beginning(timers, cover_of(risk.level, visit), risk.reasons), by)


def _risk(session: Session, visit: Visit, row: SafetySession) -> Risk:
    if session.get(Place, visit.place_id) is None:
        # Its case is not ours any more: nothing more is known of it.
        return Risk(row.level)
    assessment = valid_assessment(session, rules_of(session, row.org_id), visit, row.visitor_id)
    return judge(circumstances_of(session, visit, RiskLevel.LOW, assessment.level if assessment else None))


def make_stricter(session: Session, row: SafetySession, beginning: Beginning, by: uuid.UUID | None) -> bool:
    """Give a locked session in alarm the level, the timers and the cover of this beginning, where they are of a higher
    level; whether they are. One that the alarm has made has those of its own level too, as the house has set them."""
    before, level = row.level, beginning.timers.level
    if before is RiskLevel.DRILL:
        return False
    if row.cover is SessionCover.SOLO:
        row.cover = beginning.cover
    higher, made = danger(level) > danger(before), row.planned_at is None and row.end_at is None
    if higher or (made and level is before):
        row.level, row.policy = level, beginning.timers.as_json()
    if higher:
        detail = {"from": before.value, "to": level.value, "because": [*beginning.because], **beginning.said}
        at = standing(session, row).now_at
        append(session, row, Entry(kind=SafetyEventKind.TIGHTENED, at=at, actor_id=by, detail=detail))
    return higher
