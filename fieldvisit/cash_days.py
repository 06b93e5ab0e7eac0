"""Cash: what each visitor has in hand, what was handed in and counted by somebody else, and the day that is closed."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from fieldvisit.compliance.decision import plain
from fieldvisit.compliance.wallclock import local_day
from fieldvisit.contact_proposals import OwnProposal
from fieldvisit.drafts import acting_organisation, check_text
from fieldvisit.errors import FieldVisitError, InvalidValue, Kind, NotFound
from fieldvisit.field_rules import field_rules
from fieldvisit.finding import get_by_id
from fieldvisit.models import Account, CashClosing, CashDeposit, Organisation, Receipt, ReceiptBlock, Visitor
from fieldvisit.phone.holding import held_with_money
from fieldvisit.receipts import day_to_book
from fieldvisit.vocabulary import CashFault, DepositState, DepositWay, ReceiptState


class DepositDecided(FieldVisitError):
    code, kind = "deposit_decided", Kind.CONFLICT
    says = "This deposit is settled already: {state}."


class DepositDiffers(FieldVisitError):
    code, kind = "deposit_differs", Kind.CONFLICT
    says = "A deposit with this id is on file with other values."


class DayNotReconciled(FieldVisitError):
    code, kind = "day_not_reconciled", Kind.CONFLICT
    says = "The day cannot be closed without a reason: {faults}."


class DayClosed(FieldVisitError):
    code, kind = "day_closed", Kind.CONFLICT
    says = "The money of {on} was reconciled before."


@dataclass(frozen=True, kw_only=True)
class DepositDraft:
    """Money that the visitor handed in. The id is the phone's."""

    event_id: uuid.UUID
    amount_minor: int
    currency: str
    way: DepositWay
    deposited_at: dt.datetime
    reference: str | None = None


@dataclass(frozen=True, kw_only=True)
class InHand:
    """One visitor's money of one currency on a day, in minor units. `stated`: said to be handed in, not counted yet.
    `in_hand`: at the end of the day, without what is only stated."""

    visitor_id: uuid.UUID
    currency: str
    brought_minor: int
    taken_minor: int
    counted_minor: int
    stated_minor: int
    in_hand_minor: int
    over_limit: bool


@dataclass(frozen=True, kw_only=True)
class BlockStanding:
    """What became of the numbers of a block. `skipped`: neither given out nor spoilt, though a later one was."""

    block_id: uuid.UUID
    visitor_id: uuid.UUID
    first_number: int
    last_number: int
    issued: int
    void: int
    left: int
    skipped: tuple[int, ...]
    closed: bool


@dataclass(frozen=True, kw_only=True)
class CashDay:
    on: dt.date
    closed: bool
    people: tuple[InHand, ...]
    blocks: tuple[BlockStanding, ...]
    flawed: tuple[uuid.UUID, ...]
    """The receipts of the day with which something is wrong."""
    held: tuple[uuid.UUID, ...]
    """The held events that tell of money of the day, or of one before: it is in nobody's hand here yet."""
    faults: tuple[CashFault, ...]


def state_deposit(session: Session, draft: DepositDraft, *, visitor_id: uuid.UUID, now: dt.datetime) -> CashDeposit:
    """Say that money was handed in. The same again changes nothing. Raises NotFound, DepositDiffers, InvalidValue."""
    get_by_id(session, Visitor, visitor_id)
    values = {
        "visitor_id": visitor_id,
        "amount_minor": draft.amount_minor,
        "currency": draft.currency,
        "way": draft.way,
        "reference": draft.reference,
        "deposited_at": draft.deposited_at,
    }
    there = session.get(CashDeposit, draft.event_id)
    if there is not None:
        if any(getattr(there, name) != value for name, value in values.items()):
            raise DepositDiffers()
        return there
    if draft.deposited_at > now + dt.timedelta(minutes=5):
        raise InvalidValue(path="deposited_at", reason="lies in the future")
    row = CashDeposit(id=draft.event_id, org_id=session.info["org"], **values)
    session.add(row)
    session.flush()
    return row


def confirm_deposit(
    session: Session, deposit_id: uuid.UUID, *, counted_minor: int, by: uuid.UUID, now: dt.datetime
) -> CashDeposit:
    """Count it: what was found leaves the visitor's hand, the rest stays in it. Raises NotFound, OwnProposal,
    DepositDecided."""
    row = _undecided(session, deposit_id, by)
    row.state, row.counted_minor, row.booked_on = DepositState.CONFIRMED, counted_minor, day_to_book(session, now, now)
    return _decide(session, row, by=by, now=now)


