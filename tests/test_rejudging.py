"""Whatever changes, every visit ahead is judged anew: none that is unlawful stays, and none that is lawful goes."""

import datetime as dt
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.compliance.facts import ConsentForm
from fieldvisit.consents import AlreadyWithdrawn, ConsentDiffers, ConsentDraft, record_consent, withdraw_consent
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.drafts import Change
from fieldvisit.models import Credential, Organisation, Place, StoredDecision, UnservedVisit, Visit, Visitor
from fieldvisit.own_policies import PolicyDraft, PresetStays, VersionWithdrawn, add_version, withdraw_version
from fieldvisit.people import CredentialDraft, VisitorDraft, revoke_credential, upsert_credential, upsert_visitor
from fieldvisit.rejudging import Rejudged, rejudge, rejudge_debtor, visits_ahead
from fieldvisit.rejudgings import ask_rejudging, get_rejudging, preview_version, run_rejudging
from fieldvisit.visits import history_of
from fieldvisit.vocabulary import (
    AttemptResult,
    Channel,
    CredentialKind,
    PlaceKind,
    RejudgingState,
    VisitState,
)
from tests.conftest import NOW
from tests.phone.worlds import Morning, make_morning
from tests.worlds import TODAY, make_attempt

HOUSE = """
id = "house"
version = 1
title = "Our own house"
jurisdiction = "*"
status = "in_force"
effective_from = 2020-01-01
legal_force = "house"
[visits]
id = "house/visits/1"
allowed = "yes"
source = "ours"
confidence = "house"
[[windows]]
id = "house/windows/1"
days = ["mon", "tue", "wed", "thu", "fri"]
opens = "{opens}"
closes = "18:00"
source = "ours"
confidence = "house"
"""


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    """Two visits, published for ten and for half past ten of the local day."""
    return make_morning(sessions, visits=2)


def visit_of(sessions: sessionmaker[Session], visit_id: uuid.UUID) -> Visit:
    with acting_for_all(sessions) as session:
        return session.get_one(Visit, visit_id)


def act(sessions: sessionmaker[Session], org_id: uuid.UUID, do: Any) -> Any:
    with acting_for(sessions, org_id) as session:
        return do(session)


def again(sessions: sessionmaker[Session], morning: Morning, *, code: str = "test") -> Rejudged:
    found = act(sessions, morning.world.agency, lambda s: rejudge(s, morning.visits, now=NOW, code=code))
    assert isinstance(found, Rejudged)
    return found


def test_what_is_lawful_is_not_touched(sessions: sessionmaker[Session], morning: Morning) -> None:
    assert again(sessions, morning) == Rejudged()
    assert {visit_of(sessions, each).state for each in morning.visits} == {VisitState.PUBLISHED}


def test_a_paper_taken_back_takes_back_the_visits_that_rested_on_it(
    sessions: sessionmaker[Session], morning: Morning
) -> None:
    with acting_for(sessions, morning.world.agency) as session:
        card = session.scalars(
            sa.select(Credential.id).where(
                Credential.visitor_id == morning.oona, Credential.kind == CredentialKind.ID_CARD
            )
        ).one()
        revoke_credential(session, card, NOW)
    assert {visit_of(sessions, each).state for each in morning.visits} == {VisitState.ELIGIBLE}
    with acting_for(sessions, morning.world.agency) as session:
        left = session.scalars(sa.select(UnservedVisit).order_by(UnservedVisit.visit_id)).all()
        assert [row.visit_id for row in left] == sorted(morning.visits)
        assert left[0].detail["clauses"][0]["clause_id"] == "house/credentials/1"
        last = history_of(session, morning.visit)[-1]
        assert (last.kind, last.detail["cause"]) == ("eligible", "credential_revoked")
        assert session.get_one(StoredDecision, uuid.UUID(last.detail["decision_id"])).verdict == "blocked"


