"""Requests that cannot be right, made from the OpenAPI document: each is a request that fits, spoilt in one place."""

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from api.openapi import JSON, operations
from tests.api.bodies import body_for, query_for

LONG = 300_000
DEEP = 100_000
NOT_JSON = {
    "nothing": b"",
    "half an object": b'{"a": 1',
    "single quotes": b"{'a': 1}",
    "not a number": b'{"a": NaN}',
    "infinite": b"-Infinity",
    "not UTF-8": b'{"a": "\xff\xfe"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "a name twice": b'{"a": 1, "a": 2}',
    "nested too deeply": b"[" * DEEP,
    "objects nested too deeply": b'{"a":' * DEEP,
    "a number too long": b'{"a": ' + b"9" * 10_000 + b"}",
    "two values": b"{} {}",
    "a bare NUL": b"\x00",
}
NOT_JSON_TYPES = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "image/png", "")
NOT_AN_OBJECT = ([], "x", 7, None, True)
NOT_IDS = ("0", "nobody", "018f2c5e-7c1a-7d3e-9b0a-3f5d1c2b4a6", "x" * 36, "\x00", "../..", "é", "' or 1=1 --")
NOT_TOKENS = ("Bearer", "Bearer x.y.z", "Basic YTpi", "Bearer " + "A" * 5_000, "Bearer é", "e30.e30.", "Bearer \x01")
NOT_CURSORS = (
    *("x", "AAAA", "W10=", "bnVsbA==", "\x00", "é", "A" * 500),
    # {"a":1}, ["\\u0000"] and ["\\ud800"] in base64: what is no list, and texts that no row can hold.
    *("eyJhIjoxfQ", "WyJcdTAwMDAiXQ", "WyJcdWQ4MDAiXQ"),
)
NOT_LIMITS = ("0", "-1", "201", "ten", "1.5", "9" * 400, "", "١", " 5")
WRONG_BY_FORMAT = {
    "uuid": ("", "nobody", "x" * 36, 7, "018f2c5e7c1a7d3e9b0a3f5d1c2b4a69"),
    "date": ("2026-02-30", "03.03.2026", "0001-01-01", "2026-03-03T09:00:00+02:00", 20_260_303),
    "date-time": ("2026-03-03T09:00:00", "2026-03-03", "soon", "9999-12-31T23:59:59-14:00", 1_772_524_800),
    "time": ("9:00", "24:00", "noon", 9),
}
WRONG_BY_TYPE: Mapping[str, tuple[Any, ...]] = {
    "string": (7, True, [], {}, "a\x00b", "\ud800", "x" * LONG, ""),
    "integer": ("7", 7.5, True, [], 10**400, -(10**30)),
    "number": ("60.17", True, {}, 1e308, -1e308, 10**400),
    "boolean": ("true", 1, 0, [], "yes"),
    "array": ({}, "x", 7, [None] * LONG),
    "object": ("x", 7, [], True),
}


@dataclass(frozen=True, kw_only=True)
class Spoilt:
    """A request and what is wrong with it. `data` is sent as it is, with `content_type` unless that is empty."""

    operation: str
    wrong: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    data: bytes | None = None
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


def spoilt_requests(document: Mapping[str, Any], ids: Mapping[str, Any]) -> dict[str, list[Spoilt]]:
    """Operation → every spoilt request that can be made of it. The health of the server takes anything, and so does a
    call for help; what a signature opens answers every wrong one alike, in its own way."""
    return {
        operation["operationId"]: list(_spoilt(path, method.upper(), operation, document, ids))
        for path, method, operation in operations(dict(document))
        if not path.startswith("/health") and path not in ("/safety/sos", "/files/{token}", "/v/{code}")
    }


def _spoilt(
    path: str, method: str, operation: Mapping[str, Any], document: Mapping[str, Any], ids: Mapping[str, Any]
) -> Iterator[Spoilt]:
    body = body_for(operation, document, ids)
    sound = Spoilt(
        operation=operation["operationId"],
        wrong="",
        method=method,
        path=path.format_map(ids),
        query=tuple(query_for(operation, ids).items()),
        data=None if body is None else json.dumps(body).encode(),
    )
    yield from _with_wrong_ids(sound, path, ids)
    yield from _with_wrong_query(sound, operation)
    if operation["security"]:
        for token in NOT_TOKENS:
            yield replace(sound, wrong=f"the token {token[:20]!r}", headers={"Authorization": token})
    if body is not None:
        yield from _with_wrong_body(sound)
        schema = _resolved(operation["requestBody"]["content"][JSON]["schema"], document)
        for place, wrong in _wrong_values(schema, body, document):
            yield replace(sound, wrong=place, data=json.dumps(wrong).encode())


