"""Repayment plans as the office proposes, decides on and follows them."""

from marshmallow import fields

from api.schemas.base import Drafted, In, Out, PageIn
from api.schemas.fields import Choice, Id, Instant, Part, Text, Whole
from api.schemas.reports import PlanTermsOut
from fieldvisit.cases import LARGEST_MINOR
from fieldvisit.repayment_standing import follow_up_of_plan
from fieldvisit.repayment_terms import (
    APPROVERS,
    LONGEST_DAYS,
    LONGEST_GRACE_DAYS,
    MOST,
    Limits,
    RepaymentRulesDraft,
)
from fieldvisit.repayments import approvers_of
from fieldvisit.vocabulary import NextStep, PromiseState, RepaymentState

ROLES = {
    "type": "array",
    "items": {"type": "string", "enum": [role.value for role in APPROVERS]},
    "examples": [["supervisor"]],
}
STEPS = {"type": ["string", "null"], "enum": [*(step.value for step in NextStep), None], "examples": ["call"]}


class RepaymentPlansQueryIn(PageIn):
    state = Choice(RepaymentState)
    case_id = Id()


class RepaymentEndIn(In):
    reason = Text(required=True)


class RunningInstalmentOut(Out):
    """`promise_id`: the promise that it is, once the plan is approved."""

    promise_id = Id(required=True, attribute="id")
    amount_minor = fields.Integer(required=True)
    due_on = fields.Date(required=True)
    state = Choice(PromiseState, required=True)


class RepaymentPlanOut(PlanTermsOut):
    """`approvable_by`: the roles that may approve it. `follow_up`: what a person is to decide on next; null where
    nothing is to be done. `running`: its instalments as they are settled, once it is approved."""

    case_id = Id(required=True)
    report_id = Id(required=True, allow_none=True)
    proposed_by_id = Id(required=True, allow_none=True)
    proposed_at = Instant(required=True)
    decided_by_id = Id(required=True, allow_none=True)
    decided_at = Instant(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    broken_after = fields.Integer(required=True, allow_none=True)
    replaced_at = Instant(required=True, allow_none=True)
    approvable_by = fields.Function(approvers_of, required=True, metadata=ROLES)
    follow_up = fields.Function(follow_up_of_plan, required=True, metadata=STEPS)
    running = fields.List(fields.Nested(RunningInstalmentOut), required=True)


class LimitsIn(Drafted):
    """How far a plan may go that the role approves. 0 instalments: none at all. `most_days`: from the proposal to the
    last instalment. `most_minor` null: no bound."""

    makes = Limits
    most_instalments = Whole(required=True, max=MOST)
    most_days = Whole(required=True, max=LONGEST_DAYS)
    most_grace_days = Whole(required=True, max=LONGEST_GRACE_DAYS)
    most_minor = Whole(max=LARGEST_MINOR, allow_none=True)


class LimitsOut(Out):
    most_instalments = fields.Integer(required=True)
    most_days = fields.Integer(required=True)
    most_grace_days = fields.Integer(required=True)
    most_minor = fields.Integer(required=True, allow_none=True)


class RepaymentRulesIn(Drafted):
    """`broken_after`: with how many missed instalments a plan is broken."""

    makes = RepaymentRulesDraft
    dispatcher = Part(LimitsIn, required=True)
    supervisor = Part(LimitsIn, required=True)
    broken_after = Whole(required=True, min=1, max=12)


class RepaymentRulesOut(Out):
    dispatcher = fields.Nested(LimitsOut, required=True)
    supervisor = fields.Nested(LimitsOut, required=True)
    broken_after = fields.Integer(required=True)
