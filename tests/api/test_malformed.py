"""A thousand requests that cannot be right: each is told what is wrong with it, and nothing is stored or lost."""

import dataclasses
import random
from collections.abc import Iterable
from itertools import chain, islice, zip_longest
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from api.errors import NotReadable
from api.openapi import PROBLEM
from api.reading import parse_json
from api.schemas.base import ProblemOut
from fieldvisit.database import Urls
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import Role
from tests.api.conftest import ClientFor
from tests.api.foreign import make_foreign_rows
from tests.api.malformed import Spoilt, spoilt_requests
from tests.worlds import World

SEED = 20_260_303
REQUESTS = 1_200
REFUSED = (400, 401, 404, 405, 413, 415, 422)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Nobody counts these requests."""
    return dataclasses.replace(settings, rate_limit="1000000/minute", max_body_mb=1)


@pytest.fixture
def ids(sessions: sessionmaker[Session], world: World) -> dict[str, Any]:
    return make_foreign_rows(sessions, world)


@pytest.fixture
def everybody(client_for: ClientFor, world: World, ids: dict[str, Any]) -> FlaskClient:
    """Of every role at once, so that each request is read and not only refused at the gate."""
    return client_for(*Role, org=world.agency, visitor_id=ids["visitor_id"])


def rows(urls: Urls) -> dict[str, int]:
    """Table → how many rows."""
    engine = sa.create_engine(urls.owner, poolclass=sa.NullPool)
    with engine.connect() as connection:
        names = sa.inspect(connection).get_table_names()
        return {name: connection.scalar(sa.text(f'select count(*) from "{name}"')) or 0 for name in names}


def chosen(candidates: dict[str, list[Spoilt]]) -> list[Spoilt]:
    """The number wanted, at random, as equal a share of each operation as it has."""
    luck = random.Random(SEED)
    shuffled = [luck.sample(requests, len(requests)) for requests in candidates.values()]
    rounds = (request for turn in zip_longest(*shuffled) for request in turn if request is not None)
    return list(islice(rounds, REQUESTS))


def ask(client: FlaskClient, spoilt: Spoilt) -> Any:
    return client.open(
        spoilt.path,
        method=spoilt.method,
        query_string=list(spoilt.query),
        data=spoilt.data,
        content_type=spoilt.content_type if spoilt.data is not None else None,
        headers=dict(spoilt.headers),
    )


def complaint(answer: Any) -> str | None:
    """What is wrong with this refusal; None for a good one."""
    if answer.status_code not in REFUSED:
        return f"status {answer.status_code}: {answer.text[:200]}"
    if answer.mimetype != PROBLEM:
        return f"type {answer.mimetype}"
    try:
        problem = parse_json(answer.data)
    except NotReadable as error:
        return f"no JSON for others: {error}"
    if (faults := ProblemOut().validate(problem)) or problem["status"] != answer.status_code:
        return f"not a problem document: {faults}"
    if not problem["detail"] or not problem["code"] or "{" in problem["detail"]:
        return f"says nothing: {problem}"
    if problem["code"] == "invalid_request" and not problem["errors"]:
        return "names no value"
    return None


@pytest.fixture
def candidates(client: FlaskClient, ids: dict[str, Any]) -> dict[str, list[Spoilt]]:
    return spoilt_requests(client.get("/openapi.json").json, ids)


def complaints(client: FlaskClient, requests: Iterable[Spoilt]) -> list[tuple[str, str, str]]:
    """(operation, what was wrong with the request, what is wrong with its answer), where anything is."""
    return [
        (spoilt.operation, spoilt.wrong, said)
        for spoilt in requests
        if (said := complaint(ask(client, spoilt))) is not None
    ]


def test_a_thousand_malformed_requests_are_refused_with_their_reason_and_leave_nothing_behind(
    everybody: FlaskClient, candidates: dict[str, list[Spoilt]], urls: Urls
) -> None:
    requests, before = chosen(candidates), rows(urls)
    assert complaints(everybody, requests) == []
    assert rows(urls) == before
    assert (len(requests), {spoilt.operation for spoilt in requests}) == (REQUESTS, set(candidates))


@pytest.mark.long
def test_every_malformed_request_that_can_be_made_of_the_document_is_refused(
    everybody: FlaskClient, candidates: dict[str, list[Spoilt]], urls: Urls
) -> None:
    before = rows(urls)
    assert complaints(everybody, chain.from_iterable(candidates.values())) == []
    assert rows(urls) == before
