"""Visitors, their shifts and their credentials: upserts by the ids of the acting organisation."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.cases import find_cases
from fieldvisit.datums import Point
from fieldvisit.drafts import LONGEST_ID, Change, assign, check_text, find_organisation, told
from fieldvisit.errors import InvalidValue, NotFound
from fieldvisit.finding import get_by_id
from fieldvisit.models import Account, Case, Credential, Organisation, Shift, Visitor
from fieldvisit.rejudging import rejudge_visitor
from fieldvisit.safety.handing_over import lapse_alerts_of
from fieldvisit.vocabulary import CredentialKind, CrewSource

LONGEST_SHIFT = dt.timedelta(hours=16)


class StartFrom(StrEnum):
    """Where a shift sets out."""

    HOME = "home"
    OFFICE = "office"


@dataclass(frozen=True, kw_only=True)
class VisitorDraft:
    """`phone` in E.164. What is None stays as it is stored; a list is replaced whole, by an empty one too.

    Who is not `active` has left, or is away for long: is not planned and does not log in, and the visits ahead that
    they were to make are judged anew.
    """

    external_id: str
    name: str
    staff_number: str
    phone: str | None = None
    skills: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    home_address: str | None = None
    home: Point | None = None
    active: bool | None = None

    def __post_init__(self) -> None:
        check_text("external_id", self.external_id, longest=LONGEST_ID)
        check_text("name", self.name)
        check_text("staff_number", self.staff_number, longest=LONGEST_ID)
        if self.home_address is not None:
            check_text("home_address", self.home_address)
        for path, words in (("skills", self.skills), ("languages", self.languages)):
            for word in words or ():
                check_text(path, word, longest=LONGEST_ID)


@dataclass(frozen=True, kw_only=True)
class BreakDraft:
    """A rest of `seconds` somewhere in ``[from_at, until_at)``."""

    from_at: dt.datetime
    until_at: dt.datetime
    seconds: int

    def __post_init__(self) -> None:
        if not 0 < self.seconds <= (self.until_at - self.from_at).total_seconds():
            raise InvalidValue(path="break_minutes", reason="does not fit between the times of the break")


@dataclass(frozen=True, kw_only=True)
class ShiftDraft:
    """One visitor's work on one day; the instants are aware. Without a `crew_code` a crew is proposed."""

    visitor_id: str
    works_on: dt.date
    starts_at: dt.datetime
    ends_at: dt.datetime
    crew_code: str | None
    lead: bool
    from_office: bool
    rest: BreakDraft | None = None

    def __post_init__(self) -> None:
        if self.crew_code is not None:
            check_text("crew", self.crew_code, longest=LONGEST_ID)
        if not self.starts_at < self.ends_at:
            raise InvalidValue(path="end", reason="must be later than the time it starts")
        if self.ends_at - self.starts_at > LONGEST_SHIFT:
            raise InvalidValue(path="end", reason="is too long after the start")
        if self.rest and not self.starts_at <= self.rest.from_at < self.rest.until_at <= self.ends_at:
            raise InvalidValue(path="break_from", reason="is not inside the shift")


@dataclass(frozen=True, kw_only=True)
class CredentialDraft:
    """A paper of a visitor; both dates are local and included. `for_organisation` is the code of a lender,
    `for_case_id` a case that one may see, or `for_case` its id outside. `keeps`: what the sender says nothing of, and
    stays as it is stored."""

    external_id: str
    visitor_id: str
    kind: CredentialKind
    number: str
    issuer: str
    valid_from: dt.date
    valid_until: dt.date
    for_organisation: str | None = None
    for_case_id: uuid.UUID | None = None
    for_case: str | None = None
    keeps: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        check_text("external_id", self.external_id, longest=LONGEST_ID)
        check_text("number", self.number, longest=LONGEST_ID)
        check_text("issuer", self.issuer)
        if self.valid_until < self.valid_from:
            raise InvalidValue(path="valid_until", reason="must not be earlier than the first day")


def local_instant(day: dt.date, clock: dt.time, zone: str, path: str) -> dt.datetime:
    """When the clocks of `zone` show this time on this day, in UTC; the first of the two where they show it twice.

    A time that the clocks skip in spring is refused.
    """
    local = dt.datetime.combine(day, clock, ZoneInfo(zone))
    instant = local.astimezone(dt.UTC)
    if instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise InvalidValue(path=path, reason="is skipped by the clocks on this day")
    return instant


