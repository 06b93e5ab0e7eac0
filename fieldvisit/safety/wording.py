"""What an alarm says: short enough for one text message, nothing of any debtor, in the reader's own language."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from fieldvisit.languages import Message, say, spoken_language
from fieldvisit.outgoing.gateways import Letter
from fieldvisit.safety.alarm_words import buddys, clock, new_door, officers, outsiders, utc
from fieldvisit.safety.held_tables import REACHED_BY
from fieldvisit.safety.message_facts import Facts, facts_as_stored, facts_of
from fieldvisit.vocabulary import AlarmChannel, AlertState, MessagePurpose, MessageRecipient

ANSWERED = (AlertState.ACKNOWLEDGED, AlertState.RESOLVED)
SPOKEN = Message("Press 1 to take this alarm.")
CONFIRMED = Message("Press 1 to confirm that you act on it.")
ALWAYS = {
    MessagePurpose.CONTACT_TEST: Message(
        "Test of the alarm line: press 1, or answer as you were shown. Nobody is in danger."
    ),
    MessagePurpose.WATCH_FAILS: Message(
        "WARNING: alarms may not be answered for just now. Look at the list, and call who is out."
    ),
    MessagePurpose.DRILL_OWED: Message(
        "By the rules of your own house a drill of the alarms is due this month and has not been held. The list of "
        "drills tells which."
    ),
    MessagePurpose.MARKER_REVIEW_DUE: Message(
        "The day has passed on which a marker of danger was to be reviewed. Until somebody does it stays as it is. The "
        "list of markers tells which."
    ),
    MessagePurpose.REMINDER: Message("A danger at this door has become known. Look at your phone now, and check in."),
}
"""The same words whatever has become of its cause."""
REMINDERS = {
    MessagePurpose.CHECK_IN_SOON: Message("Please check in by {until}."),
    MessagePurpose.OVERDUE: Message(
        "Your check-in was due at {due}. Check in now: at {until} your safety officer is called."
    ),
    MessagePurpose.END_SOON: Message("Your session is planned to end at {until}. End it or extend it by then."),
    MessagePurpose.ARRIVAL_SOON: Message(
        "You are expected at the door by {until}. Say that you are there, or end your session."
    ),
    MessagePurpose.LEAVING_SOON: Message(
        "Your visit seems to be over. Please end your session by {until}, or check in."
    ),
}
"""Nothing of where the visitor is or why: others may read along."""


DOORS = {"visits", "places"}
"""Without these a message about another door says nothing."""


@dataclass(frozen=True)
class Unwritable:
    """Why there is no letter: the message is dropped."""

    reason: str


@dataclass(frozen=True)
class Unwritten:
    """What stood in the way of writing a message just now: an attempt that failed, as at a provider."""

    error: str


def write(
    session: Session, message_ids: Sequence[uuid.UUID], *, without: Collection[str] = ()
) -> dict[uuid.UUID, Letter | Unwritable | Unwritten]:
    """The messages as they go out now: to where their recipients are reached now, if they are still wanted. `without`:
    the tables that somebody holds.

    Raises FieldVisitError where a stored value cannot be opened: whoever asks for several asks for each by itself then.
    """
    facts = facts_of(session, message_ids, without=without)
    return {
        each: _letter_without(facts[each], without) if each in facts else Unwritable("gone") for each in message_ids
    }


def write_somehow(
    session: Session, message_id: uuid.UUID, *, without: Collection[str] = ()
) -> Letter | Unwritable | Unwritten:
    """One message that cannot be written as it should be, from what can be read of it. An alarm of which nothing else
    can be said still says about whom it is, and since when.

    Raises whatever stands in the way of that, FieldVisitError where the address cannot be opened.
    """
    facts = facts_as_stored(session, message_id, without=without)
    return _letter_without(facts, without, somehow=True) if facts else Unwritable("gone")


def _letter_without(facts: Facts, held: Collection[str], *, somehow: bool = False) -> Letter | Unwritable | Unwritten:
    if REACHED_BY[facts.recipient].intersection(held):
        return Unwritten("not written: held")
    if facts.purpose is MessagePurpose.NEW_DOOR and DOORS.intersection(held):
        return Unwritten("not written: held")
    if held:
        # A zone that nobody knows makes it UTC.
        unknown: dict[str, Any] = {
            name: getattr(facts, name) or "-" for name in ("zone", "name", "staff_number", "house")
        }
        facts = replace(facts, **unknown)
    return _letter(facts, somehow=somehow)


def _letter(facts: Facts, *, somehow: bool = False) -> Letter | Unwritable:
    found = _recipient(facts)
    if isinstance(found, Unwritable):
        return found
    to, language = found
    said = _said_somehow(facts) if somehow else _said(facts)
    if isinstance(said, Unwritable):
        return said
    text = say(Message("DRILL, nobody is in danger. {said}", {"said": said}) if facts.drill else said, language)
    if facts.channel is AlarmChannel.VOICE and _may_take(facts):
        text = f"{text} {say(CONFIRMED if facts.recipient is MessageRecipient.EXTERNAL else SPOKEN, language)}"
    return Letter(id=facts.id, channel=facts.channel, to=to, text=text, language=language)


def _may_take(facts: Facts) -> bool:
    return facts.purpose is MessagePurpose.ALARM and not _to_visitor(facts) and not _to_buddy(facts)


def _to_visitor(facts: Facts) -> bool:
    return facts.recipient is MessageRecipient.VISITOR or bool(facts.own_phone)


def _to_buddy(facts: Facts) -> bool:
    return facts.recipient is MessageRecipient.BUDDY


def _recipient(facts: Facts) -> tuple[str, str] | Unwritable:
    if facts.recipient is MessageRecipient.VISITOR or _to_buddy(facts):
        return (facts.phone, spoken_language(facts.languages or [])) if facts.phone else Unwritable("no number")
    if facts.recipient is MessageRecipient.EXTERNAL:
        line = facts.external
        return (line["number"], line["language"]) if line else Unwritable("not reachable any more")
    if facts.recipient is MessageRecipient.DEVICE:
        found = facts.push_token, facts.push_language
        return (found[0], found[1]) if found[0] and found[1] else Unwritable("not reachable any more")
    if facts.address is None or facts.language is None:
        return Unwritable("not reachable any more")
    return facts.address, facts.language


def _said_somehow(facts: Facts) -> Message | Unwritable:
    try:
        return _said(facts)
    except Exception:
        if facts.purpose is not MessagePurpose.ALARM or facts.opened_at is None:
            raise
        # To whoever it goes, a buddy or the number outside: nothing that they must not know or do.
        values = {"house": facts.house, "name": facts.name, "staff_number": facts.staff_number}
        return Message(
            "ALARM: {name} ({staff_number}) of {house}, since {at}. More cannot be told here. Act as agreed, and do "
            "not ring the visitor before you know more.",
            values | {"at": utc(facts.opened_at)},
        )


def _said(facts: Facts) -> Message | Unwritable:
    if facts.covert and (_to_visitor(facts) or _to_buddy(facts)):
        return Unwritable("covert")
    if facts.too_late:
        return Unwritable("too late")
    if facts.purpose in ALWAYS:
        return ALWAYS[facts.purpose]
    if facts.purpose is MessagePurpose.OUTAGE:
        return _outage(facts) if facts.unanswered else Unwritable("taken")
    if facts.purpose is MessagePurpose.COVER_GAP:
        assert facts.give_up_at is not None
        assert facts.zone is not None
        return Message(
            "From {at} on visitors are out by the published plan, and nobody on the roster would answer an alarm. Put "
            "somebody on it now.",
            {"at": clock(facts.give_up_at, facts.zone)},
        )
    if facts.purpose is MessagePurpose.SLOW_WEEK:
        return _slow_week(facts.figures or {})
    if facts.purpose in REMINDERS:
        return _reminder(facts) if facts.stands else Unwritable("not needed any more")
    if facts.state is None:
        return Unwritable("nothing to say")
    if facts.purpose is MessagePurpose.ALARM and facts.state in ANSWERED:
        return Unwritable("taken")
    if facts.purpose is MessagePurpose.POLICE_UNDECIDED:
        return _undecided(facts)
    if facts.purpose is MessagePurpose.NEW_DOOR:
        return _new_door(facts)
    if facts.purpose is MessagePurpose.TAKEN:
        return Message("Your safety officer has your alarm and is acting on it.")
    if facts.purpose is MessagePurpose.ALL_CLEAR:
        values = {"kind": facts.kind, "name": facts.name, "staff_number": facts.staff_number}
        return Message("ALL CLEAR: {kind}. {name} ({staff_number}). Nobody has to do anything any more.", values)
    return _raised(facts)


def _raised(facts: Facts) -> Message:
    """The alarm itself, to whom it is told."""
    if _to_visitor(facts):
        return Message(
            "You have not reported back. Check in now, or call your safety officer. We are calling for help."
        )
    if _to_buddy(facts):
        return buddys(facts)
    return outsiders(facts) if facts.recipient is MessageRecipient.EXTERNAL else officers(facts)


def _new_door(facts: Facts) -> Message | Unwritable:
    told, named = (facts.figures or {}).get("visit_id"), facts.named_visit_id
    if facts.state is AlertState.RESOLVED or (named is not None and told != str(named)):
        return Unwritable("not needed any more")
    if _to_visitor(facts):
        return Unwritable("the visitor's own phone")
    return new_door(facts)


def _slow_week(figures: dict[str, Any]) -> Message:
    return Message(
        "In the week from {week_on} on only {in_time} of {asked} alarms were taken within 60 seconds, {share} %. It "
        "should be 98.5 % at least. The statistics of alarms tell more.",
        figures | {"share": f"{100 * figures['in_time'] / figures['asked']:.1f}"},
    )


def _undecided(facts: Facts) -> Message | Unwritable:
    if facts.state is AlertState.RESOLVED or facts.police_decided:
        return Unwritable("not needed any more")
    assert facts.opened_at is not None
    assert facts.zone is not None
    return Message(
        "UNDECIDED since {at}: {kind}, {name} ({staff_number}). Nobody has put on record whether the police is called. "
        "Decide it now, with whoever has the alarm.",
        {
            "at": clock(facts.opened_at, facts.zone),
            "kind": facts.kind,
            "name": facts.name,
            "staff_number": facts.staff_number,
        },
    )


def _reminder(facts: Facts) -> Message:
    assert facts.give_up_at is not None
    assert facts.due_at is not None
    assert facts.zone is not None
    values: dict[str, object] = {
        "until": clock(facts.give_up_at, facts.zone),
        "due": clock(facts.due_at, facts.zone),
    }
    if _to_buddy(facts):
        who = {"name": facts.name, "staff_number": facts.staff_number}
        return Message(
            "{name} ({staff_number}) named you as buddy and was to check in at {due}. Ring them: at {until} the safety "
            "officer is called.",
            values | who,
        )
    return replace(REMINDERS[facts.purpose], values=values)


def _outage(facts: Facts) -> Message:
    if facts.outage_until is None:
        return Message(
            "ALARM: our own watch was down. Of {count} visitors nobody knows yet whether they are safe. The list shows "
            "each of them, the most dangerous first: take one after the other, and call.",
            {"count": facts.unanswered},
        )
    assert facts.zone is not None
    until = clock(facts.outage_until, facts.zone)
    values = {"count": facts.unanswered, "until": until}
    if facts.outage_from is None:
        return Message(
            "ALARM: until {until} our own watch was down. Of {count} visitors nobody knows yet whether they are safe. "
            "The list shows each of them, the most dangerous first: take one after the other, and call.",
            values,
        )
    return Message(
        "ALARM: from {since} to {until} our own watch was down. Of {count} visitors nobody knows yet whether they are "
        "safe. The list shows each of them, the most dangerous first: take one after the other, and call.",
        values | {"since": clock(facts.outage_from, facts.zone)},
    )
