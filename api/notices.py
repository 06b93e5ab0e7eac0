"""What debtors are told: templates, notices with their proof of sending, and what waits for a person."""

import uuid
from typing import Any

import sqlalchemy as sa
from flask import request

from api.auth import actor
from api.context import now, settings
from api.db import session
from api.editing import Edited, row_named
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.paging import Keyset
from api.roles import PUBLIC, Permission
from api.schemas.notices import (
    DueListOut,
    GivenNoticeIn,
    HandOverIn,
    NoticeArrivalIn,
    NoticeFileOut,
    NoticeIn,
    NoticeOut,
    NoticeReceiptIn,
    NoticesQueryIn,
    NoticeTemplateIn,
    NoticeTemplateOut,
    TemplatesQueryIn,
)
from api.showing import Shows
from fieldvisit.finding import get_by_id
from fieldvisit.models import Case, Notice, NoticeTemplate, Visit
from fieldvisit.notices import due, filing, receipts, templates
from fieldvisit.outgoing.signatures import demand_signed

bp = Blueprint("notices", __name__, description=__doc__)


@bp.get("/notice-templates/<uuid:template_id>")
@endpoint(may=Permission.READ_NOTICES, returns=NoticeTemplateOut())
def get_notice_template(template_id: uuid.UUID) -> NoticeTemplate:
    """One version of a template."""
    return get_by_id(session(), NoticeTemplate, template_id)


TEMPLATE = Edited(
    get_notice_template,
    found=row_named("template_id", lambda body: templates.newest_of(actor().org_id, body.code)),
    named=lambda body: body.code,
)


@bp.post("/notice-templates")
@endpoint(
    may=Permission.CHANGE_NOTICE_TEMPLATES,
    body=NoticeTemplateIn(),
    returns=NoticeTemplateOut(),
    status=201,
    edits=TEMPLATE,
)
def save_notice_template(body: templates.TemplateDraft) -> NoticeTemplate:
    """Save the next version of a template.

    Refused is what leaves out a thing that a policy demands, and every threat, disguise and, where others read along,
    word of a debt: with the phrase.
    """
    return templates.save_template(session(), body, made_by_id=actor().account_id, now=now())


@bp.get("/notice-templates")
@endpoint(
    may=Permission.READ_NOTICES,
    query=TemplatesQueryIn(),
    returns=NoticeTemplateOut(),
    order=Keyset(NoticeTemplate.created_at, NoticeTemplate.id, descending=True),
)
def list_notice_templates(query: dict[str, Any]) -> sa.Select[NoticeTemplate]:
    """Every version of every template of one's own, withdrawn ones too, newest first."""
    return templates.templates_of(actor().org_id, about=query.get("about"))


@bp.post("/notice-templates/<uuid:template_id>/withdrawal")
@endpoint(may=Permission.CHANGE_NOTICE_TEMPLATES, returns=NoticeTemplateOut())
def withdraw_notice_template(template_id: uuid.UUID) -> NoticeTemplate:
    """Use a version no more."""
    return templates.withdraw_template(session(), template_id, now=now())


@bp.post("/notices")
@endpoint(may=Permission.SEND_NOTICES, body=NoticeIn(), returns=NoticeFileOut(), status=201, shows=Shows.WORK)
def file_notice(body: filing.NoticeDraft) -> Notice:
    """Write a notice and put it out; the worker sends it. The hours of a visit are a pin for its plan from then on."""
    return filing.file_notice(session(), body, made_by_id=actor().account_id, now=now())


@bp.post("/notices/given")
@endpoint(may=Permission.SEND_NOTICES, body=GivenNoticeIn(), returns=NoticeFileOut(), status=201)
def record_given_notice(body: filing.GivenDraft) -> Notice:
    """Keep that a notice was given outside of the product. The same external id and values again change nothing."""
    return filing.record_given(session(), body, made_by_id=actor().account_id, now=now())


@bp.get("/notices")
@endpoint(
    may=Permission.READ_NOTICES,
    query=NoticesQueryIn(),
    returns=NoticeOut(),
    order=Keyset(Notice.created_at, Notice.id, descending=True),
    shows=Shows.WORK,
)
def list_notices(query: dict[str, Any]) -> sa.Select[Notice]:
    """The notices of a case, of a visit or in a state, newest first, without their words."""
    if query.get("case_id"):
        get_by_id(session(), Case, query["case_id"])
    if query.get("visit_id"):
        get_by_id(session(), Visit, query["visit_id"])
    return filing.notices_where(**query)


@bp.get("/notices/due")
@endpoint(may=Permission.READ_NOTICES, returns=DueListOut())
def list_due_notices() -> dict[str, Any]:
    """What waits for a person: visits that were not announced, letters to hand over, notices that did not arrive."""
    return {"items": due.due(session(), actor().org_id, now=now())}


@bp.get("/notices/<uuid:notice_id>")
@endpoint(may=Permission.READ_NOTICES, returns=NoticeFileOut(), traced=True, shows=Shows.FILE)
def get_notice(notice_id: uuid.UUID) -> Notice:
    """A notice in its very words, with every try to send it and all that was heard of it."""
    return receipts.get_notice(session(), notice_id)


@bp.post("/notices/<uuid:notice_id>/hand-over")
@endpoint(may=Permission.SEND_NOTICES, body=HandOverIn(), returns=NoticeFileOut(), shows=Shows.WORK)
def hand_notice_over(notice_id: uuid.UUID, body: receipts.HandOver) -> Notice:
    """A letter was given to the post, or into the letter box: from then on it counts as sent."""
    return receipts.hand_over(session(), notice_id, body, by=actor().account_id, now=now())


@bp.post("/notices/<uuid:notice_id>/arrival")
@endpoint(may=Permission.SEND_NOTICES, body=NoticeArrivalIn(), returns=NoticeFileOut(), shows=Shows.WORK)
def note_notice_arrival(notice_id: uuid.UUID, body: receipts.Arrival) -> Notice:
    """Somebody knows that a notice arrived, or that it came back."""
    return receipts.note_arrival(session(), notice_id, body, by=actor().account_id, now=now())


@bp.post("/notices/<uuid:notice_id>/retry")
@endpoint(may=Permission.SEND_NOTICES, returns=NoticeFileOut(), shows=Shows.WORK)
def retry_notice(notice_id: uuid.UUID) -> Notice:
    """Put a notice out again that was given up, or that came back."""
    return receipts.retry(session(), notice_id, now=now())


@bp.post("/notices/<uuid:notice_id>/withdrawal")
@endpoint(may=Permission.SEND_NOTICES, returns=NoticeFileOut(), shows=Shows.WORK)
def withdraw_notice(notice_id: uuid.UUID) -> Notice:
    """Take a notice back; the debtor of a visit that was announced is told that nobody comes at that hour."""
    return receipts.withdraw(session(), notice_id, now=now())


@bp.post("/notices/receipts/<string:provider>")
@endpoint(may=PUBLIC, body=NoticeReceiptIn(), safety=True, sees_all=True, status=204)
def take_notice_receipt(provider: str, body: receipts.Receipt) -> None:
    """For the providers of notices: what became of one. Signed as Standard Webhooks have it.

    `provider` is the name of one of the installation's, or the id of an organisation's own.
    """
    source = receipts.source_of(session(), settings().notice_providers, provider)
    demand_signed([source], source.name, dict(request.headers), request.get_data(), now=now())
    receipts.take_receipt(session(), body, source, now=now())
