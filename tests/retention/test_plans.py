"""What a purge asks of a hundred thousand rows is answered by an index, whatever it is looked for by."""

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import Urls, acting_for_all, owner_engine
from fieldvisit.models import ContactAttempt, ContactPoint
from fieldvisit.vocabulary import AttemptResult, Channel
from tests.conftest import NOW
from tests.worlds import World, make_case, make_world

pytestmark = pytest.mark.long
CASES, EACH = 500, 200
ASKED = ("case_id = :case", "debtor_id = :debtor", "debtor_id = :debtor and org_id = :org", "contact_point_id = :point")


@pytest.fixture
def world(sessions: sessionmaker[Session]) -> World:
    return make_world(sessions)


def scans(plan: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """How each table is read."""
    if "Relation Name" in plan:
        yield plan["Relation Name"], plan["Node Type"]
    for child in plan.get("Plans", ()):
        yield from scans(child)


def test_no_row_of_a_purge_is_looked_for_by_reading_a_table(
    sessions: sessionmaker[Session], urls: Urls, world: World
) -> None:
    with acting_for_all(sessions) as session:
        cases = [make_case(session, world) for _ in range(CASES)]
        points = {row[0]: row[1] for row in session.execute(sa.select(ContactPoint.debtor_id, ContactPoint.id))}
        for case in cases:
            row = {
                "org_id": case.org_id,
                "case_id": case.id,
                "debtor_id": case.debtor_id,
                "contact_point_id": points[case.debtor_id],
                "made_by_id": world.agency,
                "channel": Channel.CALL,
                "result": AttemptResult.NO_ANSWER,
            }
            rows = [row | {"id": uuid.uuid4(), "at": NOW - n * dt.timedelta(seconds=1)} for n in range(EACH)]
            session.execute(sa.insert(ContactAttempt), rows)
    one = cases[0]
    given = {"case": one.id, "debtor": one.debtor_id, "org": one.org_id, "point": points[one.debtor_id]}
    engine = owner_engine(urls)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("set app.sees_all = 'on'"))
        connection.execute(sa.text("analyze contact_attempts"))
        for asked in ASKED:
            statement = f"explain (format json) delete from contact_attempts where {asked}"
            (plan,) = connection.execute(sa.text(statement), given).scalar_one()
            # A month without a row is read as it is.
            read = {
                how for table, how in scans(plan["Plan"]) if table.endswith(f"{NOW:%Y_%m}") and how != "ModifyTable"
            }
            print(asked, read, plan["Plan"]["Total Cost"])
            assert read <= {"Index Scan", "Bitmap Heap Scan"}, read
            assert read
    engine.dispose()
