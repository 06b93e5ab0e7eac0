"""The picture of a plan: one file, complete, harmless whatever the labels say, in both languages."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest

import fieldvisit.demo
from fieldvisit.languages import LANGUAGES, Message
from fieldvisit.maps import Street, StreetKind, streets
from fieldvisit.planning.picture import ATTRIBUTION, picture
from fieldvisit.planning.picture_views import HOME, OFFICE, EndView, PlanView, RouteView, StopView, UnservedView

HELSINKI = ZoneInfo("Europe/Helsinki")
MORNING = datetime(2026, 3, 3, 9, 0, tzinfo=HELSINKI)
HOSTILE = "</title></script><script>alert(1)</script>\"'><img src=x onerror=alert(2)> & \x00\x07"
LANE = Street("Long Lane", StreetKind.MAJOR, ((24.940, 60.168), (24.950, 60.168)))


def stop(number: int, **changes: object) -> StopView:
    """The visit V-<number> at <number> Long Lane, an hour after the one before."""
    at = MORNING + timedelta(hours=number - 1)
    usual = StopView(
        number=number,
        reference=f"V-{number}",
        address=f"Long Lane {number}",
        lat=60.168,
        lon=24.940 + number / 1000,
        arrive_at=at,
        begin_at=at + timedelta(minutes=5),
        end_at=at + timedelta(minutes=25),
        travel_s=290,
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def route(crew: str = "A", count: int = 2, **changes: object) -> RouteView:
    start = EndView(label=OFFICE, lat=60.169, lon=24.941)
    usual = RouteView(
        crew=crew,
        members=2,
        colour=0,
        start=start,
        end=start,
        depart_at=MORNING - timedelta(minutes=30),
        return_at=MORNING + timedelta(hours=6),
        travel_s=3_900,
        wait_s=600,
        path=((24.941, 60.169), (24.941, 60.168), (24.944, 60.168)),
        stops=tuple(stop(number) for number in range(1, count + 1)),
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def plan(*routes: RouteView, **changes: object) -> PlanView:
    usual = PlanView(
        area="Centre",
        planned_on=date(2026, 3, 3),
        zone=HELSINKI,
        version=3,
        travel_source="roads of the extract",
        cost=4_500,
        routes=routes,
        unserved=(UnservedView(reference="V-9", address="Far Road 1", reason=Message("too far for {n}", {"n": 2})),),
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def drawn(view: PlanView, language: str = "en", town: tuple[Street, ...] = (LANE,)) -> str:
    return picture(view, town, language)


class Reader(HTMLParser):
    """What a browser would see: tags, addresses that could be fetched, and the words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [
            value or ""
            for name, value in attrs
            if name.removeprefix("xlink:") in {"src", "href", "srcset", "action", "data", "poster"}
        ]
        self.tags += [f"on:{name}" for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def svg_of(page: str) -> ElementTree.Element:
    found = re.search(r"<svg.*</svg>", page, re.DOTALL)
    assert found is not None
    return ElementTree.fromstring(found[0])


def pins_of(page: str) -> dict[str, str]:
    """Number on each stop's pin, by the pin's id."""
    pins = [each for each in svg_of(page).iter("g") if (each.get("class") or "").startswith("stop ")]
    return {pin.get("id", ""): "".join(pin.find("g/text").itertext()) for pin in pins}  # type: ignore[union-attr]


def test_the_page_asks_the_network_for_nothing() -> None:
    page = drawn(plan(route()))
    assert [address for address in Reader(page).fetched if not address.startswith("#")] == []
    assert re.findall(r"url\(|@import|https?://", page) == []
    assert "default-src 'none'" in page


def test_every_link_within_the_page_leads_somewhere() -> None:
    page = drawn(plan(route("A"), route("B", colour=1)))
    targets = {address.removeprefix("#") for address in Reader(page).fetched}
    assert targets <= set(re.findall(r'id="([^"]+)"', page))
    assert {"pin-0-1", "pin-0-2", "pin-1-1", "pin-1-2"} <= targets


def test_every_stop_is_on_the_map_and_in_its_table_with_its_times() -> None:
    page = drawn(plan(route("A", 3), route("B", 1, colour=1)))
    assert pins_of(page) == {"pin-0-1": "1", "pin-0-2": "2", "pin-0-3": "3", "pin-1-1": "1"}
    text = Reader(page).text
    assert "1 09:00 09:05–09:25 Long Lane 1 V-1 5 min 2 10:00 10:05–10:25 Long Lane 2 V-2 5 min 3 11:00" in text


def test_every_visit_left_out_is_told_with_its_reason() -> None:
    left_out = (
        UnservedView(reference="V-8", address="Far Road 2", reason="no room", remarks=("Crew B could.", "Tomorrow.")),
        UnservedView(reference="V-9", address="Far Road 1", reason=Message("too far for {n}", {"n": 2})),
    )
    text = Reader(drawn(plan(route(), unserved=left_out))).text
    assert "Far Road 2 V-8 no room Crew B could. Tomorrow. Far Road 1 V-9 too far for 2" in text


def test_the_heading_tells_what_the_plan_comes_to() -> None:
    text = Reader(drawn(plan(route("A", 3, travel_m=4_120), route("B", 1, travel_m=2_000)))).text
    assert "Centre Version 3 Tuesday, March 3, 2026" in text
    assert (
        "Visits planned 4 Left out 1 Crews on the road 2 Travel 2 h 10 min Distance 6.1 km Waiting 20 min "
        "Cost, as time 1 h 15 min Travel times from roads of the extract"
    ) in text


def test_a_draft_says_that_it_is_one_and_an_unknown_distance_is_not_told() -> None:
    text = Reader(drawn(plan(route("A", travel_m=4_120), route("B"), version=None, cost=None))).text
    assert "Centre Draft" in text
    assert "Distance" not in text
    assert "Cost" not in text


def test_chinese_readers_read_chinese() -> None:
    page = drawn(plan(route("A", 1, break_at=MORNING + timedelta(hours=2), break_s=1_800)), "zh_CN")
    text = Reader(page).text
    assert '<html lang="zh-CN">' in page
    assert "第 3 版 2026年3月3日星期二" in text
    assert "A 组 2 人 · 1 次外访 · 路上 1 小时 05 分" in text
    assert "08:30 出发：办公室 1 09:00 09:05–09:25 Long Lane 1 V-1 5 分钟 11:00 休息 30 分钟 15:00 返回：办公室" in text


def test_no_english_is_left_in_the_chinese_page() -> None:
    bare = plan(route("A", 2, break_at=MORNING, break_s=1_800), area="市中心", travel_source="道路", unserved=())
    text = Reader(drawn(bare, "zh_CN", ())).text.partition("// Zoom")[0]
    body = text[text.index("市中心 第 3 版") :]
    for known in (ATTRIBUTION, ATTRIBUTION, "Long Lane", "Europe/Helsinki", "V-1", "V-2"):
        body = body.replace(known, "")
    assert set(re.findall(r"[A-Za-z]{2,}", body)) == set()


def test_another_language_falls_back_to_english() -> None:
    assert drawn(plan(route()), "fi") == drawn(plan(route()), "en")


def test_times_are_those_of_the_place() -> None:
    utc = ZoneInfo("UTC")
    moved = stop(1, **{name: getattr(stop(1), name).astimezone(utc) for name in ("arrive_at", "begin_at", "end_at")})
    assert "1 09:00 09:05–09:25" in Reader(drawn(plan(route(stops=(moved,))))).text


@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_labels_stay_words(language: str) -> None:
    said = UnservedView(reference=HOSTILE, address=HOSTILE, reason=HOSTILE, remarks=(HOSTILE,))
    tame = plan(route(), unserved=(replace(said, reference="V", address="V", reason="V", remarks=("V",)),))
    wild = plan(
        route(
            HOSTILE,
            start=EndView(label=HOSTILE, lat=60.169, lon=24.941),
            stops=(stop(1, reference=HOSTILE, address=HOSTILE), stop(2, address=HOSTILE)),
        ),
        area=HOSTILE,
        travel_source=HOSTILE,
        unserved=(said,),
    )
    page = drawn(wild, language, (replace(LANE, name=HOSTILE), LANE))
    assert sorted(Reader(page).tags) == sorted([*Reader(drawn(tame, language)).tags, "path", "text", "textpath"])
    assert "\x00" not in page
    assert "\x07" not in page
    svg_of(page)


def test_dollar_signs_are_not_placeholders() -> None:
    assert "$title and ${body}" in Reader(drawn(plan(route(), area="$title and ${body}"))).text


def test_names_of_streets_stand_along_them() -> None:
    short = Street(
        "A very long name for so short an alley indeed", StreetKind.MINOR, ((24.942, 60.1681), (24.943, 60.1681))
    )
    path = Street("A path", StreetKind.PATH, LANE.points)
    named = [each.text for each in svg_of(drawn(plan(route()), town=(LANE, short, path))).iter("textPath")]
    assert named == ["Long Lane"]


def test_streets_out_of_sight_are_not_drawn() -> None:
    far = Street("Far Road", StreetKind.MAJOR, ((25.5, 61.0), (25.6, 61.0)))
    assert drawn(plan(route()), town=(LANE, far)) == drawn(plan(route()), town=(LANE,))


def test_the_sea_is_filled_to_the_right_of_its_coast_and_land_is_not() -> None:
    southward = ((24.940, 60.169), (24.942, 60.168), (24.940, 60.167))
    # Its ends joined in the west, the line going south encloses what is on its right, a bay; going north, a cape.
    assert water_of(southward)
    assert not water_of(southward[::-1])


def water_of(coast: tuple[tuple[float, float], ...]) -> str | None:
    found = svg_of(drawn(plan(route()), town=(Street("", StreetKind.COAST, coast),))).find(".//path[@class='water']")
    assert found is not None
    return found.get("d")


def test_visits_in_one_house_get_pins_that_can_be_told_apart() -> None:
    same = tuple(stop(number, lon=24.942) for number in range(1, 5))
    page = svg_of(drawn(plan(route(stops=same))))
    places = [
        tuple(map(float, re.findall(r"[\d.]+", pin.get("transform", ""))))
        for pin in page.iter("g")
        if (pin.get("class") or "").startswith("stop ")
    ]
    apart = min(abs(complex(*a) - complex(*b)) for n, a in enumerate(places) for b in places[:n])
    assert apart > 25
    assert sum(1 for each in page.iter("g") if (each.get("class") or "").startswith("leader ")) >= 3


def test_an_end_elsewhere_has_its_own_mark_and_an_open_end_none() -> None:
    home = EndView(label=HOME, lat=60.167, lon=24.943)
    for end, marks, told in ((home, 2, True), (None, 1, False), (route().start, 1, True)):
        page = drawn(plan(route(end=end)))
        assert len([g for g in svg_of(page).iter("g") if (g.get("class") or "").startswith("end ")]) == marks
        assert ("Back:" in Reader(page).text) is told


def test_a_ninth_crew_has_a_broken_line() -> None:
    page = svg_of(drawn(plan(*(route(f"{number}", 1, colour=number) for number in range(9)))))
    classes = [each.get("class") for each in page.iter("g") if (each.get("class") or "").startswith("route ")]
    assert classes == [*(f"route c{number}" for number in range(8)), "route c0 again"]


def test_an_empty_plan_says_so_and_still_shows_the_town() -> None:
    page = drawn(plan(unserved=()))
    assert "No visit is planned." in Reader(page).text
    assert svg_of(page).find(".//path[@class='major']").get("d")  # type: ignore[union-attr]
    svg_of(drawn(plan(unserved=()), town=()))


def test_the_map_is_attributed() -> None:
    assert Reader(drawn(plan(route()))).text.count(ATTRIBUTION) == 2


def test_the_same_view_gives_the_same_page() -> None:
    assert drawn(plan(route("A"), route("B"))) == drawn(plan(route("A"), route("B")))


def test_the_real_streets_make_a_page_that_can_be_mailed() -> None:
    town = tuple(streets(Path(fieldvisit.demo.__file__).with_name("helsinki-centre.osm.pbf")))
    page = drawn(plan(unserved=()), town=town)
    assert 50_000 < len(page.encode()) < 600_000
    assert len(list(svg_of(page).iter("textPath"))) > 10


def test_a_crew_that_is_early_is_drawn_from_where_it_is() -> None:
    late = {"end_at": MORNING + timedelta(hours=2)}
    assert "V-2" in drawn(plan(route(stops=(stop(1, begun=True, **late), stop(2)))))
    with pytest.raises(ValueError, match="order of time"):
        route(stops=(stop(1, **late), stop(2)))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda: stop(1, arrive_at=datetime(2026, 3, 3, 9, 0)), "time zone"),  # noqa: DTZ001
        (lambda: stop(1, end_at=MORNING), "not in order"),
        (lambda: route(stops=(stop(2),)), "numbered from 1"),
        (lambda: route(stops=(replace(stop(2), number=1), replace(stop(1), number=2))), "order of time"),
    ],
)
def test_a_view_that_contradicts_itself_is_refused(wrong: Callable[[], object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        wrong()
