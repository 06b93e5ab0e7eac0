"""What the phone sends and gets. Every telling has an `event_id` of the phone's own."""

from typing import Any

from marshmallow import fields

from api.schemas.base import Drafted, In, Out, PointOut
from api.schemas.derived import Derived
from api.schemas.fields import Choice, Day, Flag, Id, Instant, Latitude, Longitude, Part, Text, Whole
from api.schemas.words import Several, Words
from fieldvisit.compliance.conduct_parameters import Recorded, RecordField
from fieldvisit.credentials import PaperFault
from fieldvisit.geofence import OutsideReason, Position
from fieldvisit.guide import Situation
from fieldvisit.phone.drafts import (
    ArrivalDraft,
    IdentityDraft,
    RejectionDraft,
    SetOutDraft,
    ShowingDraft,
    UndoDraft,
)
from fieldvisit.phone.telling import EventDraft
from fieldvisit.report_drafts import LONGEST_NOTE, AbortDraft, AdditionDraft, Met
from fieldvisit.vocabulary import (
    AbortReason,
    AdditionReason,
    AttemptResult,
    CaseStage,
    Channel,
    CredentialKind,
    Datum,
    IdentityMethod,
    IdentityResult,
    OrderReason,
    PlaceKind,
    ReachedDetail,
    RejectionReason,
    UndoReason,
    VisitOutcome,
    VisitState,
)

MOST_CREW = 3
MOST_PAPERS = 20


class MyDayQueryIn(In):
    on = Day(load_default=None, metadata={"description": "today where it is left out"})


class EventIn(Drafted):
    """`device_at` is the phone's own time of the event, `sent_at` what its clock shows while it sends: with both, what
    happened more than a quarter of an hour ago is taken as a fact; else the server's time decides."""

    makes: type[Any] = EventDraft
    event_id = Id(required=True)
    device_at = Instant(allow_none=True)
    sent_at = Instant(allow_none=True)
    battery_percent = Whole(max=100, allow_none=True)


class PositionIn(Drafted):
    """`accuracy_m` is the phone's own estimate; `mock` says that another app made the position up."""

    makes = Position
    lat = Latitude(required=True)
    lon = Longitude(required=True)
    datum = Choice(Datum, required=True)
    accuracy_m = Whole(required=True, max=100_000)
    mock = Flag(load_default=False)


class SetOutIn(EventIn):
    makes = SetOutDraft
    order_reason = Choice(OrderReason, allow_none=True)


class RejectionIn(EventIn):
    makes = RejectionDraft
    reason = Choice(RejectionReason, required=True)


class UndoIn(EventIn):
    makes = UndoDraft
    reason = Choice(UndoReason, required=True)


class ArrivalIn(EventIn):
    """`present`: those of the crew who are at the door, all where it is left out. `recording`: what runs already, where
    the law asks for it."""

    makes = ArrivalDraft
    sample = {"device_at": ..., "sent_at": ...}
    position = Part(PositionIn, required=True)
    outside_reason = Choice(OutsideReason, allow_none=True)
    present = Several(Id(), min=1, max=MOST_CREW, allow_none=True)
    order_reason = Choice(OrderReason, allow_none=True)
    recording = Several(Choice(Recorded), max=len(Recorded), allow_none=True)


class ShowingIn(EventIn):
    makes = ShowingDraft
    credential_ids = Several(Id(), max=MOST_PAPERS, required=True)


class IdentityIn(EventIn):
    makes = IdentityDraft
    method = Choice(IdentityMethod, required=True)
    result = Choice(IdentityResult, required=True)


class AbortIn(EventIn):
    makes = AbortDraft
    reason = Choice(AbortReason, required=True)
    met = Choice(Met, allow_none=True)
    note = Text(max=LONGEST_NOTE, allow_none=True)


class AdditionIn(EventIn):
    """`crew_report` is what a crew mate's report becomes; nobody sends it."""

    makes = AdditionDraft
    text = Text(max=LONGEST_NOTE, required=True)
    reason = Choice(AdditionReason, allow_none=True)


class ReceiptOut(Out):
    """What became of a telling. `state` is where the visit stands after it."""

    event_id = Id(required=True)
    visit_id = Id(required=True)
    kind = fields.String(required=True)
    state = Choice(VisitState, required=True)
    taken_at = Instant(required=True)


