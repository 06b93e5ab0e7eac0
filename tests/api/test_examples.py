"""The examples of the OpenAPI document are true: the bodies are taken, and the answers are of their shape."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask

from api.contracts import JSON, contract_of
from api.examples import example_of
from api.openapi import operations
from api.schemas.base import In
from api.schemas.fields import Text


@pytest.fixture(scope="module")
def app(standing_app: tuple[Flask, object]) -> Flask:
    return standing_app[0]


@pytest.fixture(scope="module")
def document(app: Flask) -> dict[str, Any]:
    return dict(app.test_client().get("/openapi.json").json)


def shown(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every body that is asked for and every main answer in JSON, with the name of its operation."""
    for _, _, operation in operations(document):
        main = next(said for status, said in operation["responses"].items() if status.startswith("2"))
        for what, said in (("body", operation.get("requestBody", {})), ("answer", main)):
            if JSON in said.get("content", {}):
                yield f"{operation['operationId']} {what}", said["content"][JSON]


def test_every_body_and_every_answer_has_an_example(document: dict[str, Any]) -> None:
    assert [name for name, media in shown(document) if "example" not in media] == []


def test_every_example_fits_the_document(document: dict[str, Any]) -> None:
    told = dict(shown(document))
    # One judge for all: it reads every component once.
    schemas = {"properties": {name: media["schema"] for name, media in told.items()}}
    judge = jsonschema_rs.Draft202012Validator(schemas | {"components": document["components"]}, validate_formats=True)
    faults = judge.iter_errors({name: media["example"] for name, media in told.items()})
    assert [f"{fault.instance_path}: {fault.message}" for fault in faults] == []


def test_every_body_that_is_shown_is_taken_as_it_stands(app: Flask, document: dict[str, Any]) -> None:
    """By its own schema, and by what the domain has against a value of it."""
    bodies = {view.__name__: contract.body for view in app.view_functions.values() if (contract := contract_of(view))}
    told = {name.removesuffix(" body"): media for name, media in shown(document) if name.endswith(" body")}
    for name, media in told.items():
        schema = bodies[name]
        assert schema is not None, name
        with app.test_request_context():
            schema.load(media["example"])
    assert set(told) == {name for name, body in bodies.items() if body is not None}


def test_a_choice_that_may_be_null_says_so_in_its_list(document: dict[str, Any]) -> None:
    arrival = document["components"]["schemas"]["ArrivalIn"]["properties"]
    assert arrival["outside_reason"] == {"anyOf": [{"$ref": "#/components/schemas/OutsideReason"}, {"type": "null"}]}
    assert arrival["recording"]["items"] == {"$ref": "#/components/schemas/Recorded"}
    assert document["components"]["schemas"]["Recorded"] == {"type": "string", "enum": ["audio", "video"]}


def test_one_thing_has_one_id_wherever_it_is_shown(document: dict[str, Any]) -> None:
    seen = {
        media["example"]["visit_id"]
        for _, media in shown(document)
        if isinstance(media["example"].get("visit_id"), str)
    }
    visit = document["paths"]["/visits/{visit_id}"]["get"]["responses"]["200"]["content"][JSON]["example"]
    assert seen == {visit["id"]}


def test_a_text_that_nobody_knows_an_example_of_is_told_to_whoever_adds_it() -> None:
    class NewIn(In):
        never_heard_of = Text(required=True)

    with pytest.raises(LookupError, match="never_heard_of"):
        example_of(NewIn())


def test_the_examples_speak_with_the_words_of_their_choices(document: dict[str, Any]) -> None:
    seen = dict(shown(document))["read_my_day answer"]["example"]["routes"][0]["stops"][0]["visit"]["briefing"]
    assert (seen["stage"], seen["stage_words"]) == ("remind", "Reminder")
