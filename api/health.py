"""Whether the process lives, and whether it can do its work; and why not, in words."""

from typing import Any

from flask import Response, jsonify

from api.context import language, runtime
from api.errors import RETRY_AFTER_S
from api.openapi import Blueprint
from api.schemas.health import LiveOut, ReadyOut
from fieldvisit.languages import say

bp = Blueprint("health", __name__, url_prefix="/health", description="Is it alive, is it ready")


@bp.get("/live")
@bp.response(200, LiveOut)
@bp.doc(operationId="read_liveness", security=[])
def read_liveness() -> dict[str, Any]:
    """Whether the process answers at all. Asks nothing of anybody."""
    return {"live": True}


@bp.get("/ready")
@bp.response(200, ReadyOut)
@bp.alt_response(503, schema=ReadyOut, description="Not ready; the parts say why", content_type="application/json")
@bp.doc(operationId="read_readiness", security=[])
def read_readiness() -> Response:
    """Whether the service can do its work: database, schema and map, each with a sentence."""
    parts = runtime().readiness.parts()
    ready = all(part.well is not False for part in parts)
    said = [{"name": part.name, "well": part.well, "said": say(part.said, language())} for part in parts]
    response = jsonify(ReadyOut().dump({"ready": ready, "parts": said}))
    if not ready:
        response.status_code = 503
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response