def test_a_paper_that_turns_out_to_be_somebody_elses_takes_back_the_visits_that_rested_on_it(
    sessions: sessionmaker[Session], morning: Morning
) -> None:
    with acting_for(sessions, morning.world.agency) as session:
        held = Credential.visitor_id == morning.oona, Credential.kind == CredentialKind.ID_CARD
        card = session.scalars(sa.select(Credential).where(*held)).one()
        whose = session.get_one(Visitor, morning.outsider)
        same = {name: getattr(card, name) for name in ("kind", "number", "issuer", "valid_from", "valid_until")}
        draft = CredentialDraft(external_id=card.external_id, visitor_id=whose.external_id, **same)
        assert upsert_credential(session, draft) == (card, Change.CHANGED)
    for visit_id in morning.visits:
        assert visit_of(sessions, visit_id).state is VisitState.ELIGIBLE
    with acting_for(sessions, morning.world.agency) as session:
        assert history_of(session, morning.visit)[-1].detail["cause"] == "credential_changed"


def test_a_late_contact_from_outside_takes_the_slot_of_a_visit_that_was_planned_before(
    sessions: sessionmaker[Session], morning: Morning
) -> None:
    with acting_for_all(sessions) as session:
        case = session.get_one(Visit, morning.visit).case
        met: dict[str, Any] = {
            "channel": Channel.VISIT,
            "result": AttemptResult.NOBODY_HOME,
            "made_by_id": morning.world.stranger,
        }
        make_attempt(session, case, at=NOW - dt.timedelta(days=2), **met)
        debtor_id = case.debtor_id
    found = act(sessions, morning.world.agency, lambda s: rejudge_debtor(s, debtor_id, now=NOW, code="late_contact"))
    assert found == Rejudged(taken_back=(morning.visit,))


def test_a_crew_on_its_way_is_told_that_the_visit_is_off(sessions: sessionmaker[Session]) -> None:
    morning = make_morning(sessions, state=VisitState.UNDER_WAY)
    with acting_for_all(sessions) as session:
        session.execute(sa.update(Organisation).values(policies=[]))
    assert again(sessions, morning) == Rejudged(cancelled=(morning.visit,))
    assert visit_of(sessions, morning.visit).cancelled_reason["code"] == "no_longer_lawful"


def test_a_visit_that_waits_is_flagged_and_waits_on(sessions: sessionmaker[Session]) -> None:
    morning = make_morning(sessions, state=VisitState.ELIGIBLE)
    with acting_for_all(sessions) as session:
        session.execute(sa.update(Organisation).values(policies=[]))
    assert again(sessions, morning) == Rejudged(flagged=(morning.visit,))
    assert visit_of(sessions, morning.visit).state is VisitState.ELIGIBLE


def consent(morning: Morning, sessions: sessionmaker[Session], **given: Any) -> ConsentDraft:
    visit = visit_of(sessions, morning.visit)
    values: dict[str, Any] = {
        "debtor_id": visit.debtor_id,
        "place_id": visit.place_id,
        "form": ConsentForm.WRITTEN,
        "given_at": NOW,
    }
    return ConsentDraft(**values | given)


def at_work(sessions: sessionmaker[Session], morning: Morning) -> None:
    with acting_for_all(sessions) as session:
        place_id = session.get_one(Visit, morning.visit).place_id
        session.execute(sa.update(Place).where(Place.id == place_id).values(kind=PlaceKind.WORK))


