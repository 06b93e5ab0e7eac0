"""Contacts with debtors, and visits to them that are still to come, as the engine is to know them.

The contacts and live visits of a debtor who may be seen count whoever made them, so they are told across organisations,
as ids, times and codes (migrations `0004_across_organisations` and `0083_arrivals_stand`).
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.facts import AttemptFact, PlannedVisitFact
from fieldvisit.models import ContactAttempt, Visit
from fieldvisit.vocabulary import VisitState

LOOKS_BACK = dt.timedelta(days=400)
"""How far back attempts are read. No rule of a preset looks further than a year."""

RESERVING = (VisitState.PLANNED, VisitState.PUBLISHED, VisitState.UNDER_WAY)
"""States in which a visit reserves its day. One that has arrived is a contact (`attempts_of`)."""


def attempts_of(
    session: Session, debtor_ids: Collection[uuid.UUID], since: dt.datetime
) -> dict[uuid.UUID, list[AttemptFact]]:
    """The attempts on each debtor who may be seen since then, whoever made them, on whichever case, the notices that
    were sent to them, and the visits that arrived and were not reported, the oldest first. Such a visit goes by its own
    id and counts as a talk with the debtor: nobody has said yet that it was none."""
    attempt = ContactAttempt
    told = (
        attempt.debtor_id,
        attempt.id,
        attempt.at,
        attempt.channel,
        attempt.result,
        attempt.detail,
        attempt.contact_point_id,
        attempt.case_id,
        sa.column("notice", sa.Boolean()),
    )
    contacts = sa.func.debtor_contacts_and_arrivals(_ids(debtor_ids), since).table_valued(
        *(sa.column(column.key, column.type) for column in told)
    )
    rows = session.execute(sa.select(contacts).order_by(contacts.c.at, contacts.c.id))
    found: dict[uuid.UUID, list[AttemptFact]] = defaultdict(list)
    for row in rows:
        fact = AttemptFact(
            id=str(row.id),
            at=row.at,
            channel=row.channel,
            result=row.result,
            detail=row.detail,
            contact_point_id=str(row.contact_point_id) if row.contact_point_id else None,
            case_id=str(row.case_id),
            notice=row.notice,
        )
        found[row.debtor_id].append(fact)
    return found


def planned_visits_of(session: Session, debtor_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[PlannedVisitFact]]:
    """The live visits to each of these debtors that are still to come, whoever makes them."""
    found: dict[uuid.UUID, list[PlannedVisitFact]] = defaultdict(list)
    for row in live_visits_of(session, debtor_ids):
        if row.state in RESERVING and row.planned_on is not None:
            fact = PlannedVisitFact(visit_id=str(row.id), planned_on=row.planned_on, case_id=str(row.case_id))
            found[row.debtor_id].append(fact)
    return found


def live_visits_of(session: Session, debtor_ids: Collection[uuid.UUID]) -> Sequence[sa.Row[Any]]:
    """The live visits to these debtors, whoever makes them: debtor_id, id, case_id, reference, state, planned_on."""
    told = (Visit.debtor_id, Visit.id, Visit.case_id, Visit.reference, Visit.state, Visit.planned_on)
    live = sa.func.debtor_live_visits(_ids(debtor_ids)).table_valued(
        *(sa.column(column.key, column.type) for column in told)
    )
    return session.execute(sa.select(live).order_by(live.c.id)).all()


def _ids(debtor_ids: Collection[uuid.UUID]) -> sa.BindParameter[Any]:
    return sa.bindparam(None, list(debtor_ids), sa.ARRAY(sa.Uuid))
