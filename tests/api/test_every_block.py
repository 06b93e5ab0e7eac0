"""Every reason to leave somebody alone, over HTTP: filed with its form and evidence, told to the phone, and ended by
whoever may; and every tap at the door, with and without a signal."""

import datetime as dt
import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.blocks import LIFTED_BY
from fieldvisit.database import acting_for_all
from fieldvisit.models import Visit
from fieldvisit.vocabulary import AbortReason, BlockTrigger, Role, VisitState
from tests.api.conftest import ClientFor
from tests.compliance.clients import ask
from tests.conftest import NOW
from tests.phone.worlds import Morning, make_morning
from tests.planning.worlds import make_second_case
from tests.worlds import World, make_visit

# What a tap files: the reason, how much it stops, and whether it ends by itself.
TAPS: dict[AbortReason, tuple[str, str, bool] | None] = {
    AbortReason.ASKED_TO_LEAVE: ("cease_request", "visits", False),
    AbortReason.DISTRESS: ("vulnerability", "all", False),
    AbortReason.VULNERABLE: ("vulnerability", "all", False),
    AbortReason.DISPUTE: ("dispute", "visits", False),
    AbortReason.WRONG_PERSON: ("place_refused", "place", False),
    AbortReason.MINOR_ALONE: ("minor", "place", True),
    AbortReason.SAFETY: None,
    AbortReason.OTHER: None,
}
SPECIAL = {
    BlockTrigger.MEDIUM_REFUSED: {"scope": "channel", "channel": "visit"},
    BlockTrigger.PLACE_REFUSED: {"scope": "place"},
}


def test_every_reason_is_filed_with_what_it_rests_on_reaches_the_phone_and_is_ended_by_whoever_may(
    client_for: ClientFor, sessions: sessionmaker[Session], world: World
) -> None:
    morning = make_morning(sessions, world=world, visits=len(BlockTrigger))
    dispatcher, supervisor = (client_for(role, org=world.lender) for role in (Role.DISPATCHER, Role.SUPERVISOR))
    phone = client_for(Role.VISITOR, org=world.agency, visitor_id=morning.ilta)
    filed: dict[BlockTrigger, Any] = {}
    for trigger, (visit_id, debtor_id, place_id) in zip(BlockTrigger, _visits(sessions, morning), strict=True):
        scope = SPECIAL.get(trigger, {}) | ({"place_id": place_id} if trigger is BlockTrigger.PLACE_REFUSED else {})
        said = {"debtor_id": debtor_id, "trigger": trigger, "form": "written", "evidence": f"letter of {trigger}"}
        answer = ask(dispatcher, "/blocks", said | scope)
        assert answer["cancelled_visit_ids"] == [visit_id], trigger
        filed[trigger] = answer["block"]
    # The phone hears of each, and why.
    (route,) = ask(phone, "/phone/my-day", method="GET")["routes"]
    told = [(stop["visit"]["state"], stop["visit"]["cancelled"]) for stop in route["stops"]]
    assert told == [("cancelled", trigger.value) for trigger in BlockTrigger]
    for trigger, block in filed.items():
        kept = ("form", "evidence", "scope", "until_at")
        scope = {"medium_refused": "channel", "place_refused": "place"}.get(trigger, "all")
        assert [block[name] for name in kept] == ["written", f"letter of {trigger}", scope, None]
        lift = f"/blocks/{block['id']}/lift"
        by_dispatcher = dispatcher.post(lift, json={"reason": "It has passed."})
        if Role.DISPATCHER in LIFTED_BY[trigger]:
            assert by_dispatcher.json["lift_reason"] == "It has passed.", trigger
        else:
            assert (by_dispatcher.status_code, by_dispatcher.json["code"]) == (403, "not_permitted"), trigger
            lifted = ask(supervisor, lift, {"reason": "Looked at."})
            assert lifted["lifted_by_id"] is not None
    again = dispatcher.post(f"/blocks/{filed[BlockTrigger.PAID]['id']}/lift", json={"reason": "Twice."})
    assert again.json["code"] == "already_lifted"


@pytest.mark.parametrize("with_signal", [True, False])
def test_every_tap_at_the_door_ends_the_visit_and_stops_what_it_has_to_stop(
    client_for: ClientFor, sessions: sessionmaker[Session], world: World, with_signal: bool
) -> None:
    morning = make_morning(sessions, world=world, visits=len(TAPS))
    ahead = _second_visits(sessions, morning)
    office = client_for(Role.DISPATCHER, org=world.agency)
    phone = client_for(Role.VISITOR, org=world.agency, visitor_id=morning.ilta)
    taps = dict(zip(TAPS, morning.visits, strict=True))
    if with_signal:
        for reason, visit_id in taps.items():
            tap = {"event_id": str(uuid.uuid4()), "reason": reason}
            assert ask(phone, f"/phone/visits/{visit_id}/abort", tap)["state"] == "reported"
    else:
        tell_at_once(phone, taps)
    for reason, (visit_id, debtor_id, _) in zip(TAPS, _visits(sessions, morning), strict=True):
        visit = ask(office, f"/visits/{visit_id}", method="GET")
        blocks = ask(office, f"/blocks?debtor_id={debtor_id}", method="GET")["items"]
        stands = [(each["trigger"], each["scope"], each["until_at"] is not None) for each in blocks]
        assert (visit["state"], visit["outcome"]) == ("reported", "aborted")
        assert stands == ([TAPS[reason]] if TAPS[reason] else []), reason
        # A dispute is of one debt; everything else that was heard is of the person, or of the door.
        next_visit = ask(office, f"/visits/{ahead[visit_id]}", method="GET")
        stopped = TAPS[reason] is not None and reason is not AbortReason.DISPUTE
        # Who was met is no debtor any more whom nobody reaches: what else is planned for them waits.
        met = reason not in (AbortReason.SAFETY, AbortReason.OTHER)
        assert next_visit["state"] == ("cancelled" if stopped else "eligible" if met else "published"), reason


def tell_at_once(phone: FlaskClient, taps: dict[AbortReason, uuid.UUID]) -> None:
    """What a phone without a signal kept, told an hour later in one go."""
    events = [
        {"event_id": str(uuid.uuid4()), "kind": "abort", "device_at": at.isoformat(), "visit_id": str(visit_id)}
        | {"reason": reason}
        for at, (reason, visit_id) in zip(_minutes(), taps.items(), strict=False)
    ]
    answer = ask(phone, "/phone/events", {"sent_at": NOW.isoformat(), "events": events})
    assert {result["outcome"] for result in answer["results"]} == {"taken"}, answer["results"]


def _minutes() -> list[dt.datetime]:
    return [NOW - dt.timedelta(minutes=60 - number) for number in range(len(TAPS))]


def _visits(sessions: sessionmaker[Session], morning: Morning) -> list[tuple[str, str, str]]:
    """Of each visit its id, its debtor and its place, in the order of the day."""
    with acting_for_all(sessions) as session:
        rows = [session.get_one(Visit, visit_id) for visit_id in morning.visits]
        return [(str(row.id), str(row.debtor_id), str(row.place_id)) for row in rows]


def _second_visits(sessions: sessionmaker[Session], morning: Morning) -> dict[str, str]:
    """For each visit one more ahead, for another case of the same debtor at the same place."""
    with acting_for_all(sessions) as session:
        found = {}
        for visit_id in morning.visits:
            case = make_second_case(session, morning.world, session.get_one(Visit, visit_id).case)
            found[str(visit_id)] = str(make_visit(session, morning.world, case, state=VisitState.PUBLISHED).id)
        return found
