"""A day by hand: where a visit could go, what a change would do, keeping it as a draft, and going back."""

import uuid
from typing import Any

from api.auth import actor
from api.context import now
from api.db import session
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.roles import Permission
from api.schemas.plan_changes import (
    EffectsOut,
    OptionsOut,
    OptionsQueryIn,
    PlanChangesIn,
    RepairIn,
    TrialOut,
)
from api.schemas.plans import PlanDetailOut, PlanOut
from api.showing import Shows
from fieldvisit.models import DayPlan
from fieldvisit.planning import choosing, editing, plans, repairing
from fieldvisit.planning.effects import Effects
from fieldvisit.planning.jobs import enqueue_solve

bp = Blueprint("plan-changes", __name__, url_prefix="/day-plans", description=__doc__)


@bp.get("/<uuid:plan_id>/visits/<uuid:visit_id>/options")
@endpoint(may=Permission.READ_PLANS, query=OptionsQueryIn(), returns=OptionsOut())
def list_options(plan_id: uuid.UUID, visit_id: uuid.UUID, query: dict[str, Any]) -> choosing.Options:
    """Where one visit could go, cheapest first: an urgent one that is not planned, or one that is and might move.

    Each option is exact: its crew, its time, what the plan costs then, who comes at another time, who falls out.
    """
    return choosing.options_of(session(), plan_id, visit_id, most=query["most"], now=now())


@bp.post("/<uuid:plan_id>/trial")
@endpoint(may=Permission.MAKE_PLANS, body=PlanChangesIn(), returns=TrialOut())
def try_changes(plan_id: uuid.UUID, body: dict[str, Any]) -> editing.Trial:
    """Say what changes would break, cost and mean for people. Nothing is stored.

    Changes are carried out one after the other: `add` and `move` a visit (to a crew, at a position or the best),
    `remove` it, `reorder` a crew's visits, `retime` a visit to begin at an instant.
    """
    return editing.try_changes(session(), plan_id, body["changes"], now=now())


@bp.post("/<uuid:plan_id>/changes")
@endpoint(may=Permission.MAKE_PLANS, body=PlanChangesIn(), returns=PlanDetailOut(), status=201, shows=Shows.WORK)
def keep_changes(plan_id: uuid.UUID, body: dict[str, Any]) -> DayPlan:
    """Keep changes as a new draft of the day, in place of any other draft. A draft that breaks a rule is not kept."""
    made = editing.keep_changes(session(), plan_id, body["changes"], by=actor().account_id, now=now())
    return plans.get_plan(session(), made.id)


@bp.post("/<uuid:plan_id>/undo")
@endpoint(may=Permission.MAKE_PLANS, returns=PlanDetailOut(), shows=Shows.WORK)
def undo_changes(plan_id: uuid.UUID) -> DayPlan:
    """Go one step back.

    A draft made by hand is dropped, and the plan it was made from, which is in force again, is the answer. Of the
    published plan the version before it becomes the day's draft, as far as what has happened since allows: its
    effects say for whom what changes, and publishing it makes it the next version.
    """
    before = editing.undo(session(), plan_id, by=actor().account_id, now=now())
    return plans.get_plan(session(), before.id)


@bp.post("/<uuid:plan_id>/replan")
@endpoint(may=Permission.MAKE_PLANS, body=RepairIn(), returns=PlanOut(), status=202)
def replan_day(plan_id: uuid.UUID, body: repairing.RepairRequest) -> DayPlan:
    """Ask a worker to plan the rest of a published day anew, with few changes; what has begun stays as it is.

    Read the answered plan again until its state is `draft` or `failed`; its effects say what would change for whom.
    """
    plan = repairing.request_repair(session(), plan_id, body, by=actor().account_id, now=now())
    enqueue_solve(session(), plan.org_id, plan.id)
    return plan


@bp.get("/<uuid:plan_id>/effects")
@endpoint(may=Permission.READ_PLANS, returns=EffectsOut())
def list_effects(plan_id: uuid.UUID) -> Effects:
    """What publishing this plan would change for people, against what the phones show."""
    return choosing.effects_on_phones(session(), plan_id)
