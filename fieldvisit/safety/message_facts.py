"""All that a message may speak of, and where its recipient is reached now; read for many messages in one question."""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from fieldvisit.clock import database_now
from fieldvisit.models import (
    Account,
    Device,
    OfficerContact,
    Organisation,
    OutboxMessage,
    Place,
    SafetyAlert,
    SafetyRules,
    SafetySession,
    Visit,
    Visitor,
    WatchOutage,
)
from fieldvisit.safety.held_tables import nothing_of
from fieldvisit.safety.named_visits import named_visit_id
from fieldvisit.safety.nudging import ABOUT
from fieldvisit.safety.roster import HANDLES, IN_HOUSE
from fieldvisit.vocabulary import (
    AlarmChannel,
    AlertKind,
    AlertState,
    MessagePurpose,
    MessageRecipient,
    RiskLevel,
    SafetyState,
)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All that a message may speak of; what does not belong to it is empty."""

    id: uuid.UUID
    purpose: MessagePurpose
    recipient: MessageRecipient
    channel: AlarmChannel
    too_late: bool
    stands: bool | None
    """Of a reminder: the deadline that it is about is still that of a session that runs."""
    give_up_at: dt.datetime | None
    due_at: dt.datetime | None
    address: str | None
    language: str | None
    push_token: str | None
    push_language: str | None
    own_phone: bool | None
    """Of a push: the phone is that of the visitor whom the session is about."""
    phone: str | None
    languages: list[str] | None
    kind: AlertKind | None
    state: AlertState | None
    unverified: bool | None
    opened_at: dt.datetime | None
    deadline_at: dt.datetime | None
    last_lat: float | None
    last_lon: float | None
    last_located_at: dt.datetime | None
    name: str | None
    staff_number: str | None
    visit: str | None
    zone: str | None
    drill: bool
    outage_from: dt.datetime | None
    outage_until: dt.datetime | None
    unanswered: int | None
    """Of the alerts of that outage."""
    covert: bool | None
    """Nothing of it may be heard beside the visitor's phone, by now: it may have been put out before that was known."""
    police_decided: bool | None
    """That was decided about the alert by now: the message is not needed."""
    figures: dict[str, Any] | None
    level: RiskLevel | None
    house: str | None
    door: str | None
    """The address of the visit; of a message to the number outside only."""
    external: dict[str, Any] | None
    """Of such a message: how that number is reached now, see `fieldvisit.safety.rules.ExternalLine`."""
    other_visit: str | None
    """Another visit that the call for help named: the visitor may be at either."""
    other_door: str | None
    named_visit_id: uuid.UUID | None
    """The visit that the newest call named, the one of the session as well."""


