"""A day's plan: crews, routes, stops, and the visits left out with their reasons."""

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fieldvisit.models.base import Base, Json, Owned, PrimaryKey, RecordedAt
from fieldvisit.models.organisations import Area
from fieldvisit.models.people import Visitor
from fieldvisit.models.visits import Visit
from fieldvisit.vocabulary import DayPlanState, UnservedReason


class DayPlan(Base, Owned):
    """One attempt to plan one day of one area; published ones carry a version. `problem` and `plan` are the planning
    format's own documents, kept so that anyone can judge the plan again."""

    __tablename__ = "day_plans"

    id: Mapped[PrimaryKey]
    area_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("areas.id"))
    planned_on: Mapped[dt.date]
    week_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("week_plans.id"), index=True)
    state: Mapped[DayPlanState]
    version: Mapped[int | None]
    seconds: Mapped[int]
    iterations: Mapped[int | None]
    seed: Mapped[int] = mapped_column(server_default="1")
    progress: Mapped[Json]
    stayed_home: Mapped[Json]
    """Visitors whose papers held for no lender of the day: visitor id → the clauses that say so."""
    failure: Mapped[Json]
    """Why the solve failed: a code and its facts, empty otherwise."""
    problem: Mapped[dict[str, Any] | None] = mapped_column(deferred=True, deferred_group="documents")
    plan: Mapped[dict[str, Any] | None] = mapped_column(deferred=True, deferred_group="documents")
    """Megabytes for a large day: read where they are looked into, not with every stop that a phone asks for."""
    travel_source: Mapped[str | None]
    cost: Mapped[int | None] = mapped_column(sa.BigInteger)
    crews: Mapped[Json]
    """Everybody who could ride: crew → `members` (the lead first), `lat`, `lon`, `from_office`, `break_s`."""
    asked: Mapped[Json]
    """What a search that repairs a day was asked: the price of a change and how many visits may change."""
    based_on_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("day_plans.id"))
    """The plan that somebody changed by hand into this one."""
    repairs_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("day_plans.id"))
    """The published plan that this one repairs: what has begun in it stays as it is."""
    replaces_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("day_plans.id"))
    """Of a day planned afresh: the version that was published when its day was read, and may be replaced by it."""
    requested_by_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("accounts.id"))
    published_by_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("accounts.id"))
    requested_at: Mapped[RecordedAt]
    claimed_at: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None]
    published_at: Mapped[dt.datetime | None]

    @property
    def relieves(self) -> list[str]:
        """The crews whose visits ahead a repair gives to others: somebody of them is in alarm."""
        return list((self.asked or {}).get("without", ()))

    area: Mapped[Area] = relationship()
    routes: Mapped[list["Route"]] = relationship(
        order_by="Route.crew_code", back_populates="plan", foreign_keys="Route.plan_id"
    )
    unserved: Mapped[list["UnservedVisit"]] = relationship(back_populates="plan")

    __table_args__ = (
        sa.CheckConstraint(
            "(state in ('published', 'superseded')) = (version is not null)", name="version_when_public"
        ),
        sa.Index(
            "uq_day_plans_published",
            "area_id",
            "planned_on",
            unique=True,
            postgresql_where=sa.text("state = 'published'"),
        ),
        sa.Index("ix_day_plans_org_id_planned_on", "org_id", "planned_on"),
    )


class Route(Base, Owned):
    """A crew's day. `path` is the way along roads as [lon, lat] pairs, for a picture.

    `since_...`: the route, its plan and its version in which the phones were last told something new, where that was an
    earlier one: a version that changes nothing for a crew is no news for its phones.
    """

    __tablename__ = "routes"

    id: Mapped[PrimaryKey]
    plan_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("day_plans.id", ondelete="CASCADE"), index=True)
    crew_code: Mapped[str]
    start_lat: Mapped[float]
    start_lon: Mapped[float]
    from_office: Mapped[bool]
    depart_at: Mapped[dt.datetime]
    return_at: Mapped[dt.datetime]
    travel_s: Mapped[int]
    travel_m: Mapped[int | None]
    wait_s: Mapped[int]
    break_at: Mapped[dt.datetime | None]
    break_s: Mapped[int | None]
    path: Mapped[list[Any]]
    since_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("routes.id"))
    since_plan_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("day_plans.id"))
    since_version: Mapped[int | None]

    plan: Mapped[DayPlan] = relationship(back_populates="routes", foreign_keys=[plan_id])
    members: Mapped[list["CrewMember"]] = relationship(order_by="CrewMember.lead.desc()")
    stops: Mapped[list["Stop"]] = relationship(order_by="Stop.position", back_populates="route")

    __table_args__ = (sa.UniqueConstraint("plan_id", "crew_code"),)


class CrewMember(Base, Owned):
    """A visitor who rides this route; one of them leads and reports."""

    __tablename__ = "crew_members"

    route_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("routes.id", ondelete="CASCADE"), primary_key=True)
    visitor_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visitors.id"), primary_key=True)
    lead: Mapped[bool]

    visitor: Mapped[Visitor] = relationship()

    __table_args__ = (sa.Index("uq_crew_members_lead", "route_id", unique=True, postgresql_where=sa.text("lead")),)


class Stop(Base, Owned):
    """A visit on a route. Where two crews meet at one door, each has a stop for it; they begin in the same second."""

    __tablename__ = "stops"

    id: Mapped[PrimaryKey]
    route_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("routes.id", ondelete="CASCADE"))
    visit_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visits.id"), index=True)
    position: Mapped[int]
    arrive_at: Mapped[dt.datetime]
    begin_at: Mapped[dt.datetime]
    end_at: Mapped[dt.datetime]
    travel_s: Mapped[int]
    risk: Mapped[int] = mapped_column(default=0, server_default=sa.text("0"))
    """How dangerous it was taken for when the day was planned, in points: what shares of risk are counted from."""
    with_crew: Mapped[str | None]
    """The code of the other crew of the same plan that makes this visit too."""

    route: Mapped[Route] = relationship(back_populates="stops")
    visit: Mapped[Visit] = relationship()

    __table_args__ = (
        sa.UniqueConstraint("route_id", "position"),
        sa.CheckConstraint("arrive_at <= begin_at and begin_at < end_at", name="times_in_order"),
    )


class UnservedVisit(Base, Owned):
    """A visit that the plan leaves out: the reason as a code, the facts for its sentence in `detail`."""

    __tablename__ = "unserved_visits"

    plan_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("day_plans.id", ondelete="CASCADE"), primary_key=True)
    visit_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visits.id"), primary_key=True, index=True)
    reason: Mapped[UnservedReason]
    detail: Mapped[Json]
    withdrawn_from: Mapped[list[str] | None]
    """The crews that were told to go there, where it was taken off their routes when the plan was published already."""

    plan: Mapped[DayPlan] = relationship(back_populates="unserved")
    visit: Mapped[Visit] = relationship()
