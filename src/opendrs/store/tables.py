"""The tables. A change of one comes with a migration; a test holds the two together."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

# The newest migration, so that a process can see without loading Alembic that there is nothing to do.
REVISION: Final = "0004"

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, UTC on both sides; SQLite keeps no time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Json(TypeDecorator[Any]):
    """JSON; on PostgreSQL the kind that it keeps parsed."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name != "postgresql":
            return dialect.type_descriptor(JSON(none_as_null=True))
        from sqlalchemy.dialects.postgresql import JSONB  # slow to load, and SQLite needs none of it

        return dialect.type_descriptor(JSONB(none_as_null=True))


# SQLite numbers rows by itself only in a column of exactly this type.
Number = BigInteger().with_variant(Integer(), "sqlite")


def _job_key(*, primary: bool = True) -> Column[str]:
    return Column("job_id", String(64), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=primary, nullable=False)


# source, target   URLs without passwords
# selection, policy   versioned, as the model writes them
# state   word of model.job.State
# failure   of a failed job: fault, code, message, hint
# intent   what is wanted of the workers: a word of model.lifecycle.Intent
# revision   grows when something changes that the prechecks have looked at
#
# A job of the service has more, all of it null for one of `opendrs run`:
# name_key   the name as it is compared
# job_type, engine_type, job_direction, net_type   published words
# places   addresses and instance ids of both sides, with a space before, between and behind them: for searching
# facts   what else was asked for at creation, as the API says it, without secrets
# starts_at   when a scheduled job is to start
jobs = Table(
    "jobs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("task", String(32), nullable=False),
    Column("selection", Json, nullable=False),
    Column("policy", Json, nullable=False),
    Column("state", String(40), nullable=False),
    Column("failure", Json),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("intent", String(16), nullable=False, server_default="rest"),
    Column("revision", BigInteger, nullable=False, server_default="0"),
    Column("project_id", String(64)),
    Column("name_key", Text),
    Column("description", Text),
    Column("job_type", String(32)),
    Column("engine_type", String(64)),
    Column("job_direction", String(16)),
    Column("net_type", String(16)),
    Column("places", Text),
    Column("facts", Json),
    Column("starts_at", Instant),
    # With the name, so that a search for part of one looks at the index alone.
    Index("ix_jobs_listed", "project_id", "job_type", "created_at", "id", "name_key"),
    Index("ix_jobs_intent", "intent"),
    Index("uq_jobs_project_id_name_key", "project_id", "name_key", unique=True),
)

# Passwords of a job of the service, sealed (store.sealing).
secrets = Table(
    "secrets",
    metadata,
    _job_key(),
    Column("name", String(32), primary_key=True),
    Column("sealed", Text, nullable=False),
)

