"""Repayment plans: proposed at a door or by the office, approved by somebody else whose role goes that far.

From then on the instalments are promises, settled by what is paid (`fieldvisit.promises`).
"""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, selectinload

from fieldvisit.compliance.wallclock import local_day
from fieldvisit.contact_proposals import OwnProposal
from fieldvisit.drafts import acting_organisation, check_text
from fieldvisit.errors import FieldVisitError, InvalidValue, Kind
from fieldvisit.finding import get_by_id
from fieldvisit.models import Account, Case, Promise, RepaymentPlan, RepaymentRules, VisitReport
from fieldvisit.promises import settle_promises
from fieldvisit.repayment_standing import SETTLING, in_the_books_of, keep_rest, lock_plans
from fieldvisit.repayment_terms import Instalment, Limits, PlanDraft, RepaymentRulesDraft, approvable_by
from fieldvisit.vocabulary import PromiseState, RepaymentState, Role, WithdrawalReason


class PlanDecided(FieldVisitError):
    code, kind = "plan_decided", Kind.CONFLICT
    says = "The repayment plan {plan_id} is decided on already: {state}."


class PlanBeyondLimits(FieldVisitError):
    code, kind = "plan_beyond_limits", Kind.FORBIDDEN
    says = "This plan goes further than your role may approve. Roles that may: {roles}."


class PlanExceedsDebt(FieldVisitError):
    code, kind = "plan_exceeds_debt", Kind.CONFLICT
    says = "The instalments come to {planned_minor}, and only {owed_minor} is owed (minor units)."


class PlanMissed(FieldVisitError):
    code, kind = "plan_missed", Kind.CONFLICT
    says = "The instalment due on {due_on} was missed before the plan was decided on. Propose another plan."


class PlanRunning(FieldVisitError):
    code, kind = "plan_running", Kind.CONFLICT
    says = "A plan of this case is running: {plan_id}. Withdraw it first."


@dataclass(frozen=True, kw_only=True)
class Decider:
    """Who decides on a plan, with the roles they have."""

    account_id: uuid.UUID
    roles: Collection[Role]


def repayment_rules(session: Session, org_id: uuid.UUID | None = None) -> RepaymentRulesDraft:
    """What the organisation has said (the acting one unless it is named), or what is usual."""
    return rules_of(session.get(RepaymentRules, org_id or session.info["org"]))


def rules_of(row: RepaymentRules | None) -> RepaymentRulesDraft:
    if row is None:
        return RepaymentRulesDraft()
    limits = {role: Limits(**values) for role, values in row.limits.items()}
    return RepaymentRulesDraft(broken_after=row.broken_after, **limits)


def set_repayment_rules(session: Session, draft: RepaymentRulesDraft, *, now: dt.datetime) -> RepaymentRulesDraft:
    """Say how far each role may go from now on. Plans that are approved already stay as they are."""
    limits = {role.value: vars(of_role) for role, of_role in draft.by_role.items()}
    values = {"limits": limits, "broken_after": draft.broken_after, "updated_at": now}
    said = insert(RepaymentRules).values(org_id=session.info["org"], **values)
    session.execute(said.on_conflict_do_update(index_elements=["org_id"], set_=values))
    session.expire_all()
    return repayment_rules(session)


def plans_where(*, state: RepaymentState | None = None, case_id: uuid.UUID | None = None) -> sa.Select[RepaymentPlan]:
    """The plans one may see, all or those that fit; the caller states the order."""
    every = (RepaymentPlan.running, RepaymentPlan.house, RepaymentPlan.own_rules, RepaymentPlan.lender_rules)
    rows = sa.select(RepaymentPlan).options(*map(selectinload, every))
    if state is not None:
        rows = rows.where(RepaymentPlan.state == state)
    return rows if case_id is None else rows.where(RepaymentPlan.case_id == case_id)


def get_plan(session: Session, plan_id: uuid.UUID) -> RepaymentPlan:
    return get_by_id(session, RepaymentPlan, plan_id)


def terms_of(plan: RepaymentPlan) -> PlanDraft:
    instalments = tuple(
        Instalment(amount_minor=each["amount_minor"], due_on=dt.date.fromisoformat(each["due_on"]))
        for each in plan.instalments
    )
    return PlanDraft(instalments=instalments, currency=plan.currency, method=plan.method, grace_days=plan.grace_days)


