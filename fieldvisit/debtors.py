"""Debtors with their contact points and places, and the times they stated.

An upsert takes what the sender knows: what a draft leaves out (None) stays as it is stored, and contact points and
places are added to, never taken away.
"""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.drafts import LONGEST_ID, Change, acting_organisation, assign, check_text, combined, folded, told
from fieldvisit.errors import InvalidValue, NotFound
from fieldvisit.found_points import Found, zone_at
from fieldvisit.models import ContactPoint, Debtor, Organisation, Place, Wish
from fieldvisit.rejudging import rejudge_debtor
from fieldvisit.sealing import cipher_of
from fieldvisit.vocabulary import ContactPointKind, DebtorParty, PlaceKind, PointSource

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
# Of two ways to know a point the better one stays: a given point is not replaced by a geocoder's.
_TRUST = (PointSource.NONE, PointSource.GEOCODED, PointSource.GIVEN)


# A dialer's file names the same few numbers again and again, and parsing was a quarter of its import.
@lru_cache(maxsize=10_000)
def phone_number(text: str, country: str) -> str:
    """The number as E.164; one without a country code is of `country`."""
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException as error:
        raise InvalidValue(path="phone", reason="is not a telephone number") from error
    # Possible, not valid: number plans change faster than the tables of any library.
    if number.extension or not phonenumbers.is_possible_number(number):
        raise InvalidValue(path="phone", reason="is not a telephone number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@dataclass(frozen=True, kw_only=True)
class ContactPointDraft:
    """A number in E.164 (see `phone_number`), an e-mail address, or an address to write to."""

    kind: ContactPointKind
    value: str

    def __post_init__(self) -> None:
        check_text("value", self.value)
        if self.kind is ContactPointKind.PHONE and not _E164.fullmatch(self.value):
            raise InvalidValue(path="value", reason="is not a telephone number")
        if self.kind is ContactPointKind.EMAIL and not _EMAIL.fullmatch(self.value):
            raise InvalidValue(path="value", reason="is not an e-mail address")


_REGION = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}")


@dataclass(frozen=True, kw_only=True)
class PlaceDraft:
    """An address, and where it is. `found` None: nobody has looked yet. `region`: ISO 3166-2, such as ``US-MA``."""

    address: str
    kind: PlaceKind = PlaceKind.HOME
    found: Found | None = None
    geofence_m: int | None = None
    region: str | None = None

    def __post_init__(self) -> None:
        check_text("address", self.address)
        if self.geofence_m is not None and not 20 <= self.geofence_m <= 5_000:
            raise InvalidValue(path="geofence_m", reason="must lie between 20 and 5000 metres")
        if self.region is not None and not _REGION.fullmatch(self.region):
            raise InvalidValue(path="region", reason="must be a region of ISO 3166-2, such as US-MA")


@dataclass(frozen=True, kw_only=True)
class DebtorDraft:
    """One debtor under the sender's own id. `language` is a BCP 47 tag such as ``fi`` or ``zh-CN``."""

    external_id: str
    name: str
    party: DebtorParty | None = None
    national_id: str | None = None
    language: str | None = None
    contact_points: tuple[ContactPointDraft, ...] = ()
    places: tuple[PlaceDraft, ...] = ()

    def __post_init__(self) -> None:
        check_text("external_id", self.external_id, longest=LONGEST_ID)
        check_text("name", self.name)
        if self.national_id is not None:
            check_text("national_id", self.national_id, longest=LONGEST_ID)
        if self.language is not None and not _LANGUAGE.fullmatch(self.language):
            raise InvalidValue(path="language", reason="is not a language tag such as fi or zh-CN")


@dataclass(frozen=True, kw_only=True)
class WishDraft:
    """Never then (`only` False), or only then: wall-clock times of the place, half-open, on these weekdays."""

    debtor_id: str
    only: bool
    days: tuple[str, ...]
    from_time: dt.time
    until_time: dt.time
    note: str | None = None

    def __post_init__(self) -> None:
        if not self.days or not set(self.days) <= set(DAYS):
            raise InvalidValue(path="days", reason="must name days of the week")
        if not self.from_time < self.until_time:
            raise InvalidValue(path="until", reason="must be later than the time it starts")
        if self.note is not None:
            check_text("note", self.note)
        object.__setattr__(self, "days", tuple(sorted(set(self.days), key=DAYS.index)))


def find_debtor(session: Session, external_id: str) -> Debtor | None:
    """The debtor of the acting organisation with this id."""
    org_id = session.info["org"]
    return session.scalar(sa.select(Debtor).where(Debtor.org_id == org_id, Debtor.external_id == external_id))


def get_debtor(session: Session, external_id: str) -> Debtor:
    debtor = find_debtor(session, external_id)
    if debtor is None:
        raise NotFound(what="debtor", id=external_id)
    return debtor


def upsert_debtor(session: Session, draft: DebtorDraft) -> tuple[Debtor, Change]:
    """Store what the draft knows of the debtor, with contact points and places."""
    organisation = acting_organisation(session)
    values = told(party=draft.party, name=draft.name, national_id=draft.national_id, language=draft.language)
    debtor = find_debtor(session, draft.external_id)
    if debtor is None:
        debtor, change = Debtor(org_id=organisation.id, external_id=draft.external_id, **values), Change.ADDED
        session.add(debtor)
    else:
        change = Change.CHANGED if assign(debtor, **values) else Change.UNCHANGED
    session.flush()
    # A debtor who was not there has nothing to compare with: half of the queries of a first import.
    known = change is not Change.ADDED
    points = _add_contact_points(session, debtor, draft.contact_points, known=known)
    places = _upsert_places(session, debtor, draft.places, known=known)
    session.flush()
    return debtor, combined(change, *points, *places)


