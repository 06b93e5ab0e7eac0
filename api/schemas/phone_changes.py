"""The delta that a phone pulls."""

from marshmallow import fields

from api.schemas.base import In, Out
from api.schemas.fields import Choice, Day, Flag, Id, Instant, Text
from api.schemas.forms import FormOut
from api.schemas.phone_day import CrewMateOut, VisitCardOut
from api.schemas.phone_events import HeldEventOut
from fieldvisit.phone.cursors import LONGEST, ItemKind


class ChangesQueryIn(In):
    since = Text(
        min=0, max=LONGEST, load_default=None, metadata={"description": "`cursor` of the last answer; left out for all"}
    )


class StopToldOut(Out):
    """`partners`: where two crews meet at the door, those of the other one. `reporter_id`: whose report is that of the
    visit."""

    position = fields.Integer(required=True)
    visit_id = Id(required=True)
    arrive_at = Instant(required=True)
    begin_at = Instant(required=True)
    end_at = Instant(required=True)
    travel_s = fields.Integer(required=True)
    partners = fields.List(fields.Nested(CrewMateOut), required=True)
    reporter_id = Id(required=True)


class RouteToldOut(Out):
    """A route with its stops in order; the cards of their visits are among `visits`, where they are news."""

    route_id = Id(required=True)
    plan_id = Id(required=True)
    plan_version = fields.Integer(required=True, allow_none=True)
    crew_code = fields.String(required=True)
    depart_at = Instant(required=True)
    return_at = Instant(required=True)
    break_at = Instant(required=True, allow_none=True)
    break_s = fields.Integer(required=True, allow_none=True)
    crew = fields.List(fields.Nested(CrewMateOut), required=True)
    stops = fields.List(fields.Nested(StopToldOut), required=True)


class GoneOut(Out):
    """A thing that the phone has and is to forget now."""

    kind = Choice(ItemKind, required=True)
    id = Id(required=True)


class ChangesOut(Out):
    """What changed since the `cursor` that was sent. Each thing comes whole, in place of what the phone has of it.

    `forms`: what the house asks in every report from now on; what was asked by an older version is told by that one.
    `held`: of the newest 50, what waits before what was refused; `held_count`: how many there are in all.
    `reset`: forget everything first. `forget_at`: wipe what is told of debtors here then, with or without signal.
    """

    cursor = fields.String(required=True)
    on = Day(required=True)
    reset = Flag(required=True)
    forget_at = Instant(required=True)
    routes = fields.List(fields.Nested(RouteToldOut), required=True)
    visits = fields.List(fields.Nested(VisitCardOut), required=True)
    held = fields.List(fields.Nested(HeldEventOut), required=True)
    held_count = fields.Integer(required=True)
    forms = fields.List(fields.Nested(FormOut), required=True)
    gone = fields.List(fields.Nested(GoneOut), required=True)
