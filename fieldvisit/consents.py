"""Consents: what the debtor agreed to, in which form, until they withdraw it.

A consent that is withdrawn reaches every visit ahead that rested on it, in the transaction that withdraws it.
"""

import datetime as dt
import uuid
from dataclasses import asdict, dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.facts import ConsentAbout, ConsentForm
from fieldvisit.compliance.parameters import ConsentContent
from fieldvisit.compliance.wallclock import WEEK
from fieldvisit.drafts import Change
from fieldvisit.errors import FieldVisitError, InvalidValue, Kind, NotFound
from fieldvisit.models import Consent, Debtor, Place, Visit
from fieldvisit.rejudging import Rejudged, rejudge_debtor

DAYS = tuple(day.value for day in WEEK)


class AlreadyWithdrawn(FieldVisitError):
    code, kind = "already_withdrawn", Kind.CONFLICT
    says = "This consent was withdrawn before."


class ConsentDiffers(FieldVisitError):
    code, kind = "consent_differs", Kind.CONFLICT
    says = "A consent with the id {external_id} is on file already, with other values. Withdraw it first."


class ConsentWithdrawn(FieldVisitError):
    code, kind = "consent_withdrawn", Kind.CONFLICT
    says = "The consent with the id {external_id} was withdrawn at {revoked_at}. A new consent needs an id of its own."


@dataclass(frozen=True, kw_only=True)
class ConsentDraft:
    """What the debtor agreed to. None of a bound (place, visit, dates) does not bind.

    Hours are widened only by a consent that names both times; `contents` is what the debtor was told when agreeing to
    one visit. `external_id` makes recording repeatable.
    """

    debtor_id: uuid.UUID
    form: ConsentForm
    given_at: dt.datetime
    about: ConsentAbout = ConsentAbout.VISITS
    external_id: str | None = None
    place_id: uuid.UUID | None = None
    visit_id: uuid.UUID | None = None
    contents: tuple[ConsentContent, ...] = ()
    days: tuple[str, ...] = ()
    from_time: dt.time | None = None
    until_time: dt.time | None = None
    starts_on: dt.date | None = None
    ends_on: dt.date | None = None

    def __post_init__(self) -> None:
        if self.given_at.tzinfo is None:
            raise InvalidValue(path="given_at", reason="must name its UTC offset")
        if (self.from_time is None) != (self.until_time is None):
            raise InvalidValue(path="until_time", reason="is given when, and only when, from_time is")
        if not set(self.days) <= set(DAYS):
            raise InvalidValue(path="days", reason="must name days of the week")
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise InvalidValue(path="ends_on", reason="must not be earlier than starts_on")
        object.__setattr__(self, "days", tuple(sorted(set(self.days), key=DAYS.index)))
        object.__setattr__(self, "contents", tuple(sorted(set(self.contents))))


def record_consent(
    session: Session, draft: ConsentDraft, *, recorded_by_id: uuid.UUID | None, now: dt.datetime, origin: str
) -> tuple[Consent, Change]:
    """Record a consent. The same `external_id` with the same values again changes nothing.

    Raises NotFound, InvalidValue for one from the future, and ConsentDiffers.
    """
    debtor = _demand_known(session, draft, now)
    values = asdict(draft) | {"days": list(draft.days), "contents": [each.value for each in draft.contents]}
    there = _find(session, debtor.org_id, draft.external_id)
    if there is not None:
        if any(getattr(there, name) != value for name, value in values.items()):
            raise ConsentDiffers(external_id=draft.external_id)
        return there, Change.UNCHANGED
    consent = Consent(
        org_id=debtor.org_id, purpose=draft.about.value, recorded_by_id=recorded_by_id, origin=origin, **values
    )
    session.add(consent)
    session.flush()
    return consent, Change.ADDED


def demand_in_force(consent: Consent) -> None:
    """Raise ConsentWithdrawn for one that was taken back since: whoever records it anew is not to believe that it
    holds."""
    if consent.revoked_at is not None:
        raise ConsentWithdrawn(external_id=consent.external_id, revoked_at=consent.revoked_at.isoformat())


def withdraw_consent(session: Session, consent_id: uuid.UUID, *, now: dt.datetime) -> tuple[Consent, Rejudged]:
    """End a consent, and judge anew every visit ahead of the debtor. Raises NotFound and AlreadyWithdrawn."""
    consent = session.scalars(sa.select(Consent).where(Consent.id == consent_id).with_for_update()).one_or_none()
    if consent is None:
        raise NotFound(what="consent", id=consent_id)
    if consent.revoked_at is not None:
        raise AlreadyWithdrawn()
    consent.revoked_at = now
    session.flush()
    return consent, rejudge_debtor(session, consent.debtor_id, now=now, code="consent_withdrawn")


def consents_of(debtor_id: uuid.UUID) -> sa.Select[Consent]:
    """Every consent of the debtor, withdrawn ones too; the caller states the order."""
    return sa.select(Consent).where(Consent.debtor_id == debtor_id)


def _demand_known(session: Session, draft: ConsentDraft, now: dt.datetime) -> Debtor:
    debtor = session.get(Debtor, draft.debtor_id)
    if debtor is None:
        raise NotFound(what="debtor", id=draft.debtor_id)
    if draft.given_at > now:
        raise InvalidValue(path="given_at", reason="lies in the future")
    if draft.place_id is not None:
        _demand_of(session.get(Place, draft.place_id), debtor, what="place", row_id=draft.place_id)
    if draft.visit_id is not None:
        _demand_of(session.get(Visit, draft.visit_id), debtor, what="visit", row_id=draft.visit_id)
    return debtor


def _demand_of(row: Place | Visit | None, debtor: Debtor, *, what: str, row_id: uuid.UUID) -> None:
    if row is None or row.debtor_id != debtor.id:
        raise NotFound(what=what, id=row_id)


def _find(session: Session, org_id: uuid.UUID, external_id: str | None) -> Consent | None:
    if external_id is None:
        return None
    asked = sa.select(Consent).where(Consent.org_id == org_id, Consent.external_id == external_id)
    return session.scalars(asked).one_or_none()
