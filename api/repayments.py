"""Repayment plans: proposed, decided on by somebody else, and followed to kept or broken."""

import uuid
from typing import Any

import sqlalchemy as sa

from api.auth import actor
from api.context import now
from api.db import session
from api.editing import Edited
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.paging import Keyset
from api.roles import Permission
from api.schemas.repayments import (
    RepaymentEndIn,
    RepaymentPlanOut,
    RepaymentPlansQueryIn,
    RepaymentRulesIn,
    RepaymentRulesOut,
)
from api.schemas.reports import RepaymentPlanIn
from api.showing import Shows
from fieldvisit import repayments
from fieldvisit.models import RepaymentPlan
from fieldvisit.repayment_terms import PlanDraft, RepaymentRulesDraft
from fieldvisit.repayments import Decider

bp = Blueprint("repayments", __name__, description=__doc__)
SHOWN = {"returns": RepaymentPlanOut(), "shows": Shows.WORK}


@bp.get("/repayment-plans")
@endpoint(
    may=Permission.READ_REPORTS,
    query=RepaymentPlansQueryIn(),
    order=Keyset(RepaymentPlan.proposed_at, RepaymentPlan.id),
    **SHOWN,
)
def list_repayment_plans(query: dict[str, Any]) -> sa.Select[RepaymentPlan]:
    """The plans that were proposed, the oldest first."""
    return repayments.plans_where(**query)


@bp.post("/cases/<uuid:case_id>/repayment-plans")
@endpoint(may=Permission.PROPOSE_REPAYMENT_PLANS, body=RepaymentPlanIn(), status=201, **SHOWN)
def propose_repayment_plan(case_id: uuid.UUID, body: PlanDraft) -> RepaymentPlan:
    """Propose instalments on a case. Somebody else decides on them."""
    return repayments.propose_plan(session(), case_id, body, by=actor().account_id, now=now())


@bp.get("/repayment-plans/<uuid:repayment_plan_id>")
@endpoint(may=Permission.READ_REPORTS, **SHOWN)
def get_repayment_plan(repayment_plan_id: uuid.UUID) -> RepaymentPlan:
    """One plan, its instalments, and where each stands."""
    return repayments.get_plan(session(), repayment_plan_id)


@bp.post("/repayment-plans/<uuid:repayment_plan_id>/approval")
@endpoint(may=Permission.DECIDE_ON_REPAYMENT_PLANS, **SHOWN)
def approve_repayment_plan(repayment_plan_id: uuid.UUID) -> RepaymentPlan:
    """Let it run: nobody is visited for this case while it is kept to, and what is paid settles its instalments."""
    return repayments.approve_plan(session(), repayment_plan_id, by=_decider(), now=now())


@bp.post("/repayment-plans/<uuid:repayment_plan_id>/refusal")
@endpoint(may=Permission.DECIDE_ON_REPAYMENT_PLANS, body=RepaymentEndIn(), **SHOWN)
def refuse_repayment_plan(repayment_plan_id: uuid.UUID, body: dict[str, str]) -> RepaymentPlan:
    """Say no, and why. It stays readable."""
    return repayments.refuse_plan(session(), repayment_plan_id, reason=body["reason"], by=_decider(), now=now())


@bp.post("/repayment-plans/<uuid:repayment_plan_id>/withdrawal")
@endpoint(may=Permission.DECIDE_ON_REPAYMENT_PLANS, body=RepaymentEndIn(), **SHOWN)
def withdraw_repayment_plan(repayment_plan_id: uuid.UUID, body: dict[str, str]) -> RepaymentPlan:
    """Take back a plan that waits or runs, and say why: none of its instalments is waited for any more."""
    return repayments.withdraw_plan(session(), repayment_plan_id, reason=body["reason"], by=_decider(), now=now())


@bp.get("/repayment-rules")
@endpoint(may=Permission.READ_ORGANISATIONS, returns=RepaymentRulesOut())
def read_repayment_rules() -> RepaymentRulesDraft:
    """How far each role may go in what it approves."""
    return repayments.repayment_rules(session())


@bp.put("/repayment-rules")
@endpoint(
    may=Permission.MANAGE_AREAS,
    body=RepaymentRulesIn(),
    returns=RepaymentRulesOut(),
    edits=Edited(read_repayment_rules),
)
def put_repayment_rules(body: RepaymentRulesDraft) -> RepaymentRulesDraft:
    """Say how far each role may go from now on; plans that run stay as they are."""
    return repayments.set_repayment_rules(session(), body, now=now())


def _decider() -> Decider:
    return Decider(account_id=actor().account_id, roles=actor().roles)
