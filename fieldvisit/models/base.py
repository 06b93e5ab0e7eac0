"""The base of all tables: naming of constraints, column types by name, and the three shapes of row visibility."""

import datetime as dt
import uuid
from enum import StrEnum
from typing import Annotated, Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, registry

from fieldvisit.vocabulary import (
    AlarmChannel,
    AlertKind,
    AlertOutcome,
    AlertState,
    DrillKind,
    DutyRank,
    MessagePurpose,
    MessageRecipient,
    MessageState,
    PoliceDecision,
    ResolutionProof,
    RiskLevel,
    SafetyState,
    SessionCover,
)

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


# Stored by value, as text under a named check: a new member is a migration anyone can read.
STORED_ENUM = sa.Enum(
    StrEnum,
    native_enum=False,
    length=32,
    create_constraint=True,
    values_callable=lambda members: [member.value for member in members],
)


class Unheard(str):
    """A value of a list that another version of the product made longer: equal to no member that is known here."""

    __slots__ = ()

    @property
    def value(self) -> str:
        return str(self)


def member_of[E: StrEnum](members: type[E], stored: str) -> E:
    """The member of this value, or what stands for one that is not known here."""
    return _Members(members)[stored]


class _Members[E: StrEnum](dict[str | None, E]):
    def __init__(self, members: type[E]) -> None:
        super().__init__({member.value: member for member in members})

    def __missing__(self, stored: str | None) -> Any:
        return None if stored is None else Unheard(stored)


class Lengthened(sa.types.TypeDecorator[StrEnum]):
    """The same as `STORED_ENUM`, for what is watched over: a row with a value that a later version knows, and this one
    does not, is read all the same, and with it whatever is read beside it. No alarm waits for that."""

    impl = sa.Enum
    cache_ok = True

    def __init__(self, members: type[StrEnum]) -> None:
        given: dict[str, Any] = {"native_enum": False, "length": 32, "create_constraint": True}
        super().__init__(members, values_callable=lambda each: [member.value for member in each], **given)
        self.members = members

    @property
    def python_type(self) -> type[StrEnum]:
        return self.members

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Any:
        return _Members(self.members).__getitem__


WATCHED_OVER = (
    *(RiskLevel, SafetyState, SessionCover, DrillKind, AlertKind, AlertState, AlertOutcome, ResolutionProof),
    *(PoliceDecision, DutyRank, AlarmChannel, MessagePurpose, MessageRecipient, MessageState),
)


class Base(DeclarativeBase):
    # On the registry, not on the class: Flask-SQLAlchemy makes its own declarative class of this one.
    registry = registry(
        metadata=sa.MetaData(naming_convention=NAMING),
        type_annotation_map={
            dt.datetime: sa.DateTime(timezone=True),
            dict[str, Any]: JSONB,
            list[Any]: JSONB,
            list[str]: sa.ARRAY(sa.Text),
            list[uuid.UUID]: sa.ARRAY(sa.Uuid),
            str: sa.Text,
            StrEnum: STORED_ENUM,
            **{members: Lengthened(members) for members in WATCHED_OVER},
        },
    )
    # How row-level security treats the table; `fieldvisit.migrations.security` writes the policy from it.
    visibility: ClassVar[str]


PrimaryKey = Annotated[uuid.UUID, mapped_column(primary_key=True, server_default=sa.func.uuidv7())]
RecordedAt = Annotated[dt.datetime, mapped_column(server_default=sa.text("fieldvisit_now()"))]
Version = Annotated[int, mapped_column(server_default="1")]
Json = Annotated[dict[str, Any], mapped_column(server_default=sa.text("'{}'::jsonb"))]


class Owned:
    """A row that one organisation alone sees."""

    visibility: ClassVar[str] = "owned"
    org_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("organisations.id"))


class PlacedByCase(Owned):
    """A row of a case: its owner sees it, and the agency while the case is placed with it."""

    visibility: ClassVar[str] = "placed_by_case"


class PlacedByDebtor(Owned):
    """A row of a debtor: its owner sees it, and an agency while one of the debtor's cases is placed with it."""

    visibility: ClassVar[str] = "placed_by_debtor"


class Shared(Owned):
    """A row of a visit: seen by the organisation that visits and by the one that owns the case."""

    visibility: ClassVar[str] = "shared"
    lender_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("organisations.id"))


FETCHED_LATER = {"eager_defaults": False}
"""For rows that are written many at once under ids of their own: what the database adds is read when somebody asks."""

PARTITIONED = {"postgresql_partition_by": "RANGE (at)"}