def test_a_consent_that_is_withdrawn_takes_back_the_visit_that_rested_on_it(
    sessions: sessionmaker[Session], morning: Morning
) -> None:
    at_work(sessions, morning)
    draft = consent(morning, sessions, external_id="letter 7")
    lender = morning.world.lender

    def record(session: Session) -> Any:
        return record_consent(session, draft, recorded_by_id=None, now=NOW, origin="test")

    given, change = act(sessions, lender, record)
    assert change is Change.ADDED
    assert act(sessions, lender, record)[1] is Change.UNCHANGED
    assert again(sessions, morning) == Rejudged()
    # The lender hears of it; the agency's visit goes back in the same transaction, off its route.
    _, found = act(sessions, lender, lambda s: withdraw_consent(s, given.id, now=NOW))
    assert found == Rejudged(taken_back=(morning.visit,))
    assert visit_of(sessions, morning.visit).state is VisitState.ELIGIBLE
    with pytest.raises(AlreadyWithdrawn):
        act(sessions, lender, lambda s: withdraw_consent(s, given.id, now=NOW))


def test_a_consent_with_other_values_under_the_same_id_is_refused(
    sessions: sessionmaker[Session], morning: Morning
) -> None:
    def record(form: ConsentForm) -> Any:
        draft = consent(morning, sessions, external_id="letter 7", form=form)
        return act(
            sessions,
            morning.world.lender,
            lambda s: record_consent(s, draft, recorded_by_id=None, now=NOW, origin="test"),
        )

    record(ConsentForm.WRITTEN)
    with pytest.raises(ConsentDiffers):
        record(ConsentForm.ANY)


def house(opens: str = "08:00", **given: Any) -> PolicyDraft:
    return PolicyDraft(**{"text": HOUSE.format(opens=opens), "effective_from": TODAY, **given})


def switch_on(sessions: sessionmaker[Session], morning: Morning, draft: PolicyDraft) -> uuid.UUID:
    row = act(
        sessions,
        morning.world.agency,
        lambda s: add_version(s, morning.world.agency, draft, made_by_id=None, now=NOW),
    )
    return uuid.UUID(str(row.id))


def run(sessions: sessionmaker[Session], morning: Morning, rejudging_id: uuid.UUID) -> Any:
    run_rejudging(sessions, lambda: NOW, morning.world.agency, rejudging_id)
    return act(sessions, morning.world.agency, lambda s: get_rejudging(s, rejudging_id))


def test_a_new_house_policy_takes_back_what_it_forbids_in_the_background_with_progress(
    sessions: sessionmaker[Session], morning: Morning
) -> None:
    # The first visit is at ten by the clock of the place, the second at half past.
    version = switch_on(sessions, morning, house("10:30"))
    with acting_for_all(sessions) as session:
        session.execute(sa.update(Organisation).where(Organisation.id == morning.world.lender).values(policies=[]))
    asked = act(
        sessions, morning.world.agency, lambda s: ask_rejudging(s, morning.world.agency, reason="policy_changed").id
    )
    done = run(sessions, morning, asked)
    assert (done.state, done.total, done.done, done.taken_back) == (RejudgingState.DONE, 2, 2, 1)
    assert [visit_of(sessions, each).state for each in morning.visits] == [VisitState.ELIGIBLE, VisitState.PUBLISHED]
    act(sessions, morning.world.agency, lambda s: withdraw_version(s, version, now=NOW))
    with pytest.raises(VersionWithdrawn):
        act(sessions, morning.world.agency, lambda s: withdraw_version(s, version, now=NOW))


def test_a_run_that_is_cut_short_goes_on_where_it_came_to(sessions: sessionmaker[Session], morning: Morning) -> None:
    switch_on(sessions, morning, house("17:59"))
    asked = act(
        sessions, morning.world.agency, lambda s: ask_rejudging(s, morning.world.agency, reason="policy_changed").id
    )
    ticks = iter([NOW])
    with pytest.raises(StopIteration):
        run_rejudging(sessions, lambda: next(ticks), morning.world.agency, asked, size=1)
    half = act(sessions, morning.world.agency, lambda s: get_rejudging(s, asked))
    assert (half.state, half.total, half.done, half.taken_back) == (RejudgingState.RUNNING, 2, 1, 1)
    done = run(sessions, morning, asked)
    assert (done.state, done.total, done.done) == (RejudgingState.DONE, 2, 2)
    # The first one waits by now; to judge it again would have flagged it.
    assert (done.taken_back, done.flagged) == (2, 0)


