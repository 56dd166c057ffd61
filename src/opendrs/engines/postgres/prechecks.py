"""The table of prechecks of a PostgreSQL target. docs/reference/prechecks.md is made from it.

Item names and groups are the published ones where there is one for the thing; the others are in their style.
Neither a superuser nor session_replication_role is needed, and so nobody looks for them.
"""

from __future__ import annotations

from typing import Final

from opendrs.engines.postgres import prechecks_objects as objects
from opendrs.engines.postgres import prechecks_privileges as privileges
from opendrs.engines.postgres import prechecks_schema as schema
from opendrs.engines.postgres import prechecks_status as status
from opendrs.engines.postgres.prechecks_schema import doubts, too_long
from opendrs.engines.postgres.prechecks_server import Arrival, Objects, Server
from opendrs.engines.postgres.prechecks_status import database_absent, database_missing
from opendrs.model.precheck import LOAD, LOG_ONLY, Precheck

__all__ = (
    "ARRIVAL",
    "CONNECTION",
    "DATABASE",
    "IN_DATABASE",
    "OBJECTS",
    "SERVER",
    "Arrival",
    "Objects",
    "Server",
    "database_absent",
    "database_missing",
    "doubts",
    "too_long",
)

CONNECTION: Final[Precheck[Server]] = Precheck(
    item="dstDbConnection",
    group="network",
    side="target",
    looks_at="logging in at the target",
    why="nothing else can be looked at without",
    look=status.connection,
)

DATABASE: Final[Precheck[Server]] = Precheck(
    item="dstDbNameCheck",
    group="db_target_status",
    side="target",
    looks_at="the database that the URL of the target names",
    why="the source's databases arrive as schemas of one database, which must be there",
    look=status.database,
)

# What can be looked at in any database of the server.
SERVER: Final[tuple[Precheck[Server], ...]] = (
    CONNECTION,
    Precheck(
        item="dstDbVersionSupport",
        group="db_version",
        side="target",
        looks_at="server_version_num",
        why=f"PostgreSQL {status.VERSION_OLDEST} and newer can be written; tested up to {status.VERSION_NEWEST}",
        look=status.version,
    ),
    Precheck(
        item="dbClockConsistency",
        group="db_params",
        side="target",
        looks_at="the clocks of both servers",
        why="the lag of a job is the difference between the two",
        look=status.clock,
    ),
)

IN_DATABASE: Final[tuple[Precheck[Server], ...]] = (
    DATABASE,
    Precheck(
        item="dbCharacterSetConsistency",
        group="db_params",
        side="target",
        looks_at="server_encoding = UTF8",
        why="other encodings lack characters that the source has",
        look=status.encoding,
    ),
    Precheck(
        item="dstStatusCheck",
        group="db_target_status",
        side="target",
        looks_at="pg_is_in_recovery(), default_transaction_read_only",
        why="a standby takes no writes",
        look=status.takes_writes,
    ),
    Precheck(
        item="dstSynchronousCommitCheck",
        group="db_params",
        side="target",
        looks_at="synchronous_commit",
        why="with it off, a crash takes back what readers have seen already",
        look=status.durability,
    ),
    Precheck(
        item="dstControlSchemaCheck",
        group="db_target_status",
        side="target",
        looks_at="the version of the schema _opendrs",
        why="another release may have left a checkpoint that this one cannot read",
        look=status.control_schema,
        unseen="FAILED",
    ),
    Precheck(
        item="dstConnectionLimitCheck",
        group="db_params",
        side="target",
        looks_at="max_connections, the limits of role and database, and the sessions there are",
        why="every lane of the load writes on a session of its own",
        look=status.sessions,
    ),
    Precheck(
        item="dstDbDiskSize",
        group="db_disk_size",
        side="target",
        looks_at=f"free space: {status.DISK_TIMES} times the source's tables, if the disk can be seen from here",
        why="a full disk stops the target for everybody",
        look=status.disk,
        tasks=LOAD,
        acceptable=True,
    ),
)

OBJECTS: Final[tuple[Precheck[Objects], ...]] = (
    Precheck(
        item="dstDbPrivilegesIsEnough",
        group="db_user_privilege",
        side="target",
        looks_at="CREATE in the database, USAGE and CREATE in schemas that are there",
        why="schemas and tables are made, and the checkpoint beside them",
        look=privileges.write,
        unseen="FAILED",
    ),
    Precheck(
        item="checkEmptyDstDb",
        group="db_object_conflict_check",
        side="target",
        looks_at="tables that are there already, where those of the source are to arrive",
        why="rows of others would be mixed with those of the source, or lost",
        look=objects.empty,
        tasks=LOAD,
        unseen="FAILED",
    ),
    Precheck(
        item="dstSchemaRehearsalCheck",
        group="db_object_conflict_check",
        side="target",
        looks_at="whether the target takes the tables and their indexes: each is made and taken back, unseen",
        why="what it refuses would be found out at the end of a long load",
        look=objects.rehearsal,
        tasks=LOAD,
    ),
    Precheck(
        item="checkIncreSrcDbExistedInDstDb",
        group="db_object_conflict_check",
        side="target",
        looks_at="the tables, their columns, and the privileges to write them",
        why="a job that only follows the log makes no tables",
        look=objects.existing,
        tasks=LOG_ONLY,
        unseen="FAILED",
    ),
    Precheck(
        item="dstUniqueIndexCheck",
        group="db_object_conflict_check",
        side="target",
        looks_at="unique indexes on the keys of the source's tables",
        why="every change looks for its row by the key",
        look=objects.keys,
        tasks=LOG_ONLY,
    ),
    Precheck(
        item="dstTriggerCheck",
        group="db_object_conflict_check",
        side="target",
        looks_at="triggers of the target's tables",
        why="they act on what the job writes, and the log has what the source's did",
        look=objects.triggers,
        tasks=LOG_ONLY,
    ),
)

# What the catalog of the source alone says, with or without a target.
ARRIVAL: Final[tuple[Precheck[Arrival], ...]] = (
    Precheck(
        item="mappedNameCheck",
        group="db_object_conflict_check",
        side="target",
        looks_at="names that two tables would share, that are too long for PostgreSQL, or that it keeps for itself",
        why="two tables cannot arrive as one; others are renamed by the published rule",
        look=schema.names,
    ),
    Precheck(
        item="dstColumnTypeCheck",
        group="db_object_conflict_check",
        side="target",
        looks_at="columns whose meaning changes with their type, whatever the values are",
        why="the published type map says exact, or says what is lost",
        look=schema.losses,
    ),
    Precheck(
        item="dstSchemaCheck",
        group="db_object_conflict_check",
        side="target",
        looks_at="indexes, defaults, generated columns, checks that have no equal in the target",
        why="they are not carried over, or not as they were",
        look=schema.left_behind,
        tasks=LOAD,
    ),
    Precheck(
        item="dstViewCheck",
        group="db_object_conflict_check",
        side="target",
        looks_at="views, and whether their SQL can be translated",
        why="those that cannot are not carried over",
        look=schema.views,
        tasks=LOAD,
    ),
)