_CALLED = aliased(Visitor)
# The phone may have gone to somebody else since the message was put out.
_OWN_PHONE = sa.and_(Account.active, Device.visitor_id == SafetySession.visitor_id)
_OFFICERS_PHONE = sa.and_(
    IN_HOUSE,
    OutboxMessage.purpose.not_in(ABOUT),
    Account.roles.op("&&")(sa.cast([role.value for role in HANDLES], sa.ARRAY(sa.Text))),
)
_STANDS = sa.and_(
    SafetySession.state == SafetyState.ACTIVE,
    ~SafetySession.duress,
    sa.case(
        {purpose.value: deadline for purpose, deadline in ABOUT.items()}, value=sa.cast(OutboxMessage.purpose, sa.Text)
    )
    == OutboxMessage.give_up_at,
)
_OUTSIDE = OutboxMessage.recipient == MessageRecipient.EXTERNAL
_EXTERNAL = (
    sa.select(SafetyRules.external)
    .where(SafetyRules.org_id == OutboxMessage.org_id)
    .order_by(SafetyRules.set_at.desc(), SafetyRules.id.desc())
    .limit(1)
    .scalar_subquery()
)
_OTHER, _OTHER_PLACE = aliased(Visit), aliased(Place)
_NAMED = named_visit_id(SafetyAlert, SafetySession).lateral("named")
# A message about another door carries which.
_ELSEWHERE = sa.func.coalesce(sa.cast(OutboxMessage.figures["visit_id"].astext, sa.Uuid), _NAMED.c.visit_id)
_RAISED = aliased(SafetyAlert)
_UNANSWERED = (
    sa.select(sa.func.count())
    .select_from(_RAISED)
    .where(
        _RAISED.outage_id == OutboxMessage.outage_id,
        _RAISED.state.not_in((AlertState.ACKNOWLEDGED, AlertState.RESOLVED)),
    )
    .scalar_subquery()
)
_FACTS = (
    sa.select(
        OutboxMessage.id,
        OutboxMessage.purpose,
        OutboxMessage.recipient,
        OutboxMessage.channel,
        sa.func.coalesce(OutboxMessage.give_up_at <= sa.select(database_now()).scalar_subquery(), sa.false()).label(
            "too_late"
        ),
        _STANDS.label("stands"),
        OutboxMessage.give_up_at,
        SafetySession.due_at,
        sa.case((sa.and_(OfficerContact.active, IN_HOUSE), OfficerContact.address)).label("address"),
        OfficerContact.language,
        sa.case((sa.or_(_OWN_PHONE, _OFFICERS_PHONE), Device.push_token)).label("push_token"),
        Device.push_language,
        _OWN_PHONE.label("own_phone"),
        _CALLED.phone,
        _CALLED.languages,
        SafetyAlert.kind,
        SafetyAlert.state,
        SafetyAlert.unverified,
        SafetyAlert.opened_at,
        SafetyAlert.deadline_at,
        SafetySession.last_lat,
        SafetySession.last_lon,
        SafetySession.last_located_at,
        Visitor.name,
        Visitor.staff_number,
        Visit.reference.label("visit"),
        Organisation.zone,
        SafetySession.drill.is_not(None).label("drill"),
        WatchOutage.from_at.label("outage_from"),
        WatchOutage.until_at.label("outage_until"),
        sa.case((OutboxMessage.outage_id.is_not(None), _UNANSWERED)).label("unanswered"),
        sa.or_(SafetyAlert.covert, SafetySession.duress).label("covert"),
        (SafetyAlert.police_due_at.is_(None)).label("police_decided"),
        OutboxMessage.figures,
        SafetySession.level,
        Organisation.name.label("house"),
        sa.case((_OUTSIDE, Place.address)).label("door"),
        sa.case((_OUTSIDE, _EXTERNAL)).label("external"),
        _OTHER.reference.label("other_visit"),
        sa.case((_OUTSIDE, _OTHER_PLACE.address)).label("other_door"),
        _NAMED.c.visit_id.label("named_visit_id"),
    )
    .outerjoin(
        OfficerContact,
        sa.and_(OutboxMessage.recipient == MessageRecipient.OFFICER, OfficerContact.id == OutboxMessage.recipient_id),
    )
    # A phone makes its own id: it must not pass for anybody else by it.
    .outerjoin(
        Device,
        sa.and_(
            OutboxMessage.recipient == MessageRecipient.DEVICE,
            Device.org_id == OutboxMessage.org_id,
            Device.id == OutboxMessage.recipient_id,
        ),
    )
    .outerjoin(Account, Account.id == sa.func.coalesce(OfficerContact.account_id, Device.account_id))
    .outerjoin(_CALLED, _CALLED.id == OutboxMessage.recipient_id)
    .outerjoin(SafetyAlert, SafetyAlert.id == OutboxMessage.alert_id)
    .outerjoin(SafetySession, SafetySession.id == OutboxMessage.session_id)
    .outerjoin(Visitor, Visitor.id == SafetySession.visitor_id)
    .outerjoin(Visit, Visit.id == SafetySession.visit_id)
    .outerjoin(Place, sa.and_(_OUTSIDE, Place.id == Visit.place_id))
    .outerjoin(_NAMED, sa.true())
    .outerjoin(
        _OTHER,
        sa.and_(_OTHER.id == _ELSEWHERE, _ELSEWHERE.is_distinct_from(SafetySession.visit_id)),
    )
    .outerjoin(_OTHER_PLACE, sa.and_(_OUTSIDE, _OTHER_PLACE.id == _OTHER.place_id))
    .outerjoin(WatchOutage, WatchOutage.id == OutboxMessage.outage_id)
    .outerjoin(Organisation, Organisation.id == OutboxMessage.org_id)
)


def facts_of(
    session: Session, message_ids: Sequence[uuid.UUID], *, without: Collection[str] = ()
) -> Mapping[uuid.UUID, Facts]:
    """By message; those that are there no more are left out. The tables named in `without` are not touched: what is of
    them is empty. Raises FieldVisitError where a stored value cannot be opened."""
    found = session.execute(_doing_without(_FACTS, without).where(OutboxMessage.id.in_(message_ids)))
    return {row["id"]: Facts(**row) for row in found.mappings()}


_SEALED_WORDS = {"name": Visitor.name, "door": Place.address, "other_door": Place.address}
_LISTED_WORDS = {"kind": AlertKind, "state": AlertState, "level": RiskLevel}
_STORED_AS = dict.fromkeys(_LISTED_WORDS, sa.Text) | dict.fromkeys(_SEALED_WORDS, sa.LargeBinary)
_AS_STORED = _FACTS.with_only_columns(
    *(
        sa.type_coerce(getattr(each, "element", each), _STORED_AS[each.key]).label(each.key)
        if each.key in _STORED_AS
        else each
        for each in _FACTS.selected_columns
    )
)


def facts_as_stored(session: Session, message_id: uuid.UUID, *, without: Collection[str] = ()) -> Facts | None:
    """Of one message, where something stands in the way of reading it: a word of a closed list that a later version
    knows stays as it is stored, a name that cannot be opened is "-". How its recipient is reached is not guessed at."""
    asked = _doing_without(_AS_STORED, without).where(OutboxMessage.id == message_id)
    row = session.execute(asked).mappings().one_or_none()
    if row is None:
        return None
    dialect = session.get_bind().dialect
    words = {key: _word(row[key], listed) for key, listed in _LISTED_WORDS.items()}
    opened = {key: _opened(row[key], column.type, dialect) for key, column in _SEALED_WORDS.items()}
    return Facts(**{**row, **words, **opened})


def _doing_without(asked: sa.Select[Any], names: Collection[str]) -> sa.Select[Any]:
    """In the statement a name means what the statement itself calls so, before any table."""
    return asked.add_cte(*map(nothing_of, sorted(names)))


def _word(stored: str | None, listed: type[StrEnum]) -> StrEnum | str | None:
    return listed(stored) if stored is not None and stored in [*listed] else stored


def _opened(stored: bytes | None, sealed: Any, dialect: sa.Dialect) -> str | None:
    try:
        found: str | None = sealed.process_result_value(stored, dialect)
    except Exception:
        return "-"
    return found
