"""Events of a phone in a batch: each kind has a shape of its own, and each event is judged for itself."""

from collections.abc import Mapping
from typing import Any

from marshmallow import INCLUDE, Schema, fields, post_load

from api.schemas.base import In, Out, PageIn, ProblemOut
from api.schemas.fields import Choice, Id, Instant, Many, Part, Text, Whole
from api.schemas.phone import (
    AbortIn,
    AdditionIn,
    ArrivalIn,
    ArrivalOut,
    IdentityIn,
    IdentityOut,
    ReceiptOut,
    RejectionIn,
    ReportReceiptOut,
    SetOutIn,
    ShowingIn,
    ShowingOut,
    UndoIn,
)
from api.schemas.reports import ReportIn
from api.schemas.safety import CheckInByPinIn, CheckInIn, SafetySessionIn, SafetySessionOut, SosIn, WithPinIn
from api.schemas.safety_plans import AssessmentOut, AssessmentToldIn, PlannedSessionOut
from api.schemas.words import Words
from fieldvisit.phone.events import MOST_AT_ONCE, EventOutcome
from fieldvisit.phone.holding import MOST_DISMISSED
from fieldvisit.phone.kinds import OF_SAFETY, EventKind
from fieldvisit.vocabulary import HeldState, WaitsFor


class EnvelopeIn(In):
    """What every event of a batch says besides its own."""

    class Meta:
        unknown = INCLUDE

    event_id = Id(required=True)
    kind = Choice(EventKind, required=True)
    device_at = Instant(required=True)
    visit_id = Id(allow_none=True, load_default=None)
    session_id = Id(allow_none=True, load_default=None)


class ReportToldIn(ReportIn):
    """A report in a batch: its id is the event's."""

    event_id = Id(required=True)


class SafetyStartToldIn(SafetySessionIn):
    """A safety session in a batch: its id is the event's."""

    class Meta:
        exclude = ("id",)

    event_id = Id(required=True)


SHAPES: Mapping[EventKind, type[In]] = {
    EventKind.REJECTION: RejectionIn,
    EventKind.SET_OUT: SetOutIn,
    EventKind.ARRIVAL: ArrivalIn,
    EventKind.ARRIVAL_UNDO: UndoIn,
    EventKind.CREDENTIAL_SHOWN: ShowingIn,
    EventKind.IDENTITY_CHECK: IdentityIn,
    EventKind.ABORT: AbortIn,
    EventKind.REPORT: ReportToldIn,
    EventKind.ADDITION: AdditionIn,
    EventKind.SAFETY_ASSESSMENT: AssessmentToldIn,
    EventKind.SAFETY_START: SafetyStartToldIn,
    EventKind.SOS: SosIn,
    EventKind.CHECK_IN: CheckInByPinIn,
    EventKind.BEAT: CheckInIn,
    EventKind.SAFETY_END: WithPinIn,
    EventKind.SAFETY_CANCEL: CheckInIn,
}
ANSWERS: Mapping[EventKind, type[Schema]] = {
    EventKind.REJECTION: ReceiptOut,
    EventKind.SET_OUT: ReceiptOut,
    EventKind.ARRIVAL_UNDO: ReceiptOut,
    EventKind.ARRIVAL: ArrivalOut,
    EventKind.CREDENTIAL_SHOWN: ShowingOut,
    EventKind.IDENTITY_CHECK: IdentityOut,
    EventKind.ABORT: ReportReceiptOut,
    EventKind.REPORT: ReportReceiptOut,
    EventKind.ADDITION: ReportReceiptOut,
    **dict.fromkeys(OF_SAFETY, SafetySessionOut),
    EventKind.SAFETY_ASSESSMENT: AssessmentOut,
    EventKind.SAFETY_CANCEL: PlannedSessionOut,
}
NAMES_SESSION = (EventKind.CHECK_IN, EventKind.BEAT, EventKind.SAFETY_END, EventKind.SAFETY_CANCEL)
READERS: Mapping[EventKind, Schema] = {kind: shape() for kind, shape in SHAPES.items()}
DUMPERS: Mapping[EventKind, Schema] = {kind: shape() for kind, shape in ANSWERS.items()}


