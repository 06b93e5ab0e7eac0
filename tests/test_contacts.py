"""Contact attempts are recorded once, whoever tried and however late it is told."""

import datetime as dt
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.compliance.facts import AttemptFact
from fieldvisit.contact_facts import attempts_of
from fieldvisit.contacts import DIFFERS, AttemptDraft, RecordResult, record_attempts
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.debtors import ContactPointDraft
from fieldvisit.drafts import Change, Refusal, unseen
from fieldvisit.errors import InvalidValue
from fieldvisit.languages import Message
from fieldvisit.models import Case, ContactAttempt, ContactPoint
from fieldvisit.vocabulary import AttemptResult, Channel, ContactPointKind, ReachedDetail
from tests.conftest import NOW
from tests.worlds import World, make_attempt, make_case, make_world

NUMBER = ContactPointDraft(kind=ContactPointKind.PHONE, value="+358457000001")


@pytest.fixture
def world(sessions: sessionmaker[Session]) -> World:
    return make_world(sessions)


@pytest.fixture
def case(sessions: sessionmaker[Session], world: World) -> Case:
    """Of the lender, placed with the agency."""
    with acting_for_all(sessions) as session:
        return make_case(session, world)


def attempt(case: Case, **given: object) -> AttemptDraft:
    values = {"external_id": "A-1", "source": "dialer", "case_id": case.external_id, "channel": Channel.CALL}
    values |= {"at": NOW - dt.timedelta(days=1), "result": AttemptResult.NO_ANSWER, "contact_point": NUMBER}
    return AttemptDraft(**(values | given))  # type: ignore[arg-type]  # a maker told only what matters


def test_an_attempt_is_recorded_once(sessions: sessionmaker[Session], world: World, case: Case) -> None:
    for expected in (Change.ADDED, Change.UNCHANGED):
        with acting_for(sessions, world.lender) as session:
            assert record_attempts(session, [attempt(case)], NOW) == RecordResult((expected,))
    with acting_for(sessions, world.lender) as session:
        stored = session.scalars(sa.select(ContactAttempt)).one()
        point = session.get_one(ContactPoint, stored.contact_point_id)
    assert (stored.case_id, stored.debtor_id, stored.made_by_id) == (case.id, case.debtor_id, world.lender)
    assert (stored.at, stored.channel, stored.result, stored.detail) == (
        NOW - dt.timedelta(days=1),
        Channel.CALL,
        AttemptResult.NO_ANSWER,
        None,
    )
    assert (point.kind, point.value, point.debtor_id) == (ContactPointKind.PHONE, "+358457000001", case.debtor_id)


def test_the_outcomes_keep_the_order_of_the_drafts(sessions: sessionmaker[Session], world: World, case: Case) -> None:
    first = attempt(case)
    drafts = [
        replace(first, case_id="C-404"),
        first,
        replace(first, at=NOW + dt.timedelta(hours=1)),
        first,
        replace(first, result=AttemptResult.BUSY),
        replace(first, external_id="A-2"),
        replace(first, source="post"),
    ]
    with acting_for(sessions, world.lender) as session:
        result = record_attempts(session, drafts, NOW)
    assert result.outcomes == (
        Refusal("case_id", unseen("case", "C-404")),
        Change.ADDED,
        Refusal("at", Message("lies in the future")),
        Change.UNCHANGED,
        DIFFERS,
        Change.ADDED,
        Change.ADDED,
    )
    assert (result.added, result.refused) == (3, 3)


@pytest.mark.parametrize(
    "change",
    [
        {"at": NOW - dt.timedelta(days=2)},
        {"channel": Channel.SMS},
        {"result": AttemptResult.BUSY},
        {"result": AttemptResult.REACHED, "detail": ReachedDetail.TALKED},
        {"contact_point": None},
        {"contact_point": ContactPointDraft(kind=ContactPointKind.PHONE, value="+358457000002")},
    ],
)
def test_what_is_recorded_cannot_be_told_otherwise(
    sessions: sessionmaker[Session], world: World, case: Case, change: dict[str, object]
) -> None:
    with acting_for(sessions, world.lender) as session:
        record_attempts(session, [attempt(case)], NOW)
    with acting_for(sessions, world.lender) as session:
        assert record_attempts(session, [attempt(case, **change)], NOW).outcomes == (DIFFERS,)


def test_the_key_of_a_case_that_was_called_back_is_not_used_again(
    sessions: sessionmaker[Session], world: World, case: Case
) -> None:
    """The agency no longer sees what it recorded; the id stays taken all the same."""
    with acting_for_all(sessions) as session:
        other = make_case(session, world)
    with acting_for(sessions, world.agency) as session:
        record_attempts(session, [attempt(case)], NOW)
    with acting_for(sessions, world.lender) as session:
        session.execute(
            sa.text("update placements set until_on = date '2026-03-01' where case_id = :id"), {"id": case.id}
        )
    with acting_for(sessions, world.agency) as session:
        assert record_attempts(session, [attempt(other)], NOW).outcomes == (DIFFERS,)


def test_attempts_may_come_late_and_out_of_order(sessions: sessionmaker[Session], world: World, case: Case) -> None:
    days = [3, 400, 40, 1]
    drafts = [attempt(case, external_id=f"A-{day}", at=NOW - dt.timedelta(days=day)) for day in days]
    with acting_for(sessions, world.lender) as session:
        assert record_attempts(session, drafts, NOW).added == len(days)
        found = attempts_of(session, [case.debtor_id], since=NOW - dt.timedelta(days=365))
    assert [(NOW - fact.at).days for fact in found[case.debtor_id]] == [40, 3, 1]


def test_attempts_are_read_whole_and_for_the_debtors_asked(
    sessions: sessionmaker[Session], world: World, case: Case
) -> None:
    with acting_for_all(sessions) as session:
        other = make_case(session, world)
        made = make_attempt(
            session, case, at=NOW, result=AttemptResult.REACHED, detail=ReachedDetail.DISPUTED, channel=Channel.VISIT
        )
        make_attempt(session, other, at=NOW)
        found = attempts_of(session, [case.debtor_id], since=NOW)
    fact = AttemptFact(
        id=str(made.id),
        at=NOW,
        channel=Channel.VISIT,
        result=AttemptResult.REACHED,
        detail=ReachedDetail.DISPUTED,
        case_id=str(case.id),
    )
    assert found == {case.debtor_id: [fact]}


def test_nothing_to_record_is_nothing_recorded(sessions: sessionmaker[Session], world: World) -> None:
    with acting_for(sessions, world.lender) as session:
        assert record_attempts(session, [], NOW) == RecordResult(())


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"external_id": " "}, "external_id"),
        ({"source": ""}, "source"),
        ({"source": "visit"}, "source"),
        ({"at": dt.datetime(2026, 3, 1)}, "at"),  # noqa: DTZ001 - that is the fault
        ({"at": dt.datetime(1999, 3, 1, tzinfo=dt.UTC)}, "at"),
        ({"detail": ReachedDetail.TALKED}, "detail"),
        ({"result": AttemptResult.NOBODY_HOME}, "result"),
        ({"result": AttemptResult.NUMBER_INVALID, "contact_point": None}, "contact_point"),
        ({"channel": Channel.EMAIL}, "contact_point"),
    ],
)
def test_a_draft_that_means_nothing_is_not_made(case: Case, given: dict[str, object], path: str) -> None:
    with pytest.raises(InvalidValue) as raised:
        attempt(case, **given)
    assert raised.value.details["path"] == path
