"""What a request can ask of the app it runs in: settings, the product's clock, the caller's language."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Flask, current_app, g, has_request_context, request
from sqlalchemy.exc import SQLAlchemyError

from fieldvisit.accounts import Passwords
from fieldvisit.clock import Clock
from fieldvisit.files import FileStore
from fieldvisit.languages import DEFAULT, best_language
from fieldvisit.settings import Settings

if TYPE_CHECKING:
    from api.limiting import Limiter
    from api.metrics import Metrics
    from api.readiness import Readiness

KEY = "fieldvisit"


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """Made once by `create_app`."""

    settings: Settings
    clock: Clock
    passwords: Passwords
    limiter: "Limiter"
    metrics: "Metrics"
    readiness: "Readiness"
    files: FileStore


def runtime(app: Flask | None = None) -> Runtime:
    found: Runtime = (app or current_app).extensions[KEY]
    return found


def settings() -> Settings:
    return runtime().settings


def now() -> dt.datetime:
    """The product's time, asked once a request: every decision of one request is made at one moment."""
    moment: dt.datetime | None = g.get("now")
    if moment is None:
        moment = g.now = runtime().clock()
    return moment


def now_for_a_call() -> dt.datetime:
    """The same for a call for help, which no database may hinder: where it has not said yet whether the clock is
    shifted, and does not say it now, this host's time holds, as in production it does anyway."""
    try:
        return now()
    except SQLAlchemyError:
        g.now = dt.datetime.now(dt.UTC)
        return now()


def language() -> str:
    """The catalogue that fits the caller best."""
    return best_language(request.headers.get("Accept-Language")) if has_request_context() else DEFAULT


def request_id() -> str:
    return str(g.get("request_id", ""))
