"""What the houses of a case do with repayment plans, and what became of these."""

import datetime as dt
import uuid
from contextlib import AbstractContextManager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.cases import PaymentDraft, record_payment
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import Case, ContactBlock, Placement, RepaymentPlan, Visit
from fieldvisit.promises import settle_overdue
from fieldvisit.repayment_terms import Instalment, PlanDraft
from fieldvisit.repayments import Decider, approve_plan, propose_plan
from fieldvisit.vocabulary import PaymentMethod, Role
from tests.conftest import NOW
from tests.phone.worlds import Morning
from tests.safety.worlds import make_account
from tests.worlds import TODAY

DAY = dt.timedelta(days=1)
FIRST = TODAY + 7 * DAY


def plan(*amounts: int, every: int = 30, **given: Any) -> PlanDraft:
    parts = tuple(
        Instalment(amount_minor=amount, due_on=FIRST + every * place * DAY)
        for place, amount in enumerate(amounts or (1_000, 1_000, 1_000))
    )
    return PlanDraft(**({"instalments": parts, "currency": "EUR", "method": PaymentMethod.TRANSFER} | given))


def due(place: int) -> dt.date:
    return FIRST + 30 * place * DAY


def late(place: int) -> dt.datetime:
    """The morning after the grace of an instalment has run out."""
    return dt.datetime.combine(due(place) + 4 * DAY, dt.time(8), dt.UTC)


class Books:
    """What the lender and the agency do with the plan of the morning's first visit."""

    def __init__(self, sessions: sessionmaker[Session], morning: Morning) -> None:
        self.sessions, self.morning = sessions, morning
        with acting_for_all(sessions) as session:
            self.case_id = session.get_one(Visit, morning.visit).case_id
            self.maker = make_account(session, morning.world, Role.DISPATCHER).id
            self.checker = make_account(session, morning.world, Role.SUPERVISOR).id

    def by(self, account_id: uuid.UUID | None = None) -> Decider:
        return Decider(account_id=account_id or self.checker, roles=(Role.SUPERVISOR,))

    def acting(self, house: uuid.UUID | None = None) -> AbstractContextManager[Session]:
        """As the agency, unless another is named."""
        return acting_for(self.sessions, house or self.morning.world.agency)

    def propose(self, draft: PlanDraft, *, house: uuid.UUID | None = None, now: dt.datetime = NOW) -> uuid.UUID:
        with self.acting(house) as session:
            return propose_plan(session, self.case_id, draft, by=self.maker, now=now).id

    def approve(self, plan_id: uuid.UUID, *, house: uuid.UUID | None = None, now: dt.datetime = NOW) -> None:
        with self.acting(house) as session:
            approve_plan(session, plan_id, by=self.by(), now=now)

    def pay(self, amount_minor: int, *, on: dt.date, now: dt.datetime, house: uuid.UUID | None = None) -> None:
        """As the lender, unless another house heard of it."""
        with self.acting(house or self.morning.world.lender) as session:
            case = session.get_one(Case, self.case_id).external_id
            paid = {"external_id": str(uuid.uuid4()), "case_id": case, "currency": "EUR", "paid_on": on}
            record_payment(session, PaymentDraft(amount_minor=amount_minor, **paid), now=now)

    def time_passes(self, now: dt.datetime) -> None:
        with self.acting(self.morning.world.lender) as session:
            settle_overdue(session, now=now)

    def place(self, agency: uuid.UUID | None) -> None:
        """Call the case back from whoever has it, and give it to this agency."""
        with acting_for_all(self.sessions) as session:
            session.execute(sa.delete(Placement).where(Placement.case_id == self.case_id))
            case = session.get_one(Case, self.case_id)
            whose = {"org_id": case.org_id, "case_id": case.id, "debtor_id": case.debtor_id}
            if agency is not None:
                session.add(Placement(agency_id=agency, from_on=TODAY, **whose))

    def standing(self, plan_id: uuid.UUID) -> tuple[str, list[str]]:
        with acting_for_all(self.sessions) as session:
            found = session.get_one(RepaymentPlan, plan_id)
            return found.state.value, [each.state.value for each in found.running]

    def rests(self) -> list[bool]:
        """Of each block that a plan filed, whether it still stands."""
        with acting_for_all(self.sessions) as session:
            rows = session.scalars(sa.select(ContactBlock).order_by(ContactBlock.id))
            return [row.lifted_at is None for row in rows]
