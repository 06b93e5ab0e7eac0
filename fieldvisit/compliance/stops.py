"""Contact blocks: what stops a visit, whatever the hour.

A block stops what its own scope says, under every policy; a policy can only make it stop more.
"""

from fieldvisit.compliance.decision import ClauseResult
from fieldvisit.compliance.facts import BlockFact
from fieldvisit.compliance.inquiry import Inquiry, judged, product_clause
from fieldvisit.languages import Message
from fieldvisit.vocabulary import BlockScope, Channel, Verdict


def stop_clauses(inquiry: Inquiry) -> list[ClauseResult]:
    """One clause or more for each block that stops the visit; one that says so where none does."""
    found = [
        clause for block in inquiry.facts.blocks if concerns(block, inquiry) for clause in _stopped(block, inquiry)
    ]
    return found or [product_clause("blocks", True, Message("No contact block stops this visit."))]


def concerns(block: BlockFact, inquiry: Inquiry) -> bool:
    """Whether the block is about this case and in force during any of the visit."""
    span = inquiry.span
    begun = block.since < span.ends_at
    over = block.until is not None and block.until <= span.begins_at
    return begun and not over and block.case_id in (None, inquiry.facts.case_id)


def _stopped(block: BlockFact, inquiry: Inquiry) -> list[ClauseResult]:
    message = _message(block)
    found = [
        judged(rule, False, message, [block.id])
        for rule in inquiry.terms.stops
        if rule.trigger is block.trigger and _stops(rule.effect, block, inquiry)
    ]
    if _stops(block.scope, block, inquiry) and not any(clause.verdict is Verdict.BLOCKED for clause in found):
        found.append(product_clause("blocks", False, message, [block.id]))
    return found


def _stops(effect: BlockScope, block: BlockFact, inquiry: Inquiry) -> bool:
    if effect is BlockScope.CHANNEL:
        return block.channel is Channel.VISIT
    if effect is BlockScope.PLACE:
        return block.place_id == inquiry.facts.place.id
    return True


def _message(block: BlockFact) -> Message:
    if block.until is None:
        return Message("A contact block stops this visit: {trigger}.", {"trigger": block.trigger})
    values = {"trigger": block.trigger, "until": block.until.isoformat(timespec="minutes")}
    return Message("A contact block stops this visit: {trigger}, until {until}.", values)