def contact_digest(session: Session, draft: ContactPointDraft) -> bytes:
    """What the contact point is found by without opening it."""
    return cipher_of(session.get_bind().dialect).digest(f"{draft.kind} {folded(draft.value)}")


def address_digest(session: Session, address: str) -> bytes:
    return cipher_of(session.get_bind().dialect).digest(f"place {folded(address)}")


def places_to_find(session: Session, drafts: Sequence[DebtorDraft]) -> set[str]:
    """The addresses of these drafts that a geocoder is to look for: no point came with them and none is stored."""
    org_id = session.info["org"]
    waiting = {
        (draft.external_id, address_digest(session, place.address)): place.address
        for draft in drafts
        for place in draft.places
        if place.found is None
    }
    stored = sa.select(Debtor.external_id, Place.digest).join(Place, Place.debtor_id == Debtor.id)
    known = session.execute(
        stored.where(
            Debtor.org_id == org_id,
            Debtor.external_id.in_({external_id for external_id, _ in waiting}),
            Place.found_by != PointSource.NONE,
        )
    )
    for external_id, digest in known:
        waiting.pop((external_id, bytes(digest)), None)
    return set(waiting.values())


def state_wish(session: Session, draft: WishDraft, now: dt.datetime, *, origin: str) -> tuple[Wish, Change]:
    """Store a time that a debtor of the acting organisation stated."""
    return state_wish_of(session, get_debtor(session, draft.debtor_id), draft, now, origin=origin)


def state_wish_of(
    session: Session, debtor: Debtor, draft: WishDraft, now: dt.datetime, *, origin: str
) -> tuple[Wish, Change]:
    """Store a time that this debtor stated, and judge the visits ahead anew; the same one again changes its note at
    most."""
    wish = session.scalar(
        sa.select(Wish).where(
            Wish.debtor_id == debtor.id,
            Wish.only == draft.only,
            Wish.days == list(draft.days),
            Wish.from_time == draft.from_time,
            Wish.until_time == draft.until_time,
        )
    )
    if wish is not None:
        change = Change.CHANGED if assign(wish, **told(note=draft.note)) else Change.UNCHANGED
    else:
        change = Change.ADDED
        wish = Wish(
            org_id=debtor.org_id,
            debtor_id=debtor.id,
            only=draft.only,
            days=list(draft.days),
            from_time=draft.from_time,
            until_time=draft.until_time,
            note=draft.note,
            origin=origin,
            stated_at=now,
        )
        session.add(wish)
    session.flush()
    if change is Change.ADDED:
        rejudge_debtor(session, debtor.id, now=now, code="wish_stated")
    return wish, change


def add_contact_point(session: Session, debtor: Debtor, draft: ContactPointDraft) -> Change:
    """One more way to reach the debtor; one that is known already changes nothing."""
    (change,) = _add_contact_points(session, debtor, [draft], known=True)
    session.flush()
    return change


def _add_contact_points(
    session: Session, debtor: Debtor, drafts: Sequence[ContactPointDraft], *, known: bool
) -> list[Change]:
    stored = session.scalars(sa.select(ContactPoint.digest).where(ContactPoint.debtor_id == debtor.id)) if known else ()
    seen = {bytes(digest) for digest in stored}
    changes = []
    for draft in drafts:
        digest = contact_digest(session, draft)
        changes.append(Change.UNCHANGED if digest in seen else Change.ADDED)
        if digest not in seen:
            seen.add(digest)
            values = {"kind": draft.kind, "value": draft.value, "digest": digest}
            session.add(ContactPoint(org_id=debtor.org_id, debtor_id=debtor.id, **values))
    return changes


def _upsert_places(session: Session, debtor: Debtor, drafts: Sequence[PlaceDraft], *, known: bool) -> list[Change]:
    organisation = acting_organisation(session)
    stored = session.scalars(sa.select(Place).where(Place.debtor_id == debtor.id)) if known else ()
    places = {bytes(place.digest): place for place in stored}
    changes = []
    for draft in drafts:
        digest = address_digest(session, draft.address)
        if digest in places:
            stated = told(geofence_m=draft.geofence_m, region=draft.region)
            better = _better(places[digest], draft.found, organisation)
            changed = assign(places[digest], kind=draft.kind, **stated, **better)
            changes.append(Change.CHANGED if changed else Change.UNCHANGED)
            continue
        places[digest] = Place(
            org_id=debtor.org_id,
            debtor_id=debtor.id,
            kind=draft.kind,
            geofence_m=draft.geofence_m,
            address=draft.address,
            digest=digest,
            country=organisation.country,
            region=draft.region,
            **_where(draft.found or NOBODY_LOOKED, organisation),
        )
        session.add(places[digest])
        changes.append(Change.ADDED)
    return changes


def _better(place: Place, found: Found | None, organisation: Organisation) -> dict[str, object]:
    """Where the place is by what was found now, if that is known at least as well as what is stored."""
    if found is None or _TRUST.index(found.source) < _TRUST.index(place.found_by):
        return {}
    return _where(found, organisation)


def _where(found: Found, organisation: Organisation) -> dict[str, object]:
    return {
        "lat": found.point.lat if found.point else None,
        "lon": found.point.lon if found.point else None,
        "found_by": found.source,
        "found_note": found.note,
        "zone": zone_at(found.point, organisation.zone),
    }


NOBODY_LOOKED = Found(point=None, source=PointSource.NONE, note="nobody has looked for it yet")
