"""Consents, own policies, overrides, holds and re-judgings on the wire."""

from marshmallow import fields

from api.schemas.base import Drafted, In, Out, PageIn
from api.schemas.derived import Derived
from api.schemas.fields import Choice, Day, Flag, Id, Instant, LocalTime, OuterId, Text
from api.schemas.visits import ClauseOut, PolicyOut, SpanOut, policies_by_name
from api.schemas.words import Several, Words
from fieldvisit.compliance.decision import plain
from fieldvisit.compliance.describing import clauses_of, confidences, scope_of
from fieldvisit.compliance.facts import ConsentAbout, ConsentForm
from fieldvisit.compliance.parameters import ConsentContent
from fieldvisit.compliance.policy import Policy
from fieldvisit.consents import DAYS, ConsentDraft
from fieldvisit.holds import HoldDraft
from fieldvisit.overrides import OverrideDraft
from fieldvisit.own_policies import PolicyDraft
from fieldvisit.vocabulary import RejudgingState, Role, Verdict

LONGEST_POLICY = 200_000
NAMED = {"type": "array", "items": {"type": "object"}, "examples": [[]]}
TERMS = {"type": "string", "examples": ["fit whole_visit_inside, margin_min 15"]}
COUNTS = {"type": "object", "additionalProperties": {"type": "integer"}, "examples": [{"official": 12, "house": 2}]}


class ConsentIn(Drafted):
    """A bound that is left out does not bind. Hours are opened only by a consent that names both times."""

    makes = ConsentDraft
    debtor_id = Id(required=True)
    form = Choice(ConsentForm, required=True)
    given_at = Instant(required=True)
    about = Choice(ConsentAbout, load_default=ConsentAbout.VISITS)
    external_id = OuterId(allow_none=True)
    place_id = Id(allow_none=True)
    visit_id = Id(allow_none=True)
    contents = Several(Choice(ConsentContent), max=len(ConsentContent))
    days = Several(Text(max=3, form="|".join(DAYS)), max=7)
    from_time = LocalTime(allow_none=True)
    until_time = LocalTime(allow_none=True)
    starts_on = Day(allow_none=True)
    ends_on = Day(allow_none=True)


class ConsentOut(Out):
    id = Id(required=True)
    debtor_id = Id(required=True)
    external_id = fields.String(required=True, allow_none=True)
    about = Choice(ConsentAbout, required=True)
    form = Choice(ConsentForm, required=True)
    given_at = Instant(required=True)
    revoked_at = Instant(required=True, allow_none=True)
    place_id = Id(required=True, allow_none=True)
    visit_id = Id(required=True, allow_none=True)
    contents = fields.List(fields.String(), required=True)
    days = fields.List(fields.String(), required=True)
    from_time = LocalTime(required=True, allow_none=True)
    until_time = LocalTime(required=True, allow_none=True)
    starts_on = Day(required=True, allow_none=True)
    ends_on = Day(required=True, allow_none=True)


class WithdrawnOut(Out):
    """The consent, and the visits that rested on it: cancelled, or gone back to wait."""

    consent = fields.Nested(ConsentOut, required=True)
    cancelled_visit_ids = fields.List(Id(), required=True)
    taken_back_visit_ids = fields.List(Id(), required=True)


class DebtorQueryIn(PageIn):
    debtor_id = Id(required=True)


class PolicyVersionIn(Drafted):
    """A policy as TOML, in force from a date, both ends included. Its own version and dates are not looked at."""

    makes = PolicyDraft
    text = Text(required=True, max=LONGEST_POLICY, data_key="toml", attribute="text")
    effective_from = Day(required=True)
    effective_to = Day(allow_none=True)


class PolicyVersionOut(Out):
    id = Id(required=True)
    policy_id = fields.String(required=True)
    version = fields.Integer(required=True)
    effective_from = Day(required=True)
    effective_to = Day(required=True, allow_none=True)
    created_at = Instant(required=True)
    withdrawn_at = Instant(required=True, allow_none=True)


class RejudgingOut(Out):
    """How far a run over the visits ahead is.

    Of a preview, `flagged` would become unlawful and `taken_back` lawful; the first ones are named with their clauses.
    """

    id = Id(required=True)
    reason = fields.String(required=True)
    state = Choice(RejudgingState, required=True)
    total = fields.Integer(required=True)
    done = fields.Integer(required=True)
    cancelled = fields.Integer(required=True)
    taken_back = fields.Integer(required=True)
    flagged = fields.Integer(required=True)
    asked_at = Instant(required=True)
    finished_at = Instant(required=True, allow_none=True)
    unlawful = fields.Function(lambda row: row.detail.get("unlawful", []), required=True, metadata=NAMED)
    lawful = fields.Function(lambda row: row.detail.get("lawful", []), required=True, metadata=NAMED)


