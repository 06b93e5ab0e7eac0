"""What has to go goes, whole and with a proof; what must be kept stays, whatever else is asked."""

import dataclasses
import datetime as dt
import uuid

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.apart import LeftUndone
from fieldvisit.database import Urls, acting_for, acting_for_all, owner_engine
from fieldvisit.holds import HoldDraft, place_hold, release_hold
from fieldvisit.models import (
    Base,
    Case,
    ContactAttempt,
    Credential,
    Debtor,
    DebtorRequest,
    Purge,
    SafetySession,
    Visit,
    Visitor,
    VisitReport,
)
from fieldvisit.phone.steps import arrive, check_identity
from fieldvisit.reports import report_visit
from fieldvisit.retention.runs import look
from fieldvisit.safety.timers import BY_LEVEL
from fieldvisit.vocabulary import (
    CaseStage,
    CredentialKind,
    DebtorRequestKind,
    DebtorRequestState,
    RiskLevel,
    Role,
    SafetyState,
    VisitOutcome,
)
from tests.conftest import NOW
from tests.phone.worlds import Morning, arrival, identity, make_morning, report, teller
from tests.reports.worlds import promise
from tests.retention.worlds import GOES_AFTER_A_YEAR, YEAR, close, demand, make_finished, purge, rule
from tests.safety.worlds import make_account
from tests.worlds import make_attempt, make_credential

# That something was asked, seen or purged is kept with the ids alone.
KEEPS_IDS = {"debtor_accesses", "debtor_requests", "audit_events"}


def ids_of(sessions: sessionmaker[Session], morning: Morning, place: int = 0) -> set[uuid.UUID]:
    with acting_for_all(sessions) as session:
        visit = session.get_one(Visit, morning.visits[place])
        return {visit.id, visit.case_id, visit.debtor_id}


def left(sessions: sessionmaker[Session], ids: set[uuid.UUID]) -> dict[str, int]:
    """Every row of every table that says one of these ids in a column of its own."""
    found = {}
    with acting_for_all(sessions) as session:
        for table in Base.metadata.sorted_tables:
            columns = [column for column in table.columns if isinstance(column.type, sa.Uuid)]
            says = sa.or_(sa.false(), *(column.in_(ids) for column in columns))
            count = session.scalar(sa.select(sa.func.count()).select_from(table).where(says))
            if count and table.name not in KEEPS_IDS:
                found[table.name] = count
    return found


def test_without_a_longest_time_nothing_goes(sessions: sessionmaker[Session], urls: Urls) -> None:
    morning = make_finished(sessions)
    proof = purge(urls, morning, after=30 * YEAR)
    assert (proof.records, proof.rows) == ({}, {})
    assert proof.left_as == {"not_asked": {"attempt": 5, "case": 1, "visit": 1}}


def test_what_has_to_go_goes_with_all_that_hangs_on_it_and_the_debtor_with_the_last_case(
    sessions: sessionmaker[Session], urls: Urls
) -> None:
    morning = make_finished(sessions)
    demand(sessions, morning, GOES_AFTER_A_YEAR)
    ids = ids_of(sessions, morning)
    assert {"contact_attempts", "visit_reports", "door_records", "decisions", "visit_events"} <= left(
        sessions, ids
    ).keys()
    proof = purge(urls, morning, after=2 * YEAR)
    assert left(sessions, ids) == {}
    assert proof.records == {"attempt": 5, "case": 1, "debtor": 1, "visit": 1}
    assert (proof.rows["contact_attempts"], proof.rows["visit_reports"], proof.rows["debtors"]) == (5, 1, 1)
    assert proof.policies == [["house", 1], ["house@aurora-lend", 1], ["house@aurora-lend", 2]]
    assert (proof.made_by, proof.started_at, proof.finished_at) == ("test", NOW + 2 * YEAR, NOW + 2 * YEAR)
    again = purge(urls, morning, after=2 * YEAR)
    assert (again.records, again.left_as) == ({}, {})


def test_the_least_time_of_one_policy_keeps_what_another_wants_gone(
    sessions: sessionmaker[Session], urls: Urls
) -> None:
    morning = make_finished(sessions)
    demand(sessions, morning, GOES_AFTER_A_YEAR + rule(3, "contact", "last_activity", "min", "P3Y"))
    proof = purge(urls, morning, after=2 * YEAR)
    assert proof.records == {}
    assert proof.left_as == {"conflict": {"attempt": 5, "visit": 1}, "in_use": {"case": 1}}
    assert purge(urls, morning, after=4 * YEAR).records == {"attempt": 5, "case": 1, "debtor": 1, "visit": 1}


