"""What was promised at a door is settled by what is paid, in whatever order that is heard of."""

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.cases import CaseDraft, PaymentDraft, record_payment, upsert_case
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import InvalidValue
from fieldvisit.models import Case, Debtor, Payment, Placement, Promise, Visit
from fieldvisit.promises import GRACE, Owed, Paid, follow_up, promises_where, received, settle_overdue, standing
from fieldvisit.reports import report_visit
from fieldvisit.visits import history_of
from fieldvisit.vocabulary import NextStep, PromiseState, VisitOutcome
from tests.conftest import NOW
from tests.phone.worlds import Morning, report
from tests.reports.books import Books, due, late, plan
from tests.reports.worlds import NEXT_WEEK, promise
from tests.worlds import TODAY, make_case

DAY = dt.timedelta(days=1)
OVERDUE = dt.datetime.combine(NEXT_WEEK + GRACE + DAY, dt.time(8), dt.UTC)

type Pay = Callable[..., None]


@pytest.fixture
def promised(morning: Morning, tell: Callable[..., Any], identified: None) -> Morning:
    """Meri has promised 50.00 by next week, and 30.00 a week later."""
    two = (promise(), promise(amount_minor=3_000, due_on=NEXT_WEEK + 7 * DAY))
    tell(report_visit, report(VisitOutcome.MET_DEBTOR, disclosed=True, promises=two))
    return morning


@pytest.fixture
def pay(sessions: sessionmaker[Session], promised: Morning) -> Pay:
    """Record a payment on the case, as the lender."""

    def pay(amount_minor: int, *, on: dt.date, now: dt.datetime | None = None) -> None:
        with acting_for(sessions, promised.world.lender) as session:
            case = session.get_one(Case, session.get_one(Visit, promised.visit).case_id)
            draft = PaymentDraft(
                external_id=str(uuid.uuid4()),
                case_id=case.external_id,
                amount_minor=amount_minor,
                currency="EUR",
                paid_on=on,
            )
            record_payment(session, draft, now=now or dt.datetime.combine(on, dt.time(8), dt.UTC))

    return pay


def states(sessions: sessionmaker[Session]) -> list[str]:
    with acting_for_all(sessions) as session:
        return [one.value for one in session.scalars(sa.select(Promise.state).order_by(Promise.due_on))]


def time_passes(sessions: sessionmaker[Session], morning: Morning, now: dt.datetime = OVERDUE) -> None:
    for org_id in (morning.world.agency, morning.world.lender):
        with acting_for(sessions, org_id) as session:
            settle_overdue(session, now=now)


def test_a_promise_that_is_paid_is_kept(sessions: sessionmaker[Session], pay: Pay) -> None:
    pay(5_000, on=TODAY + DAY)
    assert states(sessions) == ["kept", "open"]


def test_parts_add_up_and_the_rest_goes_to_the_next_promise(sessions: sessionmaker[Session], pay: Pay) -> None:
    pay(2_000, on=TODAY + DAY)
    assert states(sessions) == ["open", "open"]
    pay(6_000, on=TODAY + 2 * DAY)
    assert states(sessions) == ["kept", "kept"]


def test_money_sent_on_the_day_may_take_a_while(sessions: sessionmaker[Session], promised: Morning, pay: Pay) -> None:
    time_passes(sessions, promised, OVERDUE - DAY)
    assert states(sessions) == ["open", "open"]
    pay(5_000, on=NEXT_WEEK + GRACE, now=OVERDUE)
    assert states(sessions) == ["kept", "open"]


def test_what_is_not_paid_in_time_is_broken_and_what_is_paid_in_part_partly_kept(
    sessions: sessionmaker[Session], promised: Morning, pay: Pay
) -> None:
    time_passes(sessions, promised)
    assert states(sessions) == ["broken", "open"]
    pay(100, on=NEXT_WEEK, now=OVERDUE)
    assert states(sessions) == ["partly_kept", "open"]
    with acting_for_all(sessions) as session:
        late = session.scalars(sa.select(Promise).order_by(Promise.due_on)).all()
        assert [follow_up(one) for one in late] == [NextStep.CALL, None]