class SwitchedOut(Out):
    """The version, and the run that judges every visit ahead anew because of it."""

    version = fields.Nested(PolicyVersionOut, required=True)
    rejudging = fields.Nested(RejudgingOut, required=True)


class PolicyClauseOut(Out):
    """`says` is the rule in sentences, in the caller's language, `terms` the same by the names of the policy format."""

    id = fields.String(required=True)
    says = Words(required=True, of="words")
    terms = fields.Function(lambda clause: clause.says, required=True, metadata=TERMS)
    source = fields.String(required=True)
    legal_force = fields.String(required=True)
    confidence = fields.String(required=True)
    on_breach = fields.String(required=True)
    note = fields.String(required=True)


class AppliedPolicyOut(Out):
    """A policy that applies to one's visits: preset or own, with every rule and how far each is to be trusted."""

    id = fields.String(required=True)
    version = fields.Integer(required=True)
    title = fields.String(required=True)
    jurisdiction = fields.String(required=True)
    status = fields.String(required=True)
    effective_from = Day(required=True)
    effective_to = Day(required=True, allow_none=True)
    about = fields.Function(scope_of, required=True, metadata={"type": "string", "examples": ["all"]})
    confidence = fields.Method("counted", required=True, metadata=COUNTS)
    clauses = Derived(PolicyClauseOut, of=clauses_of, many=True)

    def counted(self, policy: Policy) -> dict[str, int]:
        return {name.value: count for name, count in confidences(policy).items()}


class AppliedPoliciesOut(Out):
    policies = fields.List(fields.Nested(AppliedPolicyOut), required=True)


class ExplanationQueryIn(In):
    at = Instant(load_default=None, metadata={"description": "when the visit would begin; now otherwise"})


class ExplanationOut(Out):
    """Whether the visit may begin then, by those who are planned to make it; nothing is stored."""

    verdict = Choice(Verdict, required=True)
    verdict_words = Words(required=True, of="verdict")
    clauses = fields.List(fields.Nested(ClauseOut), required=True)
    policies = Derived(PolicyOut, of=policies_by_name, many=True)
    lawful = Derived(SpanOut, of=lambda decision: plain(decision.lawful), many=True)
    next_lawful_at = Instant(required=True, allow_none=True)


class OverrideIn(Drafted):
    makes = OverrideDraft
    clause_id = Text(required=True, max=200)
    begins_at = Instant(required=True)
    reason = Text(required=True, max=2_000)


class OverrideOut(Out):
    """`needs_second`: it counts once somebody else has confirmed it."""

    id = Id(required=True)
    visit_id = Id(required=True)
    clause_id = fields.String(required=True)
    policy_version = fields.Integer(required=True)
    decision_id = Id(required=True)
    role = Choice(Role, required=True)
    on_day = Day(required=True)
    reason = fields.String(required=True)
    asked_by_id = Id(required=True)
    asked_at = Instant(required=True)
    needs_second = Flag(required=True)
    confirmed_by_id = Id(required=True, allow_none=True)
    confirmed_at = Instant(required=True, allow_none=True)
    revoked_at = Instant(required=True, allow_none=True)


class OverridesQueryIn(PageIn):
    clause_id = Text(max=200)
    asked_by_id = Id()
    visit_id = Id()


class OverrideCountOut(Out):
    asked_by_id = Id(required=True)
    asked_by = fields.String(required=True, allow_none=True, metadata={"examples": ["supervisor"]})
    clause_id = fields.String(required=True)
    count = fields.Integer(required=True)
    confirmed = fields.Integer(required=True, metadata={"description": "by a second person"})
    revoked = fields.Integer(required=True)
    last_at = Instant(required=True)


class OverrideReportOut(Out):
    """By person and clause, the most frequent first."""

    counts = fields.List(fields.Nested(OverrideCountOut), required=True)


class HoldIn(Drafted):
    """`case_id` left out means everything of the debtor."""

    makes = HoldDraft
    debtor_id = Id(required=True)
    case_id = Id(allow_none=True)
    reason = Text(required=True, max=2_000)


class HoldOut(Out):
    id = Id(required=True)
    debtor_id = Id(required=True)
    case_id = Id(required=True, allow_none=True)
    reason = fields.String(required=True)
    placed_by_id = Id(required=True, allow_none=True)
    placed_at = Instant(required=True)
    released_by_id = Id(required=True, allow_none=True)
    released_at = Instant(required=True, allow_none=True)
