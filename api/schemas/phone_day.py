"""The phone's day as it is told: routes, cards of the visits, and what a visitor knows and may show at the door."""

from marshmallow import fields

from api.schemas.base import Out, PointOut
from api.schemas.fields import Choice, Day, Flag, Id, Instant
from api.schemas.words import Words
from fieldvisit.compliance.conduct_parameters import RecordField
from fieldvisit.guide import Situation
from fieldvisit.vocabulary import (
    AttemptResult,
    CaseStage,
    Channel,
    CredentialKind,
    PlaceKind,
    ReachedDetail,
    VisitOutcome,
    VisitState,
)

MOST_CREW = 3
MOST_PAPERS = 20


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