def test_a_preview_names_what_would_become_unlawful_and_changes_nothing(
    sessions: sessionmaker[Session], morning: Morning
) -> None:
    asked = act(
        sessions,
        morning.world.agency,
        lambda s: preview_version(s, morning.world.agency, house("10:30"), now=NOW).id,
    )
    seen = run(sessions, morning, asked)
    assert (seen.state, seen.flagged) == (RejudgingState.DONE, 1)
    assert [each["visit_id"] for each in seen.detail["unlawful"]] == [str(morning.visit)]
    assert seen.detail["unlawful"][0]["clauses"] == ["house@pohjola-field/windows/1"]
    assert {visit_of(sessions, each).state for each in morning.visits} == {VisitState.PUBLISHED}


def test_a_version_that_is_rolled_back_applies_no_more(sessions: sessionmaker[Session], morning: Morning) -> None:
    version = switch_on(sessions, morning, house("17:59"))
    act(sessions, morning.world.agency, lambda s: withdraw_version(s, version, now=NOW))
    assert again(sessions, morning) == Rejudged()


def test_a_version_binds_from_its_first_day_on(sessions: sessionmaker[Session], morning: Morning) -> None:
    switch_on(sessions, morning, house("17:59", effective_from=TODAY + dt.timedelta(days=1)))
    assert again(sessions, morning) == Rejudged()


def test_the_house_of_one_organisation_leaves_that_of_another_alone(
    sessions: sessionmaker[Session], morning: Morning
) -> None:
    act(
        sessions,
        morning.world.stranger,
        lambda s: add_version(s, morning.world.stranger, house("17:59"), made_by_id=None, now=NOW),
    )
    assert again(sessions, morning) == Rejudged()


def test_a_preset_of_the_law_cannot_be_replaced(sessions: sessionmaker[Session], morning: Morning) -> None:
    irish = house().text.replace('id = "house', 'id = "ie')
    with pytest.raises(PresetStays):
        switch_on(sessions, morning, PolicyDraft(text=irish, effective_from=TODAY))


def test_all_visits_ahead_are_found_by_whoever_makes_them_and_by_whose_they_are(
    sessions: sessionmaker[Session], morning: Morning
) -> None:
    for org_id, expected in (
        (morning.world.agency, list(morning.visits)),
        (morning.world.lender, list(morning.visits)),
        (morning.world.stranger, []),
    ):
        assert act(sessions, org_id, lambda s, org_id=org_id: s.scalars(visits_ahead(org_id)).all()) == expected


def test_who_has_left_makes_no_visit_and_those_with_them_on_it_wait_again(
    sessions: sessionmaker[Session], morning: Morning
) -> None:
    with acting_for(sessions, morning.world.agency) as session:
        oona = session.get_one(Visitor, morning.oona)
        draft = {"external_id": oona.external_id, "name": oona.name, "staff_number": oona.staff_number}
        upsert_visitor(session, VisitorDraft(**draft, phone="+358401234567"))
        assert [visit_of(sessions, each).state for each in morning.visits] == [VisitState.PUBLISHED] * 2
        assert upsert_visitor(session, VisitorDraft(**draft, active=False))[1] is Change.CHANGED
        assert upsert_visitor(session, VisitorDraft(**draft, active=False))[1] is Change.UNCHANGED
    assert {visit_of(sessions, each).state for each in morning.visits} == {VisitState.ELIGIBLE}
    with acting_for(sessions, morning.world.agency) as session:
        left = session.scalars(sa.select(UnservedVisit)).all()
        assert {clause["clause_id"] for row in left for clause in row.detail["clauses"]} == {"product/staff"}
        assert history_of(session, morning.visit)[-1].detail["cause"] == "visitor_left"
