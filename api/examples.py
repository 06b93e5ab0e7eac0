"""Examples for the OpenAPI document, made of what is known anyway: each field's kind, choices, bounds and name.

Every body that is asked for and every answer in JSON gets one. The body's is taken by its own schema, and the answer's
fits the document; `tests/api/test_examples.py` holds both to it. Ids are the same wherever the same thing is meant.
"""

import re
import uuid
from collections.abc import Iterable, Mapping
from functools import singledispatch
from typing import Any

from marshmallow import Schema, fields

from api.example_values import ALIKE, CHOICES, DAYS, INSTANTS, NOW, NUMBERS, TEXTS, TIMES, TODAY, TRUE
from api.schemas.base import In
from api.schemas.fields import Base64, Choice
from api.schemas.words import Words
from fieldvisit.languages import say

HERE = uuid.UUID("018f2c5e-7c1a-7d3e-9b0a-3f5d1c2b4a69")
SPOKEN = "en"
_KIND = re.compile(r"(?:Told|File|Detail)?(?:In|Out)$")
JSON = "application/json"
Known = Mapping[str, Any]


def put_examples(document: dict[str, Any], contracts: Iterable[tuple[str, Schema | None, Schema | None]]) -> None:
    """Give each operation of the document its examples; `contracts`: id, body and answer of each."""
    known = {name: (body, answer) for name, body, answer in contracts}
    for item in document["paths"].values():
        for operation in item.values():
            if not isinstance(operation, dict) or operation.get("operationId") not in known:
                continue
            body, answer = known[operation["operationId"]]
            answered = next(said for status, said in operation["responses"].items() if status.startswith("2"))
            for schema, said in ((body, operation.get("requestBody")), (answer, answered)):
                if schema is not None and said is not None and JSON in said.get("content", {}):
                    said["content"][JSON]["example"] = example_of(schema)


def example_of(schema: Schema) -> dict[str, Any]:
    """A body that the schema takes, or an answer that it gives; of a body what is needed, and what `sample` names."""
    sample = {name: _sampled(value) for name, value in getattr(schema, "sample", {}).items()}
    asked = isinstance(schema, In)
    given = schema.load_fields if asked else schema.dump_fields
    made: dict[str, Any] = {}
    for name, field in given.items():
        if not asked or field.required or name in sample:
            said = sample.get(name, ...)
            made[name] = _value(name, field, schema) if said is ... else said
    labels = {name: _label(name, field, made, given) for name, field in given.items() if _tells_another(field)}
    made |= {name: words for name, words in labels.items() if name not in sample}
    return {given[name].data_key or name: value for name, value in made.items()}


def _sampled(said: Any) -> Any:
    """What a schema says of its example; another schema stands for the example of that."""
    if isinstance(said, list):
        return [_sampled(each) for each in said]
    return example_of(said()) if isinstance(said, type) else said


def _value(name: str, field: fields.Field[Any], schema: Schema) -> Any:
    stated = field.metadata.get("examples")
    if stated:
        return stated[0]
    name = ALIKE.get(name, name)
    return made_of(field, _KIND.sub("", type(schema).__name__) + "_id" if name == "id" else name)


def _tells_another(field: fields.Field[Any]) -> bool:
    return isinstance(field, Words) and field.of is not None


def _label(name: str, field: Any, made: Known, given: Mapping[str, fields.Field[Any]]) -> str | None:
    """What is told of the value beside it."""
    beside = given.get(field.of)
    if field.of not in made or not isinstance(beside, Choice):
        return text_of(name)
    return None if made[field.of] is None else say(beside.choices(made[field.of]), SPOKEN)


@singledispatch
def made_of(field: fields.Field[Any], name: str) -> Any:
    """A value of this kind of field for a field of this name. Raises LookupError where nobody knows one."""
    return text_of(name)


def text_of(name: str) -> str:
    """A text for a field of this name; moments, days and ids are told as texts in what was written down once."""
    if name in TEXTS:
        return TEXTS[name]
    for ending, known, usual in (("_words", {}, TEXTS["words"]), ("_at", INSTANTS, NOW), ("_on", DAYS, TODAY)):
        if name.endswith(ending):
            return known.get(name, usual)
    if re.search(r"_ids?$", name):
        return id_of(name)
    raise LookupError(f"No example for {name}: state one (metadata examples, `sample` of its schema, example_values).")


def id_of(name: str) -> str:
    """The same for the same kind of thing: a visit's is `visit_id`, one of `visit_ids`, and `id` of a VisitOut."""
    word = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    return str(uuid.uuid5(HERE, re.sub(r"_ids?$", "", word)))


@made_of.register
def _(field: fields.String, name: str) -> str:
    if "const" in field.metadata:
        return str(field.metadata["const"])
    if "enum" in field.metadata:
        return str(field.metadata["enum"][0])
    return DAYS.get(name, TODAY) if field.metadata.get("format") == "date" else text_of(name)


@made_of.register
def _(field: Choice, name: str) -> str:  # type: ignore[type-arg]  # registered by the class alone
    kinds = [member.value for member in field.choices]
    return CHOICES[name] if CHOICES.get(name) in kinds else kinds[0]


@made_of.register
def _(field: fields.UUID, name: str) -> str:
    return id_of(name)


@made_of.register
def _(field: fields.DateTime, name: str) -> str:
    return INSTANTS.get(name, NOW)


@made_of.register
def _(field: fields.Date, name: str) -> str:
    return DAYS.get(name, TODAY)


@made_of.register
def _(field: fields.Time, name: str) -> str:
    return TIMES.get(name, "09:00:00")


@made_of.register
def _(field: fields.Boolean, name: str) -> bool:
    return name in TRUE


@made_of.register
def _(field: fields.Integer, name: str) -> int:
    least = max((getattr(check, "min", None) or 1 for check in field.validators), default=1)
    return int(NUMBERS.get(name, least))


@made_of.register
def _(field: fields.Float, name: str) -> float:
    return float(NUMBERS.get(name, 1))


@made_of.register
def _(field: Base64, name: str) -> str:
    return TEXTS["content"]


@made_of.register
def _(field: fields.List, name: str) -> list[Any]:  # type: ignore[type-arg]
    stated = field.inner.metadata.get("examples")
    return [stated[0] if stated else made_of(field.inner, ALIKE.get(name, name))]


@made_of.register
def _(field: fields.Nested, name: str) -> dict[str, Any] | list[dict[str, Any]]:
    made = example_of(field.schema)
    return [made] if field.many else made


@made_of.register
def _(field: fields.Dict, name: str) -> dict[str, Any]:
    return {}
