"""How one's organisation tells things: by which ways, and by which services of its own."""

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
from api.schemas.answers import Stored, stored
from api.schemas.notice_services import NoticeRulesIn, NoticeRulesOut, NoticeServiceIn, NoticeServiceOut
from fieldvisit import notice_services
from fieldvisit.finding import get_by_id
from fieldvisit.models import NoticeService
from fieldvisit.notice_rules import NoticeRulesDraft, notice_rules, set_notice_rules

bp = Blueprint("notice_services", __name__, description=__doc__)


@bp.get("/notice-rules")
@endpoint(may=Permission.READ_NOTICES, returns=NoticeRulesOut())
def read_notice_rules() -> NoticeRulesDraft:
    """By which ways debtors are told things, and where the office is reminded."""
    return notice_rules(session(), actor().org_id)


@bp.put("/notice-rules")
@endpoint(may=Permission.MANAGE_AREAS, body=NoticeRulesIn(), returns=NoticeRulesOut(), edits=Edited(read_notice_rules))
def put_notice_rules(body: NoticeRulesDraft) -> NoticeRulesDraft:
    """Say by which ways debtors are told things, and where the office is reminded; from the next notice on."""
    return set_notice_rules(session(), body, now=now())


@bp.get("/notice-services")
@endpoint(
    may=Permission.MANAGE_NOTICE_SERVICES,
    returns=NoticeServiceOut(),
    order=Keyset(NoticeService.created_at, NoticeService.id),
)
def list_notice_services() -> sa.Select[NoticeService]:
    """The services that carry one's notices in place of the installation's. Nothing secret is told."""
    return sa.select(NoticeService)


@bp.get("/notice-services/<uuid:service_id>")
@endpoint(may=Permission.MANAGE_NOTICE_SERVICES, returns=NoticeServiceOut())
def get_notice_service(service_id: uuid.UUID) -> NoticeService:
    """One service. Nothing secret is told."""
    return get_by_id(session(), NoticeService, service_id)


SERVICE = Edited(
    get_notice_service,
    found=row_named("service_id", lambda body: notice_services.service_named(actor().org_id, body.name)),
    named=lambda body: body.name,
)


@bp.put("/notice-services")
@endpoint(
    may=Permission.MANAGE_NOTICE_SERVICES, body=NoticeServiceIn(), returns=stored(NoticeServiceOut()), edits=SERVICE
)
def put_notice_service(body: notice_services.NoticeServiceDraft) -> Stored:
    """Add a service, or replace the one with this name.

    Of a channel for which there is one, the installation's carry nothing of yours any more.
    """
    return Stored.of(notice_services.put_service(session(), body, made_by_id=actor().account_id))


@bp.delete("/notice-services/<uuid:service_id>")
@endpoint(may=Permission.MANAGE_NOTICE_SERVICES, status=204, edits=Edited(get_notice_service))
def drop_notice_service(service_id: uuid.UUID) -> None:
    """Use a service no more; after the last of a channel the installation's carry it again."""
    notice_services.drop_service(session(), service_id)
