"""An endpoint's part of the OpenAPI document, from its contract."""

import inspect
from collections.abc import Collection
from http import HTTPStatus
from typing import Any

from flask_smorest import Blueprint

from api.answer_headers import headers_of
from api.contracts import CONTRACTS, JSON, Contract, View, answer_schema, contract_of, is_keyed
from api.editing import IF_MATCH
from api.idempotency import DONE_BEFORE, PARAMETER
from api.roles import GRANTS, PUBLIC, Permission
from api.schemas.base import PageIn
from api.showing import REASON_PARAMETER, Shows

PAGE = PageIn()


def contracted(view: View, contract: Contract) -> View:
    """A view that fulfils its contract by itself, and is documented by it."""
    setattr(view, CONTRACTS, contract)
    return documented(view, contract)


def documented(view: View, contract: Contract) -> View:
    """The view with its part of the OpenAPI document."""
    name = view.__name__
    manual: dict[str, Any] = {
        "operationId": name,
        "description": _described(view, contract),
        "responses": {str(contract.status): _answer(contract)},
        "security": [] if contract.may is PUBLIC else [{"bearer": []}],
        "x-roles": [] if contract.may is None else sorted(GRANTS[contract.may]),
    }
    parameters = _query_parameters(contract) + ([REASON_PARAMETER] if contract.shows is Shows.FILE else [])
    if parameters:
        manual["parameters"] = parameters
    if contract.raw:
        manual["requestBody"] = {"content": {contract.raw: {"schema": {"type": "string", "format": "binary"}}}}
    if contract.body is not None:
        manual["requestBody"] = {"required": True, "content": {JSON: {"schema": contract.body}}}
    bound: View = Blueprint.doc(**manual)(view)
    return bound


def documented_for(view: View, methods: Collection[str]) -> View:
    """The view with what its document says only for these methods: that a write may be sent under a key, and which
    headers its answer carries."""
    contract = contract_of(view)
    if contract is None:
        return view
    said: dict[str, Any] = {"responses": {str(contract.status): {"headers": headers_of(contract, methods)}}}
    if all(is_keyed(contract, method) for method in methods):
        said["parameters"] = [*_query_parameters(contract), DONE_BEFORE if contract.afresh else PARAMETER]
    bound: View = Blueprint.doc(**said)(view)
    return bound


def _query_parameters(contract: Contract) -> list[dict[str, Any]]:
    query = contract.query or (PAGE if contract.order else None)
    headers = [*map(dict, contract.headers), *([IF_MATCH] if contract.edits is not None else [])]
    return [*([] if query is None else [{"in": "query", "schema": query}]), *headers]


def _described(view: View, contract: Contract) -> str:
    title, _, more = inspect.cleandoc(view.__doc__ or "").partition("\n")
    if not title:
        raise TypeError(f"The endpoint {view.__name__} has no docstring, which is its title.")
    who = "Anyone, without a token." if contract.may is PUBLIC else f"Roles: {_roles(contract.may)}."
    return f"{more.strip()}\n\n{who}".strip()


def _roles(permission: Permission | None) -> str:
    return ", ".join(sorted(GRANTS[permission])) if permission else ""


def _answer(contract: Contract) -> dict[str, Any]:
    said: dict[str, Any] = {"description": HTTPStatus(contract.status).phrase}
    schema = answer_schema(contract)
    if contract.status == HTTPStatus.NO_CONTENT or (schema is None and contract.media == JSON):
        # Headers alone.
        return said
    content = {"schema": schema} if schema is not None else {}
    return said | {"content": {contract.media: content}}
