"""Only what its policy lets be overridden, by the role that it names, with a reason, and a second person if asked."""

import datetime as dt
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.accounts import AccountDraft, Passwords, create_account
from fieldvisit.compliance.intervals import Interval
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.decisions import AtTheDoor, judge_all
from fieldvisit.errors import NotFound, NotPermitted
from fieldvisit.models import Account, Override, Visit
from fieldvisit.overrides import (
    NotOverridable,
    OverriddenBefore,
    OverrideCount,
    OverrideDraft,
    OverrideSettled,
    Person,
    SecondPersonNeeded,
    confirm_override,
    override_clause,
    override_report,
    revoke_override,
)
from fieldvisit.own_policies import PolicyDraft, add_version
from fieldvisit.visits import get_visit, history_of
from fieldvisit.vocabulary import CheckMoment, Role, Verdict, VisitState
from tests.conftest import NOW
from tests.phone.worlds import Morning, make_morning
from tests.worlds import TODAY

POLICY = """
id = "afternoons"
version = 1
title = "Afternoons only"
jurisdiction = "*"
status = "in_force"
effective_from = 2020-01-01
legal_force = "house"
[visits]
id = "afternoons/visits/1"
allowed = "{allowed}"
source = "ours"
confidence = "house"
[[windows]]
id = "afternoons/windows/1"
days = ["mon", "tue", "wed", "thu", "fri"]
opens = "12:00"
closes = "18:00"
source = "ours"
confidence = "house"
on_breach = "needs_override"
override_role = "supervisor"
second_person = {second}
"""
CLAUSE = "afternoons@pohjola-field/windows/1"
TEN = dt.datetime.combine(TODAY, dt.time(8), dt.UTC)
"""Ten in the morning by the clock of the place."""


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    return make_morning(sessions)


def switch_on(sessions: sessionmaker[Session], morning: Morning, *, second: bool = False, allowed: str = "yes") -> None:
    text = POLICY.format(second=str(second).lower(), allowed=allowed)
    with acting_for(sessions, morning.world.agency) as session:
        draft = PolicyDraft(text=text, effective_from=TODAY)
        add_version(session, morning.world.agency, draft, made_by_id=None, now=NOW)


def person(sessions: sessionmaker[Session], morning: Morning, role: Role = Role.SUPERVISOR) -> Person:
    name = f"p{uuid.uuid4().hex[:8]}"
    draft = AccountDraft(username=name, password="correct horse battery", roles=(role,))
    with acting_for(sessions, morning.world.agency) as session:
        account = create_account(session, morning.world.agency, draft, Passwords(environment="test"))
        return Person(account_id=account.id, roles=(role,))


def ask(sessions: sessionmaker[Session], morning: Morning, by: Person, *, clause: str = CLAUSE) -> Override:
    draft = OverrideDraft(clause_id=clause, begins_at=TEN, reason="The debtor asked for the morning by letter.")
    with acting_for(sessions, morning.world.agency) as session:
        return override_clause(session, morning.visit, draft, by=by, now=NOW)


def verdict(sessions: sessionmaker[Session], morning: Morning) -> tuple[Verdict, list[str | None]]:
    with acting_for(sessions, morning.world.agency) as session:
        visit = get_visit(session, morning.visit)
        span = Interval(TEN, TEN + dt.timedelta(minutes=20))
        asked = AtTheDoor(visit=visit, span=span, visitor_ids=[morning.ilta])
        (judged,) = judge_all(session, [asked], moment=CheckMoment.PUBLISHING, now=NOW)
        named = [c.overridden_by for c in judged.decision.clauses if c.clause_id == CLAUSE]
        return judged.decision.verdict, named


def test_an_override_lets_the_visit_pass_and_the_decision_names_it(
    sessions: sessionmaker[Session], morning: Morning
) -> None:
    switch_on(sessions, morning)
    assert verdict(sessions, morning) == (Verdict.NEEDS_OVERRIDE, [None])
    row = ask(sessions, morning, person(sessions, morning))
    assert verdict(sessions, morning) == (Verdict.ALLOWED, [str(row.id)])


