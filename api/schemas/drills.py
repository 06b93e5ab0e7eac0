"""Drills on the wire."""

from marshmallow import fields

from api.schemas.base import Drafted, Out
from api.schemas.fields import Choice, Flag, Id, Instant, Many, Part, Text, Whole
from fieldvisit.safety.drafts import LONGEST_NOTE
from fieldvisit.safety.drills import DrillDraft
from fieldvisit.vocabulary import DrillKind

ALL = 10_000


class DrillIn(Drafted):
    makes = DrillDraft

    visitor_id = Id(required=True, metadata={"description": "who is not out, and has agreed to it"})
    kind = Choice(DrillKind, required=True)
    note = Text(required=True, max=LONGEST_NOTE, metadata={"description": "what is rehearsed, and what was agreed"})


class DrillOut(Out):
    """One drill and how it went; what has not come yet is null."""

    id = Id(required=True, metadata={"description": "of its session"})
    alert_id = Id(required=True)
    kind = Choice(DrillKind, required=True)
    visitor_id = Id(required=True)
    begun_at = Instant(required=True)
    begun_by_id = Id(required=True, allow_none=True)
    taken_s = fields.Float(required=True, allow_none=True, metadata={"examples": [21.4]})
    taken_by_id = Id(required=True, allow_none=True)
    taken_by_its_beginner = Flag(required=True)
    taken_in_time = Flag(required=True, metadata={"description": "within 60 s, by somebody else than who began it"})
    closed_s = fields.Float(required=True, allow_none=True, metadata={"examples": [312.0]})
    closed_at = Instant(required=True, allow_none=True)
    step = Whole(required=True)
    round = Whole(required=True)
    messages = Whole(required=True)
    sent = Whole(required=True)
    arrived = Whole(required=True, metadata={"description": "by the receipts of providers that send any"})
    first_sent_s = fields.Float(required=True, allow_none=True, metadata={"examples": [0.8]})


class MonthOfDrillsOut(Out):
    """One kind in one month. `owed`: what was demanded was not held, or is still to be held this month."""

    month = fields.String(required=True)
    kind = Choice(DrillKind, required=True)
    every_months = Whole(required=True, allow_none=True)
    begun = Whole(required=True)
    held = Whole(required=True)
    taken_within_60_s = Whole(required=True)
    slowest_taken_s = fields.Float(required=True, allow_none=True, metadata={"examples": [21.4]})
    owed = Flag(required=True)


class DrillsOut(Out):
    months = Many(Part(MonthOfDrillsOut), required=True, max=ALL)
    drills = Many(Part(DrillOut), required=True, max=ALL)
