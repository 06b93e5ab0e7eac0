"""Visits on the wire: what is planned, why it stands where it stands, what was decided about it."""

from typing import Any

from marshmallow import fields

from api.context import language
from api.schemas.base import Drafted, In, Out, PageIn
from api.schemas.derived import Derived
from api.schemas.fields import Choice, Day, Flag, Id, Instant, Text, Whole
from api.schemas.words import Several, Words
from fieldvisit.compliance.decision import Decision, message_from
from fieldvisit.gate import RequestReason
from fieldvisit.languages import Message, say
from fieldvisit.models import StoredDecision, Visit
from fieldvisit.visits import CancelReason, VisitChange, why_cancelled
from fieldvisit.vocabulary import CheckMoment, NextStep, NotDone, Role, Verdict, VisitOutcome, VisitState

MOST_SKILLS = 20
MAYBE = {"type": ["string", "null"], "examples": [None]}


class VisitsQueryIn(PageIn):
    state = Choice(VisitState)
    planned_on = Day()
    not_done = Choice(NotDone)
    case_id = Id()


class VisitRequestIn(In):
    """By hand: the same policy decides as at the gate. The gate's own reason is not for people to give."""

    case_id = Id(required=True)
    reason = Choice(RequestReason, required=True)


class VisitChangeIn(Drafted):
    """`version` is that of the visit you looked at; what is left out stays. `people`: so many go in together at least;
    where no crew of the day is as large, two crews meet at the door."""

    makes = VisitChange
    version = Whole(required=True, min=1)
    requires = Several(Text(max=100), max=MOST_SKILLS)
    people = Whole(min=1, max=3)
    service_s = Whole(min=60, max=14_400)
    value_s = Whole(max=86_400)
    last_on = Day()


class CancellationIn(In):
    reason = Choice(CancelReason, load_default=CancelReason.BY_HAND)


class ClosureIn(In):
    next_step = Choice(NextStep, required=True)


class VisitOut(Out):
    """`organisation_id` goes out, `lender_id` owns the case. `evidence` are the failed attempts that opened it.
    `not_done` says why it came back from the day it was last published for, `not_done_on`, and waits for another."""

    id = Id(required=True)
    reference = fields.String(required=True)
    organisation_id = Id(required=True, attribute="org_id")
    lender_id = Id(required=True)
    case_id = Id(required=True)
    debtor_id = Id(required=True)
    place_id = Id(required=True)
    state = Choice(VisitState, required=True)
    state_words = Words(required=True, of="state")
    requested_reason = fields.String(required=True)
    evidence = fields.List(Id(), required=True)
    requires = fields.List(fields.String(), required=True)
    people = fields.Integer(required=True)
    service_s = fields.Integer(required=True)
    value_s = fields.Integer(required=True)
    last_on = Day(required=True)
    planned_on = Day(required=True, allow_none=True)
    plan_id = Id(required=True, allow_none=True)
    under_way_at = Instant(required=True, allow_none=True)
    arrived_at = Instant(required=True, allow_none=True)
    ended_at = Instant(required=True, allow_none=True)
    outcome = Choice(VisitOutcome, required=True, allow_none=True)
    cancelled = fields.Function(
        lambda visit: visit.cancelled_reason.get("code"),
        required=True,
        metadata={"type": ["string", "null"], "examples": [None]},
    )
    cancelled_words = fields.Method(
        "words_of_cancelling", required=True, metadata={"type": ["string", "null"], "examples": [None]}
    )
    not_done = Choice(NotDone, required=True, allow_none=True)
    not_done_words = Words(required=True, of="not_done", allow_none=True)
    not_done_on = Day(required=True, allow_none=True)
    next_step = Choice(NextStep, required=True, allow_none=True)
    version = fields.Integer(required=True)
    created_at = Instant(required=True)
    updated_at = Instant(required=True)

    def words_of_cancelling(self, visit: Visit) -> str | None:
        return say(why_cancelled(visit), language()) if visit.cancelled_reason else None


class OpenedOut(Out):
    """References of the visits opened, and of those that wait until their place has a point."""

    looked_at = fields.Integer(required=True)
    visits = fields.List(fields.String(), required=True)
    held = fields.List(fields.String(), required=True)


class ClauseOut(Out):
    """What one clause of a policy says; `fact_ids` is what it rests on. Where it may be overridden: by which role, and
    whether a second person has to agree; `overridden_by` is the override that lets it pass."""

    clause_id = fields.String(required=True)
    verdict = Choice(Verdict, required=True)
    words = Words(required=True, of="message")
    source = fields.String(required=True)
    fact_ids = fields.List(fields.String(), required=True)
    warning = Flag(required=True)
    override_role = Choice(Role, required=True, allow_none=True)
    second_person = Flag(required=True)
    overridden_by = Id(required=True, allow_none=True)


class EligibilityOut(Out):
    """Whether a visit may be opened: the evidence if so, what is missing or forbids it if not."""

    eligible = Flag(required=True)
    place_known = Flag(required=True)
    evidence = fields.List(Id(), required=True)
    in_the_way = fields.List(fields.Nested(ClauseOut), required=True)
    words = fields.Method("told", required=True, metadata={"type": "string"})

    def told(self, answer: Any) -> str:
        if answer.eligible:
            return say(Message("A visit may be opened: the phone has demonstrably failed."), language())
        if not answer.place_known:
            return say(Message("No visit: no place with a known point is on file."), language())
        return say(Message("No visit yet: {reasons}", {"reasons": [c.message for c in answer.in_the_way]}), language())


class VisitEventOut(Out):
    """`at` is the server's time, `device_at` the phone's own. `detail` are ids and codes by name."""

    id = Id(required=True)
    at = Instant(required=True)
    kind = fields.String(required=True)
    actor_id = Id(required=True, allow_none=True)
    visitor_id = Id(required=True, allow_none=True)
    device_at = Instant(required=True, allow_none=True)
    detail = fields.Dict(required=True)


class PolicyOut(Out):
    id = fields.String(required=True)
    version = fields.Integer(required=True)


class SpanOut(Out):
    """Half-open: the end is outside."""

    begins_at = fields.String(required=True)
    ends_at = fields.String(required=True)


class DecisionOut(Out):
    """A stored answer of the policy engine, told again in the caller's language."""

    id = Id(required=True)
    moment = Choice(CheckMoment, required=True)
    verdict = Choice(Verdict, required=True)
    verdict_words = Words(required=True, of="verdict")
    begins_at = Instant(required=True, allow_none=True)
    ends_at = Instant(required=True, allow_none=True)
    decided_at = Instant(required=True)
    clauses = Derived(ClauseOut, of=lambda decision: _clauses_in_words(decision), many=True)
    policies = Derived(PolicyOut, of=lambda decision: policies_by_name(decision), many=True)
    lawful = fields.List(fields.Nested(SpanOut), required=True)
    next_lawful_at = Instant(required=True, allow_none=True)
    inputs_hash = fields.String(required=True)


def _clauses_in_words(decision: StoredDecision) -> list[dict[str, Any]]:
    return [{**clause, "message": message_from(clause["message"])} for clause in decision.clauses]


def policies_by_name(decision: Decision | StoredDecision) -> list[dict[str, Any]]:
    return [{"id": id_, "version": version} for id_, version in decision.policies]
