"""Writes the golden dumps of a schema: `python -m tests.integration.upgrade.dump`, once for each release.

The rows in it are those of `fill`, written by that release's own code; the dump is then never changed. A later
release must still open it, and find the rows (`test_upgrade`).
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import TableName
from opendrs.model.checkpoint import Phase
from opendrs.model.comparison import TableProof
from opendrs.model.endpoint import Endpoint
from opendrs.model.failure import Failure
from opendrs.model.job import Job, Policy
from opendrs.model.lifecycle import State
from opendrs.model.selection import Selection
from opendrs.store import checkpoints, commands, events, jobs, leases, progress, proofs
from opendrs.store.database import Store, open_store
from opendrs.store.events import Event
from opendrs.store.leases import Holder
from opendrs.store.progress import TableCounts
from opendrs.store.tables import REVISION
from tests.harness.postgres import Postgres

FOLDER = Path(__file__).parent
AT = datetime(2026, 11, 23, 12, 30, 45, 678901, tzinfo=UTC)
JOB = Job(
    id="0123456789abcdef0123456789abcdef",
    source=Endpoint.parse("mysql://anna@source.example/shop"),
    target=Endpoint.parse("postgresql://ben@target.example/ware?tls=disable"),
    task="full+incremental",
    selection=Selection(patterns=("shop.*", "logs.a?"), schemas={"shop": "store"}),
    policy=Policy(apply="merged", readers=4, invalid_dates="null", skipped_ddl=("drop_table",), server_id=77),
)
HOLDER = Holder(owner="worker", pid=4711, started_at=1_795_000_000.25, host="there/1234abcd/pid:[1]")
FAILURE = Failure.of(DrsError(Fault.LOG_PURGED, position="binlog.000003:4", reason="it was purged — “Ünïcødé”"))
PROOF = TableProof(
    name=TableName("shop", "orders"), verdict="equal", source_rows=3, target_rows=3, source_checksum="ab" * 16,
    target_checksum="ab" * 16, position='{"version": 1}', seconds=1.25, taken_at=AT,
)  # fmt: skip
COUNTS = TableCounts(
    name=TableName("shop", "orders"), state="loaded", rows=1 << 40, nbytes=1 << 50, rows_estimate=9, bytes_estimate=99
)


def fill(store: Store) -> None:
    """A row in every table."""
    with store.write() as connection:
        jobs.create(connection, JOB, name="nightly")
        leases.claim(connection, JOB.id, HOLDER, {"version": 1, "task": "full+incremental"}, above=4)
        leases.finish(connection, JOB.id, 5, {"version": 1, "exit": "FAILED", "phase": "following", "newer": 0})
        jobs.enter(connection, JOB.id, State.INCREMENTAL_FAILED, epoch=5, failure=FAILURE)
        checkpoints.save(connection, JOB.id, epoch=5, phase=Phase.FOLLOWING, position='{"version": 1}')
        progress.save(connection, JOB.id, {"version": 1, "metrics": {"apply_latency": None}})
        progress.save_tables(connection, JOB.id, [COUNTS])
        commands.ask(connection, JOB.id, "proof")
        events.append(connection, JOB.id, [Event(name="network.lost", message="gone", fields={"n": 1}, at=AT)])
        proofs.save(connection, JOB.id, [PROOF])


def dump_sqlite(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return "\n".join(connection.iterdump()) + "\n"


def dump_postgres(server: Postgres, database: str) -> str:
    """Plain SQL, without what psql alone understands."""
    done = subprocess.run(
        [server.programs.path("pg_dump"), "--inserts", "--no-owner", "--no-privileges", server.url(database)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "LC_ALL": "C"},
    )
    unwanted = ("--", "\\", "SET ", "SELECT pg_catalog.set_config")
    lines = [line for line in done.stdout.splitlines() if line and not line.startswith(unwanted)]
    return "\n".join(lines) + "\n"


def main() -> None:
    folder = FOLDER / REVISION
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "state.db"
        store = open_store(f"sqlite:///{path}")
        fill(store)
        store.close()
        (folder / "sqlite.sql").write_text(dump_sqlite(path))
    with Postgres(15) as server:
        server.create_database("state")
        store = open_store(server.url("state"))
        fill(store)
        store.close()
        (folder / "postgresql.sql").write_text(dump_postgres(server, "state"))


if __name__ == "__main__":
    main()
