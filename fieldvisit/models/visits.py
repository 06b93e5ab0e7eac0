"""The intention to see a debtor at a place, and everything that happened to it."""

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fieldvisit.models.base import FETCHED_LATER, PARTITIONED, Base, Json, PrimaryKey, RecordedAt, Shared, Version
from fieldvisit.models.cases import Case
from fieldvisit.models.debtors import Debtor, Place
from fieldvisit.vocabulary import (
    CheckMoment,
    IdentityMethod,
    IdentityResult,
    NextStep,
    NotDone,
    Verdict,
    VisitOutcome,
    VisitState,
)


class Visit(Base, Shared):
    """One visit. `org_id` goes out, `lender_id` owns the case."""

    __tablename__ = "visits"

    id: Mapped[PrimaryKey]
    reference: Mapped[str]
    """What people call it on the phone and in a plan; says nothing of the debtor."""
    case_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("cases.id"))
    debtor_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("debtors.id"), index=True)
    place_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("places.id"), index=True)
    state: Mapped[VisitState]
    requested_reason: Mapped[str]
    evidence: Mapped[list[uuid.UUID]]
    """Ids of the failed contact attempts that opened it."""
    requires: Mapped[list[str]] = mapped_column(server_default=sa.text("'{}'"))
    """Skills a crew must offer, besides what the policy demands."""
    people: Mapped[int] = mapped_column(server_default="1")
    """So many go in together at least, whatever the policy and the markers demand."""
    service_s: Mapped[int]
    value_s: Mapped[int]
    last_on: Mapped[dt.date]
    planned_on: Mapped[dt.date | None]
    """The day whose cap slot it holds; set from planned on, empty again when it goes back."""
    plan_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("day_plans.id"))
    under_way_at: Mapped[dt.datetime | None]
    arrived_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    outcome: Mapped[VisitOutcome | None]
    cancelled_reason: Mapped[Json]
    """Why it was cancelled: a code and its facts, empty otherwise."""
    not_done: Mapped[NotDone | None]
    """Why it came back from the day it was last published for; empty again once it is published anew or reported."""
    not_done_on: Mapped[dt.date | None]
    next_step: Mapped[NextStep | None]
    """What the office decided when it closed the visit; the report holds what the visitor proposed."""
    version: Mapped[Version]
    created_at: Mapped[RecordedAt]
    updated_at: Mapped[RecordedAt]

    case: Mapped[Case] = relationship()
    debtor: Mapped[Debtor] = relationship()
    place: Mapped[Place] = relationship()

    __table_args__ = (
        sa.UniqueConstraint("org_id", "reference"),
        sa.CheckConstraint("service_s > 0 and value_s >= 0", name="sizes_make_sense"),
        sa.CheckConstraint("people between 1 and 3", name="people_in_a_crew"),
        sa.CheckConstraint(
            "state not in ('planned', 'published', 'under_way', 'arrived') or planned_on is not null",
            name="planned_has_a_day",
        ),
        sa.CheckConstraint("(not_done is null) = (not_done_on is null)", name="not_done_has_a_day"),
        # One live visit per case: the gate may run twice at once, the second finds this in its way.
        sa.Index(
            "uq_visits_live_case",
            "case_id",
            unique=True,
            postgresql_where=sa.text("state not in ('reported', 'closed', 'cancelled', 'expired')"),
        ),
        sa.Index("ix_visits_org_id_state_planned_on", "org_id", "state", "planned_on"),
        sa.Index("ix_visits_case_id", "case_id"),
        # What a lender may have to call off: few rows of many.
        sa.Index(
            "ix_visits_live_lender",
            "lender_id",
            postgresql_where=sa.text("state not in ('reported', 'closed', 'cancelled', 'expired')"),
        ),
    )


class VisitEvent(Base, Shared):
    """What happened to a visit, append-only, partitioned by month of `at` (when the server learnt of it)."""

    __tablename__ = "visit_events"

    id: Mapped[PrimaryKey]
    at: Mapped[dt.datetime] = mapped_column(primary_key=True, server_default=sa.text("fieldvisit_now()"))
    visit_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visits.id"))
    kind: Mapped[str]
    actor_id: Mapped[uuid.UUID | None]
    visitor_id: Mapped[uuid.UUID | None]
    device_at: Mapped[dt.datetime | None]
    """The phone's own time: evidence, never authority."""
    detail: Mapped[Json]

    __table_args__ = (sa.Index("ix_visit_events_visit_id_at", "visit_id", "at"), PARTITIONED)


class PhoneEventKey(Base, Shared):
    """The phone's own id of something it told us; a second telling finds the first one's answer."""

    __tablename__ = "phone_event_keys"

    org_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("organisations.id"), primary_key=True)
    event_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    visit_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("visits.id"), index=True)
    kind: Mapped[str]
    body_digest: Mapped[bytes]
    """Of what was told: the same id with another body is refused."""
    answer: Mapped[Json]
    """What the phone was told back; ids and codes only."""
    recorded_at: Mapped[RecordedAt]

    __table_args__ = (sa.Index("ix_phone_event_keys_org_id_recorded_at", "org_id", "recorded_at"),)


class StoredDecision(Base, Shared):
    """The policy engine's answer at one moment, with everything needed to show later why."""

    __tablename__ = "decisions"
    __mapper_args__ = FETCHED_LATER

    id: Mapped[PrimaryKey]
    visit_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visits.id"), index=True)
    moment: Mapped[CheckMoment]
    verdict: Mapped[Verdict]
    begins_at: Mapped[dt.datetime | None]
    ends_at: Mapped[dt.datetime | None]
    clauses: Mapped[list[Any]]
    policies: Mapped[list[Any]]
    lawful: Mapped[list[Any]]
    next_lawful_at: Mapped[dt.datetime | None]
    inputs_hash: Mapped[str]
    decided_at: Mapped[dt.datetime]
    recorded_at: Mapped[RecordedAt]


class IdentityCheck(Base, Shared):
    """How it was established that this is the debtor. Without a confirmed one the phone gets no amount."""

    __tablename__ = "identity_checks"
    __mapper_args__ = FETCHED_LATER

    id: Mapped[PrimaryKey]
    visit_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visits.id"), index=True)
    visitor_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visitors.id"))
    method: Mapped[IdentityMethod]
    result: Mapped[IdentityResult]
    at: Mapped[dt.datetime]
    recorded_at: Mapped[RecordedAt]
