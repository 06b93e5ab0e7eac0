"""What one agency hears of a debtor stops the visit that another has ahead, and tells neither anything of the other."""

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import Case, Placement, Visit
from fieldvisit.planning.publishing import publish_plan
from fieldvisit.vocabulary import Role
from tests.api.conftest import ClientFor
from tests.conftest import NOW
from tests.notices.mail import MailServer, mail_server
from tests.notices.worlds import asks_for, give_address, give_phone, make_template, sender_of, switch_on
from tests.planning.worlds import drafted, make_crew, make_ready_case, make_ready_visit
from tests.worlds import TODAY, World

DAY = dt.date(2026, 3, 11)
"""Wednesday: five whole working days after the notice of Tuesday 3 March."""
LATER = NOW + dt.timedelta(minutes=5)


@pytest.fixture(scope="module")
def mail() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def visit_id(sessions: sessionmaker[Session], world: World, mail: MailServer) -> uuid.UUID:
    """A visit of the agency's, published and announced to a debtor whose second case is with the other agency."""
    give_phone(sessions, world)
    switch_on(sessions, world.agency, asks_for())
    make_template(sessions, world.agency)
    with acting_for_all(sessions) as session:
        make_crew(session, world, "A", on=DAY)
        visit = make_ready_visit(session, world)
        give_address(session, visit.case)
        for _ in range(2):
            make_ready_visit(session, world, make_ready_case(session, world))
        second = copy_of(visit.case)
        session.add(second)
        session.flush()
        placed = {"case_id": second.id, "debtor_id": second.debtor_id, "agency_id": world.stranger}
        session.add(Placement(org_id=world.lender, from_on=TODAY, **placed))
    plan_id = drafted(sessions, world, on=DAY)
    with acting_for(sessions, world.agency) as session:
        publish_plan(session, plan_id, published_by_id=None, now=LATER)
    sender_of(sessions, mail.provider(), now=LATER).turn()
    mail.letters.clear()
    return visit.id


def copy_of(case: Case) -> Case:
    kept = {c.key: getattr(case, c.key) for c in sa.inspect(Case).columns if c.key not in ("id", "external_id")}
    return Case(**kept, external_id="the second")


def test_a_block_of_one_agency_cancels_the_visit_of_another_and_everybody_is_told_who_is_to_know(
    client_for: ClientFor, sessions: sessionmaker[Session], world: World, mail: MailServer, visit_id: uuid.UUID
) -> None:
    with acting_for_all(sessions) as session:
        visit = session.get_one(Visit, visit_id)
        debtor_id, plan_id = str(visit.debtor_id), visit.plan_id
        (visitor_id,) = session.scalars(sa.text("select distinct visitor_id from crew_members")).all()
    elsewhere = client_for(Role.DISPATCHER, org=world.stranger)
    here = client_for(Role.DISPATCHER, org=world.agency)
    lender = client_for(Role.DISPATCHER, org=world.lender)
    phone = client_for(Role.VISITOR, org=world.agency, visitor_id=visitor_id)

    def ask(client: FlaskClient, path: str) -> Any:
        answer = client.get(path)
        assert answer.status_code == 200, answer.json
        return answer.json

    said = {"debtor_id": debtor_id, "trigger": "dispute", "scope": "visits", "note": "Asked us for the contract."}
    filed = elsewhere.post("/blocks", json=said | {"external_id": "crm-7", "evidence": "letter 12"})
    assert (filed.status_code, filed.json["cancelled_visit_ids"]) == (201, [])
    assert filed.json["block"]["note"] == said["note"]
    assert elsewhere.get(f"/visits/{visit_id}").status_code == 404
    # The phone, the dispatcher, and the debtor.
    told = ask(phone, f"/phone/visits/{visit_id}")
    assert (told["state"], told["cancelled"]) == ("cancelled", "dispute")
    assert [each["visit_id"] for each in ask(here, f"/day-plans/{plan_id}/offers")["freed"]] == [str(visit_id)]
    sender_of(sessions, mail.provider(), now=LATER).turn()
    assert ["Nobody will come on Wednesday, March 11, 2026" in text for text in mail.texts] == [True]
    # That it is stopped and why is everybody's who works on the debtor; what was said, and by whom, is not.
    keeps = ("note", "evidence", "external_id", "filed_by_id")
    (seen,), (whole,) = (ask(client, f"/blocks?debtor_id={debtor_id}")["items"] for client in (here, lender))
    assert (seen["id"], seen["trigger"], seen["until_at"]) == (filed.json["block"]["id"], "dispute", None)
    assert [seen[name] for name in keeps] == [None] * 4
    assert [whole[name] for name in keeps] == [filed.json["block"][name] for name in keeps]
    assert world.stranger.hex not in here.get(f"/visits/{visit_id}/history").text.replace("-", "")
    # Whoever was not concerned stays as they were.
    assert [each.json["state"] for each in others(here, sessions, visit_id)] == ["published", "published"]


def others(client: FlaskClient, sessions: sessionmaker[Session], visit_id: uuid.UUID) -> list[Any]:
    with acting_for_all(sessions) as session:
        ids = session.scalars(sa.select(Visit.id).where(Visit.id != visit_id)).all()
    return [client.get(f"/visits/{each}") for each in ids]


@pytest.mark.long
def test_a_time_stated_at_one_agency_takes_back_the_visit_of_another(
    client_for: ClientFor, sessions: sessionmaker[Session], world: World, visit_id: uuid.UUID
) -> None:
    with acting_for_all(sessions) as session:
        debtor_id = session.get_one(Visit, visit_id).debtor_id
    elsewhere = client_for(Role.INTEGRATOR, org=world.stranger)
    never = {"only": False, "days": ["wed"], "from_time": "00:01", "until_time": "23:59"}
    stated = elsewhere.put(f"/debtors/{debtor_id}/wishes", json=never)
    assert stated.status_code in (200, 201), stated.json
    with acting_for(sessions, world.agency) as session:
        visit = session.get_one(Visit, visit_id)
        assert (visit.state.value, visit.planned_on) == ("eligible", None)
