"""Contact blocks: what stops a visit, whatever the hour.

A block stops what its own scope says, under every policy; a policy can only make it stop more, or for longer.
"""

from datetime import datetime

from fieldvisit.compliance.decision import ClauseResult
from fieldvisit.compliance.durations import Duration
from fieldvisit.compliance.facts import BlockFact
from fieldvisit.compliance.inquiry import Inquiry, judged, product_clause
from fieldvisit.compliance.intervals import Interval
from fieldvisit.compliance.rules import BlackoutRule, Rule, StopRule
from fieldvisit.compliance.wallclock import local_day, whole_day
from fieldvisit.compliance.widening import strong
from fieldvisit.languages import Message
from fieldvisit.vocabulary import BlockScope, BlockTrigger, Channel, Verdict


def stop_clauses(inquiry: Inquiry) -> list[ClauseResult]:
    """One clause or more for each block that stops the visit; one that says so where none does."""
    found = [
        clause
        for block in inquiry.facts.blocks
        if block.case_id in (None, inquiry.facts.case_id)
        for clause in _stopped(block, inquiry)
    ]
    return found or [product_clause("blocks", True, Message("No contact block stops this visit."))]


def end_of(lasts: Duration, since: datetime, zone: str) -> datetime:
    """When something that lasts so long from that instant is over: as the local date begins that lies so much later."""
    after = lasts.after(local_day(since, zone))
    spans = whole_day(after, zone)
    return spans[0].begins_at if spans else since


def blackout_end(rule: BlackoutRule, block: BlockFact, zone: str) -> datetime:
    """When the rest after the occasion is over, its renewals included."""
    end = block.since
    for _ in range(1 + min(rule.renewals, block.renewals)):
        end = end_of(rule.lasts, end, zone)
    return end


def _stopped(block: BlockFact, inquiry: Inquiry) -> list[ClauseResult]:
    found = [*_by_stops(block, inquiry), *_by_blackouts(block, inquiry), *_by_complaint(block, inquiry)]
    own = _in_force(block, inquiry.span) and _stops(block.scope, block, inquiry)
    if own and not any(clause.verdict is Verdict.BLOCKED for clause in found):
        found.append(product_clause("blocks", False, _message(block, block.until), [block.id]))
    return found


def _by_stops(block: BlockFact, inquiry: Inquiry) -> list[ClauseResult]:
    return [
        _clause(rule, block, _until(rule, block, inquiry))
        for rule in inquiry.terms.stops
        if rule.trigger is block.trigger
        and strong(block.form, rule.form_needed)
        and _meets(block, _until(rule, block, inquiry), inquiry.span)
        and _stops(rule.effect, block, inquiry)
    ]


def _by_blackouts(block: BlockFact, inquiry: Inquiry) -> list[ClauseResult]:
    ends = [
        (rule, blackout_end(rule, block, inquiry.clock_of(rule)))
        for rule in inquiry.terms.blackouts
        if rule.occasion is block.trigger
    ]
    return [_clause(rule, block, end) for rule, end in ends if not block.lifted and _meets(block, end, inquiry.span)]


def _by_complaint(block: BlockFact, inquiry: Inquiry) -> list[ClauseResult]:
    if block.trigger is not BlockTrigger.COMPLAINT_OPEN or not _in_force(block, inquiry.span):
        return []
    return [_clause(rule, block, block.until) for rule in inquiry.terms.complaint if rule.pauses_case]


def _clause(rule: Rule, block: BlockFact, until: datetime | None) -> ClauseResult:
    return judged(rule, False, _message(block, until), [block.id])


def _until(rule: StopRule, block: BlockFact, inquiry: Inquiry) -> datetime | None:
    """When the block is over by this rule: as it says itself, and by the rule's own length where it names no end."""
    if block.until is not None or rule.lasts is None:
        return block.until
    return end_of(rule.lasts, block.since, inquiry.clock_of(rule))


def _in_force(block: BlockFact, span: Interval) -> bool:
    return _meets(block, block.until, span)


def _meets(block: BlockFact, until: datetime | None, span: Interval) -> bool:
    """Whether it is in force during any of the visit."""
    return block.since < span.ends_at and (until is None or until > span.begins_at)


def _stops(effect: BlockScope, block: BlockFact, inquiry: Inquiry) -> bool:
    if effect is BlockScope.CHANNEL:
        return block.channel is Channel.VISIT
    if effect is BlockScope.PLACE:
        return block.place_id == inquiry.facts.place.id
    return True


def _message(block: BlockFact, until: datetime | None) -> Message:
    if until is None:
        return Message("A contact block stops this visit: {trigger}.", {"trigger": block.trigger})
    values = {"trigger": block.trigger, "until": until.isoformat(timespec="minutes")}
    return Message("A contact block stops this visit: {trigger}, until {until}.", values)
