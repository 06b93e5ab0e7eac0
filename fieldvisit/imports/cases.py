"""Cases with their debtors: one line a case, the debtor's details on each of their cases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from fieldvisit import debtors
from fieldvisit.cases import CaseDraft, minor_units, upsert_case
from fieldvisit.debtors import ContactPointDraft, DebtorDraft, PlaceDraft
from fieldvisit.drafts import Change, combined
from fieldvisit.errors import InvalidValue
from fieldvisit.found_points import Found, given
from fieldvisit.imports.columns import (
    Column,
    Origin,
    date,
    datum,
    decimal,
    degrees,
    identifier,
    one_of,
    phone,
    text,
    whole_number,
)
from fieldvisit.imports.readers import Locating, Reader, Values, one_by_one
from fieldvisit.placements import PlacementDraft
from fieldvisit.vocabulary import CaseStage, ContactPointKind, Datum, PlaceKind

MONEY = ("principal", "interest", "fees", "total")


@dataclass(frozen=True)
class CaseRow:
    debtor: DebtorDraft
    case: CaseDraft


COLUMNS = (
    Column(name="case_id", read=identifier, aliases=("案件编号", "案件号")),
    Column(name="debtor_id", read=identifier, aliases=("债务人编号", "客户编号", "客户号")),
    Column(name="name", read=text, aliases=("姓名", "客户姓名"), personal=True),
    Column(name="national_id", read=identifier, aliases=("身份证号", "证件号码"), needed=False, personal=True),
    Column(name="language", read=text, aliases=("语言",), needed=False),
    Column(name="phone", read=phone, aliases=("手机号", "手机号码", "电话"), needed=False, personal=True),
    Column(name="phone_2", read=phone, aliases=("备用电话", "电话2", "手机号2"), needed=False, personal=True),
    Column(name="email", read=text, aliases=("邮箱", "电子邮箱"), needed=False, personal=True),
    Column(name="address", read=text, aliases=("地址", "家庭住址", "住址"), needed=False, personal=True),
    Column(name="latitude", read=degrees, aliases=("纬度",), needed=False, personal=True),
    Column(name="longitude", read=degrees, aliases=("经度",), needed=False, personal=True),
    Column(
        name="datum",
        read=datum,
        aliases=("坐标系",),
        needed=False,
    ),
    Column(
        name="place_kind",
        read=one_of(PlaceKind, 家庭=PlaceKind.HOME, 住宅=PlaceKind.HOME, 单位=PlaceKind.WORK, 公司=PlaceKind.WORK),
        aliases=("地址类型", "地点类型"),
        needed=False,
    ),
    Column(name="product", read=identifier, aliases=("产品", "产品类型")),
    Column(name="currency", read=text, aliases=("币种", "货币")),
    Column(name="principal", read=decimal, aliases=("本金", "逾期本金")),
    Column(name="interest", read=decimal, aliases=("利息", "逾期利息")),
    Column(name="fees", read=decimal, aliases=("费用", "其他费用", "滞纳金")),
    Column(name="total", read=decimal, aliases=("总额", "欠款总额", "逾期总额")),
    Column(name="as_of", read=date, aliases=("截止日期", "数据日期")),
    Column(name="due_on", read=date, aliases=("到期日", "应还日期", "还款日")),
    Column(name="days_past_due", read=whole_number, aliases=("逾期天数",)),
    Column(name="stage", read=one_of(CaseStage), aliases=("阶段", "案件阶段")),
    Column(name="reason_for_arrears", read=text, aliases=("逾期原因",), needed=False, personal=True),
    Column(name="agency", read=identifier, aliases=("委外机构", "受托机构", "机构代码"), needed=False),
    Column(name="placed_from", read=date, aliases=("委案开始", "委案日期"), needed=False),
    Column(name="placed_until", read=date, aliases=("委案结束", "退案日期"), needed=False),
)


def draft(values: Values, origin: Origin) -> CaseRow:
    currency = values["currency"].upper()
    money = {f"{name}_minor": minor_units(values[name], currency, path=name) for name in MONEY}
    return CaseRow(
        debtor=DebtorDraft(
            external_id=values["debtor_id"],
            name=values["name"],
            national_id=values["national_id"],
            language=values["language"],
            contact_points=_contact_points(values),
            places=_places(values),
        ),
        case=CaseDraft(
            external_id=values["case_id"],
            debtor_id=values["debtor_id"],
            product=values["product"],
            currency=currency,
            **money,
            as_of_on=values["as_of"],
            due_on=values["due_on"],
            days_past_due=values["days_past_due"],
            stage=values["stage"],
            reason_for_arrears=values["reason_for_arrears"],
            placement=_placement(values),
        ),
    )


def store(session: Session, row: CaseRow, now: datetime) -> Change:
    _, debtor = debtors.upsert_debtor(session, row.debtor)
    _, case = upsert_case(session, row.case, now=now)
    return combined(case, debtor)


def _contact_points(values: Values) -> tuple[ContactPointDraft, ...]:
    phones = [values[name] for name in ("phone", "phone_2") if values[name]]
    points = [ContactPointDraft(kind=ContactPointKind.PHONE, value=number) for number in dict.fromkeys(phones)]
    if values["email"]:
        try:
            points.append(ContactPointDraft(kind=ContactPointKind.EMAIL, value=values["email"]))
        except InvalidValue as error:
            raise InvalidValue(path="email", reason=error.details["reason"]) from error
    return tuple(points)


def _places(values: Values) -> tuple[PlaceDraft, ...]:
    lat, lon = values["latitude"], values["longitude"]
    if (lat is None) != (lon is None):
        raise InvalidValue(path="latitude", reason="a point has a latitude and a longitude, or neither")
    if values["address"] is None:
        if lat is not None:
            raise InvalidValue(path="address", reason="is needed where there is a point")
        return ()
    found = None if lat is None else given(lat, lon, values["datum"] or Datum.WGS84)
    return (PlaceDraft(address=values["address"], kind=values["place_kind"] or PlaceKind.HOME, found=found),)


def _placement(values: Values) -> PlacementDraft | None:
    agency, from_on, until_on = values["agency"], values["placed_from"], values["placed_until"]
    if agency is None:
        if from_on or until_on:
            raise InvalidValue(path="agency", reason="is needed where there are days of a placement")
        return None
    if from_on is None:
        raise InvalidValue(path="placed_from", reason="is needed where there is an agency")
    return PlacementDraft(agency=agency, from_on=from_on, until_on=until_on)


def _wanted(session: Session, rows: Sequence[CaseRow]) -> set[str]:
    return debtors.places_to_find(session, [row.debtor for row in rows])


def _located(row: CaseRow, found: Mapping[str, Found]) -> CaseRow:
    places = tuple(
        replace(place, found=found[place.address]) if place.found is None and place.address in found else place
        for place in row.debtor.places
    )
    return replace(row, debtor=replace(row.debtor, places=places))


READER = Reader(
    kind="cases",
    summary="Cases with their debtors: one line for each case.",
    columns=COLUMNS,
    draft=draft,
    store=one_by_one(store),
    key=("case_id",),
    shared=("debtor_id", "name", "national_id", "language"),
    locating=Locating(wanted=_wanted, located=_located),
)
