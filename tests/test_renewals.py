"""Papers follow on each other, and nobody is surprised by one that runs out."""

import datetime as dt
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.credentials import papers_of
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import InvalidValue, NotFound
from fieldvisit.models import Credential, CredentialReminder, Organisation, Visitor
from fieldvisit.reminders import note_seen, raise_reminders, standing_reminders, step_of
from fieldvisit.renewals import (
    AlreadyRenewed,
    RenewalDraft,
    RevokedPaper,
    due_on,
    renew_credential,
    repeats_of,
)
from fieldvisit.vocabulary import CredentialKind, ReminderRecipient
from tests.conftest import NOW
from tests.worlds import TODAY, World, make_case, make_credential, make_visitor, make_world

K, R = CredentialKind, ReminderRecipient
DAY = dt.timedelta(days=1)
HORIZON = dt.date(2026, 5, 2)
"""The last day of the papers of this world: sixty days from today."""


@pytest.fixture
def world(sessions: sessionmaker[Session]) -> World:
    return make_world(sessions)


def make_paper(sessions: sessionmaker[Session], world: World, **given: Any) -> uuid.UUID:
    with acting_for_all(sessions) as session:
        visitor = make_visitor(session, world, papers=False)
        return make_credential(session, visitor, **{"kind": K.BADGE, **given}).id


def renew(sessions: sessionmaker[Session], world: World, paper_id: uuid.UUID, **given: Any) -> Credential:
    draft = RenewalDraft(**{"external_id": "K-next", "valid_until": HORIZON + 365 * DAY, **given})
    with acting_for(sessions, world.agency) as session:
        return renew_credential(session, paper_id, draft)


def test_a_renewal_follows_on_and_the_earlier_paper_stays(sessions: sessionmaker[Session], world: World) -> None:
    paper_id = make_paper(sessions, world, for_org_id=world.lender)
    renewed = renew(sessions, world, paper_id, number="N-2")
    assert (renewed.valid_from, renewed.renews_id, renewed.kind) == (HORIZON + DAY, paper_id, K.BADGE)
    assert (renewed.number, renewed.issuer, renewed.for_org_id) == ("N-2", "Aurora", world.lender)
    assert renew(sessions, world, paper_id, number="N-2").id == renewed.id
    with acting_for(sessions, world.agency) as session:
        kept = papers_of(session, renewed.visitor_id)
        assert [(paper.id, paper.valid_until) for paper in kept] == [
            (paper_id, HORIZON),
            (renewed.id, HORIZON + 365 * DAY),
        ]


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"valid_until": HORIZON}, "valid_until"),
        ({"valid_from": TODAY - 300 * DAY}, "valid_from"),
        ({"valid_from": HORIZON + 400 * DAY}, "valid_until"),
    ],
)
def test_days_that_do_not_follow_on_are_refused(
    sessions: sessionmaker[Session], world: World, given: dict[str, Any], path: str
) -> None:
    paper_id = make_paper(sessions, world)
    with pytest.raises(InvalidValue) as refused:
        renew(sessions, world, paper_id, **given)
    assert refused.value.details["path"] == path


def test_one_paper_follows_on_another_and_none_on_one_that_was_taken_back(
    sessions: sessionmaker[Session], world: World
) -> None:
    paper_id, revoked = make_paper(sessions, world), make_paper(sessions, world, revoked_at=NOW)
    renew(sessions, world, paper_id)
    with pytest.raises(AlreadyRenewed, match="K-next"):
        renew(sessions, world, paper_id, external_id="K-other")
    with pytest.raises(RevokedPaper):
        renew(sessions, world, revoked, external_id="K-other")
    with pytest.raises(NotFound), acting_for(sessions, world.stranger) as session:
        renew_credential(session, paper_id, RenewalDraft(external_id="K", valid_until=HORIZON + DAY))


@pytest.mark.parametrize(
    ("days_left", "step"),
    [(31, None), (30, 30), (15, 30), (14, 14), (8, 14), (7, 7), (2, 7), (1, 1), (0, 1), (-1, None)],
)
def test_the_nearest_reminder_is_due(days_left: int, step: int | None) -> None:
    assert step_of(days_left) == step


