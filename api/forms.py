"""Report forms: what a house asks its visitors beyond what every report says."""

import uuid

import sqlalchemy as sa

from api.auth import actor
from api.context import now
from api.db import session
from api.editing import Edited, row_named
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.paging import Keyset
from api.roles import Permission
from api.schemas.forms import FormIn, FormOut
from fieldvisit import form_versions
from fieldvisit.forms import FormDraft
from fieldvisit.models import FormVersion

bp = Blueprint("report-forms", __name__, description=__doc__)


@bp.get("/report-forms")
@endpoint(may=Permission.READ_ORGANISATIONS, returns=FormOut(), order=Keyset(FormVersion.version, descending=True))
def list_report_forms() -> sa.Select[FormVersion]:
    """Every version of one's own form; the first is the one that phones ask by."""
    return form_versions.versions_of(actor().org_id)


@bp.get("/report-forms/<uuid:form_id>")
@endpoint(may=Permission.READ_ORGANISATIONS, returns=FormOut())
def get_report_form(form_id: uuid.UUID) -> FormVersion:
    """One version of one's own form."""
    return form_versions.get_version(session(), form_id)


FORM = Edited(get_report_form, found=row_named("form_id", lambda _: form_versions.newest_of(actor().org_id)))


@bp.post("/report-forms")
@endpoint(may=Permission.CHANGE_POLICIES, body=FormIn(), returns=FormOut(), status=201, edits=FORM)
def publish_report_form(body: FormDraft) -> FormVersion:
    """Publish the next version. Phones ask by it from their next contact on."""
    return form_versions.publish_form(session(), body, by=actor().account_id, now=now())