def test_of_a_debt_that_is_no_more_no_promise_is_broken(
    sessions: sessionmaker[Session], promised: Morning, pay: Pay
) -> None:
    pay(4_000, on=TODAY + DAY)
    with acting_for(sessions, promised.world.lender) as session:
        nothing = {"principal_minor": 0, "interest_minor": 0, "fees_minor": 0, "total_minor": 0}
        session.execute(sa.update(Case).values(nothing))
    time_passes(sessions, promised)
    assert states(sessions) == ["kept", "open"]


def test_a_case_of_which_nothing_is_owed_any_more_settles_its_promises(
    sessions: sessionmaker[Session], promised: Morning
) -> None:
    time_passes(sessions, promised)
    for total_minor, stand in ((0, ["kept", "open"]), (100_000, ["broken", "open"])):
        with acting_for(sessions, promised.world.lender) as session:
            case = session.get_one(Case, session.get_one(Visit, promised.visit).case_id)
            debtor = session.get_one(Debtor, case.debtor_id).external_id
            same = {name: getattr(case, name) for name in ("external_id", "product", "currency", "due_on", "stage")}
            owed = {"principal_minor": total_minor, "interest_minor": 0, "fees_minor": 0, "total_minor": total_minor}
            draft = CaseDraft(debtor_id=debtor, as_of_on=OVERDUE.date(), days_past_due=0, **same, **owed)
            upsert_case(session, draft, now=OVERDUE)
        assert states(sessions) == stand


def test_a_payment_that_is_heard_of_late_puts_it_right(
    sessions: sessionmaker[Session], promised: Morning, pay: Pay
) -> None:
    time_passes(sessions, promised)
    pay(5_000, on=TODAY + DAY, now=OVERDUE)
    assert states(sessions) == ["kept", "open"]
    with acting_for_all(sessions) as session:
        noted = [
            entry.detail["state"] for entry in history_of(session, promised.visit) if entry.kind == "promise_settled"
        ]
    assert noted == ["broken", "kept"]


@pytest.mark.parametrize("on", [TODAY - DAY, NEXT_WEEK + GRACE + 5 * DAY])
def test_what_was_paid_before_the_promise_or_long_after_it_does_not_keep_it(
    sessions: sessionmaker[Session], promised: Morning, pay: Pay, on: dt.date
) -> None:
    pay(5_000, on=on, now=OVERDUE + 5 * DAY)
    assert states(sessions)[0] == "broken"


def test_an_agency_that_no_longer_sees_the_payments_calls_nothing_broken(
    sessions: sessionmaker[Session], promised: Morning
) -> None:
    with acting_for_all(sessions) as session:
        session.execute(sa.delete(Placement))
    with acting_for(sessions, promised.world.agency) as session:
        assert settle_overdue(session, now=OVERDUE) == 0
    assert states(sessions) == ["open", "open"]


def test_money_that_came_before_the_report_keeps_the_promise_at_once(
    sessions: sessionmaker[Session], books: Books, morning: Morning, tell: Callable[..., Any], identified: None
) -> None:
    """And where the lead's report stands instead of a crew mate's, it counts for the lead's."""
    books.pay(5_000, on=TODAY + DAY, now=NOW + DAY)
    told = report(VisitOutcome.MET_DEBTOR, disclosed=True, promises=(promise(),))
    tell(report_visit, told, by=morning.oona, now=NOW + 2 * DAY)
    assert states(sessions) == ["kept"]
    tell(report_visit, replace(told, event_id=uuid.uuid4()), now=NOW + 2 * DAY)
    with acting_for_all(sessions) as session:
        assert [each.state for each in session.scalars(promises_where())] == [PromiseState.KEPT]


