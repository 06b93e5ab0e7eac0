"""Safety sessions and what is told of them on the wire."""

from typing import Any

from marshmallow import fields, post_load

from api.schemas.base import Drafted, In, Out, PointIn
from api.schemas.fields import Choice, Flag, Id, Instant, Many, Part, Text, Whole
from api.schemas.forms_in_words import DIGITS
from api.schemas.measures import Latitude, Longitude, Metres
from fieldvisit.datums import Point, as_measured, is_used_at
from fieldvisit.safety.by_voice import SpokenExtension, VoiceContact
from fieldvisit.safety.drafts import LONGEST_NOTE, OLDEST_S
from fieldvisit.safety.standing import SafetyDisplay
from fieldvisit.vocabulary import (
    CallResult,
    Datum,
    DrillKind,
    ResolutionProof,
    RiskLevel,
    SafetyState,
    SessionCover,
)

DAY_S = 86_400
LOCATED = "when the phone was there; what it told later of an earlier moment has not taken its place"
ALL = 100_000
"""What is at risk is listed whole: a second page might not be looked at."""


def placed(
    *, lat: float, lon: float, datum: Datum, accuracy_m: int | None = None, mock: bool = False
) -> dict[str, Any]:
    """A position by the names of the fields of a `Told`."""
    point, unfit = as_measured(lat, lon, datum), not is_used_at(Point(lat, lon), datum)
    return {"lat": point.lat, "lon": point.lon, "accuracy_m": accuracy_m, "mock": mock, "datum_unfit": unfit}


class SafetyPositionIn(PointIn):
    """Where the phone is. A datum that is used nowhere near is noted and refuses nothing: the coordinates are taken as
    they are. `accuracy_m` is the phone's own estimate; `mock` says that another app made the position up."""

    accuracy_m = Metres(allow_none=True, load_default=None)
    mock = Flag(load_default=False)


