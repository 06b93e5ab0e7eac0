"""Receipts for money at the door: one series a house, whose numbers phones hold in blocks, so that a phone without
signal never gives out one that another has given out, and no number is left unexplained.

Money that was taken is written down whatever is wrong with it: what happened, happened. What is wrong is flagged.
"""

import datetime as dt
import hashlib
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.conduct_parameters import MoneyAtDoor
from fieldvisit.compliance.terms import Terms
from fieldvisit.compliance.wallclock import local_day
from fieldvisit.decisions import organisations_by_id
from fieldvisit.door_notes import terms_at
from fieldvisit.door_records import MoneyTaken
from fieldvisit.drafts import acting_organisation, check_text
from fieldvisit.errors import FieldVisitError, Kind, NotFound
from fieldvisit.field_rules import field_rules
from fieldvisit.models import Case, CashClosing, Organisation, Receipt, ReceiptBlock, Visit
from fieldvisit.phone.telling import EventIdReused, Teller
from fieldvisit.visits import note_event
from fieldvisit.vocabulary import ReceiptFlaw, ReceiptState

SERIES = "R-"
STATED = re.compile(r"R-(\d{6,15})", re.ASCII)


class MoneyNotTaken(FieldVisitError):
    code, kind = "money_not_taken", Kind.FORBIDDEN
    says = "Your house takes no money at doors."


class NumberNotYours(FieldVisitError):
    code, kind = "number_not_yours", Kind.MISSING
    says = "The receipt number {number} is not one that you hold, or it was used before."


class BlockClosed(FieldVisitError):
    code, kind = "block_closed", Kind.CONFLICT
    says = "This block of receipt numbers was closed before."


@dataclass(frozen=True, kw_only=True)
class VoidDraft:
    """A number that was spoilt: a slip of the pen, a torn sheet. The id is the phone's."""

    event_id: uuid.UUID
    number: str
    reason: str

    def __post_init__(self) -> None:
        check_text("reason", self.reason)


@dataclass(frozen=True)
class _Held:
    """A number that may be given out, or could be until its block was closed."""

    number: int
    block: ReceiptBlock


def written(number: int) -> str:
    """As it stands on the receipt."""
    return f"{SERIES}{number:06}"


def may_take_money(session: Session, terms: Terms | None) -> bool:
    """Whether the house takes money at doors and no policy that binds there forbids it."""
    return field_rules(session).may_take_money and not forbids_money(terms)


def forbids_money(terms: Terms | None) -> bool:
    return any(rule.binds and rule.money is MoneyAtDoor.FORBIDDEN for rule in (terms.money if terms else ()))


def hand_block(
    session: Session, visitor_id: uuid.UUID, device_id: uuid.UUID | None, *, now: dt.datetime
) -> ReceiptBlock:
    """The block that this phone gives receipts from: the one it holds while half of it is left, else the next numbers
    of the house's series. Raises MoneyNotTaken."""
    rules = field_rules(session)
    if not rules.may_take_money:
        raise MoneyNotTaken()
    org_id = session.info["org"]
    # One after the other: the numbers of a house follow each other without a gap.
    session.execute(sa.select(Organisation.id).where(Organisation.id == org_id).with_for_update(key_share=True))
    for block in blocks_held(session, visitor_id):
        if (
            block.device_id == device_id
            and 2 * len(unused(session, block)) >= block.last_number - block.first_number + 1
        ):
            return block
    last = session.scalar(sa.select(sa.func.max(ReceiptBlock.last_number)).where(ReceiptBlock.org_id == org_id)) or 0
    block = ReceiptBlock(
        org_id=org_id,
        visitor_id=visitor_id,
        device_id=device_id,
        first_number=last + 1,
        last_number=last + rules.receipt_block,
        issued_at=now,
    )
    session.add(block)
    session.flush()
    return block


def blocks_held(session: Session, visitor_id: uuid.UUID) -> Sequence[ReceiptBlock]:
    """The visitor's blocks that are not closed, the newest first."""
    held = ReceiptBlock.visitor_id == visitor_id, ReceiptBlock.closed_at.is_(None)
    return session.scalars(sa.select(ReceiptBlock).where(*held).order_by(ReceiptBlock.first_number.desc())).all()


def unused(session: Session, block: ReceiptBlock) -> list[int]:
    """Its numbers that were neither given out nor spoilt, in order."""
    used = set(session.scalars(sa.select(Receipt.number).where(*_within(block))))
    return [number for number in range(block.first_number, block.last_number + 1) if number not in used]


def close_block(session: Session, block_id: uuid.UUID, *, reason: str, by: uuid.UUID, now: dt.datetime) -> ReceiptBlock:
    """Take the rest of a block out of use, where a phone was lost or a visitor leaves. Raises NotFound, BlockClosed."""
    check_text("reason", reason)
    block = session.get(ReceiptBlock, block_id, with_for_update=True, populate_existing=True)
    if block is None:
        raise NotFound(what="receipt block", id=block_id)
    if block.closed_at is not None:
        raise BlockClosed()
    block.closed_at, block.closed_by_id, block.close_reason = now, by, reason
    session.flush()
    return block


def void_number(session: Session, draft: VoidDraft, *, visitor_id: uuid.UUID, now: dt.datetime) -> Receipt:
    """Write down that a number was spoilt. Told again it changes nothing. Raises NumberNotYours, EventIdReused."""
    there = session.get(Receipt, draft.event_id)
    if there is not None:
        if (there.visitor_id, there.stated, there.reason) != (visitor_id, draft.number, draft.reason):
            raise EventIdReused(event_id=draft.event_id)
        return there
    held = _held(session, draft.number, visitor_id)
    if held is None or held.block.closed_at is not None:
        raise NumberNotYours(number=draft.number)
    row = _row(session, draft.event_id, visitor_id, number=held.number, stated=draft.number, taken_at=now, now=now)
    row.state, row.amount_minor, row.reason = ReceiptState.VOID, 0, draft.reason
    session.add(row)
    session.flush()
    return row


