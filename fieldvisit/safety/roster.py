"""Who answers alarms, when, and where they are reached."""

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import phonenumbers
import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased, joinedload

from fieldvisit.clock import database_now
from fieldvisit.drafts import check_text
from fieldvisit.errors import FieldVisitError, InvalidValue, Kind, NotFound
from fieldvisit.languages import LANGUAGES, Message, tag
from fieldvisit.models import Account, DutyShift, OfficerContact, OutboxMessage, SafetySession, Visitor
from fieldvisit.vocabulary import AlarmChannel, DutyRank, MessagePurpose, MessageRecipient, Role, SafetyState

LONGEST_DUTY = dt.timedelta(hours=24)
HANDLES = (Role.SAFETY_OFFICER, Role.SUPERVISOR)
TEST_FOR = dt.timedelta(hours=1)
_OWN = aliased(Visitor)
IN_HOUSE = sa.and_(
    Account.active,
    ~sa.select(_OWN.id).where(_OWN.id == Account.visitor_id, ~_OWN.active).correlate(Account).exists(),
)
"""An account is open, and who goes out with it has not left: nobody else logs in, nor answers an alarm."""
OUT = (SafetyState.ACTIVE, SafetyState.ALARM)
LINE = (
    sa.select(OfficerContact.id)
    .where(OfficerContact.account_id == Account.id, OfficerContact.active, OfficerContact.channel != AlarmChannel.PUSH)
    .exists()
)
"""An account has an address by which an alarm reaches it; a push alone is none."""


# Of those who are on duty so many may not take an alarm about one who is out: themselves, and who is watched over at
# the same door. Who shares a crew by a plan is asked for at each start and each alarm only.
UNFIT = sa.text("""
with out as materialized (
    select id, visitor_id, visit_id from safety_sessions
    where org_id = :org_id and state in ('active', 'alarm') and drill is null
), own as materialized (
    select c.id as account_id, out.id, out.visit_id from accounts c join out on out.visitor_id = c.visitor_id
    where c.id = any(:on_duty)
)
select count(distinct own.account_id) from own join out on out.id = own.id or out.visit_id = own.visit_id
group by out.id order by 1 desc limit 1
""")


class CoverNeeded(FieldVisitError):
    """Visitors are out, and nobody else would be reached."""

    code, kind = "cover_needed", Kind.CONFLICT
    says = (
        "Visitors are out, and an alarm about one of them would then reach nobody. Put another officer on duty first."
    )


class NotAnOfficer(FieldVisitError):
    code, kind = "not_an_officer", Kind.CONFLICT
    says = "This account handles no alarms: it needs the role safety_officer or supervisor, and to be active."


@dataclass(frozen=True, kw_only=True)
class DutyDraft:
    account_id: uuid.UUID
    rank: DutyRank
    starts_at: dt.datetime
    ends_at: dt.datetime

    def __post_init__(self) -> None:
        if not self.starts_at < self.ends_at:
            raise InvalidValue(path="ends_at", reason="must be later than the time it starts")
        if self.ends_at - self.starts_at > LONGEST_DUTY:
            raise InvalidValue(path="ends_at", reason="is too long after the start")


@dataclass(frozen=True, kw_only=True)
class ContactDraft:
    """`address`: a number in E.164 for SMS and voice, an address for mail, a device's token for push."""

    account_id: uuid.UUID
    channel: AlarmChannel
    address: str
    language: str = "en"

    def __post_init__(self) -> None:
        check_text("address", self.address, longest=500)
        check_language(self.language)
        if self.channel is AlarmChannel.MAIL and "@" not in self.address:
            raise InvalidValue(path="address", reason=Message("not an e-mail address"))
        if self.channel in (AlarmChannel.SMS, AlarmChannel.VOICE):
            check_number(self.address, path="address")


def plan_duty(session: Session, draft: DutyDraft) -> DutyShift:
    """Put somebody on the roster. Raises NotAnOfficer."""
    account = demand_officer(session, draft.account_id)
    shift = DutyShift(
        org_id=account.org_id,
        account_id=account.id,
        rank=draft.rank,
        starts_at=draft.starts_at,
        ends_at=draft.ends_at,
    )
    session.add(shift)
    session.flush()
    return shift


def end_duty(session: Session, shift_id: uuid.UUID) -> None:
    """Take a shift off the roster. Alerts that opened during it keep calling the person. Raises CoverNeeded where it is
    the last one while visitors are out."""
    org_id = session.scalar(sa.select(DutyShift.org_id).where(DutyShift.id == shift_id))
    if org_id is None:
        raise NotFound(what="duty shift", id=shift_id)
    with keeping_cover(session, org_id):
        shift = session.get(DutyShift, shift_id, with_for_update={"of": DutyShift}, populate_existing=True)
        if shift is None:
            raise NotFound(what="duty shift", id=shift_id)
        session.delete(shift)


