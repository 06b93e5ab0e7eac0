"""What a phone calls its coordinates refuses nothing of safety: it is noted, whichever way the position comes in."""

import uuid
from typing import Any

import pytest

from fieldvisit.phone.kinds import EventKind
from tests.api.test_safety import People, people, sos, start, tell, the_alert
from tests.conftest import NOW

__all__ = ["people"]

LAT, LON = 60.17, 24.94
ODD = {"lat": LAT, "lon": LON, "datum": "gcj02", "accuracy_m": 11.2, "mock": True}
NOTED = {"accuracy_m": 12, "mock": True, "datum_unfit": True}


def noted(people: People, kind: str) -> dict[str, Any]:
    """How good the position was that came with the last event of this kind, in the file of the alert."""
    events = people.onni.get(f"/safety/alerts/{the_alert(people)['id']}").json["events"]
    detail = [event["detail"] for event in events if event["kind"] == kind][-1]
    return {name: said for name, said in detail.items() if name in NOTED}


def place(people: People) -> tuple[float, float]:
    (only,) = people.onni.get("/safety/sessions").json["items"]
    return only["last_lat"], only["last_lon"]


def in_a_batch(people: People, kind: EventKind, **said: Any) -> dict[str, Any]:
    event = {"event_id": str(uuid.uuid4()), "kind": kind, "device_at": NOW.isoformat(), "position": ODD} | said
    answer = people.ilta.post("/phone/events", json={"sent_at": NOW.isoformat(), "events": [event]})
    (result,) = answer.json["results"]
    return dict(result)


def test_a_call_for_help_is_heard_from_where_it_comes(people: People) -> None:
    sos(people, position=ODD)
    assert (place(people), noted(people, "sos_pressed")) == ((LAT, LON), NOTED)


def test_a_call_for_help_in_a_batch_is_heard_from_where_it_comes(people: People) -> None:
    assert in_a_batch(people, EventKind.SOS)["outcome"] == "taken"
    assert (place(people), noted(people, "sos_pressed")) == ((LAT, LON), NOTED)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"accuracy_m": -1, "mock": "?", "speed": 3}, {"datum_unfit": True}),
        ({"accuracy_m": "12", "datum": "bd09"}, {"mock": True, "datum_unfit": True}),
        ({"accuracy_m": None, "mock": False, "datum": "wgs84"}, {}),
    ],
)
def test_what_else_is_wrong_with_the_position_of_a_call_costs_it_no_place(
    people: People, wrong: dict[str, Any], said: dict[str, Any]
) -> None:
    sos(people, position=ODD | wrong)
    assert (place(people), noted(people, "sos_pressed")) == ((LAT, LON), said)


def test_a_call_for_help_from_nowhere_on_earth_keeps_the_place_that_was_known(people: People) -> None:
    start(people, position=ODD)
    for wrong in ({"lat": 91}, {"lon": None}, {"datum": "moon"}):
        sos(people, position=ODD | wrong)
    assert (place(people), noted(people, "sos_pressed")) == ((LAT, LON), {})


def test_nobody_goes_unwatched_or_missing_for_what_the_phone_calls_its_coordinates(people: People) -> None:
    begun = start(people, position=ODD)
    said: dict[str, dict[str, Any]] = {"check-ins": {}, "beats": {}, "extensions": {"by_s": 600, "reason": "Tea."}}
    answers = {what: tell(people, begun["id"], what, position=ODD, **more) for what, more in said.items()}
    assert {what: answer.status_code for what, answer in answers.items()} == dict.fromkeys(said, 200)
    assert place(people) == (LAT, LON)
    for kind in (EventKind.CHECK_IN, EventKind.BEAT):
        assert in_a_batch(people, kind, session_id=begun["id"])["outcome"] == "taken"
    sos(people)
    kinds = ("started", "checked_in", "extended", "sos_pressed")
    assert [noted(people, kind) for kind in kinds] == [NOTED, NOTED, NOTED, {}]
    assert tell(people, begun["id"], "cancellation", position=ODD).json["code"] != "invalid_value"


def test_a_session_begins_and_ends_with_such_a_position_alone_and_in_a_batch(people: People) -> None:
    assert tell(people, start(people)["id"], "end", position=ODD).status_code == 200
    begun = in_a_batch(people, EventKind.SAFETY_START, planned_s=600)
    assert (begun["outcome"], place(people)) == ("taken", (LAT, LON))
    assert in_a_batch(people, EventKind.SAFETY_END, session_id=begun["event_id"])["outcome"] == "taken"


def test_a_position_in_china_is_converted_and_one_off_the_earth_refused(people: People) -> None:
    begun = start(people, position={"lat": 39.908692, "lon": 116.397477, "datum": "gcj02"})
    assert [round(degrees, 3) for degrees in place(people)] == [39.907, 116.391]
    answer = tell(people, begun["id"], "check-ins", position=ODD | {"lat": 91})
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/position/lat")
