"""The binary log that decoding, applying and publishing are measured on.

    LARGE    500,000 row changes in 3 transactions a table: an update, an insert and a delete of many rows
    SINGLE   500,000 transactions of one row change: inserts, updates and deletes on all tables by turns

Half the changes are updates, a quarter each inserts and deletes. Decoding and applying have both tables in it,
publishing has W2 alone.

Each has a binary log file and a database of its own (`cdc_large`, `cdc_single`), whose tables begin as copies of W1's
and W2's first rows: a job that follows one is not touched by what comes behind it in the log. What the tables hold
at the beginning is kept as files, so that a target can be put into that state.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from benchmarks.workloads import SOURCE_DATABASE, WORKLOADS, Digest, Workload, source_digest
from tests.harness import Server

VERSION: Final = 2
LARGE: Final = "large"
SINGLE: Final = "single"
NAMES: Final = (LARGE, SINGLE)
CHANGES: Final = 500_000  # of each workload, at scale 1
FIRST_NEW: Final = 10_000_000  # key of the first row that SINGLE inserts
STEPS: Final = 4  # row changes on each table in one turn of SINGLE
LARGE_TRANSACTIONS: Final = 3  # on each table
# What an update of LARGE changes.
ASSIGNMENTS: Final = {
    "w1": "l_quantity = l_quantity + 1, l_comment = CONCAT('+', LEFT(l_comment, 43))",
    "w2": "k = k + 1",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPosition:
    """A place in the binary log: file and offset, and the GTIDs of everything before it."""

    file: str
    offset: int
    gtid: str

    def reached_by(self, file: str, offset: int) -> bool:
        return (_number(file), offset) >= (_number(self.file), self.offset)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLog:
    """One workload in the log.

    start, end     of the changes, in one file
    before, after  what the tables hold, by name
    """

    name: str
    start: LogPosition
    end: LogPosition
    changes: int
    transactions: int
    before: dict[str, Digest]
    after: dict[str, Digest]

    @property
    def database(self) -> str:
        return database_of(self.name)

    @property
    def bytes(self) -> int:
        """Of the log."""
        return self.end.offset - self.start.offset

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Self:
        states = {
            side: {table: Digest(**digest) for table, digest in facts[side].items()} for side in ("before", "after")
        }
        return cls(**{**facts, **states, "start": LogPosition(**facts["start"]), "end": LogPosition(**facts["end"])})


def _number(file: str) -> int:
    return int(file.rpartition(".")[2])


def database_of(name: str) -> str:
    return f"cdc_{name}"


def state_file(folder: Path, log: str, workload: Workload) -> Path:
    """What a table holds before the workload, as text for COPY and LOAD DATA."""
    return folder / f"{log}-{workload.name}.tsv"


def make(server: Server, scale: float, folder: Path, workloads: Sequence[Workload] = WORKLOADS) -> list[ChangeLog]:
    """Runs LARGE and SINGLE at the source, which has `bench` filled. `folder` takes the states as files."""
    changes = max(int(CHANGES * scale) // 16 * 16, 16)
    turns = changes // (STEPS * len(workloads))
    before = {name: _make_tables(server, database_of(name), changes, workloads) for name in NAMES}
    for name in NAMES:
        _keep(server, name, folder, workloads)
    server.execute(_single(turns, workloads), database=database_of(SINGLE))
    logs = []
    for name, transactions in ((LARGE, LARGE_TRANSACTIONS * len(workloads)), (SINGLE, changes)):
        start = _begin_file(server)
        if name == LARGE:
            _large(server, changes, workloads)
        else:
            server.execute("CALL single()", database=database_of(SINGLE))
        end = _position(server)
        if start.file != end.file:
            raise ValueError(f"{name} fills more than one file: {start.file} to {end.file}")
        logs.append(
            ChangeLog(
                name=name,
                start=start,
                end=end,
                changes=changes,
                transactions=transactions,
                before=before[name],
                after=_digests(server, database_of(name), workloads),
            )
        )
    _begin_file(server)
    return logs


def _make_tables(server: Server, database: str, rows: int, workloads: Sequence[Workload]) -> dict[str, Digest]:
    server.execute(f"CREATE DATABASE {database} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
    for workload in workloads:
        server.execute(f"{workload.definition(workload.name)} ENGINE=InnoDB", database=database)
        whole, order = f"{SOURCE_DATABASE}.{workload.name}", ", ".join(workload.key)
        copy = f"INSERT INTO {workload.name} SELECT * FROM {whole} ORDER BY {order} LIMIT {rows}"
        server.execute(f"SET sql_log_bin = 0; {copy}", database=database)
    return _digests(server, database, workloads)


def _digests(server: Server, database: str, workloads: Sequence[Workload]) -> dict[str, Digest]:
    return {workload.name: source_digest(server, workload, database) for workload in workloads}


def _keep(server: Server, name: str, folder: Path, workloads: Sequence[Workload]) -> None:
    for workload in workloads:
        path = state_file(folder, name, workload)
        path.unlink(missing_ok=True)  # the server does not write over a file
        text = f"SELECT * FROM {workload.name} ORDER BY {', '.join(workload.key)}"
        server.execute(f"{text} INTO OUTFILE '{path}' CHARACTER SET utf8mb4", database=database_of(name))


def _begin_file(server: Server) -> LogPosition:
    """Begins a new file of the log; returns its first position."""
    server.execute("FLUSH BINARY LOGS")
    return _position(server)


def _position(server: Server) -> LogPosition:
    """Where the log ends. Exact, since nobody else writes."""
    file, offset, *_ = server.execute("SHOW MASTER STATUS")[0]
    gtid = server.execute("SELECT @@global.gtid_binlog_pos")[0][0]
    return LogPosition(file=file, offset=offset, gtid=gtid)


def _large(server: Server, changes: int, workloads: Sequence[Workload]) -> None:
    """Of the changes on each table half are updates, and there are as many inserts as deletes."""
    updates, rest = changes // (2 * len(workloads)), changes // (4 * len(workloads))
    statements = []
    for workload in workloads:
        table, order = workload.name, ", ".join(workload.key)
        whole = f"{SOURCE_DATABASE}.{table}"
        statements += [
            f"UPDATE {table} SET {ASSIGNMENTS[table]} ORDER BY {order} LIMIT {updates}",
            f"INSERT INTO {table} SELECT * FROM {whole} ORDER BY {order} LIMIT {rest} OFFSET {changes}",
            f"DELETE FROM {table} ORDER BY {order} LIMIT {rest}",
        ]
    with server.connect(database_of(LARGE)) as connection, connection.cursor() as cursor:
        done: int = sum(cursor.execute(statement) for statement in statements)
    if done != changes:
        raise ValueError(f"LARGE made {done} row changes, not {changes}")


def _single(turns: int, workloads: Sequence[Workload]) -> str:
    """A procedure whose statements are transactions of their own. One turn: what is born is changed; an old row of
    W2 is changed and dies; a row of W1 is born, changed twice and dies."""
    old = turns + 1
    steps = {
        "w2": f"""
                INSERT INTO w2 VALUES ({FIRST_NEW} + i, i, REPEAT('new-row-of-w2-', 8), REPEAT('padding-', 7));
                UPDATE w2 SET k = k + 1 WHERE id = {old} + i;
                UPDATE w2 SET k = k + 2 WHERE id = {FIRST_NEW} + i;
                DELETE FROM w2 WHERE id = {old} + i;""",
        "w1": f"""
                INSERT INTO w1 VALUES ({FIRST_NEW} + i, i, 7, 1, 3, 4711.08, 0.04, 0.01, 'A', 'F', '1997-03-01',
                    '1997-03-20', '1997-04-02', 'NONE', 'TRUCK', 'a row that lives shortly');
                UPDATE w1 SET l_tax = l_tax + 0.01 WHERE l_orderkey = {FIRST_NEW} + i AND l_linenumber = 1;
                UPDATE w1 SET l_quantity = l_quantity + 1 WHERE l_orderkey = {FIRST_NEW} + i AND l_linenumber = 1;
                DELETE FROM w1 WHERE l_orderkey = {FIRST_NEW} + i AND l_linenumber = 1;""",
    }
    chosen = [steps[name] for name in ("w2", "w1") if name in {workload.name for workload in workloads}]
    return f"""
        CREATE PROCEDURE single()
        BEGIN
            DECLARE i INT DEFAULT 0;
            WHILE i < {turns} DO{"".join(chosen)}
                SET i = i + 1;
            END WHILE;
        END"""


def save(logs: list[ChangeLog], path: Path) -> None:
    path.write_text(json.dumps([log.to_json() for log in logs], indent=1))


def load(path: Path) -> dict[str, ChangeLog]:
    found = [ChangeLog.from_json(facts) for facts in json.loads(path.read_text())]
    return {log.name: log for log in found}
