"""The OpenAPI document is true: what fits it is understood, and nothing that is sent breaks the server."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase
from marshmallow import Schema
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from api import tus
from api.openapi import PROBLEM, operations
from api.schemas.base import In, Out
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import Role
from tests.api.conftest import ClientFor
from tests.worlds import World

load_all_checks()
schemathesis.serializer.alias(tus.PARTS, "application/octet-stream")
# What fits the schema may still be refused: a cursor that is none, a row that is not there, a day before its first.
TRUE = CHECKS.get_by_names(
    ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"]
)
TERMS: dict[str, Any] = {
    "deadline": None,
    "derandomize": True,
    "database": None,
    "phases": [Phase.explicit, Phase.generate],
    "suppress_health_check": list(HealthCheck),
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Nobody counts these requests."""
    return dataclasses.replace(settings, rate_limit="1000000/minute")


@pytest.fixture
def everybody(client_for: ClientFor, world: World) -> FlaskClient:
    return client_for(*(set(Role) - {Role.VISITOR}), org=world.agency)


def test_every_operation_may_answer_with_a_problem(client: FlaskClient) -> None:
    document = client.get("/openapi.json").json
    default = {"$ref": "#/components/responses/DEFAULT_ERROR"}
    assert [each["operationId"] for *_, each in operations(document) if each["responses"]["default"] != default] == []
    assert list(document["components"]["responses"]["DEFAULT_ERROR"]["content"]) == [PROBLEM]
    assert document["openapi"] == "3.1.0"


OF_EVERYTHING = {"Content-Type", "Content-Length", "Content-Encoding", "Cache-Control", "Vary", "X-Request-Id"} | {
    *("Date", "Content-Security-Policy", "Referrer-Policy", "X-Content-Type-Options")
}
READ = ("/visits", "/areas", "/devices", "/field-rules", "/promises", "/safety/alerts")


def test_the_headers_of_an_answer_are_those_that_the_document_names(everybody: FlaskClient) -> None:
    """Read, changed, changed again under the same key, and refused: what goes with each is what was said."""
    document = everybody.get("/openapi.json").json
    refused = set(document["components"]["responses"]["DEFAULT_ERROR"]["headers"])

    def agree(method: str, path: str, **how: Any) -> Any:
        answer = everybody.open(path, method=method.upper(), **how)
        named = document["paths"][path][method]["responses"][str(answer.status_code)].get("headers", {})
        given = set(answer.headers.keys()) - OF_EVERYTHING
        assert given <= named.keys(), (method, path)
        # All of them but the one by which an answer that is given again is known.
        assert named.keys() - given <= {"Idempotency-Replayed"}, (method, path)
        return answer

    for path in READ:
        if "get" in document["paths"].get(path, {}):
            agree("get", path)
    rules = everybody.get("/field-rules").json
    body = {name: rules[name] for name in document["components"]["schemas"]["FieldRulesIn"]["properties"]}
    for again in (False, True):
        put = agree("put", "/field-rules", json=body, headers={"Idempotency-Key": "the-rules-of-the-house"})
        assert ("Idempotency-Replayed" in put.headers) is again
    missing = everybody.get("/visits/018f2c5e-7c1a-7d3e-9b0a-3f5d1c2b4a69")
    unknown = everybody.get("/visits", headers={"Authorization": "Bearer x"})
    assert set(missing.headers.keys()) - OF_EVERYTHING - refused == set()
    assert set(unknown.headers.keys()) - OF_EVERYTHING - refused == set()
    assert "WWW-Authenticate" in unknown.headers


def test_every_schema_is_named_by_its_direction(client: FlaskClient) -> None:
    asked, answered = ({child.__name__ for child in _below(base)} for base in (In, Out))
    assert sorted(name for name in asked if not name.endswith(("In", "Drafted"))) == []
    assert sorted(name for name in answered if not name.endswith("Out")) == []


def _below(schema: type[Schema]) -> Iterator[type[Schema]]:
    for child in schema.__subclasses__():
        # Other tests make schemas of their own.
        if child.__module__.startswith("api."):
            yield child
        yield from _below(child)


def test_no_bound_of_a_search_is_shown_while_none_holds_for_the_whole_day(client: FlaskClient) -> None:
    """`pool_bound` holds for the routes that were met: as a gap it would promise what nobody knows."""
    schemas = client.get("/openapi.json").json["components"]["schemas"]
    names = {name for schema in schemas.values() for name in schema.get("properties", {})}
    assert [name for name in names if "bound" in name or name in ("gap", "optimal", "optimum")] == []


def test_every_operation_says_who_may_use_it(client: FlaskClient) -> None:
    document = client.get("/openapi.json").json
    silent = [
        operation["operationId"]
        for path, _, operation in operations(document)
        if not path.startswith("/health") and not operation["description"].rstrip(".").split("\n")[-1]
    ]
    assert silent == []


def test_no_request_that_fits_the_document_breaks_the_server(app: Flask, everybody: FlaskClient) -> None:
    # What nearly fits is asked by `test_malformed.py`, and by the long one below.
    ask_all(app, everybody, times=1, nearly=False)


@pytest.mark.long
def test_no_request_breaks_the_server_however_often_one_asks(app: Flask, everybody: FlaskClient) -> None:
    ask_all(app, everybody, times=100, nearly=True)


def ask_all(app: Flask, client: FlaskClient, *, times: int, nearly: bool) -> None:
    # As it is: the client in this process does not unpack what is packed.
    headers = {"Authorization": client.environ_base["HTTP_AUTHORIZATION"], "Accept-Encoding": "identity"}
    for found in schemathesis.openapi.from_wsgi("/openapi.json", app).get_all_operations():
        operation = found.ok()
        if operation.path == "/safety/stream":
            # It goes on for as long as it is asked to; `tests/api/test_safety_live.py` asks for little.
            continue
        wrong = [GenerationMode.NEGATIVE] if nearly and (operation.body or operation.query) else []
        for mode in [GenerationMode.POSITIVE, *wrong]:
            ask(operation.as_strategy(generation_mode=mode), headers, times=times)


def ask(cases: Any, headers: dict[str, str], *, times: int) -> None:
    @hypothesis.settings(max_examples=times, **TERMS)
    @hypothesis.given(case=cases)
    def asked(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=TRUE)

    asked()
