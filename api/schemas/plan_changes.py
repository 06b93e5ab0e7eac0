"""Changes of a day by hand, on the wire."""

from typing import Any

from marshmallow import fields, pre_dump

from api.context import language
from api.schemas.base import Drafted, In, Out
from api.schemas.fields import Choice, Id, Instant, Many, Part, Text, Whole, WholeInQuery
from api.schemas.words import Several, Words
from fieldvisit.languages import say
from fieldvisit.planning.choosing import Options
from fieldvisit.planning.edit_wishes import EditKind, PlanChange
from fieldvisit.planning.editing import Trial
from fieldvisit.planning.effects import Effect
from fieldvisit.planning.problem import CHANGE_PRICE_S, instant
from fieldvisit.planning.repairing import RepairRequest
from fieldvisit.vocabulary import Channel
from routing.checking import Fault
from routing.options import MOST

MOST_CHANGES = 50
MOST_STOPS = 200


class PlanChangeIn(Drafted):
    """`position`: from 1 among all stops of the crew; the best one where it is left out. `begin_at` null: the time of
    the visit is free again. `visit_ids`: the crew's visits that have not begun, in their new order. `partner`: the crew
    that meets the crew there, of a visit that needs two; the cheapest one where it is left out."""

    makes = PlanChange
    sample = {"visit_id": ..., "crew": ..., "position": ...}
    kind = Choice(EditKind, required=True)
    visit_id = Id(allow_none=True)
    crew = Text(max=100, allow_none=True)
    partner = Text(max=100, allow_none=True)
    position = Whole(min=1, max=MOST_STOPS, allow_none=True)
    visit_ids = Several(Id(), min=1, max=MOST_STOPS, allow_none=True)
    begin_at = Instant(allow_none=True)


class PlanChangesIn(In):
    changes = Many(Part(PlanChangeIn), min=1, max=MOST_CHANGES, required=True)


class RepairIn(Drafted):
    """How to plan the rest of the day anew. `change_price_s`: what a visit costs that changes hands or falls out, in
    seconds of travel; a crew that keeps its visits gets another order only where that saves as much. `most_changed`:
    how many may change; null: as many as pay. `add`: visits that joined since."""

    makes = RepairRequest
    seconds = Whole(min=1, max=3_600, load_default=10)
    iterations = Whole(min=1, max=10**9, load_default=None, allow_none=True)
    seed = Whole(min=0, max=2**31 - 1, load_default=1)
    change_price_s = Whole(min=0, max=86_400, load_default=CHANGE_PRICE_S)
    most_changed = Whole(min=0, max=10_000, load_default=None, allow_none=True)
    add = Several(Id(), max=MOST_CHANGES, load_default=())


class OptionsQueryIn(In):
    most = WholeInQuery(min=1, max=50, load_default=MOST)


class MovedTimeOut(Out):
    """A visit of the same crew that would begin at another time."""

    visit_id = Id(required=True)
    reference = fields.String(required=True)
    begin_before = Instant(required=True)
    begin_after = Instant(required=True)


class DisplacedOut(Out):
    visit_id = Id(required=True)
    reference = fields.String(required=True)


class OptionOut(Out):
    """`more_s`: how much dearer the plan would be, in seconds of travel; less than nothing where it would be cheaper.
    `position`: among all stops of the crew, from 1. `partner`: the crew that meets it there, of a visit that needs
    two."""

    crew = fields.String(required=True)
    partner = fields.String(required=True, allow_none=True)
    position = fields.Integer(required=True)
    begin_at = Instant(required=True)
    more_s = fields.Integer(required=True)
    displaces = fields.List(Part(DisplacedOut), required=True)
    shifts = fields.List(Part(MovedTimeOut), required=True)


class OptionsOut(Out):
    """`estimated`: the plan was made before the visit, and its drives are estimated from straight lines."""

    visit_id = Id(required=True)
    estimated = fields.Boolean(required=True)
    options = fields.List(Part(OptionOut), required=True)

    @pre_dump
    def tell(self, options: Options, **_: Any) -> dict[str, Any]:
        return {
            "visit_id": options.visit_id,
            "estimated": options.estimated,
            "options": [options.told(option) for option in options.found],
        }


class BrokenRuleOut(Out):
    """One broken rule: its code, in words, and whom it concerns."""

    code = fields.String(required=True)
    words = fields.String(required=True)
    visit_id = Id(required=True, allow_none=True)
    crew = fields.String(required=True, allow_none=True)


