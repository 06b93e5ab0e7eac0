"""A day planned afresh while others work on it: what somebody published or made by hand meanwhile is not lost to it."""

import uuid

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for
from fieldvisit.models import DayPlan
from fieldvisit.planning.drafting import accept_plan
from fieldvisit.planning.latest import DayMovedOn
from fieldvisit.vocabulary import DayPlanState
from tests.api.test_plan_changes import busiest, plan_of, post, reason_of
from tests.api.test_plan_changes import day as day
from tests.api.test_plan_changes import dispatcher as dispatcher
from tests.api.test_plan_changes import draft as draft
from tests.api.test_plan_changes import published as published
from tests.conftest import NOW
from tests.planning.worlds import claimed_plan, drafted, found_in, solved
from tests.worlds import World


def without_one(dispatcher: FlaskClient, published: str) -> str:
    """A draft in which somebody has taken a visit out."""
    _, visits, _ = busiest(plan_of(dispatcher, published))
    kept = post(dispatcher, published, "changes", {"kind": "remove", "visit_id": visits[0]})
    assert kept.status_code == 201, kept.json
    return str(kept.json["id"])


def test_a_search_that_began_over_one_version_is_not_drafted_over_the_next(
    dispatcher: FlaskClient, sessions: sessionmaker[Session], day: World, published: str
) -> None:
    claimed = claimed_plan(sessions, day)
    found = found_in(solved(claimed))
    second = without_one(dispatcher, published)
    assert dispatcher.post(f"/day-plans/{second}/publication").status_code == 200
    with pytest.raises(DayMovedOn), acting_for(sessions, day.agency) as session:
        accept_plan(session, claimed, found, now=NOW)
    assert plan_of(dispatcher, second)["state"] == "published"


def test_a_draft_made_by_hand_while_a_search_runs_outlives_its_end(
    dispatcher: FlaskClient, sessions: sessionmaker[Session], day: World, published: str
) -> None:
    claimed = claimed_plan(sessions, day)
    found = found_in(solved(claimed))
    mine = without_one(dispatcher, published)
    with pytest.raises(DayMovedOn), acting_for(sessions, day.agency) as session:
        accept_plan(session, claimed, found, now=NOW)
    assert plan_of(dispatcher, mine)["state"] == "draft"
    assert dispatcher.post(f"/day-plans/{mine}/undo").status_code == 200
    with acting_for(sessions, day.agency) as session:
        assert accept_plan(session, claimed, found, now=NOW)
    assert dispatcher.post(f"/day-plans/{claimed.plan_id}/publication").json["version"] == 2


def test_a_draft_over_a_version_that_another_has_replaced_is_not_published(
    dispatcher: FlaskClient, sessions: sessionmaker[Session], day: World, published: str
) -> None:
    afresh = drafted(sessions, day)
    with acting_for(sessions, day.agency) as session:
        made = session.get_one(DayPlan, afresh)
        assert (made.state, made.replaces_id) == (DayPlanState.DRAFT, uuid.UUID(published))
        made.replaces_id = None
    assert reason_of(dispatcher.post(f"/day-plans/{afresh}/publication")) == (409, "plan_outdated")
