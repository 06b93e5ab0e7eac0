"""Records: the whole record of a visit, to read and to hand over."""

import uuid

from api.auth import actor
from api.context import request_id
from api.db import session
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.roles import Permission
from api.schemas.records import VisitRecordOut
from api.showing import Shows, note_shown
from fieldvisit.audit import record_action
from fieldvisit.record_exports import record_as_csv
from fieldvisit.visit_records import VisitRecord, read_record

bp = Blueprint("records", __name__, description=__doc__)


@bp.get("/visits/<uuid:visit_id>/record")
@endpoint(may=Permission.READ_REPORTS, returns=VisitRecordOut(), shows=Shows.FILE)
def get_visit_record(visit_id: uuid.UUID) -> VisitRecord:
    """Everything that is kept of one visit, as it stands, with its hash.

    The answer is what may be handed to a court or a regulator; the hash of what was given is in the audit trail.
    """
    return _handed_over(visit_id, "json")


@bp.get("/visits/<uuid:visit_id>/record.csv")
@endpoint(may=Permission.READ_REPORTS, media="text/csv")
def get_visit_record_as_csv(visit_id: uuid.UUID) -> str:
    """The same as a table of two columns, the path of each value and the value; the last line is the hash."""
    record = _handed_over(visit_id, "csv")
    note_shown(Shows.FILE, "get_visit_record_as_csv", [record])
    return record_as_csv(record)


def _handed_over(visit_id: uuid.UUID, form: str) -> VisitRecord:
    record = read_record(session(), visit_id)
    record_action(
        session(),
        "hand_over_record",
        org_id=actor().org_id,
        actor_id=actor().account_id,
        subject="visits",
        subject_id=visit_id,
        request_id=request_id(),
        detail={"sha256": record.sha256, "form": form},
    )
    return record
