"""A plan as one page to look at: a map with routes and stops in order, a table a crew, and what was left out and why.

The page is one file. It asks the network for nothing, works without scripts (they only add zoom and highlighting), and
follows the reader's light or dark setting. It shows visit references and addresses, no names and no amounts.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib.resources import files
from string import Template
from xml.etree.ElementTree import Element

from babel.dates import format_date

from fieldvisit.languages import LANGUAGES, Message, say, tag
from fieldvisit.maps import Street
from fieldvisit.planning.picture_map import colour_class, drawing, pin_id
from fieldvisit.planning.picture_markup import element, markup
from fieldvisit.planning.picture_views import EndView, PlanView, RouteView, StopView, UnservedView

ATTRIBUTION = "© OpenStreetMap contributors, ODbL"


def picture(view: PlanView, streets: Sequence[Street], language: str) -> str:
    """The page as HTML, in one of `LANGUAGES` (English for any other)."""
    page = _Page(view, language if language in LANGUAGES else "en")
    template = Template((files("fieldvisit.planning") / "picture.html").read_text(encoding="utf-8"))
    body = [page.heading(), page.sheet(streets), page.lists()]
    return template.substitute(
        language=tag(page.language),
        title=markup(element("title", page.title)),
        body="\n".join(markup(part) for part in body),
    )


class _Page:
    """The parts of the page for one plan in one language."""

    def __init__(self, view: PlanView, language: str) -> None:
        self.view = view
        self.language = language
        self.title = self.say("Day plan {area}, {date}", area=view.area, date=view.planned_on.isoformat())

    def say(self, text: str, **values: object) -> str:
        return say(Message(text, values), self.language)

    def heading(self) -> Element:
        version = self.say("Version {version}", version=self.view.version) if self.view.version else self.say("Draft")
        date = format_date(self.view.planned_on, "full", locale=self.language)
        return element(
            "header",
            element("h1", self.view.area, " ", element("span", version, class_="version")),
            element("p", element("time", date, datetime=self.view.planned_on.isoformat())),
            element("dl", *(element("div", element("dt", name), element("dd", fact)) for name, fact in self._facts())),
        )

    def _facts(self) -> Iterator[tuple[str, str]]:
        """What the plan comes to, as name and value."""
        routes = self.view.routes
        yield self.say("Visits planned"), str(sum(len(route.stops) for route in routes) - _meetings_in(routes))
        yield self.say("Left out"), str(len(self.view.unserved))
        yield self.say("Crews on the road"), str(sum(1 for route in routes if route.stops))
        yield self.say("Travel"), self.span(sum(route.travel_s for route in routes))
        metres = [route.travel_m for route in routes if route.travel_m is not None]
        if metres and len(metres) == len(routes):
            yield self.say("Distance"), self.distance(sum(metres))
        yield self.say("Waiting"), self.span(sum(route.wait_s for route in routes))
        if self.view.cost is not None:
            yield self.say("Cost, as time"), self.span(self.view.cost)
        yield self.say("Travel times from"), say(self.view.travel_source, self.language)

    def sheet(self, streets: Sequence[Street]) -> Element:
        zoom = [("in", "+", "Zoom in"), ("out", "−", "Zoom out"), ("all", "⤢", "Show all")]
        buttons = [
            element("button", sign, type="button", data_zoom=what, aria_label=self.say(name))
            for what, sign, name in zoom
        ]
        return element(
            "figure",
            drawing(self.view, streets, self.say("Map of the routes; the tables hold the same stops in words.")),
            element(
                "div",
                element("div", *buttons, class_="zoom", hidden=""),
                element("figcaption", ATTRIBUTION),
                class_="under",
            ),
        )

    def lists(self) -> Element:
        cards = [self._card(place, route) for place, route in enumerate(self.view.routes)]
        tables = element("div", *cards, class_="cards") if cards else element("p", self.say("No visit is planned."))
        return element("main", tables, self._left_out(), self._footer())

    def _card(self, place: int, route: RouteView) -> Element:
        return element(
            "section",
            element(
                "h2",
                element("span", route.crew[:3], class_="badge"),
                element("span", self.say("Crew {crew}", crew=route.crew)),
                element("small", self._card_facts(route)),
            ),
            self._table(place, route),
            class_=f"card {colour_class(route)}",
            data_crew=place,
        )

    def _card_facts(self, route: RouteView) -> str:
        people = self.counted(route.members, "{count} person", "{count} people")
        visits = self.counted(len(route.stops), "{count} visit", "{count} visits")
        travel = self.say("{span} of travel", span=self.span(route.travel_s))
        return " · ".join((people, visits, travel))

    def _table(self, place: int, route: RouteView) -> Element:
        names = ("No.", "Arrives", "Visit", "Place", "Way")
        return element(
            "table",
            element("thead", element("tr", *(element("th", self.say(name), scope="col") for name in names))),
            element("tbody", *self._rows(place, route)),
        )

    def _rows(self, place: int, route: RouteView) -> Iterator[Element]:
        yield self._end(route.start, route.depart_at, "Sets out: {place}")
        waiting = route.break_at
        for stop in route.stops:
            if waiting and waiting <= stop.begin_at:
                yield self._break(route)
                waiting = None
            yield self._stop(place, stop)
        if waiting:
            yield self._break(route)
        if route.end:
            yield self._end(route.end, route.return_at, "Back: {place}")

    def _stop(self, place: int, stop: StopView) -> Element:
        number = element("a", str(stop.number), href=f"#{pin_id(place, stop)}", class_="number")
        minutes = self.say("{minutes} min", minutes=_minutes(stop.travel_s))
        return element(
            "tr",
            element("td", number),
            element("td", self.clock(stop.arrive_at)),
            element("td", f"{self.clock(stop.begin_at)}–{self.clock(stop.end_at)}"),
            element("td", stop.address, element("small", self._named(stop))),
            element("td", minutes),
            data_stop=pin_id(place, stop),
        )

    def _named(self, stop: StopView) -> str:
        if stop.with_crew is None:
            return stop.reference
        return " · ".join((stop.reference, self.say("together with crew {crew}", crew=stop.with_crew)))

    def _end(self, end: EndView, at: datetime, text: str) -> Element:
        place = say(end.label, self.language)
        return element(
            "tr",
            element("td", element("span", class_="end-mark")),
            element("td", self.clock(at)),
            element("td", self.say(text, place=place), colspan=3),
            class_="end-row",
        )

    def _break(self, route: RouteView) -> Element:
        at = self.clock(route.break_at) if route.break_at else ""
        text = self.say("Break of {span}", span=self.span(route.break_s))
        cells = (element("td"), element("td", at), element("td", text, colspan=3))
        return element("tr", *cells, class_="end-row")

    def _left_out(self) -> Element | None:
        if not self.view.unserved:
            return None
        return element(
            "section",
            element("h2", self.say("Left out"), " ", element("small", str(len(self.view.unserved)))),
            element("ul", *(self._unserved(each) for each in self.view.unserved)),
            class_="card left-out",
        )

    def _unserved(self, each: UnservedView) -> Element:
        remarks = [element("p", say(remark, self.language)) for remark in each.remarks]
        reason = element("p", say(each.reason, self.language), class_="reason")
        return element("li", element("span", each.address, element("small", each.reference)), reason, *remarks)

    def _footer(self) -> Element:
        zone = self.say("Times are those of {zone}.", zone=self.view.zone.key)
        return element("footer", element("p", zone), element("p", self.say("Map data:"), " ", ATTRIBUTION))

    def counted(self, count: int, one: str, many: str) -> str:
        return self.say(one if count == 1 else many, count=count)

    def clock(self, at: datetime) -> str:
        """The time of day at the place of the plan."""
        return f"{at.astimezone(self.view.zone):%H:%M}"

    def span(self, seconds: int) -> str:
        """A length of time to the minute."""
        hours, minutes = divmod(_minutes(seconds), 60)
        if hours:
            return self.say("{hours} h {minutes} min", hours=hours, minutes=f"{minutes:02}")
        return self.say("{minutes} min", minutes=minutes)

    def distance(self, metres: int) -> str:
        return self.say("{kilometres} km", kilometres=f"{metres / 1000:.1f}")


def _meetings_in(routes: Sequence[RouteView]) -> int:
    """How many visits are listed twice, since two crews make them."""
    return sum(stop.with_crew is not None and stop.with_crew < route.crew for route in routes for stop in route.stops)


def _minutes(seconds: int) -> int:
    return (seconds + 30) // 60
