"""What debtors agreed to, as another system keeps it: new ones, and those that were withdrawn since."""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.facts import ConsentAbout, ConsentForm
from fieldvisit.compliance.parameters import ConsentContent
from fieldvisit.consents import ConsentDraft, record_consent, withdraw_consent
from fieldvisit.debtors import get_debtor
from fieldvisit.drafts import Change
from fieldvisit.errors import InvalidValue, NotFound
from fieldvisit.imports.columns import (
    Column,
    Origin,
    Unreadable,
    clock,
    date,
    identifier,
    instant,
    one_of,
    weekdays,
    words,
    yes_or_no,
)
from fieldvisit.imports.readers import Reader, Values, one_by_one
from fieldvisit.languages import Message
from fieldvisit.models import Debtor, Place, Visit
from fieldvisit.vocabulary import PlaceKind

NOBODY = uuid.UUID(int=0)
_content = one_of(ConsentContent)


def contents(cell: str, origin: Origin) -> tuple[ConsentContent, ...]:
    """``date;time``: what the debtor was told when agreeing."""
    found = tuple(_content(word, origin) for word in words(cell, origin))
    if not found:
        raise Unreadable(Message("is not one of {choices}", {"choices": ", ".join(ConsentContent)}))
    return found


COLUMNS = (
    Column(name="consent_id", read=identifier, aliases=("同意编号",)),
    Column(name="debtor_id", read=identifier, aliases=("债务人编号", "客户编号", "客户号")),
    Column(
        name="form",
        read=one_of(
            ConsentForm, 口头=ConsentForm.ANY, 书面=ConsentForm.WRITTEN, 单独书面=ConsentForm.SEPARATE_DOCUMENT
        ),
        aliases=("形式",),
    ),
    Column(name="given_at", read=instant, aliases=("同意时间",)),
    Column(
        name="about",
        read=one_of(ConsentAbout, 外访=ConsentAbout.VISITS, 录音录像=ConsentAbout.RECORDING),
        aliases=("事项",),
        needed=False,
        empty=ConsentAbout.VISITS,
    ),
    Column(name="place_kind", read=one_of(PlaceKind), aliases=("地点类型",), needed=False),
    Column(name="visit", read=identifier, aliases=("外访编号",), needed=False),
    Column(name="contents", read=contents, aliases=("告知内容",), needed=False, empty=()),
    Column(name="days", read=weekdays, aliases=("星期", "日子"), needed=False, empty=()),
    Column(name="from", read=clock, aliases=("从", "开始时间"), needed=False),
    Column(name="until", read=clock, aliases=("到", "结束时间"), needed=False),
    Column(name="starts_on", read=date, aliases=("开始日期",), needed=False),
    Column(name="ends_on", read=date, aliases=("结束日期",), needed=False),
    Column(name="withdrawn", read=yes_or_no, aliases=("已撤回",), needed=False),
)


@dataclass(frozen=True, kw_only=True)
class ConsentRow:
    """A consent with the ids that a file has in place of ours. `withdrawn` None: the file does not say."""

    debtor_id: str
    terms: ConsentDraft
    place_kind: PlaceKind | None
    visit: str | None
    withdrawn: bool | None


def draft(values: Values, origin: Origin) -> ConsentRow:
    return ConsentRow(
        debtor_id=values["debtor_id"],
        terms=ConsentDraft(
            debtor_id=NOBODY,
            external_id=values["consent_id"],
            form=values["form"],
            given_at=values["given_at"],
            about=values["about"] or ConsentAbout.VISITS,
            contents=values["contents"] or (),
            days=values["days"] or (),
            from_time=values["from"],
            until_time=values["until"],
            starts_on=values["starts_on"],
            ends_on=values["ends_on"],
        ),
        place_kind=values["place_kind"],
        visit=values["visit"],
        withdrawn=values["withdrawn"],
    )


def _store(session: Session, row: ConsentRow, now: datetime) -> Change:
    debtor = get_debtor(session, row.debtor_id)
    terms = replace(
        row.terms,
        debtor_id=debtor.id,
        place_id=_place_id(session, debtor, row.place_kind),
        visit_id=_visit_id(session, debtor, row.visit),
    )
    consent, change = record_consent(session, terms, recorded_by_id=None, now=now, origin="file")
    if row.withdrawn and consent.revoked_at is None:
        withdraw_consent(session, consent.id, now=now)
        return Change.ADDED if change is Change.ADDED else Change.CHANGED
    if row.withdrawn is False and consent.revoked_at is not None:
        raise InvalidValue(path="withdrawn", reason="was withdrawn here: what was taken back needs a new consent")
    return change


def _place_id(session: Session, debtor: Debtor, kind: PlaceKind | None) -> uuid.UUID | None:
    """The debtor's one place of that kind."""
    if kind is None:
        return None
    found = session.scalars(sa.select(Place.id).where(Place.debtor_id == debtor.id, Place.kind == kind)).all()
    if len(found) != 1:
        raise InvalidValue(path="place_kind", reason="does not name one place of the debtor")
    return found[0]


def _visit_id(session: Session, debtor: Debtor, reference: str | None) -> uuid.UUID | None:
    if reference is None:
        return None
    of_debtor = sa.select(Visit.id).where(Visit.reference == reference, Visit.debtor_id == debtor.id)
    found = session.scalars(of_debtor).all()
    if len(found) != 1:
        raise NotFound(what="visit", id=reference)
    return found[0]


READER = Reader(
    kind="consents",
    summary="What debtors agreed to; with `withdrawn`, what they took back since.",
    columns=COLUMNS,
    draft=draft,
    store=one_by_one(_store),
    key=("consent_id",),
    paths={"from_time": "from", "until_time": "until", "visit_id": "visit", "external_id": "consent_id"},
)
