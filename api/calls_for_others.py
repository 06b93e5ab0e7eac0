"""A call for help for somebody else that the database refuses: kept and rung by the emergency path like any other."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from flask import Response, jsonify
from sqlalchemy.exc import SQLAlchemyError

from api.auth import read_bearer
from api.context import now_for_a_call, settings
from api.reading import read_body
from api.roles import Permission, refuse_unless
from api.schemas.safety import CalledForOut, CallForIn
from api.sos import emergency, keep_call
from api.storage import translated
from fieldvisit.errors import FieldVisitError, Kind, NotFound
from fieldvisit.safety.drafts import Sos

log = structlog.get_logger("fieldvisit.emergency")


def kept_when_away[View: Callable[..., Any]](view: View) -> View:
    """The view of such a call; where no database takes it, the emergency path does, on the word of a token that is
    good."""

    @wraps(view)
    def taken(visitor_id: uuid.UUID) -> Any:
        try:
            return view(visitor_id=visitor_id)
        except (FieldVisitError, SQLAlchemyError) as error:
            known = translated(error) if isinstance(error, SQLAlchemyError) else error
            if known is None or known.kind is not Kind.UNAVAILABLE:
                raise
            return _keep(visitor_id)

    return taken  # type: ignore[return-value]  # wrapped


def _keep(visitor_id: uuid.UUID) -> Response:
    """Who calls for whom is not asked: whose buddy somebody is, no list at hand tells, and a call is not refused for
    that. It stands in the record. Raises NotFound for a visitor whom the list does not know, DatabaseUnavailable where
    not even the disk took it."""
    claims = read_bearer(settings().token_key, now=now_for_a_call(), even_expired=False)
    refuse_unless(Permission.CALL_FOR_OTHERS, claims.roles)
    body = read_body(CallForIn())
    known = emergency().duty.of(claims.org_id).visitors
    if known and str(visitor_id) not in known:
        raise NotFound(what="visitor", id=visitor_id)
    log.error("emergency_path", event_id=str(body["event_id"]), on_behalf=True)
    told = Sos(**body, visitor_id=visitor_id, actor_id=claims.account_id, on_behalf=True)
    answer = jsonify(CalledForOut().dump(keep_call(claims, told)))
    answer.status_code = 201
    return answer
