"""A rule of a policy as sentences for people, in whichever language they are read. The same as a table of codes is
`fieldvisit.compliance.describing`.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any

from fieldvisit.compliance import saying_words as words
from fieldvisit.compliance.parameters import CapPeriod, NoticeAbout, VisitsAllowed
from fieldvisit.compliance.rules import Rule
from fieldvisit.compliance.saying_lists import after_each_other, any_of, days_named, is_all, lasting, only_if
from fieldvisit.compliance.wallclock import END_OF_DAY, MIDNIGHT, WEEK, Day
from fieldvisit.languages import Message

Sentences = Iterable[Message | None]


def in_sentences(parameter: str, rule: Rule) -> Message:
    """What this rule, standing under this parameter, says: one sentence or several."""
    said = [each for each in SAYINGS[parameter](rule) if each is not None]
    if rule.effective_from is not None:
        said.append(Message("It holds from {day}.", {"day": rule.effective_from.isoformat()}))
    if rule.effective_to is not None:
        said.append(Message("It holds until {day}.", {"day": rule.effective_to.isoformat()}))
    return after_each_other(said)


def _stop(rule: Any) -> Sentences:
    yield Message("{trigger}. This stops: {effect}.", {"trigger": rule.trigger, "effect": rule.effect})
    if rule.form_needed in words.FORMS:
        yield Message("It has to be given {form}.", {"form": words.FORMS[rule.form_needed]})
    if rule.lasts is not None:
        yield Message("It stops for {time}.", {"time": lasting(rule.lasts)})
    if rule.until_event:
        yield Message("It ends with this: {event}.", {"event": rule.until_event})
    if rule.redirect_to is not None:
        yield Message("One turns to {whom} instead.", {"whom": words.called(rule.redirect_to)})


def _blackout(rule: Any) -> Sentences:
    yield Message("{trigger}: {time} of rest.", {"trigger": rule.occasion, "time": lasting(rule.lasts)})
    if rule.renewals:
        yield Message("It may be renewed {count} times.", {"count": rule.renewals})


def _complaint(rule: Any) -> Sentences:
    yield words.PAUSES if rule.pauses_case else words.PAUSES_NOT
    if rule.ack_due is not None:
        yield Message("A complaint is acknowledged within {time}.", {"time": lasting(rule.ack_due)})
    if rule.final_due is not None:
        yield Message("It is answered within {time}.", {"time": lasting(rule.final_due)})
    if rule.outside_body:
        yield Message("It may be taken to: {body}.", {"body": rule.outside_body})
    if rule.keep is not None:
        yield Message("It is kept for {time}.", {"time": lasting(rule.keep)})


def _visits(rule: Any) -> Sentences:
    yield words.VISITS[rule.allowed]
    if rule.in_arrears is not None:
        yield Message("While the account is overdue: {what}", {"what": words.VISITS[rule.in_arrears]})


def _consent_visit(rule: Any) -> Sentences:
    yield (
        words.VISITS[VisitsAllowed.CONSENT_EACH_TIME] if rule.binds else Message("The debtor is asked before a visit.")
    )
    if rule.contents:
        yield Message("The consent names {contents}.", {"contents": any_of(rule.contents)})
    if rule.form in words.FORMS:
        yield Message("It has to be given {form}.", {"form": words.FORMS[rule.form]})


def _prior_effort(rule: Any) -> Sentences:
    values = {"count": rule.min_failed, "days": rule.within_days, "channels": any_of(rule.channels)}
    yield Message("Before a visit, {count} attempts fail within {days} days, by: {channels}.", values)
    yield Message("These count as failed: {results}.", {"results": any_of(rule.results)})
    yield only_if(rule.min_days > 1, Message("They lie on {count} different days.", {"count": rule.min_days}))
    parts = {"count": rule.min_day_parts, "times": ", ".join(map(str, rule.day_part_starts))}
    text = Message("They lie in {count} different parts of the day, which begin at {times}.", parts)
    yield only_if(rule.min_day_parts > 1, text)
    yield only_if(rule.every_number_tried, Message("Every known number is tried."))
    yield only_if(rule.invalid_at_once, Message("Where every known number is invalid, that is enough."))


def _notice(rule: Any) -> Sentences:
    about: Mapping[str, object] = {"about": rule.about, "count": rule.amount}
    times = words.NOTICES_AFTER if rule.about is NoticeAbout.RESULT else words.NOTICES_BEFORE
    yield Message(times[rule.unit], about)
    yield words.NOTICE_SAID.get(rule.form)
    yield words.NOTICE_SAID.get(rule.counts_from)
    if rule.contents:
        yield Message("The notice names {contents}.", {"contents": any_of(rule.contents)})
    yield only_if(rule.in_arrears_only, Message("This holds while the account is overdue."))
    yield only_if(rule.waiver, Message("On a first visit the debtor may waive it at the door."))


def _place(rule: Any) -> Sentences:
    yield Message("{place}: {what}", {"place": rule.place, "what": words.PLACES[rule.demand]})
    if rule.condition is not None:
        yield Message(words.CONDITIONS[rule.condition], {"count": rule.no_shows})


def _debtor_times(rule: Any) -> Sentences:
    yield words.BINDING if rule.binding else words.BINDING_NOT
    yield only_if(rule.may_widen, Message("Times that the debtor asks for count outside of the hours too."))
    if rule.max_hours_per_week is not None:
        yield Message("The debtor may close {count} hours of a week.", {"count": rule.max_hours_per_week})
    if rule.blocked_places is not None:
        yield Message("The debtor may rule out {count} places.", {"count": rule.blocked_places})


def _window(rule: Any) -> Sentences:
    values = {"days": days_named(rule.days), "opens": str(rule.opens), "closes": str(rule.closes)}
    yield Message("Allowed hours: {days}, from {opens} to {closes}.", values)
    if not is_all(rule.channels):
        yield Message("This is about: {channels}.", {"channels": any_of(rule.channels)})
    if not is_all(rule.places):
        yield Message("This is about these places: {places}.", {"places": any_of(rule.places)})


def _holidays(rule: Any) -> Sentences:
    yield words.HOLIDAYS[rule.effect]
    if rule.calendar != "place":
        yield Message("The holidays are those of {country}.", {"country": rule.calendar})
    yield only_if(not rule.observed, Message("Days to which a holiday is moved do not count."))


def _zone(rule: Any) -> Sentences:
    yield Message(words.ZONES[rule.basis], {"zone": rule.zone})


def _widen(rule: Any) -> Sentences:
    yield Message(words.WIDENING[rule.by], {"count": rule.min_overdue_days})
    if rule.form in words.FORMS:
        yield Message("It has to be given {form}.", {"form": words.FORMS[rule.form]})
    if rule.days != frozenset(WEEK) or (rule.opens, rule.closes) != (MIDNIGHT, END_OF_DAY):
        values = {"days": days_named(rule.days), "opens": str(rule.opens), "closes": str(rule.closes)}
        yield Message("At most these hours are opened: {days}, from {opens} to {closes}.", values)
    yield only_if(not rule.revocable, Message("A withdrawal does not end it."))


def _fit(rule: Any) -> Sentences:
    yield words.FITS[rule.fit]
    yield only_if(rule.margin_min, Message("{count} minutes more stay free after it.", {"count": rule.margin_min}))


def _visit_length(rule: Any) -> Sentences:
    if rule.minutes is None:
        yield Message("A visit takes no longer than is needed.")
    else:
        yield Message("A visit takes {count} minutes at most.", {"count": rule.minutes})


def _cap(rule: Any) -> Sentences:
    values = {"max": rule.max, "days": rule.days, "channels": any_of(rule.channels), "scope": words.called(rule.scope)}
    yield Message(words.CAPS[rule.period], values)
    yield words.COUNTED[rule.counts]
    if rule.excludes:
        yield Message("These are not counted: {results}.", {"results": any_of(rule.excludes)})
    yield only_if(not rule.notices, Message("Notices that were sent are not counted."))
    yield only_if(rule.min_gap_days, Message("At least {count} days lie between two.", {"count": rule.min_gap_days}))
    if rule.period is CapPeriod.CALENDAR_WEEK and rule.week_starts is not Day.MON:
        yield Message("The week begins on {day}.", {"day": words.called(rule.week_starts)})
    yield only_if(rule.lifted_by, Message("A consent to this visit lets it go beyond."))


def _cooldown(rule: Any) -> Sentences:
    values = {"after": words.called(rule.after), "count": rule.days, "channels": any_of(rule.channels)}
    yield Message("After {after} there are {count} days of rest from: {channels}.", values)
    yield (
        Message("The day itself is the first of them.")
        if rule.day_of_event_is
        else Message("They begin on the day after.")
    )
    if not is_all(rule.heard_by):
        yield Message("What counts happened by: {channels}.", {"channels": any_of(rule.heard_by)})
    yield Message("Counted for each {scope}.", {"scope": words.called(rule.scope)})


def _staff_min(rule: Any) -> Sentences:
    yield Message("At least {count} people go.", {"count": rule.people})


def _staff_max(rule: Any) -> Sentences:
    yield Message("At most {count} people go.", {"count": rule.people})


def _staff_mix(rule: Any) -> Sentences:
    yield Message("At least {count} of the crew have the skill {skill}.", {"count": rule.at_least, "skill": rule.skill})


def _credential(rule: Any) -> Sentences:
    yield Message(words.HELD[rule.held_by], {"kinds": any_of(rule.any_of)})
    yield only_if(not rule.through_visit, Message("It is valid when the visit begins."))
    yield words.SHOWN[rule.show]
    if rule.issuer:
        yield Message("It is issued by {issuer}.", {"issuer": rule.issuer})


def _training(rule: Any) -> Sentences:
    yield Message("Everybody who goes holds this: {kind}.", {"kind": rule.certificate})
    yield only_if(rule.hours, Message("The course behind it has {count} hours.", {"count": rule.hours}))
    yield only_if(rule.repeat_months, Message("It is repeated every {count} months.", {"count": rule.repeat_months}))
    if rule.disqualifiers:
        yield Message("Nobody goes of whom this is known: {what}.", {"what": any_of(rule.disqualifiers)})


def _agency_review(rule: Any) -> Sentences:
    values = {"kind": rule.kind, "count": rule.every_months}
    yield Message("The lender reviews each agency every {count} months: {kind}.", values)


def _safety(rule: Any) -> Sentences:
    values = {"level": rule.level, "opens": str(rule.opens), "closes": str(rule.closes), "places": any_of(rule.places)}
    yield Message("From {opens} to {closes}, at these places: {places}, the risk level is {level}.", values)
    yield words.LONE if rule.lone_allowed else words.LONE_NOT
    yield only_if(rule.confirm_return, Message("The return is confirmed."))


def _recording(rule: Any) -> Sentences:
    yield Message("{channels}: {need}.", {"channels": any_of(rule.channels), "need": rule.need})
    yield only_if(rule.whole, Message("It is recorded from beginning to end."))
    yield only_if(rule.tell_party, Message("The debtor is told of the recording."))
    yield only_if(rule.consent_needed, Message("The debtor agrees to it first."))


def _third_party(rule: Any) -> Sentences:
    yield words.THIRD[rule.allowed]
    if rule.max_per_person is not None:
        yield Message("Contacts with anybody else: {count} at most.", {"count": rule.max_per_person})
    yield words.THIRD[rule.reveal_employer]
    yield only_if(rule.never_reveal_debt, Message("The debt is never mentioned to others."))
    yield only_if(rule.stop_on_refusal, Message("Who says no is not contacted again."))
    if rule.trigger:
        yield Message("One may turn to others only then: {event}.", {"event": rule.trigger})


def _verify(rule: Any) -> Sentences:
    yield words.VERIFIED if rule.before_disclosure else words.VERIFIED_NOT
    yield Message("It is established by one of these: {methods}.", {"methods": any_of(rule.methods)})


def _notes(rule: Any) -> Sentences:
    yield words.NOTES if rule.allowed else words.NOTES_NOT
    yield only_if(rule.sealed, Message("It is in a sealed envelope."))
    yield only_if(rule.no_debt_words, Message("It names no debt."))
    yield only_if(rule.no_disguise, Message("It poses as nothing else."))
    yield only_if(rule.no_public_posting, Message("It is never put up where others see it."))
    yield only_if(rule.identify_sender, Message("It says from whom it is."))


def _retention(rule: Any) -> Sentences:
    about: Mapping[str, object] = {"what": words.called(rule.record_type), "clock": words.called(rule.counts_from)}
    if rule.min is not None:
        yield Message("{what}: kept at least {time}, counted from {clock}.", {**about, "time": lasting(rule.min)})
    if rule.max is not None:
        yield Message("{what}: kept at most {time}, counted from {clock}.", {**about, "time": lasting(rule.max)})
    yield only_if(not rule.hold, Message("A legal hold does not lengthen it."))
    if rule.products:
        yield Message("This is about these products: {products}.", {"products": ", ".join(sorted(rule.products))})


def _record_fields(rule: Any) -> Sentences:
    yield Message("The record of a visit holds {fields}.", {"fields": any_of(rule.fields)})
    if not is_all(rule.outcomes):
        yield Message("This is about these outcomes: {outcomes}.", {"outcomes": any_of(rule.outcomes)})


def _each_of(name: str) -> Callable[[Any], Sentences]:
    """A rule that lists things of which each is a sentence, or names one such thing."""

    def say(rule: Any) -> Sentences:
        value = getattr(rule, name)
        chosen = {value} if isinstance(value, StrEnum) else set(value)
        for each in type(next(iter(chosen))):
            if each in chosen:
                yield words.ALONE[each]

    return say


def _demands(rule: Any) -> Sentences:
    yield words.THREATS_NOT if rule.no_visit_threat else words.THREATS


def _access(rule: Any) -> Sentences:
    yield words.REASON if rule.reason else words.REASON_NOT


SAYINGS: Mapping[str, Callable[[Any], Sentences]] = {
    "stops": _stop,
    "blackouts": _blackout,
    "complaint": _complaint,
    "visits": _visits,
    "consent_visit": _consent_visit,
    "prior_effort": _prior_effort,
    "notices": _notice,
    "places": _place,
    "debtor_times": _debtor_times,
    "windows": _window,
    "holidays": _holidays,
    "zone": _zone,
    "widen_by": _widen,
    "fit": _fit,
    "visit_length": _visit_length,
    "caps": _cap,
    "cooldowns": _cooldown,
    "staff_min": _staff_min,
    "staff_max": _staff_max,
    "staff_mix": _staff_mix,
    "credentials": _credential,
    "training": _training,
    "agency_reviews": _agency_review,
    "safety": _safety,
    "recording": _recording,
    "entry": _each_of("entry"),
    "third_party": _third_party,
    "verify": _verify,
    "notes": _notes,
    "demands": _demands,
    "dress": _each_of("asks"),
    "introduction": _each_of("says"),
    "at_door": _each_of("duties"),
    "money": _each_of("money"),
    "retention": _retention,
    "record_fields": _record_fields,
    "access": _access,
}
