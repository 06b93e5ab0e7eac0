"""Week plans on the wire."""

from typing import Any

from marshmallow import fields, pre_dump

from api.context import language
from api.schemas.base import Drafted, Out, PageIn
from api.schemas.fields import Choice, Day, Id, Part, Whole
from fieldvisit.languages import say
from fieldvisit.planning.week_words import WeekOfPlans
from fieldvisit.planning.weeks import WeekRequest
from fieldvisit.vocabulary import DayPlanState, WeekState


class WeekRequestIn(Drafted):
    """Which days to plan, and for how long to search for each."""

    makes = WeekRequest
    area_id = Id(required=True)
    first_on = Day(required=True)
    days = Whole(min=1, max=31, load_default=5)
    seconds = Whole(min=1, max=3_600, load_default=10)
    iterations = Whole(min=1, max=10**9, load_default=None, allow_none=True)


class WeeksQueryIn(PageIn):
    state = Choice(WeekState, load_default=None)


class WeekOut(Out):
    id = Id(required=True)
    area_id = Id(required=True)
    first_on = Day(required=True)
    days = fields.Integer(required=True)
    state = Choice(WeekState, required=True)


class WeekDayOut(Out):
    """One day of a week; its plan is looked at and published like any other."""

    planned_on = Day(required=True)
    plan_id = Id(required=True)
    state = Choice(DayPlanState, required=True)
    visits = fields.Integer(required=True)


class WaitingOut(Out):
    """A visit without a day in this week. It waits, and is due by `last_on`."""

    visit_id = Id(required=True)
    reference = fields.String(required=True)
    last_on = Day(required=True)
    reason = fields.String(required=True)
    words = fields.String(required=True)


class WeekDetailOut(WeekOut):
    failure_words = fields.String(required=True, allow_none=True)
    plans = fields.List(Part(WeekDayOut), required=True)
    waiting = fields.List(Part(WaitingOut), required=True)

    @pre_dump
    def told(self, found: WeekOfPlans, **_: Any) -> dict[str, Any]:
        week = found.week
        names = ("id", "area_id", "first_on", "days", "state")
        return {name: getattr(week, name) for name in names} | {
            "failure_words": None if found.failure is None else say(found.failure, language()),
            "plans": [
                {
                    "planned_on": plan.planned_on,
                    "plan_id": plan.id,
                    "state": plan.state,
                    "visits": found.stops.get(plan.id, 0),
                }
                for plan in found.plans
            ],
            "waiting": [
                {
                    "visit_id": visit.id,
                    "reference": visit.reference,
                    "last_on": visit.last_on,
                    "reason": week.later[str(visit.id)],
                    "words": say(found.why(visit), language()),
                }
                for visit in found.waiting
            ],
        }
