"""The wall on the wire."""

from marshmallow import fields

from api.schemas.base import In, Out
from api.schemas.fields import Choice, Flag, Id, Instant, Many, Part, Whole, WholeInQuery
from api.schemas.measures import Latitude, Longitude
from api.schemas.safety import ALL, LOCATED, AtRiskOut
from fieldvisit.safety.standing import SafetyDisplay
from fieldvisit.vocabulary import AlertKind, AlertState, DrillKind, RiskLevel, SafetyState, SessionCover, VisitState

LONGEST_S = 600


class TileOut(Out):
    """One session as the wall shows it. `deadline_at`: an alarm is raised then, unless something is heard. Count down
    against `server_at`."""

    id = Id(required=True)
    visitor = Part(AtRiskOut, required=True, attribute="person")
    visit_id = Id(required=True, allow_none=True)
    other_visit_id = Id(
        required=True,
        allow_none=True,
        metadata={"description": "another visit that a call for help named: the visitor may be at either"},
    )
    level = Choice(RiskLevel, required=True)
    state = Choice(SafetyState, required=True)
    shown = Choice(SafetyDisplay, required=True)
    started_at = Instant(required=True, metadata={"description": "of one that is planned: when it was planned"})
    planned_at = Instant(required=True, allow_none=True)
    planned_s = Whole(required=True, allow_none=True)
    due_at = Instant(required=True, allow_none=True)
    deadline_at = Instant(required=True, allow_none=True)
    end_at = Instant(required=True, allow_none=True)
    arrive_by = Instant(required=True, allow_none=True)
    leave_by = Instant(required=True, allow_none=True)
    cover = Choice(SessionCover, required=True)
    lost_contact = Flag(required=True)
    unverified = Flag(required=True)
    duress = Flag(required=True)
    buddy_id = Id(required=True, allow_none=True, metadata={"description": "whom this visitor named: call them too"})
    drill = Choice(DrillKind, required=True, allow_none=True, metadata={"description": "nobody is in danger"})
    last_heard_at = Instant(required=True, allow_none=True)
    last_lat = Latitude(required=True, allow_none=True)
    last_lon = Longitude(required=True, allow_none=True)
    last_located_at = Instant(required=True, allow_none=True, metadata={"description": LOCATED})
    last_accuracy_m = Whole(
        required=True,
        allow_none=True,
        metadata={"description": "how good that position is, by the phone's own estimate"},
    )
    battery_percent = Whole(required=True, allow_none=True)
    battery_noted = Whole(
        required=True,
        allow_none=True,
        metadata={"description": "20 or 10: so low it has been in this session, and that stands in its record"},
    )
    alert_id = Id(required=True, allow_none=True)
    alert_kind = Choice(AlertKind, required=True, allow_none=True)
    alert_state = Choice(AlertState, required=True, allow_none=True)
    alert_owner_id = Id(required=True, allow_none=True)


class GoingOut(Out):
    """Somebody without a session. `since_at`: of the arrival, of the setting out, or (`state` published) when the plan
    expected them at the door."""

    visitor = Part(AtRiskOut, required=True, attribute="person")
    visit_id = Id(required=True)
    state = Choice(VisitState, required=True)
    since_at = Instant(required=True)


class OutageOut(Out):
    """Nobody watched from `from_at` (null: ever) until `until_at`: so many `sessions` were raised for it, of which so
    many are `open`, and so many `unanswered`."""

    id = Id(required=True)
    from_at = Instant(required=True, allow_none=True)
    until_at = Instant(required=True)
    sessions = Whole(required=True)
    open = Whole(required=True)
    unanswered = Whole(required=True)


class LiveWallOut(Out):
    """Everybody who is out now: alarms first, then by risk. `cover`: how many officers an alarm would reach.
    `unwatched`: who is out, or should be, and has no session. `drills_owed`: what the house's own rules still demand
    this month. `outages`: of our own watch, as long as an alert of one is open. Drills are behind all tiles, and
    behind those what is only planned."""

    server_at = Instant(required=True)
    cover = fields.Integer(required=True)
    tiles = Many(Part(TileOut), required=True, max=ALL)
    unwatched = Many(Part(GoingOut), required=True, max=ALL)
    outages = Many(Part(OutageOut), required=True)
    drills_owed = Many(Choice(DrillKind), required=True)


class StreamIn(In):
    for_s = WholeInQuery(
        required=True, min=0, max=LONGEST_S, metadata={"description": "end after so long; 0: only what there is now"}
    )
