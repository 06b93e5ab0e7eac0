"""A call for help. It is never refused for the state of anything: it always ends in an open alert."""

import datetime as dt
import uuid
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.clock import database_now
from fieldvisit.errors import NotFound
from fieldvisit.models import SafetyEvent, SafetySession, Visit
from fieldvisit.safety.deadlines import Moment, heard, set_by_clock
from fieldvisit.safety.drafts import Sos
from fieldvisit.safety.events import Entry, SafetyEventKind, append
from fieldvisit.safety.hints import give_hint
from fieldvisit.safety.new_doors import tell_new_door
from fieldvisit.safety.opening import (
    Beginning,
    EventIdUsed,
    alarm_planned,
    find_open,
    insert_session,
    remember,
    told_of,
)
from fieldvisit.safety.pins import has_pin
from fieldvisit.safety.raising import Cause, open_alert
from fieldvisit.safety.seeming import seem_as_before, seem_called
from fieldvisit.safety.standing import Standing, lock_session, standing
from fieldvisit.safety.timers import BY_LEVEL, Timers, seconds
from fieldvisit.vocabulary import AlertKind, RiskLevel, SafetyState

STILL_NEAR_S = 60 * 60
"""For so long after its end a session is taken up again by a call for help; later a new one is made."""
PLANNED_LATELY = dt.timedelta(days=1)
"""A call that names no visit says nothing of one that was planned longer ago."""
TRIES = 5
PRESS_S = 5
"""A call for help may be taken back for so long, by the PIN."""


def call_for_help(session: Session, told: Sos) -> Standing:
    """Open an SOS alert at once, or join the one that is open. Told twice, done once; but where the id was made up, the
    same words are another call once all is closed that the one before had raised. Raises EventIdUsed where the id was
    used for anything else, NotFound where by another visitor."""
    told = _of_visits_here(session, told)
    known_id = told_of(session, told.event_id)
    if known_id is not None:
        known = lock_session(session, known_id, visitor_id=told.visitor_id)
        _demand_called(session, known, told.event_id)
        if not told.made_up or known.state is SafetyState.ALARM:
            return standing(session, known)
        # Told again before its answer arrived it joins what it opened: too many alarms are better than none.
        told = replace(told, event_id=uuid.uuid4(), made_up=False)
    row = session_for_call(session, told)
    if not remember(session, row, told.event_id):
        _demand_called(session, row, told.event_id)
        return standing(session, row)
    return _alarm(session, row, told)


def call_under_any_id(session: Session, told: Sos) -> Standing:
    """The same where the id was used for something else, by whatever mistake: a call for help is not refused for that.
    Raises NotFound for a visitor who is not there."""
    try:
        with session.begin_nested():
            return call_for_help(session, told)
    except (EventIdUsed, NotFound):
        return call_for_help(session, replace(told, event_id=uuid.uuid5(told.visitor_id, told.event_id.hex)))


def _of_visits_here(session: Session, told: Sos) -> Sos:
    """The call as if it named no visit, where it names one that this organisation does not make. It may be another
    visitor's: it still says where this one is."""
    if told.visit_id is None:
        return told
    visit = session.get(Visit, told.visit_id)
    # A lender sees the visits that others make for it.
    known = visit is not None and visit.org_id == session.info.get("org", visit.org_id)
    return told if known else replace(told, visit_id=None)


def _alarm(session: Session, row: SafetySession, told: Sos) -> Standing:
    timers = Timers.from_json(row.policy)
    was_over = row.state is SafetyState.ENDED
    # An alarm that is shown already is one that the phone knows of.
    if told.covert and row.shown is None and row.state is not SafetyState.ALARM:
        seem_as_before(row, row.state)

    def values(now: Moment) -> dict[str, object]:
        known = {} if told.on_behalf else heard(timers, told, now)
        return known | {"state": SafetyState.ALARM, "ended_at": sa.null()}

    at = set_by_clock(session, row, values)
    # Known here at the press: whoever smashes the phone now saves nothing. Only who has a PIN could take it back.
    press_s = PRESS_S if may_take_back(told) and has_pin(session, row.visitor_id) else 0
    if not told.covert and not told.on_behalf:
        seem_called(row, until=at + seconds(press_s))
    if was_over:
        append(session, row, Entry(kind=SafetyEventKind.REOPENED, at=at, actor_id=told.actor_id))
    pressed = Entry(
        kind=SafetyEventKind.SOS_PRESSED,
        at=at,
        actor_id=told.actor_id,
        device_at=told.device_at,
        detail={"age_s": told.age_s, "event_id": str(told.event_id)} | _named(told) | _flags(told),
        note=told.note,
    )
    append(session, row, pressed)
    sequence = row.last_sequence
    kind = AlertKind.MAN_DOWN if told.man_down else AlertKind.SOS
    cause = Cause(
        kind=kind,
        deadline_at=at - seconds(told.age_s),
        actor_id=told.actor_id,
        covert=told.covert,
        press_s=press_s,
    )
    open_alert(session, row, cause, at=at)
    tell_new_door(session, row, told.visit_id, pressed=sequence, at=at)
    give_hint(session)
    return Standing(row, at)


