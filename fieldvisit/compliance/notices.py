"""What has to be announced to the debtor before a visit, and before anybody collects at all.

As long as there is time, the question is whether a notice that is sent now would still be in time; a notice that waits
to be sent counts as one that is. At the door it must have been given. A visit that moves out of the hours that were
announced starts anew.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from fieldvisit.compliance.calendars import business_days_after
from fieldvisit.compliance.conduct_rules import NoticeRule
from fieldvisit.compliance.decision import ClauseResult
from fieldvisit.compliance.facts import Facts, NoticeFact, Question
from fieldvisit.compliance.inquiry import Inquiry, judged
from fieldvisit.compliance.merging import terms_for
from fieldvisit.compliance.parameters import (
    CollectorRole,
    NoticeAbout,
    NoticeContent,
    NoticeForm,
    NoticeFrom,
    NoticeUnit,
    Waiver,
)
from fieldvisit.compliance.policy import Policy
from fieldvisit.compliance.wallclock import local_day, whole_day
from fieldvisit.languages import Message
from fieldvisit.vocabulary import Channel, CheckMoment

LATER = (CheckMoment.ELIGIBLE, CheckMoment.PLANNING, CheckMoment.PUBLISHING)
"""Moments at which the notice of a visit may still be sent."""


def notice_clauses(inquiry: Inquiry) -> list[ClauseResult]:
    """What each rule on notices says of the visit. Before its hour is known, nothing is said of its own notice."""
    return [_clause(rule, inquiry) for rule in inquiry.terms.notices if _asked_for(rule, inquiry)]


def first_announced(visit_id: str, facts: Facts, policies: Sequence[Policy], *, day: date, now: datetime) -> datetime:
    """From when on a visit on the local date may begin if it is announced now, where that has not been done yet; `now`
    where nothing has to be announced.

    Where it was announced, `evaluate` holds it against the hours that were named.
    """
    if any(notice.visit_id == visit_id and notice.about is NoticeAbout.VISIT for notice in facts.notices):
        return now
    demanded, inquiry = _demanded(visit_id, facts, policies, day=day, now=now)
    return max((timely_from(rule, now, inquiry) for rule in demanded if inquiry), default=now)


def demanded_of_visit(
    visit_id: str, facts: Facts, policies: Sequence[Policy], *, day: date, now: datetime
) -> tuple[NoticeRule, ...]:
    """The rules that ask for a notice of a visit on the local date."""
    return _demanded(visit_id, facts, policies, day=day, now=now)[0]


def demanded_after_visit(facts: Facts, policies: Sequence[Policy], *, day: date) -> tuple[NoticeRule, ...]:
    """The rules that ask for word of what came of a visit on the local date."""
    terms = terms_for(policies, facts.place, day, scope=facts.scope)
    rules = terms.notices if terms else ()
    return tuple(
        rule
        for rule in rules
        if rule.about is NoticeAbout.RESULT and rule.binds and _owed(rule, facts.overdue_on(day) or 0)
    )


def contents_of(rules: Iterable[NoticeRule]) -> frozenset[NoticeContent]:
    """What one notice must name to satisfy all of them."""
    return frozenset[NoticeContent]().union(*(rule.contents for rule in rules))


def written(rules: Iterable[NoticeRule]) -> bool:
    """Whether one of them asks for a written notice."""
    return any(rule.form is NoticeForm.WRITTEN for rule in rules)


def timely_from(rule: NoticeRule, counts_from: datetime, inquiry: Inquiry) -> datetime:
    """The first instant at which a notice that counts from then has run its time."""
    zone, place = inquiry.zone, inquiry.facts.place
    if rule.unit in (NoticeUnit.HOURS, NoticeUnit.ADEQUATE):
        return counts_from + timedelta(hours=rule.amount)
    day = local_day(counts_from, zone)
    if rule.unit is NoticeUnit.DAYS:
        day += timedelta(days=rule.amount)
    else:
        day = business_days_after(place, day, rule.amount)
    # Whole days lie between: of five working days' notice given on a Monday, the first day of the visit is the next
    # Tuesday's morning at the earliest.
    spans = whole_day(day + timedelta(days=1), zone)
    return spans[0].begins_at if spans else counts_from


def _demanded(
    visit_id: str, facts: Facts, policies: Sequence[Policy], *, day: date, now: datetime
) -> tuple[tuple[NoticeRule, ...], Inquiry | None]:
    terms = terms_for(policies, facts.place, day, scope=facts.scope)
    if terms is None or facts.place.zone is None:
        return (), None
    question = Question(visit_id=visit_id, moment=CheckMoment.ELIGIBLE)
    inquiry = Inquiry(question=question, facts=facts, terms=terms, zone=facts.place.zone, now=now)
    overdue = facts.overdue_on(day) or 0
    rules = [rule for rule in terms.notices if rule.about is NoticeAbout.VISIT and rule.binds]
    return tuple(rule for rule in rules if _owed(rule, overdue)), inquiry


def _owed(rule: NoticeRule, days_past_due: int) -> bool:
    return days_past_due > 0 or not rule.in_arrears_only


def _asked_for(rule: NoticeRule, inquiry: Inquiry) -> bool:
    if not _owed(rule, inquiry.facts.overdue_on(inquiry.day) or 0) or rule.about is NoticeAbout.RESULT:
        return False
    if rule.about is NoticeAbout.VISIT:
        return inquiry.question.begins_at is not None
    if rule.about is NoticeAbout.ASSIGNMENT:
        return inquiry.facts.scope.role is not CollectorRole.FIRST_PARTY
    if rule.about is NoticeAbout.TRANSFER:
        return inquiry.facts.scope.role in (None, CollectorRole.PURCHASER)
    return True


def _clause(rule: NoticeRule, inquiry: Inquiry) -> ClauseResult:
    sent = [notice for notice in inquiry.facts.notices if _fits(rule, notice, inquiry)]
    timely = [notice.id for notice in sent if _timely(rule, notice, inquiry)]
    if timely:
        return judged(rule, True, Message("The notice that is due was given in time."), timely)
    if rule.about is NoticeAbout.VISIT:
        return _of_visit(rule, sent, inquiry)
    if sent:
        return judged(rule, False, _too_late(sent), [n.id for n in sent])
    return judged(
        rule,
        False,
        Message("A notice is due before anybody collects, and none is on file: {about}.", {"about": rule.about}),
    )


def _of_visit(rule: NoticeRule, sent: Sequence[NoticeFact], inquiry: Inquiry) -> ClauseResult:
    ids = [notice.id for notice in sent]
    earliest = timely_from(rule, inquiry.now, inquiry)
    # Asked ahead of its hour, a visit at the door is like a plan: as long as there is time it can be announced.
    if inquiry.question.moment in LATER or inquiry.span.begins_at > inquiry.now:
        if inquiry.span.begins_at >= earliest:
            return judged(rule, True, Message("There is time to announce this visit."), ids)
        if inquiry.question.moment in LATER:
            values = {"earliest": earliest.isoformat(timespec="minutes")}
            return judged(
                rule, False, Message("Announced now, the visit may begin at {earliest} at the earliest.", values), ids
            )
    if rule.waiver is Waiver.ON_THE_SPOT and not _visited_before(inquiry):
        message = Message("Not announced: talk only if the debtor is happy to now; else agree another time.")
        return _warned(rule, message)
    if sent:
        return judged(rule, False, _too_late(sent), ids)
    return judged(rule, False, Message("This visit, at this time, was not announced to the debtor."))


def _too_late(sent: Sequence[NoticeFact]) -> Message:
    if all(notice.sent_at is None for notice in sent):
        return Message("The notice that is due waits to be sent.")
    return Message("The notice was given too late for this date.")


def _warned(rule: NoticeRule, message: Message) -> ClauseResult:
    return replace(judged(rule, True, message), warning=True)


def _fits(rule: NoticeRule, notice: NoticeFact, inquiry: Inquiry) -> bool:
    """Whether the notice is what the rule asks for: of that, to this visit at its hour, in form and contents."""
    if notice.about is not rule.about or not rule.contents <= notice.contents:
        return False
    if rule.form is NoticeForm.WRITTEN and notice.form is not NoticeForm.WRITTEN:
        return False
    if rule.about is not NoticeAbout.VISIT:
        return True
    mine = notice.visit_id == inquiry.question.visit_id
    return mine and (
        notice.announced is None or notice.announced.begins_at <= inquiry.span.begins_at < notice.announced.ends_at
    )


def _timely(rule: NoticeRule, notice: NoticeFact, inquiry: Inquiry) -> bool:
    counts_from = notice.sent_at if rule.counts_from is NoticeFrom.SENT else notice.received_at
    return counts_from is not None and timely_from(rule, counts_from, inquiry) <= inquiry.span.begins_at


def _visited_before(inquiry: Inquiry) -> bool:
    facts = inquiry.facts
    return any(a.channel is Channel.VISIT and a.case_id in (None, facts.case_id) for a in facts.attempts)