def test_an_id_of_a_payment_is_the_senders_own(sessions: sessionmaker[Session], books: Books) -> None:
    """What was told before it was written down who did is taken for the sender's where it is of the same case, and for
    the lender's wherever it is."""
    lender, agency = books.morning.world.lender, books.morning.world.agency
    with acting_for_all(sessions) as session:
        case = session.get_one(Case, books.case_id).external_id
    paid = {"external_id": "P-1", "case_id": case, "currency": "EUR", "paid_on": TODAY}

    def told(house: uuid.UUID, amount_minor: int) -> str:
        with acting_for(sessions, house) as session:
            return record_payment(session, PaymentDraft(amount_minor=amount_minor, **paid), now=NOW)[1].value

    assert [told(lender, 1_000), told(lender, 1_000)] == ["added", "unchanged"]
    assert [told(agency, 500), told(agency, 500)] == ["added", "unchanged"]
    with pytest.raises(InvalidValue, match="payment_id"):
        told(agency, 1_000)
    with acting_for_all(sessions) as session:
        session.execute(sa.delete(Payment).where(Payment.made_by_id == agency))
        session.execute(sa.update(Payment).values(made_by_id=None))
    assert [told(house, 1_000) for house in (lender, agency)] == ["unchanged", "unchanged"]
    with acting_for_all(sessions) as session:
        paid["case_id"] = make_case(session, books.morning.world).external_id
    with pytest.raises(InvalidValue, match="payment_id"):
        told(lender, 1_000)


def test_a_promise_that_is_paid_in_time_is_kept_whatever_a_plan_lacks(
    sessions: sessionmaker[Session], books: Books, tell: Callable[..., Any], identified: None
) -> None:
    broken = books.propose(plan())
    books.approve(broken)
    books.time_passes(late(1))
    made = promise(amount_minor=1_500, due_on=(late(1) + 3 * DAY).date())
    tell(report_visit, report(VisitOutcome.MET_DEBTOR, disclosed=True, promises=(made,), left_at=late(1)), now=late(1))
    books.pay(1_500, on=made.due_on, now=late(1) + 3 * DAY)
    assert states(sessions) == ["broken", "broken", "kept", "open"]
    # The next that is due comes first, and what is left catches up.
    books.pay(2_500, on=due(2), now=late(2))
    assert states(sessions) == ["kept", "partly_kept", "kept", "kept"]


DAYS = st.integers(0, 20).map(lambda days: TODAY + days * DAY)
AMOUNTS = st.integers(1, 10_000)


PLAN = uuid.uuid4()


def owed_on(id_: uuid.UUID, amount_minor: int, due_on: dt.date, grace: int, lasts: int) -> Owed:
    late_after = due_on + grace * DAY
    terms = {"due_on": due_on, "late_after": late_after, "until_on": late_after + lasts * DAY}
    terms |= {"plan_id": PLAN if lasts else None}
    return Owed(id=id_, amount_minor=amount_minor, currency="EUR", made_on=TODAY, **terms)


OWED = st.tuples(st.uuids(), AMOUNTS, DAYS, st.integers(0, 7), st.sampled_from([0, 30])).map(
    lambda drawn: owed_on(*drawn)
)
PAID = st.builds(Paid, id=st.uuids(), amount_minor=AMOUNTS, currency=st.sampled_from(["EUR", "SEK"]), paid_on=DAYS)


@given(st.lists(OWED, max_size=5), st.lists(PAID, max_size=8), st.randoms())
def test_no_money_counts_twice_and_its_order_does_not_count(owed: list[Owed], paid: list[Paid], chance: Any) -> None:
    got = received(owed, paid)
    shuffled = paid.copy()
    chance.shuffle(shuffled)
    assert received(owed, shuffled) == got
    assert sum(got.values()) <= sum(one.amount_minor for one in paid if one.currency == "EUR")
    assert all(0 <= got[one.id] <= one.amount_minor for one in owed)


@given(st.lists(OWED, min_size=1, max_size=5), st.lists(PAID, max_size=8), PAID)
def test_another_payment_never_takes_anything_from_all_promises_together(
    owed: list[Owed], paid: list[Paid], more: Paid
) -> None:
    assert sum(received(owed, [*paid, more]).values()) >= sum(received(owed, paid).values())


@given(OWED, st.integers(0, 10_000), DAYS)
def test_a_settled_promise_stays_settled_as_time_passes(one: Owed, got: int, day: dt.date) -> None:
    now, later = (standing(one, got, today=on) for on in (day, day + 30 * DAY))
    assert now in (later, PromiseState.OPEN)