def test_a_case_outlives_its_contacts_and_still_goes_by_them(sessions: sessionmaker[Session], urls: Urls) -> None:
    morning = make_finished(sessions)
    demand(sessions, morning, GOES_AFTER_A_YEAR + rule(3, "case", "last_activity", "min", "P3Y"))
    with acting_for_all(sessions) as session:
        session.execute(sa.update(Case).values(created_at=NOW - 3 * YEAR))
    assert purge(urls, morning, after=YEAR).records == {"attempt": 5, "visit": 1}
    for after in (YEAR, 2 * YEAR):
        proof = purge(urls, morning, after=after)
        assert (proof.records, proof.left_as) == ({}, {"conflict": {"case": 1}})
    assert purge(urls, morning, after=4 * YEAR).records == {"case": 1, "debtor": 1}


def test_a_case_whose_visits_have_gone_still_goes_by_the_last_of_them(
    sessions: sessionmaker[Session], urls: Urls
) -> None:
    morning = make_finished(sessions)
    demand(sessions, morning, rule(1, "contact", "created", "max", "P1Y") + rule(2, "case", "visit", "max", "P2Y"))
    assert purge(urls, morning, after=YEAR).records == {"attempt": 5, "visit": 1}
    assert purge(urls, morning, after=3 * YEAR).records == {"case": 1, "debtor": 1}


def test_a_least_time_from_the_visit_does_not_keep_calls_for_ever(sessions: sessionmaker[Session], urls: Urls) -> None:
    morning = make_finished(sessions)
    demand(sessions, morning, GOES_AFTER_A_YEAR + rule(3, "contact", "visit", "min", "P3Y"))
    proof = purge(urls, morning, after=2 * YEAR)
    assert (proof.records, proof.left_as["conflict"]) == ({"attempt": 4}, {"attempt": 1, "visit": 1})
    assert purge(urls, morning, after=4 * YEAR).records == {"attempt": 1, "case": 1, "debtor": 1, "visit": 1}


def test_a_legal_hold_wins_until_it_is_released(sessions: sessionmaker[Session], urls: Urls) -> None:
    morning = make_finished(sessions, visits=2)
    demand(sessions, morning, GOES_AFTER_A_YEAR)
    with acting_for(sessions, morning.world.lender) as session:
        debtor_id = session.get_one(Visit, morning.visit).debtor_id
        hold = place_hold(session, HoldDraft(debtor_id=debtor_id, reason="A suit."), placed_by_id=None, now=NOW).id
    held = ids_of(sessions, morning)
    before = left(sessions, held)
    proof = purge(urls, morning, after=2 * YEAR)
    assert (proof.records["debtor"], proof.left_as) == (1, {"held": {"attempt": 5, "case": 1, "visit": 1}})
    assert left(sessions, held) == before
    with acting_for(sessions, morning.world.lender) as session:
        release_hold(session, hold, released_by_id=None, now=NOW)
    assert purge(urls, morning, after=2 * YEAR).records["debtor"] == 1
    assert left(sessions, held) == {}


def test_what_is_still_going_on_stays(sessions: sessionmaker[Session], urls: Urls) -> None:
    morning = make_morning(sessions)
    demand(sessions, morning, GOES_AFTER_A_YEAR)
    proof = purge(urls, morning, after=2 * YEAR)
    assert (proof.records, proof.left_as) == ({"attempt": 4}, {"in_use": {"case": 1, "visit": 1}})


def test_a_promise_in_a_report_that_the_lead_s_replaced_keeps_nothing(
    sessions: sessionmaker[Session], urls: Urls
) -> None:
    morning = make_morning(sessions)
    with acting_for(sessions, morning.world.agency) as session:
        arrive(session, morning.visit, arrival(), by=teller(morning.oona), now=NOW, geofence_m=150)
        check_identity(session, morning.visit, identity(), by=teller(morning.oona), now=NOW)
        mates = report(VisitOutcome.MET_DEBTOR, disclosed=True, promises=(promise(),))
        report_visit(session, morning.visit, mates, by=teller(morning.oona), now=NOW)
        report_visit(session, morning.visit, report(VisitOutcome.MET_OTHER), by=teller(morning.ilta), now=NOW)
    close(sessions, morning.visit)
    demand(sessions, morning, GOES_AFTER_A_YEAR)
    assert purge(urls, morning, after=2 * YEAR).records["visit"] == 1


