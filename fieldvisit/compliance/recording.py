"""Whether what has to be recorded is being recorded, where it may be."""

from fieldvisit.compliance.conduct_parameters import Recorded, RecordingNeed
from fieldvisit.compliance.conduct_rules import RecordingRule
from fieldvisit.compliance.decision import ClauseResult
from fieldvisit.compliance.facts import ConsentAbout
from fieldvisit.compliance.inquiry import Inquiry, judged
from fieldvisit.languages import Message
from fieldvisit.vocabulary import Channel, CheckMoment

NEEDS = {
    RecordingNeed.AUDIO: (frozenset({Recorded.AUDIO}),),
    RecordingNeed.AUDIO_OR_VIDEO: (frozenset({Recorded.AUDIO}), frozenset({Recorded.VIDEO})),
    RecordingNeed.AUDIO_AND_VIDEO: (frozenset(Recorded),),
}
"""What has to run, one of these sets at least."""


def recording_clauses(inquiry: Inquiry) -> list[ClauseResult]:
    """What each rule says, at the door: before it, nothing runs yet, and only a contradiction can be told."""
    rules = [rule for rule in inquiry.terms.recording if Channel.VISIT in rule.channels]
    if inquiry.question.moment is not CheckMoment.DOOR:
        return []
    return [_clause(rule, inquiry) for rule in rules]


def demanded(rule: RecordingRule) -> bool:
    return rule.need in NEEDS and rule.binds


def _clause(rule: RecordingRule, inquiry: Inquiry) -> ClauseResult:
    running = inquiry.question.recording or frozenset()
    values = {"need": rule.need}
    if running and rule.consent_needed and not _agreed(inquiry):
        return judged(rule, False, Message("The debtor has to agree before anything is recorded."))
    if rule.need is RecordingNeed.FORBIDDEN:
        return judged(rule, not running, Message("Nothing may be recorded here."))
    if rule.need not in NEEDS:
        return judged(rule, True, Message("Nothing has to be recorded."))
    if any(wanted <= running for wanted in NEEDS[rule.need]):
        return judged(rule, True, Message("What has to be recorded is being recorded: {need}.", values))
    return judged(rule, False, Message("The visit has to be recorded from beginning to end: {need}.", values))


def _agreed(inquiry: Inquiry) -> bool:
    return any(
        consent.about is ConsentAbout.RECORDING
        and consent.revoked_at is None
        and consent.given_at <= inquiry.now
        and consent.visit_id in (None, inquiry.question.visit_id)
        for consent in inquiry.facts.consents
    )
