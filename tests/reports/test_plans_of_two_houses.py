"""Plans of one case that its houses do not see of each other are settled in the lender's books, where all are seen."""

import uuid
from dataclasses import replace

import pytest
import sqlalchemy as sa

from fieldvisit.apart import Apart, LeftUndone
from fieldvisit.database import acting_for_all
from fieldvisit.errors import NotFound
from fieldvisit.models import RepaymentPlan
from fieldvisit.promises import settle_overdue
from fieldvisit.repayment_terms import Instalment, PlanDraft
from fieldvisit.repayments import PlanRunning, refuse_plan, withdraw_plan
from tests.phone.worlds import make_visit_on_evidence
from tests.reports.books import DAY, Books, due, late, plan


def later() -> PlanDraft:
    """Two instalments from the day on which the first plan would have ended."""
    return plan(instalments=tuple(Instalment(amount_minor=500, due_on=due(2) + place * DAY) for place in range(2)))


def broken_and_followed(books: Books) -> tuple[uuid.UUID, uuid.UUID]:
    """A plan of one agency broke, and that of the agency that has the case now runs."""
    first = books.propose(plan())
    books.approve(first)
    books.time_passes(late(1))
    house = books.morning.world.stranger
    books.place(house)
    second = books.propose(later(), house=house, now=late(1))
    books.approve(second, house=house, now=late(1))
    return first, second


@pytest.mark.parametrize("told_by", ["lender", "stranger"])
def test_money_counts_for_the_plan_that_runs_whoever_hears_of_it(books: Books, told_by: str) -> None:
    first, second = broken_and_followed(books)
    books.pay(500, on=due(2), now=late(1) + 27 * DAY, house=getattr(books.morning.world, told_by))
    assert books.standing(first) == ("broken", ["broken", "broken", "open"])
    assert books.standing(second) == ("running", ["kept", "open"])


def test_a_plan_that_the_agency_cannot_see_runs_and_no_other_beside_it(books: Books) -> None:
    world = books.morning.world
    first = books.propose(plan(), house=world.lender)
    books.approve(first, house=world.lender)
    with pytest.raises(PlanRunning):
        books.approve(books.propose(plan(2_000, 2_000)))


def test_of_two_plans_that_were_approved_unseen_the_one_that_runs_is_settled(books: Books) -> None:
    first, second = broken_and_followed(books)
    with acting_for_all(books.sessions) as session:
        session.execute(sa.update(RepaymentPlan).values(replaced_at=None))
    books.pay(1_000, on=due(0), now=late(1))
    assert [books.standing(each)[0] for each in (first, second)] == ["broken", "running"]
    with acting_for_all(books.sessions) as session:
        assert session.get_one(RepaymentPlan, first).replaced_at == late(1)


def test_whose_placement_has_ended_decides_on_no_plan_any_more(books: Books) -> None:
    running, waiting = books.propose(plan()), books.propose(plan(500, 500))
    books.approve(running)
    books.pay(1_000, on=due(0), now=late(0))
    books.place(None)
    ways = {"reason": "The debtor asked.", "by": books.by(), "now": late(0)}
    for decide, which in ((withdraw_plan, running), (refuse_plan, waiting)):
        with pytest.raises(NotFound), books.acting() as session:
            decide(session, which, **ways)
    assert (books.standing(running), books.rests()) == (("running", ["kept", "open", "open"]), [True])
    with books.acting(books.morning.world.lender) as session:
        withdraw_plan(session, running, **ways)
    assert (books.standing(running)[0], books.rests()) == ("withdrawn", [False])


def test_one_case_that_cannot_be_settled_stops_no_other(books: Books) -> None:
    with acting_for_all(books.sessions) as session:
        visit = make_visit_on_evidence(session, books.morning.world).id
    others = Books(books.sessions, replace(books.morning, visits=(visit,)))
    unread, running = books.propose(plan()), others.propose(plan())
    books.approve(unread)
    others.approve(running)
    with acting_for_all(books.sessions) as session:
        session.execute(sa.update(RepaymentPlan).values(instalments=[]).where(RepaymentPlan.id == unread))
    apart = Apart()
    with books.acting(books.morning.world.lender) as session:
        assert settle_overdue(session, now=late(1), apart=apart) == 2
    assert [each.standing(of)[0] for each, of in ((books, unread), (others, running))] == ["running", "broken"]
    with pytest.raises(LeftUndone, match="settled"):
        apart.end()
