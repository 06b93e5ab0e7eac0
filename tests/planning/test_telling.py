"""What is said of a plan: every reason and every failure, in both languages."""

import re
import uuid
from typing import Any

import pytest

from fieldvisit.languages import LANGUAGES, say
from fieldvisit.models import DayPlan, Place, UnservedVisit, Visit
from fieldvisit.planning.crews import at_most, language
from fieldvisit.planning.failures import PlanFailure, failure_words
from fieldvisit.planning.picture_views import UnservedView
from fieldvisit.planning.tables import words_of
from fieldvisit.planning.telling import Told, reason_words, travel_words
from fieldvisit.vocabulary import UnservedReason

HAN = re.compile("[\u4e00-\u9fff]")
ID = uuid.UUID("018f2c5e-7c1a-7d3e-9b0a-3f5d1c2b4a69")
HERE = Place(address="Aleksanterinkatu 1")


def left_out(
    reason: UnservedReason, *, detail: dict[str, Any] | None = None, place: Place | None = HERE
) -> UnservedVisit:
    visit = Visit(id=ID, reference="V-000001", place=place)
    return UnservedVisit(visit_id=ID, visit=visit, reason=reason, detail=detail or {})


def told(requires: list[str], *offers: list[str], visitors: int = 1) -> Told:
    """A plan with this one task and crews that offer this."""
    problem = {
        "tasks": [{"id": str(ID), "requires": requires, "visitors": visitors}],
        "crews": [{"id": str(number), "offers": offered} for number, offered in enumerate(offers)],
    }
    return Told(DayPlan(problem=problem, routes=[], unserved=[]))


def said(left: UnservedVisit, plan: Told, spoken: str = "en") -> str:
    reason, remarks = reason_words(left, plan)
    return words_of(UnservedView(reference="", address="", reason=reason, remarks=remarks), spoken)


@pytest.mark.parametrize("reason", UnservedReason)
def test_every_reason_is_said_in_both_languages(reason: UnservedReason) -> None:
    english, chinese = (said(left_out(reason), told([], []), spoken) for spoken in LANGUAGES)
    assert "unserved_reason" not in english
    assert HAN.search(english) is None
    assert HAN.search(chinese) is not None


@pytest.mark.parametrize("failure", PlanFailure)
def test_every_failure_is_said_in_both_languages(failure: PlanFailure) -> None:
    words = failure_words({"code": failure.value, "says": ""})
    assert words is not None
    assert HAN.search(say(words, "en")) is None
    assert HAN.search(say(words, "zh_CN")) is not None


def test_of_a_plan_that_did_not_fail_there_is_nothing_to_say() -> None:
    assert failure_words({}) is None


@pytest.mark.parametrize(
    ("requires", "offers", "words"),
    [
        ([language("sv")], [[language("fi")]], "it needs somebody who speaks svenska (sv)"),
        ([language("xx-unheard")], [[]], "it needs somebody who speaks xx-unheard"),
        (["sign_language", "papers:1:house.1"], [[]], "it needs papers that hold for its lender, sign language"),
        ([at_most(2)], [[]], "it needs a crew of at most 2"),
        (["a", "b"], [["a"], ["b"]], "it needs a, b"),
        (["a", "b"], [["a"], ["a"]], "it needs b"),
        (["a"], [], "no crew works on this day"),
    ],
)
def test_what_no_crew_offers_is_named(requires: list[str], offers: list[list[str]], words: str) -> None:
    left = left_out(UnservedReason.NO_CREW_OFFERS)
    assert said(left, told(requires, *offers)) == f"No crew has what it needs: {words}"


def test_how_many_people_it_needs_is_named() -> None:
    left = left_out(UnservedReason.NO_CREW_LARGE_ENOUGH)
    assert said(left, told([], [], visitors=2)) == "No crew is large enough: it needs a crew of at least 2"


@pytest.mark.parametrize(
    ("holders", "words"),
    [(2, "its place is held by h0, h1"), (5, "its place is held by h0, h1, h2 and 2 more")],
)
def test_who_holds_the_place_is_named_up_to_three(holders: int, words: str) -> None:
    left = left_out(UnservedReason.NO_ROOM, detail={"held_by": [f"h{number}" for number in range(holders)]})
    assert said(left, told([], [])) == f"No room in the day: {words}"


def test_of_a_case_taken_back_that_is_said_and_nothing_of_its_place() -> None:
    left = left_out(UnservedReason.NO_ROOM, place=None)
    assert said(left, told([], [])) == "No room in the day: the lender has taken the case back"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("osrm", "road travel times from the map"),
        ("osrm-http", "road travel times from the map"),
        ("geodesic, detour 1.35, 7 m/s", "estimated from straight lines, not from roads"),
        (
            "geodesic-fallback, calibrated on 900 ways of osrm, median error 20%",
            "estimated from straight lines: the road server did not answer",
        ),
        (
            "osrm-http+geodesic, 3.0% of the ways estimated",
            "road travel times; where the roads did not answer, estimated from straight lines",
        ),
        ("tea leaves", "tea leaves"),
    ],
)
def test_an_estimate_never_looks_like_a_road(source: str, words: str) -> None:
    assert str(travel_words(DayPlan(travel_source=source))) == words
