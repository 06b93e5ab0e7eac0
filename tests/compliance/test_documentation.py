"""What the operator reads about the presets is what the presets say, and can be read back."""

from pathlib import Path

import pytest

import fieldvisit
from fieldvisit.compliance.describing import Clause, clauses_of, confidences
from fieldvisit.compliance.loading import load_preset, preset_names
from fieldvisit.compliance.pages import pages
from fieldvisit.compliance.parameters import Breach, Confidence, PolicyStatus
from fieldvisit.languages import LANGUAGES, say

FOLDER = Path(fieldvisit.__file__).parent.parent / "docs" / "policies"


def rows(text: str) -> list[list[str]]:
    """The cells of the page's table, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines[2:]]


def test_the_pages_are_made_from_the_presets() -> None:
    written = {path.name: path.read_text("utf-8") for path in FOLDER.iterdir()}
    assert written == pages()


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_can_be_read_back_from_its_page(name: str) -> None:
    read_back = [Clause(*row[:7]) for row in rows((FOLDER / f"{name}.md").read_text("utf-8"))]
    assert read_back == clauses_of(load_preset(name))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rule_is_told_in_sentences_of_the_readers_language(language: str) -> None:
    for name in preset_names():
        for clause in clauses_of(load_preset(name)):
            told = say(clause.words, language)
            assert told.endswith("." if language == "en" else "。"), (clause.id, told)
            assert "{" not in told, (clause.id, told)


def test_words_that_are_written_the_same_in_two_lists_are_told_apart() -> None:
    words = {clause.id: clause.words for clause in clauses_of(load_preset("us"))}
    assert say(words["us/caps/1"], "en") == "At most 7 within 7 days for each case, of: Call. Every attempt is counted."
    assert say(words["us/caps/1"], "zh_CN") == "7 天内对每一案件至多 7 次，计入：电话。每次尝试均计入。"


def test_the_index_counts_the_rules_by_confidence() -> None:
    for name, row in zip(preset_names(), rows((FOLDER / "README.md").read_text("utf-8")), strict=True):
        counts = confidences(load_preset(name))
        assert row[5:] == [str(sum(counts.values())), *(str(counts[confidence]) for confidence in Confidence)]


def test_what_was_only_remembered_binds_nobody_and_a_draft_is_marked_as_one() -> None:
    presets = [load_preset(name) for name in preset_names()]
    unconfirmed = [
        rule for policy in presets for _, rule in policy.rules() if rule.confidence is Confidence.UNCONFIRMED
    ]
    assert len(unconfirmed) > 10
    assert {rule.on_breach for rule in unconfirmed} == {Breach.WARN}
    assert [policy.id for policy in presets if policy.status is PolicyStatus.DRAFT] == ["in-draft"]


def test_only_the_house_and_what_a_preset_calls_its_own_reading_rest_on_the_house() -> None:
    for name in preset_names():
        for _, rule in load_preset(name).rules():
            if name != "house":
                assert (rule.confidence is Confidence.HOUSE) == (rule.legal_force == "house"), rule.id
