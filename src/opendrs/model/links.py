"""What can be replicated into what: one row a flow, in the published words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from opendrs.model.endpoint import EngineName
from opendrs.model.job import Task

# Published words for what a job moves.
TASKS: Final[dict[str, Task]] = {
    "FULL_TRANS": "full",
    "FULL_INCR_TRANS": "full+incremental",
    "INCR_TRANS": "incremental",
}
TASK_WORDS: Final[dict[Task, str]] = {task: word for word, task in TASKS.items()}
DIRECTIONS: Final = ("up", "down", "non-dbs")
NETWORKS: Final = ("eip", "vpc", "vpn")
JOB_TYPES: Final = ("migration", "sync", "cloudDataGuard")
# The first character of the suffix of a job's id.
JOB_TYPE_DIGITS: Final = {"migration": "1", "sync": "2", "cloudDataGuard": "5"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A flow.

    engine_type   published spelling; `aliases` are understood as well
    code          two characters of the ids of its jobs
    job_types     published kinds of jobs that can have it
    source_types, target_types   spellings of `db_type` that an endpoint may have
    files         objects are imported from workbooks, or from JSON
    """

    engine_type: str
    aliases: tuple[str, ...] = ()
    code: str
    description: str
    source: EngineName
    target: EngineName
    job_types: tuple[str, ...]
    tasks: tuple[Task, ...]
    source_types: tuple[str, ...]
    target_types: tuple[str, ...]
    files: Literal["excel", "json"] = "excel"


LINKS: Final = (
    Link(
        engine_type="mysql-to-pgl",
        aliases=("mysql-to-postgresql", "mariadb-to-postgresql"),
        code="0p",
        description="MySQL or MariaDB to PostgreSQL",
        source="mysql",
        target="postgresql",
        job_types=("sync",),
        tasks=("full", "full+incremental", "incremental"),
        source_types=("mysql", "mariadb"),
        target_types=("postgresql", "postgres", "pgl"),
    ),
    Link(
        engine_type="mysql-to-kafka",
        aliases=("mariadb-to-kafka",),
        code="0k",
        description="MySQL or MariaDB to Kafka",
        source="mysql",
        target="kafka",
        job_types=("sync",),
        tasks=("full", "full+incremental", "incremental"),
        source_types=("mysql", "mariadb"),
        target_types=("kafka",),
        files="json",
    ),
    Link(
        engine_type="taurus-to-kafka",
        code="0t",
        description="GaussDB(for MySQL) to Kafka",
        source="mysql",
        target="kafka",
        job_types=("sync",),
        tasks=("full", "full+incremental", "incremental"),
        source_types=("taurus", "mysql"),
        target_types=("kafka",),
        files="json",
    ),
)
PAIRS: Final = frozenset((link.source, link.target) for link in LINKS)


def link_of(engine_type: str) -> Link | None:
    """The flow of that spelling; None: there is none."""
    word = engine_type.lower()
    return next((link for link in LINKS if word == link.engine_type or word in link.aliases), None)
