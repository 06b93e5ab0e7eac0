"""The times that debtors stated: never then, or only then."""

from datetime import datetime

from sqlalchemy.orm import Session

from fieldvisit.compliance.facts import WishKind
from fieldvisit.debtors import WishDraft, state_wish
from fieldvisit.drafts import Change
from fieldvisit.imports.columns import Column, Origin, clock, identifier, one_of, text, weekdays
from fieldvisit.imports.readers import Reader, Values, one_by_one

COLUMNS = (
    Column(name="debtor_id", read=identifier, aliases=("债务人编号", "客户编号", "客户号")),
    Column(
        name="kind",
        read=one_of(WishKind, 避开=WishKind.AVOID, 不要=WishKind.AVOID, 仅限=WishKind.ONLY, 只能=WishKind.ONLY),
        aliases=("类型",),
    ),
    Column(name="days", read=weekdays, aliases=("星期", "日子")),
    Column(name="from", read=clock, aliases=("从", "开始", "开始时间")),
    Column(name="until", read=clock, aliases=("到", "结束", "结束时间")),
    Column(name="note", read=text, aliases=("备注", "说明"), needed=False, personal=True),
)


def draft(values: Values, origin: Origin) -> WishDraft:
    return WishDraft(
        debtor_id=values["debtor_id"],
        only=values["kind"] is WishKind.ONLY,
        days=values["days"],
        from_time=values["from"],
        until_time=values["until"],
        note=values["note"],
    )


def _store(session: Session, draft: WishDraft, now: datetime) -> Change:
    return state_wish(session, draft, now, origin="file")[1]


READER = Reader(
    kind="wishes",
    summary="Times that debtors stated: `avoid` these, or come `only` then.",
    columns=COLUMNS,
    draft=draft,
    store=one_by_one(_store),
    key=("debtor_id", "kind", "days", "from", "until"),
)