class ArrivalOut(ReceiptOut):
    distance_m = fields.Integer(required=True, attribute="facts.distance_m")
    allowed_m = fields.Integer(required=True, attribute="facts.allowed_m")
    mock = Flag(required=True, attribute="facts.mock")
    outside_reason = Choice(OutsideReason, required=True, allow_none=True, attribute="facts.outside_reason")
    too_fast_m_per_s = fields.Integer(
        required=True,
        allow_none=True,
        dump_default=None,
        attribute="facts.too_fast_m_per_s",
        metadata={"description": "the least speed since another door, where it is impossible: flagged, never refused"},
    )
    datum_unfit = Flag(
        required=True,
        dump_default=False,
        attribute="facts.datum_unfit",
        metadata={"description": "the datum is used nowhere near; the coordinates were taken as they are: flagged"},
    )


class PaperFaultOut(Out):
    credential_id = Id(required=True)
    fault = Choice(PaperFault, required=True)
    words = Words(required=True)


class ShowingOut(ReceiptOut):
    """`missing`: for each paper that the policy wants and that was not shown, the kinds of which one would do."""

    passed = Flag(required=True, attribute="facts.passed")
    faults = Derived(PaperFaultOut, of=lambda receipt: _faults(receipt), many=True)
    missing = fields.Function(
        lambda receipt: receipt.facts["faults"].get("missing", []),
        required=True,
        metadata={"type": "array", "items": {"type": "array", "items": {"type": "string"}}, "examples": [[]]},
    )


class IdentityOut(ReceiptOut):
    """`amounts_shown`: whether the phone may now read the amounts of the visit."""

    result = Choice(IdentityResult, required=True, attribute="facts.result")
    amounts_shown = Flag(required=True, attribute="facts.amounts_shown")


class ReportReceiptOut(ReceiptOut):
    """A crew mate's report becomes an addition to the first. `attempt_id` is the contact attempt that was written."""

    report_id = Id(required=True, attribute="facts.report_id")
    addition_id = Id(required=True, allow_none=True, attribute="facts.addition_id")
    attempt_id = Id(required=True, allow_none=True, attribute="facts.attempt_id")
    block_ids = fields.List(Id(), required=True, attribute="facts.block_ids")


class AmountsOut(Out):
    product = fields.String(required=True)
    currency = fields.String(required=True)
    principal_minor = fields.Integer(required=True)
    interest_minor = fields.Integer(required=True)
    fees_minor = fields.Integer(required=True)
    total_minor = fields.Integer(required=True)
    as_of_on = Day(required=True)
    due_on = Day(required=True)
    days_past_due = fields.Integer(required=True)


class ToShowOut(Out):
    """One of these kinds has to be shown; `credential_id` is a paper of the visitor's that holds, if there is one."""

    kinds = fields.List(Choice(CredentialKind), required=True)
    words = Words(required=True)
    credential_id = Id(required=True, allow_none=True)


class GuideSectionOut(Out):
    situation = Choice(Situation, required=True)
    title = Words(required=True, of="situation")
    lines = fields.List(Words(), required=True)


class LastContactOut(Out):
    on = Day(required=True)
    channel = Choice(Channel, required=True)
    channel_words = Words(required=True, of="channel")
    result = Choice(AttemptResult, required=True)
    result_words = Words(required=True, of="result")
    detail = Choice(ReachedDetail, required=True, allow_none=True)
    detail_words = Words(required=True, allow_none=True, of="detail")


class AnnouncedOut(Out):
    """The hours that the debtor was told of. `sent_at` null: the notice waits to be sent."""

    from_at = Instant(required=True)
    until_at = Instant(required=True)
    sent_at = Instant(required=True, allow_none=True)
    delivered_at = Instant(required=True, allow_none=True)


class DoorNoteOut(Out):
    """What may be left at the door, by codes and in words."""

    allowed = Flag(required=True)
    sealed = Flag(required=True)
    identify_sender = Flag(required=True)
    no_public_posting = Flag(required=True)
    clause_ids = fields.List(fields.String(), required=True)
    lines = fields.List(Words(), required=True)


class ConductLineOut(Out):
    """A sentence on how to behave at this door, and the clauses that ask for it."""

    words = Words(required=True)
    clause_ids = fields.List(fields.String(), required=True)


