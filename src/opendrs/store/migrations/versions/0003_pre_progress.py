"""Progress object by object, rows and statements that need attention, tunable parameters, speed limits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"

JSON = sa.JSON().with_variant(JSONB(), "postgresql")
INSTANT = sa.DateTime(timezone=True)
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def job(table: str) -> tuple[sa.Column[str], sa.ForeignKeyConstraint]:
    """The column that says whose a row is, and its reference."""
    reference = sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=f"fk_{table}_job_id", ondelete="CASCADE")
    return sa.Column("job_id", sa.String(64), nullable=False), reference


def upgrade() -> None:
    op.add_column("table_progress", sa.Column("scanned", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("table_progress", sa.Column("indexes", sa.Integer, nullable=False, server_default="0"))
    op.add_column("table_progress", sa.Column("indexes_made", sa.Integer, nullable=False, server_default="0"))
    op.execute("UPDATE table_progress SET scanned = rows")
    owner, reference = job("view_progress")
    op.create_table(
        "view_progress",
        owner,
        sa.Column("schema_name", sa.String(255), nullable=False),
        sa.Column("view_name", sa.String(255), nullable=False),
        sa.Column("made", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "schema_name", "view_name", name="pk_view_progress"),
        reference,
    )
    attention()
    steering()


def attention() -> None:
    owner, reference = job("dirty_rows")
    op.create_table(
        "dirty_rows",
        sa.Column("id", NUMBER, nullable=False, autoincrement=True),
        owner,
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("phase", sa.String(16), nullable=False),
        sa.Column("schema_name", sa.String(255), nullable=False),
        sa.Column("table_name", sa.String(255), nullable=False),
        sa.Column("op", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("resolved", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("statement", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_dirty_rows"),
        reference,
    )
    op.create_index("uq_dirty_rows_job_id_digest", "dirty_rows", ["job_id", "digest"], unique=True)
    op.create_index("ix_dirty_rows_job_id_phase_id", "dirty_rows", ["job_id", "phase", "id"])
    owner, reference = job("dirty_counts")
    op.create_table(
        "dirty_counts",
        owner,
        sa.Column("phase", sa.String(16), nullable=False),
        sa.Column("resolved", sa.String(16), nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "phase", "resolved", name="pk_dirty_counts"),
        reference,
    )
    owner, reference = job("ddls")
    op.create_table(
        "ddls",
        owner,
        sa.Column("seqno", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("durable", sa.Boolean, nullable=False),
        sa.Column("point", sa.Text, nullable=False),
        sa.Column("statement", sa.Text, nullable=False),
        sa.Column("at", INSTANT),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("cleaned_at", INSTANT),
        sa.PrimaryKeyConstraint("job_id", "seqno", name="pk_ddls"),
        reference,
    )
    op.create_index("uq_ddls_job_id_digest", "ddls", ["job_id", "digest"], unique=True)


def steering() -> None:
    owner, reference = job("parameter_changes")
    op.create_table(
        "parameter_changes",
        sa.Column("id", NUMBER, nullable=False, autoincrement=True),
        owner,
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("old_value", sa.Text, nullable=False),
        sa.Column("new_value", sa.Text, nullable=False),
        sa.Column("user_name", sa.Text, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("in_policy", sa.Boolean, nullable=False),
        sa.Column("applied_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_parameter_changes"),
        reference,
    )
    op.create_index("ix_parameter_changes_job_id_id", "parameter_changes", ["job_id", "id"])
    owner, reference = job("speed_limits")
    op.create_table(
        "speed_limits",
        owner,
        sa.Column("windows", JSON, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("job_id", name="pk_speed_limits"),
        reference,
    )
