"""The typed client of the phone's API, generated from the OpenAPI document by `openapi-python-client`.

    python -m api.typed_client        what `make client` does: write it into this environment, if it is not there yet

The package `fieldvisit_client` holds what a visitor may ask, and logging in: a phone needs no more, and the client of
the whole document has four times as many files. It is generated where it is used and never kept: `make` writes it anew
whenever the document has changed, so it is always that of the server beside it.
"""

import json
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from api.app import close_app, create_app
from api.closed_lists import COMPONENTS
from api.logs import configure_logs
from api.openapi import operations
from fieldvisit.settings import read_settings
from fieldvisit.vocabulary import Role

PACKAGE = "fieldvisit_client"
DIGEST = "document.sha256"
LOGGING_IN = "tokens"
# The parts of a file are bytes, whatever tus calls them. The generator's own tidying would take most of the time.
CONFIG = """package_name_override: fieldvisit_client
content_type_overrides: {application/offset+octet-stream: application/octet-stream}
post_hooks: []
"""


def phone_part(document: dict[str, Any]) -> dict[str, Any]:
    """The document of what a visitor may ask, and of logging in, with the schemas that this needs."""
    wanted = {(path, method) for path, method, each in operations(document) if _is_phones(each)}
    paths = {
        path: {name: value for name, value in item.items() if name == "parameters" or (path, name) in wanted}
        for path, item in document["paths"].items()
        if any(path == each for each, _ in wanted)
    }
    schemas, components = document["components"]["schemas"], document["components"]
    needed, waiting = set[str](), set(_referred([paths, components["responses"]]))
    while waiting:
        needed |= waiting
        waiting = set(_referred([schemas[name] for name in waiting])) - needed
    kept = {name: schema for name, schema in schemas.items() if name in needed}
    return document | {"paths": paths, "components": components | {"schemas": kept}}


def _is_phones(operation: dict[str, Any]) -> bool:
    return LOGGING_IN in operation.get("tags", ()) or Role.VISITOR in operation.get("x-roles", ())


def _referred(node: Any) -> Iterator[str]:
    """The names of the schemas that are referred to in here."""
    if isinstance(node, str) and node.startswith(COMPONENTS):
        yield node.removeprefix(COMPONENTS)
    elif isinstance(node, dict | list):
        for each in node.values() if isinstance(node, dict) else node:
            yield from _referred(each)


def digest_of(document: dict[str, Any]) -> str:
    return sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def installed_digest(folder: Path | None = None) -> str | None:
    """Of the document that the client in this environment was made from; None where there is none."""
    stated = (folder or _place()) / DIGEST
    return stated.read_text() if stated.exists() else None


def _place() -> Path:
    return Path(sysconfig.get_path("purelib")) / PACKAGE


def write_client(document: dict[str, Any], folder: Path) -> None:
    """Generate the package into this folder, which is replaced. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory() as made:
        told, config = Path(made) / "openapi.json", Path(made) / "config.yaml"
        told.write_text(json.dumps(document))
        config.write_text(CONFIG)
        words = ["generate", "--path", told, "--config", config, "--meta", "none", "--output-path", folder]
        # A warning would be an operation left out.
        words += ["--overwrite", "--fail-on-warning"]
        subprocess.run([sys.executable, "-m", "openapi_python_client", *map(str, words)], check=True)
    (folder / "py.typed").touch()
    (folder / DIGEST).write_text(digest_of(document))


def read_document() -> dict[str, Any]:
    """The document of this code, without a database."""
    nowhere = "postgresql://nobody@127.0.0.1:1/nothing"
    with tempfile.TemporaryDirectory() as folder:
        names = {"ENVIRONMENT": "test", "DATA_FOLDER": folder, "DATABASE_URL": nowhere, "DATABASE_OWNER_URL": nowhere}
        app = create_app(read_settings(names))
        try:
            return dict(app.test_client().get("/openapi.json").get_json())
        finally:
            close_app(app)


def main() -> None:
    configure_logs("warning")
    document = phone_part(read_document())
    if installed_digest() != digest_of(document):
        write_client(document, _place())


if __name__ == "__main__":
    main()
