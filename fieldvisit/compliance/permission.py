"""Whether a visit may be made at all, whatever the hour: visits as such, prior effort, consent, the kind of place."""

from fieldvisit.compliance.decision import ClauseResult
from fieldvisit.compliance.facts import ConsentFact
from fieldvisit.compliance.inquiry import Inquiry, joined, judged
from fieldvisit.compliance.parameters import PlaceDemand, VisitsAllowed
from fieldvisit.compliance.prior_effort import failed_contact
from fieldvisit.compliance.rules import PlaceRule, PriorEffortRule, VisitsRule
from fieldvisit.languages import Message


def visit_clauses(inquiry: Inquiry) -> list[ClauseResult]:
    """What each policy says of visits as such."""
    return [_visits(rule, inquiry) for rule in inquiry.terms.visits]


def effort_clauses(inquiry: Inquiry) -> list[ClauseResult]:
    """The failed-contact gate of each policy, as of now. The fact ids are the failed attempts that count."""
    return [_effort(rule, inquiry) for rule in inquiry.terms.prior_effort]


def place_clauses(inquiry: Inquiry) -> list[ClauseResult]:
    """What each policy says of this kind of place."""
    return [_place(rule, inquiry) for rule in inquiry.terms.places if rule.place is inquiry.facts.place.kind]


def _visits(rule: VisitsRule, inquiry: Inquiry) -> ClauseResult:
    if rule.allowed is VisitsAllowed.FORBIDDEN:
        return judged(rule, False, Message("Visits are forbidden here."))
    if rule.allowed is VisitsAllowed.LAST_RESORT:
        return judged(rule, True, Message("Visits are allowed as the last resort."))
    if rule.allowed is VisitsAllowed.YES:
        return judged(rule, True, Message("Visits are allowed."))
    given = [consent.id for consent in _consents(inquiry) if consent.visit_id == inquiry.question.visit_id]
    if given:
        return judged(rule, True, Message("The debtor agreed to this visit."), given)
    return judged(rule, False, Message("The debtor must agree to each visit, and has not agreed to this one."))


def _effort(rule: PriorEffortRule, inquiry: Inquiry) -> ClauseResult:
    zone, facts = inquiry.clock_of(rule), inquiry.facts
    result = failed_contact(facts.attempts, rule, inquiry.now, zone, number_ids=facts.number_ids)
    if result.met:
        message = Message("The phone has demonstrably failed: {count} attempts.", {"count": len(result.evidence)})
        return judged(rule, True, message, result.evidence)
    whole = Message("Failed contact is not shown yet. {missing}", {"missing": joined(result.missing, " ")})
    return judged(rule, False, whole, result.evidence)


def _place(rule: PlaceRule, inquiry: Inquiry) -> ClauseResult:
    place = inquiry.facts.place
    values = {"place": place.kind}
    if rule.demand is PlaceDemand.OK:
        return judged(rule, True, Message("This kind of place is allowed: {place}.", values))
    if rule.demand is PlaceDemand.FORBIDDEN:
        return judged(rule, False, Message("No visit is made to this kind of place: {place}.", values))
    visit_id = inquiry.question.visit_id
    # A consent to visits as such is no consent to this kind of place: it must name the place or the visit.
    given = [
        consent.id for consent in _consents(inquiry) if consent.place_id == place.id or consent.visit_id == visit_id
    ]
    if given:
        return judged(rule, True, Message("The debtor agreed to be visited there: {place}.", values), given)
    return judged(rule, False, Message("The debtor must agree to be visited there: {place}.", values))


def _consents(inquiry: Inquiry) -> list[ConsentFact]:
    """The consents that count now and speak of this place and this visit, or of no other."""
    place_id, visit_id = inquiry.facts.place.id, inquiry.question.visit_id
    return [
        consent
        for consent in inquiry.facts.consents
        if consent.revoked_at is None
        and consent.given_at <= inquiry.now
        and consent.place_id in (None, place_id)
        and consent.visit_id in (None, visit_id)
    ]
