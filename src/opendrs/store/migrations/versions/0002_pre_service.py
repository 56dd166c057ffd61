"""The service: projects, users and keys, actions, sealed passwords, and what jobs of the API have more."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"

JSON = sa.JSON().with_variant(JSONB(), "postgresql")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    for column in (
        sa.Column("intent", sa.String(16), nullable=False, server_default="rest"),
        sa.Column("revision", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("project_id", sa.String(64)),
        sa.Column("name_key", sa.Text),
        sa.Column("description", sa.Text),
        sa.Column("job_type", sa.String(32)),
        sa.Column("engine_type", sa.String(64)),
        sa.Column("job_direction", sa.String(16)),
        sa.Column("net_type", sa.String(16)),
        sa.Column("places", sa.Text),
        sa.Column("facts", JSON),
        sa.Column("starts_at", INSTANT),
    ):
        op.add_column("jobs", column)
    op.create_index("ix_jobs_listed", "jobs", ["project_id", "job_type", "created_at", "id", "name_key"])
    op.create_index("ix_jobs_intent", "jobs", ["intent"])
    op.create_index("uq_jobs_project_id_name_key", "jobs", ["project_id", "name_key"], unique=True)
    op.create_table(
        "secrets",
        sa.Column("job_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "name", name="pk_secrets"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_secrets_job_id", ondelete="CASCADE"),
    )
    actions()
    identity()


def actions() -> None:
    op.create_table(
        "actions",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("job_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("user_name", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("params", JSON, nullable=False),
        sa.Column("sealed", sa.Text),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("result", JSON),
        sa.Column("failure", JSON),
        sa.Column("runner", JSON),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_actions"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_actions_job_id", ondelete="CASCADE"),
    )
    op.create_index("ix_actions_job_id_asked_at", "actions", ["job_id", "asked_at"])
    op.create_index("ix_actions_status_asked_at", "actions", ["status", "asked_at"])


def identity() -> None:
    op.create_table(
        "projects",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_projects"),
        sa.UniqueConstraint("name", name="uq_projects_name"),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("domain", sa.Text, nullable=False),
        sa.Column("password", sa.Text, nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_users_project_id", ondelete="CASCADE"),
        sa.UniqueConstraint("domain", "name", name="uq_users_domain_name"),
    )
    op.create_table(
        "access_keys",
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("user_id", sa.String(32), nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_access_keys"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_access_keys_user_id", ondelete="CASCADE"),
    )
    op.create_table(
        "tokens",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(32), nullable=False),
        sa.Column("issued_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_tokens"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_tokens_user_id", ondelete="CASCADE"),
    )
    op.create_index("ix_tokens_expires_at", "tokens", ["expires_at"])
