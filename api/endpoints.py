"""The contract of an endpoint, stated above the view that fulfils it.

    @bp.post("/<uuid:visit_id>/reports")
    @endpoint(may=Permission.USE_PHONE, body=VisitReportIn(), returns=VisitReportOut(), status=201)
    def report_visit(visit_id: uuid.UUID, body: ReportDraft) -> VisitReport:
        '''Report how a visit went.'''
        return visits.report_visit(session(), visit_id, body, now())

The caller is known and permitted before a byte of the body is read. What the view returns is dumped while the
transaction is still open, then everything is committed; whatever is raised leaves nothing behind. A refusal of which
something has to stay is returned as `Refused`, and raised after the commit.
"""

import inspect
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, wraps
from hashlib import sha256
from http import HTTPStatus
from typing import Any, NoReturn

from flask import Response, g, jsonify, request
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from api import db
from api.auth import actor, authenticate
from api.context import request_id, runtime
from api.editing import IF_MATCH, Edit, Edited
from api.epochs import HEADER as EPOCH_HEADER
from api.epochs import tell_epoch
from api.idempotency import ANSWER_HEADER, PARAMETER, Turn, turn_of
from api.locating import note_located
from api.paging import Keyset
from api.reading import read_body, read_query, read_raw
from api.roles import GRANTS, PUBLIC, Permission, refuse_unless
from api.schemas.base import In, Out, PageIn
from api.schemas.fields import Choice, Part
from api.showing import REASON_PARAMETER, Shows, note_shown
from fieldvisit.audit import record_action
from fieldvisit.drafts import Change
from fieldvisit.errors import FieldVisitError, Refused

type View = Callable[..., Any]
CONTRACTS = "_contract"
READING = frozenset({"GET", "HEAD", "OPTIONS"})
JSON = "application/json"
PAGE, NOTHING = PageIn(), In()


@dataclass(frozen=True, kw_only=True)
class Contract:
    """`may` is the permission needed, or PUBLIC. `query` and `body` arrive at the view under these names.

    With `order` the view returns a select and the answer is one page of it. `safety` frees an endpoint from every
    limit and from the audit trail, which safety keeps itself. `limit` is one of its own beside the usual one, counted
    for each value that the body's field `limit_by` has. `counted_by` names a secret in the body whose bearer is counted
    instead of the address: behind one address of a mobile network stands a whole fleet. `sees_all` is for logging in,
    when there is no organisation yet. `even_expired` lets in whoever has a token that was good once: help is called
    with whatever is at hand. `even_revoked` lets in a phone that was revoked, to say so or to call for help. `traced`
    puts a reading into the audit trail, as every change is. `shows` puts it into the log of accesses: whose data it
    showed, and for a file why. `media` is the answer's, where not JSON.
    With `raw` the view is given the bytes of the body, which has to be of that media type: as many as came, should the
    connection break off. `headers` are the request's own, as the document names them.
    `edits` says what this one changes and which view reads it: two who change it take turns, and with `If-Match` the
    second is told of the first (see `api.editing`).
    `steady_s`: no answer comes sooner, so that its time tells nothing.
    """

    may: Permission | None
    body: Schema | None = None
    query: Schema | None = None
    returns: Schema | None = None
    status: int = 200
    order: Keyset | None = None
    safety: bool = False
    limit: str | None = None
    limit_by: str = ""
    counted_by: str = ""
    sees_all: bool = False
    even_expired: bool = False
    even_revoked: bool = False
    traced: bool = False
    shows: Shows | None = None
    steady_s: float = 0.0
    media: str = JSON
    raw: str = ""
    edits: Edited | None = None
    headers: tuple[Mapping[str, Any], ...] = ()


