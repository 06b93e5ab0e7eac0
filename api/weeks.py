"""Week plans: several days of an area, each visit on one of them."""

import uuid
from typing import Any

import sqlalchemy as sa

from api.auth import actor
from api.context import now
from api.db import session
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.paging import Keyset
from api.roles import Permission
from api.schemas.weeks import WeekDetailOut, WeekOut, WeekRequestIn, WeeksQueryIn
from fieldvisit.models import WeekPlan
from fieldvisit.planning import weeks
from fieldvisit.planning.jobs import enqueue_week
from fieldvisit.planning.week_words import WeekOfPlans, week_of_plans
from fieldvisit.planning.weeks import WeekRequest

bp = Blueprint("week-plans", __name__, url_prefix="/week-plans", description="Plan several days of an area together")


@bp.post("")
@endpoint(may=Permission.MAKE_PLANS, body=WeekRequestIn(), returns=WeekOut(), status=202)
def request_week(body: WeekRequest) -> WeekPlan:
    """Ask for the plans of several days; a worker makes them, the first day first.

    Read it again until its state is `planned` or `failed`. Each day has a draft of its own, to be published by itself.
    """
    week = weeks.request_week(session(), actor().org_id, body, now=now())
    enqueue_week(session(), week.org_id, week.id)
    return week


@bp.get("")
@endpoint(
    may=Permission.READ_PLANS,
    query=WeeksQueryIn(),
    returns=WeekOut(),
    order=Keyset(WeekPlan.requested_at, WeekPlan.id, descending=True),
)
def list_weeks(query: dict[str, Any]) -> sa.Select[Any]:
    """Week plans, the newest first."""
    return weeks.weeks_where(**query)


@bp.get("/<uuid:week_id>")
@endpoint(may=Permission.READ_PLANS, returns=WeekDetailOut())
def get_week(week_id: uuid.UUID) -> WeekOfPlans:
    """One week: the plan of each day, and which visits have no day and why."""
    return week_of_plans(session(), week_id)
