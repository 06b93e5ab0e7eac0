"""How the policies want people to behave at a door, in words for whoever stands there: the strictest of all that apply.

Beside the talking guide, which holds everywhere, this is what the law of the place and the house add.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from fieldvisit.compliance.conduct_parameters import (
    DoorDuty,
    Dress,
    Entry,
    Introduction,
    MoneyAtDoor,
    RecordingNeed,
    ThirdPartyContact,
)
from fieldvisit.compliance.rules import Rule
from fieldvisit.compliance.terms import Terms
from fieldvisit.languages import Message
from fieldvisit.vocabulary import Channel

ENTRY: Mapping[Entry, Message] = {
    Entry.WITH_CONSENT: Message("Enter only with the debtor's consent."),
    Entry.OUTSIDE_UNLESS_INVITED: Message("Stay outside unless you are expressly asked in."),
}
INTRODUCTION: Mapping[Introduction, Message] = {
    Introduction.NAME: Message("Tell the debtor your full name."),
    Introduction.INSTITUTION: Message("Tell the debtor for which institution you come."),
    Introduction.PURPOSE: Message("Tell the debtor why you come."),
}
OTHERS: Mapping[ThirdPartyContact, Message] = {
    ThirdPartyContact.LOCATE: Message("Ask others only where the debtor can be found, and nothing more."),
    ThirdPartyContact.PASS_MESSAGE: Message("Ask others only to pass on a message, or how the debtor can be reached."),
    ThirdPartyContact.NONE: Message("Ask nobody else anything."),
}
DRESS: Mapping[Dress, Message] = {
    Dress.PROPER: Message("Be dressed neatly and properly."),
    Dress.NOT_MISLEADING: Message("Wear nothing for which anybody could take you for somebody else."),
}
MONEY: Mapping[MoneyAtDoor, Message] = {
    MoneyAtDoor.RECEIPT_NEEDED: Message("Give a receipt for any money."),
    MoneyAtDoor.FORBIDDEN: Message("Take no money."),
}
DUTIES: Mapping[DoorDuty, Message] = {
    DoorDuty.LEAVE_WHEN_ASKED: Message("Leave as soon as you are asked to."),
    DoorDuty.DISTRESSED: Message("Leave if the debtor is unduly distressed."),
    DoorDuty.CAPACITY_DOUBT: Message("Leave if you doubt that the debtor understands."),
    DoorDuty.THIRD_PARTY_ONLY: Message("Leave if only somebody else is there."),
}
RECORDED: Mapping[RecordingNeed, Message] = {
    RecordingNeed.AUDIO: Message("Record the sound of the visit."),
    RecordingNeed.AUDIO_OR_VIDEO: Message("Record the sound or the picture of the visit."),
    RecordingNeed.AUDIO_AND_VIDEO: Message("Record sound and picture of the visit."),
    RecordingNeed.FORBIDDEN: Message("Record nothing."),
}


@dataclass(frozen=True)
class ConductLine:
    """One sentence, and the clauses that it stands for."""

    words: Message
    clause_ids: tuple[str, ...]


def conduct_of(terms: Terms | None) -> tuple[ConductLine, ...]:
    """What the rules that bind say of a visit; nothing where no policy applies."""
    return tuple(_lines(terms)) if terms is not None else ()


def _lines(terms: Terms) -> Iterator[ConductLine]:
    yield from _each(terms.dress, "asks", DRESS)
    yield from _strictest(terms.entry, "entry", ENTRY)
    verify = [rule for rule in terms.verify if rule.binds and rule.before_disclosure]
    if verify:
        yield _line(Message("Make sure who it is before anything is said of the debt."), verify)
    yield from _each(terms.introduction, "says", INTRODUCTION)
    yield from _strictest(terms.third_party, "allowed", OTHERS)
    yield from _strictest(terms.money, "money", MONEY)
    yield from _recording(terms)
    yield from _each(terms.at_door, "duties", DUTIES)
    yield from _length(terms)


def _length(terms: Terms) -> Iterator[ConductLine]:
    """The smallest number that any rule names; where none names one, what the texts say without."""
    rules = [rule for rule in terms.visit_length if rule.binds]
    if terms.longest_stay is not None:
        minutes = round(terms.longest_stay.total_seconds() / 60)
        words = Message("Stay no longer than {minutes} minutes.", {"minutes": minutes})
        yield _line(words, [rule for rule in rules if rule.minutes == minutes])
    elif rules:
        yield _line(Message("Stay no longer than is reasonable."), rules)


def _recording(terms: Terms) -> Iterator[ConductLine]:
    rules = [rule for rule in terms.recording if Channel.VISIT in rule.channels]
    yield from _strictest(rules, "need", RECORDED)
    for name, words in (
        ("tell_party", Message("Tell the debtor that it is recorded.")),
        ("consent_needed", Message("Record only with the debtor's consent.")),
        ("whole", Message("Record from the beginning to the end.")),
    ):
        asked = [rule for rule in rules if rule.binds and getattr(rule, name)]
        if asked:
            yield _line(words, asked)


def _each[Value](rules: Iterable[Rule], name: str, words: Mapping[Value, Message]) -> Iterator[ConductLine]:
    """The line of everything that any rule names in its list."""
    for wanted, said in words.items():
        naming = [rule for rule in rules if rule.binds and wanted in getattr(rule, name)]
        if naming:
            yield _line(said, naming)


def _strictest[Value](rules: Iterable[Rule], name: str, words: Mapping[Value, Message]) -> Iterator[ConductLine]:
    """The line of the strictest value that any rule names: the members stand in that order, the mildest first."""
    bind = [rule for rule in rules if rule.binds and getattr(rule, name) in words]
    if bind:
        order = list(words)
        strictest = max((getattr(rule, name) for rule in bind), key=order.index)
        yield _line(words[strictest], [rule for rule in bind if getattr(rule, name) is strictest])


def _line(words: Message, rules: Iterable[Rule]) -> ConductLine:
    return ConductLine(words, tuple(rule.id for rule in rules))
