"""The figures of alarms on the wire."""

from marshmallow import fields

from api.schemas.base import In, Out
from api.schemas.fields import Choice, Day, Flag, Id, Many, Part, Whole
from api.schemas.safety import AtRiskOut
from fieldvisit.vocabulary import AlertKind, AlertOutcome, RiskLevel

ALL = 10_000


class PeriodIn(In):
    since = Day(required=True, metadata={"description": "by the organisation's own calendar"})
    until = Day(required=True, metadata={"description": "not included"})


class OutcomeCountOut(Out):
    kind = Choice(AlertKind, required=True)
    outcome = Choice(AlertOutcome, required=True)
    alerts = Whole(required=True)


class MonthOfAlarmsOut(Out):
    """One month of the organisation, or its drills. Shares are of the alerts that somebody had to take."""

    month = fields.String(required=True)
    drill = Flag(required=True)
    alerts = Whole(required=True)
    asked = Whole(required=True)
    within_10_s = Whole(required=True)
    within_40_s = Whole(required=True)
    within_60_s = Whole(required=True)
    share_10_s = fields.Float(required=True, allow_none=True)
    share_40_s = fields.Float(required=True, allow_none=True)
    share_60_s = fields.Float(required=True, allow_none=True)
    unverified = Whole(required=True)
    false_alarms = Whole(required=True)
    late_p99_s = fields.Float(required=True, allow_none=True)
    late_worst_s = fields.Float(required=True, allow_none=True)
    sent_p95_s = fields.Float(required=True, allow_none=True)
    lateness = fields.List(fields.Integer(), required=True)
    outcomes = Many(Part(OutcomeCountOut), required=True, max=ALL)


class AlarmStatisticsOut(Out):
    """`lateness` of each month counts the alerts up to each of `lateness_s`, and last those that were later."""

    lateness_s = fields.List(fields.Float(), required=True)
    months = Many(Part(MonthOfAlarmsOut), required=True, max=ALL)


class FalseAlarmsOut(Out):
    """Alarms of one visitor, one phone and the timers of one level that were closed: how many, and how many as false,
    by why. `device_id` is null where the visitor had no phone that is known."""

    visitor = Part(AtRiskOut, required=True, attribute="person")
    device_id = Id(required=True, allow_none=True)
    device_name = fields.String(required=True, allow_none=True)
    level = Choice(RiskLevel, required=True)
    alerts = Whole(required=True)
    false_alarms = Whole(required=True)
    share = fields.Float(required=True)
    accidental = Whole(required=True)
    forgot = Whole(required=True)
    by_device = Whole(required=True)
    our_outage = Whole(required=True)


class FalseAlarmsOfAllOut(Out):
    lines = Many(Part(FalseAlarmsOut), required=True, max=ALL)