def approvers_of(plan: RepaymentPlan) -> list[Role]:
    """The roles that may approve it: by the rules of who goes, and by those of whose money it is. None once it is
    decided on."""
    if plan.state is not RepaymentState.PROPOSED:
        return []
    houses = [rules_of(plan.own_rules), rules_of(plan.lender_rules)]
    return approvable_by(terms_of(plan), houses, since=local_day(plan.proposed_at, plan.house.zone))


def plan_row(draft: PlanDraft, case: Mapping[str, Any], *, proposed_at: dt.datetime) -> RepaymentPlan:
    """What is kept of a proposal. `case`: its id, and whose row this is."""
    return RepaymentPlan(
        proposed_at=proposed_at,
        currency=draft.currency,
        method=draft.method,
        instalments=[{"amount_minor": e.amount_minor, "due_on": e.due_on.isoformat()} for e in draft.instalments],
        total_minor=draft.total_minor,
        grace_days=draft.grace_days,
        **case,
    )


def propose_plan(
    session: Session, case_id: uuid.UUID, draft: PlanDraft, *, by: uuid.UUID, now: dt.datetime
) -> RepaymentPlan:
    """The office proposes a plan on a case one may see. Raises NotFound, InvalidValue, PlanExceedsDebt."""
    case = get_by_id(session, Case, case_id)
    demand_fitting(case, draft, after=now.astimezone(ZoneInfo(acting_organisation(session).zone)).date())
    _demand_owed(case, draft)
    whose = {"org_id": session.info["org"], "lender_id": case.org_id, "case_id": case.id, "proposed_by_id": by}
    plan = plan_row(draft, whose, proposed_at=now)
    session.add(plan)
    session.flush()
    return plan


def demand_fitting(case: Case, draft: PlanDraft, *, after: dt.date, within: str = "") -> None:
    """Raise InvalidValue for another currency than the case's, and for an instalment that is due on this day or before,
    or further off than any plan may last. `within`: where in what was sent the plan stands."""
    if draft.currency != case.currency:
        raise InvalidValue(path=f"{within}currency", reason="is not the currency of the case")
    if draft.instalments[0].due_on <= after:
        raise InvalidValue(path=f"{within}instalments.due_on", reason="must lie after the day it was proposed on")
    draft.demand_days(since=after, within=within)


def approve_plan(session: Session, plan_id: uuid.UUID, *, by: Decider, now: dt.datetime) -> RepaymentPlan:
    """Let it run: its instalments are promises from now on, and what was paid since it was proposed counts for them.

    Raises NotFound, also where the case was called back, OwnProposal, PlanDecided, PlanBeyondLimits, PlanExceedsDebt,
    PlanRunning, and PlanMissed where an instalment has not come by the end of its grace. The transaction is to be taken
    back then, as after anything that is raised.
    """
    plan = _undecided(session, plan_id, by)
    case = get_by_id(session, Case, plan.case_id)
    able = approvers_of(plan)
    if not set(able) & set(by.roles):
        raise PlanBeyondLimits(roles=", ".join(able) or "-")
    _demand_owed(case, terms_of(plan))
    with in_the_books_of(session, case.org_id):
        _replace_others(session, plan_id, case.id, now=now)
    plan.state, plan.decided_by_id, plan.decided_at = RepaymentState.RUNNING, by.account_id, now
    plan.broken_after = repayment_rules(session, plan.lender_id).broken_after
    whose = {"org_id": plan.org_id, "lender_id": plan.lender_id, "case_id": case.id, "plan_id": plan.id}
    terms = {"currency": plan.currency, "method": plan.method}
    for each in terms_of(plan).instalments:
        session.add(Promise(amount_minor=each.amount_minor, due_on=each.due_on, **terms, **whose))
    session.flush()
    keep_rest(session, plan, now=now)
    settle_promises(session, {case.id}, now=now)
    _demand_none_missed(session, plan)
    return plan


def refuse_plan(session: Session, plan_id: uuid.UUID, *, reason: str, by: Decider, now: dt.datetime) -> RepaymentPlan:
    """Say no, and why; it stays readable. Raises NotFound, also where the case was called back, OwnProposal,
    PlanDecided."""
    check_text("reason", reason)
    plan = _undecided(session, plan_id, by)
    return _end(session, plan, RepaymentState.REFUSED, reason=reason, by=by, now=now)


