"""The whole document, asked at random by every role of two organisations.

No answer is outside of it, none is a fault of the server, and none holds what belongs to the other.

ASKED_S=1800 python -m pytest -q -s -m long tests/api/test_document_roles.py
"""

import dataclasses
import os
import random
import re
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import hypothesis
import pytest
import schemathesis
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase
from schemathesis import GenerationMode
from sqlalchemy.orm import Session, sessionmaker

from api.contracts import Contract
from api.roles import GRANTS, PUBLIC
from fieldvisit.database import Urls
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import Role
from tests.api.conftest import ClientFor
from tests.api.foreign import make_foreign_rows
from tests.api.test_document import TRUE
from tests.api.test_every_endpoint import contracts
from tests.worlds import World

ASKED_S, SEED = int(os.environ.get("ASKED_S", "60")), int(os.environ.get("SEED", "0"))
AT_ONCE = 16
"""Requests of one mode to one operation before the next has its turn: to make ready for them takes longer than they."""
# It goes on for as long as it is asked to.
LEFT_OUT = {"/safety/stream"}
# Who shows a login's name and password is whose it is, whatever bearer they came with: the account that was made a
# while ago of the document's own example, by one who may.
BY_ITS_OWN_WORD = {"/tokens", "/tokens/refresh"}
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Nobody counts these requests, and no login ends while they go on."""
    return dataclasses.replace(settings, rate_limit="1000000/minute", access_token_s=86_400)


def ids_of(urls: Urls, *organisations: uuid.UUID) -> set[str]:
    """The id of every row that belongs to these, whatever table it lies in."""
    engine = sa.create_engine(urls.owner, poolclass=sa.NullPool)
    found: set[str] = set()
    with engine.connect() as connection:
        connection.execute(sa.text("select set_config('app.sees_all', 'on', false)"))
        for name in sa.inspect(connection).get_table_names():
            columns = {column["name"] for column in sa.inspect(connection).get_columns(name)}
            if {"id", "org_id"} <= columns:
                rows = sa.text(f'select id from "{name}" where org_id = any(:organisations)')
                found |= {str(row) for row in connection.scalars(rows, {"organisations": [*organisations]})}
    return found


@dataclass
class Asker:
    """Somebody of one role; `hidden` are the ids that no answer may tell them."""

    role: Role
    client: FlaskClient
    hidden: set[str]


@dataclass
class Asking:
    askers: list[Asker]
    known: dict[str, Contract]
    ids: dict[str, Any]
    until: float
    chance: random.Random
    asked: Counter[tuple[str, int]] = field(default_factory=Counter)
    faults: list[tuple[str, str, str]] = field(default_factory=list)

    def ask(self, operation: Any, mode: GenerationMode) -> None:
        @hypothesis.seed(self.chance.getrandbits(64))
        @hypothesis.settings(
            max_examples=AT_ONCE,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def asked(case: Any) -> None:
            if time.monotonic() >= self.until:
                return
            asker = self._somebody(operation)
            self._name_rows(case)
            # Of its own it makes up logins that nobody has.
            case.headers = {name: said for name, said in (case.headers or {}).items() if name != "Authorization"}
            # As it is: the client in this process does not unpack what is packed.
            bearer = asker.client.environ_base["HTTP_AUTHORIZATION"]
            response = case.call(headers={"Authorization": bearer, "Accept-Encoding": "identity"})
            self._judge(operation, asker, case, response)

        asked()

    def _somebody(self, operation: Any) -> Asker:
        """Anybody; more often than not of those who may."""
        contract = self.known.get(operation.definition.raw["operationId"])
        may = GRANTS[contract.may] if contract is not None and contract.may is not PUBLIC else set(Role)
        permitted = [asker for asker in self.askers if asker.role in may]
        return self.chance.choice(permitted if permitted and self.chance.random() < 0.8 else self.askers)

    def _name_rows(self, case: Any) -> None:
        """Rows that are there, in the place of most that nobody has ever heard of."""
        for given in (case.path_parameters, case.body, case.query):
            for name in given if isinstance(given, dict) else ():
                if name in self.ids and self.chance.random() < 0.7:
                    given[name] = str(self.ids[name])

    def _judge(self, operation: Any, asker: Asker, case: Any, response: Any) -> None:
        self.asked[asker.role.value, response.status_code // 100 * 100] += 1
        try:
            case.validate_response(response, checks=TRUE)
        except (AssertionError, BaseExceptionGroup) as error:
            said = "\n".join(map(str, getattr(error, "exceptions", [error])))
            self.faults.append((f"{operation.method} {operation.path}", asker.role.value, said[:1_500]))
        if operation.path in BY_ITS_OWN_WORD:
            return
        told = set(UUID.findall(response.text or "")) - set(UUID.findall(f"{response.request.url} {case.body}"))
        if leaked := told & asker.hidden:
            self.faults.append((f"{operation.method} {operation.path}", asker.role.value, f"tells of {leaked}"))


@pytest.mark.long
def test_every_role_is_answered_by_the_document_and_told_nothing_of_others(
    app: Flask, client_for: ClientFor, sessions: sessionmaker[Session], world: World, urls: Urls
) -> None:
    ids = make_foreign_rows(sessions, world)
    theirs, begun = ids_of(urls, world.agency, world.lender), time.monotonic()
    visitor = {Role.VISITOR: {"visitor_id": ids["visitor_id"]}}
    own = [Asker(role, client_for(role, org=world.agency, **visitor.get(role, {})), set()) for role in Role]
    # A visitor of theirs would be one of ours: the token says no more than the role.
    strangers = [Asker(role, client_for(role, org=world.stranger), theirs) for role in set(Role) - {Role.VISITOR}]
    asking = Asking([*own, *strangers], contracts(app), ids, begun + ASKED_S, random.Random(SEED))
    operations = [found.ok() for found in schemathesis.openapi.from_wsgi("/openapi.json", app).get_all_operations()]
    turns = 0
    while time.monotonic() < asking.until:
        for operation in asking.chance.sample(operations, len(operations)):
            if time.monotonic() < asking.until and operation.path not in LEFT_OUT:
                turns += 1
                negative = [GenerationMode.NEGATIVE] if operation.body or operation.query else []
                asking.ask(operation, asking.chance.choice([GenerationMode.POSITIVE, *negative]))
    print(f"\n{asking.asked.total()} requests, {turns} turns of {len(operations)} operations, seed {SEED}")
    for (role, kind), number in sorted(asking.asked.items()):
        print(f"  {role:18} {kind}: {number}")
    for fault in asking.faults:
        print("\n".join(fault))
    assert asking.faults == []
