"""The words of `fieldvisit.compliance.saying`: what each member of the closed lists of the policy format is called, or
says by itself.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from fieldvisit.compliance.conduct_parameters import (
    DoorDuty,
    Dress,
    Entry,
    Introduction,
    MoneyAtDoor,
    RecordField,
    RecordType,
    RetentionClock,
    RevealEmployer,
    ThirdPartyContact,
)
from fieldvisit.compliance.facts import ConsentForm
from fieldvisit.compliance.parameters import (
    CapPeriod,
    CapScope,
    CooldownAfter,
    Counts,
    Disqualifier,
    Fit,
    HeldBy,
    HolidayEffect,
    NoticeForm,
    NoticeFrom,
    NoticeUnit,
    PlaceCondition,
    PlaceDemand,
    RedirectTo,
    Show,
    VisitsAllowed,
    WidenBy,
    ZoneBasis,
)
from fieldvisit.compliance.wallclock import Day
from fieldvisit.languages import Message, label_id

_CALLED: Sequence[tuple[StrEnum, Message]] = (
    (Day.MON, Message("Monday")),
    (Day.TUE, Message("Tuesday")),
    (Day.WED, Message("Wednesday")),
    (Day.THU, Message("Thursday")),
    (Day.FRI, Message("Friday")),
    (Day.SAT, Message("Saturday")),
    (Day.SUN, Message("Sunday")),
    (Day.HOLIDAY, Message("public holidays")),
    (RedirectTo.LAWYER, Message("the lawyer")),
    (RedirectTo.LEGAL_ADVISER, Message("the legal adviser")),
    (RedirectTo.PARENT, Message("a parent")),
    (RedirectTo.ESTATE, Message("the estate")),
    (RedirectTo.TRUSTEE, Message("the trustee")),
    (CapScope.DEBTOR, Message("debtor")),
    (CapScope.CREDITOR, Message("lender of the debtor")),
    (CapScope.CASE, Message("case")),
    (CapScope.CONTACT_POINT, Message("number or address")),
    (CooldownAfter.CONVERSATION, Message("a conversation")),
    (CooldownAfter.CONTACT_MADE, Message("a contact in which somebody was met or spoken to")),
    (CooldownAfter.ATTEMPT, Message("an attempt")),
    (Disqualifier.VIOLENT_CRIME, Message("a violent crime")),
    (Disqualifier.BAD_CREDIT, Message("bad credit")),
    (Disqualifier.HARASSMENT, Message("harassment")),
    (RecordType.CONTACT, Message("Records of contacts")),
    (RecordType.CALL_RECORDING, Message("Recordings of calls")),
    (RecordType.VISIT_RECORDING, Message("Recordings of visits")),
    (RecordType.COMPLAINT, Message("Records of complaints")),
    (RecordType.ASSESSMENT, Message("Assessments")),
    (RecordType.CASE, Message("Case files")),
    (RetentionClock.CREATED, Message("the day it was made")),
    (RetentionClock.LAST_ACTIVITY, Message("the last activity on the case")),
    (RetentionClock.CLOSED, Message("the closing of the case")),
    (RetentionClock.VISIT, Message("the visit")),
    (RetentionClock.CONTRACT_END, Message("the end of the contract with the agency")),
    (RecordField.CASE, Message("the case")),
    (RecordField.DECISION, Message("the decision that permitted it")),
    (RecordField.PLANNED_TIMES, Message("the planned times")),
    (RecordField.ACTUAL_TIMES, Message("the actual times")),
    (RecordField.ZONE, Message("the time zone")),
    (RecordField.PLACE, Message("the place")),
    (RecordField.STAFF, Message("who went")),
    (RecordField.CREDENTIALS_SHOWN, Message("the papers shown")),
    (RecordField.NOTICE_PROOF, Message("the proof of the notice")),
    (RecordField.CONSENT, Message("the consent")),
    (RecordField.MET, Message("who was met")),
    (RecordField.IDENTITY, Message("how the identity was established")),
    (RecordField.OUTCOME, Message("the outcome")),
    (RecordField.DISCLOSURE, Message("whether the debt was spoken of")),
    (RecordField.NOTES_LEFT, Message("the notes left")),
    (RecordField.ASKED_TO_LEAVE_AT, Message("when one was asked to leave")),
    (RecordField.WISHES, Message("the wishes stated")),
    (RecordField.PAYMENT, Message("the money taken")),
    (RecordField.RECORDING, Message("the recording")),
    (RecordField.INCIDENT, Message("incidents")),
    (RecordField.COMPLAINT, Message("complaints")),
    (RecordField.AUTHOR, Message("who wrote it")),
)
SPANS: Mapping[str, str] = {
    "{count} years": Message("{count} years").text,
    "{count} months": Message("{count} months").text,
    "{count} days": Message("{count} days").text,
}
FORMS: Mapping[ConsentForm, Message] = {
    ConsentForm.WRITTEN: Message("in writing"),
    ConsentForm.SEPARATE_DOCUMENT: Message("in a document of its own"),
}
PAUSES = Message("While a complaint is open, nobody visits.")
PAUSES_NOT = Message("An open complaint stops no visit.")
VISITS: Mapping[VisitsAllowed, Message] = {
    VisitsAllowed.YES: Message("Visits are allowed."),
    VisitsAllowed.LAST_RESORT: Message("Visits are allowed as a last resort, after other contact has failed."),
    VisitsAllowed.CONSENT_EACH_TIME: Message("Each visit needs the debtor's consent."),
    VisitsAllowed.FORBIDDEN: Message("Visits are forbidden."),
}
ASKED_FIRST = Message("The debtor is asked before a visit.")
NOTICES_AFTER: Mapping[NoticeUnit, str] = {
    NoticeUnit.BUSINESS_DAYS: Message("{about}: the debtor is told within {count} business days of it.").text,
    NoticeUnit.DAYS: Message("{about}: the debtor is told within {count} days of it.").text,
    NoticeUnit.HOURS: Message("{about}: the debtor is told within {count} hours of it.").text,
    NoticeUnit.ADEQUATE: Message(
        "{about}: the debtor is told in adequate time, which the house takes for {count} hours."
    ).text,
}
NOTICES_BEFORE: Mapping[NoticeUnit, str] = {
    NoticeUnit.BUSINESS_DAYS: Message(
        "{about}: the debtor is told at least {count} business days before a visit."
    ).text,
    NoticeUnit.DAYS: Message("{about}: the debtor is told at least {count} days before a visit.").text,
    NoticeUnit.HOURS: Message("{about}: the debtor is told at least {count} hours before a visit.").text,
    NoticeUnit.ADEQUATE: Message(
        "{about}: the debtor is told in adequate time, which the house takes for {count} hours."
    ).text,
}
NOTICE_SAID: Mapping[StrEnum, Message] = {
    NoticeForm.WRITTEN: Message("The notice is in writing."),
    NoticeFrom.RECEIVED: Message("It counts from when it was received."),
}
PLACES: Mapping[PlaceDemand, Message] = {
    PlaceDemand.OK: Message("visits are allowed there."),
    PlaceDemand.LAST: Message("visited only where no other known place is left to try."),
    PlaceDemand.CONSENT: Message("visited only with the debtor's consent."),
    PlaceDemand.FORBIDDEN: Message("no visits there."),
}
CONDITIONS: Mapping[PlaceCondition, str] = {
    PlaceCondition.LIVES_THERE: Message("This does not hold where the debtor lives there.").text,
    PlaceCondition.NO_SHOWS: Message(
        "This does not hold once the debtor has missed {count} meetings in a row at the place of their choice."
    ).text,
}
BINDING = Message("The times that the debtor stated bind.")
BINDING_NOT = Message("The times that the debtor stated are heard and do not bind.")
HOLIDAYS: Mapping[HolidayEffect, Message] = {
    HolidayEffect.NONE: Message("Public holidays change nothing."),
    HolidayEffect.OWN_WINDOW: Message("On public holidays only the hours that name them count."),
    HolidayEffect.AS_WEEKEND: Message("Public holidays have the hours that Saturday and Sunday share."),
    HolidayEffect.AS_SUNDAY: Message("Public holidays have the hours of a Sunday."),
    HolidayEffect.FORBIDDEN: Message("No visits on public holidays."),
}
ZONES: Mapping[ZoneBasis, str] = {
    ZoneBasis.VISIT_PLACE: Message("The clock of the place visited counts.").text,
    ZoneBasis.DEBTOR_HOME: Message("The clock of the debtor's home counts.").text,
    ZoneBasis.ALL_CANDIDATES: Message("The clocks of all places where the debtor may be count: all must allow.").text,
    ZoneBasis.FIXED: Message("The clock of {zone} counts.").text,
}
WIDENING: Mapping[WidenBy, str] = {
    WidenBy.CONSENT: Message("The debtor's consent opens the hours that it names.").text,
    WidenBy.OVERDUE_DAYS: Message("More hours are open once the account is more than {count} days overdue.").text,
    WidenBy.ONLY_WORKABLE: Message("Times are open of which the debtor says that no others do.").text,
}
FITS: Mapping[Fit, Message] = {
    Fit.START_INSIDE: Message("A visit begins within the hours."),
    Fit.WHOLE_VISIT_INSIDE: Message("The whole visit lies within the hours."),
}
CAPS: Mapping[CapPeriod, str] = {
    CapPeriod.ROLLING_DAYS: Message("At most {max} within {days} days for each {scope}, of: {channels}.").text,
    CapPeriod.CALENDAR_DAY: Message("At most {max} a day for each {scope}, of: {channels}.").text,
    CapPeriod.CALENDAR_WEEK: Message("At most {max} a calendar week for each {scope}, of: {channels}.").text,
    CapPeriod.CALENDAR_MONTH: Message("At most {max} a calendar month for each {scope}, of: {channels}.").text,
}
COUNTED: Mapping[Counts, Message] = {
    Counts.ATTEMPT: Message("Every attempt is counted."),
    Counts.CONNECTED: Message("Counted is what got through to a person or a machine."),
    Counts.CONTACT_MADE: Message("Counted is where somebody was met or spoken to."),
}
HELD: Mapping[HeldBy, str] = {
    HeldBy.EACH: Message("Everybody who goes holds one of these papers: {kinds}.").text,
    HeldBy.ONE: Message("One of those who go holds one of these papers: {kinds}.").text,
}
SHOWN: Mapping[Show, Message] = {
    Show.ON_REQUEST: Message("It is shown when asked for."),
    Show.PROACTIVELY: Message("It is shown without being asked for."),
    Show.WORN: Message("It is worn where it can be seen."),
}
LONE = Message("One may go alone.")
LONE_NOT = Message("Nobody goes alone.")
THIRD: Mapping[StrEnum, Message] = {
    ThirdPartyContact.LOCATE: Message("Others may be asked only where the debtor is."),
    ThirdPartyContact.PASS_MESSAGE: Message("Others may be asked only to pass on that the debtor should call."),
    ThirdPartyContact.NONE: Message("Others are not contacted."),
    RevealEmployer.ON_REQUEST: Message("Whom one works for is said to others only when they ask."),
    RevealEmployer.NEVER: Message("Whom one works for is never said to others."),
}
VERIFIED = Message("The debt is spoken of only after the identity is established.")
VERIFIED_NOT = Message("The identity need not be established before the debt is spoken of.")
NOTES = Message("A note may be left at the door.")
NOTES_NOT = Message("No note is left at the door.")
THREATS = Message("A text that asks for money may speak of visits.")
THREATS_NOT = Message("A text that asks for money never threatens with a visit.")
REASON = Message("Whoever looks at a debtor's file says why.")
REASON_NOT = Message("Nobody has to say why they look at a debtor's file.")
ALONE: Mapping[StrEnum, Message] = {
    Entry.NOT_STATED: Message("Of going in nothing is said."),
    Entry.WITH_CONSENT: Message("One goes in only with consent."),
    Entry.OUTSIDE_UNLESS_INVITED: Message("One stays outside unless invited in."),
    Dress.PROPER: Message("One is properly dressed."),
    Dress.NOT_MISLEADING: Message("Dress and badges pose as no authority."),
    Introduction.NAME: Message("One says one's name."),
    Introduction.INSTITUTION: Message("One says for whom one comes."),
    Introduction.PURPOSE: Message("One says why one comes."),
    DoorDuty.LEAVE_WHEN_ASKED: Message("One leaves when asked to."),
    DoorDuty.DISTRESSED: Message("One leaves where somebody is distressed."),
    DoorDuty.CAPACITY_DOUBT: Message("One leaves where it is doubtful that the debtor understands."),
    DoorDuty.THIRD_PARTY_ONLY: Message("One leaves where only others are there."),
    MoneyAtDoor.OK: Message("Money may be taken at the door."),
    MoneyAtDoor.RECEIPT_NEEDED: Message("Money is taken at the door only against a receipt."),
    MoneyAtDoor.FORBIDDEN: Message("No money is taken at the door."),
}

# By their lists too: members of two lists that are written the same are the same text.
_BY_LABEL = {label_id(member): text for member, text in _CALLED}


def called(member: StrEnum) -> Message | StrEnum:
    """What a member is called within a sentence; itself where its own label does."""
    return _BY_LABEL.get(label_id(member), member)
