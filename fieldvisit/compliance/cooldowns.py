"""Days of rest that follow a contact before the next one."""

from datetime import date, timedelta

from fieldvisit.compliance.counting import CONTACT_MADE, day_of, in_scope
from fieldvisit.compliance.decision import ClauseResult
from fieldvisit.compliance.facts import AttemptFact
from fieldvisit.compliance.inquiry import Inquiry, judged
from fieldvisit.compliance.parameters import CooldownAfter
from fieldvisit.compliance.rules import CooldownRule
from fieldvisit.compliance.wallclock import local_day
from fieldvisit.languages import Message
from fieldvisit.vocabulary import AttemptResult, Channel


def cooldown_clauses(inquiry: Inquiry) -> list[ClauseResult]:
    """Every rest that a visit has to keep, as of the local date on which it begins."""
    return [_clause(inquiry, rule) for rule in inquiry.terms.cooldowns if Channel.VISIT in rule.channels]


def first_day_after(rule: CooldownRule, event: date) -> date:
    """The first date after the rest: of seven days with the event's own as the first, the eighth."""
    return event + timedelta(days=rule.days + 1 - rule.day_of_event_is)


def _clause(inquiry: Inquiry, rule: CooldownRule) -> ClauseResult:
    zone = inquiry.clock_of(rule)
    day = local_day(inquiry.span.begins_at, zone)
    heard = [
        (day_of(attempt, zone), attempt.id) for attempt in inquiry.facts.attempts if _starts(rule, attempt, inquiry)
    ]
    resting = [(on, attempt_id) for on, attempt_id in heard if on <= day < first_day_after(rule, on)]
    if not resting:
        return judged(
            rule, True, Message("No rest after an earlier contact is due on {day}.", {"day": day.isoformat()})
        )
    last, attempt_id = max(resting)
    values = {"on": last.isoformat(), "until": first_day_after(rule, last).isoformat()}
    message = Message("After the contact on {on} there is rest until {until}.", values)
    return judged(rule, False, message, [attempt_id])


def _starts(rule: CooldownRule, attempt: AttemptFact, inquiry: Inquiry) -> bool:
    if attempt.channel not in rule.heard_by or not in_scope(rule.scope, attempt, inquiry.facts):
        return False
    if rule.after is CooldownAfter.CONVERSATION:
        return attempt.result is AttemptResult.REACHED
    return rule.after is CooldownAfter.ATTEMPT or attempt.result in CONTACT_MADE
