"""Contact attempts from a dialer, a message service or the post room."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from fieldvisit.contacts import CLOCK_SLACK, KIND_BY_CHANNEL, AttemptDraft, ensure_months, record_attempts
from fieldvisit.debtors import ContactPointDraft, phone_number
from fieldvisit.errors import InvalidValue
from fieldvisit.imports.columns import Column, Origin, identifier, instant, one_of, text
from fieldvisit.imports.readers import Outcome, Reader, Values
from fieldvisit.vocabulary import AttemptResult, Channel, ContactPointKind, ReachedDetail

COLUMNS = (
    Column(name="attempt_id", read=identifier, aliases=("记录编号", "联系编号")),
    Column(name="case_id", read=identifier, aliases=("案件编号", "案件号")),
    Column(
        name="channel",
        read=one_of(
            Channel,
            电话=Channel.CALL,
            短信=Channel.SMS,
            邮件=Channel.EMAIL,
            信函=Channel.LETTER,
            外访=Channel.VISIT,
        ),
        aliases=("渠道", "联系方式"),
    ),
    Column(name="contact_point", read=text, aliases=("联系号码", "号码", "手机号"), needed=False, personal=True),
    Column(name="at", read=instant, aliases=("时间", "联系时间")),
    Column(name="result", read=one_of(AttemptResult), aliases=("结果", "联系结果")),
    Column(name="detail", read=one_of(ReachedDetail), aliases=("明细", "结果明细"), needed=False),
    Column(name="source", read=identifier, aliases=("来源", "系统来源")),
)


def draft(values: Values, origin: Origin) -> AttemptDraft:
    return AttemptDraft(
        external_id=values["attempt_id"],
        source=values["source"],
        case_id=values["case_id"],
        channel=values["channel"],
        at=values["at"],
        result=values["result"],
        detail=values["detail"],
        contact_point=_contact_point(values["channel"], values["contact_point"], origin),
    )


def _contact_point(channel: Channel, value: str | None, origin: Origin) -> ContactPointDraft | None:
    if value is None:
        return None
    kind = KIND_BY_CHANNEL[channel]
    try:
        number = phone_number(value, origin.country) if kind is ContactPointKind.PHONE else value
        return ContactPointDraft(kind=kind, value=number)
    except InvalidValue as error:
        raise InvalidValue(path="contact_point", reason=error.details["reason"]) from error


def _make_months(session: Session, drafts: Sequence[AttemptDraft], now: datetime) -> None:
    # Making a month locks the whole table: never inside a transaction that lasts.
    ensure_months(session, (draft.at for draft in drafts if draft.at <= now + CLOCK_SLACK))


def _store(session: Session, drafts: Sequence[AttemptDraft], now: datetime) -> Sequence[Outcome]:
    return record_attempts(session, drafts, now).outcomes


READER = Reader(
    kind="contacts",
    summary="Contact attempts by call, message, letter or visit, as often and as late as they come.",
    columns=COLUMNS,
    draft=draft,
    store=_store,
    prepare=_make_months,
    batch=2_000,
)
