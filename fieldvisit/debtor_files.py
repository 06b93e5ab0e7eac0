"""What one may know of a debtor, gathered; whoever need not see a number sees its end."""

import uuid
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.datums import Point
from fieldvisit.finding import get_by_id
from fieldvisit.models import ContactPoint, Debtor, Place, Wish
from fieldvisit.vocabulary import ContactPointKind, DebtorParty, PlaceKind, PointSource

SHOWN_AT_END = 3


@dataclass(frozen=True, kw_only=True)
class ContactPointSeen:
    id: uuid.UUID
    kind: ContactPointKind
    value: str


@dataclass(frozen=True, kw_only=True)
class PlaceSeen:
    id: uuid.UUID
    kind: PlaceKind
    address: str
    point: Point | None
    found_by: PointSource
    found_note: str | None
    zone: str
    geofence_m: int | None
    region: str | None


@dataclass(frozen=True, kw_only=True)
class DebtorFile:
    id: uuid.UUID
    lender_id: uuid.UUID
    external_id: str
    party: DebtorParty
    name: str
    language: str | None
    national_id: str | None
    contact_points: tuple[ContactPointSeen, ...]
    places: tuple[PlaceSeen, ...]
    wishes: tuple[Wish, ...]


def read_debtor_file(session: Session, debtor_id: uuid.UUID, *, unmasked: bool) -> DebtorFile:
    """The file of a debtor that may be seen; raises NotFound for any other."""
    debtor = get_by_id(session, Debtor, debtor_id)
    points = session.scalars(
        sa.select(ContactPoint).where(ContactPoint.debtor_id == debtor_id).order_by(ContactPoint.id)
    )
    places = session.scalars(sa.select(Place).where(Place.debtor_id == debtor_id).order_by(Place.id))
    wishes = session.scalars(sa.select(Wish).where(Wish.debtor_id == debtor_id).order_by(Wish.id))
    show = str if unmasked else masked
    return DebtorFile(
        id=debtor.id,
        lender_id=debtor.org_id,
        external_id=debtor.external_id,
        party=debtor.party,
        name=debtor.name,
        language=debtor.language,
        national_id=None if debtor.national_id is None else show(debtor.national_id),
        contact_points=tuple(ContactPointSeen(id=each.id, kind=each.kind, value=show(each.value)) for each in points),
        places=tuple(_place(each) for each in places),
        wishes=tuple(wishes),
    )


def masked(value: str) -> str:
    """The end of a value, enough to tell two apart: ``+358450001234`` → ``••••••••••234``. Short ones are hidden."""
    shown = value[-SHOWN_AT_END:] if len(value) > 2 * SHOWN_AT_END else ""
    return "•" * (len(value) - len(shown)) + shown


def _place(place: Place) -> PlaceSeen:
    known = place.lat is not None and place.lon is not None
    return PlaceSeen(
        id=place.id,
        kind=place.kind,
        address=place.address,
        point=Point(lat=place.lat, lon=place.lon) if known else None,  # type: ignore[arg-type]  # asked for in `known`
        found_by=place.found_by,
        found_note=place.found_note,
        zone=place.zone,
        geofence_m=place.geofence_m,
        region=place.region,
    )
