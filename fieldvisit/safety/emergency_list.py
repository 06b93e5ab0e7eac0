"""Whom to telephone where no database can be asked: a list that is kept at hand."""

import json
import os
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.clock import database_now
from fieldvisit.database import acting_for_all
from fieldvisit.errors import FieldVisitError
from fieldvisit.models import Account, DutyShift, OfficerContact, Organisation, Place, SafetySession, Visit, Visitor
from fieldvisit.safety.crews import companions
from fieldvisit.safety.emergency import PURPOSE
from fieldvisit.safety.roster import HANDLES, IN_HOUSE
from fieldvisit.safety.rules import Rules, rules_of_all
from fieldvisit.safety.standing import AT_RISK
from fieldvisit.sealing import Cipher
from fieldvisit.vocabulary import AlarmChannel

LIST = "emergency.list"
MOST_DOORS, DOORS_MS = 10_000, 1_000
CHANNELS = {channel.value for channel in AlarmChannel}

log = structlog.get_logger("fieldvisit.emergency")


@dataclass(frozen=True, kw_only=True)
class Address:
    channel: AlarmChannel
    to: str
    language: str
    visitor_id: str | None = None
    """Of whom it is, where that person goes out too."""


@dataclass(frozen=True, kw_only=True)
class Door:
    """At which a visitor is watched over."""

    visit_id: str
    reference: str
    address: str


@dataclass(frozen=True, kw_only=True)
class Known:
    """Whom to call for an organisation: who was on duty, the others who answer alarms, and its agreed number outside,
    which is told which `house` it is; what its visitors are called: id → name and staff number; and who of those who
    answer alarms goes with them: id → ids of visitors; and at which `doors` those are who are out: id → door."""

    addresses: tuple[Address, ...]
    visitors: dict[str, str]
    others: tuple[Address, ...] = ()
    outside: tuple[Address, ...] = ()
    house: str = ""
    together: dict[str, tuple[str, ...]] = field(default_factory=dict)
    doors: dict[str, Door] = field(default_factory=dict)

    def doors_of(self, visitor_id: uuid.UUID, visit_id: uuid.UUID | None) -> tuple[Door, ...]:
        """Where this visitor may be: the door of the session, and that of the visit which a call names, where it is
        known as somebody's."""
        own = self.doors.get(str(visitor_id))
        named = next((each for each in self.doors.values() if each.visit_id == str(visit_id)), None)
        return tuple(dict.fromkeys(each for each in (own, named) if each is not None))

    def about(self, visitor_id: uuid.UUID) -> "Known":
        """The same for a call of this visitor. As on the ladder nobody is told of a call of their own, nor of somebody
        they go with: a covert one would show on the phone beside whoever must not learn of it."""
        left_out = {str(visitor_id), *self.together.get(str(visitor_id), ())}
        addresses, others = (
            tuple(each for each in of if each.visitor_id not in left_out) for of in (self.addresses, self.others)
        )
        return replace(self, addresses=addresses, others=others)

    def called(self, *, everybody: bool) -> tuple[Address, ...]:
        """Whom to call now. With nobody on duty everybody is called at once, as the ladder does."""
        return (*self.addresses, *self.others) if everybody or not self._is_covered else self.addresses

    def called_outside(self, *, everybody: bool) -> tuple[Address, ...]:
        """As on the ladder: with everybody, or at once where nobody of the house is on duty."""
        return self.outside if everybody or not self._is_covered else ()

    @property
    def _is_covered(self) -> bool:
        """Whether somebody on duty is reached. A push alone is no alarm line: nobody promises that it arrives."""
        return any(each.channel is not AlarmChannel.PUSH for each in self.addresses)


