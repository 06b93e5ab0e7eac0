"""Who is at a door now, until when we must have heard from them, and what was raised when we did not."""

import datetime as dt
import uuid
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fieldvisit.models.base import PARTITIONED, Base, Json, Owned, PrimaryKey, RecordedAt, Version
from fieldvisit.models.people import Visitor
from fieldvisit.sealing import Sealed
from fieldvisit.vocabulary import (
    AlertKind,
    AlertOutcome,
    AlertState,
    DrillKind,
    PoliceDecision,
    ResolutionProof,
    RiskLevel,
    SafetyState,
    SessionCover,
)

ACTIVE = sa.text("state = 'active'")


class SafetySession(Base, Owned):
    """Stored deadlines, set by the database's clock. `generation` counts check-ins, and what else moves the
    deadlines anew: the engine fires only for the generation it read, so that a check-in and an expiry can never both
    win."""

    __tablename__ = "safety_sessions"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    visitor_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visitors.id"))
    visit_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("visits.id"), index=True)
    level: Mapped[RiskLevel]
    state: Mapped[SafetyState]
    policy: Mapped[dict[str, Any]]
    """The timers in seconds, copied at the start: a later edit never changes a running session."""
    generation: Mapped[int] = mapped_column(server_default="1")
    version: Mapped[Version]
    started_at: Mapped[dt.datetime]
    """Of one that is only planned: when it was planned; of one in alarm that nobody had started: of the alarm."""
    planned_at: Mapped[dt.datetime | None]
    """When it was planned: its record begins then. Empty where it was started at once."""
    planned_s: Mapped[int | None]
    """For how long it was planned."""
    remind_at: Mapped[dt.datetime | None]
    due_at: Mapped[dt.datetime | None]
    grace_until: Mapped[dt.datetime | None]
    end_at: Mapped[dt.datetime | None]
    lost_at: Mapped[dt.datetime | None]
    arrive_by: Mapped[dt.datetime | None]
    """Until when the visitor has to be at the door, by the published plan; empty once they are."""
    door_until: Mapped[dt.datetime | None]
    """The planned end of the time at the door, from the arrival on: a check-in is due then as well."""
    leave_by: Mapped[dt.datetime | None]
    """Until when the session has to be ended, set when the visit is over or the phone is far from the door."""
    expected: Mapped[dict[str, Any] | None]
    """What the published plan said of the visit at the start; see `fieldvisit.safety.following`."""
    nudged: Mapped[Json]
    """Of which deadlines the visitor was reminded: purpose of the message → the deadline, in seconds since 1970.
    Beside them `battery`: to which percentage the phone's battery fell that was noted last."""
    lost_contact: Mapped[bool] = mapped_column(server_default=sa.text("false"))
    unverified: Mapped[bool] = mapped_column(server_default=sa.text("false"))
    asked_again_at: Mapped[dt.datetime | None]
    """When its phone was last asked for what it holds, since the database had gone back."""
    ended_at: Mapped[dt.datetime | None]
    last_lat: Mapped[float | None]
    last_lon: Mapped[float | None]
    last_located_at: Mapped[dt.datetime | None]
    """When the phone was there: what it tells later of an earlier moment is no newer position."""
    last_accuracy_m: Mapped[int | None]
    """How good that position is, by the phone's own estimate."""
    last_heard_at: Mapped[dt.datetime | None]
    cover: Mapped[SessionCover] = mapped_column(server_default=SessionCover.SOLO.value)
    duress: Mapped[bool] = mapped_column(server_default=sa.text("false"))
    """Somebody makes the visitor say that all is well: never visible to the visitor's phone."""
    shown: Mapped[dict[str, Any] | None]
    """What the phone is shown meanwhile; see `fieldvisit.safety.seeming`."""
    buddy_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("visitors.id"))
    """Another visitor, whom this one has named, who may call for help for them."""
    drill: Mapped[DrillKind | None]
    """Nobody is in danger: what is rehearsed. Empty for everybody who is really out."""
    extended_s: Mapped[int] = mapped_column(server_default="0")
    """By how much the planned end was moved, all extensions together."""
    last_sequence: Mapped[int] = mapped_column(server_default="0")
    last_hash: Mapped[bytes] = mapped_column(server_default=sa.text("''"))
    """The head of the chain of events: events cut off its end are missed."""

    @property
    def pin_at_check_in(self) -> bool:
        """By the rules of the house when it started: a check-in of a visitor who has a PIN needs it."""
        return bool(((self.shown or {}).get("policy") or self.policy).get("pin_at_check_in"))

    @property
    def never_started(self) -> bool:
        """Planned, and whatever has become of it since, nobody has set out by it."""
        return self.planned_at is not None and self.end_at is None

    visitor: Mapped[Visitor] = relationship(foreign_keys=visitor_id)
    alerts: Mapped[list["SafetyAlert"]] = relationship(back_populates="session")

    __table_args__ = (
        sa.Index(
            "uq_safety_sessions_open",
            "visitor_id",
            unique=True,
            postgresql_where=sa.text("state in ('active', 'alarm') and drill is null"),
        ),
        sa.Index(
            "uq_safety_sessions_planned",
            "visitor_id",
            "visit_id",
            unique=True,
            postgresql_where=sa.text("state = 'planned'"),
        ),
        sa.Index(
            "uq_safety_sessions_drill",
            "org_id",
            unique=True,
            postgresql_where=sa.text("state in ('planned', 'active', 'alarm') and drill is not null"),
        ),
        sa.Index("ix_safety_sessions_drills", "org_id", "started_at", postgresql_where=sa.text("drill is not null")),
        sa.Index("ix_safety_sessions_visitor_id_ended_at", "visitor_id", "ended_at"),
        sa.Index("ix_safety_sessions_ended_at", "ended_at", postgresql_where=sa.text("ended_at is not null")),
        sa.Index("ix_safety_sessions_grace", "grace_until", postgresql_where=ACTIVE),
        sa.Index("ix_safety_sessions_end", "end_at", postgresql_where=ACTIVE),
        sa.Index("ix_safety_sessions_lost", "lost_at", postgresql_where=ACTIVE),
        sa.Index("ix_safety_sessions_arrive", "arrive_by", postgresql_where=ACTIVE),
        sa.Index("ix_safety_sessions_leave", "leave_by", postgresql_where=ACTIVE),
        sa.Index("ix_safety_sessions_visit", "visit_id", postgresql_where=ACTIVE),
        sa.CheckConstraint(
            "state <> 'active' or (grace_until is not null and end_at is not null)", name="active_has_deadlines"
        ),
        sa.CheckConstraint("state <> 'planned' or planned_at is not null", name="planned_at_some_time"),
        sa.CheckConstraint("remind_at <= due_at and due_at <= grace_until", name="deadlines_in_order"),
    )


