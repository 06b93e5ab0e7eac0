"""A lender looks at its agencies and writes down when: its own policy may stop those that nobody looked at."""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.rejudgings import run_rejudging
from fieldvisit.vocabulary import Role
from tests.api.conftest import ClientFor
from tests.conftest import NOW
from tests.phone.worlds import Morning, make_morning
from tests.worlds import OWN_POLICY, TODAY

YEARLY = """
[[agency_reviews]]
id = "contract/agency_reviews/1"
kind = "evaluation"
every_months = 12
source = "a contract"
confidence = "house"
"""
CLAUSE = "contract@aurora-lend/agency_reviews/1"
A_YEAR_AGO = (TODAY - dt.timedelta(days=370)).isoformat()


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    return make_morning(sessions)


@pytest.fixture
def lender(client_for: ClientFor, morning: Morning) -> FlaskClient:
    return client_for(Role.SUPERVISOR, org=morning.world.lender)


@pytest.fixture
def agency(client_for: ClientFor, morning: Morning) -> FlaskClient:
    return client_for(Role.SUPERVISOR, org=morning.world.agency)


@pytest.fixture
def judged(sessions: sessionmaker[Session], morning: Morning) -> Callable[[Any], None]:
    """What the worker does with the run that an answer names."""

    def run(answer: Any) -> None:
        run_rejudging(sessions, lambda: NOW, morning.world.lender, uuid.UUID(answer["rejudging"]["id"]))

    return run


def reviewed(client: FlaskClient, **given: Any) -> Any:
    body = {"agency": "pohjola-field", "kind": "evaluation", "reviewed_on": TODAY.isoformat()} | given
    return client.post("/agency-reviews", json=body)


def test_an_agency_that_nobody_looked_at_may_not_go_where_the_lenders_policy_says_so(
    lender: FlaskClient, agency: FlaskClient, morning: Morning, judged: Callable[[Any], None]
) -> None:
    late = reviewed(lender, reviewed_on=A_YEAR_AGO, reference="2025/7")
    assert (late.status_code, late.json["agency_review"]["kind_words"]) == (201, "evaluation")
    assert lender.get("/agency-reviews/standing").json == {"standing": []}  # nobody asks for it yet

    asked = reviewed(lender).json
    policy = {"toml": OWN_POLICY + YEARLY, "effective_from": TODAY.isoformat()}
    judged(lender.post("/policy-versions", json=policy).json)
    assert agency.get(f"/visits/{morning.visit}").json["state"] == "published"
    (row,) = lender.get("/agency-reviews/standing").json["standing"]
    assert (row["agency"], row["clause_id"], row["overdue"]) == ("pohjola-field", CLAUSE, False)
    assert (row["reviewed_on"], row["good_until"]) == ("2026-03-03", "2027-03-02")
    # The agency sees what was found of it, and cannot take it back.
    assert agency.get("/agency-reviews").json["items"][0]["id"] == asked["agency_review"]["id"]
    assert agency.post(f"/agency-reviews/{asked['agency_review']['id']}/withdrawal").status_code == 404
    assert reviewed(agency).status_code == 422

    judged(lender.post(f"/agency-reviews/{asked['agency_review']['id']}/withdrawal").json)
    assert agency.get(f"/visits/{morning.visit}").json["state"] == "eligible"
    said = agency.get(f"/visits/{morning.visit}/explanation").json
    (clause,) = [each for each in said["clauses"] if each["clause_id"] == CLAUSE]
    assert clause["words"].startswith("The agency was last reviewed on 2025-02-26; that holds until 2026-02-25")
    assert lender.get("/agency-reviews/standing").json["standing"][0]["overdue"] is True
    again = lender.post(f"/agency-reviews/{asked['agency_review']['id']}/withdrawal")
    assert (again.status_code, again.json["code"]) == (409, "review_withdrawn")


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"reviewed_on": (TODAY + dt.timedelta(days=1)).isoformat()}, "reviewed_on"),
        ({"agency": "nobody"}, "agency"),
        ({"next_due_on": TODAY.isoformat()}, "next_due_on"),
    ],
)
def test_a_review_that_cannot_be_is_refused(lender: FlaskClient, given: dict[str, str], pointer: str) -> None:
    answer = reviewed(lender, **given)
    assert (answer.status_code, answer.json["details"]["path"]) == (422, pointer)
