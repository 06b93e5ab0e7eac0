"""What fair shares may cost: said by the house, carried into the next plan with the work of the weeks before."""

import datetime as dt

import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import CrewMember, Route, Visitor
from fieldvisit.planning.problem import CHANGE_PRICE_S
from fieldvisit.vocabulary import Role
from routing.format import problem_from_document
from tests.api.conftest import ClientFor
from tests.api.test_plan_changes import day as day
from tests.api.test_plan_changes import dispatcher as dispatcher
from tests.api.test_plan_changes import draft as draft
from tests.api.test_plan_changes import published as published
from tests.planning.worlds import claimed_plan
from tests.worlds import TODAY, World, make_shift

TOMORROW = TODAY + dt.timedelta(days=1)


def test_a_house_that_wants_fair_shares_has_them_counted_from_the_days_before(
    dispatcher: FlaskClient,
    client_for: ClientFor,
    sessions: sessionmaker[Session],
    day: World,
    published: str,
) -> None:
    assert published
    with acting_for_all(sessions) as session:
        rows = session.execute(sa.select(CrewMember.visitor_id, Route.depart_at, Route.return_at).join(Route)).all()
        # Who stayed at home has worked nothing.
        worked = dict.fromkeys(session.scalars(sa.select(Visitor.id)), 0)
        worked |= {row.visitor_id: round((row.return_at - row.depart_at).total_seconds()) for row in rows}
        assert len(worked) == 2
        assert max(worked.values()) > min(worked.values())
        for code, visitor_id in zip("XY", sorted(worked), strict=True):
            make_shift(session, session.get_one(Visitor, visitor_id), crew=code, on=TOMORROW)
    unsaid = claimed_plan(sessions, day, on=TOMORROW).draft.document
    assert unsaid["prices"] == {"travel": 1, "change": CHANGE_PRICE_S}
    assert all("work_before_s" not in crew for crew in unsaid["crews"])

    assert dispatcher.put("/planning-rules", json={"fair_share_price": 2}).status_code == 403
    supervisor = client_for(Role.SUPERVISOR, org=day.agency)
    assert supervisor.put("/planning-rules", json={"fair_share_price": 11}).status_code == 422
    assert supervisor.put("/planning-rules", json={"fair_share_price": 2}).json == {"fair_share_price": 2}
    assert dispatcher.get("/planning-rules").json == {"fair_share_price": 2}
    assert client_for(Role.SUPERVISOR, org=day.stranger).get("/planning-rules").json == {"fair_share_price": 0}

    said = claimed_plan(sessions, day, on=TOMORROW).draft
    assert said.document["prices"] == {"travel": 1, "change": CHANGE_PRICE_S, "balance": 2, "wait": 2}
    least = min(worked.values())
    carried = {crew["id"]: crew["work_before_s"] for crew in said.document["crews"]}
    assert carried == {code: worked[who] - least for code, who in zip("XY", sorted(worked), strict=True)}
    square = [[0] * len(said.points) for _ in said.points]
    assert problem_from_document({**said.document, "travel": {"seconds": square}}).prices.balance == 2
    with acting_for(sessions, day.agency) as session:
        assert session.scalar(sa.text("select count(*) from planning_rules")) == 1
