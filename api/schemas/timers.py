"""The timers of safety sessions on the wire, in seconds."""

from marshmallow import fields

from api.schemas.base import Drafted, Out
from api.schemas.fields import Choice, Flag, Id, Instant, Many, Part, Text, Whole
from fieldvisit.safety.own_timers import TimersDraft
from fieldvisit.vocabulary import RiskLevel

HOUR_S = 3_600


class TimersIn(Drafted):
    """A check-in every 2 to 120 minutes, a grace of 0 to 10; at high risk the alarm comes after 10 minutes at most."""

    makes = TimersDraft

    level = Choice(RiskLevel, required=True)
    check_in_s = Whole(required=True, min=120, max=2 * HOUR_S)
    remind_s = Whole(required=True, min=0, max=2 * HOUR_S)
    grace_s = Whole(required=True, min=0, max=600)
    lost_s = Whole(required=True, min=60, max=HOUR_S)
    arrive_s = Whole(required=True, min=300, max=2 * HOUR_S)
    leave_s = Whole(required=True, min=60, max=HOUR_S)
    reason = Text(required=True, max=500)


class TimersOut(Out):
    """`set_by_id`, `set_at` and `reason` are empty where the product's own timers hold."""

    level = Choice(RiskLevel, required=True, attribute="timers.level")
    check_in_s = Whole(required=True, attribute="timers.check_in_s")
    remind_s = Whole(required=True, attribute="timers.remind_s")
    grace_s = Whole(required=True, attribute="timers.grace_s")
    lost_s = Whole(required=True, attribute="timers.lost_s")
    lost_raises = Flag(required=True, attribute="timers.lost_raises")
    arrive_s = Whole(required=True, attribute="timers.arrive_s")
    leave_s = Whole(required=True, attribute="timers.leave_s")
    reason = fields.String(required=True, allow_none=True)
    set_by_id = Id(required=True, allow_none=True)
    set_at = Instant(required=True, allow_none=True)


class TimersInForceOut(Out):
    items = Many(Part(TimersOut), required=True, max=len(RiskLevel))
