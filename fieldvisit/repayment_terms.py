"""What a repayment plan says, and how far one may go that a role approves. Plain values: no database, no clock."""

import datetime as dt
import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from fieldvisit.errors import InvalidValue
from fieldvisit.languages import Message
from fieldvisit.vocabulary import PaymentMethod, PromiseState, RepaymentState, Role

FEWEST, MOST = 2, 60
LONGEST_DAYS = 5 * 366
LONGEST_GRACE_DAYS = 31
APPROVERS = (Role.DISPATCHER, Role.SUPERVISOR)


@dataclass(frozen=True, kw_only=True)
class Instalment:
    amount_minor: int
    due_on: dt.date

    def __post_init__(self) -> None:
        if self.amount_minor <= 0:
            raise InvalidValue(path="instalments.amount_minor", reason="must be more than nothing")


@dataclass(frozen=True, kw_only=True)
class PlanDraft:
    """Instalments in the order of their days, minor units of one currency. `grace_days`: for so long after its day an
    instalment may still come before it counts as missed."""

    instalments: tuple[Instalment, ...]
    currency: str
    method: PaymentMethod
    grace_days: int = 3

    def __post_init__(self) -> None:
        if not FEWEST <= len(self.instalments) <= MOST:
            reason = Message("must be {min} to {max}; one alone is a promise", {"min": FEWEST, "max": MOST})
            raise InvalidValue(path="instalments", reason=reason)
        if any(later.due_on <= earlier.due_on for earlier, later in itertools.pairwise(self.instalments)):
            raise InvalidValue(path="instalments.due_on", reason="must each lie after the one before")
        self.demand_days(since=self.instalments[0].due_on)
        if not 0 <= self.grace_days <= LONGEST_GRACE_DAYS:
            raise InvalidValue(path="grace_days", reason=Message("0 to {max} days", {"max": LONGEST_GRACE_DAYS}))

    @property
    def total_minor(self) -> int:
        return sum(each.amount_minor for each in self.instalments)

    def days(self, *, since: dt.date) -> int:
        """From the day on which it was proposed to the last instalment."""
        return (self.instalments[-1].due_on - since).days

    def demand_days(self, *, since: dt.date, within: str = "") -> None:
        """Raise InvalidValue for one that lasts longer than any may. `within`: where it stands in what was sent."""
        if self.days(since=since) > LONGEST_DAYS:
            reason = Message("{max} days at most", {"max": LONGEST_DAYS})
            raise InvalidValue(path=f"{within}instalments.due_on", reason=reason)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How far a plan may go that a role approves. `most_days`: from the proposal to the last instalment. `most_minor`
    None: no bound of its own."""

    most_instalments: int
    most_days: int
    most_grace_days: int
    most_minor: int | None = None

    def __post_init__(self) -> None:
        for name, lowest, highest in (
            ("most_instalments", 0, MOST),
            ("most_days", 0, LONGEST_DAYS),
            ("most_grace_days", 0, LONGEST_GRACE_DAYS),
        ):
            if not lowest <= getattr(self, name) <= highest:
                bounds = {"min": lowest, "max": highest}
                raise InvalidValue(path=name, reason=Message("must lie between {min} and {max}", bounds))
        if self.most_minor is not None and self.most_minor < 0:
            raise InvalidValue(path="most_minor", reason="must not be negative")

    def beyond(self, plan: PlanDraft, *, since: dt.date) -> list[str]:
        """The limits that the plan goes beyond that was proposed on a day, by name."""
        exceeded = {
            "most_instalments": len(plan.instalments) > self.most_instalments,
            "most_days": plan.days(since=since) > self.most_days,
            "most_grace_days": plan.grace_days > self.most_grace_days,
            "most_minor": self.most_minor is not None and plan.total_minor > self.most_minor,
        }
        return [name for name, over in exceeded.items() if over]


@dataclass(frozen=True, kw_only=True)
class RepaymentRulesDraft:
    """What each role may approve, and with how many missed instalments a plan is broken."""

    dispatcher: Limits = field(default=Limits(most_instalments=6, most_days=184, most_grace_days=7))
    supervisor: Limits = field(default=Limits(most_instalments=36, most_days=1_096, most_grace_days=31))
    broken_after: int = 2

    def __post_init__(self) -> None:
        if not 1 <= self.broken_after <= 12:
            raise InvalidValue(path="broken_after", reason=Message("must lie between {min} and {max}", _BROKEN))

    @property
    def by_role(self) -> Mapping[Role, Limits]:
        return {Role.DISPATCHER: self.dispatcher, Role.SUPERVISOR: self.supervisor}


_BROKEN = {"min": 1, "max": 12}


def approvable_by(plan: PlanDraft, houses: Collection[RepaymentRulesDraft], *, since: dt.date) -> list[Role]:
    """The roles that may approve it by the rules of every house concerned; `since`: the day it was proposed on."""
    return [role for role in APPROVERS if not any(rules.by_role[role].beyond(plan, since=since) for rules in houses)]


def standing_of_plan(states: Collection[PromiseState], *, broken_after: int) -> RepaymentState:
    """Where a plan stands whose instalments stand there. Money that comes late fills the earliest that lacks it, so a
    plan that is caught up with runs again."""
    missed = sum(state in (PromiseState.BROKEN, PromiseState.PARTLY_KEPT) for state in states)
    if PromiseState.OPEN in states:
        return RepaymentState.BROKEN if missed >= broken_after else RepaymentState.RUNNING
    if not missed:
        return RepaymentState.KEPT
    some = any(state is not PromiseState.BROKEN for state in states)
    return RepaymentState.PARTLY_KEPT if some else RepaymentState.BROKEN
