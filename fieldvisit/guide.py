"""What to say and ask at a door, and what never to say: a few lines for each situation a visitor may meet.

The lines before an identity check name no debt, no lender and no amount. Those after it differ by the stage of a case,
and are on the phone only then.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from fieldvisit.languages import Message
from fieldvisit.vocabulary import CaseStage


class Situation(StrEnum):
    AT_THE_DOOR = "at_the_door"
    IDENTITY_CONFIRMED = "identity_confirmed"
    SOMEBODY_ELSE = "somebody_else"
    NOBODY_THERE = "nobody_there"
    UPSET_OR_UNWELL = "upset_or_unwell"
    ASKED_TO_LEAVE = "asked_to_leave"
    NEVER = "never"


@dataclass(frozen=True)
class GuideSection:
    situation: Situation
    lines: tuple[Message, ...]


ALWAYS: Mapping[Situation, tuple[Message, ...]] = {
    Situation.AT_THE_DOOR: (
        Message("Say your name and show your papers before anything else."),
        Message("Ask: Am I speaking with the person I am looking for? Say the name; say nothing of why you come."),
        Message("Ask for a document, or for two facts that only this person knows. Record it before you go on."),
        Message("Ask whether it is a good moment, and whether others can hear you. If not, offer another time."),
    ),
    Situation.SOMEBODY_ELSE: (
        Message("Say only your name, and that you would like to speak with the person in private."),
        Message("Do not say in whose name you come. Leave no papers; ask only that the person calls you back."),
        Message("Somebody who does not want to be asked again is never asked again: record it."),
    ),
    Situation.NOBODY_THERE: (
        Message("Ring twice, wait a little, and leave. Ask no neighbours. Leave nothing that others could read."),
    ),
    Situation.UPSET_OR_UNWELL: (
        Message("Stop. Tears, fear, illness, confusion, a child alone: leave kindly and report it with one tap."),
        Message("Ask whether the person needs help now; in danger call the emergency number."),
    ),
    Situation.ASKED_TO_LEAVE: (
        Message("Go at once, without arguing. One tap records it, and no further visit is planned."),
    ),
    Situation.NEVER: (
        Message("Never threaten, with courts, police, employers, neighbours or another visit."),
        Message("Never name the debt to anybody else, not even to family."),
        Message("Never take money, never enter without being asked in, never stay when told to go."),
        Message("Never say you are from a court, the police or an authority."),
    ),
}
CONFIRMED: Mapping[CaseStage, tuple[Message, ...]] = {
    CaseStage.REMIND: (
        Message("Say kindly that a payment seems to have been forgotten, and ask whether the person knows of it."),
    ),
    CaseStage.PHONE: (
        Message("Say that you could not reach the person by phone, and ask which number and which hours suit."),
    ),
    CaseStage.LETTER: (Message("Ask whether the letters arrived and were understood; explain them in plain words."),),
    CaseStage.VISIT: (Message("Say what is owed and since when, and ask whether the person sees it the same way."),),
    CaseStage.LEGAL: (
        Message("The case is with the lawyers: answer nothing on it, name whom to call, and take note of every wish."),
    ),
    CaseStage.CLOSED: (Message("The case is closed: apologise for the visit and leave."),),
}
# At whatever stage there is still something to talk about.
LISTEN = (
    Message("Ask what made it hard to pay, and listen. Illness, lost work, need: record it, promise nothing."),
    Message(
        "Ask what is possible: how much, by which day, in which way. A small promise that is kept is the better one."
    ),
    Message("If the debt is disputed, do not argue: record it, and say that it is looked into before anybody returns."),
)
REASON_KNOWN = Message("The file names a reason for the arrears. Ask how things are now before you speak of paying.")


def guide_for(stage: CaseStage, *, reason_known: bool, confirmed: bool) -> tuple[GuideSection, ...]:
    """The sections in the order in which a visit meets them. `reason_known`: the file says why nothing was paid.

    What is said of the debt is there once the identity is `confirmed`: a phone that holds it before may show it to
    whoever opens.
    """
    if not confirmed:
        return tuple(GuideSection(situation, ALWAYS[situation]) for situation in Situation if situation in ALWAYS)
    talk = CONFIRMED[stage]
    if stage not in (CaseStage.LEGAL, CaseStage.CLOSED):
        talk = (*talk, *([REASON_KNOWN] if reason_known else []), *LISTEN)
    lines = {**ALWAYS, Situation.IDENTITY_CONFIRMED: talk}
    return tuple(GuideSection(situation, lines[situation]) for situation in Situation)
