"""Whether a visit may be made at all, whatever the hour: visits as such, prior effort, consent, the kind of place."""

from fieldvisit.compliance.conduct_parameters import ThirdPartyContact
from fieldvisit.compliance.decision import ClauseResult
from fieldvisit.compliance.facts import ConsentAbout, ConsentFact
from fieldvisit.compliance.inquiry import Inquiry, joined, judged
from fieldvisit.compliance.parameters import Party, PlaceCondition, PlaceDemand, VisitsAllowed
from fieldvisit.compliance.prior_effort import failed_contact
from fieldvisit.compliance.rules import ConsentVisitRule, PlaceRule, PriorEffortRule, VisitsRule
from fieldvisit.compliance.widening import strong
from fieldvisit.languages import Message


def visit_clauses(inquiry: Inquiry) -> list[ClauseResult]:
    """What each policy says of visits as such, and of visits to somebody who is not the debtor."""
    said = [_visits(rule, inquiry) for rule in inquiry.terms.visits]
    if any(each_time(rule, inquiry) for rule in inquiry.terms.visits):
        said += [_consent_names(rule, inquiry) for rule in inquiry.terms.consent_visit]
    else:
        said += [_asked_first(rule, inquiry) for rule in inquiry.terms.consent_visit if not rule.binds]
    return [*said, *_third_party(inquiry)]


def effort_clauses(inquiry: Inquiry) -> list[ClauseResult]:
    """The failed-contact gate of each policy, as of now. The fact ids are the failed attempts that count."""
    return [_effort(rule, inquiry) for rule in inquiry.terms.prior_effort if _needs_effort(rule, inquiry)]


def place_clauses(inquiry: Inquiry) -> list[ClauseResult]:
    """What each policy says of this kind of place."""
    return [_place(rule, inquiry) for rule in inquiry.terms.places if rule.place is inquiry.facts.place.kind]


def allowed_now(rule: VisitsRule, inquiry: Inquiry) -> VisitsAllowed:
    """What the rule says of visits for an account that is, or is not, overdue on the date of the visit."""
    overdue = inquiry.facts.overdue_on(inquiry.day)
    return rule.in_arrears if rule.in_arrears is not None and overdue is not None and overdue > 0 else rule.allowed


def each_time(rule: VisitsRule, inquiry: Inquiry) -> bool:
    return allowed_now(rule, inquiry) is VisitsAllowed.CONSENT_EACH_TIME


def consents_to_this(inquiry: Inquiry) -> list[ConsentFact]:
    """The consents that count now and are to this very visit."""
    return [consent for consent in _consents(inquiry) if consent.visit_id == inquiry.question.visit_id]


def _visits(rule: VisitsRule, inquiry: Inquiry) -> ClauseResult:
    allowed = allowed_now(rule, inquiry)
    if allowed is VisitsAllowed.FORBIDDEN:
        return judged(rule, False, Message("Visits are forbidden here."))
    if allowed is VisitsAllowed.LAST_RESORT:
        return judged(rule, True, Message("Visits are allowed as the last resort."))
    if allowed is VisitsAllowed.YES:
        return judged(rule, True, Message("Visits are allowed."))
    given = [consent.id for consent in consents_to_this(inquiry)]
    if given:
        return judged(rule, True, Message("The debtor agreed to this visit."), given)
    if inquiry.question.begins_at is None:
        # Nobody can agree to a visit whose time nobody knows: it is asked for once it has one.
        return judged(rule, True, Message("The debtor has still to agree to this visit."))
    return judged(rule, False, Message("The debtor must agree to each visit, and has not agreed to this one."))


def _consent_names(rule: ConsentVisitRule, inquiry: Inquiry) -> ClauseResult:
    given = consents_to_this(inquiry)
    good = [c.id for c in given if rule.contents <= c.contents and strong(c.form, rule.form)]
    names = {"contents": joined(sorted(rule.contents), ", ")}
    if good or not given:
        # Where nobody agreed at all, the rule on visits says so.
        return judged(rule, True, Message("A consent to a visit names {contents}.", names), good)
    return judged(rule, False, Message("The consent to this visit does not name all of {contents}.", names))


def _asked_first(rule: ConsentVisitRule, inquiry: Inquiry) -> ClauseResult:
    """Whether the debtor was asked, where that is a duty without being a condition."""
    given = [consent.id for consent in consents_to_this(inquiry)]
    if given or inquiry.question.begins_at is None:
        return judged(rule, True, Message("The debtor is asked before a visit."), given)
    return judged(rule, False, Message("The debtor is asked before a visit, and has not agreed to this one."))


def _third_party(inquiry: Inquiry) -> list[ClauseResult]:
    if inquiry.facts.scope.party is not Party.THIRD:
        return []
    values = Message("Nobody but the debtor is visited for this debt.")
    return [judged(rule, rule.allowed is not ThirdPartyContact.NONE, values) for rule in inquiry.terms.third_party]


def _needs_effort(rule: PriorEffortRule, inquiry: Inquiry) -> bool:
    """Whether the policy of the rule has visits as the last resort; a policy that does not, asks for effort always."""
    name = rule.id.partition("/")[0]
    said = [allowed_now(each, inquiry) for each in inquiry.terms.visits if each.id.partition("/")[0] == name]
    return VisitsAllowed.CONSENT_EACH_TIME not in said


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
    if _condition_holds(rule, inquiry):
        return judged(rule, True, Message("What this kind of place demands is lifted here: {place}.", values))
    if rule.demand is PlaceDemand.FORBIDDEN:
        return judged(rule, False, Message("No visit is made to this kind of place: {place}.", values))
    # A consent to visits as such is no consent to this kind of place: it must name the place or the visit.
    visit_id = inquiry.question.visit_id
    given = [
        consent.id for consent in _consents(inquiry) if consent.place_id == place.id or consent.visit_id == visit_id
    ]
    if given:
        return judged(rule, True, Message("The debtor agreed to be visited there: {place}.", values), given)
    if rule.demand is PlaceDemand.LAST:
        return _last(rule, inquiry)
    return judged(rule, False, Message("The debtor must agree to be visited there: {place}.", values))


def _last(rule: PlaceRule, inquiry: Inquiry) -> ClauseResult:
    """Whether every other known place, of which no policy thinks worse, was tried before."""
    values = {"place": inquiry.facts.place.kind}
    other = [
        known.id
        for known in inquiry.facts.known_places
        if known.id != inquiry.facts.place.id
        and not known.tried
        and inquiry.terms.place_demand(known.kind) is PlaceDemand.OK
    ]
    if other:
        return judged(rule, False, Message("Another known place has to be tried first: {place}.", values), other)
    return judged(rule, True, Message("No other known place is left to try: {place}.", values))


def _condition_holds(rule: PlaceRule, inquiry: Inquiry) -> bool:
    if rule.condition is PlaceCondition.LIVES_THERE:
        return inquiry.facts.place.lived_in
    if rule.condition is PlaceCondition.NO_SHOWS:
        missed = rule.no_shows or 1
        return any(known.no_shows >= missed for known in inquiry.facts.known_places)
    return False


def _consents(inquiry: Inquiry) -> list[ConsentFact]:
    """The consents that count now and speak of this place and this visit, or of no other."""
    place_id, visit_id = inquiry.facts.place.id, inquiry.question.visit_id
    return [
        consent
        for consent in inquiry.facts.consents
        if consent.about is ConsentAbout.VISITS
        and consent.revoked_at is None
        and consent.given_at <= inquiry.now
        and consent.place_id in (None, place_id)
        and consent.visit_id in (None, visit_id)
    ]
