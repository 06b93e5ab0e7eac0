"""Day plans: ask for one, watch it being made, look at it, publish it."""

import uuid
from typing import Any

import sqlalchemy as sa

from api.auth import actor
from api.context import language, now, settings
from api.db import session
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.paging import Keyset
from api.roles import Permission
from api.schemas.plans import DocumentsOut, FaultsOut, PlanDetailOut, PlanOut, PlanRequestIn, PlansQueryIn
from api.showing import Shows, note_shown
from fieldvisit.languages import say
from fieldvisit.models import DayPlan
from fieldvisit.planning import drawing, judging, plans, publishing
from fieldvisit.planning.jobs import enqueue_solve
from fieldvisit.planning.plans import PlanRequest

bp = Blueprint("day-plans", __name__, url_prefix="/day-plans", description="Plan a day, judge it, publish it")


@bp.post("")
@endpoint(may=Permission.MAKE_PLANS, body=PlanRequestIn(), returns=PlanOut(), status=202)
def request_plan(body: PlanRequest) -> DayPlan:
    """Ask for a plan of one area and day; a worker makes it.

    Read it again until its state is `draft` or `failed`; `progress` tells how far it is.
    """
    plan = plans.request_plan(session(), actor().org_id, body, requested_by_id=actor().account_id, now=now())
    enqueue_solve(session(), plan.org_id, plan.id)
    return plan


@bp.get("")
@endpoint(
    may=Permission.READ_PLANS,
    query=PlansQueryIn(),
    returns=PlanOut(),
    order=Keyset(DayPlan.requested_at, DayPlan.id, descending=True),
)
def list_plans(query: dict[str, Any]) -> sa.Select[Any]:
    """Plans, the newest first."""
    return plans.plans_where(**query)


@bp.get("/<uuid:plan_id>")
@endpoint(may=Permission.READ_PLANS, returns=PlanDetailOut(), shows=Shows.WORK)
def get_plan(plan_id: uuid.UUID) -> DayPlan:
    """One plan: routes, stops with times, and why each other visit is left out."""
    return plans.get_plan(session(), plan_id)


@bp.get("/<uuid:plan_id>/faults")
@endpoint(may=Permission.READ_PLANS, returns=FaultsOut())
def list_plan_faults(plan_id: uuid.UUID) -> dict[str, list[str]]:
    """Have the stored plan judged again by the independent checker."""
    found = judging.faults_of(plans.get_plan(session(), plan_id))
    return {"faults": [say(fault, language()) for fault in found]}


@bp.get("/<uuid:plan_id>/documents")
@endpoint(may=Permission.READ_PLANS, returns=DocumentsOut())
def get_plan_documents(plan_id: uuid.UUID) -> DayPlan:
    """The problem and the plan in the open planning format, for any other judge or solver."""
    return plans.get_plan(session(), plan_id)


@bp.get("/<uuid:plan_id>/picture")
@endpoint(may=Permission.READ_PLANS, media="text/html")
def draw_plan(plan_id: uuid.UUID) -> str:
    """The plan as one page to look at: streets, routes, stops in order with their times."""
    note_shown(Shows.WORK, "draw_plan", [plans.get_plan(session(), plan_id)])
    return drawing.picture_of(session(), plan_id, settings().map_file, language=language())


@bp.post("/<uuid:plan_id>/publication")
@endpoint(may=Permission.PUBLISH_PLANS, returns=PlanDetailOut(), shows=Shows.WORK)
def publish_plan(plan_id: uuid.UUID) -> DayPlan:
    """Publish a draft as the day's next version; from here on the phones show it.

    Every stop is judged again by the policy engine; one that is not allowed goes back, with the clause that forbids it.
    """
    publishing.publish_plan(session(), plan_id, published_by_id=actor().account_id, now=now())
    return plans.get_plan(session(), plan_id)


@bp.delete("/<uuid:plan_id>")
@endpoint(may=Permission.MAKE_PLANS, returns=PlanOut())
def drop_plan(plan_id: uuid.UUID) -> DayPlan:
    """Throw a draft away, or call a running search off."""
    return plans.drop_plan(session(), plan_id, now=now())
