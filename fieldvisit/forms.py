"""Report forms as data: questions of a house in both languages, and which must be answered for which outcome.

A form is published in versions that never change. Answers are judged by the version they were filled in with, whatever
version is in use when they come: what a phone asked at a door without signal is evidence. Plain values; see
`fieldvisit.form_versions` for what is stored.
"""

import datetime as dt
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from fieldvisit.drafts import check_text
from fieldvisit.errors import FieldVisitError, InvalidValue, Kind
from fieldvisit.languages import LANGUAGES, Message
from fieldvisit.vocabulary import EvidenceKind, VisitOutcome

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
MOST_QUESTIONS, MOST_CHOICES = 60, 40
LONGEST_LABEL, LONGEST_ANSWER = 300, 2_000
LARGEST = 10**12
NEEDABLE = ("willing", "able", "reason_for_arrears", "note", "next_step", "contact_changes", "door")
"""The fields of every report that a house may make needed for an outcome."""

ONE_TAP = (VisitOutcome.ABORTED, VisitOutcome.UNSAFE)
"""Whoever has to leave leaves: no form may stand in the way."""

CAMERA = (EvidenceKind.PHOTO, EvidenceKind.VIDEO)

type Answer = str | int | bool | tuple[str, ...]
type Labels = Mapping[str, str]


class FormRefused(FieldVisitError):
    code, kind = "form_refused", Kind.INVALID
    says = "Version {version} of the form does not take these answers: {faults}"


class QuestionKind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    FLAG = "flag"
    CHOICE = "choice"
    CHOICES = "choices"
    DAY = "day"
    EVIDENCE = "evidence"


@dataclass(frozen=True, kw_only=True)
class Choosable:
    """One answer among several; `label` by language."""

    value: str
    label: Labels

    def __post_init__(self) -> None:
        _check_name("choices.value", self.value)
        _check_labels("choices.label", self.label)


@dataclass(frozen=True, kw_only=True)
class Question:
    """`asked_for`: the outcomes it is asked for, all if none is named. `needed_for`: those that need an answer to it.
    `least` and `most` bound a number. `evidence`: the kind of file that answers it, by its id; `camera_only`: it has to
    be taken with the camera there and then."""

    name: str
    kind: QuestionKind
    label: Labels
    choices: tuple[Choosable, ...] = ()
    asked_for: tuple[VisitOutcome, ...] = ()
    needed_for: tuple[VisitOutcome, ...] = ()
    least: int | None = None
    most: int | None = None
    evidence: EvidenceKind | None = None
    camera_only: bool = False

    def __post_init__(self) -> None:
        _check_name("name", self.name)
        if (self.kind is QuestionKind.EVIDENCE) != (self.evidence is not None) or (
            self.camera_only and self.evidence not in CAMERA
        ):
            raise InvalidValue(path="evidence", reason="is named where a file is the answer, and only there")
        _check_labels("label", self.label)
        chosen = self.kind in (QuestionKind.CHOICE, QuestionKind.CHOICES)
        if chosen != bool(self.choices):
            raise InvalidValue(path="choices", reason="are named where one of them is the answer, and only there")
        values = [each.value for each in self.choices]
        if len(set(values)) < len(values):
            raise InvalidValue(path="choices", reason="must each have a value of its own")
        if self.kind is not QuestionKind.NUMBER and (self.least, self.most) != (None, None):
            raise InvalidValue(path="least", reason="bounds numbers only")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise InvalidValue(path="most", reason="must not be less than least: no number would do")
        if self.asked_for and not set(self.needed_for) <= set(self.asked_for):
            raise InvalidValue(path="needed_for", reason="names an outcome for which it is not asked")

    def fault(self, answer: Answer) -> Message | None:
        """What is wrong with an answer; None where nothing is."""
        return _JUDGES[self.kind](self, answer)

    def is_asked(self, outcome: VisitOutcome) -> bool:
        return not self.asked_for or outcome in self.asked_for


