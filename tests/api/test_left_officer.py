"""Over HTTP: an officer who has left holds no alarm."""

from fieldvisit.vocabulary import Role
from tests.api.conftest import ClientFor
from tests.safety.conftest import clock, door
from tests.safety.test_left_officers import Lone, lone

__all__ = ["clock", "door", "lone"]


def test_what_they_held_climbs_on_once_they_are_told_to_have_left(lone: Lone, client_for: ClientFor) -> None:
    lone.takes()
    told = lone.row()
    body = {"external_id": told["visitor_id"], "name": told["name"], "staff_number": told["staff_number"]}
    office = client_for(Role.ADMIN, org=lone.door.world.agency)
    assert office.put("/visitors", json=body | {"active": False}).json["change"] == "changed"
    lone.door.watch()
    assert lone.door.alert().owner_id is None
