"""The OpenAPI 3.1 document at /openapi.json, and the page at /docs that shows it to people.

The page loads nothing from elsewhere and has no inline script, so it works offline and under a strict policy.
"""

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

import flask
import flask_smorest
from flask import Flask, Response, send_from_directory
from marshmallow import Schema

from api.answer_headers import REFUSED
from api.closed_lists import name_lists
from api.contracts import View, answer_schema, contract_of
from api.documenting import documented_for
from api.errors import PROBLEM
from api.examples import put_examples
from api.schemas.base import ProblemOut
from api.schemas.health import LiveOut, ReadyOut
from api.schemas.phone_events import AnyEvent

JSON = "application/json"
TITLE, VERSION = "fieldvisit", "1"
DESCRIPTION = """Lawful, safe field visits.

Log in at `POST /tokens`; send the access token as `Authorization: Bearer ...`. Every refusal is a problem document
(RFC 9457) whose `code` is stable; the sentence in `detail` is in the language of `Accept-Language` (en, zh-CN).
Lists come in pages: hand `next` back as `after`. A write may carry an `Idempotency-Key`: sent
again with it, it gets the first answer. Instants carry an offset, coordinates their datum, money its currency
in minor units. Unknown fields are refused.
"""
WITHOUT_CONTRACT = {"read_liveness": LiveOut, "read_readiness": ReadyOut}
"""What health answers, which asks nobody who they are."""
ASSETS = ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png")
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><title>fieldvisit API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css"><link rel="icon" href="/docs/assets/favicon-32x32.png">
</head>
<body>
<div id="page"></div>
<noscript>The document itself: <a href="/openapi.json">/openapi.json</a></noscript>
<script src="/docs/assets/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script>
</body>
</html>
"""
START = """SwaggerUIBundle({
  url: "/openapi.json", dom_id: "#page", deepLinking: true, validatorUrl: null, tryItOutEnabled: true
});
"""


class Blueprint(flask_smorest.Blueprint):
    """A resource. Its endpoints state their contracts with `api.endpoints.endpoint`."""

    def route(self, rule: str, **options: Any) -> Callable[[View], View]:
        bind = super().route(rule, **options)
        return lambda view: bind(documented_for(view, options.get("methods") or ("GET",)))


class Api(flask_smorest.Api):
    """flask-smorest's, with our problem document as the answer to everything that is refused."""

    ERROR_SCHEMA = ProblemOut
    DEFAULT_RESPONSE_CONTENT_TYPE = JSON

    def __init__(self, app: Flask) -> None:
        self._waiting: list[flask_smorest.Blueprint] = []
        self._document: str | None = None
        self._writing = Lock()
        super().__init__(app)

    def register_blueprint(self, blueprint: flask_smorest.Blueprint) -> None:
        """Serve the resource. It is written into the document when somebody first asks for that: it takes as long as
        all the rest of a start, and most processes are never asked."""
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blueprint.name] = self
        self._app.register_blueprint(blueprint)
        self._waiting.append(blueprint)

    def _openapi_json(self) -> Response:
        with self._writing:
            if self._document is None:
                self._document = self._written()
        return flask.Response(self._document, mimetype=JSON)

    def _written(self) -> str:
        self._describe_refusals()
        for blueprint in self._waiting:
            blueprint.register_views_in_doc(self, self._app, self.spec, name=blueprint.name, parameters=None)
            self.spec.tag({"name": blueprint.name, "description": blueprint.description})
        document = self.spec.to_dict()
        document["components"]["responses"]["DEFAULT_ERROR"]["headers"] = dict(REFUSED)
        put_examples(document, self._shapes())
        name_lists(document)
        return flask.json.dumps(document, indent=2, sort_keys=False)

    def _shapes(self) -> Iterator[tuple[str, Schema | None, Schema | None]]:
        """Name, body and answer of every operation."""
        yield from ((name, None, answer()) for name, answer in WITHOUT_CONTRACT.items())
        for view in self._app.view_functions.values():
            contract = contract_of(view)
            if contract is not None:
                yield view.__name__, contract.body, answer_schema(contract)

    def _register_error_handlers(self) -> None:
        """Nothing: `api.errors` translates every exception there is."""

    def _register_responses(self) -> None:
        """Nothing at the start: the refusals are described with the document, `_describe_refusals`."""

    def _describe_refusals(self) -> None:
        # Refusals are problem documents, answers are plain JSON; the base class knows one type for both.
        self.DEFAULT_RESPONSE_CONTENT_TYPE = PROBLEM
        super()._register_responses()
        self.DEFAULT_RESPONSE_CONTENT_TYPE = JSON


def configure(app: Flask) -> Api:
    app.config |= {
        "API_TITLE": TITLE,
        "API_VERSION": VERSION,
        "OPENAPI_VERSION": "3.1.0",
        "OPENAPI_URL_PREFIX": "/",
        "OPENAPI_JSON_PATH": "openapi.json",
        "API_SPEC_OPTIONS": {"info": {"description": DESCRIPTION}},
    }
    api = Api(app)
    api.ma_plugin.converter.add_attribute_function(_one_of)
    api.ma_plugin.converter.add_attribute_function(_only)
    api.spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"})
    _serve_page(app)
    return api


def _one_of(converter: Any, field: Any, **_: Any) -> dict[str, Any]:
    """A field that takes several shapes, told apart by their kind."""
    if not isinstance(field, AnyEvent):
        return {}
    shapes = {kind: converter.resolve_nested_schema(shape) for kind, shape in field.shapes.items()}
    mapping = {kind: shape["$ref"] for kind, shape in shapes.items()}
    return {"oneOf": list(shapes.values()), "discriminator": {"propertyName": "kind", "mapping": mapping}}


def _only(converter: Any, field: Any, **_: Any) -> dict[str, Any]:
    """A field of one value."""
    return {"const": field.metadata["const"]} if "const" in field.metadata else {}


def _serve_page(app: Flask) -> None:
    folder = _assets_folder()

    @app.get("/docs")
    def read_docs() -> Response:
        response = flask.Response(PAGE, mimetype="text/html")
        response.headers["Content-Security-Policy"] = PAGE_POLICY
        return response

    @app.get("/docs/start.js")
    def read_docs_start() -> Response:
        return flask.Response(START, mimetype="text/javascript")

    @app.get("/docs/assets/<any({}):name>".format(", ".join(f'"{each}"' for each in ASSETS)))
    def read_docs_asset(name: str) -> Response:
        return send_from_directory(folder, name, max_age=86_400)


def _assets_folder() -> Path:
    found = find_spec("flask_swagger_ui")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("flask_swagger_ui")
    return Path(found.origin).parent / "dist"


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Every (path, method, operation) of an OpenAPI document, but those whose answer has no body by its method."""
    methods = ("get", "put", "post", "delete", "patch")
    return [
        (path, method, item[method]) for path, item in document["paths"].items() for method in methods if method in item
    ]
