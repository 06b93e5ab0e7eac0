"""What a request says, read strictly against the schema of its endpoint."""

import json
from hashlib import sha256
from typing import Any, NoReturn

from flask import g, request
from marshmallow import Schema, ValidationError, fields
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from api.errors import InvalidRequest, NotReadable, WrongContentType
from api.faults import faults
from fieldvisit.languages import Message

JSON = ("application/json",)
READ_BYTES = 64 * 1024


def read_body(schema: Schema) -> Any:
    """The body as the schema loads it. Raises WrongContentType, NotReadable, InvalidRequest."""
    encoding = request.headers.get("Content-Encoding", "identity")
    if encoding != "identity":
        raise WrongContentType(given=Message("encoded as {encoding}", {"encoding": encoding[:40]}))
    if request.mimetype not in JSON and not request.mimetype.endswith("+json"):
        raise WrongContentType(given=request.mimetype or Message("of no stated type"))
    data = g.body = parse_json(_body())
    g.body_schema = schema
    return _load(schema, data, place="body", shown=data)


def _body() -> bytes:
    # Kept for those that are signed: a signature is over the very bytes.
    raw = request.get_data(cache=True)
    # A body sent in chunks announces no length: it is cut at the limit, and what was cut has reached it.
    if request.max_content_length is not None and len(raw) >= request.max_content_length:
        raise RequestEntityTooLarge()
    return raw


def read_raw(media: str) -> bytes:
    """The bytes of a body of this media type, as many as came before the connection broke off. Raises
    WrongContentType."""
    if request.mimetype != media:
        raise WrongContentType(given=request.mimetype or Message("of no stated type"))
    found = bytearray()
    try:
        while chunk := request.stream.read(READ_BYTES):
            found += chunk
    except ClientDisconnected:
        # What is here is here: the phone goes on from there.
        pass
    g.body = sha256(found).hexdigest()
    return bytes(found)


def read_query(schema: Schema) -> Any:
    """The query string as the schema loads it; a name that is unknown or given twice is refused."""
    given = request.args.to_dict(flat=False)
    many = {field.data_key or name for name, field in schema.load_fields.items() if isinstance(field, fields.List)}
    twice = [name for name, values in given.items() if len(values) > 1 and name not in many]
    if twice:
        messages = {name: [Message("It is given more than once.")] for name in twice}
        raise InvalidRequest(faults(messages, place="query", data=given, schema=schema))
    data = {name: values if name in many else values[0] for name, values in given.items()}
    return _load(schema, data, place="query", shown=data)


def parse_json(raw: bytes) -> Any:
    """JSON as RFC 8259 has it: UTF-8, no NaN, no name twice."""
    try:
        return json.loads(raw.decode(), parse_constant=_no_number, object_pairs_hook=_each_name_once)
    except (ValueError, RecursionError) as error:
        raise NotReadable(reason=_reason(error)) from error


def _load(schema: Schema, data: Any, *, place: str, shown: Any) -> Any:
    try:
        return schema.load(data)
    except ValidationError as error:
        raise InvalidRequest(faults(error.messages, place=place, data=shown, schema=schema)) from error


class _NotJson(ValueError):
    """What Python's parser would take, and JSON does not have."""

    def __init__(self, reason: Message) -> None:
        super().__init__(reason.text)
        self.reason = reason


def _no_number(name: str) -> NoReturn:
    raise _NotJson(Message("{name} is not a JSON number", {"name": name}))


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _NotJson(Message("a name stands twice in one object"))
    return found


def _reason(error: ValueError | RecursionError) -> Message:
    if isinstance(error, _NotJson):
        return error.reason
    if isinstance(error, json.JSONDecodeError):
        return Message("it stops at line {line}, column {column}", {"line": error.lineno, "column": error.colno})
    if isinstance(error, UnicodeDecodeError):
        return Message("it is not UTF-8")
    if isinstance(error, RecursionError):
        return Message("it is nested too deeply")
    return Message("a number in it is too long")
