"""A template is saved only where it names what the policies demand and says nothing that may not be said."""

import datetime as dt
import uuid
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.compliance.parameters import NoticeAbout, NoticeContent
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import InvalidValue
from fieldvisit.notices.filing import NoticeDraft, file_notice
from fieldvisit.notices.matters import NoTemplateFits
from fieldvisit.notices.templates import (
    NoticeFormTooWeak,
    NoticeLacksContents,
    NoticeWordsRefused,
    Passage,
    TemplateDraft,
    TemplateWithdrawn,
    demand_words,
    save_template,
    templates_in_use,
    withdraw_template,
)
from fieldvisit.vocabulary import Channel
from tests.conftest import NOW
from tests.notices.worlds import asks_for, give_address, make_template, switch_on, template_draft
from tests.worlds import World, make_case

BASE = "{organisation} {date} {from_time} {until_time}"


def draft(*texts: str, **given: Any) -> TemplateDraft:
    values = {"code": "visit", "about": NoticeAbout.VISIT, "channel": Channel.EMAIL, "language": "en"}
    values |= {"subject": "A message"} | given
    return TemplateDraft(passages=tuple(Passage(text=text) for text in texts), **values)  # type: ignore[arg-type]


def short(text: str, about: NoticeAbout, channel: Channel) -> TemplateDraft:
    return draft(text, about=about, channel=channel, subject=None)


def save(sessions: sessionmaker[Session], world: World, made: TemplateDraft) -> int:
    with acting_for(sessions, world.agency) as session:
        return save_template(session, made, made_by_id=None, now=NOW).version


def case_with_address(sessions: sessionmaker[Session], world: World) -> uuid.UUID:
    with acting_for_all(sessions) as session:
        case = make_case(session, world)
        give_address(session, case)
        return case.id


def test_a_notice_that_leaves_out_what_a_policy_demands_is_refused_with_the_clause(
    sessions: sessionmaker[Session], world: World
) -> None:
    switch_on(sessions, world.agency, asks_for(contents=("date", "purpose", "companion")))
    with pytest.raises(NoticeLacksContents) as refused:
        save(sessions, world, template_draft(contents=(NoticeContent.DATE,)))
    assert refused.value.details["clause_ids"] == "contract@pohjola-field/notices/1"
    assert str(refused.value).startswith("The notice has to name: that somebody may be present, the purpose.")
    assert (
        save(
            sessions, world, template_draft(contents=(NoticeContent(each) for each in ("date", "purpose", "companion")))
        )
        == 1
    )


def test_a_written_notice_is_none_by_text_message(sessions: sessionmaker[Session], world: World) -> None:
    switch_on(sessions, world.agency, asks_for(contents=()))
    with pytest.raises(NoticeFormTooWeak):
        save(sessions, world, template_draft(channel=Channel.SMS, contents=()))


def test_a_text_that_is_read_from_its_other_end_is_refused() -> None:
    with pytest.raises(InvalidValue, match="direction of reading"):
        draft(BASE, "\u202etbed ruoy")


@pytest.mark.parametrize(
    ("made", "phrases"),
    [
        (draft(BASE, "Pay your debt or we call the police."), ["“call the police” (a threat)"]),
        (draft(BASE, "还款，否则后果自负", language="zh_CN"), ["“后果自负” (a threat)"]),
        (draft(BASE, subject="Your overdue loan"), ["“overdue” (tells of a debt)", "“loan” (tells of a debt)"]),
        (
            draft(BASE, "Your debt is {amount}.", channel=Channel.SMS, subject=None),
            ["“debt” (tells of a debt)", "“{amount}” (it tells of a debt where others read along)"],
        ),
        (draft(BASE, "de", "bt", channel=Channel.SMS, subject=None), ["“de\n\nbt” (tells of a debt)"]),
        (draft(BASE, "de{debtor_name}bt", channel=Channel.SMS, subject=None), ["“de bt” (tells of a debt)"]),
        (draft(BASE, "we tell your nеighbоurs"), ["“tell your nеighbоurs” (a threat)"]),
        (short("{organisation}：您的欠款", NoticeAbout.START, Channel.SMS), ["“欠款” (tells of a debt)"]),
        (short("{organisation}: your loan", NoticeAbout.DOOR_NOTE, Channel.VISIT), ["“loan” (tells of a debt)"]),
    ],
)
def test_what_may_not_be_said_is_refused_with_the_phrase(made: TemplateDraft, phrases: list[str]) -> None:
    with pytest.raises(NoticeWordsRefused) as refused:
        demand_words(made)
    assert str(refused.value.details["phrases"]) == ", ".join(phrases)


AUSTRALIAN = """
[demands]
id = "contract/demands/1"
no_visit_threat = true
source = "as RG 96 part 2 s. 7"
confidence = "house"
"""