def _demand_called(session: Session, row: SafetySession, event_id: uuid.UUID) -> None:
    """Raise EventIdUsed where this id of the session's was that of a check-in, say, and no call. What was pressed when
    no ids were kept beside a press may have been any."""
    pressed_as = SafetyEvent.detail["event_id"].astext
    called = sa.select(SafetyEvent.sequence).where(
        SafetyEvent.session_id == row.id,
        SafetyEvent.kind == SafetyEventKind.SOS_PRESSED,
        sa.or_(pressed_as == str(event_id), pressed_as.is_(None)),
    )
    if session.scalar(called.limit(1)) is None:
        raise EventIdUsed()


def may_take_back(told: Sos) -> bool:
    """Not what the phone did by itself, nor what nobody is to see, nor what is long ago, nor what another one said."""
    return not told.on_behalf and not told.man_down and not told.covert and told.age_s < PRESS_S


def _named(told: Sos) -> dict[str, str]:
    """The visit that the call names: the session may be about another one."""
    return {"visit_id": str(told.visit_id)} if told.visit_id is not None else {}


def _flags(told: Sos) -> dict[str, object]:
    names = ("token_expired", "account_closed", "device_revoked", "covert", "on_behalf")
    return {name: True for name in names if getattr(told, name)} | told.said_of_position


def session_for_call(session: Session, told: Sos) -> SafetySession:
    """The session by which the visitor is out; else the planned one that the call names, by its id or its visit; else
    one that ended a short while ago, or the one that was planned last, but none of another visit than the call names;
    else a new one. Locked."""
    # Between the look and the insert another telling of the same call may make the session: look again then.
    for _ in range(TRIES):
        found_id = find_open(session, told.visitor_id) or _planned(session, told, named=True)
        found_id = found_id or _ended_lately(session, told) or _planned(session, told, named=False)
        row = lock_session(session, found_id) if found_id is not None else None
        if row is not None and row.state is not SafetyState.PLANNED:
            return row
        if told.covert:
            made = _made_covertly(session, told, row)
        elif row is not None:
            made = alarm_planned(session, row.id)
        else:
            made = _made(session, told)
        if made is not None:
            return made
    raise RuntimeError("A safety session that cannot be made was not there to be found either.")


def _made(session: Session, told: Sos) -> SafetySession | None:
    for session_id in (told.session_id, uuid.uuid4()):
        beginning = Beginning(BY_LEVEL[RiskLevel.NORMAL])
        made = insert_session(session, told, beginning, session_id=session_id or uuid.uuid4())
        if made is not None:
            return made
    return None


def _made_covertly(session: Session, told: Sos, planned: SafetySession | None) -> SafetySession | None:
    """One that the phone has never seen, under no id of its own: what it has planned is still there for it to start or
    to cancel, and what it has started out of reach seems to start when that is told."""
    beginning = Beginning(BY_LEVEL[RiskLevel.NORMAL])
    if planned is not None:
        told = replace(told, visit_id=planned.visit_id)
        said = {"planned_id": str(planned.id)}
        beginning = Beginning(Timers.from_json(planned.policy), cover=planned.cover, said=said)
    made = insert_session(session, told, beginning, session_id=uuid.uuid4())
    if made is not None:
        seem_as_before(made, SafetyState.ENDED)
    return made


def _planned(session: Session, told: Sos, *, named: bool) -> uuid.UUID | None:
    planned = sa.select(SafetySession.id).where(
        SafetySession.visitor_id == told.visitor_id, SafetySession.state == SafetyState.PLANNED
    )
    if named and told.session_id is None and told.visit_id is None:
        return None
    if not named and told.visit_id is not None:
        return None
    if named:
        hints = (SafetySession.id == told.session_id, SafetySession.visit_id == told.visit_id)
        planned = planned.where(sa.or_(*hints)).order_by((SafetySession.id == told.session_id).desc().nulls_last())
    else:
        planned = planned.where(SafetySession.planned_at > database_now() - PLANNED_LATELY)
    return session.scalar(planned.order_by(SafetySession.planned_at.desc()).limit(1))


def _ended_lately(session: Session, told: Sos) -> uuid.UUID | None:
    lately = sa.select(SafetySession.id).where(
        SafetySession.visitor_id == told.visitor_id,
        SafetySession.state == SafetyState.ENDED,
        SafetySession.drill.is_(None),
        SafetySession.ended_at >= database_now() - seconds(STILL_NEAR_S),
    )
    if told.visit_id is not None:
        lately = lately.where(SafetySession.visit_id == told.visit_id)
    return session.scalar(lately.order_by(SafetySession.ended_at.desc()).limit(1))
