"""What was answered in a report's form, as people read it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fieldvisit.form_versions import form_of
from fieldvisit.forms import Answer, Question
from fieldvisit.languages import Message, say
from fieldvisit.models import VisitReport


@dataclass(frozen=True, kw_only=True)
class ToldAnswer:
    """`label` is the question, `words` the answer, both in one language."""

    name: str
    label: str
    value: Answer
    words: str


@dataclass(frozen=True, kw_only=True)
class ToldForm:
    version: int
    answers: tuple[ToldAnswer, ...]


def told_form(report: VisitReport, language: str) -> ToldForm | None:
    """The answers in the order of the questions; None where no form was filled in."""
    if report.form is None or report.answers is None:
        return None
    given: Mapping[str, Any] = json.loads(report.answers)
    questions = [each for each in form_of(report.form).questions if each.name in given]
    answers = tuple(
        ToldAnswer(
            name=each.name,
            label=each.label[language],
            value=given[each.name],
            words=_words(each, given[each.name], language),
        )
        for each in questions
    )
    return ToldForm(version=report.form.version, answers=answers)


def _words(question: Question, value: Any, language: str) -> str:
    if isinstance(value, bool):
        return say(Message("Yes") if value else Message("No"), language)
    labels = {each.value: each.label[language] for each in question.choices}
    values = value if isinstance(value, list) else [value]
    return ", ".join(labels.get(str(each), str(each)) for each in values)
