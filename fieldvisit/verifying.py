"""The look-up behind a visitor's code: is this person to be there, now, with papers in order? Asked anew each time.

The answer tells who visits and for which organisation. It holds nothing of the debtor, of the case or of its lender, so
no page made of it can tell any.
"""

import datetime as dt
import hmac
import ipaddress
import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from fieldvisit.compliance.intervals import Interval
from fieldvisit.compliance.wallclock import local_day
from fieldvisit.decisions import AtTheDoor, organisations_by_id
from fieldvisit.devices import what_refuses
from fieldvisit.files import FileStore, FilesUnavailable
from fieldvisit.models import (
    Account,
    Credential,
    CredentialCheck,
    CrewMember,
    Route,
    Stop,
    StoredFile,
    VerificationCode,
    VerificationLookup,
    Visit,
)
from fieldvisit.planning.papers import check_papers
from fieldvisit.staff_facts import staff_facts
from fieldvisit.verification_codes import OPEN, ReadCode, is_signed, read_code
from fieldvisit.vocabulary import CheckMoment, LookupResult, VisitState

R = LookupResult
OVER = (VisitState.REPORTED, VisitState.CLOSED)
NOBODY = uuid.UUID(int=0)
COARSE_BITS = {4: 24, 6: 48}
"""How much of an address is looked at: the network of a provider's street, not the telephone."""


class Withdrawn(StrEnum):
    """Why a code that was good confirms nobody any more."""

    VISIT_OFF = "visit_off"
    OTHER_DAY = "other_day"
    OTHER_CREW = "other_crew"
    VISITOR_LEFT = "visitor_left"
    ACCOUNT_CLOSED = "account_closed"
    PHONE_REVOKED = "phone_revoked"
    PAPERS = "papers"


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who stands at the door, as far as a stranger may know. `papers_until` is the last day on which they hold."""

    staff_number: str
    photo: bytes | None
    papers_until: dt.date | None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the page tells. `person` is there for a confirmed code alone; the organisation for one that was ours."""

    result: LookupResult
    organisation: str | None = None
    phone: str | None = None
    emergency_number: str | None = None
    zone: str = "UTC"
    expires_at: dt.datetime | None = None
    person: Person | None = None


@dataclass(frozen=True)
class Asking:
    """Who asks, from where, and when: `network` is the hash of `network_of`."""

    text: str
    network: str
    now: dt.datetime


def look_up(session: Session, store: FileStore, asking: Asking, *, key: bytes) -> Answer:
    """The answer, with a line in the record. The session sees all organisations: the code says whose it is.

    The same questions are asked of the database for every code, also for one that was never given out; what a good one
    takes more (its papers are judged, its photo is unsealed) is hidden by the edge, which answers nobody sooner.
    """
    read = read_code(asking.text)
    code, open_account = _find(session, read.id)
    crew = _crew(session, code.visit_id if code else NOBODY, code.visit.plan_id if code else NOBODY)
    asked: dict[str, Any] = {"open_account": open_account, "key": key, "now": asking.now}
    result, reason, relied_on = _judged(session, code, read, crew, **asked)
    until = _papers_until(session, relied_on)
    if result is not R.CONFIRMED:
        _ask_as_much(session)
    session.add(_line(code, asking, result, reason))
    session.flush()
    if code is None or result in (R.UNKNOWN, R.FORGED):
        return Answer(result=result)
    return Answer(
        result=result,
        organisation=code.organisation.name,
        phone=code.organisation.debtor_phone,
        emergency_number=code.organisation.emergency_number,
        zone=code.visit.place.zone or "UTC",
        expires_at=code.expires_at,
        person=_person(session, store, code, until) if result is R.CONFIRMED else None,
    )


def network_of(address: str, *, key: bytes, now: dt.datetime) -> str:
    """The network of an address, hashed under a key of this day: nobody can be found by it, and not tomorrow."""
    try:
        parsed = ipaddress.ip_address(address)
        network = str(ipaddress.ip_network((parsed, COARSE_BITS[parsed.version]), strict=False))
    except ValueError:
        network = ""
    daily = hmac.digest(key, f"fieldvisit network {now.date()}".encode(), "sha256")
    return hmac.digest(daily, network.encode(), "sha256")[:8].hex()


def lookups() -> sa.Select[VerificationLookup]:
    """Every look-up that one may see; the caller states the order."""
    return sa.select(VerificationLookup)


def _find(session: Session, code_id: uuid.UUID) -> tuple[VerificationCode | None, bool]:
    """The code, and whether the account that it was given to is open."""
    query = (
        sa.select(VerificationCode, Account.active)
        .outerjoin(Account, Account.id == VerificationCode.account_id)
        .where(VerificationCode.id == code_id)
    )
    joined = (
        joinedload(VerificationCode.visit).joinedload(Visit.place),
        joinedload(VerificationCode.visitor),
        joinedload(VerificationCode.organisation),
    )
    row = session.execute(query.options(*joined)).one_or_none()
    return (row[0], bool(row[1])) if row else (None, False)


