"""Lists in pages: everything once, whatever the size of the page."""

import base64
import datetime as dt

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for
from fieldvisit.vocabulary import Role
from tests.api.conftest import ClientFor
from tests.conftest import NOW
from tests.worlds import World, make_attempt, make_case, make_visitor


def pages(client: FlaskClient, path: str, limit: int) -> list[list[str]]:
    """The ids of each page, to the last."""
    found, after = [], ""
    while True:
        answer = client.get(f"{path}?limit={limit}{after}")
        found.append([item["id"] for item in answer.json["items"]])
        if answer.json["next"] is None:
            return found
        after = f"&after={answer.json['next']}"


@pytest.mark.parametrize(("limit", "sizes"), [(1, [1, 1, 1, 1, 1]), (2, [2, 2, 1]), (5, [5]), (200, [5])])
def test_every_row_is_on_one_page_in_order(
    client_for: ClientFor, sessions: sessionmaker[Session], world: World, limit: int, sizes: list[int]
) -> None:
    with acting_for(sessions, world.agency) as session:
        visitors = [str(make_visitor(session, world, papers=False).id) for _ in range(5)]
    found = pages(client_for(Role.DISPATCHER, org=world.agency), "/visitors", limit)
    assert [len(page) for page in found] == sizes
    assert [each for page in found for each in page] == visitors


def test_rows_of_the_same_instant_are_neither_skipped_nor_shown_twice(
    client_for: ClientFor, sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for(sessions, world.lender) as session:
        case = make_case(session, world)
        when = NOW - dt.timedelta(hours=2)
        later = str(make_attempt(session, case, at=NOW - dt.timedelta(hours=1)).id)
        same = {str(make_attempt(session, case, at=when).id) for _ in range(4)}
    found = pages(client_for(Role.AUDITOR, org=world.lender), f"/cases/{case.id}/contact-attempts", 2)
    assert found[0][0] == later
    assert sorted(each for page in found for each in page) == sorted([later, *same])


@pytest.mark.parametrize("after", ["x", "e30", "WyJub3QtYW4taWQiXQ", "WzFd", "bnVsbA", "%00", "A" * 400])
def test_a_cursor_that_is_none_is_refused(standing_integrator: FlaskClient, after: str) -> None:
    answer = standing_integrator.get(f"/visitors?after={after}")
    assert (answer.status_code, answer.json["code"]) in ((422, "cursor_unknown"), (422, "invalid_request"))


@pytest.mark.parametrize("inside", ['{"code": 1}', r'["\u0000"]', r'["\ud800"]', '["a", "b"]', "[1]"])
def test_a_list_ordered_by_a_text_takes_no_cursor_that_holds_something_else(
    standing_integrator: FlaskClient, inside: str
) -> None:
    after = base64.urlsafe_b64encode(inside.encode()).decode().rstrip("=")
    answer = standing_integrator.get(f"/areas?after={after}")
    assert (answer.status_code, answer.json["code"]) == (422, "cursor_unknown")


def test_a_filter_holds_on_every_page(client_for: ClientFor, sessions: sessionmaker[Session], world: World) -> None:
    with acting_for(sessions, world.agency) as session:
        away = [make_visitor(session, world, papers=False, active=each % 2 == 0) for each in range(4)]
        resting = [str(each.id) for each in away if not each.active]
    client = client_for(Role.DISPATCHER, org=world.agency)
    first = client.get("/visitors?active=false&limit=1").json
    second = client.get(f"/visitors?active=false&limit=1&after={first['next']}").json
    assert [each["id"] for each in first["items"] + second["items"]] == resting
    assert second["next"] is None
