"""Logs in JSON, a line a request: who, which route, how it ended, how long. Never a body, a query string or a name.

Whatever else is said while a request is answered carries the same ids: of the request, and once they are known of the
account and the organisation that ask.
"""

import logging
import re
import sys
import time
import uuid
from typing import Any

import structlog
from flask import Flask, Response, g, request

from api.context import runtime
from fieldvisit.tokens import Claims

GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
HEADER = "X-Request-Id"

log = structlog.get_logger("fieldvisit.api")


def configure_logs(level: str) -> None:
    """Everything this process says, its libraries included, goes to standard output as one JSON object a line."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
            foreign_pre_chain=shared,
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())


def register(app: Flask) -> None:
    """Give each request its id, and tell of it when it is over."""

    @app.before_request
    def begin() -> None:
        given = request.headers.get(HEADER, "")
        g.request_id = given if GIVEN_ID.fullmatch(given) else uuid.uuid4().hex
        g.began_s = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def end(response: Response) -> Response:
        seconds = time.perf_counter() - g.began_s
        status, method, rule = response.status_code, request.method, request.url_rule
        response.headers[HEADER] = g.request_id
        # The rule, not the address: an address may hold what somebody typed.
        route = rule.rule if rule else "none"
        runtime().metrics.observe(method, route, status, seconds)
        log.info("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))
        return response

    @app.teardown_request
    def forget(_: BaseException | None) -> None:
        # The thread goes on to somebody else's request.
        structlog.contextvars.clear_contextvars()


def note_actor(claims: Claims) -> None:
    """From here on every line of this request says who asks, by ids."""
    structlog.contextvars.bind_contextvars(actor=str(claims.account_id), organisation=str(claims.org_id))