def endpoint(**terms: Any) -> Callable[[View], View]:
    """Bind a view to its contract; the terms are the fields of `Contract`. `may` cannot be left out."""
    contract = Contract(**terms)

    def bind(view: View) -> View:
        @wraps(view)
        def fulfil(**path: uuid.UUID) -> Response:
            not_before = time.monotonic() + contract.steady_s
            _admit(contract)
            given = path | _read(contract)
            _count_own(contract, given)
            with db.transaction() as session:
                turn = turn_of(session) if _is_keyed(contract, request.method) else Turn(session, None)
                if (replayed := turn.replay()) is not None:
                    return replayed
                edit = _edit_of(contract, path, given.get("body"))
                result = (edit.take_turn() if edit else None) or view(**given)
                if isinstance(result, Refused):
                    turn.release()
                    _record(contract, f"{view.__name__}_refused", path)
                else:
                    response = _answer_of(contract, result)
                    if edit is not None:
                        edit.tag(response)
                    turn.keep(response)
                    if contract.may is Permission.USE_PHONE:
                        tell_epoch(session, response)
                    _record(contract, view.__name__, path)
            # After the commit: how long the work took may not tell what it was.
            time.sleep(max(0.0, not_before - time.monotonic()) if contract.steady_s else 0.0)
            if isinstance(result, Refused):
                _refuse(contract, result)
            return response

        return contracted(fulfil, contract)

    return bind


def contracted(view: View, contract: Contract) -> View:
    """A view that fulfils its contract by itself, and is documented by it."""
    setattr(view, CONTRACTS, contract)
    return documented(view, contract)


def contract_of(view: View) -> Contract | None:
    return getattr(view, CONTRACTS, None)


def _edit_of(contract: Contract, path: Mapping[str, uuid.UUID], body: Any) -> Edit | None:
    if contract.edits is None:
        return None
    reading = contract_of(contract.edits.view)
    if reading is None:
        raise TypeError("What is edited is read by an endpoint.")
    return Edit(db.session(), contract.edits, reading, path, body)


@dataclass(frozen=True)
class Tagged:
    """An answer that need not be made where the caller has it already: its tag, and how it is made."""

    tag: str
    make: Callable[[], Any]


def _answer_of(contract: Contract, result: Any) -> Response:
    if not isinstance(result, Tagged):
        return _respond(contract, _dump(contract, result))
    if request.if_none_match.contains_weak(result.tag):
        response = Response(status=HTTPStatus.NOT_MODIFIED)
    else:
        response = _respond(contract, _dump(contract, result.make()), tag=result.tag)
    response.set_etag(result.tag)
    return response


def _is_keyed(contract: Contract, method: str) -> bool:
    """Whether a caller may send it under a key of their own, to get the same answer if they have to send it again."""
    return method not in READING and contract.may is not PUBLIC and not contract.safety


def _refuse(contract: Contract, refused: Refused) -> NoReturn:
    """Raise a refusal of which something stays, after that was committed."""
    if contract.counted_by:
        # No bearer of ours: whoever shows made-up secrets is counted like anybody without one.
        _count_address(contract)
    raise refused.error


def _admit(contract: Contract) -> None:
    """Let the caller in: known, within the limits, permitted. In this order, so that guessing tokens is limited too."""
    runtime().readiness.refuse_until_safe()
    if contract.may is PUBLIC:
        db.session().info["sees_all"] = contract.sees_all
        if not contract.counted_by:
            _count_address(contract)
        return
    try:
        caller = authenticate(even_expired=contract.even_expired, even_revoked=contract.even_revoked)
    except FieldVisitError:
        _count_address(contract)
        raise
    # Each phone has its own: one that sends a day again and again takes nothing from another of the same visitor.
    _count(contract, f"account {caller.account_id} {caller.device_id or ''}")
    refuse_unless(contract.may, caller.roles)


def _count(contract: Contract, caller: str) -> None:
    if not contract.safety:
        runtime().limiter.count(caller)


def _count_address(contract: Contract) -> None:
    _count(contract, f"address {request.remote_addr}")


def _count_own(contract: Contract, given: Mapping[str, Any]) -> None:
    if contract.counted_by:
        _count(contract, f"bearer {sha256(given['body'][contract.counted_by].encode()).hexdigest()}")
    if contract.limit is not None:
        # A whole office or a mobile network stands behind one address, so the address alone says too little.
        whose = f"{request.endpoint} {request.remote_addr} {given['body'][contract.limit_by]}"
        runtime().limiter.count(whose, limit=contract.limit)


def _read(contract: Contract) -> dict[str, Any]:
    """What the view is given. The page's own two parameters are taken out and kept for `_dump`."""
    given: dict[str, Any] = {}
    known = contract.query or (PAGE if contract.order else NOTHING)
    query = read_query(known) if known is not NOTHING or request.query_string else {}
    if contract.order is not None:
        g.page = {name: query.pop(name) for name in ("after", "limit")}
    if contract.query is not None:
        given["query"] = query
    if contract.raw:
        given["body"] = read_raw(contract.raw)
    if contract.body is not None:
        given["body"] = read_body(contract.body)
    return given