class DutyList:
    """The list that is called from when there is no database: asked for each minute, kept in memory and on the disk."""

    FRESH_S = 60.0

    def __init__(self, folder: Path, cipher: Cipher) -> None:
        self._path = folder / LIST
        self._cipher = cipher
        self._asked_at = -self.FRESH_S
        self._known: dict[str, Known] | None = None
        self._seen: Kept | None = None

    def keep_fresh(self, sessions: sessionmaker[Session]) -> None:
        """Ask again where the list is older than a minute. Never raises: it is asked in passing."""
        if time.monotonic() - self._asked_at < self.FRESH_S:
            return
        self._asked_at = time.monotonic()
        try:
            with acting_for_all(sessions) as session:
                self._known = _ask(session, self._known or {})
            # Whatever stands there is older, also where this disk does not take the new one.
            self._seen = _kept(self._path)
            self._store()
        except Exception as error:
            log.warning("duty_list_not_refreshed", error=type(error).__name__)

    def of(self, org_id: uuid.UUID) -> Known:
        """By the youngest list on this host: another process may have asked since this one did."""
        kept = _kept(self._path)
        if self._known is None or (kept is not None and kept != self._seen):
            found = self._load()
            if found is not None:
                self._known, self._seen = found, kept
        return (self._known or {}).get(str(org_id), Known(addresses=(), visitors={}))

    def _store(self) -> None:
        said = json.dumps({org: asdict(known) for org, known in (self._known or {}).items()})
        part = self._path.with_suffix(f".{os.getpid()}.part")
        part.touch(mode=0o600)
        part.write_bytes(self._cipher.seal(said, PURPOSE))
        mine = _kept(part)
        part.replace(self._path)
        self._seen = mine

    def _load(self) -> dict[str, Known] | None:
        try:
            stored = json.loads(self._cipher.open(self._path.read_bytes(), PURPOSE))
            return {org: _known(each) for org, each in stored.items()}
        except (OSError, FieldVisitError, ValueError, TypeError, AttributeError, KeyError) as error:
            log.error("duty_list_missing", error=type(error).__name__)
            return None


type Kept = tuple[int, int, int]
"""Which file it is, when it was written and how long it is. Compared, not ordered: a clock that steps hides no list."""


def _kept(path: Path) -> Kept | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _known(stored: dict[str, Any]) -> Known:
    def addresses(name: str) -> tuple[Address, ...]:
        return tuple(
            Address(
                channel=AlarmChannel(each["channel"]),
                to=each["to"],
                language=each["language"],
                visitor_id=of if isinstance(of := each.get("visitor_id"), str) else None,
            )
            for each in stored.get(name, ())
            # Whom another version of the product calls in a way that this one does not know is called in the others.
            if isinstance(each, dict) and each.keys() >= {"channel", "to", "language"} and each["channel"] in CHANNELS
        )

    visitors, together = stored.get("visitors"), stored.get("together")
    together = together if isinstance(together, dict) else {}
    return Known(
        addresses=addresses("addresses"),
        visitors={**visitors} if isinstance(visitors, dict) else {},
        others=addresses("others"),
        outside=addresses("outside"),
        house=str(stored.get("house", "")),
        together={of: tuple(ids) for of, ids in together.items() if isinstance(ids, list)},
        doors=dict(_stored_doors(stored.get("doors"))),
    )


def _stored_doors(stored: object) -> Iterator[tuple[str, Door]]:
    """What another version has kept otherwise is no door."""
    for of, each in stored.items() if isinstance(stored, dict) else ():
        if isinstance(each, dict) and each.keys() >= {"visit_id", "reference", "address"}:
            yield of, Door(**{name: str(each[name]) for name in ("visit_id", "reference", "address")})


def _ask(session: Session, before: Mapping[str, Known]) -> dict[str, Known]:
    """`before`: the list that was, for what cannot be told now."""
    addresses, going = _addresses(session)
    visitors: dict[str, dict[str, str]] = {}
    for each in session.scalars(sa.select(Visitor).where(Visitor.active)):
        visitors.setdefault(str(each.org_id), {})[str(each.id)] = f"{each.name} ({each.staff_number})"
    outside = {str(org_id): _outside(rules) for org_id, rules in rules_of_all(session).items()}
    houses = {str(org_id): name for org_id, name in session.execute(sa.select(Organisation.id, Organisation.name))}
    # The last that is asked: its limits hold until the end of the transaction.
    together = _together(session, going, before)
    doors = _doors(session, before)
    return {
        org: Known(
            addresses=tuple(addresses.get((org, True), ())),
            visitors=visitors.get(org, {}),
            others=tuple(addresses.get((org, False), ())),
            outside=outside.get(org, ()),
            house=houses.get(org, ""),
            together=together.get(org, {}),
            doors=doors.get(org, {}),
        )
        for org in {org for org, _ in addresses} | visitors.keys()
    }


