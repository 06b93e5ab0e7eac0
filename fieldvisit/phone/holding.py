"""Events that could not be taken when they came, kept in full: no phone loses what it told, and no backlog is silent.

The visitor sees the own ones, the office all of them; a person may dismiss one, with a reason.
"""

import datetime as dt
import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, defer

from fieldvisit.compliance.decision import plain
from fieldvisit.drafts import check_text
from fieldvisit.errors import FieldVisitError, Kind, NotFound
from fieldvisit.models import HeldEvent, PhoneEventKey, SafetyKey, SafetySession
from fieldvisit.obeyed import Obeyed
from fieldvisit.phone.routes import lender_of_told
from fieldvisit.phone.telling import Teller
from fieldvisit.safety.drafts import OLDEST_S
from fieldvisit.vocabulary import HeldState, WaitsFor

OPEN = (HeldState.WAITING, HeldState.REFUSED)
LONGEST_BODY = 65_536
HELD = cast("sa.Table", HeldEvent.__table__)
LONGEST_KIND = 40
TOLD_TO_PHONE = 50
"""So many of a visitor's events go with the day: with their names a cursor still has room for seventy visits."""
MAY_TELL_OF_MONEY = ("report", "addition")
MONEY = '"payment": {'
MOST_DISMISSED = 500
"""At once: as many as a phone may have had refused in one sending."""


def _concerned() -> sa.Select[bool]:
    # As text: the driver takes longer to put an array together than the database to look.
    events, subjects = (
        sa.cast(sa.bindparam(name, type_=sa.Text), sa.ARRAY(sa.Uuid)) for name in ("events", "subjects")
    )
    ours = HELD.c.org_id == sa.bindparam("org")
    is_open = sa.or_(*(HELD.c.state == state for state in OPEN))
    waits = HELD.c.state == HeldState.WAITING
    return sa.select(
        sa.exists().where(ours, HELD.c.event_id == sa.any_(events), is_open)
        | sa.exists().where(ours, HELD.c.subject_id == sa.any_(subjects), waits)
    )


CONCERNED = Obeyed(_concerned())


class HeldEventSettled(FieldVisitError):
    code, kind = "held_event_settled", Kind.CONFLICT
    says = "The event {event_id} is settled already: {state}."


@dataclass(frozen=True, kw_only=True)
class Held:
    """What is to be kept of one event."""

    event_id: uuid.UUID
    kind: str
    subject_id: uuid.UUID | None
    body: Mapping[str, Any]
    device_at: dt.datetime | None
    sent_at: dt.datetime | None
    waits_for: WaitsFor | None
    error: FieldVisitError


def hold(session: Session, held: Held, *, by: Teller) -> None:
    """Keep an event. Sent again it is the same one, with what is wrong with it now; a settled one stays as it is, and
    so does one of another visitor."""
    # Half a character, as a phone makes by cutting a text inside of one, stays the escape that it came as.
    body = json.dumps(held.body, ensure_ascii=False).encode(errors="backslashreplace").decode()
    visit_id = _id_in(held.body, "visit_id")
    lender_id = lender_of_told(session, by.visitor_id, visit_id) if visit_id else None
    values = {
        "kind": held.kind,
        "subject_id": held.subject_id,
        # What waits was understood, and so is of a size; what was not is kept as far as a person would read it.
        "body": body if held.waits_for else body[:LONGEST_BODY],
        "state": HeldState.WAITING if held.waits_for else HeldState.REFUSED,
        "waits_for": held.waits_for,
        "code": held.error.code,
        "details": json.loads(json.dumps(plain(held.error.details), default=str)) if held.subject_id else {},
        "device_at": held.device_at,
        "visit_id": visit_id if lender_id else None,
        "lender_id": lender_id,
    }
    whose = {"org_id": session.info["org"], "visitor_id": by.visitor_id, "account_id": by.account_id}
    # Stays that of the first sending, as `recorded_at` does: together they say how the clocks differed.
    kept = insert(HeldEvent).values(event_id=held.event_id, sent_at=held.sent_at, **whose, **values)
    same = sa.and_(HeldEvent.state.in_(OPEN), HeldEvent.visitor_id == by.visitor_id)
    session.execute(kept.on_conflict_do_update(index_elements=["org_id", "event_id"], set_=values, where=same))


