"""The live visits to a debtor, whoever makes them: what concerns the debtor concerns every one of them.

Two agencies may have a case each of the same debtor; neither sees the other's visits. They are locked together, and
those of another organisation are changed in the books of the lender, who sees both: nothing of them is told.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.models import Debtor, Visit
from fieldvisit.visits import LIVE
from fieldvisit.vocabulary import VisitState


@dataclass(frozen=True)
class Touched:
    """Live visits to some debtors, locked: the ids of those that one's organisation sees; and for each lender, in whose
    books they are changed (`on_behalf_of`), of those that another organisation makes."""

    own: tuple[uuid.UUID, ...] = ()
    others: tuple[tuple[uuid.UUID, tuple[uuid.UUID, ...]], ...] = ()


def lock_live_visits(
    session: Session, debtor_ids: Collection[uuid.UUID], *, also: Collection[uuid.UUID] = ()
) -> list[sa.Row[Any]]:
    """Lock every live visit to these debtors, and those visits of one's own, all at once and in the order of their ids:
    two who lock the same debtors' visits in turn would wait for each other for ever. Rows as `live_visits_of` tells."""
    told = (Visit.debtor_id, Visit.id, Visit.case_id, Visit.reference, Visit.state, Visit.planned_on)
    locked = sa.func.lock_live_visits(_ids(debtor_ids), _ids(also)).table_valued(
        *(sa.column(column.key, column.type) for column in told)
    )
    return list(session.execute(sa.select(locked)).all())


def lock_touched(
    session: Session, debtor_ids: Collection[uuid.UUID], *, states: Collection[VisitState] = LIVE
) -> Touched:
    """Lock every live visit to these debtors; of those that others make, the ones in these states are named."""
    live = lock_live_visits(session, debtor_ids) if debtor_ids else []
    if not live:
        return Touched()
    own = set(session.scalars(sa.select(Visit.id).where(Visit.id.in_([row.id for row in live]))))
    unseen = {row.id: row.debtor_id for row in live if row.id not in own and row.state in states}
    by_debtor = sa.select(Debtor.id, Debtor.org_id).where(Debtor.id.in_(set(unseen.values())))
    lenders = dict(session.execute(by_debtor).all() if unseen else ())
    others: dict[uuid.UUID, tuple[uuid.UUID, ...]] = {}
    for visit_id, debtor_id in unseen.items():
        others[lenders[debtor_id]] = (*others.get(lenders[debtor_id], ()), visit_id)
    return Touched(tuple(sorted(own)), tuple(sorted(others.items())))


def _ids(ids: Collection[uuid.UUID]) -> sa.BindParameter[Any]:
    return sa.bindparam(None, list(ids), sa.ARRAY(sa.Uuid))
