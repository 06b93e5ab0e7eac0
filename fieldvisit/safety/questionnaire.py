"""The questionnaire before a visit: versioned data in both languages, whose answers may make the visit more dangerous,
never less."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from fieldvisit.errors import InvalidValue, NotFound
from fieldvisit.languages import Message
from fieldvisit.safety.timers import ORDER
from fieldvisit.vocabulary import RiskLevel

VERSIONS = files("fieldvisit.safety") / "questionnaires"


@dataclass(frozen=True, kw_only=True)
class Choosable:
    """One answer; `label` by language. With `level` the visit is at least that."""

    value: str
    label: Mapping[str, str]
    level: RiskLevel | None = None


@dataclass(frozen=True, kw_only=True)
class AssessmentQuestion:
    name: str
    label: Mapping[str, str]
    choices: tuple[Choosable, ...]

    def chosen(self, value: str | None) -> Choosable:
        """Raises InvalidValue where that is none of the answers."""
        for each in self.choices:
            if each.value == value:
                return each
        known = ", ".join(each.value for each in self.choices)
        raise InvalidValue(path=f"answers.{self.name}", reason=Message("must be one of {known}", {"known": known}))


@dataclass(frozen=True, kw_only=True)
class Questionnaire:
    """A version never changes: what a phone asked without a signal is judged by the version it asked by."""

    version: int
    questions: tuple[AssessmentQuestion, ...]

    def level(self, answers: Mapping[str, str]) -> RiskLevel | None:
        """The most dangerous level that these answers make; None where nothing speaks for any. Every question is
        answered, and nothing else: raises InvalidValue."""
        unknown = set(answers) - {each.name for each in self.questions}
        if unknown:
            raise InvalidValue(path="answers", reason=Message("{name}: is not asked", {"name": min(unknown)}))
        chosen = [each.chosen(answers.get(each.name)).level for each in self.questions]
        return max((level for level in chosen if level), key=ORDER.index, default=None)


@cache
def questionnaires() -> Mapping[int, Questionnaire]:
    """All versions there ever were."""
    found = [_read(tomllib.loads(each.read_text())) for each in VERSIONS.iterdir() if each.name.endswith(".toml")]
    return {each.version: each for each in sorted(found, key=lambda each: each.version)}


def newest() -> Questionnaire:
    """What is asked now."""
    return questionnaires()[max(questionnaires())]


def questionnaire(version: int) -> Questionnaire:
    """Raises NotFound for a version that never was."""
    if version not in questionnaires():
        raise NotFound(what="questionnaire", id=version)
    return questionnaires()[version]


def _read(stored: Mapping[str, Any]) -> Questionnaire:
    questions = tuple(
        AssessmentQuestion(name=one["name"], label=one["label"], choices=tuple(map(_choosable, one["choices"])))
        for one in stored["questions"]
    )
    return Questionnaire(version=stored["version"], questions=questions)


def _choosable(stored: Mapping[str, Any]) -> Choosable:
    level = stored.get("level")
    return Choosable(value=stored["value"], label=stored["label"], level=RiskLevel(level) if level else None)
