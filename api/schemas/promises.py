"""Promises as the office follows them."""

from marshmallow import fields

from api.schemas.base import PageIn
from api.schemas.fields import Choice, Day, Id
from api.schemas.reports import PromiseOut
from api.schemas.words import Words
from fieldvisit.promises import follow_up
from fieldvisit.vocabulary import NextStep, PromiseState


class PromisesQueryIn(PageIn):
    state = Choice(PromiseState)
    due_until = Day(metadata={"description": "due on this day or earlier"})


class PromiseStandingOut(PromiseOut):
    """`follow_up`: what a person is to decide on next; null where nothing is to be done."""

    case_id = Id(required=True)
    report_id = Id(required=True, allow_none=True)
    plan_id = Id(required=True, allow_none=True, metadata={"description": "the plan of which it is an instalment"})
    state_words = Words(required=True, of="state")
    follow_up = fields.Function(
        lambda promise: _value(follow_up(promise)),
        required=True,
        metadata={"type": ["string", "null"], "enum": [*(step.value for step in NextStep), None], "examples": ["call"]},
    )


def _value(step: NextStep | None) -> str | None:
    return None if step is None else step.value
