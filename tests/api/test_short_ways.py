"""The short ways of reading and telling come to what marshmallow's own come to, with every schema there is."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from marshmallow import Schema
from marshmallow.error_store import ErrorStore

from api.app import load_resources
from api.examples import example_of
from api.schemas.base import In, Out
from api.schemas.short_ways import ReadShortly, ToldShortly

load_resources()


def every(of: type[Schema]) -> Iterator[type[Schema]]:
    for kind in of.__subclasses__():
        yield kind
        yield from every(kind)


def usable(of: type[Schema]) -> list[type[Schema]]:
    return sorted({kind for kind in every(of) if kind().fields}, key=lambda kind: (kind.__module__, kind.__name__))


def spoilt(body: dict[str, Any]) -> Iterator[Any]:
    """The body, and what is wrong with it in one place each."""
    yield body
    yield {}
    yield [body]
    yield body | {"no such thing": 1}
    for name in body:
        yield {key: value for key, value in body.items() if key != name}
        for wrong in (None, [], {"a": 1}, -1, "", "nothing that is meant"):
            yield body | {name: wrong}


def outcome(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        # A field that makes its value of the whole thing, and finds nothing to make it of.
        return type(error), str(error)


def read(schema: Schema, body: Any, *, shortly: bool) -> Any:
    faults = ErrorStore()
    way = schema._deserialize if shortly else super(ReadShortly, schema)._deserialize
    return outcome(lambda: way(body, error_store=faults, unknown=schema.unknown)), faults.errors


@pytest.mark.parametrize("kind", usable(In), ids=lambda kind: kind.__name__)
def test_a_body_is_read_as_marshmallow_reads_it(kind: type[Schema]) -> None:
    schema = kind()
    for body in spoilt(example_of(schema)):
        assert read(schema, body, shortly=True) == read(schema, body, shortly=False)


class Thing:
    """An object of attributes."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)


@pytest.mark.parametrize("kind", usable(Out), ids=lambda kind: kind.__name__)
def test_an_answer_is_told_as_marshmallow_tells_it(kind: type[Schema]) -> None:
    schema = kind()
    usual = super(ToldShortly, schema)._serialize
    values = {field.attribute or name: None for name, field in schema.dump_fields.items() if field._CHECK_ATTRIBUTE}
    for some in (values, dict(list(values.items())[::2]), {}):
        for thing in (dict(some), Thing(some)):
            assert outcome(partial(schema._serialize, thing)) == outcome(partial(usual, thing))
