"""The one translator: whatever was raised becomes a problem document (RFC 9457) in the caller's language.

Nothing of the inside leaves: no statement, no parameter, no stack. What nobody foresaw is logged and answered as 500.
"""

import traceback
from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Any, ClassVar

import structlog
from flask import Flask, Response, g, json, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug import Response as WerkzeugResponse
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge

from api.context import language, request_id
from api.faults import Fault, domain_fault
from api.sentences import facts, sentence
from api.storage import translated
from fieldvisit.errors import DatabaseUnavailable, FieldVisitError, InvalidValue, Kind
from fieldvisit.languages import Message, say, tag
from fieldvisit.safety.cover import WatchUnavailable

PROBLEM = "application/problem+json"
RETRY_AFTER_S = 2
WATCHED = "/safety/"

STATUS: Mapping[Kind, int] = {
    Kind.INVALID: 422,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.MISSING: 404,
    Kind.CONFLICT: 409,
    Kind.TOO_LARGE: 413,
    Kind.TOO_MANY: 429,
    Kind.UNAVAILABLE: 503,
}
# One short name for each status, so that a title never depends on the occurrence.
TITLES: Mapping[int, str] = {
    400: "The request is not readable",
    401: "Not logged in",
    403: "Not permitted",
    404: "Not found",
    405: "The method is not for this address",
    409: "In conflict with what is stored",
    412: "A condition of the request does not hold",
    413: "Too large",
    415: "The wrong content type",
    422: "Not valid",
    429: "Too many requests",
    460: "The checksum differs",
    500: "An error on our side",
    503: "Unavailable for the moment",
}

log = structlog.get_logger("fieldvisit.api")


class NotReadable(FieldVisitError):
    """The body is not JSON at all."""

    code, kind = "not_readable", Kind.INVALID
    says = "The body is not JSON: {reason}"
    status: ClassVar[int] = 400


class WrongContentType(FieldVisitError):
    code, kind = "wrong_content_type", Kind.INVALID
    says = "The body is {given}. Send JSON, with the header Content-Type: application/json."
    status: ClassVar[int] = 415


class BodyTooLarge(FieldVisitError):
    code, kind = "body_too_large", Kind.TOO_LARGE
    says = "The body is larger than {max_mb} MiB. Send it in parts."


class InvalidRequest(FieldVisitError):
    """The request does not have the shape of its contract; every fault is named at once."""

    code, kind = "invalid_request", Kind.INVALID
    says = "Not valid in the request: {count}. See errors."

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(count=len(faults))
        self.faults = faults


class NoSuchAddress(FieldVisitError):
    code, kind = "no_such_address", Kind.MISSING
    says = "There is nothing at this address. The document /openapi.json lists all that there is."


class MethodRefused(FieldVisitError):
    code, kind = "method_not_allowed", Kind.INVALID
    says = "This address takes {methods} only."
    status: ClassVar[int] = 405


class TooManyRequests(FieldVisitError):
    code, kind = "too_many_requests", Kind.TOO_MANY
    says = "The limit of {count} in {within_s} s is reached. Try again in {retry_after_s} s."


class RequestRefused(FieldVisitError):
    """Any other refusal of the web framework itself."""

    code, kind = "request_refused", Kind.INVALID
    says = "The request was refused: {reason}"


class Unforeseen(FieldVisitError):
    code, kind = "unforeseen_error", Kind.UNAVAILABLE
    says = "Something went wrong on our side. Nothing was stored. Tell us the request id {request_id}."
    status: ClassVar[int] = 500


def register(app: Flask, *, max_body_mb: int) -> None:
    """Make every exception of this app a problem document."""

    def on_http(error: HTTPException) -> Response | WerkzeugResponse:
        if error.code is not None and error.code < HTTPStatus.BAD_REQUEST:
            return error.get_response()  # a redirection is no refusal
        return problem(_of_http(error, max_body_mb), status=error.code)

    app.register_error_handler(HTTPException, on_http)
    app.register_error_handler(FieldVisitError, problem)
    app.register_error_handler(SQLAlchemyError, _on_database)
    app.register_error_handler(Exception, lambda error: problem(_unforeseen(error)))


