"""What some of the made-up debtors asked for, and what some of them paid."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from fieldvisit.demo.generator_cases import Archetype, CaseRow, Debtor, euros

WEEK = "Mon;Tue;Wed;Thu;Fri"
# (kind, days, from, until, note); the last can never be met on a working day.
WISHES = (
    ("avoid", "Tue", "00:00", "12:00", "Works nights before Tuesdays"),
    ("avoid", WEEK, "08:00", "10:00", "Takes the children to school"),
    ("avoid", WEEK, "00:00", "15:00", "At work until three"),
    ("only", "Mon;Tue;Wed", "10:00", "14:00", "At home in the middle of the day"),
    ("only", WEEK, "16:00", "18:30", "After work only"),
    ("avoid", "Wed;Thu", "00:00", "23:59", "Cares for a parent on these days"),
    ("only", "Sat;Sun", "10:00", "16:00", "Abroad during the week"),
)
VISITED_WITH_WISH, OTHERS_WITH_WISH = 20, 5
PAYMENTS = 14


@dataclass(frozen=True)
class WishRow:
    """One line of ``wishes.csv``: `avoid` these hours, or come `only` in them; local times of the place."""

    debtor_id: str
    kind: str
    days: str
    from_: str
    until: str
    note: str


@dataclass(frozen=True)
class PaymentRow:
    """One line of ``payments.csv``."""

    payment_id: str
    case_id: str
    amount: str
    currency: str
    paid_on: str


def wishes(chance: Random, everyone: Sequence[Debtor]) -> list[WishRow]:
    """Mostly of people who will be visited: every kind of wish occurs among them."""
    visited = [debtor for debtor in everyone if debtor.archetype.opens]
    others = [debtor for debtor in everyone if debtor.archetype is Archetype.REACHED]
    drawn = chance.sample(visited, VISITED_WITH_WISH) + chance.sample(others, OTHERS_WITH_WISH)
    return [WishRow(debtor.debtor_id, *WISHES[place % len(WISHES)]) for place, debtor in enumerate(drawn)]


def payments(chance: Random, cases: Sequence[tuple[Debtor, CaseRow]], *, today: date) -> Iterator[PaymentRow]:
    """Part payments of people who could be talked to, in the last three weeks."""
    talked = [case for debtor, case in cases if debtor.archetype in {Archetype.REACHED, Archetype.PROMISED}]
    for number, case in enumerate(chance.sample(talked, PAYMENTS), start=1):
        owed = int(case.total.replace(".", ""))
        yield PaymentRow(
            payment_id=f"P-{number:04}",
            case_id=case.case_id,
            amount=euros(owed * chance.choice((5, 10, 20, 25)) // 100),
            currency=case.currency,
            paid_on=(today - timedelta(days=chance.randint(2, 20))).isoformat(),
        )
