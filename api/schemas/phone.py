"""What the phone sends and gets. Every telling has an `event_id` of the phone's own."""

from typing import Any

from marshmallow import fields

from api.schemas.base import Drafted, In, Out
from api.schemas.derived import Derived
from api.schemas.fields import Choice, Day, Flag, Id, Instant, Part, Text, Whole
from api.schemas.measures import Latitude, Longitude, Metres
from api.schemas.reports import MoneyTakenIn
from api.schemas.words import Several, Words
from fieldvisit.compliance.conduct_parameters import Recorded
from fieldvisit.credentials import PaperFault
from fieldvisit.geofence import OutsideReason, Position
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
    Datum,
    IdentityMethod,
    IdentityResult,
    OrderReason,
    RejectionReason,
    UndoReason,
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
    accuracy_m = Metres(required=True)
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
    """`crew_report` is what a crew mate's report becomes; nobody sends it. `payment` is money that no report of
    one's own tells of: taken afterwards, or forgotten."""

    makes = AdditionDraft
    text = Text(max=LONGEST_NOTE, required=True)
    reason = Choice(AdditionReason, allow_none=True)
    payment = Part(MoneyTakenIn, allow_none=True)


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


def _faults(receipt: object) -> list[dict[str, object]]:
    found = receipt.facts["faults"].items()  # type: ignore[attr-defined]  # a Receipt, as marshmallow hands it over
    named = [(credential_id, PaperFault(fault)) for credential_id, fault in found if credential_id != "missing"]
    return [{"credential_id": id_, "fault": fault, "words": fault} for id_, fault in named]
