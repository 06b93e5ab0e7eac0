"""Organisations, their areas and accounts, on the wire."""

from marshmallow import fields

from api.schemas.base import Drafted, Out, PageIn
from api.schemas.fields import Choice, Flag, Id, Instant, Many, Text, Whole
from api.schemas.measures import Latitude, Longitude
from fieldvisit.accounts import PASSWORD_MAX, PASSWORD_MIN, USERNAME, AccountDraft
from fieldvisit.cases import LARGEST_MINOR
from fieldvisit.field_rules import LARGEST_BLOCK, LONGEST_GIVE_BACK, LONGEST_UNDO, SMALLEST_BLOCK, FieldRulesDraft
from fieldvisit.organisations import CODE, LARGEST_M, SMALLEST_M, AreaDraft
from fieldvisit.planning_rules import DEAREST_EARNING, DEAREST_FAIRNESS, DEAREST_RISK, MOST_VISITS, PlanningRulesDraft
from fieldvisit.vocabulary import OrderRule, OrganisationKind, Role


class OrganisationOut(Out):
    id = Id(required=True)
    code = fields.String(required=True)
    name = fields.String(required=True)
    kind = Choice(OrganisationKind, required=True)
    zone = fields.String(required=True)
    country = fields.String(required=True)
    policies = fields.List(fields.String(), required=True)
    debtor_phone = fields.String(required=True, allow_none=True)
    emergency_number = fields.String(required=True)


class AreaIn(Drafted):
    """`code` names it: the same code again changes it. WGS-84."""

    makes = AreaDraft
    code = Text(required=True, form=CODE.pattern)
    name = Text(required=True)
    lat = Latitude(required=True)
    lon = Longitude(required=True)
    radius_m = Whole(required=True, min=SMALLEST_M, max=LARGEST_M)
    most_visits = Whole(min=0, max=MOST_VISITS, allow_none=True, metadata={"description": "of a day; null: no limit"})


class AreaOut(Out):
    id = Id(required=True)
    code = fields.String(required=True)
    name = fields.String(required=True)
    lat = fields.Float(required=True)
    lon = fields.Float(required=True)
    radius_m = fields.Integer(required=True)
    most_visits = fields.Integer(required=True, allow_none=True)


class AccountIn(Drafted):
    makes = AccountDraft
    sample = {"roles": ["visitor"], "visitor_id": ...}
    username = Text(required=True, form=USERNAME.pattern)
    password = Text(required=True, min=PASSWORD_MIN, max=PASSWORD_MAX, secret=True)
    roles = Many(Choice(Role), required=True, min=1, max=len(Role))
    visitor_id = Id(allow_none=True)
    name = Text(allow_none=True)


class AccountOut(Out):
    id = Id(required=True)
    username = fields.String(required=True)
    roles = fields.List(Choice(Role), required=True)
    visitor_id = Id(required=True, allow_none=True)
    name = fields.String(required=True, allow_none=True)
    active = Flag(required=True)
    created_at = Instant(required=True)


class AccountsQueryIn(PageIn):
    username = Text(max=64)


class FieldRulesIn(Drafted):
    """`order_rule`: a visit begun before an earlier one is taken and flagged, asks for a reason, or is refused."""

    makes = FieldRulesDraft
    order_rule = Choice(OrderRule, required=True)
    may_reject = Flag(required=True)
    undo_minutes = Whole(required=True, max=LONGEST_UNDO, metadata={"description": "0: no arrival is undone"})
    may_take_money = Flag(load_default=False, metadata={"description": "at doors, where no policy forbids it"})
    receipt_block = Whole(min=SMALLEST_BLOCK, max=LARGEST_BLOCK, load_default=20)
    most_cash_minor = Whole(max=LARGEST_MINOR, allow_none=True, load_default=None)
    give_back_hours = Whole(
        max=LONGEST_GIVE_BACK,
        load_default=4,
        metadata={"description": "after the end of its day; then who never arrived is waited for no more"},
    )


class FieldRulesOut(Out):
    order_rule = Choice(OrderRule, required=True)
    may_reject = Flag(required=True)
    undo_minutes = fields.Integer(required=True)
    may_take_money = Flag(required=True)
    receipt_block = fields.Integer(required=True)
    most_cash_minor = fields.Integer(required=True, allow_none=True)
    give_back_hours = fields.Integer(required=True)


class PlanningRulesIn(Drafted):
    """Prices: the seconds of travel that may be driven to bring the crew with most in four weeks and the one with least
    nearer to each other: by a second of work, a point of risk, a minute of what visits are worth."""

    makes = PlanningRulesDraft
    fair_share_price = Whole(required=True, max=DEAREST_FAIRNESS, metadata={"description": "0: nobody counts"})
    fair_risk_price = Whole(max=DEAREST_RISK, metadata={"description": "0: nobody counts"})
    fair_earning_price = Whole(max=DEAREST_EARNING, metadata={"description": "0: nobody counts"})
    most_visits = Whole(
        min=0, max=MOST_VISITS, allow_none=True, metadata={"description": "of a day, in all areas; null: no limit"}
    )


class PlanningRulesOut(Out):
    fair_share_price = fields.Integer(required=True)
    fair_risk_price = fields.Integer(required=True)
    fair_earning_price = fields.Integer(required=True)
    most_visits = fields.Integer(required=True, allow_none=True)
