"""What a house asks in a report is data: published in versions, judged by the version it was filled in with."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for
from fieldvisit.errors import InvalidValue
from fieldvisit.form_answers import told_form
from fieldvisit.form_versions import FormChangedMeanwhile, FormUnknown, publish_form
from fieldvisit.forms import Choosable, FilledForm, FormDraft, FormRefused, Question, QuestionKind
from fieldvisit.report_drafts import ReportIncomplete
from fieldvisit.reports import get_report, report_visit
from fieldvisit.vocabulary import VisitOutcome
from tests.conftest import NOW
from tests.phone.worlds import Morning, report

YESTERDAY = NOW - dt.timedelta(days=1)


def labels(text: str) -> dict[str, str]:
    return {"en": text, "zh_CN": f"{text}（中）"}


def question(name: str = "bell", kind: QuestionKind = QuestionKind.FLAG, **given: Any) -> Question:
    return Question(name=name, kind=kind, label=labels(name), **given)


DOORS = (Choosable(value="house", label=labels("House")), Choosable(value="flat", label=labels("Flat")))
EVERY_KIND = FormDraft(
    replaces=0,
    questions=(
        question("words", QuestionKind.TEXT),
        question("floor", QuestionKind.NUMBER, least=0, most=99),
        question("bell"),
        question("door", QuestionKind.CHOICE, choices=DOORS),
        question("doors", QuestionKind.CHOICES, choices=DOORS),
        question("back_on", QuestionKind.DAY, asked_for=(VisitOutcome.NOBODY,)),
    ),
)


@pytest.mark.parametrize(
    ("name", "answer", "fits"),
    [
        ("words", "Blue.", True),
        ("words", " ", False),
        ("words", 1, False),
        ("words", "x" * 2_001, False),
        ("floor", 0, True),
        ("floor", 100, False),
        ("floor", True, False),
        ("floor", "3", False),
        ("bell", False, True),
        ("bell", 0, False),
        ("door", "flat", True),
        ("door", "tent", False),
        ("door", ("flat",), False),
        ("doors", ("flat", "house"), True),
        ("doors", ("flat", "flat"), False),
        ("doors", "flat", False),
        ("back_on", "2026-03-04", True),
        ("back_on", "2026-02-30", False),
        ("back_on", "20260304", False),
        ("unheard_of", "x", False),
    ],
)
def test_an_answer_fits_its_question(name: str, answer: Any, fits: bool) -> None:
    assert (EVERY_KIND.faults(VisitOutcome.NOBODY, {name: answer}) == []) is fits


def test_what_is_not_asked_for_this_outcome_is_not_answered() -> None:
    assert EVERY_KIND.faults(VisitOutcome.REFUSED, {"back_on": "2026-03-04"}) != []


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        (lambda: question("Bell"), "name"),
        (lambda: Question(name="bell", kind=QuestionKind.FLAG, label={"en": "Bell"}), "label"),
        (lambda: question(choices=DOORS), "choices"),
        (lambda: question("door", QuestionKind.CHOICE), "choices"),
        (lambda: question("door", QuestionKind.CHOICE, choices=DOORS[:1] * 2), "choices"),
        (lambda: question(least=1), "least"),
        (lambda: question(asked_for=(VisitOutcome.NOBODY,), needed_for=(VisitOutcome.REFUSED,)), "needed_for"),
        (lambda: FormDraft(replaces=0, questions=(question(), question())), "questions.name"),
        (lambda: FormDraft(replaces=0, questions=(question(needed_for=(VisitOutcome.ABORTED,)),)), "needed_for"),
        (lambda: question("floor", QuestionKind.NUMBER, least=5, most=1), "most"),
        (lambda: FormDraft(replaces=0, needs={VisitOutcome.UNSAFE: ("note",)}), "needed_for"),
        (lambda: FormDraft(replaces=0, needs={VisitOutcome.NOBODY: ("outcome",)}), "needs.nobody"),
    ],
)
def test_what_is_no_form_is_refused(wrong: Callable[[], object], path: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        wrong()
    assert refused.value.details["path"] == path


def test_a_report_is_judged_by_the_version_that_it_was_filled_in_with(
    sessions: sessionmaker[Session], morning: Morning, tell: Callable[..., Any]
) -> None:
    """The house asks more since; what a phone asked before that is taken, and read with the old questions."""

    def publish(replaces: int, questions: tuple[Question, ...], now: dt.datetime, **more: Any) -> None:
        with acting_for(sessions, morning.world.agency) as session:
            publish_form(session, FormDraft(replaces=replaces, questions=questions, **more), by=None, now=now)

    publish(0, (question(needed_for=(VisitOutcome.NOBODY,)),), YESTERDAY)
    with pytest.raises(ReportIncomplete, match="bell"):
        tell(report_visit, report(VisitOutcome.NOBODY))
    with pytest.raises(FormChangedMeanwhile):
        publish(0, (), NOW)
    publish(
        1,
        (question("floor", QuestionKind.NUMBER, needed_for=(VisitOutcome.NOBODY,)),),
        NOW,
        needs={VisitOutcome.NOBODY: ("note",)},
    )
    with pytest.raises(ReportIncomplete, match="note, floor"):
        tell(report_visit, report(VisitOutcome.NOBODY, form=FilledForm(version=2, answers={})))
    with pytest.raises(FormRefused, match="bell: is not asked"):
        tell(report_visit, report(VisitOutcome.NOBODY, form=FilledForm(version=2, answers={"bell": True})))
    with pytest.raises(FormUnknown):
        tell(report_visit, report(VisitOutcome.NOBODY, form=FilledForm(version=3, answers={})))

    told = report(VisitOutcome.NOBODY, form=FilledForm(version=1, answers={"bell": False}))
    assert tell(report_visit, told) == tell(report_visit, told)
    with acting_for(sessions, morning.world.agency) as session:
        stored = get_report(session, morning.visit)
        spoken = [told_form(stored, language) for language in ("en", "zh_CN")]
    assert [(form.version, each.label, each.words) for form in spoken if form for each in form.answers] == [
        (1, "bell", "No"),
        (1, "bell（中）", "否"),
    ]


def test_no_form_needs_what_an_outcome_cannot_say(sessions: sessionmaker[Session], morning: Morning) -> None:
    with acting_for(sessions, morning.world.agency) as session:
        wanted = FormDraft(replaces=0, needs={VisitOutcome.NOBODY: ("note", "reason_for_arrears")})
        with pytest.raises(InvalidValue) as refused:
            publish_form(session, wanted, by=None, now=NOW)
        met = {VisitOutcome.MET_DEBTOR: ("reason_for_arrears",)}
        assert publish_form(session, FormDraft(replaces=0, needs=met), by=None, now=NOW).version == 1
    assert refused.value.details["path"] == "needs.nobody"


def test_a_phone_that_fetched_its_day_in_the_morning_need_not_know_what_was_published_since(
    sessions: sessionmaker[Session], morning: Morning, tell: Callable[..., Any]
) -> None:
    needed = FormDraft(replaces=0, questions=(question(needed_for=(VisitOutcome.NOBODY,)),))
    with acting_for(sessions, morning.world.agency) as session:
        publish_form(session, needed, by=None, now=NOW)
    tell(report_visit, report(VisitOutcome.NOBODY))