class RecordDutyOut(Out):
    """What a report of these outcomes has to say, since the record of the visit has to hold it: in one of the places of
    `said_in`. A report that leaves it out is refused (`record_incomplete`)."""

    sample = {"field": "recording", "outcomes": ["met_debtor"], "said_in": ["door.recordings", "door.recording_gap"]}

    field = Choice(RecordField, required=True)
    words = Words(required=True)
    outcomes = fields.List(Choice(VisitOutcome), required=True)
    said_in = fields.List(fields.String(), required=True)
    clause_ids = fields.List(fields.String(), required=True)


class BriefingOut(Out):
    """`last_contacts`: the latest attempts on the case, the last one first. `amounts` is null until somebody at the
    door has confirmed that this is the debtor."""

    debtor_name = fields.String(required=True)
    address = fields.String(required=True)
    place_kind = Choice(PlaceKind, required=True)
    point = fields.Nested(PointOut, required=True, allow_none=True)
    stage = Choice(CaseStage, required=True)
    stage_words = Words(required=True, of="stage")
    skills = fields.List(fields.String(), required=True)
    languages = fields.List(fields.String(), required=True)
    to_show = fields.List(fields.Nested(ToShowOut), required=True)
    guide = fields.List(fields.Nested(GuideSectionOut), required=True)
    last_contacts = fields.List(fields.Nested(LastContactOut), required=True)
    emergency_number = fields.String(required=True)
    debtor_phone = fields.String(required=True, allow_none=True)
    announced = fields.Nested(AnnouncedOut, required=True, allow_none=True)
    door_note = fields.Nested(DoorNoteOut, required=True)
    conduct = fields.List(fields.Nested(ConductLineOut), required=True)
    record_duties = fields.List(fields.Nested(RecordDutyOut), required=True)
    longest_stay_s = fields.Integer(
        required=True, allow_none=True, metadata={"description": "from the arrival on; null where no policy says"}
    )
    takes_money = Flag(required=True, metadata={"description": "by the house and by every policy at the place"})
    amounts = fields.Nested(AmountsOut, required=True, allow_none=True)


class VisitCardOut(Out):
    """`cancelled` is the reason where nobody is to go there any more; then there is no briefing. Nor is there one where
    another crew makes the visit now, where it is over, or of another day than today."""

    sample = {"cancelled": None, "cancelled_words": None}

    visit_id = Id(required=True)
    reference = fields.String(required=True)
    state = Choice(VisitState, required=True)
    service_s = fields.Integer(required=True)
    cancelled = fields.String(required=True, allow_none=True)
    cancelled_words = Words(required=True, allow_none=True, of="cancelled")
    briefing = fields.Nested(BriefingOut, required=True, allow_none=True)


class CrewMateOut(Out):
    visitor_id = Id(required=True)
    name = fields.String(required=True)
    phone = fields.String(required=True, allow_none=True)
    lead = Flag(required=True)


class DayStopOut(Out):
    """`partners`: where two crews meet at the door, those of the other one. `reporter_id`: whose report is that of the
    visit; what another tells of it is added to that."""

    position = fields.Integer(required=True)
    arrive_at = Instant(required=True)
    begin_at = Instant(required=True)
    end_at = Instant(required=True)
    travel_s = fields.Integer(required=True)
    partners = fields.List(fields.Nested(CrewMateOut), required=True)
    reporter_id = Id(required=True)
    visit = fields.Nested(VisitCardOut, required=True)


class DayRouteOut(Out):
    route_id = Id(required=True)
    plan_id = Id(required=True)
    plan_version = fields.Integer(required=True, allow_none=True)
    crew_code = fields.String(required=True)
    depart_at = Instant(required=True)
    return_at = Instant(required=True)
    break_at = Instant(required=True, allow_none=True)
    break_s = fields.Integer(required=True, allow_none=True)
    crew = fields.List(fields.Nested(CrewMateOut), required=True)
    stops = fields.List(fields.Nested(DayStopOut), required=True)


class MyDayOut(Out):
    on = Day(required=True)
    routes = fields.List(fields.Nested(DayRouteOut), required=True)


def _faults(receipt: object) -> list[dict[str, object]]:
    found = receipt.facts["faults"].items()  # type: ignore[attr-defined]  # a Receipt, as marshmallow hands it over
    named = [(credential_id, PaperFault(fault)) for credential_id, fault in found if credential_id != "missing"]
    return [{"credential_id": id_, "fault": fault, "words": fault} for id_, fault in named]