def refuse_deposit(
    session: Session, deposit_id: uuid.UUID, *, reason: str, by: uuid.UUID, now: dt.datetime
) -> CashDeposit:
    """It did not come, or is not what it is said to be. Raises NotFound, OwnProposal, DepositDecided."""
    check_text("reason", reason)
    row = _undecided(session, deposit_id, by)
    row.state, row.reason = DepositState.REFUSED, reason
    return _decide(session, row, by=by, now=now)


def deposits_where(*, state: DepositState | None = None, visitor_id: uuid.UUID | None = None) -> sa.Select[CashDeposit]:
    rows = sa.select(CashDeposit)
    if state is not None:
        rows = rows.where(CashDeposit.state == state)
    return rows if visitor_id is None else rows.where(CashDeposit.visitor_id == visitor_id)


def cash_day(session: Session, on: dt.date | None, *, now: dt.datetime) -> CashDay:
    """The money and the numbers of a day; of today where none is named. Five queries, whatever the number of people."""
    org_id, zone = session.info["org"], acting_organisation(session).zone
    on = on or local_day(now, zone)
    people = _people(session, on)
    blocks = _blocks(session, on)
    flawed = session.scalars(
        sa.select(Receipt.id)
        .where(Receipt.org_id == org_id, Receipt.booked_on == on, sa.func.cardinality(Receipt.flaws) > 0)
        .order_by(Receipt.taken_at, Receipt.id)
    ).all()
    held = held_with_money(session, on=on, zone=zone)
    faults = {
        CashFault.NUMBER_SKIPPED: any(block.skipped for block in blocks),
        CashFault.DEPOSIT_UNCOUNTED: any(each.stated_minor for each in people),
        CashFault.CASH_IN_HAND: any(each.in_hand_minor for each in people),
        CashFault.RECEIPT_FLAWED: bool(flawed),
        CashFault.MONEY_HELD: bool(held),
    }
    return CashDay(
        on=on,
        closed=session.get(CashClosing, (org_id, on)) is not None,
        people=people,
        blocks=blocks,
        flawed=tuple(flawed),
        held=tuple(held),
        faults=tuple(fault for fault, holds in faults.items() if holds),
    )


def in_hand_now(session: Session, *, now: dt.datetime) -> tuple[InHand, ...]:
    """What everybody has in hand today."""
    return _people(session, local_day(now, acting_organisation(session).zone))


def close_day(session: Session, on: dt.date, *, reason: str | None, by: uuid.UUID, now: dt.datetime) -> CashClosing:
    """Reconcile a day: what it came to is kept as it stands, and what is heard of it later counts for another. Raises
    DayNotReconciled where something is open and no reason is given, DayClosed, InvalidValue."""
    if reason is not None:
        check_text("reason", reason)
    org_id = session.info["org"]
    if on > local_day(now, acting_organisation(session).zone):
        raise InvalidValue(path="on", reason="lies in the future")
    # Whoever books money reads which days are closed: the two take turns over the organisation's row.
    session.execute(sa.select(Organisation.id).where(Organisation.id == org_id).with_for_update(key_share=True))
    if session.get(CashClosing, (org_id, on)) is not None:
        raise DayClosed(on=on)
    day = cash_day(session, on, now=now)
    if day.faults and reason is None:
        raise DayNotReconciled(faults=", ".join(day.faults))
    content = plain(day) | {name: [str(each) for each in getattr(day, name)] for name in ("flawed", "held")}
    row = CashClosing(
        org_id=org_id,
        closed_on=on,
        content=_as_json(content),
        faults=[fault.value for fault in day.faults],
        reason=reason,
        closed_by_id=by,
        closed_at=now,
    )
    session.add(row)
    session.flush()
    return row


def _as_json(content: object) -> object:
    if isinstance(content, dict):
        return {name: _as_json(value) for name, value in content.items()}
    if isinstance(content, list):
        return [_as_json(each) for each in content]
    return str(content) if isinstance(content, uuid.UUID) else content


def _people(session: Session, on: dt.date) -> tuple[InHand, ...]:
    found = defaultdict[tuple[uuid.UUID, str], list[int]](lambda: [0, 0, 0, 0])
    for visitor_id, currency, before, that_day in session.execute(_taken(session.info["org"], on)):
        found[visitor_id, str(currency)][0] += int(before or 0)
        found[visitor_id, str(currency)][1] += int(that_day or 0)
    zone = acting_organisation(session).zone
    for visitor_id, currency, gone, counted, stated in session.execute(_deposited(session.info["org"], on, zone)):
        found[visitor_id, currency][0] -= int(gone or 0)
        found[visitor_id, currency][2] += int(counted or 0)
        found[visitor_id, currency][3] += int(stated or 0)
    most = field_rules(session).most_cash_minor
    return tuple(_in_hand(*whose, sums, most) for whose, sums in sorted(found.items()) if any(sums))