def _on_database(error: SQLAlchemyError) -> Response:
    known = translated(error)
    if known is None:
        return problem(_unforeseen(error))
    known.__cause__ = getattr(error, "orig", None) or error
    return problem(known)


def problem(error: FieldVisitError, *, status: int | None = None) -> Response:
    """The answer for this error, in the language of the request that met it."""
    error = _as_at_a_door(error)
    status = status or status_of(error)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        _log_cause(error)
    response = Response(json.dumps(problem_document(error, status=status)), status=status, mimetype=PROBLEM)
    response.content_language.add(tag(language()))
    for name, value in _headers(error, status).items():
        response.headers[name] = value
    return response


def _as_at_a_door(error: FieldVisitError) -> FieldVisitError:
    """Whoever asks to be watched over is told what to do meanwhile."""
    if type(error) is not DatabaseUnavailable or not request.path.startswith(WATCHED):
        return error
    told = WatchUnavailable(**error.details)
    told.__cause__ = error.__cause__
    return told


def problem_document(error: FieldVisitError, *, status: int | None = None) -> dict[str, Any]:
    """What is said of this error, in the language of the request."""
    status, spoken = status or status_of(error), language()
    document: dict[str, Any] = {
        "type": f"urn:fieldvisit:problem:{error.code}",
        "title": say(TITLES[status] if status in TITLES else HTTPStatus(status).phrase, spoken),
        "status": status,
        "detail": say(sentence(error), spoken),
        "code": error.code,
        "request_id": request_id(),
        "details": {name: _plain(value, spoken) for name, value in facts(error).items()},
    }
    found = _faults_in(error)
    if found:
        document["errors"] = [fault.spoken(spoken) for fault in found]
    return document


def _faults_in(error: FieldVisitError) -> list[Fault]:
    if isinstance(error, InvalidRequest):
        return error.faults
    if isinstance(error, InvalidValue) and "body_schema" in g:
        return [domain_fault(error, data=g.body, schema=g.body_schema)]
    return []


def status_of(error: FieldVisitError | type[FieldVisitError]) -> int:
    """The number of an error: its own, if it is the edge's, or its kind's."""
    own: int | None = getattr(error, "status", None)
    return own or STATUS[error.kind]


def _headers(error: FieldVisitError, status: int) -> dict[str, str]:
    if status == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": 'Bearer realm="fieldvisit"'}
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        return {"Retry-After": str(error.details.get("retry_after_s", RETRY_AFTER_S))}
    if isinstance(error, MethodRefused):
        return {"Allow": str(error.details["methods"])}
    return {}


def _of_http(error: HTTPException, max_body_mb: int) -> FieldVisitError:
    if isinstance(error, RequestEntityTooLarge):
        return BodyTooLarge(max_mb=max_body_mb)
    if isinstance(error, MethodNotAllowed):
        return MethodRefused(methods=", ".join(sorted(error.valid_methods or ())))
    if isinstance(error, NotFound):
        return NoSuchAddress()
    return RequestRefused(reason=error.name)


def _log_cause(error: FieldVisitError) -> None:
    """Why we cannot serve just now: by kind and number, since the message may hold values (see `_unforeseen`)."""
    cause = error.__cause__
    log.warning(
        "unavailable",
        code=error.code,
        cause=cause.code if isinstance(cause, FieldVisitError) else type(cause).__name__,
        sqlstate=getattr(cause, "sqlstate", None),
    )


def _unforeseen(error: BaseException) -> FieldVisitError:
    # The message of a foreign exception may hold a row of a person's data: where it happened is enough to find it.
    frames = traceback.extract_tb(error.__traceback__)
    log.error(
        "unforeseen_error",
        error=type(error).__name__,
        cause=type(error.__cause__).__name__ if error.__cause__ else None,
        frames=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-8:]],
    )
    return Unforeseen(request_id=request_id())


def _plain(value: object, spoken: str) -> Any:
    """A detail as JSON has it; sentences and labels in the caller's language, enums by their stable value."""
    if isinstance(value, Message):
        return say(value, spoken)
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each, spoken) for each in value]
    if isinstance(value, Mapping):
        return {str(name): _plain(each, spoken) for name, each in value.items()}
    return value if isinstance(value, str | int | float | bool | None) else str(value)