def misunderstood(body: Mapping[str, Any], sent_at: dt.datetime | None, error: FieldVisitError) -> Held | None:
    """What is to be kept of an event that could not be read; None where it has no id."""
    event_id = _id_in(body, "event_id")
    if event_id is None:
        return None
    kind = body.get("kind")
    return Held(
        event_id=event_id,
        kind=kind[:LONGEST_KIND] if isinstance(kind, str) and kind.isprintable() else "unknown",
        subject_id=None,
        body=body,
        device_at=None,
        sent_at=sent_at,
        waits_for=None,
        error=error,
    )


def _id_in(body: Mapping[str, Any], name: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(body.get(name)))
    except ValueError:
        return None


def is_taken(session: Session, event_id: uuid.UUID) -> bool:
    """Whether an event of this id was taken before."""
    told = sa.exists().where(PhoneEventKey.org_id == session.info["org"], PhoneEventKey.event_id == event_id)
    of_safety = sa.exists().where(SafetyKey.org_id == session.info["org"], SafetyKey.event_id == event_id)
    begun = sa.exists().where(SafetySession.org_id == session.info["org"], SafetySession.id == event_id)
    return bool(session.scalar(sa.select(told | of_safety | begun)))


def waiting_for(session: Session, subject_ids: Collection[uuid.UUID]) -> Sequence[HeldEvent]:
    """What waits for something of these subjects, in the order in which it came."""
    rows = sa.select(HeldEvent).where(
        HeldEvent.org_id == session.info["org"],
        HeldEvent.subject_id.in_(subject_ids),
        HeldEvent.state == HeldState.WAITING,
    )
    return session.scalars(rows.order_by(HeldEvent.recorded_at, HeldEvent.event_id)).all() if subject_ids else ()


def waited_for(session: Session) -> Sequence[uuid.UUID]:
    """The visits and safety sessions of which something waits, the first that came first."""
    ours = HeldEvent.org_id == session.info["org"], HeldEvent.state == HeldState.WAITING
    subjects = sa.select(HeldEvent.subject_id).where(*ours, HeldEvent.subject_id.is_not(None))
    rows = session.scalars(subjects.group_by(HeldEvent.subject_id).order_by(sa.func.min(HeldEvent.recorded_at)))
    return [subject_id for subject_id in rows if subject_id is not None]


def concerns_any(session: Session, event_ids: Collection[uuid.UUID], subject_ids: Collection[uuid.UUID]) -> bool:
    """Whether anything that is kept is one of these events, or waits for something of these subjects."""
    events, subjects = (f"{{{','.join(map(str, ids))}}}" for ids in (event_ids, subject_ids))
    given = {"org": session.info["org"], "events": events, "subjects": subjects}
    return bool(CONCERNED.one(session, given)[0])


def sent_of(row: HeldEvent) -> dict[str, Any]:
    return {"body": json.loads(row.body), "sent_at": row.sent_at}


def as_if_sent(row: HeldEvent, *, now: dt.datetime) -> dict[str, Any]:
    """The event as if its phone sent it now, by a clock that differs from ours as it did then: that it lay here makes
    what it tells of no younger."""
    body, lay = json.loads(row.body), max(now - row.recorded_at, dt.timedelta())
    if body.get("age_s") is not None:
        body["age_s"] = min(body["age_s"] + round(lay.total_seconds()), OLDEST_S)
    return {"body": body, "sent_at": row.sent_at and row.sent_at + lay}


def teller_of(row: HeldEvent) -> Teller:
    return Teller(visitor_id=row.visitor_id, account_id=row.account_id)


def settle_taken(session: Session, event_ids: Collection[uuid.UUID], *, by: Teller, now: dt.datetime) -> None:
    """The events of this teller were taken after all. For most there is nothing to settle.

    Another's under the same id, as a phone restored from a crew mate's copy makes them, was not taken by that."""
    if event_ids:
        mine = HeldEvent.org_id == session.info["org"], HeldEvent.visitor_id == by.visitor_id
        these = HeldEvent.event_id.in_(event_ids), HeldEvent.state.in_(OPEN)
        session.execute(sa.update(HeldEvent).where(*mine, *these).values(state=HeldState.TAKEN, settled_at=now))


