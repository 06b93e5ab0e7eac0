"""What the phone tells a visitor to say, in both languages, and what it keeps to itself before the identity."""

import pytest

from fieldvisit.credentials import PaperFault
from fieldvisit.gate import RequestReason
from fieldvisit.geofence import OutsideReason
from fieldvisit.guide import CONFIRMED, LISTEN, REASON_KNOWN, Situation, guide_for
from fieldvisit.languages import LANGUAGES, catalogue, label_id, say
from fieldvisit.visits import CancelReason
from fieldvisit.vocabulary import CaseStage

LISTS = (CancelReason, OutsideReason, PaperFault, RequestReason, Situation)
# Before it is known who opens, no line may name what the visit is about.
TELLING = ("debt", "loan", "owe", "amount", "pay ", "债", "贷款", "欠", "金额")


@pytest.mark.parametrize("stage", CaseStage)
def test_every_stage_has_lines_for_every_situation(stage: CaseStage) -> None:
    sections = guide_for(stage, reason_known=False, confirmed=True)
    assert [section.situation for section in sections] == list(Situation)
    assert all(section.lines for section in sections)


@pytest.mark.parametrize("stage", CaseStage)
def test_before_the_identity_is_confirmed_no_line_tells_at_which_stage_the_debt_is(stage: CaseStage) -> None:
    before = guide_for(stage, reason_known=True, confirmed=False)
    assert before == guide_for(CaseStage.REMIND, reason_known=False, confirmed=False)
    assert [section.situation for section in before] == [
        each for each in Situation if each.value != "identity_confirmed"
    ]


def test_a_known_reason_is_asked_about_before_paying_is() -> None:
    (talk,) = (
        s.lines
        for s in guide_for(CaseStage.VISIT, reason_known=True, confirmed=True)
        if s.situation.value.startswith("identity")
    )
    assert talk == (*CONFIRMED[CaseStage.VISIT], REASON_KNOWN, *LISTEN)


@pytest.mark.parametrize("stage", [CaseStage.LEGAL, CaseStage.CLOSED])
def test_where_nothing_is_left_to_talk_about_nobody_is_asked_to_pay(stage: CaseStage) -> None:
    (talk,) = (
        s.lines
        for s in guide_for(stage, reason_known=True, confirmed=True)
        if s.situation is Situation.IDENTITY_CONFIRMED
    )
    assert talk == CONFIRMED[stage]


@pytest.mark.parametrize("language", LANGUAGES)
def test_at_an_unknown_persons_door_no_line_names_the_debt(language: str) -> None:
    before = {Situation.AT_THE_DOOR, Situation.SOMEBODY_ELSE, Situation.NOBODY_THERE}
    sections = [s for s in guide_for(CaseStage.VISIT, reason_known=True, confirmed=True) if s.situation in before]
    lines = [say(line, language).lower() for section in sections for line in section.lines]
    assert [(word, line) for word in TELLING for line in lines if word in line] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_value_that_is_told_has_a_text(language: str) -> None:
    labels = [label_id(member) for kind in LISTS for member in kind]
    assert [label for label in labels if label not in catalogue(language)] == []
