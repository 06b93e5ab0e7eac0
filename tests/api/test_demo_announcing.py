"""The demo's announced visit, over the real application: the words it saves are fit, and its hours are lawful."""

from io import StringIO
from typing import Any

import httpx
import sqlalchemy as sa
from flask.testing import FlaskClient
from rich.console import Console
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for_all
from fieldvisit.demo.announcing import announce_visit
from fieldvisit.demo.client import ApiRefused
from fieldvisit.demo.screen import Screen
from fieldvisit.models import Notice
from fieldvisit.vocabulary import Role
from tests.api.conftest import ClientFor
from tests.notices.worlds import give_phone
from tests.planning.worlds import make_ready_visit
from tests.worlds import World


class InProcess:
    """The demo's client, on the application itself."""

    def __init__(self, client: FlaskClient) -> None:
        self._client = client

    def get(self, path: str, **query: object) -> Any:
        return self._answer(self._client.get(path, query_string=query))

    def post(self, path: str, **fields: object) -> Any:
        return self._answer(self._client.post(path, json=fields))

    def _answer(self, answer: Any) -> Any:
        if not httpx.codes.is_success(answer.status_code):
            raise ApiRefused(call="", detail=answer.json["detail"], problem_code=answer.json["code"])
        return answer.json


def test_the_demo_announces_a_visit_by_letter(
    sessions: sessionmaker[Session], client_for: ClientFor, world: World
) -> None:
    give_phone(sessions, world)
    with acting_for_all(sessions) as session:
        make_ready_visit(session, world)
    people = [InProcess(client_for(role, org=world.agency)) for role in (Role.SUPERVISOR, Role.DISPATCHER)]
    told = StringIO()
    announce_visit(*people, Screen(Console(file=told, width=200), "en"))  # type: ignore[arg-type]  # the same calls
    with acting_for_all(sessions) as session:
        notice = session.scalars(sa.select(Notice)).one()
        assert (notice.state, notice.evidence) == ("sent", "RR 4711 FI")
    assert "“tell your neighbours” (a threat)" in told.getvalue()
