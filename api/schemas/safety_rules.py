"""The rules of an organisation's safety on the wire."""

from marshmallow import fields

from api.schemas.base import Drafted, Out
from api.schemas.fields import Choice, Id, Instant, Many, Part, Text, Whole
from fieldvisit.safety.rules import DemandedDrill, RulesDraft
from fieldvisit.vocabulary import DrillKind


class DemandedDrillIn(Drafted):
    makes = DemandedDrill

    kind = Choice(DrillKind, required=True)
    every_months = Whole(required=True, min=1, max=12)


class DemandedDrillOut(Out):
    kind = Choice(DrillKind, required=True)
    every_months = Whole(required=True)


class SafetyRulesIn(Drafted):
    makes = RulesDraft

    positions_days = Whole(
        required=True, min=0, max=365, metadata={"description": "until the last position of an ended session goes"}
    )
    sessions_days = Whole(required=True, min=30, max=3_650, metadata={"description": "until an ended session goes"})
    unwatched_s = Whole(
        min=300,
        max=7_200,
        allow_none=True,
        load_default=None,
        metadata={"description": "after so long an alarm is raised about who set out without a session; null: never"},
    )
    drills = Many(
        Part(DemandedDrillIn),
        max=len(DrillKind),
        load_default=[],
        metadata={"description": "of which kinds a drill is demanded, and every how many months"},
    )
    reason = Text(required=True, max=500)


class SafetyRulesOut(Out):
    """`set_by_id`, `set_at` and `reason` are empty where the product's own hold."""

    positions_days = Whole(required=True, attribute="rules.positions_days")
    sessions_days = Whole(required=True, attribute="rules.sessions_days")
    unwatched_s = Whole(required=True, allow_none=True, attribute="rules.unwatched_s")
    drills = Many(Part(DemandedDrillOut), required=True, attribute="rules.drills")
    reason = fields.String(required=True, allow_none=True, attribute="setting.reason", dump_default=None)
    set_by_id = Id(required=True, allow_none=True, attribute="setting.set_by_id", dump_default=None)
    set_at = Instant(required=True, allow_none=True, attribute="setting.set_at", dump_default=None)
