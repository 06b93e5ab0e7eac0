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

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from hashlib import sha256
from http import HTTPStatus
from typing import Any, NoReturn

from flask import Response, g, jsonify, request
from marshmallow import Schema

from api import db
from api.auth import actor, authenticate
from api.context import request_id, runtime
from api.contracts import JSON, READING, Contract, View, contract_of
from api.documenting import PAGE, contracted
from api.editing import Edit
from api.epochs import tell_epoch
from api.idempotency import turn_of
from api.locating import note_located
from api.reading import read_body, read_query, read_raw
from api.roles import PUBLIC, Permission, refuse_unless
from api.schemas.base import In
from api.showing import note_shown
from fieldvisit.audit import record_action
from fieldvisit.errors import FieldVisitError, Refused

NOTHING = In()
BREATH_BYTES = 16 * 1024


def endpoint(**terms: Any) -> Callable[[View], View]:
    """Bind a view to its contract; the terms are the fields of `Contract`. `may` cannot be left out."""
    contract = Contract(**terms)

    def bind(view: View) -> View:
        @wraps(view)
        def fulfil(**path: uuid.UUID) -> Response:
            not_before = time.monotonic()
            _admit(contract)
            _let_go_until_read(contract)
            given = path | _read(contract)
            not_before += _steady_s(contract, given)
            _count_own(contract, given)
            # After the commit: how long the work took may not tell what it was.
            with _no_sooner(not_before), db.transaction() as session:
                turn = turn_of(session, contract)
                if (replayed := turn.replay(lambda id: _answer_afresh(contract, id))) is not None:
                    if contract.may is Permission.USE_PHONE:
                        tell_epoch(session, replayed)
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
            if isinstance(result, Refused):
                _refuse(contract, result)
            return response

        return contracted(fulfil, contract)

    return bind


@contextmanager
def _no_sooner(moment: float) -> Iterator[None]:
    yield
    # Sleeping for no time at all would give the interpreter away for nothing.
    if (early_s := moment - time.monotonic()) > 0:
        time.sleep(early_s)


def _steady_s(contract: Contract, given: Mapping[str, Any]) -> float:
    return 0.0 if contract.steady_with and given["body"][contract.steady_with] is None else contract.steady_s


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


def _answer_afresh(contract: Contract, of: uuid.UUID) -> Response:
    if contract.afresh is None:
        raise TypeError("Only what is read anew is answered afresh.")
    return _answer_of(contract, contract.afresh(of))


def _refuse(contract: Contract, refused: Refused) -> NoReturn:
    """Raise a refusal of which something stays, after that was committed."""
    if contract.counted_by:
        # No bearer of ours: whoever shows made-up secrets is counted like anybody without one.
        _count_address(contract)
    raise refused.error


def _admit(contract: Contract) -> None:
    """Let the caller in: known, within the limits, permitted. In this order, so that guessing tokens is limited too."""
    g.asked_by_phone = contract.may is Permission.USE_PHONE
    runtime().readiness.refuse_until_safe()
    if contract.may is PUBLIC:
        db.session().info["sees_all"] = contract.sees_all
        if not contract.counted_by:
            _count_address(contract)
        return
    try:
        caller = authenticate(
            even_expired=contract.even_expired,
            even_revoked=contract.even_revoked,
            even_ended=contract.even_ended,
            even_unknown=contract.even_unknown,
        )
    except FieldVisitError:
        _count_address(contract)
        raise
    # Each phone has its own: one that sends a day again and again takes nothing from another of the same visitor.
    _count(contract, f"account {caller.account_id} {caller.device_id or ''}")
    refuse_unless(contract.may, caller.roles)


def _count(contract: Contract, caller: str) -> None:
    if not (contract.safety or contract.unlimited):
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


def _let_go_until_read(contract: Contract) -> None:
    """End what admitting began, where a body is to come that may be long on its way: no transaction waits for a phone,
    and the database would end one that stands idle. What fits into a breath is not worth beginning anew."""
    awaited = contract.body is not None or contract.raw
    length = request.content_length
    if awaited and (length is None or length > BREATH_BYTES):
        db.session().rollback()


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