class TellingIn(In):
    """What every word of a phone may carry besides itself."""

    age_s = Whole(
        max=OLDEST_S,
        load_default=0,
        metadata={"description": "seconds since the visitor did it, by a counter that no setting of the clock moves"},
    )
    device_at = Instant(allow_none=True, load_default=None, metadata={"description": "evidence; it decides nothing"})
    position = Part(SafetyPositionIn, allow_none=True, load_default=None)

    @post_load
    def flatten(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        position = data.pop("position")
        return data | (placed(**position) if position else {})


class SafetySessionIn(TellingIn):
    id = Id(required=True, attribute="event_id", metadata={"description": "made by the phone: told twice, one session"})
    planned_s = Whole(required=True, min=1, max=DAY_S)
    level = Choice(RiskLevel, load_default=RiskLevel.NORMAL)
    visit_id = Id(allow_none=True, load_default=None)
    buddy_id = Id(
        allow_none=True,
        load_default=None,
        metadata={"description": "another visitor, who may call for help for this one"},
    )


class CheckInIn(TellingIn):
    event_id = Id(required=True, metadata={"description": "made by the phone: told twice, done once"})


class WithPinIn(CheckInIn):
    pin = Text(min=4, max=8, form=DIGITS, allow_none=True, load_default=None)


class CheckInByPinIn(CheckInIn):
    """`pin` where the session says `pin_at_check_in`; one that is given is judged in any case."""

    pin = Text(min=4, max=8, form=DIGITS, allow_none=True, load_default=None)


class PinsIn(In):
    """4 to 8 digits each, as many in both, different in two at least."""

    pin = Text(required=True, min=4, max=8, form=DIGITS)
    duress_pin = Text(required=True, min=4, max=8, form=DIGITS)
    current_pin = Text(
        min=4,
        max=8,
        form=DIGITS,
        allow_none=True,
        load_default=None,
        metadata={"description": "the PIN that holds, needed where one was set"},
    )


class PinResetIn(In):
    """How it was made sure that the visitor asks for it, and nobody who has found the phone."""

    proof = Choice(ResolutionProof, required=True)


class CoverOverrideIn(In):
    visitor_id = Id(required=True)
    reason = Text(required=True, max=500)


class CoverOverrideOut(Out):
    id = Id(required=True)
    visitor_id = Id(required=True)
    by_id = Id(required=True)
    made_at = Instant(required=True)


class OfficerEndIn(Drafted):
    """`result`: of the challenge; a wrong answer or the duress word raises a covert alarm instead."""

    makes = VoiceContact

    result = Choice(CallResult, required=True, metadata={"examples": ["spoke_safe"]})
    note = Text(required=True, max=LONGEST_NOTE, metadata={"description": "what was said, and when"})


class OfficerExtensionIn(Drafted):
    """As for an end by an officer; `by_s`: how much later the planned end is."""

    makes = SpokenExtension

    result = Choice(CallResult, required=True, metadata={"examples": ["spoke_safe"]})
    note = Text(required=True, max=LONGEST_NOTE, metadata={"description": "what was said, and when"})
    by_s = Whole(required=True, min=1, max=DAY_S)


class CallForIn(In):
    """A call for help for somebody else."""

    event_id = Id(required=True, metadata={"description": "made by the caller: told twice, done once"})
    note = Text(required=True, max=LONGEST_NOTE, metadata={"description": "what was heard or seen"})
    covert = Flag(load_default=False, metadata={"description": "nothing of it may show on the visitor's phone"})


class CalledForOut(Out):
    """In which session the alert is, and when it was opened or joined. No more is told to who may not see it."""

    session_id = Id(required=True, attribute="session.id")
    called_at = Instant(required=True, attribute="now_at")


class ExtensionIn(CheckInIn):
    by_s = Whole(required=True, min=1, max=DAY_S)
    reason = Text(required=True, max=500)


class SosIn(CheckInIn):
    man_down = Flag(load_default=False, metadata={"description": "the phone calls: nothing moves any more"})
    covert = Flag(load_default=False, metadata={"description": "nothing is to be seen or heard on the phone"})
    session_id = Id(allow_none=True, load_default=None)
    visit_id = Id(allow_none=True, load_default=None)


class SafetySessionOut(Out):
    """A session as its own visitor sees it. Count down against `server_at`, not against the phone's clock."""

    id = Id(required=True, attribute="session.id")
    visit_id = Id(required=True, allow_none=True, attribute="session.visit_id")
    level = Choice(RiskLevel, required=True, attribute="session.level")
    state = Choice(SafetyState, required=True, attribute="session.state")
    shown = Choice(SafetyDisplay, required=True)
    started_at = Instant(required=True, attribute="session.started_at")
    remind_at = Instant(required=True, allow_none=True, attribute="session.remind_at")
    due_at = Instant(required=True, allow_none=True, attribute="session.due_at")
    grace_until = Instant(required=True, allow_none=True, attribute="session.grace_until")
    end_at = Instant(required=True, allow_none=True, attribute="session.end_at")
    ended_at = Instant(required=True, allow_none=True, attribute="session.ended_at")
    extended_s = Whole(required=True, attribute="session.extended_s")
    pin_at_check_in = Flag(
        required=True,
        attribute="session.pin_at_check_in",
        metadata={"description": "a check-in needs the PIN of a visitor who has set one"},
    )
    server_at = Instant(required=True, attribute="now_at")


class AtRiskOut(Out):
    """Whom to call."""

    id = Id(required=True)
    name = fields.String(required=True)
    staff_number = fields.String(required=True)
    phone = fields.String(required=True, allow_none=True)


class LiveSessionOut(SafetySessionOut):
    """A session as the safety officer sees it."""

    visitor = Part(AtRiskOut, required=True, attribute="session.visitor")
    cover = Choice(SessionCover, required=True, attribute="session.cover")
    lost_contact = Flag(required=True, attribute="session.lost_contact")
    unverified = Flag(required=True, attribute="session.unverified")
    duress = Flag(required=True, attribute="session.duress")
    drill = Choice(DrillKind, required=True, allow_none=True, attribute="session.drill")
    last_heard_at = Instant(required=True, allow_none=True, attribute="session.last_heard_at")
    last_lat = Latitude(required=True, allow_none=True, attribute="session.last_lat")
    last_lon = Longitude(required=True, allow_none=True, attribute="session.last_lon")
    last_located_at = Instant(
        required=True, allow_none=True, attribute="session.last_located_at", metadata={"description": LOCATED}
    )
    arrive_by = Instant(required=True, allow_none=True, attribute="session.arrive_by")
    leave_by = Instant(required=True, allow_none=True, attribute="session.leave_by")


class WallOut(Out):
    """Everybody who is out now: alarms first, then by risk."""

    items = Many(Part(LiveSessionOut), required=True, max=ALL)
