"""A rule of a policy as sentences for people, in whichever language they are read. The same as a table of codes is
`fieldvisit.compliance.describing`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from fieldvisit.compliance import saying_words as words
from fieldvisit.compliance.durations import Duration
from fieldvisit.compliance.parameters import CapPeriod, NoticeAbout, VisitsAllowed
from fieldvisit.compliance.rules import Rule
from fieldvisit.compliance.wallclock import END_OF_DAY, MIDNIGHT, WEEK, Day
from fieldvisit.languages import Message

Said = Message | StrEnum | str
Sentences = Iterable[Message | None]


def in_sentences(parameter: str, rule: Rule) -> Message:
    """What this rule, standing under this parameter, says: one sentence or several."""
    said = [each for each in SAYINGS[parameter](rule) if each is not None]
    if rule.effective_from is not None:
        said.append(Message("It holds from {day}.", {"day": rule.effective_from.isoformat()}))
    if rule.effective_to is not None:
        said.append(Message("It holds until {day}.", {"day": rule.effective_to.isoformat()}))
    return _after_each_other(said)


def _after_each_other(said: Sequence[Message]) -> Message:
    first, *rest = said
    return Message("{first} {rest}", {"first": first, "rest": _after_each_other(rest)}) if rest else first


def listed(items: Iterable[Said]) -> Said:
    """Several things in one sentence, in the order given."""
    first, *rest = items
    return Message("{first}, {rest}", {"first": first, "rest": listed(rest)}) if rest else first


def _of(list_: type[StrEnum], chosen: Iterable[StrEnum]) -> Said:
    """Members of a closed list, in its order, as they are called."""
    return listed(words.called(each) for each in list_ if each in set(chosen))


def _any(value: frozenset[Any]) -> Said:
    return _of(type(next(iter(value))), value)


def _is_all(value: frozenset[StrEnum]) -> bool:
    return value == frozenset(type(next(iter(value))))


def _days(days: frozenset[Day]) -> Said:
    named = [day for day in Day if day in days]
    if set(WEEK) <= days:
        every: Said = Message("every day of the week")
        return listed([every, words.called(Day.HOLIDAY)]) if Day.HOLIDAY in days else every
    return listed(words.called(day) for day in named)


def _lasts(time: Duration) -> Said:
    parts = ((time.years, "{count} years"), (time.months, "{count} months"), (time.days, "{count} days"))
    return listed(Message(words.SPANS[text], {"count": count}) for count, text in parts if count)


def _if(holds: object, text: Message) -> Message | None:
    return text if holds else None


def _stop(rule: Any) -> Sentences:
    yield Message("{trigger}. This stops: {effect}.", {"trigger": rule.trigger, "effect": rule.effect})
    if rule.form_needed in words.FORMS:
        yield Message("It has to be given {form}.", {"form": words.FORMS[rule.form_needed]})
    if rule.lasts is not None:
        yield Message("It stops for {time}.", {"time": _lasts(rule.lasts)})
    if rule.until_event:
        yield Message("It ends with this: {event}.", {"event": rule.until_event})
    if rule.redirect_to is not None:
        yield Message("One turns to {whom} instead.", {"whom": words.called(rule.redirect_to)})


def _blackout(rule: Any) -> Sentences:
    yield Message("{trigger}: {time} of rest.", {"trigger": rule.occasion, "time": _lasts(rule.lasts)})
    if rule.renewals:
        yield Message("It may be renewed {count} times.", {"count": rule.renewals})


def _complaint(rule: Any) -> Sentences:
    yield words.PAUSES if rule.pauses_case else words.PAUSES_NOT
    if rule.ack_due is not None:
        yield Message("A complaint is acknowledged within {time}.", {"time": _lasts(rule.ack_due)})
    if rule.final_due is not None:
        yield Message("It is answered within {time}.", {"time": _lasts(rule.final_due)})
    if rule.outside_body:
        yield Message("It may be taken to: {body}.", {"body": rule.outside_body})
    if rule.keep is not None:
        yield Message("It is kept for {time}.", {"time": _lasts(rule.keep)})


def _visits(rule: Any) -> Sentences:
    yield words.VISITS[rule.allowed]
    if rule.in_arrears is not None:
        yield Message("While the account is overdue: {what}", {"what": words.VISITS[rule.in_arrears]})


def _consent_visit(rule: Any) -> Sentences:
    yield (
        words.VISITS[VisitsAllowed.CONSENT_EACH_TIME] if rule.binds else Message("The debtor is asked before a visit.")
    )
    if rule.contents:
        yield Message("The consent names {contents}.", {"contents": _any(rule.contents)})
    if rule.form in words.FORMS:
        yield Message("It has to be given {form}.", {"form": words.FORMS[rule.form]})


def _prior_effort(rule: Any) -> Sentences:
    values = {"count": rule.min_failed, "days": rule.within_days, "channels": _any(rule.channels)}
    yield Message("Before a visit, {count} attempts fail within {days} days, by: {channels}.", values)
    yield Message("These count as failed: {results}.", {"results": _any(rule.results)})
    yield _if(rule.min_days > 1, Message("They lie on {count} different days.", {"count": rule.min_days}))
    parts = {"count": rule.min_day_parts, "times": ", ".join(map(str, rule.day_part_starts))}
    text = Message("They lie in {count} different parts of the day, which begin at {times}.", parts)
    yield _if(rule.min_day_parts > 1, text)
    yield _if(rule.every_number_tried, Message("Every known number is tried."))
    yield _if(rule.invalid_at_once, Message("Where every known number is invalid, that is enough."))


def _notice(rule: Any) -> Sentences:
    about: Mapping[str, object] = {"about": rule.about, "count": rule.amount}
    times = words.NOTICES_AFTER if rule.about is NoticeAbout.RESULT else words.NOTICES_BEFORE
    yield Message(times[rule.unit], about)
    yield words.NOTICE_SAID.get(rule.form)
    yield words.NOTICE_SAID.get(rule.counts_from)
    if rule.contents:
        yield Message("The notice names {contents}.", {"contents": _any(rule.contents)})
    yield _if(rule.in_arrears_only, Message("This holds while the account is overdue."))
    yield _if(rule.waiver, Message("On a first visit the debtor may waive it at the door."))


def _place(rule: Any) -> Sentences:
    yield Message("{place}: {what}", {"place": rule.place, "what": words.PLACES[rule.demand]})
    if rule.condition is not None:
        yield Message(words.CONDITIONS[rule.condition], {"count": rule.no_shows})


def _debtor_times(rule: Any) -> Sentences:
    yield words.BINDING if rule.binding else words.BINDING_NOT
    yield _if(rule.may_widen, Message("Times that the debtor asks for count outside of the hours too."))
    if rule.max_hours_per_week is not None:
        yield Message("The debtor may close {count} hours of a week.", {"count": rule.max_hours_per_week})
    if rule.blocked_places is not None:
        yield Message("The debtor may rule out {count} places.", {"count": rule.blocked_places})


def _window(rule: Any) -> Sentences:
    values = {"days": _days(rule.days), "opens": str(rule.opens), "closes": str(rule.closes)}
    yield Message("Allowed hours: {days}, from {opens} to {closes}.", values)
    if not _is_all(rule.channels):
        yield Message("This is about: {channels}.", {"channels": _any(rule.channels)})
    if not _is_all(rule.places):
        yield Message("This is about these places: {places}.", {"places": _any(rule.places)})


def _holidays(rule: Any) -> Sentences:
    yield words.HOLIDAYS[rule.effect]
    if rule.calendar != "place":
        yield Message("The holidays are those of {country}.", {"country": rule.calendar})
    yield _if(not rule.observed, Message("Days to which a holiday is moved do not count."))


def _zone(rule: Any) -> Sentences:
    yield Message(words.ZONES[rule.basis], {"zone": rule.zone})


def _widen(rule: Any) -> Sentences:
    yield Message(words.WIDENING[rule.by], {"count": rule.min_overdue_days})
    if rule.form in words.FORMS:
        yield Message("It has to be given {form}.", {"form": words.FORMS[rule.form]})
    if rule.days != frozenset(WEEK) or (rule.opens, rule.closes) != (MIDNIGHT, END_OF_DAY):
        values = {"days": _days(rule.days), "opens": str(rule.opens), "closes": str(rule.closes)}
        yield Message("At most these hours are opened: {days}, from {opens} to {closes}.", values)
    yield _if(not rule.revocable, Message("A withdrawal does not end it."))


def _fit(rule: Any) -> Sentences:
    yield words.FITS[rule.fit]
    yield _if(rule.margin_min, Message("{count} minutes more stay free after it.", {"count": rule.margin_min}))


def _visit_length(rule: Any) -> Sentences:
    if rule.minutes is None:
        yield Message("A visit takes no longer than is needed.")
    else:
        yield Message("A visit takes {count} minutes at most.", {"count": rule.minutes})


def _cap(rule: Any) -> Sentences:
    values = {"max": rule.max, "days": rule.days, "channels": _any(rule.channels), "scope": words.called(rule.scope)}
    yield Message(words.CAPS[rule.period], values)
    yield words.COUNTED[rule.counts]
    if rule.excludes:
        yield Message("These are not counted: {results}.", {"results": _any(rule.excludes)})
    yield _if(not rule.notices, Message("Notices that were sent are not counted."))
    yield _if(rule.min_gap_days, Message("At least {count} days lie between two.", {"count": rule.min_gap_days}))
    if rule.period is CapPeriod.CALENDAR_WEEK and rule.week_starts is not Day.MON:
        yield Message("The week begins on {day}.", {"day": words.called(rule.week_starts)})
    yield _if(rule.lifted_by, Message("A consent to this visit lets it go beyond."))


def _cooldown(rule: Any) -> Sentences:
    values = {"after": words.called(rule.after), "count": rule.days, "channels": _any(rule.channels)}
    yield Message("After {after} there are {count} days of rest from: {channels}.", values)
    yield (
        Message("The day itself is the first of them.")
        if rule.day_of_event_is
        else Message("They begin on the day after.")
    )
    if not _is_all(rule.heard_by):
        yield Message("What counts happened by: {channels}.", {"channels": _any(rule.heard_by)})
    yield Message("Counted for each {scope}.", {"scope": words.called(rule.scope)})


def _staff_min(rule: Any) -> Sentences:
    yield Message("At least {count} people go.", {"count": rule.people})


def _staff_max(rule: Any) -> Sentences:
    yield Message("At most {count} people go.", {"count": rule.people})


def _staff_mix(rule: Any) -> Sentences:
    yield Message("At least {count} of the crew have the skill {skill}.", {"count": rule.at_least, "skill": rule.skill})


def _credential(rule: Any) -> Sentences:
    yield Message(words.HELD[rule.held_by], {"kinds": _any(rule.any_of)})
    yield _if(not rule.through_visit, Message("It is valid when the visit begins."))
    yield words.SHOWN[rule.show]
    if rule.issuer:
        yield Message("It is issued by {issuer}.", {"issuer": rule.issuer})


def _training(rule: Any) -> Sentences:
    yield Message("Everybody who goes holds this: {kind}.", {"kind": rule.certificate})
    yield _if(rule.hours, Message("The course behind it has {count} hours.", {"count": rule.hours}))
    yield _if(rule.repeat_months, Message("It is repeated every {count} months.", {"count": rule.repeat_months}))
    if rule.disqualifiers:
        yield Message("Nobody goes of whom this is known: {what}.", {"what": _any(rule.disqualifiers)})


def _agency_review(rule: Any) -> Sentences:
    values = {"kind": rule.kind, "count": rule.every_months}
    yield Message("The lender reviews each agency every {count} months: {kind}.", values)


def _safety(rule: Any) -> Sentences:
    values = {"level": rule.level, "opens": str(rule.opens), "closes": str(rule.closes), "places": _any(rule.places)}
    yield Message("From {opens} to {closes}, at these places: {places}, the risk level is {level}.", values)
    yield words.LONE if rule.lone_allowed else words.LONE_NOT
    yield _if(rule.confirm_return, Message("The return is confirmed."))


def _recording(rule: Any) -> Sentences:
    yield Message("{channels}: {need}.", {"channels": _any(rule.channels), "need": rule.need})
    yield _if(rule.whole, Message("It is recorded from beginning to end."))
    yield _if(rule.tell_party, Message("The debtor is told of the recording."))
    yield _if(rule.consent_needed, Message("The debtor agrees to it first."))


def _third_party(rule: Any) -> Sentences:
    yield words.THIRD[rule.allowed]
    if rule.max_per_person is not None:
        yield Message("Contacts with anybody else: {count} at most.", {"count": rule.max_per_person})
    yield words.THIRD[rule.reveal_employer]
    yield _if(rule.never_reveal_debt, Message("The debt is never mentioned to others."))
    yield _if(rule.stop_on_refusal, Message("Who says no is not contacted again."))
    if rule.trigger:
        yield Message("One may turn to others only then: {event}.", {"event": rule.trigger})


def _verify(rule: Any) -> Sentences:
    yield words.VERIFIED if rule.before_disclosure else words.VERIFIED_NOT
    yield Message("It is established by one of these: {methods}.", {"methods": _any(rule.methods)})


def _notes(rule: Any) -> Sentences:
    yield words.NOTES if rule.allowed else words.NOTES_NOT
    yield _if(rule.sealed, Message("It is in a sealed envelope."))
    yield _if(rule.no_debt_words, Message("It names no debt."))
    yield _if(rule.no_disguise, Message("It poses as nothing else."))
    yield _if(rule.no_public_posting, Message("It is never put up where others see it."))
    yield _if(rule.identify_sender, Message("It says from whom it is."))


def _retention(rule: Any) -> Sentences:
    about: Mapping[str, object] = {"what": words.called(rule.record_type), "clock": words.called(rule.counts_from)}
    if rule.min is not None:
        yield Message("{what}: kept at least {time}, counted from {clock}.", {**about, "time": _lasts(rule.min)})
    if rule.max is not None:
        yield Message("{what}: kept at most {time}, counted from {clock}.", {**about, "time": _lasts(rule.max)})
    yield _if(not rule.hold, Message("A legal hold does not lengthen it."))
    if rule.products:
        yield Message("This is about these products: {products}.", {"products": ", ".join(sorted(rule.products))})


def _record_fields(rule: Any) -> Sentences:
    yield Message("The record of a visit holds {fields}.", {"fields": _any(rule.fields)})
    if not _is_all(rule.outcomes):
        yield Message("This is about these outcomes: {outcomes}.", {"outcomes": _any(rule.outcomes)})


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
