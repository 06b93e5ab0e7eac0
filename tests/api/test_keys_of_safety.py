"""What an officer sends again is done once under its key, and answered as it stands now; nothing of safety is refused
for one. Who takes something takes it again, or learns who has it."""

import datetime as dt
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from api.idempotency import HEADER, REPLAYED
from fieldvisit.database import acting_for
from fieldvisit.models import KeptAnswer
from fieldvisit.safety.engine import watch_once
from fieldvisit.settings import Settings
from fieldvisit.tokens import read_access
from tests.api.test_safety import MINUTE, People, clock, people, sos, start, the_alert
from tests.conftest import NOW
from tests.safety.worlds import Clock
from tests.worlds import World

__all__ = ["clock", "people"]

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
    assert (first.json["extended_s"], first.json["end_at"]) == (600, again.json["end_at"])
    assert (again.json["extended_s"], again.headers[REPLAYED], set(again.json)) == (600, "true", set(first.json))
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
    assert [each.json["extended_s"] for each in (first, other, again)] == [600, 660, 660]
    assert [each.headers.get(REPLAYED) for each in (other, again)] == [None, "true"]


def test_new_pins_that_are_sent_again_are_no_wrong_ones(people: People) -> None:
    people.ilta.put("/safety/pins", json={"pin": "4711", "duress_pin": "4242"})
    changed, same = {"pin": "8080", "duress_pin": "8181", "current_pin": "4711"}, key()
    answers = [people.ilta.put("/safety/pins", json=changed, headers=same) for _ in range(2)]
    assert [(each.status_code, each.headers.get(REPLAYED)) for each in answers] == [(204, None), (204, "true")]
    wrong = people.ilta.put("/safety/pins", json=changed)
    assert (wrong.status_code, wrong.json["code"]) == (403, "pin_wrong")


def lapse(clock: Clock, sessions: sessionmaker[Session]) -> None:
    """Nothing is done about the alert for as long as whoever has it may do nothing."""
    clock.pass_s(18 * MINUTE)
    watch_once(sessions)


def test_an_alert_that_has_lapsed_is_taken_again_under_the_same_key(
    people: People, clock: Clock, sessions: sessionmaker[Session]
) -> None:
    sos(people)
    watch_once(sessions)
    taking, same = f"/safety/alerts/{the_alert(people)['id']}/acknowledgement", key()
    first = people.onni.post(taking, headers=same)
    lapse(clock, sessions)
    assert the_alert(people)["owner_id"] is None
    again = people.onni.post(taking, headers=same)
    now = the_alert(people)
    assert (again.status_code, again.headers.get(REPLAYED)) == (200, None)
    assert (now["state"], now["owner_id"]) == ("acknowledged", first.json["owner_id"])
    assert first.json["ack_until"] < again.json["ack_until"] == now["ack_until"]
    lapse(clock, sessions)
    people.outi.post(taking)
    refused = people.onni.post(taking, headers=same)
    assert (refused.status_code, refused.json["code"]) == (409, "already_acknowledged")


def account_of(client: FlaskClient, settings: Settings) -> str:
    token = client.environ_base["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    return str(read_access(token, key=settings.token_key, now=NOW + dt.timedelta(minutes=5)).account_id)


def test_what_was_offered_is_accepted_once_by_how_it_stands(people: People, settings: Settings) -> None:
    sos(people)
    alert = f"/safety/alerts/{the_alert(people)['id']}"
    (onni, outi) = (who.post(f"{alert}/acknowledgement") for who in (people.onni, people.outi))
    outi_id, same = account_of(people.outi, settings), key()
    for _ in range(2):
        offered = people.onni.post(f"{alert}/offer", json={"to_account_id": outi_id}, headers=same)
        assert (offered.json["offered_to_id"], offered.headers.get(REPLAYED)) == (outi_id, None)
    for _ in range(2):
        accepted = people.outi.post(f"{alert}/offer/acceptance", headers=same)
        assert (accepted.status_code, accepted.json["owner_id"]) == (200, outi_id)
    assert (onni.status_code, outi.status_code) == (200, 409)
    late = people.onni.post(f"{alert}/offer", json={"to_account_id": outi_id}, headers=same)
    assert (late.status_code, late.json["code"]) == (409, "alert_not_yours")
    told = kinds(people, the_alert(people)["id"])
    assert [told.count(kind) for kind in ("acknowledged", "offered", "handed_over")] == [1, 1, 1]


def test_a_note_that_is_sent_again_does_not_say_that_a_lapsed_alert_is_still_held(
    people: People, clock: Clock, sessions: sessionmaker[Session], world: World
) -> None:
    sos(people)
    watch_once(sessions)
    alert, same = f"/safety/alerts/{the_alert(people)['id']}", key()
    people.onni.post(f"{alert}/acknowledgement")
    first = people.onni.post(f"{alert}/notes", json={"text": "Rang 112."}, headers=same)
    lapse(clock, sessions)
    again = people.onni.post(f"{alert}/notes", json={"text": "Rang 112."}, headers=same)
    assert (first.json["state"], again.json["state"], again.headers[REPLAYED]) == ("acknowledged", "notifying", "true")
    assert (again.json["owner_id"], kinds(people, again.json["id"]).count("noted")) == (None, 1)
    with acting_for(sessions, world.agency) as session:
        (kept,) = session.scalars(sa.select(KeptAnswer.body)).all()
    assert kept == f'{{"id": "{again.json["id"]}"}}', "where somebody was is not kept for it"


def test_an_alert_that_was_opened_again_is_not_closed_by_what_is_sent_again(people: People) -> None:
    sos(people)
    alert, same = f"/safety/alerts/{the_alert(people)['id']}", key()
    people.onni.post(f"{alert}/acknowledgement")
    said = {"outcome": "false_accidental", "proof": "voice_contact", "resume": True, "note": "Spoke with her."}
    closed = people.onni.post(f"{alert}/resolution", json=said, headers=same)
    assert (closed.status_code, closed.json["state"]) == (200, "resolved"), closed.json
    people.outi.post(f"{alert}/reopening", json={"text": "She rang again."})
    people.onni.post(f"{alert}/acknowledgement")
    again = people.onni.post(f"{alert}/resolution", json=said, headers=same)
    assert (again.json["state"], again.headers[REPLAYED], the_alert(people)["state"]) == (
        "acknowledged",
        "true",
        "acknowledged",
    )
