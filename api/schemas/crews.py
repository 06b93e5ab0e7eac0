"""Who rides with whom, on the wire."""

from typing import Any

from marshmallow import fields, post_load, pre_dump

from api.context import language
from api.schemas.base import In, Out
from api.schemas.fields import Choice, Day, Id, Instant, Many, Part, Text
from fieldvisit.languages import Message, say
from fieldvisit.models import Shift
from fieldvisit.planning.forming import CrewDraft, NamedCrews
from fieldvisit.planning.forming_words import CrewsOfDay, undone_words
from fieldvisit.vocabulary import CrewSource, FormingState


class CrewDayIn(In):
    """Which day."""

    works_on = Day(required=True)


class CrewDayQueryIn(In):
    works_on = Day(required=True)


class CrewIn(In):
    """The lead first."""

    code = Text(required=True, max=100)
    visitor_ids = Many(Id(), required=True, max=3)

    @post_load
    def draft(self, data: dict[str, Any], **_: Any) -> CrewDraft:
        return CrewDraft(code=data["code"], visitor_ids=tuple(data["visitor_ids"]))


class NamedCrewsIn(In):
    """Crews as the dispatcher says; the others of the day stay as they are."""

    works_on = Day(required=True)
    crews = Many(Part(CrewIn), required=True, max=1000)

    @post_load
    def draft(self, data: dict[str, Any], **_: Any) -> NamedCrews:
        return NamedCrews(works_on=data["works_on"], crews=tuple(data["crews"]))


class RiderOut(Out):
    visitor_id = Id(required=True)
    staff_number = fields.String(required=True, attribute="visitor.staff_number")
    lead = fields.Boolean(required=True)
    starts_at = Instant(required=True)
    ends_at = Instant(required=True)


class CrewOut(Out):
    code = fields.String(required=True)
    by = Choice(CrewSource, required=True)
    members = fields.List(Part(RiderOut), required=True)


class HomeOut(Out):
    """Somebody who works but rides in no crew."""

    visitor_id = Id(required=True)
    staff_number = fields.String(required=True)
    words = fields.String(required=True, allow_none=True)


class UndoneOut(Out):
    """Work that no crew takes on."""

    reason = fields.String(required=True)
    visits = fields.Integer(required=True)
    visitors = fields.Integer(required=True)
    needs = fields.List(fields.String(), required=True)
    lacks = fields.List(fields.String(), required=True)
    work_s = fields.Integer(required=True)
    words = fields.String(required=True)


class CrewsOut(Out):
    """`state` is null where nobody asked for a proposal. `best`: no better one exists."""

    works_on = Day(required=True)
    state = Choice(FormingState, required=True, allow_none=True)
    best = fields.Boolean(required=True, allow_none=True)
    failure_words = fields.String(required=True, allow_none=True)
    crews = fields.List(Part(CrewOut), required=True)
    home = fields.List(Part(HomeOut), required=True)
    undone = fields.List(Part(UndoneOut), required=True)

    @pre_dump
    def told(self, day: CrewsOfDay, **_: Any) -> dict[str, Any]:
        forming = day.forming
        return {
            "works_on": day.works_on,
            "state": forming.state if forming else None,
            "best": forming.best if forming else None,
            "failure_words": _said(day.failure),
            "crews": [
                {"code": members[0].crew_code, "by": members[0].crew_by, "members": members} for members in day.crews
            ],
            "home": [_home(shift, words) for shift, words in day.home],
            "undone": [{**left, "words": say(undone_words(left), language())} for left in day.undone],
        }


def _home(shift: Shift, words: Message | None) -> dict[str, Any]:
    number = shift.visitor.staff_number
    return {"visitor_id": shift.visitor_id, "staff_number": number, "words": _said(words)}


def _said(words: Message | None) -> str | None:
    return None if words is None else say(words, language())
