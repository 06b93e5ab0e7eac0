"""The rules of an organisation's safety on the wire."""

from typing import Any

from marshmallow import fields, post_load

from api.schemas.base import Drafted, Out
from api.schemas.fields import Choice, Flag, Id, Instant, Many, Part, Text, Whole
from api.schemas.roster import TAGS
from fieldvisit.languages import tag
from fieldvisit.safety.rules import DemandedDrill, ExternalLine, RulesDraft
from fieldvisit.vocabulary import DrillKind, RiskLevel


class DemandedDrillIn(Drafted):
    makes = DemandedDrill

    kind = Choice(DrillKind, required=True)
    every_months = Whole(required=True, min=1, max=12)


class DemandedDrillOut(Out):
    kind = Choice(DrillKind, required=True)
    every_months = Whole(required=True)


class ExternalLineIn(Drafted):
    """Who is called, by agreement, when nobody of the house answers or nobody is on duty."""

    makes = ExternalLine

    name = Text(required=True, max=200, metadata={"examples": ["Pohja Guard, control room"]})
    number = Text(required=True, max=20, metadata={"examples": ["+358401234567"]})
    language = Text(load_default="en", max=20)
    sms = Flag(load_default=False, metadata={"description": "written to as well as rung"})

    @post_load
    def draft(self, data: dict[str, Any], **more: Any) -> Any:
        return super().draft(data | {"language": TAGS.get(data["language"], data["language"])}, **more)


class ExternalLineOut(Out):
    name = fields.String(required=True, metadata={"examples": ["Pohja Guard, control room"]})
    number = fields.String(required=True, metadata={"examples": ["+358401234567"]})
    language = fields.Function(lambda line: tag(line.language), required=True, metadata={"type": "string"})
    sms = Flag(required=True)


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
    external = Part(ExternalLineIn, allow_none=True, load_default=None)
    assessed_from = Choice(
        RiskLevel,
        allow_none=True,
        load_default=None,
        metadata={
            "description": "from this level on nobody starts without the questions before the visit; null: at none",
            "examples": ["raised"],
        },
    )
    assessment_valid_s = Whole(
        min=900, max=604_800, load_default=43_200, metadata={"description": "so long an answer to them is good"}
    )
    pin_from = Choice(
        RiskLevel,
        allow_none=True,
        load_default=None,
        metadata={"description": "from this level on a check-in needs the visitor's PIN; null: at none"},
    )
    buddy_from = Choice(
        RiskLevel,
        allow_none=True,
        load_default=None,
        metadata={"description": "from this level on whoever goes alone names a buddy; null: at none"},
    )
    reason = Text(required=True, max=500)


class SafetyRulesOut(Out):
    """`set_by_id`, `set_at` and `reason` are empty where the product's own hold."""

    positions_days = Whole(required=True, attribute="rules.positions_days")
    sessions_days = Whole(required=True, attribute="rules.sessions_days")
    unwatched_s = Whole(required=True, allow_none=True, attribute="rules.unwatched_s")
    drills = Many(Part(DemandedDrillOut), required=True, attribute="rules.drills")
    external = Part(ExternalLineOut, required=True, allow_none=True, attribute="rules.external")
    assessed_from = Choice(RiskLevel, required=True, allow_none=True, attribute="rules.assessed_from")
    assessment_valid_s = Whole(required=True, attribute="rules.assessment_valid_s")
    pin_from = Choice(RiskLevel, required=True, allow_none=True, attribute="rules.pin_from")
    buddy_from = Choice(RiskLevel, required=True, allow_none=True, attribute="rules.buddy_from")
    reason = fields.String(required=True, allow_none=True, attribute="setting.reason", dump_default=None)
    set_by_id = Id(required=True, allow_none=True, attribute="setting.set_by_id", dump_default=None)
    set_at = Instant(required=True, allow_none=True, attribute="setting.set_at", dump_default=None)
