"""What a user asked for."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, Self, get_args

from opendrs.model.endpoint import Endpoint
from opendrs.model.publishing import Publishing
from opendrs.model.rules import Dml, TableRule, carried_dml
from opendrs.model.selection import Selection
from opendrs.model.start import StartPosition

Task = Literal["full", "full+incremental", "incremental"]
ApplyMode = Literal["transactional", "merged"]
InvalidDates = Literal["stop", "null", "epoch", "minus_infinity"]
NulInText = Literal["stop", "remove", "replace"]
IndexPolicy = Literal["all", "unique"]
DdlPolicy = Literal["carry", "refuse"]
ConflictPolicy = Literal["stop", "ignore", "overwrite"]
Topology = Literal["one2one", "one2many", "many2one"]
# Schema changes that can be left out without leaving the target unfit for the rows that come after them. (A
# column that is not there, or not widened, or a name that does not change, would stop the job at the next row.)
SkippableDdl = Literal["drop_database", "drop_table", "truncate_table", "drop_column", "add_index", "drop_index"]
SKIPPABLE: Final[tuple[SkippableDdl, ...]] = get_args(SkippableDdl)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How a job works. Persisted as JSON: names are for ever.

    apply           transactional: source transactions stay whole and in order. merged: windows of
                    transactions become one final image a key
    readers         lanes of the load
    consistent      the load shows one moment, by a short lock at the source
    invalid_dates   what becomes of dates no calendar has: stop, null, epoch or minus_infinity
    nul_in_text     what becomes of NUL characters in text: stop, remove or replace (by U+2400)
    skipped_ddl     kinds of schema changes that are not carried over
    ddl             carry: schema changes are carried over, but for skipped_ddl. refuse: none is; one without which
                    the target is unfit for the rows behind it stops the job
    indexes         all, or unique: of the indexes only primary and unique keys are made
    conflict        what becomes of a change that finds the target otherwise than it presupposes, once the load is
                    caught up with: stop is an error, ignore leaves the target's rows, with overwrite the source's win
    dml             which changes of rows are carried over from the log, of tables of which the selection says nothing
                    else: some of the letters of iud
    topology        many2one: several tables may arrive as one, although nothing tells their rows apart but their keys
    server_id       our id as a replica of the source; 0: made from the job's id
    spool_bytes     most that the log may take on disk while it waits
    batch_rows      rows that a lane of the load reads at a time, at most
    batch_bytes     the same in bytes; one row more may be read
    chunk_rows      rows between two keys that are read and made durable together, about
    publishing      how changes are published; for Kafka only
    start           where in the log a job without a load begins; None: where it ends at that time
    """

    apply: ApplyMode = "transactional"
    readers: int = 2
    consistent: bool = False
    invalid_dates: InvalidDates = "stop"
    nul_in_text: NulInText = "stop"
    skipped_ddl: tuple[SkippableDdl, ...] = ()
    ddl: DdlPolicy = "carry"
    indexes: IndexPolicy = "all"
    conflict: ConflictPolicy = "stop"
    dml: str = "iud"
    topology: Topology = "one2one"
    server_id: int = 0
    spool_bytes: int = 10 << 30
    batch_rows: int = 16_384
    batch_bytes: int = 2 << 20
    chunk_rows: int = 200_000
    publishing: Publishing = field(default_factory=Publishing)
    start: StartPosition | None = None

    def carries(self, rule: TableRule) -> frozenset[Dml]:
        """Which changes of a table's rows are carried over: what is said of the table itself counts first."""
        return carried_dml(rule, self.dml)

    def to_json(self) -> dict[str, Any]:
        return {"version": 7, **asdict(self), "skipped_ddl": list(self.skipped_ddl)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Version 1 is of a time before `ddl` and `indexes`, version 2 before `publishing`, version 3 before
        `topology`, version 4 before `start`, version 5 before the sizes of what a load reads,
        version 6 before `conflict` and `dml`: what they stand for by default was all there was."""
        facts = dict(data)
        if (version := facts.pop("version")) not in (1, 2, 3, 4, 5, 6, 7):
            raise ValueError(f"a policy of version {version} is not understood")
        publishing = Publishing.from_json(facts.pop("publishing", {}))
        start = facts.pop("start", None)
        return cls(
            **{**facts, "skipped_ddl": tuple(facts["skipped_ddl"]), "publishing": publishing},
            start=None if start is None else StartPosition.from_json(start),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Two endpoints, what to move between them, and how."""

    id: str
    source: Endpoint
    target: Endpoint
    task: Task
    selection: Selection = field(default_factory=Selection)
    policy: Policy = field(default_factory=Policy)

    @property
    def replica_id(self) -> int:
        """Our id among the replicas of the source."""
        return replica_id(self.policy, self.id)


def replica_id(policy: Policy, job: str) -> int:
    """Our id among the replicas of the source: the policy's, else a number that no other is likely to have,
    32 bits made from the job's id."""
    return policy.server_id or int(job[:8], 16) % 0xFFFF_0000 + 0x1_0000


def job_id(source: Endpoint, target: Endpoint, selection: Selection, name: str = "") -> str:
    """The same command names the same job: its id is made from both sides, the selection and the name."""
    facts = [source.where, target.where, selection.to_json(), name]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]
