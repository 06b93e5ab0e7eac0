"""Alerts on the wire: what an officer reads of them, and does with them."""

from marshmallow import fields

from api.schemas.base import Drafted, In, Out
from api.schemas.fields import Choice, Flag, Id, Instant, Many, Part, Text, Whole
from api.schemas.measures import Latitude, Longitude
from api.schemas.safety import ALL, LOCATED, AtRiskOut
from fieldvisit.safety.drafts import LONGEST_NOTE, Resolution
from fieldvisit.safety.events import SafetyEventKind
from fieldvisit.safety.handling import Referral
from fieldvisit.vocabulary import (
    AlarmChannel,
    AlertKind,
    AlertOutcome,
    AlertState,
    CallResult,
    DrillKind,
    MessagePurpose,
    MessageRecipient,
    MessageState,
    PoliceDecision,
    ResolutionProof,
    RiskLevel,
)


class SafetyAlertOut(Out):
    id = Id(required=True)
    session_id = Id(required=True)
    kind = Choice(AlertKind, required=True)
    state = Choice(AlertState, required=True)
    level = Choice(RiskLevel, required=True, attribute="session.level")
    drill = Choice(
        DrillKind,
        required=True,
        allow_none=True,
        attribute="session.drill",
        metadata={"description": "a drill of this kind: nobody is in danger"},
    )
    step = Whole(required=True)
    round = Whole(required=True)
    opened_at = Instant(required=True)
    deadline_at = Instant(required=True)
    unverified = Flag(required=True, metadata={"description": "the deadline passed while our own watch was down"})
    outage_id = Id(
        required=True, allow_none=True, metadata={"description": "that outage, of which all are told at once"}
    )
    visitor_reports_safe_at = Instant(required=True, allow_none=True)
    next_action_at = Instant(required=True, allow_none=True)
    owner_id = Id(required=True, allow_none=True)
    acknowledged_at = Instant(required=True, allow_none=True)
    ack_until = Instant(required=True, allow_none=True)
    offered_to_id = Id(required=True, allow_none=True)
    referred_at = Instant(required=True, allow_none=True)
    police_due_at = Instant(
        required=True,
        allow_none=True,
        metadata={"description": "put on record by then whether the police is called; the safety manager is told else"},
    )
    police_decision = Choice(PoliceDecision, required=True, allow_none=True)
    covert = Flag(required=True, metadata={"description": "nothing of it may show on the visitor's phone"})
    parent_id = Id(
        required=True, allow_none=True, metadata={"description": "the stronger alert that took this one over"}
    )
    second_officer_needed = Flag(
        required=True, metadata={"description": "its owner has proposed to close it; another officer has to agree"}
    )
    outcome = Choice(AlertOutcome, required=True, allow_none=True)
    proof = Choice(ResolutionProof, required=True, allow_none=True)
    resolved_at = Instant(required=True, allow_none=True)
    visitor = Part(AtRiskOut, required=True, attribute="session.visitor")
    visit_id = Id(required=True, allow_none=True, attribute="session.visit_id")
    last_heard_at = Instant(required=True, allow_none=True, attribute="session.last_heard_at")
    last_lat = Latitude(required=True, allow_none=True, attribute="session.last_lat")
    last_lon = Longitude(required=True, allow_none=True, attribute="session.last_lon")
    last_located_at = Instant(
        required=True, allow_none=True, attribute="session.last_located_at", metadata={"description": LOCATED}
    )


class SafetyAlertsOut(Out):
    items = Many(Part(SafetyAlertOut), required=True, max=ALL)


class SafetyEventOut(Out):
    sequence = Whole(required=True)
    at = Instant(required=True)
    kind = Choice(SafetyEventKind, required=True)
    actor_id = Id(required=True, allow_none=True)
    device_at = Instant(required=True, allow_none=True)
    detail = fields.Dict(required=True)
    note = fields.String(required=True, allow_none=True)


class MessageOut(Out):
    """One message that was put out, and what became of it. `sent` is the provider's word only."""

    id = Id(required=True)
    purpose = Choice(MessagePurpose, required=True)
    step = Whole(required=True)
    round = Whole(required=True)
    recipient = Choice(MessageRecipient, required=True)
    recipient_id = Id(required=True)
    channel = Choice(AlarmChannel, required=True)
    state = Choice(MessageState, required=True)
    attempts = Whole(required=True)
    provider = fields.String(required=True, allow_none=True)
    error = fields.String(required=True, allow_none=True)
    created_at = Instant(required=True)
    sent_at = Instant(required=True, allow_none=True)
    delivered_at = Instant(required=True, allow_none=True)
    answered_at = Instant(required=True, allow_none=True)


class AlertFileOut(Out):
    """An alert with where the visitor was going and everything that happened, oldest first."""

    alert = Part(SafetyAlertOut, required=True)
    address = fields.String(required=True, allow_none=True)
    other_address = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "of another visit that the call for help named: the visitor may be at either"},
    )
    events = Many(Part(SafetyEventOut), required=True, max=ALL)
    messages = Many(Part(MessageOut), required=True, max=ALL)


class OfferIn(In):
    to_account_id = Id(required=True)


class CallResultIn(In):
    result = Choice(CallResult, required=True)
    note = Text(max=LONGEST_NOTE, allow_none=True, load_default=None)


class ReferralIn(Drafted):
    """To whom it was referred, under which reference of theirs, and what was said."""

    makes = Referral

    service = Text(required=True, max=200)
    reference = Text(required=True, max=200)
    note = Text(max=LONGEST_NOTE, allow_none=True, load_default=None)


class PoliceDecisionIn(In):
    """Whether the police is called, and why, or under which reference."""

    decision = Choice(PoliceDecision, required=True)
    note = Text(required=True, max=LONGEST_NOTE)


class NoteIn(In):
    text = Text(required=True, max=LONGEST_NOTE)


class ResolutionIn(Drafted):
    makes = Resolution

    outcome = Choice(AlertOutcome, required=True)
    proof = Choice(ResolutionProof, required=True)
    resume = Flag(required=True, metadata={"description": "the visit goes on, with fresh deadlines; else it ends"})
    note = Text(max=LONGEST_NOTE, allow_none=True, load_default=None)
    read_to = Whole(
        min=0,
        allow_none=True,
        load_default=None,
        metadata={
            "description": "the sequence of the last event read: a call for help since then keeps the alert open"
        },
    )
