"""The code on a visitor's phone: bound to one visit, one visitor and one day, and signed.

It lives until the end of the visit's local day and not for minutes: a phone without signal has to show one at the last
door as at the first. It is worth no more for that. What confirms is the page, and the page asks anew each time it is
opened: once the visit is over, the papers lapse or the phone is revoked, the code confirms nothing.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from fieldvisit.compliance.wallclock import local_day, whole_day
from fieldvisit.drafts import acting_organisation
from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.models import VerificationCode, Visit
from fieldvisit.phone.routes import demand_its_day, demand_still_placed, get_own_stop, routes_of_day
from fieldvisit.signing import TAG_BYTES, Signer, as_text, from_text
from fieldvisit.visits import cancelled
from fieldvisit.vocabulary import VisitState

OPEN = (VisitState.PUBLISHED, VisitState.UNDER_WAY, VisitState.ARRIVED)
"""While a visit stands so, somebody may be at its door or on the way there."""
ID_BYTES = 16


class NoCodeForVisit(FieldVisitError):
    code, kind = "no_code_for_visit", Kind.CONFLICT
    says = "Visit {reference} is {state}: nobody has to be shown a code for it."


@dataclass(frozen=True, kw_only=True)
class Bearer:
    """On whose phone the code is to be shown. `device_id` None: a login that names no phone."""

    visitor_id: uuid.UUID
    account_id: uuid.UUID
    device_id: uuid.UUID | None


@dataclass(frozen=True, kw_only=True)
class GivenCode:
    """A code as a phone shows it; `text` is what stands in the address."""

    visit_id: uuid.UUID
    text: str
    expires_at: dt.datetime


@dataclass(frozen=True)
class ReadCode:
    """What a text claims to be. Of one that is none, both are nothing that was ever given out."""

    id: uuid.UUID
    tag: bytes


def codes_of_day(session: Session, bearer: Bearer, *, key: bytes, now: dt.datetime) -> list[GivenCode]:
    """A code for each visit of the bearer's published routes of today that is still to be made, in their order.

    Asking again gives the same codes.
    """
    today = local_day(now, acting_organisation(session).zone)
    stops = [stop for route in routes_of_day(session, bearer.visitor_id, today) for stop in route.stops]
    return _given(session, bearer, [stop.visit for stop in stops if _is_shown(stop.visit, now)], key=key, now=now)


def code_for_visit(session: Session, bearer: Bearer, visit_id: uuid.UUID, *, key: bytes, now: dt.datetime) -> GivenCode:
    """The code for one visit of the bearer's own.

    Raises NotFound, NotThisDay, CaseTakenBack, VisitCancelled, NoCodeForVisit.
    """
    visit = get_own_stop(session, bearer.visitor_id, visit_id).visit
    if visit.state is VisitState.CANCELLED:
        raise cancelled(visit)
    demand_still_placed(session, visit, now)
    if visit.state not in OPEN:
        raise NoCodeForVisit(reference=visit.reference, state=visit.state)
    demand_its_day(visit, now)
    return _given(session, bearer, [visit], key=key, now=now)[0]


def read_code(text: str) -> ReadCode:
    """The two halves of a code's text."""
    raw = from_text(text, size=ID_BYTES + TAG_BYTES) or bytes(ID_BYTES + TAG_BYTES)
    return ReadCode(uuid.UUID(bytes=raw[:ID_BYTES]), raw[ID_BYTES:])


def is_signed(code: VerificationCode, tag: bytes, *, key: bytes) -> bool:
    """Whether the tag was made for this very row: for its visit, its visitor, its organisation and its end."""
    return _signer(key).is_good(_message(code), tag)


def text_of(code: VerificationCode, *, key: bytes) -> str:
    return as_text(code.id.bytes + _signer(key).tag(_message(code)))


def _is_shown(visit: Visit, now: dt.datetime) -> bool:
    # A case that was called back is no longer there for us.
    known: object | None = visit.case
    return visit.state in OPEN and known is not None and visit.planned_on == local_day(now, visit.place.zone)


def _given(
    session: Session, bearer: Bearer, visits: Sequence[Visit], *, key: bytes, now: dt.datetime
) -> list[GivenCode]:
    rows = [_values(visit, bearer, now) for visit in visits]
    if not rows:
        return []
    # The id follows from what the code is for: two that ask at once get the same, and none waits for the other.
    session.execute(insert(VerificationCode).values(rows).on_conflict_do_nothing())
    known = _by_visit(session, [row["id"] for row in rows])
    codes = [known[visit.id] for visit in visits]
    return [
        GivenCode(visit_id=code.visit_id, text=text_of(code, key=key), expires_at=code.expires_at) for code in codes
    ]


def _by_visit(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, VerificationCode]:
    rows = session.scalars(sa.select(VerificationCode).where(VerificationCode.id.in_(ids)))
    return {row.visit_id: row for row in rows}


def _values(visit: Visit, bearer: Bearer, now: dt.datetime) -> dict[str, Any]:
    day = local_day(now, visit.place.zone)
    return {
        "id": uuid.uuid5(visit.id, f"{bearer.visitor_id} {bearer.account_id} {bearer.device_id} {day}"),
        "org_id": visit.org_id,
        "visit_id": visit.id,
        "visitor_id": bearer.visitor_id,
        "device_id": bearer.device_id,
        "account_id": bearer.account_id,
        "issued_at": now,
        "expires_at": whole_day(day, visit.place.zone)[-1].ends_at,
    }


def _message(code: VerificationCode) -> bytes:
    ids = (code.id, code.org_id, code.visit_id, code.visitor_id)
    return b"".join(each.bytes for each in ids) + int(code.expires_at.timestamp()).to_bytes(5)


def _signer(key: bytes) -> Signer:
    return Signer(key, "verification code")