def withdraw_plan(session: Session, plan_id: uuid.UUID, *, reason: str, by: Decider, now: dt.datetime) -> RepaymentPlan:
    """Take back one that is proposed or runs: its instalments are waited for no more. Raises NotFound, also where the
    case was called back, PlanDecided."""
    check_text("reason", reason)
    plan = _locked(session, plan_id)
    if plan.state not in (RepaymentState.PROPOSED, RepaymentState.RUNNING):
        raise PlanDecided(plan_id=plan.id, state=plan.state)
    _end(session, plan, RepaymentState.WITHDRAWN, reason=reason, by=by, now=now)
    keep_rest(session, plan, now=now)
    settle_promises(session, {plan.case_id}, now=now)
    return plan


def withdraw_unheard(plan: RepaymentPlan | None, *, now: dt.datetime) -> None:
    """Take back what a crew mate proposed in whose report's place the lead's is, unless somebody has decided on it."""
    if plan is not None and plan.state is RepaymentState.PROPOSED:
        plan.state, plan.decided_at = RepaymentState.WITHDRAWN, now
        plan.reason = WithdrawalReason.LEAD_REPORTED.value


def plan_words(plan: PlanDraft | RepaymentPlan | None) -> list[str]:
    """What a crew mate told of a plan, for the account that their report became."""
    if plan is None:
        return []
    terms = terms_of(plan) if isinstance(plan, RepaymentPlan) else plan
    parts = ", ".join(f"{each.due_on} {each.amount_minor}" for each in terms.instalments)
    return [f"plan: {terms.currency} {terms.method}: {parts}"]


def _end(
    session: Session, plan: RepaymentPlan, state: RepaymentState, *, reason: str, by: Decider, now: dt.datetime
) -> RepaymentPlan:
    plan.state, plan.reason, plan.decided_by_id, plan.decided_at = state, reason, by.account_id, now
    session.flush()
    return plan


def _demand_owed(case: Case, draft: PlanDraft) -> None:
    if draft.total_minor > case.total_minor:
        raise PlanExceedsDebt(planned_minor=draft.total_minor, owed_minor=case.total_minor)


def _demand_none_missed(session: Session, plan: RepaymentPlan) -> None:
    missed = Promise.state.in_((PromiseState.PARTLY_KEPT, PromiseState.BROKEN))
    first = session.scalar(sa.select(sa.func.min(Promise.due_on)).where(Promise.plan_id == plan.id, missed))
    if first is not None:
        raise PlanMissed(due_on=first)


def _locked(session: Session, plan_id: uuid.UUID) -> RepaymentPlan:
    """With every other plan of its case, as settling takes them. Raises NotFound for a case that is not in sight: its
    payments and the block that rests on the plan are not either."""
    case = get_by_id(session, Case, get_plan(session, plan_id).case_id)
    with in_the_books_of(session, case.org_id):
        lock_plans(session, {case.id})
    return get_plan(session, plan_id)


def _replace_others(session: Session, plan_id: uuid.UUID, case_id: uuid.UUID, *, now: dt.datetime) -> None:
    """Let money count for none of the case's other plans any more. The lender's books are open. Raises PlanRunning."""
    for other in lock_plans(session, {case_id}).values():
        if other.id == plan_id:
            continue
        if other.state is RepaymentState.RUNNING:
            raise PlanRunning(plan_id=other.id)
        if other.state in SETTLING and other.replaced_at is None:
            other.replaced_at = now


def _undecided(session: Session, plan_id: uuid.UUID, by: Decider) -> RepaymentPlan:
    plan = _locked(session, plan_id)
    if _proposed_it(session, plan, by.account_id):
        raise OwnProposal()
    if plan.state is not RepaymentState.PROPOSED:
        raise PlanDecided(plan_id=plan.id, state=plan.state)
    return plan


def _proposed_it(session: Session, plan: RepaymentPlan, account_id: uuid.UUID) -> bool:
    if plan.proposed_by_id is not None:
        return plan.proposed_by_id == account_id
    proposer = sa.select(VisitReport.visitor_id).where(VisitReport.id == plan.report_id).scalar_subquery()
    own = sa.select(Account.id).where(Account.id == account_id, Account.visitor_id == proposer)
    return session.scalar(own) is not None