def _with_wrong_ids(sound: Spoilt, path: str, ids: Mapping[str, Any]) -> Iterator[Spoilt]:
    if "{" in path:
        named = path[path.index("{") + 1 : path.index("}")]
        for wrong in NOT_IDS:
            address = path.format_map({**ids, named: quote(wrong, safe="")})
            yield replace(sound, wrong=f"the id {wrong!r}", path=address)


def _with_wrong_query(sound: Spoilt, operation: Mapping[str, Any]) -> Iterator[Spoilt]:
    known = {each["name"]: each["schema"] for each in operation.get("parameters", ()) if each.get("in") == "query"}
    wrong: list[tuple[str, str]] = [("nonsense", "1"), ("\x00", ""), ("limit[]", "5")]
    wrong += [("after", value) for value in NOT_CURSORS if "after" in known]
    wrong += [("limit", value) for value in NOT_LIMITS if "limit" in known]
    for name, schema in known.items():
        if "format" in schema or "$ref" in schema or schema.get("type") == "boolean":
            wrong += [(name, value) for value in ("nonsense", "\x00", "7", "")]
    for name, value in wrong:
        others = tuple(pair for pair in sound.query if pair[0] != name)
        yield replace(sound, wrong=f"the query {name!r} is {value[:20]!r}", query=(*others, (name, value)))
    for name in known:
        if known[name].get("type") != "array":
            yield replace(sound, wrong=f"the query {name} twice", query=((name, "1"), (name, "1")))


def _with_wrong_body(sound: Spoilt) -> Iterator[Spoilt]:
    for wrong, data in NOT_JSON.items():
        yield replace(sound, wrong=wrong, data=data)
    for kind in NOT_JSON_TYPES:
        yield replace(sound, wrong=f"the content type {kind!r}", content_type=kind)
    for value in NOT_AN_OBJECT:
        yield replace(sound, wrong=f"{value!r} for an object", data=json.dumps(value).encode())


def _wrong_values(schema: Mapping[str, Any], body: Any, document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """(what is wrong, the whole body with it), for every property of every object in the body, and for one too many."""
    for path, level in _objects(schema, body, document, ()):
        where = "/".join(map(str, path))
        yield f"{where}: an unknown field", _changed(body, path, lambda it: it.update(misspelt=1))
        for name in level.get("required", ()):
            yield f"{where}/{name} is missing", _changed(body, path, lambda it, name=name: it.pop(name))
        for name, inner in level["properties"].items():
            for wrong in _wrong_for(_resolved(inner, document)):
                spoil = lambda it, name=name, wrong=wrong: it.__setitem__(name, wrong)  # noqa: E731
                yield f"{where}/{name} is {str(wrong)[:30]!r}", _changed(body, path, spoil)


def _objects(
    schema: Mapping[str, Any], body: Any, document: Mapping[str, Any], path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, Any]]]:
    """(path, schema) of the body and of each object inside that is there."""
    schema = _resolved(schema, document)
    if isinstance(body, dict):
        yield path, schema
        for name, inner in body.items():
            yield from _objects(schema["properties"][name], inner, document, (*path, name))
    elif isinstance(body, list) and body and "oneOf" not in schema["items"]:
        # Of these each is judged for itself, and refused by itself: see tests/api/test_phone_events.py.
        yield from _objects(schema["items"], body[0], document, (*path, 0))


def _wrong_for(schema: Mapping[str, Any]) -> list[Any]:
    """Values that this schema has no room for."""
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    nullable, kind = "null" in kinds, next(each for each in kinds if each != "null")
    wrong = [*WRONG_BY_TYPE[kind]]
    if schema.get("format") in WRONG_BY_FORMAT:
        wrong += WRONG_BY_FORMAT[schema["format"]]
    if "enum" in schema:
        wrong += ["nonsense", "", 7]
    wrong += [schema[bound] + step for bound, step in (("minimum", -1), ("maximum", 1)) if bound in schema]
    if kind == "string" and schema.get("minLength", 1) == 0:
        wrong.remove("")
    return wrong if nullable else [*wrong, None]


def _resolved(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in schema:
        return _resolved(document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]], document)
    if "anyOf" in schema:
        first = _resolved(schema["anyOf"][0], document)
        return first | {"type": [first["type"], "null"]}
    return schema


def _changed(body: Any, path: tuple[str | int, ...], spoil: Any) -> Any:
    """A copy of the body, spoilt at this place."""
    whole = copy.deepcopy(body)
    place = whole
    for part in path:
        place = place[part]
    spoil(place)
    return whole
