"""The people who go out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from fieldvisit.datums import to_wgs84
from fieldvisit.drafts import Change
from fieldvisit.errors import InvalidValue
from fieldvisit.found_points import Found
from fieldvisit.imports.columns import Column, Origin, datum, degrees, identifier, phone, text, words, yes_or_no
from fieldvisit.imports.readers import Locating, Reader, Values, one_by_one
from fieldvisit.people import VisitorDraft, homes_to_find, let_go, upsert_visitor
from fieldvisit.vocabulary import Datum

COLUMNS = (
    Column(name="visitor_id", read=identifier, aliases=("外访员编号", "员工编号")),
    Column(name="name", read=text, aliases=("姓名",), personal=True),
    Column(name="staff_number", read=identifier, aliases=("工号",)),
    Column(name="phone", read=phone, aliases=("手机号", "电话"), needed=False, personal=True),
    Column(name="skills", read=words, aliases=("技能",), needed=False, empty=()),
    Column(name="languages", read=words, aliases=("语言",), needed=False, empty=()),
    Column(name="home_address", read=text, aliases=("住址", "家庭住址"), needed=False, personal=True),
    Column(name="home_latitude", read=degrees, aliases=("住址纬度", "纬度"), needed=False, personal=True),
    Column(name="home_longitude", read=degrees, aliases=("住址经度", "经度"), needed=False, personal=True),
    Column(name="datum", read=datum, aliases=("坐标系",), needed=False),
    Column(name="active", read=yes_or_no, aliases=("在职", "是否在职"), needed=False),
)


def draft(values: Values, origin: Origin) -> VisitorDraft:
    lat, lon = values["home_latitude"], values["home_longitude"]
    if (lat is None) != (lon is None):
        raise InvalidValue(path="home_latitude", reason="a point has a latitude and a longitude, or neither")
    return VisitorDraft(
        external_id=values["visitor_id"],
        name=values["name"],
        staff_number=values["staff_number"],
        phone=values["phone"],
        skills=values["skills"],
        languages=values["languages"],
        home_address=values["home_address"],
        home=None if lat is None else to_wgs84(lat, lon, values["datum"] or Datum.WGS84),
        active=values["active"],
    )


def _store(session: Session, draft: VisitorDraft, now: datetime) -> Change:
    return upsert_visitor(session, draft)[1]


def _wanted(session: Session, drafts: Sequence[VisitorDraft]) -> set[str]:
    return homes_to_find(session, drafts)


def _located(draft: VisitorDraft, found: Mapping[str, Found]) -> VisitorDraft:
    if draft.home is not None or draft.home_address is None or draft.home_address not in found:
        return draft
    return replace(draft, home=found[draft.home_address].point)


READER = Reader(
    kind="visitors",
    summary="The people who go out.",
    columns=COLUMNS,
    draft=draft,
    store=one_by_one(_store),
    key=("visitor_id",),
    paths={"latitude": "home_latitude", "longitude": "home_longitude"},
    locating=Locating(wanted=_wanted, located=_located),
    afterwards=let_go,
)