class SafetyAlert(Base, Owned):
    """Raised in the same transaction as the state that caused it. Open until a person proves the visitor safe."""

    __tablename__ = "safety_alerts"

    id: Mapped[PrimaryKey]
    session_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("safety_sessions.id"), index=True)
    kind: Mapped[AlertKind]
    state: Mapped[AlertState]
    step: Mapped[int] = mapped_column(server_default="1")
    round: Mapped[int] = mapped_column(server_default="1")
    opened_at: Mapped[dt.datetime]
    raised_at: Mapped[dt.datetime | None]
    """Of a call that could be taken back: from when on it could not, and officers could be told. Else it was raised as
    it opened, and this is empty."""
    deadline_at: Mapped[dt.datetime]
    """The moment that passed; `opened_at` minus this is the lateness of the engine."""
    next_action_at: Mapped[dt.datetime | None]
    owner_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("accounts.id"))
    acknowledged_at: Mapped[dt.datetime | None]
    first_acknowledged_at: Mapped[dt.datetime | None]
    """Of the first acknowledgement, also where it lapsed: what the statistics count."""
    ack_until: Mapped[dt.datetime | None]
    visitor_reports_safe_at: Mapped[dt.datetime | None]
    unverified: Mapped[bool] = mapped_column(server_default=sa.text("false"))
    """The deadline passed while no engine was watching: nobody knows yet what was missed."""
    outage_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("watch_outages.id"))
    """The outage of our own in which the deadline passed; those on duty are told of it once for all of its alerts."""
    outcome: Mapped[AlertOutcome | None]
    proof: Mapped[ResolutionProof | None]
    resolved_at: Mapped[dt.datetime | None]
    covert: Mapped[bool] = mapped_column(server_default=sa.text("false"))
    """Nothing of it may be seen, heard or felt on the visitor's phone."""
    covert_since: Mapped[dt.datetime | None]
    """Of one that turned covert while it stood: since when. Else it is so from its opening, or is not, and this is
    empty."""
    parent_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("safety_alerts.id"))
    """The stronger alert of the same session that took this one over: it climbs for both, and closes both."""
    offered_to_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("accounts.id"))
    referred_at: Mapped[dt.datetime | None]
    police_due_at: Mapped[dt.datetime | None]
    """Until when its owner has to say whether the police is called; afterwards the safety manager is told."""
    police_decision: Mapped[PoliceDecision | None]
    closing: Mapped[dict[str, Any] | None]
    """How its owner would close it, where a second officer has to agree."""
    device_id: Mapped[uuid.UUID | None]
    """The phone that the visitor was heard by last when it opened: of that organisation's."""
    roster: Mapped[Json]
    """Who was on duty when it opened, account → rank: a roster edited in mid-alarm takes nobody off it."""
    version: Mapped[Version]

    session: Mapped[SafetySession] = relationship(back_populates="alerts")

    def turn_covert(self, at: dt.datetime) -> None:
        """From now on nothing of it may show; what showed before stays, since its going would give it away."""
        if not self.covert:
            self.covert, self.covert_since = True, at

    @property
    def second_officer_needed(self) -> bool:
        return self.closing is not None and self.state is not AlertState.RESOLVED

    __table_args__ = (
        sa.Index(
            "uq_safety_alerts_open_kind",
            "session_id",
            "kind",
            unique=True,
            postgresql_where=sa.text("state <> 'resolved'"),
        ),
        sa.Index(
            "ix_safety_alerts_next_action",
            "next_action_at",
            postgresql_where=sa.text("state <> 'resolved'"),
        ),
        sa.Index("ix_safety_alerts_org_id_state_opened_at", "org_id", "state", "opened_at"),
        sa.Index(
            "ix_safety_alerts_police_due_at",
            "police_due_at",
            postgresql_where=sa.text("police_due_at is not null and state <> 'resolved'"),
        ),
        sa.Index("ix_safety_alerts_outage_id", "outage_id", postgresql_where=sa.text("outage_id is not null")),
        sa.CheckConstraint(
            "(state = 'resolved') = (outcome is not null and (proof is not null or outcome = 'cancelled_by_visitor'))",
            name="resolved_with_proof",
        ),
        sa.CheckConstraint(
            "state <> 'acknowledged' or (owner_id is not null and ack_until is not null)",
            name="acknowledged_by_someone",
        ),
    )