def _doors(session: Session, before: Mapping[str, Known]) -> dict[str, dict[str, Door]]:
    """Organisation → visitor → the door of the session by which they are out; of so many that no list grows without
    end, those that began last. What was known before, where it cannot be told within a second or not be opened."""
    watched = (
        sa.select(SafetySession.org_id, SafetySession.visitor_id, Visit.id, Visit.reference, Place.address)
        .join(Visit, Visit.id == SafetySession.visit_id)
        .join(Place, Place.id == Visit.place_id)
        .where(SafetySession.state.in_(AT_RISK), SafetySession.drill.is_(None))
        .order_by(SafetySession.started_at.desc())
        .limit(MOST_DOORS)
    )
    found: dict[str, dict[str, Door]] = {}
    limits = (sa.func.set_config(name, str(DOORS_MS), True) for name in ("lock_timeout", "statement_timeout"))
    try:
        with session.begin_nested():
            session.execute(sa.select(*limits))
            rows = session.execute(watched).all()
    except (DBAPIError, FieldVisitError) as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise
        log.exception("doors_not_asked")
        return {org: known.doors for org, known in before.items()}
    for org_id, visitor_id, visit_id, reference, address in rows:
        door = Door(visit_id=str(visit_id), reference=reference, address=address)
        found.setdefault(str(org_id), {})[str(visitor_id)] = door
    return found


def _addresses(session: Session) -> tuple[dict[tuple[str, bool], list[Address]], dict[uuid.UUID, str]]:
    """Organisation and whether they are on duty now → where those who answer alarms are reached; and those of them who
    go out themselves: visitor → organisation."""
    on_duty = sa.exists().where(
        DutyShift.account_id == Account.id, DutyShift.starts_at <= database_now(), DutyShift.ends_at > database_now()
    )
    answers = Account.roles.op("&&")(sa.cast([role.value for role in HANDLES], sa.ARRAY(sa.Text)))
    told = (
        sa.select(OfficerContact, on_duty, Account.visitor_id)
        .join(Account, Account.id == OfficerContact.account_id)
        .where(IN_HOUSE, OfficerContact.active, OfficerContact.channel.in_(CHANNELS), sa.or_(on_duty, answers))
        .order_by(OfficerContact.id)
    )
    addresses: dict[tuple[str, bool], list[Address]] = {}
    going: dict[uuid.UUID, str] = {}
    for contact, is_on_duty, visitor_id in session.execute(told).unique():
        org, of = str(contact.org_id), None
        if visitor_id is not None:
            going[visitor_id], of = org, str(visitor_id)
        address = Address(channel=contact.channel, to=contact.address, language=contact.language, visitor_id=of)
        addresses.setdefault((org, is_on_duty), []).append(address)
    return addresses, going


def _together(
    session: Session, going: Mapping[uuid.UUID, str], before: Mapping[str, Known]
) -> dict[str, dict[str, tuple[str, ...]]]:
    """Organisation → visitor → those of `going` who go with them."""
    pairs = companions(session, going)
    if pairs is None:
        return {org: known.together for org, known in before.items()}
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for me, them in pairs:
        of = found.setdefault(going[me], {})
        of[str(them)] = (*of.get(str(them), ()), str(me))
    return found


def _outside(rules: Rules) -> tuple[Address, ...]:
    line = rules.external
    if line is None:
        return ()
    channels = (AlarmChannel.VOICE, AlarmChannel.SMS) if line.sms else (AlarmChannel.VOICE,)
    return tuple(Address(channel=channel, to=line.number, language=line.language) for channel in channels)
