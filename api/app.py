"""The application, put together. Nothing happens at import, and no database is needed to start."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, Response
from flask_smorest import Blueprint
from werkzeug.datastructures import Headers
from werkzeug.middleware.proxy_fix import ProxyFix

from api import compression, db, errors, health, logs, metrics, openapi
from api.context import KEY, Runtime
from api.epochs import tell_epoch_with_refusal
from api.limiting import Limiter, tell_limit
from api.readiness import Readiness
from api.rules import LazyRule
from api.safety_live import close_walls
from api.shared import Counts
from fieldvisit.accounts import Passwords
from fieldvisit.clock import Clock
from fieldvisit.database import database_urls
from fieldvisit.files import FileStore
from fieldvisit.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

MIB = 2**20
PROTECTING = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
DEPENDS_ON = ("Accept-Language", "Authorization")
# Each module's `bp` is one resource. The order is the order of the document.
RESOURCES = (
    "tokens",
    "organisations",
    "debtors",
    "cases",
    "contacts",
    "contact_proposals",
    "visitors",
    "papers",
    "renewals",
    "files",
    "evidence",
    "forms",
    "crews",
    "visits",
    "records",
    "accesses",
    "debtor_requests",
    "promises",
    "repayments",
    "cash",
    "plans",
    "weeks",
    "plan_changes",
    "offers",
    "blocks",
    "compliance",
    "agency_reviews",
    "notice_services",
    "notices",
    "phone",
    "phone_events",
    "verification",
    "devices",
    "safety",
    "safety_drills",
    "safety_duty",
    "safety_handling",
    "safety_live",
    "safety_looks",
    "safety_markers",
    "safety_roster",
    "safety_plans",
    "safety_rules",
    "safety_statistics",
    "safety_timers",
)


@dataclass(frozen=True, kw_only=True)
class Siblings:
    """What this process has in common with the others of its server: how often each caller asked, and the folder in
    which their numbers lie."""

    counts: Counts
    numbers: Path


class Answer(Response):
    """Werkzeug copies the headers of each answer, to put right those that say where something is."""

    def get_wsgi_headers(self, environ: "WSGIEnvironment") -> Headers:
        headers = self.headers
        if self.status_code != HTTPStatus.OK or "Content-Length" not in headers or "Location" in headers:
            return super().get_wsgi_headers(environ)
        return headers


class Threaded(Flask):
    """None of our functions is a coroutine, and nobody has to find that out anew at each request."""

    response_class = Answer

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(settings: Settings, siblings: Siblings | None = None) -> Flask:
    """The WSGI application for these settings; starts the embedded database where the settings name none."""
    app = Threaded("api", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_mb * MIB
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    app.url_map.strict_slashes = False
    app.url_rule_class = LazyRule
    proxies = settings.trusted_proxies
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies)  # type: ignore[method-assign]
    engine = db.attach(app, database_urls(settings).app, settings)
    app.extensions[KEY] = Runtime(
        settings=settings,
        clock=Clock(engine),
        passwords=Passwords(environment=settings.environment),
        limiter=Limiter(settings.rate_limit, settings.rate_limit_storage, siblings.counts if siblings else None),
        metrics=metrics.Metrics(engine, siblings.numbers if siblings else None),
        readiness=Readiness(engine, settings),
        files=FileStore(settings),
    )
    app.after_request(compression.compress)
    app.after_request(_protect)
    app.after_request(tell_limit)
    app.after_request(tell_epoch_with_refusal)
    logs.register(app)
    errors.register(app, max_body_mb=settings.max_body_mb)
    metrics.register(app)
    api = openapi.configure(app)
    for blueprint in _blueprints():
        api.register_blueprint(blueprint)
    return app


def close_app(app: Flask) -> None:
    """End what the application does beside its requests, and give its connections back."""
    close_walls(app)
    with app.app_context():
        db.db.engine.dispose()


def load_resources() -> None:
    """Import what every application is made of, before several processes each would."""
    for _ in _blueprints():
        pass


def _blueprints() -> Iterator[Blueprint]:
    yield health.bp
    for name in RESOURCES:
        yield import_module(f"api.{name}").bp


def _protect(response: Response) -> Response:
    """What comes from here is data about people: kept in no cache, framed by no page, sniffed for no other type."""
    there = {name for name, _ in response.headers}
    for name, value in PROTECTING.items():
        if name not in there:
            response.headers.add(name, value)
    if "Vary" in there:
        response.vary.update(DEPENDS_ON)
    else:
        response.headers.add("Vary", ", ".join(DEPENDS_ON))
    return response