def test_each_contact_goes_by_its_own_date(sessions: sessionmaker[Session], urls: Urls) -> None:
    morning = make_finished(sessions)
    demand(sessions, morning, GOES_AFTER_A_YEAR)
    with acting_for_all(sessions) as session:
        make_attempt(session, session.get_one(Visit, morning.visit).case, at=NOW + dt.timedelta(days=60))
    proof = purge(urls, morning, after=dt.timedelta(days=370))
    assert (proof.records, proof.left_as["not_asked"]) == ({"attempt": 5, "visit": 1}, {"attempt": 1})
    with acting_for_all(sessions) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(ContactAttempt)) == 1
        assert session.scalar(sa.select(sa.func.count()).select_from(Debtor)) == 1


def test_a_case_that_is_opened_again_is_not_closed_any_more(sessions: sessionmaker[Session]) -> None:
    morning = make_finished(sessions)
    with acting_for_all(sessions) as session:
        assert session.scalars(sa.select(Case.closed_on)).one() == NOW.date()
    close(sessions, morning.visit, CaseStage.VISIT)
    with acting_for_all(sessions) as session:
        assert session.scalars(sa.select(Case.closed_on)).one() is None


def test_a_case_that_cannot_go_stops_no_other_and_the_next_run_takes_it(
    sessions: sessionmaker[Session], urls: Urls
) -> None:
    morning = make_finished(sessions, visits=3)
    demand(sessions, morning, GOES_AFTER_A_YEAR)
    ids = set().union(*(ids_of(sessions, morning, place) for place in range(3)))
    with acting_for_all(sessions) as session:
        case_id = min(session.scalars(sa.select(Case.id)))
    engine = owner_engine(urls)
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "create function dies() returns trigger language plpgsql as"
                " $$ begin raise exception 'the power is gone'; end $$"
            )
        )
        connection.execute(
            sa.text(
                "create trigger dies before delete on cases for each row"
                f" when (old.id = '{case_id}') execute function dies()"
            )
        )
    with pytest.raises(LeftUndone, match="1 failed: purged"):
        purge(urls, morning, after=2 * YEAR)
    with acting_for_all(sessions) as session:
        died = session.scalars(sa.select(Purge)).one()
        assert (died.finished_at, died.records["case"], died.rows["cases"]) == (NOW + 2 * YEAR, 2, 2)
        assert (died.records["visit"], died.left_as) == (2, {"undone": {"case": 1}})
        assert session.scalar(sa.select(sa.func.count()).select_from(VisitReport)) == 1
    with engine.begin() as connection:
        connection.execute(sa.text("drop trigger dies on cases"))
    engine.dispose()
    assert purge(urls, morning, after=2 * YEAR).records["case"] == 1
    assert left(sessions, ids) == {}


def test_a_paper_for_a_case_goes_with_it_and_its_next_term_stays(sessions: sessionmaker[Session], urls: Urls) -> None:
    morning = make_finished(sessions)
    demand(sessions, morning, GOES_AFTER_A_YEAR)
    with acting_for_all(sessions) as session:
        visitor = session.get_one(Visitor, morning.ilta)
        letter = CredentialKind.AUTHORISATION_LETTER
        first = make_credential(session, visitor, kind=letter, for_case_id=session.scalars(sa.select(Case.id)).one())
        # A later file of HR has it for any case.
        second = make_credential(session, visitor, kind=letter, renews_id=first.id).id
    proof = purge(urls, morning, after=2 * YEAR)
    assert (proof.records["case"], proof.rows["credentials"]) == (1, 1)
    with acting_for_all(sessions) as session:
        assert session.get_one(Credential, second).renews_id is None


