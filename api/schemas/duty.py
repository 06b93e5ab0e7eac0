"""Shifts that are handed over, and the cover ahead, on the wire."""

from marshmallow import fields

from api.schemas.base import In, Out
from api.schemas.fields import Id, Instant, Many, Part, Whole, WholeInQuery
from api.schemas.roster import DutyOut

LONGEST_H = 24 * 14
MOST = 10_000


class DutyOfferIn(In):
    to_account_id = Id(required=True)


class DutyTakenOut(Out):
    """`alert_ids`: what is yours now besides. `kept_ids`: what stays with the one before, because you may not handle
    it."""

    shift = Part(DutyOut, required=True)
    alert_ids = fields.List(Id(), required=True)
    kept_ids = fields.List(Id(), required=True)


class GapOut(Out):
    from_at = Instant(required=True)
    until_at = Instant(required=True)


class CoverAheadOut(Out):
    """`reachable`: officers whom an alarm would reach now; `out`: visitors who are out now."""

    from_at = Instant(required=True)
    until_at = Instant(required=True)
    reachable = Whole(required=True)
    out = Whole(required=True)
    gaps = Many(Part(GapOut), required=True, max=MOST)


class CoverQueryIn(In):
    hours = WholeInQuery(load_default=24, min=1, max=LONGEST_H)