def book_money(
    session: Session,
    visit: Visit,
    money: MoneyTaken,
    *,
    event_id: uuid.UUID,
    at: dt.datetime,
    by: Teller,
    now: dt.datetime,
) -> Receipt:
    """Write down money that was taken at a visit, and flag what is wrong with it."""
    held = _held(session, money.receipt_number, by.visitor_id) if money.receipt_number else None
    number = held.number if held else None
    row = _row(session, event_id, by.visitor_id, number=number, stated=money.receipt_number, taken_at=at, now=now)
    row.state, row.visit_id = ReceiptState.ISSUED, visit.id
    row.amount_minor, row.currency = money.amount_minor, money.currency
    row.same_money = _same_money(visit, money)
    row.flaws = [flaw.value for flaw in _flaws(session, visit, money, held=held, at=at)]
    session.add(row)
    if row.flaws:
        session.add(note_event(visit, "receipt_flagged", now=now, codes=row.flaws, receipt_id=str(event_id)))
    session.flush()
    return row


def receipts_where(
    *, visitor_id: uuid.UUID | None = None, booked_on: dt.date | None = None, flawed: bool | None = None
) -> sa.Select[Receipt]:
    """Receipts and spoilt numbers of one's house, all or those that fit; the caller states the order."""
    rows = sa.select(Receipt)
    if visitor_id is not None:
        rows = rows.where(Receipt.visitor_id == visitor_id)
    if booked_on is not None:
        rows = rows.where(Receipt.booked_on == booked_on)
    return rows if flawed is None else rows.where((sa.func.cardinality(Receipt.flaws) > 0) == flawed)


def day_to_book(session: Session, at: dt.datetime, now: dt.datetime) -> dt.date:
    """The local day of an instant; the day of now, or the first after it that is open, where that was closed or one
    after it was: what a closed day began with stays. Whoever closes a day waits until this is written, or this for
    them."""
    zone, org_id = acting_organisation(session).zone, session.info["org"]
    session.execute(sa.select(Organisation.id).where(Organisation.id == org_id).with_for_update(read=True))
    day = local_day(at, zone)
    closed_on = session.scalar(sa.select(sa.func.max(CashClosing.closed_on)).where(CashClosing.org_id == org_id))
    if closed_on is None or closed_on < day:
        return day
    return max(local_day(now, zone), closed_on + dt.timedelta(days=1))


def _row(
    session: Session,
    event_id: uuid.UUID,
    visitor_id: uuid.UUID,
    *,
    number: int | None,
    stated: str | None,
    taken_at: dt.datetime,
    now: dt.datetime,
) -> Receipt:
    return Receipt(
        id=event_id,
        org_id=session.info["org"],
        number=number,
        stated=stated,
        visitor_id=visitor_id,
        taken_at=taken_at,
        booked_on=day_to_book(session, taken_at, now),
        flaws=[],
    )


def _flaws(
    session: Session, visit: Visit, money: MoneyTaken, *, held: _Held | None, at: dt.datetime
) -> list[ReceiptFlaw]:
    found = []
    known: Case | None = visit.case
    terms = None
    if known is not None:
        organisations = organisations_by_id(session, (visit.org_id, visit.lender_id))
        terms = terms_at(organisations, visit, local_day(at, visit.place.zone))
        if money.currency != known.currency:
            found.append(ReceiptFlaw.OTHER_CURRENCY)
    if not may_take_money(session, terms):
        found.append(ReceiptFlaw.NOT_ALLOWED)
    if money.receipt_number is None:
        found.append(ReceiptFlaw.NO_NUMBER)
    elif held is None:
        used = sa.select(Receipt.id).where(
            Receipt.org_id == session.info["org"], Receipt.stated == money.receipt_number
        )
        found.append(ReceiptFlaw.USED_BEFORE if session.scalars(used).first() else ReceiptFlaw.NOT_YOURS)
    elif held.block.closed_at is not None:
        found.append(ReceiptFlaw.BLOCK_CLOSED)
    return found


def _same_money(visit: Visit, money: MoneyTaken) -> uuid.UUID | None:
    """By which two of a crew who tell of one receipt are known to, for as long as the books are kept."""
    if money.receipt_number is None:
        return None
    told = f"{visit.id} {money.receipt_number} {money.currency} {money.amount_minor}"
    return uuid.UUID(hashlib.sha256(told.encode()).hexdigest()[:32])


def _held(session: Session, stated: str, visitor_id: uuid.UUID) -> _Held | None:
    """The number that is meant, where this visitor was given it and has not used it yet. Its block is locked: two
    tellings of one number take turns."""
    match = STATED.fullmatch(stated)
    if match is None:
        return None
    number = int(match.group(1))
    if written(number) != stated:
        return None
    block = session.scalars(
        sa.select(ReceiptBlock)
        .where(ReceiptBlock.visitor_id == visitor_id)
        .where(ReceiptBlock.first_number <= number, ReceiptBlock.last_number >= number)
        .with_for_update()
    ).one_or_none()
    if block is None:
        return None
    used = sa.select(Receipt.id).where(Receipt.org_id == block.org_id, Receipt.number == number)
    return None if session.scalars(used).first() else _Held(number, block)


def _within(block: ReceiptBlock) -> tuple[sa.ColumnElement[bool], ...]:
    return Receipt.org_id == block.org_id, Receipt.number.between(block.first_number, block.last_number)