@dataclass(frozen=True, kw_only=True)
class FormDraft:
    """`replaces`: the version that whoever writes this one has read; 0 where there is none yet."""

    replaces: int
    questions: tuple[Question, ...] = ()
    needs: Mapping[VisitOutcome, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [each.name for each in self.questions]
        if len(names) > MOST_QUESTIONS:
            raise InvalidValue(path="questions", reason=Message("at most {max}", {"max": MOST_QUESTIONS}))
        if len(set(names)) < len(names):
            raise InvalidValue(path="questions.name", reason="must each have a name of its own")
        needed_for = {*self.needs, *(outcome for each in self.questions for outcome in each.needed_for)}
        if needed_for & set(ONE_TAP):
            raise InvalidValue(
                path="needed_for", reason="names an outcome that is told in one tap: nothing may be needed"
            )
        for outcome, needed in self.needs.items():
            if unknown := [name for name in needed if name not in NEEDABLE]:
                known = {"unknown": ", ".join(unknown), "known": ", ".join(NEEDABLE)}
                raise InvalidValue(path=f"needs.{outcome.value}", reason=Message("{unknown}: not among {known}", known))

    def demands(self, outcome: VisitOutcome) -> bool:
        """Whether a report of this outcome can lack anything by this form."""
        return bool(self.needs.get(outcome)) or any(outcome in each.needed_for for each in self.questions)

    def files(self, answers: Mapping[str, Answer]) -> list[tuple[str, Question]]:
        """The ids of the files among the answers, each with the question that it answers."""
        return [(str(answers[each.name]), each) for each in self.questions if each.evidence and each.name in answers]

    def by_camera(self, answers: Mapping[str, Answer]) -> set[str]:
        """The ids of the files among the answers that had to be taken with the camera."""
        return {file_id for file_id, question in self.files(answers) if question.camera_only}

    def missing(self, outcome: VisitOutcome, answers: Mapping[str, Answer], said: Callable[[str], bool]) -> list[str]:
        """What has to be said for this outcome and is not. `said`: whether the report says a field of its own."""
        unanswered = [q.name for q in self.questions if outcome in q.needed_for and q.name not in answers]
        return [*(name for name in self.needs.get(outcome, ()) if not said(name)), *unanswered]

    def faults(self, outcome: VisitOutcome, answers: Mapping[str, Answer]) -> list[Message]:
        """What is wrong with what was answered, in the order of the answers."""
        questions = {each.name: each for each in self.questions}
        found = []
        for name, answer in answers.items():
            question = questions.get(name)
            if question is None or not question.is_asked(outcome):
                found.append(Message("{name}: is not asked", {"name": name}))
            elif (fault := question.fault(answer)) is not None:
                found.append(Message("{name}: {reason}", {"name": name, "reason": fault}))
        return found


@dataclass(frozen=True, kw_only=True)
class FilledForm:
    """The version that the phone asked by, and what was answered, by the questions' names."""

    version: int
    answers: Mapping[str, Answer]


def _check_name(path: str, name: str) -> None:
    if NAME.fullmatch(name) is None:
        raise InvalidValue(path=path, reason=Message("must have the form {form}", {"form": NAME.pattern}))


def _check_labels(path: str, label: Labels) -> None:
    if set(label) != set(LANGUAGES):
        raise InvalidValue(
            path=path, reason=Message("must be said in {languages}", {"languages": ", ".join(LANGUAGES)})
        )
    for language, text in label.items():
        check_text(f"{path}.{language}", text, longest=LONGEST_LABEL)


def _text(question: Question, answer: Answer) -> Message | None:
    if not isinstance(answer, str) or not answer.strip():
        return Message("must be a text")
    return Message("is too long") if len(answer) > LONGEST_ANSWER else None


def _number(question: Question, answer: Answer) -> Message | None:
    if isinstance(answer, bool) or not isinstance(answer, int):
        return Message("must be a whole number")
    low = -LARGEST if question.least is None else question.least
    high = LARGEST if question.most is None else question.most
    bounds = {"min": low, "max": high}
    return None if low <= answer <= high else Message("must lie between {min} and {max}", bounds)


def _flag(question: Question, answer: Answer) -> Message | None:
    return None if isinstance(answer, bool) else Message("must be true or false")


def _choice(question: Question, answer: Answer) -> Message | None:
    values = [each.value for each in question.choices]
    return None if answer in values else Message("must be one of {known}", {"known": ", ".join(values)})


def _choices(question: Question, answer: Answer) -> Message | None:
    values = [each.value for each in question.choices]
    fits = isinstance(answer, tuple) and len(set(answer)) == len(answer) and set(answer) <= set(values)
    return None if fits else Message("must be several of {known}", {"known": ", ".join(values)})


def _day(question: Question, answer: Answer) -> Message | None:
    try:
        known = isinstance(answer, str) and dt.date.fromisoformat(answer).isoformat() == answer
    except ValueError:
        known = False
    return None if known else Message("must be a date like 2026-03-03")


def _evidence(question: Question, answer: Answer) -> Message | None:
    try:
        known = isinstance(answer, str) and str(uuid.UUID(answer)) == answer
    except ValueError:
        known = False
    return None if known else Message("must be the id of a file")


_JUDGES: Mapping[QuestionKind, Callable[[Question, Answer], Message | None]] = {
    QuestionKind.TEXT: _text,
    QuestionKind.NUMBER: _number,
    QuestionKind.FLAG: _flag,
    QuestionKind.CHOICE: _choice,
    QuestionKind.CHOICES: _choices,
    QuestionKind.DAY: _day,
    QuestionKind.EVIDENCE: _evidence,
}


def question_from(stored: Mapping[str, Any]) -> Question:
    """The question that `plain` made a record of."""
    return Question(
        name=stored["name"],
        kind=QuestionKind(stored["kind"]),
        label=stored["label"],
        choices=tuple(Choosable(**each) for each in stored["choices"]),
        asked_for=tuple(map(VisitOutcome, stored["asked_for"])),
        needed_for=tuple(map(VisitOutcome, stored["needed_for"])),
        least=stored["least"],
        most=stored["most"],
        evidence=EvidenceKind(stored["evidence"]) if stored.get("evidence") else None,
        camera_only=stored.get("camera_only", False),
    )