def run(sessions: sessionmaker[Session], world: World, day: dt.date) -> int:
    now = dt.datetime.combine(day, dt.time(7), dt.UTC)
    with acting_for(sessions, world.agency) as session:
        return raise_reminders(session, now, day)


def told(sessions: sessionmaker[Session], world: World) -> list[tuple[int, ReminderRecipient]]:
    with acting_for(sessions, world.agency) as session:
        rows = session.scalars(sa.select(CredentialReminder).order_by(CredentialReminder.id))
        return [(row.days_before, row.recipient) for row in rows]


def test_each_reminder_is_raised_once_to_the_holder_and_the_office(
    sessions: sessionmaker[Session], world: World
) -> None:
    make_paper(sessions, world)
    raised = [run(sessions, world, HORIZON - left * DAY) for left in (31, 30, 30, 15, 14, 8, 7, 2, 1, 1, 0, -1)]
    assert raised == [0, 2, 0, 0, 2, 0, 2, 0, 2, 0, 0, 0]
    assert told(sessions, world) == [(step, recipient) for step in (30, 14, 7, 1) for recipient in R]


def test_days_on_which_nobody_looked_are_not_made_up_for_by_a_flood(
    sessions: sessionmaker[Session], world: World
) -> None:
    make_paper(sessions, world)
    assert run(sessions, world, HORIZON - 10 * DAY) == 2
    assert run(sessions, world, HORIZON) == 2
    assert told(sessions, world) == [(14, R.HOLDER), (14, R.OFFICE), (1, R.HOLDER), (1, R.OFFICE)]


def test_what_is_renewed_taken_back_or_of_somebody_who_left_is_no_news(
    sessions: sessionmaker[Session], world: World
) -> None:
    renewed, moved = make_paper(sessions, world), make_paper(sessions, world)
    make_paper(sessions, world, revoked_at=NOW)
    left = make_paper(sessions, world)
    renew(sessions, world, renewed)
    with acting_for(sessions, world.agency) as session:
        session.get_one(Visitor, session.get_one(Credential, left).visitor_id).active = False
        session.get_one(Credential, moved).valid_until = HORIZON + 30 * DAY
    assert run(sessions, world, HORIZON - 7 * DAY) == 0
    # A date that was changed is another date: it is told anew.
    assert run(sessions, world, HORIZON + 23 * DAY) == 2


def test_a_training_is_due_when_a_policy_wants_it_repeated(sessions: sessionmaker[Session], world: World) -> None:
    paper_id = make_paper(
        sessions, world, kind=K.CERTIFICATE, valid_from=TODAY - 350 * DAY, valid_until=TODAY + 1_000 * DAY
    )
    assert run(sessions, world, TODAY) == 0
    with acting_for_all(sessions) as session:
        make_case(session, world)
        session.get_one(Organisation, world.lender).policies = ["house", "cn"]
    with acting_for(sessions, world.agency) as session:
        repeats = repeats_of(session, TODAY)
        paper = session.get_one(Credential, paper_id)
        assert (repeats, due_on(paper, repeats)) == ({K.CERTIFICATE: 12}, TODAY + 14 * DAY)
    assert run(sessions, world, TODAY) == 2
    assert told(sessions, world)[0] == (14, R.HOLDER)


def test_the_holder_sees_the_nearest_of_each_paper_and_the_office_takes_care(
    sessions: sessionmaker[Session], world: World
) -> None:
    paper_id = make_paper(sessions, world)
    for left in (30, 7):
        run(sessions, world, HORIZON - left * DAY)
    with acting_for(sessions, world.agency) as session:
        visitor_id = session.get_one(Credential, paper_id).visitor_id
        (standing,) = standing_reminders(session, visitor_id, HORIZON - 7 * DAY)
        assert (standing.days_before, standing.recipient) == (7, R.HOLDER)
        first = note_seen(session, standing.id, account_id=uuid.UUID(int=1), now=NOW)
        again = note_seen(session, standing.id, account_id=uuid.UUID(int=2), now=NOW + DAY)
        assert (first.seen_at, again.seen_by_id) == (NOW, uuid.UUID(int=1))
    renew(sessions, world, paper_id)
    with acting_for(sessions, world.agency) as session:
        assert standing_reminders(session, visitor_id, HORIZON - 6 * DAY) == []