def _dump(contract: Contract, result: Any) -> Any:
    if contract.order is not None:
        page = contract.order.page(db.session(), result, **g.page)
        _note_shown(contract, page.items)
        note_located(contract.may, page.items)
        return {"items": _schema(contract).dump(page.items, many=True), "next": page.next}
    if contract.returns is None:
        return result
    _note_shown(contract, [result])
    note_located(contract.may, [result])
    return contract.returns.dump(result)


def _note_shown(contract: Contract, items: Iterable[Any]) -> None:
    if contract.shows is not None:
        note_shown(contract.shows, str(request.endpoint).rpartition(".")[2], items)


def _schema(contract: Contract) -> Schema:
    if contract.returns is None:
        raise TypeError("A list needs the schema of its items.")
    return contract.returns


def _record(contract: Contract, action: str, path: Mapping[str, uuid.UUID]) -> None:
    """Every change leaves its trace: who, what, on which thing, in which request. So does a reading that asks to."""
    reading_untraced = request.method in READING and not contract.traced
    if contract.safety or contract.may is PUBLIC or reading_untraced:
        return
    record_action(
        db.session(),
        action,
        org_id=actor().org_id,
        actor_id=actor().account_id,
        subject=str(request.blueprint),
        subject_id=next(iter(path.values()), None),
        request_id=request_id(),
    )


def _respond(contract: Contract, answer: Any, *, tag: str | None = None) -> Response:
    if isinstance(answer, Response):
        return answer
    if contract.status == HTTPStatus.NO_CONTENT:
        return Response(status=HTTPStatus.NO_CONTENT)
    response = jsonify(answer) if contract.media == JSON else Response(answer, mimetype=contract.media)
    response.status_code = contract.status
    if request.method in READING and tag is None:
        # The tag is of the very bytes, so a phone that has the day already is told so in a few of them.
        response.add_etag()
        response.make_conditional(request)
    return response


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
    """The view with what its document says only for these methods: that a write may be sent under a key."""
    contract = contract_of(view)
    if contract is None or not all(_is_keyed(contract, method) for method in methods):
        return view
    parameters = [*_query_parameters(contract), PARAMETER]
    bound: View = Blueprint.doc(parameters=parameters, responses={str(contract.status): {"headers": ANSWER_HEADER}})(
        view
    )
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
    if contract.may is Permission.USE_PHONE:
        said["headers"] = EPOCH_HEADER
    schema = answer_schema(contract)
    if contract.status == HTTPStatus.NO_CONTENT or (schema is None and contract.media == JSON):
        # Headers alone.
        return said
    content = {"schema": schema} if schema is not None else {}
    return said | {"content": {contract.media: content}}


def answer_schema(contract: Contract) -> Schema | None:
    """What is answered: one thing, or a page of them; None where it is no JSON."""
    return page_of(contract.returns) if contract.order and contract.returns else contract.returns


@dataclass(frozen=True)
class Stored:
    """What an upsert did, and the thing as it stands now."""

    change: Change
    item: object

    @classmethod
    def of(cls, upserted: tuple[object, Change]) -> "Stored":
        return cls(change=upserted[1], item=upserted[0])


def stored(schema: Schema) -> Schema:
    """The schema of what an upsert answers: what it did, and the thing as it stands now."""
    return _stored_class(type(schema))()


@cache
def _stored_class(item: type[Schema]) -> type[Schema]:
    name = item.__name__.removesuffix("Out") + "StoredOut"
    return Out.from_dict({"change": Choice(Change, required=True), "item": Part(item, required=True)}, name=name)


@cache
def _page_class(items: type[Schema]) -> type[Schema]:
    name = items.__name__.removesuffix("Out") + "PageOut"
    return Out.from_dict(
        {"items": fields.List(Part(items), required=True), "next": fields.String(allow_none=True, required=True)},
        name=name,
    )


def page_of(schema: Schema) -> Schema:
    """The schema of one page of these."""
    return _page_class(type(schema))()
