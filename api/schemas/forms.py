"""Report forms on the wire: what a house asks beyond what every report says, in both languages."""

from typing import Any

from marshmallow import fields, post_load

from api.schemas.base import Drafted, In, Out
from api.schemas.fields import BIGGEST, Choice, Flag, Id, Instant, Part, Text, Whole
from api.schemas.words import Several
from fieldvisit.forms import (
    LARGEST,
    LONGEST_ANSWER,
    LONGEST_LABEL,
    MOST_CHOICES,
    MOST_QUESTIONS,
    NAME,
    NEEDABLE,
    Choosable,
    FilledForm,
    FormDraft,
    Question,
    QuestionKind,
)
from fieldvisit.languages import LANGUAGES, Message, tag
from fieldvisit.vocabulary import EvidenceKind, VisitOutcome

LABELS: dict[str, fields.Field[Any]] = {
    language: Text(required=True, max=LONGEST_LABEL, data_key=tag(language)) for language in LANGUAGES
}
LabelsIn = In.from_dict(LABELS, name="LabelsIn")
LabelsOut = Out.from_dict(
    {language: fields.String(required=True, data_key=tag(language)) for language in LANGUAGES}, name="LabelsOut"
)


class ChoosableIn(Drafted):
    makes = Choosable
    value = Text(required=True, form=NAME.pattern)
    label = Part(LabelsIn, required=True)


class QuestionIn(Drafted):
    """`asked_for`: the outcomes it is asked for, all if none is named. `needed_for`: those that need an answer to it.
    `choices` where one or several of them are the answer; `least` and `most` bound a number. `evidence`: the kind of
    file that answers it, by its id; `camera_only`: taken with the camera there and then."""

    makes = Question
    name = Text(required=True, form=NAME.pattern)
    kind = Choice(QuestionKind, required=True)
    label = Part(LabelsIn, required=True)
    choices = Several(Part(ChoosableIn), max=MOST_CHOICES, load_default=())
    asked_for = Several(Choice(VisitOutcome), max=len(VisitOutcome), load_default=())
    needed_for = Several(Choice(VisitOutcome), max=len(VisitOutcome), load_default=())
    least = Whole(min=-LARGEST, max=LARGEST, allow_none=True)
    most = Whole(min=-LARGEST, max=LARGEST, allow_none=True)
    evidence = Choice(EvidenceKind, allow_none=True)
    camera_only = Flag(load_default=False)


class NeedIn(In):
    """The fields of every report that have to be said for this outcome."""

    outcome = Choice(VisitOutcome, required=True)
    fields_ = Several(Text(metadata={"enum": list(NEEDABLE)}), max=len(NEEDABLE), required=True, data_key="fields")


class FormIn(In):
    """`replaces`: the version that this one was made from; 0 where there is none yet."""

    replaces = Whole(required=True)
    questions = Several(Part(QuestionIn), max=MOST_QUESTIONS, load_default=())
    needs = Several(Part(NeedIn), max=len(VisitOutcome), load_default=())

    @post_load
    def draft(self, data: dict[str, Any], **_: Any) -> FormDraft:
        needs = {each["outcome"]: each["fields_"] for each in data["needs"]}
        return FormDraft(replaces=data["replaces"], questions=data["questions"], needs=needs)


class ChoosableOut(Out):
    value = fields.String(required=True)
    label = fields.Nested(LabelsOut, required=True)


class QuestionOut(Out):
    name = fields.String(required=True)
    kind = Choice(QuestionKind, required=True)
    label = fields.Nested(LabelsOut, required=True)
    choices = fields.List(fields.Nested(ChoosableOut), required=True)
    asked_for = fields.List(Choice(VisitOutcome), required=True)
    needed_for = fields.List(Choice(VisitOutcome), required=True)
    least = fields.Integer(required=True, allow_none=True)
    most = fields.Integer(required=True, allow_none=True)
    evidence = Choice(EvidenceKind, required=True, allow_none=True, dump_default=None)
    camera_only = Flag(required=True, dump_default=False)


class NeedOut(Out):
    outcome = Choice(VisitOutcome, required=True)
    fields_ = fields.List(fields.String(), required=True, data_key="fields", attribute="fields")


class FormOut(Out):
    """One version. It never changes; what was filled in with it is judged by it."""

    id = Id(required=True)
    version = fields.Integer(required=True)
    questions = fields.List(fields.Nested(QuestionOut), required=True)
    needs = fields.List(fields.Nested(NeedOut), required=True)
    published_at = Instant(required=True)


class AnyAnswer(fields.Field[Any]):
    """A text, a whole number, true or false, or several texts: its question says which."""

    def __init__(self, **more: Any) -> None:
        kinds: list[dict[str, Any]] = [
            {"type": "string", "maxLength": LONGEST_ANSWER},
            {"type": "integer"},
            {"type": "boolean"},
            {"type": "array", "maxItems": MOST_CHOICES, "items": {"type": "string", "maxLength": 40}},
        ]
        more.setdefault("metadata", {})["anyOf"] = kinds
        super().__init__(**more)
        self._text, self._texts = Text(min=0, max=LONGEST_ANSWER), Several(Text(max=40), max=MOST_CHOICES)
        self._whole = Whole(min=-BIGGEST)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        if isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self._text.deserialize(value)
        if isinstance(value, list):
            return self._texts.deserialize(value)
        return self._whole.deserialize(value)

    def expected(self) -> Message:
        return Message("a text, a whole number, true or false, or several texts")


class FilledFormIn(Drafted):
    """What was answered, by the questions' names, and the version that the phone asked by."""

    makes = FilledForm
    version = Whole(required=True, min=1)
    answers = fields.Dict(keys=Text(form=NAME.pattern), values=AnyAnswer(), required=True)


class AnswerOut(Out):
    """`label` and `words` in the caller's language."""

    name = fields.String(required=True)
    label = fields.String(required=True)
    value = fields.Raw(required=True)
    words = fields.String(required=True)


class FilledFormOut(Out):
    version = fields.Integer(required=True)
    answers = fields.List(fields.Nested(AnswerOut), required=True)