def test_a_demand_that_threatens_a_visit_is_refused_with_the_phrase_and_the_clause(
    sessions: sessionmaker[Session], world: World
) -> None:
    switch_on(sessions, world.agency, AUSTRALIAN)
    letter = {"about": NoticeAbout.START, "channel": Channel.LETTER, "subject": "Before our home visit"}
    with pytest.raises(NoticeWordsRefused) as refused:
        save(sessions, world, draft("{organisation}", "Pay, or an agent will attend.", "否则将上门", **letter))
    clause = "contract@pohjola-field/demands/1"
    assert str(refused.value.details["phrases"]) == (
        f"“agent will attend” (a threat of a visit: {clause}), “上门” (a threat of a visit: {clause}), "
        f"“home visit” (a threat of a visit: {clause})"
    )
    # That somebody will come is what an appointment says, and where no policy asks, a demand may say it.
    assert save(sessions, world, draft(BASE, "We will visit you at home.")) == 1
    with acting_for(sessions, world.lender) as session:
        made = draft("{organisation}", "We may visit you.", code="start", **letter | {"subject": "A letter"})
        assert save_template(session, made, made_by_id=None, now=NOW).version == 1


def test_a_demand_that_was_saved_before_the_policy_came_is_sent_no_more(
    sessions: sessionmaker[Session], world: World
) -> None:
    made = draft("{organisation}", "We may visit you.", code="start", about=NoticeAbout.START)
    save(sessions, world, made)
    asked = NoticeDraft(about=NoticeAbout.START, case_id=case_with_address(sessions, world))
    with acting_for(sessions, world.agency) as session:
        assert file_notice(session, asked, made_by_id=None, now=NOW).body.endswith("We may visit you.")
        session.rollback()
    switch_on(sessions, world.agency, AUSTRALIAN)
    with acting_for(sessions, world.agency) as session, pytest.raises(NoTemplateFits):
        file_notice(session, asked, made_by_id=None, now=NOW)


def test_a_letter_may_name_the_debt_that_a_policy_wants_named(sessions: sessionmaker[Session], world: World) -> None:
    about = NoticeAbout.ASSIGNMENT
    contents = (NoticeContent.AMOUNT, NoticeContent.TIME_IN_DEFAULT, NoticeContent.AGENCY_NAME)
    assert save(sessions, world, template_draft(about, contents=contents, channel=Channel.LETTER)) == 1


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"texts": ("{organisation}",)}, "passages"),
        ({"texts": (BASE, "{nothing}")}, "passages"),
        ({"texts": (BASE, "{organisation.__class__}")}, "passages"),
        ({"texts": (BASE, "{date!r}")}, "passages"),
        ({"texts": (BASE, "an { open brace")}, "passages"),
        ({"texts": (BASE,), "subject": None}, "subject"),
        ({"texts": (BASE,), "channel": Channel.CALL}, "channel"),
        ({"texts": (BASE,), "language": "fi"}, "language"),
        ({"texts": (BASE,), "code": "Visit!"}, "code"),
        ({"texts": ()}, "passages"),
    ],
)
def test_a_draft_that_cannot_be_written_out_does_not_exist(given: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        draft(*given.pop("texts"), **given)
    assert refused.value.details["path"] == path


def test_a_passage_that_names_a_thing_holds_its_value() -> None:
    with pytest.raises(InvalidValue, match=r"a passage that names the amount needs \{amount\}"):
        TemplateDraft(
            code="start",
            about=NoticeAbout.START,
            channel=Channel.LETTER,
            language="en",
            subject="A message",
            passages=(Passage(text="{organisation}"), Passage(text="Quite a lot.", names=NoticeContent.AMOUNT)),
        )


def test_the_next_version_takes_the_place_of_the_one_before(sessions: sessionmaker[Session], world: World) -> None:
    first = make_template(sessions, world.agency)
    second = make_template(sessions, world.agency, subject="Another message")
    with acting_for(sessions, world.agency) as session:
        used = templates_in_use(session, world.agency, NoticeAbout.VISIT)
    assert (first.version, second.version, [each.id for each in used]) == (1, 2, [second.id])


def test_a_line_of_versions_stays_about_one_thing(sessions: sessionmaker[Session], world: World) -> None:
    make_template(sessions, world.agency)
    with pytest.raises(InvalidValue, match="differs from the earlier versions"):
        make_template(sessions, world.agency, language="zh_CN")


def test_a_withdrawn_version_is_used_no_more_and_no_earlier_one_comes_back(
    sessions: sessionmaker[Session], world: World
) -> None:
    make_template(sessions, world.agency)
    last = make_template(sessions, world.agency).id
    with acting_for(sessions, world.agency) as session:
        withdraw_template(session, last, now=NOW + dt.timedelta(hours=1))
        assert templates_in_use(session, world.agency, NoticeAbout.VISIT) == []
        with pytest.raises(TemplateWithdrawn):
            withdraw_template(session, last, now=NOW)


def test_templates_are_seen_by_their_own_organisation_alone(sessions: sessionmaker[Session], world: World) -> None:
    make_template(sessions, world.agency)
    for other in (world.lender, world.stranger):
        with acting_for(sessions, other) as session:
            assert templates_in_use(session, world.agency, NoticeAbout.VISIT) == []