# What was asked of a job, by whom, and what came of it.
#
# id   the query id that the API answers
# kind   a word of model.action.Kind
# status   waiting, running, success or failed
# params   what was asked, without secrets; `sealed`: the secrets among it
# revision   of the job when it was asked
# result   what came of it; failure: why it failed, as in jobs
# runner   of a running one: the process that is at it, as in leases; attempts: how many have been
actions = Table(
    "actions",
    metadata,
    Column("id", String(36), primary_key=True),
    _job_key(primary=False),
    Column("kind", String(32), nullable=False),
    Column("user_name", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("params", Json, nullable=False),
    Column("sealed", Text),
    Column("revision", BigInteger, nullable=False),
    Column("result", Json),
    Column("failure", Json),
    Column("runner", Json),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("asked_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index("ix_actions_job_id_asked_at", "job_id", "asked_at"),
    Index("ix_actions_status_asked_at", "status", "asked_at"),
)

# Who may call the API, and for which project.
projects = Table(
    "projects",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    UniqueConstraint("name"),
)

# password   as store.identity hashes it
users = Table(
    "users",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("password", Text, nullable=False),
    Column("project_id", String(64), ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    UniqueConstraint("domain", "name"),
)

# sealed   the secret key: to verify a signature it must be known
access_keys = Table(
    "access_keys",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("user_id", String(32), ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("sealed", Text, nullable=False),
)

# digest   SHA-256 of the token, so that the store does not hold what opens the door
tokens = Table(
    "tokens",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("user_id", String(32), ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Index("ix_tokens_expires_at", "expires_at"),
)

# One row a job, for as long as the job is known: an epoch is never given twice.
# owner   supervisor: the lease was claimed and its worker is being started; worker: it runs
# started_at   when the process `pid` on `host` started, seconds since 1970: tells it from a later one of that number
# renewed_at   for people; whoever waits for a lease to expire watches it change, and trusts no other clock
# settings   what the worker was started with, without secrets
# outcome   how the worker ended, by its own word; null: it runs, or it was killed
leases = Table(
    "leases",
    metadata,
    _job_key(),
    Column("epoch", BigInteger, nullable=False),
    Column("owner", String(16), nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("started_at", Float(53), nullable=False),
    Column("host", Text, nullable=False),
    Column("renewed_at", Instant, nullable=False),
    Column("settings", Json, nullable=False),
    Column("outcome", Json),
)

# A copy of the target's checkpoint, never ahead of it.
checkpoints = Table(
    "checkpoints",
    metadata,
    _job_key(),
    Column("epoch", BigInteger, nullable=False),
    Column("phase", String(32), nullable=False),
    Column("position", Text),
    Column("saved_at", Instant, nullable=False),
)

progress = Table(
    "progress",
    metadata,
    _job_key(),
    Column("counters", Json, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

# scanned   rows of the source that were looked at: where a filter leaves some out, more than `rows`
# state   waiting, loading or loaded
# indexes   that are to be made, keys included; indexes_made: that are there
table_progress = Table(
    "table_progress",
    metadata,
    _job_key(),
    Column("schema_name", String(255), primary_key=True),
    Column("table_name", String(255), primary_key=True),
    Column("rows", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("rows_estimate", BigInteger, nullable=False),
    Column("bytes_estimate", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("scanned", BigInteger, nullable=False, server_default="0"),
    Column("indexes", Integer, nullable=False, server_default="0"),
    Column("indexes_made", Integer, nullable=False, server_default="0"),
)

# Views of the source. reason: why one is not there, if it could not be made.
view_progress = Table(
    "view_progress",
    metadata,
    _job_key(),
    Column("schema_name", String(255), primary_key=True),
    Column("view_name", String(255), primary_key=True),
    Column("made", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

# What a running worker is asked to do; it takes a row away when it has seen it.
commands = Table(
    "commands",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    _job_key(primary=False),
    Column("name", String(32), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Index("ix_commands_job_id_id", "job_id", "id"),
)

# The job's log for people.
events = Table(
    "events",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    _job_key(primary=False),
    Column("at", Instant, nullable=False),
    Column("level", String(16), nullable=False),
    Column("name", String(64), nullable=False),
    Column("message", Text, nullable=False),
    Column("fields", Json, nullable=False),
    Index("ix_events_job_id_id", "job_id", "id"),
)

# The newest evidence for each table.
proofs = Table(
    "proofs",
    metadata,
    _job_key(),
    Column("schema_name", String(255), primary_key=True),
    Column("table_name", String(255), primary_key=True),
    Column("verdict", String(16), nullable=False),
    Column("source_rows", BigInteger),
    Column("target_rows", BigInteger),
    Column("source_checksum", Text),
    Column("target_checksum", Text),
    Column("position", Text),
    Column("reason", Text, nullable=False),
    Column("seconds", Float(53), nullable=False),
    Column("taken_at", Instant, nullable=False),
)

# Rows that did not come into the target as the source has them (model.dirty): the newest, in the order in which they
# were met.
#
# digest   SHA-256 of what tells a row from every other one of the job
dirty_rows = Table(
    "dirty_rows",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    _job_key(primary=False),
    Column("digest", String(64), nullable=False),
    Column("phase", String(16), nullable=False),
    Column("schema_name", String(255), nullable=False),
    Column("table_name", String(255), nullable=False),
    Column("op", String(16), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("resolved", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("statement", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Index("uq_dirty_rows_job_id_digest", "job_id", "digest", unique=True),
    Index("ix_dirty_rows_job_id_phase_id", "job_id", "phase", "id"),
)

# How many there have been, those that are no longer kept included.
dirty_counts = Table(
    "dirty_counts",
    metadata,
    _job_key(),
    Column("phase", String(16), primary_key=True),
    Column("resolved", String(16), primary_key=True),
    Column("rows", BigInteger, nullable=False),
)

# Statements of the source's log that change the schema (model.ddl_record).
#
# seqno   counts the statements of a job from 1
# digest   SHA-256 of what tells a statement from every other one of the job
# before   position behind which the target stood when the statement was met
# durable   the target has moved on from there
# cleaned_at   when somebody has taken note of it, if it was left out or failed
ddls = Table(
    "ddls",
    metadata,
    _job_key(),
    Column("seqno", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False),
    Column("before", Text, nullable=False),
    Column("durable", Boolean, nullable=False),
    Column("point", Text, nullable=False),
    Column("statement", Text, nullable=False),
    Column("at", Instant),
    Column("outcome", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("cleaned_at", Instant),
    Index("uq_ddls_job_id_digest", "job_id", "digest", unique=True),
)

# Changes of tunable parameters (model.parameters).
#
# in_policy   the job's policy has it
# applied_at   when a worker was started that goes by it
parameter_changes = Table(
    "parameter_changes",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    _job_key(primary=False),
    Column("name", String(64), nullable=False),
    Column("old_value", Text, nullable=False),
    Column("new_value", Text, nullable=False),
    Column("user_name", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("in_policy", Boolean, nullable=False),
    Column("applied_at", Instant),
    Index("ix_parameter_changes_job_id_id", "job_id", "id"),
)

# How fast a load may be (model.speed): a list of windows. No row: as fast as it can.
speed_limits = Table(
    "speed_limits",
    metadata,
    _job_key(),
    Column("windows", Json, nullable=False),
    Column("changed_at", Instant, nullable=False),
)

# By which columns a user wants tables to be compared.
# columns   names, in the order of the key
compare_keys = Table(
    "compare_keys",
    metadata,
    _job_key(),
    Column("schema_name", String(255), primary_key=True),
    Column("table_name", String(255), primary_key=True),
    Column("columns", Json, nullable=False),
)

# Which migration was the last: Alembic's own table, as Alembic makes it.
mark = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