def test_an_override_waits_for_the_second_person(sessions: sessionmaker[Session], morning: Morning) -> None:
    switch_on(sessions, morning, second=True)
    first, other = person(sessions, morning), person(sessions, morning)
    row = ask(sessions, morning, first)
    assert verdict(sessions, morning)[0] is Verdict.NEEDS_OVERRIDE
    with acting_for(sessions, morning.world.agency) as session, pytest.raises(SecondPersonNeeded):
        confirm_override(session, row.id, by=first, now=NOW)
    with acting_for(sessions, morning.world.agency) as session:
        confirm_override(session, row.id, by=other, now=NOW)
    assert verdict(sessions, morning)[0] is Verdict.ALLOWED
    with acting_for(sessions, morning.world.agency) as session, pytest.raises(OverrideSettled):
        confirm_override(session, row.id, by=other, now=NOW)


def test_only_the_role_that_the_clause_names_may(sessions: sessionmaker[Session], morning: Morning) -> None:
    switch_on(sessions, morning)
    with pytest.raises(NotPermitted):
        ask(sessions, morning, person(sessions, morning, Role.DISPATCHER))


def test_what_is_blocked_nobody_opens(sessions: sessionmaker[Session], morning: Morning) -> None:
    switch_on(sessions, morning, allowed="forbidden")
    supervisor = person(sessions, morning)
    with pytest.raises(NotOverridable):
        ask(sessions, morning, supervisor, clause="afternoons@pohjola-field/visits/1")
    ask(sessions, morning, supervisor)
    assert verdict(sessions, morning)[0] is Verdict.BLOCKED


def test_a_clause_that_is_kept_or_not_there_cannot_be_overridden(
    sessions: sessionmaker[Session], morning: Morning
) -> None:
    supervisor = person(sessions, morning)
    with pytest.raises(NotOverridable):
        ask(sessions, morning, supervisor, clause="house/windows/1")
    with pytest.raises(NotFound):
        ask(sessions, morning, supervisor)


def test_an_override_is_given_once_and_taken_back_once(sessions: sessionmaker[Session], morning: Morning) -> None:
    switch_on(sessions, morning)
    supervisor = person(sessions, morning)
    row = ask(sessions, morning, supervisor)
    with acting_for(sessions, morning.world.agency) as session:
        revoke_override(session, row.id, now=NOW)
    assert verdict(sessions, morning)[0] is Verdict.NEEDS_OVERRIDE
    with acting_for(sessions, morning.world.agency) as session, pytest.raises(OverrideSettled):
        revoke_override(session, row.id, now=NOW)
    with pytest.raises(OverriddenBefore):
        ask(sessions, morning, supervisor)


def test_a_visit_that_is_out_on_an_override_alone_is_taken_back_with_it(
    sessions: sessionmaker[Session], morning: Morning
) -> None:
    switch_on(sessions, morning)
    row = ask(sessions, morning, person(sessions, morning))
    with acting_for(sessions, morning.world.agency) as session:
        assert get_visit(session, morning.visit).state is VisitState.PUBLISHED
        revoke_override(session, row.id, now=NOW)
        assert get_visit(session, morning.visit).state is VisitState.ELIGIBLE
        assert history_of(session, morning.visit)[-1].detail["cause"] == "override_revoked"


def test_the_report_counts_by_person_and_clause(sessions: sessionmaker[Session], morning: Morning) -> None:
    switch_on(sessions, morning)
    supervisor = person(sessions, morning)
    ask(sessions, morning, supervisor)
    with acting_for(sessions, morning.world.agency) as session:
        (found,) = override_report(session)
        known = session.get_one(Account, supervisor.account_id).username
    assert found == OverrideCount(supervisor.account_id, known, CLAUSE, count=1, confirmed=0, revoked=0, last_at=NOW)
    with acting_for(sessions, morning.world.lender) as session:
        assert [each.asked_by for each in override_report(session)] == [None]
    with acting_for(sessions, morning.world.stranger) as session:
        assert override_report(session) == []


def test_the_reason_is_sealed(sessions: sessionmaker[Session], morning: Morning, engine: sa.Engine) -> None:
    switch_on(sessions, morning)
    row = ask(sessions, morning, person(sessions, morning))
    with acting_for_all(sessions) as session:
        stored: Any = session.execute(sa.text("select reason from overrides")).scalar_one()
        assert b"letter" not in bytes(stored)
        assert session.get_one(Visit, row.visit_id).id == morning.visit