@contextmanager
def keeping_cover(session: Session, org_id: uuid.UUID) -> Iterator[None]:
    """What is done within ends no cover that visitors who are out have: raises CoverNeeded where it did, and what was
    done is then to be rolled back. One at a time in an organisation: of two at once each would count on the other."""
    turn = sa.func.hashtextextended(f"cover of {org_id}", 0)
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(turn)))
    before = _covered(session, org_id)
    yield
    session.flush()
    after = _covered(session, org_id)
    out = sa.select(SafetySession.id).where(
        SafetySession.org_id == org_id, SafetySession.state.in_(OUT), SafetySession.drill.is_(None)
    )
    if any(had and not has for had, has in zip(before, after, strict=True)) and session.scalar(sa.select(out.exists())):
        raise CoverNeeded()


def _covered(session: Session, org_id: uuid.UUID) -> tuple[bool, bool]:
    """Whether an alarm about somebody, and whether one about anybody who is out, would reach an officer."""
    return bool(reachable_officers(session, org_id)), cover_now(session, org_id) > 0


def roster() -> sa.Select[DutyShift]:
    """Everybody who is on duty now or later."""
    return sa.select(DutyShift).options(joinedload(DutyShift.account)).where(DutyShift.ends_at > database_now())


def add_contact(session: Session, draft: ContactDraft) -> OfficerContact:
    """Keep an address, and send it a test at once: an address that nobody tried is a hope."""
    account = demand_officer(session, draft.account_id)
    contact = OfficerContact(
        org_id=account.org_id,
        account_id=account.id,
        channel=draft.channel,
        address=draft.address,
        language=draft.language,
    )
    session.add(contact)
    session.flush()
    try_contact(session, contact.id)
    return contact


def drop_contact(session: Session, contact_id: uuid.UUID) -> None:
    """Never use it again. The messages that went to it stay on record. Raises CoverNeeded where it is the last one by
    which an officer would be reached while visitors are out."""
    contact = _contact(session, contact_id)
    with keeping_cover(session, contact.org_id):
        contact.active = False


def try_contact(session: Session, contact_id: uuid.UUID) -> OfficerContact:
    """Send a test message; the contact is confirmed when its owner presses 1, or by `confirm_contact`."""
    contact = _contact(session, contact_id)
    now: dt.datetime = session.scalars(sa.select(database_now())).one()
    contact.tested_at = now
    session.add(
        OutboxMessage(
            org_id=contact.org_id,
            key=f"test:{uuid.uuid4()}",
            purpose=MessagePurpose.CONTACT_TEST,
            recipient=MessageRecipient.OFFICER,
            recipient_id=contact.id,
            channel=contact.channel,
            next_try_at=now,
            give_up_at=now + TEST_FOR,
            created_at=now,
        )
    )
    session.flush()
    return contact


def contacts() -> sa.Select[OfficerContact]:
    return sa.select(OfficerContact).where(OfficerContact.active)


def reachable_officers(session: Session, org_id: uuid.UUID) -> Sequence[uuid.UUID]:
    """The organisation's accounts on duty now that may log in and have an address, in no stated order. A push alone is
    none: nobody promises that it arrives."""
    return session.scalars(
        sa.select(Account.id)
        .distinct()
        .join(DutyShift, DutyShift.account_id == Account.id)
        .join(OfficerContact, OfficerContact.account_id == Account.id)
        .where(
            Account.org_id == org_id,
            IN_HOUSE,
            OfficerContact.active,
            OfficerContact.channel != AlarmChannel.PUSH,
            DutyShift.starts_at <= database_now(),
            DutyShift.ends_at > database_now(),
        )
    ).all()


def cover_now(session: Session, org_id: uuid.UUID) -> int:
    """How many officers an alarm would reach now, whoever it is about: of all who are out the fewest, since nobody
    counts for themselves, nor for who is watched over at the same door."""
    on_duty = reachable_officers(session, org_id)
    if not on_duty:
        return 0
    return len(on_duty) - (session.scalar(UNFIT, {"org_id": org_id, "on_duty": list(on_duty)}) or 0)


def has_alarm_line(session: Session, account_id: uuid.UUID) -> bool:
    """Whether an alarm would reach this account by more than a push."""
    return bool(session.scalar(sa.select(sa.select(Account.id).where(Account.id == account_id, LINE).exists())))


def demand_officer(session: Session, account_id: uuid.UUID) -> Account:
    """The account, if it handles alarms. Raises NotFound, NotAnOfficer."""
    account = session.get(Account, account_id, populate_existing=True)
    if account is None:
        raise NotFound(what="account", id=account_id)
    if not account.active or not set(account.roles) & {role.value for role in HANDLES}:
        raise NotAnOfficer()
    if account.visitor_id and not session.scalar(sa.select(Visitor.active).where(Visitor.id == account.visitor_id)):
        raise NotAnOfficer()
    return account


def _contact(session: Session, contact_id: uuid.UUID) -> OfficerContact:
    contact = session.get(OfficerContact, contact_id)
    if contact is None or not contact.active:
        raise NotFound(what="contact", id=contact_id)
    return contact


def check_language(given: str) -> None:
    """Raise InvalidValue for a language in which nothing is said here."""
    if given not in LANGUAGES:
        raise InvalidValue(path="language", reason=Message("one of {given}", {"given": ", ".join(map(tag, LANGUAGES))}))


def check_number(given: str, *, path: str) -> None:
    """Raise InvalidValue for what is no number in E.164."""
    try:
        number = phonenumbers.parse(given)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) != given:
        raise InvalidValue(path=path, reason=Message("not a number in the form +358401234567"))
