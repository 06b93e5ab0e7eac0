"""Renewals and reminders over HTTP: the office renews, both are told, the holder sees it on the phone."""

import datetime as dt

from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for
from fieldvisit.reminders import raise_reminders
from fieldvisit.vocabulary import CredentialKind, Role
from tests.api.conftest import ClientFor
from tests.conftest import NOW
from tests.worlds import TODAY, World, make_credential, make_visitor


def test_a_paper_that_runs_out_is_told_and_renewed(
    client_for: ClientFor, sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for(sessions, world.agency) as session:
        visitor = make_visitor(session, world, papers=False)
        badge = make_credential(session, visitor, kind=CredentialKind.BADGE, valid_until=TODAY + dt.timedelta(days=7))
        visitor_id, badge_id = visitor.id, badge.id
        assert raise_reminders(session, NOW, TODAY) == 2
    office = client_for(Role.SUPERVISOR, org=world.agency)
    phone = client_for(Role.VISITOR, org=world.agency, visitor_id=visitor_id)

    (told,) = office.get("/credential-reminders?recipient=office&seen=false").json["items"]
    assert (told["credential_id"], told["due_on"], told["days_before"]) == (str(badge_id), "2026-03-10", 7)
    assert office.post(f"/credential-reminders/{told['id']}/seen").json["seen_at"] is not None
    assert office.get("/credential-reminders?recipient=office&seen=false").json["items"] == []
    own = phone.get("/phone/papers").json
    assert [(paper["id"], paper["kind_words"]) for paper in own["papers"]] == [(str(badge_id), "Badge")]
    assert [reminder["recipient"] for reminder in own["reminders"]] == ["holder"]

    renewal = {"external_id": "K-next", "valid_until": "2027-03-10"}
    renewed = office.post(f"/credentials/{badge_id}/renewal", json=renewal)
    assert (renewed.status_code, renewed.json["renews_id"], renewed.json["valid_from"]) == (
        201,
        str(badge_id),
        "2026-03-11",
    )
    other = office.post(f"/credentials/{badge_id}/renewal", json=renewal | {"external_id": "K-other"})
    assert (other.status_code, other.json["code"]) == (409, "already_renewed")
    assert [paper["id"] for paper in office.get(f"/visitors/{visitor_id}/credentials").json["items"]] == [
        str(badge_id),
        renewed.json["id"],
    ]
    assert phone.get("/phone/papers").json["reminders"] == []
