"""What an officer sends again is done once under its key; nothing of safety is refused for one."""

import uuid
from typing import Any

import pytest

from api.idempotency import HEADER, REPLAYED
from tests.api.test_safety import People, people, sos, start, the_alert

__all__ = ["people"]

SPOKEN = {"result": "spoke_safe", "note": "Rang her.", "by_s": 600}


def key() -> dict[str, str]:
    return {HEADER: str(uuid.uuid4())}


def extend(people: People, session_id: str, headers: dict[str, str], **said: Any) -> Any:
    return people.onni.post(f"/safety/sessions/{session_id}/officer-extension", json=SPOKEN | said, headers=headers)


def kinds(people: People, alert_id: str) -> list[str]:
    return [event["kind"] for event in people.onni.get(f"/safety/alerts/{alert_id}").json["events"]]


def test_an_extension_that_is_sent_again_moves_the_end_once(people: People) -> None:
    begun, same = start(people), key()
    first, again = (extend(people, begun["id"], same) for _ in range(2))
    assert (first.json["extended_s"], again.data, again.headers[REPLAYED]) == (600, first.data, "true")
    assert extend(people, begun["id"], key()).json["extended_s"] == 1200


def test_what_is_written_to_an_alert_again_stands_there_once(people: People) -> None:
    sos(people)
    alert_id = the_alert(people)["id"]
    people.onni.post(f"/safety/alerts/{alert_id}/acknowledgement")
    said: dict[str, dict[str, Any]] = {
        "notes": {"text": "Rang 112."},
        "call-results": {"result": "no_answer", "note": "Rang twice."},
    }
    for what, body in said.items():
        same = key()
        answers = [people.onni.post(f"/safety/alerts/{alert_id}/{what}", json=body, headers=same) for _ in range(2)]
        assert [(each.status_code, each.headers.get(REPLAYED)) for each in answers] == [(200, None), (200, "true")]
        assert answers[0].json["ack_until"] == the_alert(people)["ack_until"]
    assert [kinds(people, alert_id).count(kind) for kind in ("noted", "call_result")] == [1, 1]


@pytest.mark.parametrize("bad", ["", "k" * 256, "two words", "schl\xfcssel"])
def test_nothing_of_safety_is_refused_for_a_key_of_a_wrong_form(people: People, bad: str) -> None:
    begun = start(people)
    assert [extend(people, begun["id"], {HEADER: bad}).json["extended_s"] for _ in range(2)] == [600, 1200]


def test_another_thing_under_the_same_key_is_done_and_spoils_the_first_answer_for_nobody(people: People) -> None:
    begun, same = start(people), key()
    first = extend(people, begun["id"], same)
    other = extend(people, begun["id"], same, by_s=60)
    again = extend(people, begun["id"], same)
    assert (other.json["extended_s"], other.headers.get(REPLAYED), again.data) == (660, None, first.data)


def test_new_pins_that_are_sent_again_are_no_wrong_ones(people: People) -> None:
    people.ilta.put("/safety/pins", json={"pin": "4711", "duress_pin": "4242"})
    changed, same = {"pin": "8080", "duress_pin": "8181", "current_pin": "4711"}, key()
    answers = [people.ilta.put("/safety/pins", json=changed, headers=same) for _ in range(2)]
    assert [(each.status_code, each.headers.get(REPLAYED)) for each in answers] == [(204, None), (204, "true")]
    wrong = people.ilta.put("/safety/pins", json=changed)
    assert (wrong.status_code, wrong.json["code"]) == (403, "pin_wrong")
