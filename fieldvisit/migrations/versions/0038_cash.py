"""Money at the door: blocks of receipt numbers, receipts, what was handed in, days that were closed; and whether a house
takes any."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from fieldvisit.migrations.security import secure

revision = "0038_cash"
down_revision = "0042_pairs"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
OURS = sa.text("fieldvisit_now()")
TABLES = ("receipt_blocks", "receipts", "cash_deposits", "cash_closings")


def upgrade() -> None:
    op.add_column("field_rules", sa.Column("may_take_money", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("field_rules", sa.Column("receipt_block", sa.Integer(), server_default="20", nullable=False))
    op.add_column("field_rules", sa.Column("most_cash_minor", sa.BigInteger(), nullable=True))
    op.create_check_constraint(
        op.f("ck_field_rules_block_makes_sense"), "field_rules", "receipt_block between 5 and 200"
    )
    op.create_check_constraint(op.f("ck_field_rules_cash_makes_sense"), "field_rules", "most_cash_minor >= 0")
    _receipt_blocks()
    _receipts()
    _cash_deposits()
    op.create_table(
        "cash_closings",
        _id("org_id"),
        sa.Column("closed_on", sa.Date(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("faults", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        _id("closed_by_id"),
        sa.Column("closed_at", AT, nullable=False),
        _check("cash_closings", "faults_are_explained", "faults = '{}' or reason is not null"),
        _key("cash_closings", "org_id", "organisations.id"),
        sa.PrimaryKeyConstraint("org_id", "closed_on", name=op.f("pk_cash_closings")),
    )
    for table in TABLES:
        for statement in secure(table, "owned"):
            op.execute(statement)
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    # What was taken and what was closed is never changed.
    op.execute(f"grant select, insert on receipts, cash_closings to {role}")
    op.execute(f"grant select, insert, update on receipt_blocks, cash_deposits to {role}")


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    for column in ("most_cash_minor", "receipt_block", "may_take_money"):
        op.drop_column("field_rules", column)


def _receipt_blocks() -> None:
    op.create_table(
        "receipt_blocks",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        *map(_id, ("org_id", "visitor_id")),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("first_number", sa.BigInteger(), nullable=False),
        sa.Column("last_number", sa.BigInteger(), nullable=False),
        sa.Column("issued_at", AT, nullable=False),
        sa.Column("closed_at", AT, nullable=True),
        sa.Column("closed_by_id", sa.Uuid(), nullable=True),
        sa.Column("close_reason", sa.Text(), nullable=True),
        _check("receipt_blocks", "holds_numbers", "first_number > 0 and last_number >= first_number"),
        _check("receipt_blocks", "closed_for_a_reason", "(closed_at is null) = (close_reason is null)"),
        _key("receipt_blocks", "org_id", "organisations.id"),
        _key("receipt_blocks", "visitor_id", "visitors.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt_blocks")),
        sa.UniqueConstraint("org_id", "first_number", name=op.f("uq_receipt_blocks_org_id_first_number")),
    )
    op.create_index(op.f("ix_receipt_blocks_visitor_id"), "receipt_blocks", ["visitor_id"])


def _receipts() -> None:
    op.create_table(
        "receipts",
        *map(_id, ("id", "org_id", "visitor_id")),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("stated", sa.Text(), nullable=True),
        sa.Column("state", _stored(("issued", "void"), "receiptstate"), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=True),
        sa.Column("taken_at", AT, nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("flaws", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("recorded_at", AT, server_default=OURS, nullable=False),
        _check("receipts", "void_is_no_money", "(state = 'void') = (amount_minor = 0)"),
        _check("receipts", "void_for_a_reason", "(state = 'void') = (reason is not null)"),
        _check("receipts", "money_has_a_currency", "(amount_minor > 0) = (currency is not null)"),
        _check("receipts", "void_is_a_number", "state <> 'void' or number is not null"),
        _key("receipts", "org_id", "organisations.id"),
        _key("receipts", "visitor_id", "visitors.id"),
        _key("receipts", "visit_id", "visits.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
        sa.UniqueConstraint("org_id", "number", name=op.f("uq_receipts_org_id_number")),
    )
    for column in ("visitor_id", "visit_id"):
        op.create_index(op.f(f"ix_receipts_{column}"), "receipts", [column])
    op.create_index("ix_receipts_day", "receipts", ["org_id", "booked_on"])


def _cash_deposits() -> None:
    table = "cash_deposits"
    op.create_table(
        table,
        *map(_id, ("id", "org_id", "visitor_id")),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("way", _stored(("office", "bank"), "depositway"), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("deposited_at", AT, nullable=False),
        sa.Column(
            "state",
            _stored(("stated", "confirmed", "refused"), "depositstate"),
            server_default="stated",
            nullable=False,
        ),
        sa.Column("counted_minor", sa.BigInteger(), nullable=True),
        sa.Column("booked_on", sa.Date(), nullable=True),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", AT, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("recorded_at", AT, server_default=OURS, nullable=False),
        _check(table, "positive", "amount_minor > 0"),
        _check(table, "counted", "counted_minor >= 0"),
        _check(table, "decided_when_it_is", "(state = 'stated') = (decided_at is null)"),
        _check(table, "confirmed_is_counted", "(state = 'confirmed') = (counted_minor is not null)"),
        _check(table, "confirmed_is_booked", "(state = 'confirmed') = (booked_on is not null)"),
        _check(table, "refused_for_a_reason", "(state = 'refused') = (reason is not null)"),
        _key(table, "org_id", "organisations.id"),
        _key(table, "visitor_id", "visitors.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cash_deposits")),
    )
    op.create_index(op.f("ix_cash_deposits_visitor_id"), table, ["visitor_id"])


def _id(name: str) -> sa.Column:
    return sa.Column(name, sa.Uuid(), nullable=False)


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def _key(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=op.f(f"fk_{table}_{column}"))


def _stored(values: tuple[str, ...], name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)