def visitor_called(org_id: uuid.UUID, external_id: str) -> sa.Select[uuid.UUID]:
    """The id of the organisation's visitor whom it calls so."""
    return sa.select(Visitor.id).where(Visitor.org_id == org_id, Visitor.external_id == external_id)


def credential_called(org_id: uuid.UUID, external_id: str) -> sa.Select[uuid.UUID]:
    """The id of the paper that the organisation calls so."""
    return sa.select(Credential.id).where(Credential.org_id == org_id, Credential.external_id == external_id)


def shift_on(org_id: uuid.UUID, visitor_external_id: str, day: dt.date) -> sa.Select[uuid.UUID]:
    """The id of this visitor's shift of this day."""
    whose = Shift.visitor_id == visitor_called(org_id, visitor_external_id).scalar_subquery()
    return sa.select(Shift.id).where(whose, Shift.works_on == day)


def find_visitor(session: Session, external_id: str) -> Visitor | None:
    """The visitor of the acting organisation with this id."""
    org_id = session.info["org"]
    return session.scalar(sa.select(Visitor).where(Visitor.org_id == org_id, Visitor.external_id == external_id))


def get_visitor(session: Session, external_id: str) -> Visitor:
    visitor = find_visitor(session, external_id)
    if visitor is None:
        raise NotFound(what="visitor", id=external_id)
    return visitor


def homes_to_find(session: Session, drafts: Sequence[VisitorDraft]) -> set[str]:
    """The home addresses that a geocoder is to look for: no point came with them and none is stored for them."""
    waiting = {draft.external_id: draft.home_address for draft in drafts if draft.home_address and not draft.home}
    stored = session.scalars(
        sa.select(Visitor).where(
            Visitor.org_id == session.info["org"], Visitor.external_id.in_(waiting), Visitor.home_lat.is_not(None)
        )
    )
    for visitor in stored:
        if visitor.home_address == waiting[visitor.external_id]:
            del waiting[visitor.external_id]
    return set(waiting.values())


def upsert_visitor(session: Session, draft: VisitorDraft) -> tuple[Visitor, Change]:
    """Keep what is told of a visitor. What one who leaves holds as an officer is let go by `let_go` afterwards."""
    values = told(
        name=draft.name,
        staff_number=draft.staff_number,
        phone=draft.phone,
        skills=None if draft.skills is None else list(draft.skills),
        languages=None if draft.languages is None else list(draft.languages),
        active=draft.active,
        home_address=draft.home_address,
        home_lat=draft.home.lat if draft.home else None,
        home_lon=draft.home.lon if draft.home else None,
    )
    visitor = find_visitor(session, draft.external_id)
    if visitor is not None:
        # A new address without its point must not keep the point of the old one.
        moved = draft.home_address is not None and draft.home_address != visitor.home_address
        if moved and draft.home is None:
            values |= {"home_lat": None, "home_lon": None}
        leaves = visitor.active and draft.active is False
        changed = assign(visitor, **values)
        session.flush()
        if leaves:
            now = session.execute(sa.select(sa.func.fieldvisit_now())).scalar_one()
            rejudge_visitor(session, visitor.id, now=now, code="visitor_left")
        return visitor, Change.CHANGED if changed else Change.UNCHANGED
    visitor = Visitor(org_id=session.info["org"], external_id=draft.external_id, **values)
    session.add(visitor)
    session.flush()
    return visitor, Change.ADDED


def let_go(session: Session) -> None:
    """Alerts that visitors of the acting organisation who have left hold as officers climb on at once. In a short
    transaction after the one in which they left: an engine waits for whoever holds an alert."""
    gone = sa.select(Account.id).join(Visitor, Visitor.id == Account.visitor_id)
    gone = gone.where(Visitor.org_id == session.info["org"], Visitor.active.is_(False))
    lapse_alerts_of(session, session.scalars(gone).all())


