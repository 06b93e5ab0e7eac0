"""Organisations, whom they work with, and the areas they plan in."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.loading import preset_names
from fieldvisit.errors import FieldVisitError, InvalidValue, Kind, NotFound
from fieldvisit.languages import Message
from fieldvisit.models import Area, Organisation, Placement
from fieldvisit.planning_rules import MOST_VISITS
from fieldvisit.vocabulary import OrganisationKind

CODE = re.compile(r"[a-z0-9][a-z0-9-]{1,39}")
SMALLEST_M, LARGEST_M = 100, 200_000


class OrganisationNotNamed(FieldVisitError):
    code, kind = "organisation_not_named", Kind.INVALID
    says = "Say which organisation is meant, by its code: {codes}."


@dataclass(frozen=True, kw_only=True)
class OrganisationDraft:
    """What it takes to add an organisation. Without policies nothing is permitted to it."""

    code: str
    name: str
    kind: OrganisationKind
    country: str
    zone: str
    policies: tuple[str, ...] = ()
    debtor_phone: str | None = None
    emergency_number: str = "112"

    def __post_init__(self) -> None:
        if not CODE.fullmatch(self.code):
            raise InvalidValue(path="code", reason=Message("must be 2 to 40 of a-z, 0-9 and -"))
        if not re.fullmatch("[A-Z]{2}", self.country):
            raise InvalidValue(path="country", reason=Message("must be two capital letters, such as FI"))
        refuse_unknown_zone(self.zone)
        presets = preset_names()
        if unknown := [name for name in self.policies if name not in presets]:
            values = {"unknown": ", ".join(unknown), "presets": ", ".join(presets)}
            raise InvalidValue(path="policies", reason=Message("{unknown}: not among the presets {presets}", values))


@dataclass(frozen=True, kw_only=True)
class AreaDraft:
    """A circle around the office that crews may start from; WGS-84 degrees. `most_visits`: of a day, None: no limit."""

    code: str
    name: str
    lat: float
    lon: float
    radius_m: int
    most_visits: int | None = None

    def __post_init__(self) -> None:
        if not CODE.fullmatch(self.code):
            raise InvalidValue(path="code", reason=Message("must be 2 to 40 of a-z, 0-9 and -"))
        if not SMALLEST_M <= self.radius_m <= LARGEST_M:
            reason = Message("must lie between {min} and {max}", {"min": SMALLEST_M, "max": LARGEST_M})
            raise InvalidValue(path="radius_m", reason=reason)
        if self.most_visits is not None and not 0 <= self.most_visits <= MOST_VISITS:
            reason = Message("must lie between {min} and {max}", {"min": 0, "max": MOST_VISITS})
            raise InvalidValue(path="most_visits", reason=reason)


def refuse_unknown_zone(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidValue(path="zone", reason=Message("must be an IANA time zone, such as Europe/Helsinki")) from error


def create_organisation(session: Session, draft: OrganisationDraft) -> Organisation:
    """Add an organisation. The session has to see them all."""
    values: Mapping[str, object] = asdict(draft) | {"policies": list(draft.policies)}
    organisation = Organisation(**values)
    session.add(organisation)
    session.flush()
    return organisation


def every_organisation() -> sa.Select[Organisation]:
    return sa.select(Organisation).order_by(Organisation.code)


def partners_of(org_id: uuid.UUID) -> sa.Select[Organisation]:
    """The organisation itself and those that it gave a case to or got one from. The table is open to all, so the
    choice is made here."""
    given = sa.select(Placement.agency_id).where(Placement.org_id == org_id)
    got = sa.select(Placement.org_id).where(Placement.agency_id == org_id)
    seen = sa.or_(Organisation.id == org_id, Organisation.id.in_(given), Organisation.id.in_(got))
    return sa.select(Organisation).where(seen)


def get_partner(session: Session, org_id: uuid.UUID, wanted_id: uuid.UUID) -> Organisation:
    """The organisation itself or one of its partners; raises NotFound for any other."""
    found = session.scalar(partners_of(org_id).where(Organisation.id == wanted_id))
    if found is None:
        raise NotFound(what="organisation", id=wanted_id)
    return found


def get_organisation_by_code(session: Session, code: str) -> Organisation:
    found = session.scalar(sa.select(Organisation).where(Organisation.code == code))
    if found is None:
        raise NotFound(what="organisation", id=code)
    return found


def get_only_organisation(session: Session) -> Organisation:
    """The one organisation of this installation; raises OrganisationNotNamed where there are several, or none yet."""
    found = session.scalars(every_organisation()).all()
    if len(found) != 1:
        raise OrganisationNotNamed(codes=", ".join(each.code for each in found) or "-")
    return found[0]


def areas_of(org_id: uuid.UUID) -> sa.Select[Area]:
    return sa.select(Area).where(Area.org_id == org_id)


def area_coded(org_id: uuid.UUID, code: str) -> sa.Select[Area]:
    return areas_of(org_id).where(Area.code == code)


def get_area(session: Session, org_id: uuid.UUID, area_id: uuid.UUID) -> Area:
    """One of the organisation's own; raises NotFound for any other."""
    found = session.scalar(areas_of(org_id).where(Area.id == area_id))
    if found is None:
        raise NotFound(what="area", id=area_id)
    return found


def upsert_area(session: Session, org_id: uuid.UUID, draft: AreaDraft) -> Area:
    """The area with this code, new or changed."""
    area = session.scalar(area_coded(org_id, draft.code))
    if area is None:
        area = Area(org_id=org_id, code=draft.code)
        session.add(area)
    area.name, area.lat, area.lon, area.radius_m = draft.name, draft.lat, draft.lon, draft.radius_m
    area.most_visits = draft.most_visits
    session.flush()
    return area
