"""The first schema.

A migration is called NUMBER_pre_WHAT if it runs before the new code, NUMBER_post_WHAT if it takes away
what only the old code needed. It repeats the tables instead of importing them: they will change, it must not.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("task", sa.String(32), nullable=False),
        sa.Column("selection", JSON, nullable=False),
        sa.Column("policy", JSON, nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("failure", JSON),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
    )
    of_job(
        "leases",
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("owner", sa.String(16), nullable=False),
        sa.Column("pid", sa.BigInteger, nullable=False),
        sa.Column("started_at", sa.Float(53), nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("renewed_at", INSTANT, nullable=False),
        sa.Column("settings", JSON, nullable=False),
        sa.Column("outcome", JSON),
    )
    of_job(
        "checkpoints",
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("phase", sa.String(32), nullable=False),
        sa.Column("position", sa.Text),
        sa.Column("saved_at", INSTANT, nullable=False),
    )
    of_job(
        "progress",
        sa.Column("counters", JSON, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
    )
    of_table(
        "table_progress",
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("rows_estimate", sa.BigInteger, nullable=False),
        sa.Column("bytes_estimate", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
    )
    op.create_table(
        "commands",
        sa.Column("id", NUMBER, nullable=False, autoincrement=True),
        sa.Column("job_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_commands"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_commands_job_id", ondelete="CASCADE"),
    )
    op.create_index("ix_commands_job_id_id", "commands", ["job_id", "id"])
    op.create_table(
        "events",
        sa.Column("id", NUMBER, nullable=False, autoincrement=True),
        sa.Column("job_id", sa.String(64), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("fields", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_events_job_id", ondelete="CASCADE"),
    )
    op.create_index("ix_events_job_id_id", "events", ["job_id", "id"])
    of_table(
        "proofs",
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("source_rows", sa.BigInteger),
        sa.Column("target_rows", sa.BigInteger),
        sa.Column("source_checksum", sa.Text),
        sa.Column("target_checksum", sa.Text),
        sa.Column("position", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("seconds", sa.Float(53), nullable=False),
        sa.Column("taken_at", INSTANT, nullable=False),
    )


def of_job(name: str, *columns: sa.Column[object]) -> None:
    """A table with at most one row a job."""
    op.create_table(
        name,
        sa.Column("job_id", sa.String(64), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("job_id", name=f"pk_{name}"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=f"fk_{name}_job_id", ondelete="CASCADE"),
    )


def of_table(name: str, *columns: sa.Column[object]) -> None:
    """A table with at most one row for each table of a job."""
    op.create_table(
        name,
        sa.Column("job_id", sa.String(64), nullable=False),
        sa.Column("schema_name", sa.String(255), nullable=False),
        sa.Column("table_name", sa.String(255), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("job_id", "schema_name", "table_name", name=f"pk_{name}"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=f"fk_{name}_job_id", ondelete="CASCADE"),
    )
