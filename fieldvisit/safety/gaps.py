"""When in the hours ahead nobody would answer an alarm."""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.clock import database_now
from fieldvisit.models import Account, DutyShift, SafetySession
from fieldvisit.safety.roster import IN_HOUSE, LINE, cover_now
from fieldvisit.safety.standing import AT_RISK


@dataclass(frozen=True)
class Gap:
    from_at: dt.datetime
    until_at: dt.datetime


@dataclass(frozen=True)
class CoverAhead:
    """`reachable`: officers whom an alarm would reach now, whoever it is about; `out`: visitors who are out now."""

    from_at: dt.datetime
    until_at: dt.datetime
    reachable: int
    out: int
    gaps: tuple[Gap, ...]


def cover_ahead(session: Session, *, hours: int) -> CoverAhead:
    """The acting organisation's roster from now on, as it would be answered: a shift of an account that is closed, or
    whose visitor has left, or that has no alarm line, covers nothing."""
    now: dt.datetime = session.scalars(sa.select(database_now())).one()
    until, org_id = now + dt.timedelta(hours=hours), session.info["org"]
    out = sa.select(sa.func.count()).select_from(SafetySession).where(SafetySession.drill.is_(None))
    return CoverAhead(
        now,
        until,
        cover_now(session, org_id),
        session.scalars(out.where(SafetySession.org_id == org_id, SafetySession.state.in_(AT_RISK))).one(),
        tuple(gaps_ahead(session, org_id, now, until)),
    )


def gaps_ahead(session: Session, org_id: uuid.UUID, now: dt.datetime, until: dt.datetime) -> list[Gap]:
    """When of that time no shift of the organisation's would be answered."""
    shifts = session.execute(
        sa.select(DutyShift.starts_at, DutyShift.ends_at)
        .join(Account, Account.id == DutyShift.account_id)
        .where(DutyShift.org_id == org_id, DutyShift.starts_at < until, DutyShift.ends_at > now, IN_HOUSE, LINE)
        .order_by(DutyShift.starts_at, DutyShift.ends_at)
    )
    return gaps_between([(row.starts_at, row.ends_at) for row in shifts], now, until)


def gaps_between(
    shifts: Iterable[tuple[dt.datetime, dt.datetime]], from_at: dt.datetime, until_at: dt.datetime
) -> list[Gap]:
    """What these shifts, in the order of their starts, leave open between the two moments."""
    found, covered = [], from_at
    for starts_at, ends_at in shifts:
        if starts_at > covered:
            found.append(Gap(covered, starts_at))
        covered = max(covered, ends_at)
    return found + ([Gap(covered, until_at)] if covered < until_at else [])
