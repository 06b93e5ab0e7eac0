"""Sessions that are planned, and the questions before a visit, on the wire."""

from typing import Any

from marshmallow import fields, post_load

from api.schemas.base import In, Out
from api.schemas.fields import Choice, Id, Instant, Many, Part, Text, Whole
from api.schemas.forms import LabelsOut
from api.schemas.safety import ALL, DAY_S, CheckInIn
from fieldvisit.safety.drafts import OLDEST_S
from fieldvisit.vocabulary import RiskLevel, SafetyState, SessionCover

MOST_QUESTIONS = 60
ANSWERS = [{"question": "known_people", "value": "met_before"}, {"question": "place", "value": "stairway"}]


class AssessedChoiceOut(Out):
    """One answer; with `level` the visit is at least that."""

    value = fields.String(required=True, metadata={"examples": ["inside"]})
    label = fields.Nested(LabelsOut, required=True)
    level = Choice(RiskLevel, required=True, allow_none=True, metadata={"examples": ["raised"]})


class AssessedQuestionOut(Out):
    name = fields.String(required=True, metadata={"examples": ["place"]})
    label = fields.Nested(LabelsOut, required=True)
    choices = Many(Part(AssessedChoiceOut), required=True)


class QuestionnaireOut(Out):
    """What is asked before a visit, in both languages. A version never changes: a phone may keep it."""

    version = Whole(required=True)
    questions = Many(Part(AssessedQuestionOut), required=True)


class AssessedAnswerIn(In):
    question = Text(required=True, max=40, metadata={"examples": ["place"]})
    value = Text(required=True, max=40, metadata={"examples": ["stairway"]})


class AssessedAnswerOut(Out):
    question = fields.String(required=True, metadata={"examples": ["place"]})
    value = fields.String(required=True, metadata={"examples": ["stairway"]})


class AnsweredIn(In):
    """Every question of that version of the questionnaire, once."""

    sample = {"questionnaire": 1, "answers": ANSWERS}

    questionnaire = Whole(required=True, min=1, max=1_000)
    answers = Many(Part(AssessedAnswerIn), required=True, min=1, max=MOST_QUESTIONS)
    age_s = Whole(max=OLDEST_S, load_default=0, metadata={"description": "seconds since it was answered"})

    @post_load
    def by_question(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return data | {"answers": {each["question"]: each["value"] for each in data["answers"]}}


class AssessmentIn(AnsweredIn):
    id = Id(required=True, metadata={"description": "made by whoever tells it: told twice, kept once"})
    visit_id = Id(required=True)
    visitor_id = Id(
        allow_none=True, load_default=None, metadata={"description": "who goes; a visitor answers for themselves alone"}
    )


class AssessmentToldIn(AnsweredIn):
    """The same in a batch: its id is the event's."""

    event_id = Id(required=True)
    device_at = Instant(allow_none=True, load_default=None)


class AssessmentOut(Out):
    """`level`: the visit is at least that; null where the answers speak for nothing. `valid_until`: by the rules that
    hold now."""

    id = Id(required=True, attribute="row.id")
    visit_id = Id(required=True, attribute="row.visit_id")
    visitor_id = Id(required=True, attribute="row.visitor_id")
    questionnaire = Whole(required=True, attribute="row.questionnaire")
    level = Choice(RiskLevel, required=True, allow_none=True, attribute="row.level")
    answered_at = Instant(required=True, attribute="row.answered_at")
    valid_until = Instant(required=True)


class AssessmentFileOut(Out):
    """What was answered, and by whom."""

    id = Id(required=True)
    visit_id = Id(required=True)
    visitor_id = Id(required=True)
    account_id = Id(required=True, allow_none=True)
    questionnaire = Whole(required=True)
    level = Choice(RiskLevel, required=True, allow_none=True)
    answered_at = Instant(required=True)
    session_id = Id(required=True, allow_none=True)
    answers = Many(Part(AssessedAnswerOut), required=True, attribute="answered")


class PlannedSessionIn(In):
    """A session that somebody will start later. A visitor plans for themselves, a dispatcher for anybody."""

    id = Id(required=True, metadata={"description": "made by whoever plans it: told twice, one session"})
    visit_id = Id(required=True)
    visitor_id = Id(allow_none=True, load_default=None, metadata={"description": "who goes; needed from the office"})
    planned_s = Whole(required=True, min=1, max=DAY_S)
    level = Choice(RiskLevel, load_default=RiskLevel.NORMAL)
    buddy_id = Id(allow_none=True, load_default=None)


class PlannedStartIn(CheckInIn):
    """`planned_s`: as planned where it is left out."""

    planned_s = Whole(min=1, max=DAY_S, allow_none=True, load_default=None)


class PlannedSessionOut(Out):
    """`level` and `cover` as they were decided when it was planned; the start may make them stricter."""

    id = Id(required=True, attribute="session.id")
    visitor_id = Id(required=True, attribute="session.visitor_id")
    visit_id = Id(required=True, allow_none=True, attribute="session.visit_id")
    level = Choice(RiskLevel, required=True, attribute="session.level")
    cover = Choice(SessionCover, required=True, attribute="session.cover")
    state = Choice(SafetyState, required=True, attribute="session.state", metadata={"examples": ["planned"]})
    planned_at = Instant(required=True, attribute="session.planned_at")
    planned_s = Whole(required=True, attribute="session.planned_s")
    buddy_id = Id(required=True, allow_none=True, attribute="session.buddy_id")
    server_at = Instant(required=True, attribute="now_at")


class PlannedSessionsOut(Out):
    items = Many(Part(PlannedSessionOut), required=True, max=ALL)


class PlannedCancelIn(In):
    event_id = Id(required=True, metadata={"description": "made by who tells it: told twice, done once"})
