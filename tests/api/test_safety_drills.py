"""A drill over HTTP: demanded, begun, told apart, closed, and counted."""

import datetime as dt
import uuid

from tests.api.test_safety import People, clock, people, start

__all__ = ["clock", "people"]


def test_a_drill_is_demanded_begun_seen_closed_and_counted(people: People) -> None:
    rules = {"positions_days": 30, "sessions_days": 730, "drills": [{"kind": "sos", "every_months": 1}]}
    answer = people.outi.post("/safety/rules", json=rules | {"reason": "The safety board says so."})
    assert (answer.status_code, answer.json["drills"]) == (201, rules["drills"])
    assert people.onni.get("/safety/live").json["drills_owed"] == ["sos"]

    wanted = {"visitor_id": str(people.visitor_id), "kind": "sos", "note": "She knows of it."}
    assert people.ilta.post("/safety/drills", json=wanted).status_code == 403
    assert people.stranger.post("/safety/drills", json=wanted).status_code == 404
    begun = people.outi.post("/safety/drills", json=wanted)
    assert (begun.status_code, begun.json["drill"], begun.json["kind"]) == (201, "sos", "sos")
    assert people.outi.post("/safety/drills", json=wanted).json["code"] == "drill_under_way"
    assert [tile["drill"] for tile in people.onni.get("/safety/live").json["tiles"]] == ["sos"]
    assert [each["drill"] for each in people.onni.get("/safety/sessions").json["items"]] == ["sos"]
    assert start(people)["id"] != begun.json["session_id"], "who is drilled may set out"

    alert = f"/safety/alerts/{begun.json['id']}"
    assert people.onni.post(f"{alert}/acknowledgement").status_code == 200
    wrong = people.onni.post(
        f"{alert}/resolution", json={"outcome": "false_accidental", "proof": "voice_contact", "resume": False}
    )
    assert wrong.json["details"]["path"] == "outcome"
    closed = people.onni.post(
        f"{alert}/resolution", json={"outcome": "drill", "proof": "voice_contact", "resume": False}
    )
    assert closed.json["state"] == "resolved"

    today = dt.datetime.fromisoformat(begun.json["opened_at"]).date()
    period = f"since={today - dt.timedelta(days=1)}&until={today + dt.timedelta(days=2)}"
    found = people.onni.get(f"/safety/drills?{period}").json
    (drill,) = found["drills"]
    assert (drill["alert_id"], drill["taken_by_its_beginner"]) == (begun.json["id"], False)
    assert uuid.UUID(drill["begun_by_id"])
    lines = people.onni.get(f"/safety/drills.csv?{period}").text.splitlines()
    assert lines[0].split(",")[:4] == ["month", "kind", "every_months", "begun"]
    assert lines[-1].split(",")[1:5] == ["sos", "1", "1", "1"]
    assert people.onni.get("/safety/live").json["drills_owed"] == []


def test_an_officer_extends_and_ends_by_voice_and_the_office_calls_for_a_visitor(people: People) -> None:
    begun = start(people)
    address = f"/safety/sessions/{begun['id']}"
    spoken = {"result": "spoke_safe", "note": "Rang her at ten; the right answer."}
    assert people.onni.post(f"{address}/officer-extension", json=spoken | {"by_s": 600}).json["extended_s"] == 600
    unheard = people.onni.post(f"{address}/officer-end", json=spoken | {"result": "no_answer"})
    assert (unheard.status_code, unheard.json["code"]) == (409, "no_voice_contact")
    assert people.onni.post(f"{address}/officer-end", json=spoken).json["state"] == "ended"

    called = people.onni.post(
        f"/safety/visitors/{people.visitor_id}/sos", json={"event_id": str(uuid.uuid4()), "note": "She rang."}
    )
    assert (called.status_code, set(called.json)) == (201, {"session_id", "called_at"})
    (alert,) = people.outi.get("/safety/alerts").json["items"]
    assert (alert["kind"], alert["session_id"]) == ("sos", called.json["session_id"])
    refused = people.ilta.post(
        f"/safety/visitors/{uuid.uuid4()}/sos", json={"event_id": str(uuid.uuid4()), "note": "He."}
    )
    assert refused.status_code == 404


def test_the_number_outside_is_part_of_the_rules(people: People) -> None:
    line = {"name": "Pohja Guard", "number": "+358401234567", "language": "zh-CN", "sms": True}
    rules = {"positions_days": 30, "sessions_days": 730, "external": line, "reason": "By contract."}
    assert people.outi.post("/safety/rules", json=rules).json["external"] == line
    assert people.onni.get("/safety/rules").json["external"] == line
    wrong = people.outi.post("/safety/rules", json=rules | {"external": line | {"number": "112"}})
    assert wrong.status_code in (400, 422)
    none = people.outi.post("/safety/rules", json=rules | {"external": None}).json
    assert none["external"] is None
