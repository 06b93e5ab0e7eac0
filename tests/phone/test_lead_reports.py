"""A crew of two reports one visit: in whatever order, the lead's is the report, and what was counted follows it."""

import datetime as dt
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.contact_facts import attempts_of
from fieldvisit.contacts import OUR_SOURCE
from fieldvisit.database import acting_for
from fieldvisit.models import ContactAttempt, ContactAttemptKey, Promise, Visit, VisitReport, WithdrawnAttempt
from fieldvisit.phone.drafts import UndoDraft
from fieldvisit.phone.steps import arrive, check_identity
from fieldvisit.phone.undoing import undo_arrival
from fieldvisit.promises import promises_where
from fieldvisit.report_drafts import AbortDraft, AdditionDraft, Met, PromiseDraft
from fieldvisit.reports import VisitAlreadyReported, abort_visit, add_to_report, get_report, report_visit
from fieldvisit.vocabulary import (
    AbortReason,
    AttemptResult,
    Channel,
    PaymentMethod,
    UndoReason,
    VisitOutcome,
    WithdrawalReason,
)
from tests.conftest import NOW
from tests.phone.conftest import Told
from tests.phone.worlds import Morning, arrival, identity, report
from tests.worlds import TODAY

MINUTE = dt.timedelta(minutes=1)


def standing(sessions: sessionmaker[Session], morning: Morning) -> dict[str, Any]:
    """What the visit was, by what counts."""
    who = {morning.ilta: "ilta", morning.oona: "oona"}
    with acting_for(sessions, morning.world.agency) as session:
        visit = session.get_one(Visit, morning.visit)
        found = get_report(session, morning.visit)
        facts = attempts_of(session, {visit.debtor_id}, since=NOW - dt.timedelta(days=1))[visit.debtor_id]
        return {
            "state": visit.state,
            "outcome": (visit.outcome, found.outcome, who[found.visitor_id]),
            "additions": sorted((who[each.visitor_id], each.text.split("\n")[0]) for each in found.additions),
            "counted": [(fact.result, fact.at) for fact in facts if fact.channel is Channel.VISIT],
            "promises": len(session.scalars(promises_where()).all()),
        }


def both(told: Told, morning: Morning, *, lead_first: bool) -> None:
    promise = PromiseDraft(
        amount_minor=100, currency="EUR", due_on=TODAY + dt.timedelta(days=9), method=PaymentMethod.TRANSFER
    )
    accounts = [
        (morning.ilta, report(VisitOutcome.MET_OTHER, left_at=NOW + MINUTE)),
        (morning.oona, report(VisitOutcome.MET_DEBTOR, promises=(promise,))),
    ]
    for visitor_id, draft in accounts if lead_first else reversed(accounts):
        told(report_visit, draft, by=visitor_id, now=NOW + 2 * MINUTE)
        told(add_to_report, AdditionDraft(event_id=uuid.uuid4(), text="Rain."), by=visitor_id)


@pytest.fixture
def checked(told: Told) -> None:
    told(arrive, arrival())
    told(check_identity, identity())


@pytest.mark.usefixtures("checked")
def test_the_lead_s_report_stands_whichever_came_first(
    told: Told, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    both(told, morning, lead_first=False)
    found = standing(sessions, morning)
    assert found["outcome"] == (VisitOutcome.MET_OTHER, VisitOutcome.MET_OTHER, "ilta")
    assert found["counted"] == [(AttemptResult.THIRD_PARTY, NOW + MINUTE)]
    assert found["additions"] == [("ilta", "Rain."), ("oona", "Rain."), ("oona", "outcome: met_debtor")]
    assert found["promises"] == 0
    with acting_for(sessions, morning.world.agency) as session:
        why = session.scalars(sa.select(WithdrawnAttempt.why)).all()
        assert why == [WithdrawalReason.LEAD_REPORTED]
        # Nothing was taken away: the first words, the first promise and the first attempt are all still there.
        assert session.scalar(sa.select(sa.func.count()).select_from(VisitReport)) == 2
        assert session.scalar(sa.select(sa.func.count()).select_from(Promise)) == 1


@pytest.mark.usefixtures("checked")
def test_the_lead_reports_once(told: Told, morning: Morning) -> None:
    both(told, morning, lead_first=False)
    with pytest.raises(VisitAlreadyReported):
        told(report_visit, report(), by=morning.ilta)


def test_an_arrival_that_is_undone_after_the_report_was_no_contact(
    told: Told, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    sent = {"sent_at": NOW, "device_at": NOW - 60 * MINUTE}
    told(arrive, arrival(**sent))
    abort = AbortDraft(event_id=uuid.uuid4(), reason=AbortReason.OTHER, met=Met.NOBODY, sent_at=NOW, device_at=NOW)
    told(abort_visit, abort)
    assert [result for result, _ in standing(sessions, morning)["counted"]] == [AttemptResult.NOBODY_HOME]
    undone = {"sent_at": NOW, "device_at": NOW - 50 * MINUTE}
    told(undo_arrival, UndoDraft(event_id=uuid.uuid4(), reason=UndoReason.WRONG_DOOR, **undone))
    assert standing(sessions, morning)["counted"] == []
    told(arrive, arrival(sent_at=NOW, device_at=NOW - 40 * MINUTE))
    assert [result for result, _ in standing(sessions, morning)["counted"]] == [AttemptResult.NOBODY_HOME]
    with acting_for(sessions, morning.world.agency) as session:
        attempts = session.scalars(sa.select(ContactAttempt).where(ContactAttempt.channel == Channel.VISIT)).all()
        assert sorted(each.withdrawn for each in attempts) == [False, True]
        keys = sa.select(ContactAttemptKey).where(ContactAttemptKey.source == OUR_SOURCE)
        assert len(session.scalars(keys).all()) == 1
