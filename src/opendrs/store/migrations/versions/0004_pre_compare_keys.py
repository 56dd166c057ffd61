"""Keys for comparison."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"

JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "compare_keys",
        sa.Column("job_id", sa.String(64), nullable=False),
        sa.Column("schema_name", sa.String(255), nullable=False),
        sa.Column("table_name", sa.String(255), nullable=False),
        sa.Column("columns", JSON, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "schema_name", "table_name", name="pk_compare_keys"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_compare_keys_job_id", ondelete="CASCADE"),
    )
