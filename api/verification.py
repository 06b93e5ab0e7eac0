"""How a debtor checks a visitor: the code on the phone, the page behind it, and the record of who opened it."""

import time
import uuid
from http import HTTPStatus
from typing import Any

import sqlalchemy as sa
import structlog
from flask import Response, request
from sqlalchemy.exc import SQLAlchemyError

from api import db, verification_page
from api.addresses import public_address
from api.auth import actor, visitor_id
from api.context import language, now, runtime, settings
from api.contracts import Contract
from api.db import session
from api.documenting import contracted
from api.endpoints import endpoint
from api.errors import PROBLEM, TooManyRequests
from api.openapi import Blueprint
from api.paging import Keyset
from api.qr import as_png, as_svg
from api.roles import PUBLIC, Permission
from api.schemas.verification import CodesOut, LookupOut, LookupsQueryIn, VerificationCodeOut
from fieldvisit import verification_codes, verifying
from fieldvisit.errors import FieldVisitError
from fieldvisit.languages import LANGUAGES
from fieldvisit.models import VerificationLookup
from fieldvisit.verification_codes import Bearer, GivenCode
from fieldvisit.verifying import Answer, Asking
from fieldvisit.vocabulary import LookupResult

bp = Blueprint("verification", __name__, description=__doc__)
log = structlog.get_logger("fieldvisit.api")

PAGE = "/v/"
LIMIT = "30/minute"
"""Look-ups of one address: a street of debtors behind one network of a provider, and no guessing."""
STEADY_S = 0.15
"""No answer of the page comes sooner: the work for a good code takes less."""
STATUS = {
    LookupResult.CONFIRMED: HTTPStatus.OK,
    LookupResult.EXPIRED: HTTPStatus.GONE,
    LookupResult.WITHDRAWN: HTTPStatus.GONE,
    LookupResult.FORGED: HTTPStatus.NOT_FOUND,
    LookupResult.UNKNOWN: HTTPStatus.NOT_FOUND,
}
CONTRACT = Contract(may=PUBLIC, sees_all=True, media="text/html", steady_s=STEADY_S)


@bp.post("/phone/verification-codes")
@endpoint(may=Permission.USE_PHONE, returns=CodesOut())
def make_verification_codes() -> dict[str, Any]:
    """The codes for all of one's visits of today, to be kept for where there is no signal.

    Each is good for its visit and its visitor alone, until the end of the day. Asking again gives the same ones.
    """
    codes = verification_codes.codes_of_day(session(), _bearer(), key=settings().token_key, now=now())
    return {"items": [_shown(code) for code in codes]}


@bp.post("/phone/visits/<uuid:visit_id>/verification-code")
@endpoint(may=Permission.USE_PHONE, returns=VerificationCodeOut())
def make_verification_code(visit_id: uuid.UUID) -> dict[str, Any]:
    """The code for one visit of today, as an address and as a picture of it."""
    code = verification_codes.code_for_visit(session(), _bearer(), visit_id, key=settings().token_key, now=now())
    return _shown(code)


@bp.get("/verification-lookups")
@endpoint(
    may=Permission.READ_VISITS,
    query=LookupsQueryIn(),
    returns=LookupOut(),
    order=Keyset(VerificationLookup.at, VerificationLookup.id, descending=True),
)
def list_verification_lookups(query: dict[str, Any]) -> sa.Select[VerificationLookup]:
    """Each time that a code of one's visitors was looked up, forged ones too; the newest first."""
    return verifying.lookups().filter_by(**query)


def show_verification(code: str) -> Response:
    """Whether the visitor who shows this code is to be there: a page for people, without a login.

    It tells the organisation, the visitor's photo and number, until when, and a number to call. It tells nothing of the
    debtor, of the case or of other visits. `lang` (`en`, `zh-CN`) chooses the language, else `Accept-Language`.
    """
    not_before = time.monotonic() + STEADY_S
    response = _page(code)
    time.sleep(max(0.0, not_before - time.monotonic()))
    return response


_PAGES = {"text/html": {"schema": {"type": "string"}}}
# A code that ends with a line break is no address at all, and gets the answer of all addresses that there are not.
_NOWHERE = {PROBLEM: {"schema": {"type": "object"}}}
bp.get(f"{PAGE}<path:code>")(
    Blueprint.doc(
        responses={
            str(status.value): {
                "description": told,
                "content": _PAGES | (_NOWHERE if status is HTTPStatus.NOT_FOUND else {}),
            }
            for status, told in {
                HTTPStatus.OK: "Confirmed",
                HTTPStatus.NOT_FOUND: "Not known",
                HTTPStatus.GONE: "Expired or withdrawn",
                HTTPStatus.TOO_MANY_REQUESTS: "Too many from this address",
                HTTPStatus.SERVICE_UNAVAILABLE: "Not just now",
            }.items()
        }
    )(contracted(show_verification, CONTRACT))
)


def _page(code: str) -> Response:
    spoken = _language()
    try:
        runtime().readiness.refuse_until_safe()
        runtime().limiter.count(f"verification {request.remote_addr}", limit=LIMIT)
        answer = _look_up(code)
    except TooManyRequests as error:
        wait_s = int(str(error.details["retry_after_s"]))
        page = verification_page.too_many(spoken, wait_s=wait_s)
        response = verification_page.respond(page, spoken, HTTPStatus.TOO_MANY_REQUESTS)
        response.headers["Retry-After"] = str(wait_s)
        return response
    except (FieldVisitError, SQLAlchemyError) as error:
        # Whoever stands behind a door is told that nothing was confirmed, and not what broke.
        log.warning("verification_unavailable", error=type(error).__name__)
        page = verification_page.unavailable(spoken)
        return verification_page.respond(page, spoken, HTTPStatus.SERVICE_UNAVAILABLE)
    page = verification_page.page_of(answer, spoken, now=now())
    return verification_page.respond(page, spoken, STATUS[answer.result])


def _look_up(code: str) -> Answer:
    db.session().info["sees_all"] = True
    network = verifying.network_of(request.remote_addr or "", key=settings().token_key, now=now())
    with db.transaction() as current:
        asking = Asking(text=code, network=network, now=now())
        return verifying.look_up(current, runtime().files, asking, key=settings().token_key)


def _language() -> str:
    chosen = request.args.get("lang", "").replace("-", "_")
    return chosen if chosen in LANGUAGES else language()


def _bearer() -> Bearer:
    return Bearer(visitor_id=visitor_id(), account_id=actor().account_id, device_id=actor().device_id)


def _shown(code: GivenCode) -> dict[str, Any]:
    url = public_address(PAGE + code.text)
    return {
        "visit_id": code.visit_id,
        "url": url,
        "expires_at": code.expires_at,
        "qr_svg": as_svg(url),
        "qr_png": as_png(url),
    }