def _documented(kind: EventKind) -> type[Schema]:
    """The shape of one event of this kind, as the document shows it."""
    shape = SHAPES[kind]
    own = {name: field for name, field in shape().load_fields.items() if name != "sent_at"}
    of_none = kind in OF_SAFETY and kind is not EventKind.SAFETY_ASSESSMENT
    of_what: dict[str, fields.Field[Any]] = {} if of_none else {"visit_id": Id(required=True)}
    if kind in NAMES_SESSION:
        of_what = {"session_id": Id(required=True)}
    name = "".join(part.title() for part in kind.split("_")) + "EventIn"
    more: dict[str, fields.Field[Any]] = {
        "kind": fields.String(required=True, metadata={"const": kind.value}),
        "device_at": Instant(required=True),
    }
    stated = {field.data_key or name: field for name, field in own.items() if name not in more}
    made = In.from_dict({**stated, **more, **of_what}, name=name)
    setattr(made, "sample", shape.sample)  # noqa: B010
    return made


class AnyEvent(fields.Field[Any]):
    """One event, of whichever kind. It is read later, by itself: one that is wrong spoils no other."""

    shapes: Mapping[str, type[Schema]] = {kind.value: _documented(kind) for kind in EventKind}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        return value


class EventsIn(In):
    """`sent_at` is what the phone's clock shows while it sends: it dates the events on ours."""

    sample = {"battery_percent": ..., "events": [AnyEvent.shapes[kind] for kind in ("set_out", "arrival", "report")]}

    sent_at = Instant(required=True)
    battery_percent = Whole(max=100, allow_none=True, load_default=None)
    events = Many(AnyEvent(required=True, allow_none=True), required=True, min=1, max=MOST_AT_ONCE)

    @post_load
    def keep(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return data


class EventResultOut(Out):
    """`answer` is what the event's own telling would have answered, `problem` what it would have been refused with.
    `held`: kept, and taken by itself as soon as what it `waits_for` comes."""

    sample = {"answer": ReceiptOut, "waits_for": None, "problem": None}

    event_id = fields.String(required=True, allow_none=True)
    kind = fields.String(required=True, allow_none=True)
    outcome = Choice(EventOutcome, required=True)
    answer = fields.Dict(required=True, allow_none=True)
    waits_for = Choice(WaitsFor, required=True, allow_none=True)
    problem = Part(ProblemOut, required=True, allow_none=True)


class EventsTakenOut(Out):
    """One result for each event, in the order sent. `clock_drift_s`: how far the phone's clock is behind the server's,
    as the quickest of its sendings of the hour says: this one, or one by which this was up to two minutes slow."""

    taken = fields.Integer(required=True)
    held = fields.Integer(required=True)
    refused = fields.Integer(required=True)
    server_at = Instant(required=True)
    clock_drift_s = fields.Integer(required=True)
    results = fields.List(Part(EventResultOut), required=True)


class HeldEventOut(Out):
    """An event that could not be taken when it came."""

    event_id = Id(required=True)
    visitor_id = Id(required=True)
    subject_id = Id(required=True, allow_none=True, metadata={"description": "the visit or the safety session"})
    visit_id = Id(
        required=True,
        allow_none=True,
        metadata={"description": "the visit that it names, understood or not, where its visitor was to go there"},
    )
    kind = fields.String(required=True)
    state = Choice(HeldState, required=True)
    state_words = Words(required=True, of="state")
    waits_for = Choice(WaitsFor, required=True, allow_none=True)
    waits_for_words = Words(required=True, allow_none=True, of="waits_for")
    code = fields.String(required=True, allow_none=True)
    details = fields.Dict(required=True)
    device_at = Instant(required=True, allow_none=True)
    recorded_at = Instant(required=True)
    settled_at = Instant(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)


class HeldEventFileOut(HeldEventOut):
    """The same, with all that it says: `event` is the text that the phone sent, which need not be readable."""

    event = fields.String(required=True, attribute="body_without_pin")


class HeldEventsQueryIn(PageIn):
    visitor_id = Id(load_default=None)
    code = Text(max=60, load_default=None, metadata={"description": "why they were refused"})


class DismissalIn(In):
    reason = Text(required=True, max=500)


class DismissalsIn(DismissalIn):
    """Many at once, for one reason."""

    event_ids = Many(Id(), required=True, min=1, max=MOST_DISMISSED)


class DismissalsOut(Out):
    """`left`: settled already, or not here."""

    dismissed = fields.List(Id(), required=True)
    left = fields.List(Id(), required=True)
