"""Who works when, in which crew: wall-clock times of the organisation's zone."""

from datetime import datetime

from sqlalchemy.orm import Session

from fieldvisit.drafts import Change
from fieldvisit.errors import InvalidValue
from fieldvisit.imports.columns import Column, Origin, clock, date, identifier, one_of, whole_number, yes_or_no
from fieldvisit.imports.readers import Reader, Values, one_by_one
from fieldvisit.people import BreakDraft, ShiftDraft, StartFrom, local_instant, upsert_shift

BREAK = ("break_from", "break_until", "break_minutes")

COLUMNS = (
    Column(name="visitor_id", read=identifier, aliases=("外访员编号", "员工编号")),
    Column(name="date", read=date, aliases=("日期",)),
    Column(name="start", read=clock, aliases=("开始", "上班时间", "开始时间")),
    Column(name="end", read=clock, aliases=("结束", "下班时间", "结束时间")),
    Column(name="crew", read=identifier, aliases=("小组", "外访小组"), needed=False),
    Column(name="lead", read=yes_or_no, aliases=("组长", "是否组长")),
    Column(
        name="start_from",
        read=one_of(StartFrom, 家=StartFrom.HOME, 公司=StartFrom.OFFICE, 办公室=StartFrom.OFFICE),
        aliases=("出发地",),
    ),
    Column(name="break_from", read=clock, aliases=("休息开始",), needed=False),
    Column(name="break_until", read=clock, aliases=("休息结束",), needed=False),
    Column(name="break_minutes", read=whole_number, aliases=("休息分钟",), needed=False),
)


def draft(values: Values, origin: Origin) -> ShiftDraft:
    def at(column: str) -> datetime:
        return local_instant(values["date"], values[column], origin.zone, column)

    rested = [name for name in BREAK if values[name] is not None]
    if rested and len(rested) < len(BREAK):
        raise InvalidValue(path="break_minutes", reason="a break has a first and a last time and minutes, or none")
    rest = None
    if rested:
        rest = BreakDraft(from_at=at("break_from"), until_at=at("break_until"), seconds=values["break_minutes"] * 60)
    return ShiftDraft(
        visitor_id=values["visitor_id"],
        works_on=values["date"],
        starts_at=at("start"),
        ends_at=at("end"),
        crew_code=values["crew"],
        lead=values["lead"],
        from_office=values["start_from"] is StartFrom.OFFICE,
        rest=rest,
    )


def _store(session: Session, draft: ShiftDraft, now: datetime) -> Change:
    return upsert_shift(session, draft)[1]


READER = Reader(
    kind="shifts",
    summary="Who works when, in which crew; without a crew one is proposed. Times are wall-clock times in the "
    "organisation's zone.",
    columns=COLUMNS,
    draft=draft,
    store=one_by_one(_store),
    key=("visitor_id", "date"),
)