def dismiss(session: Session, event_id: uuid.UUID, *, reason: str, by: uuid.UUID, now: dt.datetime) -> HeldEvent:
    """A person has looked at it: it will not be taken. Raises NotFound, HeldEventSettled."""
    check_text("reason", reason)
    row = get_held_event(session, event_id, lock=True)
    if row.state not in OPEN:
        raise HeldEventSettled(event_id=event_id, state=row.state)
    row.state, row.settled_at, row.settled_by_id, row.reason = HeldState.DISMISSED, now, by, reason
    session.flush()
    return row


@dataclass(frozen=True, kw_only=True)
class Dismissed:
    """What became of a pile: `left` are those that were settled meanwhile, or are not here."""

    dismissed: tuple[uuid.UUID, ...]
    left: tuple[uuid.UUID, ...]


def dismiss_all(
    session: Session, event_ids: Collection[uuid.UUID], *, reason: str, by: uuid.UUID, now: dt.datetime
) -> Dismissed:
    """The same for many at once, for one reason. What cannot be dismissed any more spoils nothing. Two statements,
    whatever their number."""
    check_text("reason", reason)
    these = HeldEvent.org_id == session.info["org"], HeldEvent.event_id.in_(event_ids), HeldEvent.state.in_(OPEN)
    # In one order, so that two people who clear the same pile wait for each other, and in no circle.
    rows = sa.select(HeldEvent.event_id).where(*these).order_by(HeldEvent.event_id).with_for_update()
    found = tuple(session.scalars(rows).all())
    settled = {"state": HeldState.DISMISSED, "settled_at": now, "settled_by_id": by, "reason": reason}
    session.execute(sa.update(HeldEvent).where(*these[:1], HeldEvent.event_id.in_(found)).values(settled))
    return Dismissed(dismissed=found, left=tuple(sorted(set(event_ids) - set(found))))


def get_held_event(session: Session, event_id: uuid.UUID, *, lock: bool = False) -> HeldEvent:
    row = session.get(HeldEvent, (session.info["org"], event_id), with_for_update=lock, populate_existing=True)
    if row is None:
        raise NotFound(what="held event", id=event_id)
    return row


def held_events(
    org_id: uuid.UUID, *, visitor_id: uuid.UUID | None = None, code: str | None = None
) -> sa.Select[HeldEvent]:
    """The events that are held of an organisation and not settled: of everybody or of one visitor, for whatever reason
    or for one. What they say is read when it is looked at."""
    asked = (
        *((HeldEvent.visitor_id == visitor_id,) if visitor_id else ()),
        *((HeldEvent.code == code,) if code else ()),
    )
    rows = sa.select(HeldEvent).where(HeldEvent.org_id == org_id, HeldEvent.state.in_(OPEN), *asked)
    return rows.options(defer(HeldEvent.body))


def held_with_money(session: Session, *, on: dt.date, zone: str) -> Sequence[uuid.UUID]:
    """Of what is held and was told of that local day or an earlier one: what tells of money at a door. Such money is in
    no book until it is taken."""
    told_on = sa.func.date(sa.func.timezone(zone, sa.func.least(HeldEvent.device_at, HeldEvent.recorded_at)))
    rows = held_events(session.info["org"]).where(HeldEvent.kind.in_(MAY_TELL_OF_MONEY), told_on <= on)
    rows = rows.order_by(HeldEvent.recorded_at, HeldEvent.event_id)
    # By its text, sealed as it is in the database, and perhaps cut: in a text inside of it the quotes are escaped.
    found = session.execute(rows.with_only_columns(HeldEvent.event_id, HeldEvent.body))
    return [event_id for event_id, body in found if MONEY in body]


@dataclass(frozen=True, kw_only=True)
class Newest:
    """Of a visitor's held events those that the phone is told with its day, the earliest first, and how many there
    are."""

    told: tuple[HeldEvent, ...]
    count: int


def newest_held(session: Session, visitor_id: uuid.UUID) -> Newest:
    """What waits before what was refused, and of each the newest; the others are read page by page. One query."""
    mine = held_events(session.info["org"], visitor_id=visitor_id).add_columns(sa.func.count().over())
    first = (HeldEvent.state == HeldState.WAITING).desc(), HeldEvent.recorded_at.desc(), HeldEvent.event_id.desc()
    rows = session.execute(mine.order_by(*first).limit(TOLD_TO_PHONE)).all()
    told = sorted((row[0] for row in rows), key=lambda held: (held.recorded_at, held.event_id))
    return Newest(told=tuple(told), count=rows[0][1] if rows else 0)