def _crew(session: Session, visit_id: uuid.UUID, plan_id: uuid.UUID | None) -> list[uuid.UUID]:
    """Who rides to the visit by the plan that it is in."""
    query = (
        sa.select(CrewMember.visitor_id)
        .join(Route, Route.id == CrewMember.route_id)
        .join(Stop, Stop.route_id == Route.id)
        .where(Stop.visit_id == visit_id, Route.plan_id == plan_id)
        .order_by(CrewMember.visitor_id)
    )
    return list(session.scalars(query))


def _ask_as_much(session: Session) -> None:
    """What is asked of the database for a good code only, about nobody."""
    organisations_by_id(session, [NOBODY])
    staff_facts(session, [NOBODY])
    session.get(StoredFile, NOBODY)


def _judged(
    session: Session,
    code: VerificationCode | None,
    read: ReadCode,
    crew: list[uuid.UUID],
    *,
    open_account: bool,
    key: bytes,
    now: dt.datetime,
) -> tuple[LookupResult, Withdrawn | None, list[uuid.UUID]]:
    """What the code is worth now, why it was withdrawn, and the papers that a good one rests on."""
    signed = is_signed(code or _decoy(now), read.tag, key=key)
    if code is None:
        return R.UNKNOWN, None, []
    if not signed:
        return R.FORGED, None, []
    if code.expires_at <= now or code.visit.state in OVER:
        return R.EXPIRED, None, []
    reason = _withdrawn(session, code, crew, open_account=open_account, now=now)
    if reason is not None:
        return R.WITHDRAWN, reason, []
    check = _checked(session, code, crew, now)
    if not check.passed:
        return R.WITHDRAWN, Withdrawn.PAPERS, []
    return R.CONFIRMED, None, check.credential_ids


def _withdrawn(
    session: Session, code: VerificationCode, crew: list[uuid.UUID], *, open_account: bool, now: dt.datetime
) -> Withdrawn | None:
    if code.visit.state not in OPEN:
        return Withdrawn.VISIT_OFF
    if code.visit.planned_on != local_day(now, code.visit.place.zone):
        # It was given back and planned anew, and nobody is due. One that goes on past midnight has no code by then.
        return Withdrawn.OTHER_DAY
    if code.visitor_id not in crew:
        return Withdrawn.OTHER_CREW
    if not code.visitor.active:
        return Withdrawn.VISITOR_LEFT
    if not open_account:
        return Withdrawn.ACCOUNT_CLOSED
    return Withdrawn.PHONE_REVOKED if _phone_refused(session, code) else None


def _phone_refused(session: Session, code: VerificationCode) -> bool:
    whose = {"org_id": code.org_id, "account_id": code.account_id}
    return code.device_id is not None and bool(
        what_refuses(session, **whose, device_id=code.device_id, issued_at=code.issued_at)
    )


def _checked(session: Session, code: VerificationCode, crew: list[uuid.UUID], now: dt.datetime) -> CredentialCheck:
    """The papers as they are now, for as long as a visit takes; stored as a check by the debtor."""
    span = Interval(now, now + dt.timedelta(seconds=code.visit.service_s))
    asked = AtTheDoor(visit=code.visit, span=span, visitor_ids=crew)
    checks = check_papers(session, [asked], moment=CheckMoment.DEBTOR, now=now, only={code.visitor_id})
    return checks[0]


def _papers_until(session: Session, credential_ids: list[uuid.UUID]) -> dt.date | None:
    query = sa.select(sa.func.min(Credential.valid_until)).where(Credential.id.in_(credential_ids))
    return session.scalar(query)


def _person(session: Session, store: FileStore, code: VerificationCode, until: dt.date | None) -> Person:
    visitor = code.visitor
    file = session.get(StoredFile, visitor.photo_id) if visitor.photo_id else None
    return Person(staff_number=visitor.staff_number, photo=_photo(store, file), papers_until=until)


def _photo(store: FileStore, file: StoredFile | None) -> bytes | None:
    if file is None:
        return None
    try:
        return store.get(file.org_id, file.digest)
    except FilesUnavailable:
        # The number and the organisation still help; the page says that it has no photo.
        return None


def _line(
    code: VerificationCode | None, asking: Asking, result: LookupResult, reason: Withdrawn | None
) -> VerificationLookup:
    return VerificationLookup(
        org_id=code.org_id if code else None,
        code_id=code.id if code else None,
        visit_id=code.visit_id if code else None,
        visitor_id=code.visitor_id if code else None,
        result=result,
        reason=reason,
        address=asking.network,
        at=asking.now,
    )


def _decoy(now: dt.datetime) -> VerificationCode:
    return VerificationCode(id=NOBODY, org_id=NOBODY, visit_id=NOBODY, visitor_id=NOBODY, expires_at=now)