def test_the_door_of_whoever_is_in_alarm_is_not_forgotten_under_them(
    sessions: sessionmaker[Session], urls: Urls
) -> None:
    morning = make_finished(sessions)
    demand(sessions, morning, GOES_AFTER_A_YEAR)
    row = SafetySession(
        id=uuid.uuid4(),
        org_id=morning.world.agency,
        visitor_id=morning.ilta,
        visit_id=morning.visit,
        level=RiskLevel.NORMAL,
        state=SafetyState.ALARM,
        policy=BY_LEVEL[RiskLevel.NORMAL].as_json(),
        started_at=NOW,
        last_lat=60.2,
        last_lon=24.9,
    )
    with acting_for_all(sessions) as session:
        session.add(row)
    assert purge(urls, morning, after=2 * YEAR).left_as == {"in_use": {"case": 1, "visit": 1}}
    with acting_for_all(sessions) as session:
        found = session.scalars(sa.select(SafetySession)).one()
        assert (found.visit_id, found.last_lat) == (morning.visit, 60.2)
        found.state, found.ended_at = SafetyState.ENDED, NOW
    assert purge(urls, morning, after=2 * YEAR).records["visit"] == 1
    with acting_for_all(sessions) as session:
        assert session.scalars(sa.select(SafetySession.visit_id)).one() is None


def test_whoever_was_granted_to_be_forgotten_goes_as_soon_as_the_least_time_is_over(
    sessions: sessionmaker[Session], urls: Urls
) -> None:
    morning = make_finished(sessions)
    demand(sessions, morning, rule(1, "contact", "created", "min", "P2Y"))
    with acting_for_all(sessions) as session:
        debtor = session.get_one(Debtor, session.get_one(Visit, morning.visit).debtor_id)
        officer = make_account(session, dataclasses.replace(morning.world, agency=morning.world.lender), Role.ADMIN)
        session.add(
            DebtorRequest(
                org_id=debtor.org_id,
                debtor_id=debtor.id,
                kind=DebtorRequestKind.ERASURE,
                state=DebtorRequestState.DONE,
                received_at=NOW,
                recorded_by_id=officer.id,
                words="Forget me, says Meri.",
                answered_at=NOW,
                answer="As soon as the law lets us.",
            )
        )
    assert purge(urls, morning, after=YEAR).records == {}
    assert purge(urls, morning, after=3 * YEAR).records == {"attempt": 5, "case": 1, "debtor": 1, "visit": 1}
    with acting_for_all(sessions) as session:
        asked = session.scalars(sa.select(DebtorRequest)).one()
        assert (asked.state, asked.words, asked.answer) == (DebtorRequestState.DONE, None, None)


def test_whoever_was_granted_to_be_forgotten_and_has_no_case_goes_too_unless_on_hold(
    sessions: sessionmaker[Session], urls: Urls
) -> None:
    morning = make_morning(sessions)
    lender = morning.world.lender
    with acting_for_all(sessions) as session:
        officer = make_account(session, dataclasses.replace(morning.world, agency=lender), Role.ADMIN)
        free, held, unasked = (Debtor(org_id=lender, external_id=f"D-{n}", name="Meri Example") for n in range(3))
        session.add_all([free, held, unasked])
        session.flush()
        kind, done = DebtorRequestKind.ERASURE, DebtorRequestState.DONE
        asked = {"kind": kind, "state": done, "received_at": NOW, "recorded_by_id": officer.id, "answered_at": NOW}
        session.add_all(DebtorRequest(org_id=lender, debtor_id=one.id, **asked, answer="Yes.") for one in (free, held))
        ids = [one.id for one in (free, held, unasked)]
    with acting_for(sessions, lender) as session:
        place_hold(session, HoldDraft(debtor_id=ids[1], reason="A suit."), placed_by_id=None, now=NOW)
    looked = look(sessions, lender, today=NOW.date())
    proof = purge(urls, morning, after=dt.timedelta())
    assert (proof.records, proof.rows["debtors"], proof.ids_sha256) == ({"debtor": 1}, 1, looked.ids_sha256)
    with acting_for_all(sessions) as session:
        assert [session.get(Debtor, one) is None for one in ids] == [True, False, False]


def test_the_application_itself_can_neither_purge_nor_write_a_proof(
    sessions: sessionmaker[Session],
) -> None:
    morning = make_finished(sessions)
    for statement in (sa.delete(ContactAttempt), sa.insert(Purge).values(org_id=morning.world.lender)):
        with pytest.raises(ProgrammingError, match="permission denied"), acting_for_all(sessions) as session:
            session.execute(statement)
