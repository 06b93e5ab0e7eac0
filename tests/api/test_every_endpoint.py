"""Every endpoint there is, asked by those who may not ask. A new one that forgets its roles fails here."""

import uuid
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from api.contracts import Contract, contract_of
from api.openapi import operations
from api.roles import GRANTS, PUBLIC
from fieldvisit.models import Account
from fieldvisit.settings import Settings
from fieldvisit.tokens import sign_access
from fieldvisit.vocabulary import Role
from tests.api.bodies import body_for, query_for
from tests.api.foreign import make_foreign_rows
from tests.conftest import NOW
from tests.worlds import World

# Open to anyone, on purpose: logging in, what tells nothing about anybody, and what is signed instead.
OPEN = {
    "log_in",
    "refresh_tokens",
    "log_out",
    "take_receipt",
    "take_notice_receipt",
    "open_file",
    "describe_uploads",
    "show_verification",
}
# Headers alone, both ways: `tests/api/test_evidence.py` asks them.
OF_TUS = {"describe_uploads", "read_evidence_offset"}
BY_HEADER = {"announce_evidence", "send_evidence_part", "abandon_evidence"}
PLAIN = {
    "health.read_liveness",
    "health.read_readiness",
    "read_metrics",
    "read_docs",
    "read_docs_start",
    "read_docs_asset",
    "api-docs.openapi_json",
}


def contracts(app: Flask) -> dict[str, Contract]:
    """The contract of each operation, by its id."""
    found = {name: contract_of(view) for name, view in app.view_functions.items() if name not in PLAIN}
    without = [name for name, contract in found.items() if contract is None]
    assert without == []
    return {app.view_functions[name].__name__: contract for name, contract in found.items() if contract}


def asking(app: Flask, settings: Settings, *, role: Role, org: uuid.UUID) -> FlaskClient:
    """A client whose token is good, without an account behind it: the token alone says who asks."""
    visitor_id = uuid.uuid4() if role is Role.VISITOR else None
    account = Account(id=uuid.uuid4(), org_id=org, roles=[role.value], visitor_id=visitor_id)
    token = sign_access(account, key=settings.token_key, now=NOW, lifetime_s=3_600)
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


def document_of(client: FlaskClient) -> dict[str, Any]:
    return dict(client.get("/openapi.json").json)


def test_every_endpoint_states_its_contract_and_none_is_open_by_accident(app: Flask) -> None:
    assert {name for name, contract in contracts(app).items() if contract.may is PUBLIC} == OPEN


def test_every_operation_has_a_name_of_its_own(client: FlaskClient, app: Flask) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document_of(client))]
    assert sorted(names) == sorted(set(names))
    assert set(names) | OF_TUS == set(contracts(app)) | {"read_liveness", "read_readiness"}


def test_every_endpoint_refuses_whoever_is_not_logged_in(client: FlaskClient, app: Flask) -> None:
    known, answers = contracts(app), {}
    for path, method, operation in operations(document_of(client)):
        contract = known.get(operation["operationId"])
        if contract is not None and contract.may is not PUBLIC:
            answer = client.open(
                path.replace("{", "").replace("}", "") if "{" not in path else _any(path), method=method
            )
            answers[operation["operationId"]] = (answer.status_code, answer.json["code"])
    assert set(answers.values()) == {(401, "unauthenticated")}


def test_every_endpoint_refuses_every_role_that_it_does_not_name(
    client: FlaskClient, app: Flask, settings: Settings, world: World
) -> None:
    known, let_in = contracts(app), []
    askers = {role: asking(app, settings, role=role, org=world.agency) for role in Role}
    for path, method, operation in operations(document_of(client)):
        contract = known.get(operation["operationId"])
        if contract is None or contract.may is PUBLIC:
            continue
        for role in sorted(set(Role) - GRANTS[contract.may]):
            answer = askers[role].open(_any(path), method=method)
            if (answer.status_code, answer.json["code"]) != (403, "not_permitted"):
                let_in.append((operation["operationId"], role.value, answer.status_code))
    assert let_in == []


def test_no_endpoint_shows_or_changes_what_another_organisation_owns(
    client: FlaskClient, app: Flask, settings: Settings, sessions: sessionmaker[Session], world: World
) -> None:
    ids = make_foreign_rows(sessions, world)
    document, known, leaks = document_of(client), contracts(app), []
    for path, method, operation in operations(document):
        contract = known.get(operation["operationId"])
        if contract is None or contract.may is PUBLIC or operation["operationId"] in BY_HEADER:
            continue
        role = min(GRANTS[contract.may])
        asker = asking(app, settings, role=role, org=world.stranger)
        body = body_for(operation, document, ids)
        # An id of a kind that nobody made a row of is a KeyError here: make one in `make_foreign_rows`.
        query = query_for(operation, ids)
        answer = asker.open(path.format_map(ids), method=method, json=body, query_string=query)
        if not _kept_apart(answer, ids, names_a_row="{" in path or _names_a_row(body, ids)):
            leaks.append((operation["operationId"], answer.status_code, answer.text[:300]))
    assert leaks == []


def _kept_apart(answer: Any, ids: dict[str, Any], *, names_a_row: bool) -> bool:
    """Refused as unknown; or, where no foreign row was named, answered without a trace of one."""
    if answer.status_code in (403, 404):
        return True
    if answer.is_json and "refused" in answer.json:
        # Many rows at once are refused one by one.
        return bool(answer.json["refused"] == len(answer.json["results"]))
    return not names_a_row and answer.status_code < 300 and not any(str(each) in answer.text for each in ids.values())


def _names_a_row(body: Any, ids: dict[str, Any]) -> bool:
    return any(f'"{each}"' in str(body).replace("'", '"') for each in ids.values())


def _any(path: str) -> str:
    while "{" in path:
        before, _, rest = path.partition("{")
        path = f"{before}{uuid.uuid4()}{rest.partition('}')[2]}"
    return path