def upsert_shift(session: Session, draft: ShiftDraft) -> tuple[Shift, Change]:
    """One shift per visitor and day: another one for the same day replaces it."""
    visitor = get_visitor(session, draft.visitor_id)
    values: dict[str, object] = {
        "starts_at": draft.starts_at,
        "ends_at": draft.ends_at,
        "from_office": draft.from_office,
        "break_from_at": draft.rest.from_at if draft.rest else None,
        "break_until_at": draft.rest.until_at if draft.rest else None,
        "break_s": draft.rest.seconds if draft.rest else None,
    }
    shift = session.scalar(sa.select(Shift).where(Shift.visitor_id == visitor.id, Shift.works_on == draft.works_on))
    if shift is not None:
        values |= _crew(draft, shift.crew_by)
        changed = assign(shift, **values)
        session.flush()
        return shift, Change.CHANGED if changed else Change.UNCHANGED
    values |= {"lead": draft.lead} | _crew(draft, None)
    shift = Shift(org_id=visitor.org_id, visitor_id=visitor.id, works_on=draft.works_on, **values)
    session.add(shift)
    session.flush()
    return shift, Change.ADDED


def _crew(draft: ShiftDraft, named_by: CrewSource | None) -> dict[str, object]:
    """What the draft changes of the crew: nothing of what a dispatcher said, and a proposal only by naming a crew."""
    if named_by is CrewSource.DISPATCHER:
        return {}
    if draft.crew_code is not None:
        return {"crew_code": draft.crew_code, "crew_by": CrewSource.FILE, "lead": draft.lead}
    return {"crew_code": None, "crew_by": None} if named_by is CrewSource.FILE else {}


def upsert_credential(session: Session, draft: CredentialDraft) -> tuple[Credential, Change]:
    visitor = get_visitor(session, draft.visitor_id)
    organisation = find_organisation(session, draft.for_organisation) if draft.for_organisation else None
    if draft.for_organisation and organisation is None:
        raise InvalidValue(path="for_organisation", reason="is not the code of an organisation")
    values = {
        "visitor_id": visitor.id,
        "kind": draft.kind,
        "number": draft.number,
        "issuer": draft.issuer,
        "valid_from": draft.valid_from,
        "valid_until": draft.valid_until,
        "for_org_id": organisation.id if organisation else None,
        "for_case_id": _case_id(session, draft, organisation),
    }
    credential = session.scalar(
        sa.select(Credential).where(Credential.org_id == visitor.org_id, Credential.external_id == draft.external_id)
    )
    if credential is not None:
        holders = {credential.visitor_id, visitor.id}
        changed = assign(credential, **{name: value for name, value in values.items() if name not in draft.keeps})
        session.flush()
        if changed:
            now = session.execute(sa.select(sa.func.fieldvisit_now())).scalar_one()
            # Where it turns out to be somebody else's, those of whoever was thought to have it too.
            for holder_id in sorted(holders):
                rejudge_visitor(session, holder_id, now=now, code="credential_changed")
        return credential, Change.CHANGED if changed else Change.UNCHANGED
    credential = Credential(org_id=visitor.org_id, external_id=draft.external_id, **values)
    session.add(credential)
    session.flush()
    return credential, Change.ADDED


def _case_id(session: Session, draft: CredentialDraft, lender: Organisation | None) -> uuid.UUID | None:
    """The case that the paper is for. Its id outside is one of a lender; of which, the paper may say."""
    if draft.for_case is None:
        return get_by_id(session, Case, draft.for_case_id).id if draft.for_case_id else None
    found = find_cases(session, [draft.for_case])[draft.for_case]
    found = [case for case in found if lender is None or case.org_id == lender.id]
    if len(found) > 1:
        raise InvalidValue(path="for_case", reason="is a case of several lenders: say of which in for_organisation")
    if not found:
        raise InvalidValue(path="for_case", reason="is no case that you may see")
    return found[0].id


def revoke_credential(session: Session, credential_id: uuid.UUID, now: dt.datetime) -> Credential:
    """Take a paper back from now on; one that was taken back before stays so from then. Raises NotFound."""
    credential = get_by_id(session, Credential, credential_id)
    if credential.revoked_at is None:
        credential.revoked_at = now
        session.flush()
        rejudge_visitor(session, credential.visitor_id, now=now, code="credential_revoked")
        session.flush()
    return credential