def _taken(org_id: uuid.UUID, on: dt.date) -> sa.Select[*tuple[Any, ...]]:
    """By visitor and currency: what was taken before the day, and on it. Of one receipt that two of a crew tell of, at
    one visit and of one amount, the money was taken once: by whom it was that held the number."""
    amount, day = sa.func.sum(Receipt.amount_minor), Receipt.booked_on
    first = aliased(Receipt)
    same = first.org_id == Receipt.org_id, first.same_money == Receipt.same_money
    twice = sa.exists().where(first.number.is_not(None), *same)
    # In whatever order the two came: before its holder told of the number, it was none that the mate could give out.
    told_again = Receipt.number.is_(None), twice
    return (
        sa.select(Receipt.visitor_id, Receipt.currency, amount.filter(day < on), amount.filter(day == on))
        .where(Receipt.org_id == org_id, day <= on, Receipt.state == ReceiptState.ISSUED, sa.not_(sa.and_(*told_again)))
        .group_by(Receipt.visitor_id, Receipt.currency)
    )


def _deposited(org_id: uuid.UUID, on: dt.date, zone: str) -> sa.Select[*tuple[Any, ...]]:
    """By visitor and currency: what was counted before the day, on it, and what was handed in by its end and nobody has
    counted yet."""
    counted, day = sa.func.sum(CashDeposit.counted_minor), CashDeposit.booked_on
    by_then = sa.func.date(sa.func.timezone(zone, CashDeposit.deposited_at)) <= on
    stated = sa.func.sum(CashDeposit.amount_minor).filter(CashDeposit.state == DepositState.STATED, by_then)
    return (
        sa.select(
            CashDeposit.visitor_id, CashDeposit.currency, counted.filter(day < on), counted.filter(day == on), stated
        )
        .where(CashDeposit.org_id == org_id)
        .group_by(CashDeposit.visitor_id, CashDeposit.currency)
    )


def _in_hand(visitor_id: uuid.UUID, currency: str, sums: Sequence[int], most: int | None) -> InHand:
    brought, taken, counted, stated = sums
    left = brought + taken - counted
    return InHand(
        visitor_id=visitor_id,
        currency=currency,
        brought_minor=brought,
        taken_minor=taken,
        counted_minor=counted,
        stated_minor=stated,
        in_hand_minor=left,
        over_limit=most is not None and left > most,
    )


def _blocks(session: Session, on: dt.date) -> tuple[BlockStanding, ...]:
    """Those that were not closed before the day, the oldest first. A day is the house's, as of all its money."""
    org_id, zone = session.info["org"], acting_organisation(session).zone
    begin = sa.func.date(sa.func.timezone(zone, ReceiptBlock.closed_at))
    rows = session.scalars(
        sa.select(ReceiptBlock)
        .where(ReceiptBlock.org_id == org_id, sa.or_(ReceiptBlock.closed_at.is_(None), begin >= on))
        .order_by(ReceiptBlock.first_number)
    ).all()
    if not rows:
        return ()
    told = sa.select(Receipt.number, Receipt.state).where(
        Receipt.org_id == org_id, Receipt.number >= rows[0].first_number, Receipt.booked_on <= on
    )
    states = {number: state for number, state in session.execute(told) if number is not None}
    return tuple(_standing(block, states) for block in rows)


def _standing(block: ReceiptBlock, states: dict[int, ReceiptState]) -> BlockStanding:
    numbers = range(block.first_number, block.last_number + 1)
    told = {number: states[number] for number in numbers if number in states}
    highest = max(told, default=block.first_number - 1)
    left = [number for number in numbers if number not in told]
    closed = block.closed_at is not None
    return BlockStanding(
        block_id=block.id,
        visitor_id=block.visitor_id,
        first_number=block.first_number,
        last_number=block.last_number,
        issued=sum(state is ReceiptState.ISSUED for state in told.values()),
        void=sum(state is ReceiptState.VOID for state in told.values()) + (len(left) if closed else 0),
        left=0 if closed else len(left),
        skipped=() if closed else tuple(number for number in left if number < highest),
        closed=closed,
    )


def _undecided(session: Session, deposit_id: uuid.UUID, by: uuid.UUID) -> CashDeposit:
    row = session.get(CashDeposit, deposit_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(what="cash deposit", id=deposit_id)
    if session.scalar(sa.select(Account.id).where(Account.id == by, Account.visitor_id == row.visitor_id)):
        raise OwnProposal()
    if row.state is not DepositState.STATED:
        raise DepositDecided(state=row.state)
    return row


def _decide(session: Session, row: CashDeposit, *, by: uuid.UUID, now: dt.datetime) -> CashDeposit:
    row.decided_by_id, row.decided_at = by, now
    session.flush()
    return row