class WatchOutage(Base, Owned):
    """A time in which no engine watched, as far as it concerns a house."""

    __tablename__ = "watch_outages"

    id: Mapped[PrimaryKey]
    from_at: Mapped[dt.datetime | None]
    """Empty where nobody had ever watched."""
    until_at: Mapped[dt.datetime]
    expected: Mapped[int]
    """Of how many sessions a deadline had passed when it was noticed."""

    __table_args__ = (sa.UniqueConstraint("org_id", "from_at", postgresql_nulls_not_distinct=True),)


class SafetyEvent(Base, Owned):
    """Append-only, numbered per session, each holding the hash of the one before."""

    __tablename__ = "safety_events"

    session_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("safety_sessions.id"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(primary_key=True)
    kind: Mapped[str]
    actor_id: Mapped[uuid.UUID | None]
    device_at: Mapped[dt.datetime | None]
    detail: Mapped[Json]
    note: Mapped[str | None] = mapped_column(Sealed("safety_events.note"))
    """What a person wrote. The chain holds its keyed digest, so that the chain is verified without the key."""
    previous_hash: Mapped[bytes]
    hash: Mapped[bytes]

    __table_args__ = (PARTITIONED,)


class SafetyKey(Base, Owned):
    """The phone's own id of a check-in or another safety event; a replay changes nothing."""

    __tablename__ = "safety_keys"

    org_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("organisations.id"), primary_key=True)
    event_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    session_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("safety_sessions.id"))
    recorded_at: Mapped[RecordedAt]


class EngineBeat(Base):
    """What each watcher last did, with its progress: a loop that is alive but stuck shows here."""

    __tablename__ = "engine_beats"
    visibility: ClassVar[str] = "system"

    name: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime]
    fired: Mapped[int]
    oldest_due_s: Mapped[float]
    oldest_unsent_s: Mapped[float] = mapped_column(server_default="0")
    """How long the oldest message has waited that nobody is sending and that is due."""
    host_ahead_s: Mapped[float] = mapped_column(server_default="0")
    """How far the clock of its host is ahead of the database's. It decides nothing; a large one is told."""


class DatabaseEpoch(Base):
    """A time in which the database only went on: another begins when it is replaced, or goes back."""

    __tablename__ = "database_epochs"
    visibility: ClassVar[str] = "system"

    id: Mapped[PrimaryKey]
    identity: Mapped[str]
    """Of the cluster, its timeline, and the database in it."""
    replaces_id: Mapped[uuid.UUID | None]
    """The epoch before, which may be lost; none of the first one."""
    because: Mapped[str]
    noticed_by: Mapped[str]
    began_at: Mapped[dt.datetime]

    __table_args__ = (sa.Index("ix_database_epochs_began_at", "began_at"),)