class ToldOut(Out):
    """What a debtor was told of a visit: in which hours somebody comes. `sent_at` null: it waits to be sent."""

    notice_id = Id(required=True)
    channel = Choice(Channel, required=True)
    announced_from = Instant(required=True, attribute="from_at")
    announced_until = Instant(required=True, attribute="until_at")
    sent_at = Instant(required=True, allow_none=True)
    delivered_at = Instant(required=True, allow_none=True)


class VisitEffectOut(Out):
    """`notice`: what its debtor was told; `breaks_notice`: it would begin outside of these hours, or not at all.
    `partner_...`: the second of two crews that meet there."""

    visit_id = Id(required=True)
    reference = fields.String(required=True)
    effect = Choice(Effect, required=True)
    crew_before = fields.String(required=True, allow_none=True)
    crew_after = fields.String(required=True, allow_none=True)
    partner_before = fields.String(required=True, allow_none=True)
    partner_after = fields.String(required=True, allow_none=True)
    begin_before = Instant(required=True, allow_none=True)
    begin_after = Instant(required=True, allow_none=True)
    notice = Part(ToldOut, required=True, allow_none=True)
    breaks_notice = fields.Boolean(required=True)


class EffectsOut(Out):
    """`people`: the visitors whose day changes."""

    visits = fields.List(Part(VisitEffectOut), required=True)
    people = fields.List(Id(), required=True)


class ShareOut(Out):
    """`work_s`: from leaving to coming home; `risk`: points; `earning_min`: minutes of what the visits are worth."""

    work_s = fields.Integer(required=True)
    risk = fields.Integer(required=True)
    earning_min = fields.Integer(required=True)


class PersonSharesOut(Out):
    """`carried`: from the published days of the four weeks before. `before`, `after`: of this day, as it stands and as
    it would be; what they have in all is the sum with what is carried."""

    visitor_id = Id(required=True)
    staff_number = fields.String(required=True)
    carried = Part(ShareOut, required=True)
    before = Part(ShareOut, required=True)
    after = Part(ShareOut, required=True)


class TrialStopOut(Out):
    visit_id = Id(required=True)
    arrive_at = Instant(required=True)
    begin_at = Instant(required=True)
    end_at = Instant(required=True)


class TrialRouteOut(Out):
    """The rest of a crew's day as it would be; without what has begun."""

    crew = fields.String(required=True)
    depart_at = Instant(required=True)
    return_at = Instant(required=True)
    stops = fields.List(Part(TrialStopOut), required=True)


class TrialOut(Out):
    """What changes would do; without `faults` and `refused` they can be kept. Where there are faults, no `effects` and
    no `shares`. `shares`: everybody of the day, by staff number."""

    faults = fields.List(Part(BrokenRuleOut), required=True)
    refused = fields.List(Words(), required=True)
    cost_before = fields.Integer(required=True)
    cost_after = fields.Integer(required=True)
    more_s = fields.Integer(required=True)
    routes = fields.List(Part(TrialRouteOut), required=True)
    effects = Part(EffectsOut, required=True, allow_none=True)
    shares = fields.List(Part(PersonSharesOut), required=True, allow_none=True)

    @pre_dump
    def tell(self, trial: Trial, **_: Any) -> dict[str, Any]:
        changed = [route for route in trial.worked.plan.routes if route.crew in trial.worked.crews]
        return {
            "faults": [_fault(fault, trial) for fault in trial.faults],
            "refused": list(trial.refused),
            "cost_before": trial.cost_before,
            "cost_after": trial.cost_after,
            "more_s": trial.cost_after - trial.cost_before,
            "routes": [_route(route, trial) for route in changed],
            "effects": trial.effects,
            "shares": trial.shares,
        }


def _fault(fault: Fault, trial: Trial) -> dict[str, Any]:
    return {
        "code": fault.code,
        "words": say(trial.words(fault), language()),
        "visit_id": fault.task,
        "crew": fault.crew,
    }


def _route(route: Any, trial: Trial) -> dict[str, Any]:
    origin = trial.standing.origin
    return {
        "crew": route.crew,
        "depart_at": instant(origin, route.depart_s),
        "return_at": instant(origin, route.return_s),
        "stops": [
            {
                "visit_id": stop.task,
                "arrive_at": instant(origin, stop.arrive_s),
                "begin_at": instant(origin, stop.begin_s),
                "end_at": instant(origin, stop.end_s),
            }
            for stop in route.stops
        ],
    }
