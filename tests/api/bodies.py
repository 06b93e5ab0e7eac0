"""A body that fits the OpenAPI document, put together from the schema; names that mean a row get the given ids."""

from collections.abc import Mapping
from typing import Any

from tests.worlds import OWN_POLICY

JSON = "application/json"
# Values whose form or meaning the schema alone does not give away.
KNOWN: Mapping[str, Any] = {
    "pin": "4711",
    "duress_pin": "4862",
    "address": "+358450001234",
    "agency": "pohjola-field",
    "channel": "sms",
    "channels": ["sms"],
    "language": "en",
    "level": "raised",
    "passages": [{"text": "{organisation} {date} {from_time} {until_time}"}],
    "code": "north",
    "content": "JVBERi0xLjQK",
    "currency": "EUR",
    "days": ["mon"],
    "due_at": "2026-03-03T09:00:00+02:00",
    "ends_at": "2026-03-03T16:00:00+02:00",
    "from_time": "09:00",
    "instalments": [{"amount_minor": 1, "due_on": "2026-04-01"}, {"amount_minor": 1, "due_on": "2026-05-01"}],
    "office_email": "office@example.org",
    "office_language": "en",
    "number": "R-000001",
    "outcome": "nobody",
    "password": "correct horse battery",
    "phone": "+358450001234",
    "roles": ["visitor"],
    "toml": OWN_POLICY,
    "starts_at": "2026-03-03T08:00:00+02:00",
    "until_time": "10:00",
    "url": "https://messages.example.org/",
    "username": "someone",
}
BY_FORMAT: Mapping[str, str] = {
    "date": "2026-03-03",
    "date-time": "2026-03-03T09:00:00+02:00",
    "time": "09:00",
    "uuid": "018f2c5e-7c1a-7d3e-9b0a-3f5d1c2b4a69",
}


def body_for(operation: Mapping[str, Any], document: Mapping[str, Any], ids: Mapping[str, Any]) -> Any:
    """The smallest body that the operation takes; None where it takes none."""
    if JSON not in operation.get("requestBody", {}).get("content", {}):
        return None
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    return _value("", schema, document, ids)


def query_for(operation: Mapping[str, Any], ids: Mapping[str, Any]) -> dict[str, str]:
    """The parameters that name a row, and those that are needed, filled."""
    asked = [each for each in operation.get("parameters", ()) if each.get("in") == "query"]
    needed = {each["name"]: _least(each["schema"]) for each in asked if each.get("required")}
    return needed | {each["name"]: str(ids[each["name"]]) for each in asked if each["name"] in ids}


def _least(schema: Mapping[str, Any]) -> str:
    """The smallest value of a parameter."""
    return BY_FORMAT[schema["format"]] if "format" in schema else str(schema["minimum"])


def _value(name: str, schema: Mapping[str, Any], document: Mapping[str, Any], ids: Mapping[str, Any]) -> Any:
    if name in ids:
        return str(ids[name])
    if name in KNOWN and not {"$ref", "anyOf"} & schema.keys() and KNOWN[name] in schema.get("enum", (KNOWN[name],)):
        return KNOWN[name]
    if "$ref" in schema:
        return _value(name, document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]], document, ids)
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return _value(name, schema[several][0], document, ids)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    return _plain(schema, document, ids)


def _plain(schema: Mapping[str, Any], document: Mapping[str, Any], ids: Mapping[str, Any]) -> Any:
    kind = schema["type"][0] if isinstance(schema["type"], list) else schema["type"]
    if kind == "object":
        # What is optional but names a row is filled as well: a foreign id has to be refused wherever it stands.
        wanted = set(schema.get("required", ())) | (set(ids) & set(schema["properties"]))
        return {name: _value(name, schema["properties"][name], document, ids) for name in sorted(wanted)}
    if kind == "array":
        return [_value("", schema["items"], document, ids) for _ in range(schema.get("minItems", 0))]
    if kind == "string":
        return BY_FORMAT.get(schema.get("format", ""), "x" * max(1, schema.get("minLength", 1)))
    return {"integer": schema.get("minimum", 0), "number": schema.get("minimum", 0), "boolean": True}[kind]
