"""Whom to telephone where no database can be asked: a list that is kept at hand."""

import json
import os
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.clock import database_now
from fieldvisit.database import acting_for_all
from fieldvisit.errors import FieldVisitError
from fieldvisit.models import Account, DutyShift, OfficerContact, Organisation, Visitor
from fieldvisit.safety.emergency import PURPOSE
from fieldvisit.safety.roster import HANDLES
from fieldvisit.safety.rules import Rules, rules_of_all
from fieldvisit.sealing import Cipher
from fieldvisit.vocabulary import AlarmChannel

LIST = "emergency.list"
CHANNELS = {channel.value for channel in AlarmChannel}

log = structlog.get_logger("fieldvisit.emergency")


@dataclass(frozen=True, kw_only=True)
class Address:
    channel: AlarmChannel
    to: str
    language: str


@dataclass(frozen=True, kw_only=True)
class Known:
    """Whom to call for an organisation: who was on duty, the others who answer alarms, and its agreed number outside,
    which is told which `house` it is; and what its visitors are called: id → name and staff number."""

    addresses: tuple[Address, ...]
    visitors: dict[str, str]
    others: tuple[Address, ...] = ()
    outside: tuple[Address, ...] = ()
    house: str = ""

    def called(self, *, everybody: bool) -> tuple[Address, ...]:
        """Whom to call now. With nobody on duty everybody is called at once, as the ladder does."""
        return (*self.addresses, *self.others) if everybody or not self.addresses else self.addresses

    def called_outside(self, *, everybody: bool) -> tuple[Address, ...]:
        """As on the ladder: with everybody, or at once where nobody of the house is on duty."""
        return self.outside if everybody or not self.addresses else ()


class DutyList:
    """The list that is called from when there is no database: asked for each minute, kept in memory and on the disk."""

    FRESH_S = 60.0

    def __init__(self, folder: Path, cipher: Cipher) -> None:
        self._path = folder / LIST
        self._cipher = cipher
        self._asked_at = -self.FRESH_S
        self._known: dict[str, Known] | None = None

    def keep_fresh(self, sessions: sessionmaker[Session]) -> None:
        """Ask again where the list is older than a minute. Never raises: it is asked in passing."""
        if time.monotonic() - self._asked_at < self.FRESH_S:
            return
        self._asked_at = time.monotonic()
        try:
            with acting_for_all(sessions) as session:
                self._known = _ask(session)
            self._store()
        except Exception as error:
            log.warning("duty_list_not_refreshed", error=type(error).__name__)

    def of(self, org_id: uuid.UUID) -> Known:
        if self._known is None:
            self._known = self._load()
        return self._known.get(str(org_id), Known(addresses=(), visitors={}))

    def _store(self) -> None:
        said = json.dumps({org: asdict(known) for org, known in (self._known or {}).items()})
        part = self._path.with_suffix(f".{os.getpid()}.part")
        part.touch(mode=0o600)
        part.write_bytes(self._cipher.seal(said, PURPOSE))
        part.replace(self._path)

    def _load(self) -> dict[str, Known]:
        try:
            stored = json.loads(self._cipher.open(self._path.read_bytes(), PURPOSE))
        except (OSError, FieldVisitError, ValueError) as error:
            log.error("duty_list_missing", error=type(error).__name__)
            return {}
        return {org: _known(each) for org, each in stored.items()}


def _known(stored: dict[str, Any]) -> Known:
    def addresses(name: str) -> tuple[Address, ...]:
        return tuple(
            Address(channel=AlarmChannel(each["channel"]), to=each["to"], language=each["language"])
            for each in stored.get(name, ())
            # Whom another version of the product calls in a way that this one does not know is called in the others.
            if isinstance(each, dict) and each.keys() >= {"channel", "to", "language"} and each["channel"] in CHANNELS
        )

    visitors = stored.get("visitors")
    return Known(
        addresses=addresses("addresses"),
        visitors={**visitors} if isinstance(visitors, dict) else {},
        others=addresses("others"),
        outside=addresses("outside"),
        house=str(stored.get("house", "")),
    )


def _ask(session: Session) -> dict[str, Known]:
    on_duty = sa.exists().where(
        DutyShift.account_id == Account.id, DutyShift.starts_at <= database_now(), DutyShift.ends_at > database_now()
    )
    answers = Account.roles.op("&&")(sa.cast([role.value for role in HANDLES], sa.ARRAY(sa.Text)))
    told = (
        sa.select(OfficerContact, on_duty)
        .join(Account, Account.id == OfficerContact.account_id)
        .where(Account.active, OfficerContact.active, OfficerContact.channel.in_(CHANNELS), sa.or_(on_duty, answers))
        .order_by(OfficerContact.id)
    )
    addresses: dict[tuple[str, bool], list[Address]] = {}
    for contact, is_on_duty in session.execute(told).unique():
        address = Address(channel=contact.channel, to=contact.address, language=contact.language)
        addresses.setdefault((str(contact.org_id), is_on_duty), []).append(address)
    visitors: dict[str, dict[str, str]] = {}
    for each in session.scalars(sa.select(Visitor).where(Visitor.active)):
        visitors.setdefault(str(each.org_id), {})[str(each.id)] = f"{each.name} ({each.staff_number})"
    outside = {str(org_id): _outside(rules) for org_id, rules in rules_of_all(session).items()}
    houses = {str(org_id): name for org_id, name in session.execute(sa.select(Organisation.id, Organisation.name))}
    return {
        org: Known(
            addresses=tuple(addresses.get((org, True), ())),
            visitors=visitors.get(org, {}),
            others=tuple(addresses.get((org, False), ())),
            outside=outside.get(org, ()),
            house=houses.get(org, ""),
        )
        for org in {org for org, _ in addresses} | visitors.keys()
    }


def _outside(rules: Rules) -> tuple[Address, ...]:
    line = rules.external
    if line is None:
        return ()
    channels = (AlarmChannel.VOICE, AlarmChannel.SMS) if line.sms else (AlarmChannel.VOICE,)
    return tuple(Address(channel=channel, to=line.number, language=line.language) for channel in channels)
