"""Words that no notice holds, and words that none holds where others read along: in both languages."""

import pytest

from fieldvisit.notices.wording import Offending, offending, visit_threats
from fieldvisit.vocabulary import NoticeOffence

THREAT, DISGUISE = NoticeOffence.THREAT, NoticeOffence.DISGUISE
DEBT, LEGAL = NoticeOffence.DEBT, NoticeOffence.LEGAL


@pytest.mark.parametrize(
    ("text", "phrase", "offence"),
    [
        ("Pay or we tell your neighbours.", "tell your neighbours", THREAT),
        ("You will be ARRESTED.", "arrested", THREAT),
        ("The courier has something for you.", "courier", DISGUISE),
        ("逾期不付，后果自负。", "后果自负", THREAT),
        ("我们将通知您单位。", "通知您单位", THREAT),
        ("您有一个快递。", "快递", DISGUISE),
    ],
)
def test_threats_and_disguises_stand_nowhere(text: str, phrase: str, offence: NoticeOffence) -> None:
    assert Offending(phrase, offence) in offending(text, is_open=False)
    assert Offending(phrase, offence) in offending(text, is_open=True)


@pytest.mark.parametrize(
    ("text", "phrase", "offence"),
    [
        ("Your debt of 100 euro", "debt", DEBT),
        ("We are debt collectors.", "debt", DEBT),
        ("You are OVERDUE", "overdue", DEBT),
        ("before we take legal action", "legal action", LEGAL),
        ("您的欠款", "欠款", DEBT),
        ("请尽快还款", "还款", DEBT),
        ("否则将起诉", "起诉", LEGAL),
    ],
)
def test_debts_and_courts_stand_only_where_nobody_else_reads(text: str, phrase: str, offence: NoticeOffence) -> None:
    assert Offending(phrase, offence) in offending(text, is_open=True)
    assert offending(text, is_open=False) == []


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("your D.E.B.T", "d.e.b.t"),
        ("your d e b t now", "d e b t"),
        ("ＤＥＢＴ", "debt"),
        ("past\ndue", "past\ndue"),
        ("欠 款", "欠 款"),
        ("欠\u200b款", "欠\u200b款"),
        ("还*款", "还*款"),
        ("d\u200be\u200bb\u200bt", "d\u200be\u200bb\u200bt"),
        ("d\u00ade\u00adbt", "d\u00ade\u00adbt"),
        ("s\u200bu\u200be you", "s\u200bu\u200be"),
        ("d      e      b      t", "d      e      b      t"),
        ("your dеbt", "dеbt"),
        ("ΟVΕRDUΕ", "οvεrduε"),
        ("a l0an", "l0an"),
        ("your d3b7", "d3b7"),
        ("débt", "débt"),
        ("d\u0336e\u0336b\u0336t", "d\u0336e\u0336b\u0336t"),
        ("𝐝𝐞𝐛𝐭", "debt"),
        ("您的債務", "債務"),
        ("請盡快還款", "還款"),
        ("欠\u200d\u2060款", "欠\u200d\u2060款"),
    ],
)
def test_signs_between_the_letters_hide_nothing(text: str, phrase: str) -> None:
    assert [each.phrase for each in offending(text, is_open=True)] == [phrase]


@pytest.mark.parametrize(
    "text",
    [
        "We will come by on Tuesday between 9 and 11.",
        "A courtesy call; the courtyard gate is open; owen lives there.",
        "We would like to talk with you about your account. Please call us.",
        "我们将于周二上午登门拜访，请来电确认时间。",
        "Flat 5, 10am; call 0401 234 567 or write to 1a@b7.example.",
        "Светлана Θεόδωρος Müller",
    ],
)
def test_an_ordinary_word_is_no_offence(text: str) -> None:
    assert offending(text, is_open=True) == []


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("If we hear nothing, we will VISIT YOU.", ["visit you"]),
        ("An agent will c.a.l.l on Monday.", ["agent will c.a.l.l"]),
        ("We'll send someone to talk about it; a home visit is next.", ["send someone to", "home visit"]),
        ("逾期不还，我们将派人前往您单位，或上 门拜访。", ["派人前往", "上 门"]),
        ("Please visit our branch, or visit your online account. An agent will help you.", []),
        ("We will return your papers.", []),
        ("请到我行网点办理，或致电客服。", []),
    ],
)
def test_a_demand_that_says_that_somebody_will_come_is_known_by_its_phrases(text: str, phrases: list[str]) -> None:
    assert [each.phrase for each in visit_threats(text)] == phrases


def test_every_phrase_is_told_once_in_the_order_of_the_text() -> None:
    found = offending("Overdue debt. Overdue! 后果自负", is_open=True)
    assert [each.phrase for each in found] == ["overdue", "debt", "后果自负"]
