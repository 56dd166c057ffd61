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
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from opendrs.errors import DrsError, Fault
from opendrs.model.action import Kind
from opendrs.model.catalog import TableName
from opendrs.model.checkpoint import Phase
from opendrs.model.comparison import TableProof
from opendrs.model.ddl_record import DdlRecord
from opendrs.model.dirty import DirtyRow
from opendrs.model.endpoint import Endpoint
from opendrs.model.failure import Failure
from opendrs.model.job import Job, Policy
from opendrs.model.lifecycle import State
from opendrs.model.selection import Selection
from opendrs.model.speed import SpeedWindow
from opendrs.store import (
    actions,
    checkpoints,
    commands,
    compare_keys,
    ddls,
    dirty,
    events,
    identity,
    jobs,
    leases,
    parameters,
    progress,
    proofs,
    speeds,
    tables,
)
from opendrs.store.database import Store, open_store
from opendrs.store.events import Event
from opendrs.store.jobs import Service
from opendrs.store.leases import Holder
from opendrs.store.progress import TableCounts, ViewCounts
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
    name=TableName("shop", "orders"), state="loaded", rows=1 << 40, nbytes=1 << 50, rows_estimate=9, bytes_estimate=99,
    scanned=1 << 40,
)  # fmt: skip
DIRTY = DirtyRow(
    key="position 3:1", table=TableName("shop", "orders"), op="update", kind="conflict", reason="the row is not there",
    statement="UPDATE shop.orders SET v = 'Ünïcødé' WHERE id = 1", resolved="ignored", at=AT,
)  # fmt: skip
DDL = DdlRecord(
    key="position 4", before='{"version": 1}', point="binlog.000003:4711", at=AT, outcome="left_out",
    statement="ALTER TABLE shop.orders DROP INDEX i", reason="drop_index",
)  # fmt: skip
VIEW = ViewCounts(name=TableName("shop", "newest"), made=False, reason="it does not translate")
WINDOW = SpeedWindow(begin=22, end=5, megabytes=9999, utc=False)


PROJECT = "0123456789abcdef0123456789abcdef"
SERVED = replace(JOB, id="01234567-89ab-cdef-0123-456789ajb20p")
SERVICE = Service(
    project_id=PROJECT, description="every night", job_type="sync", engine_type="mysql-to-pgl", job_direction="up",
    net_type="vpc", places=("source.example", "target.example"),
    facts={"base_info": {"expired_days": "14"}, "source_endpoint": {"db_type": "mysql"}},
)  # fmt: skip
TOKEN = "a token of then"
KEYS = {TableName("shop", "orders"): ("region", "number")}
RUNNER = Holder(owner="worker", pid=4712, started_at=1_795_000_000.5, host="there/1234abcd/pid:[1]")


def fill(store: Store) -> None:
    """A row in every table."""
    fill_service(store)
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
        dirty.save(connection, JOB.id, [DIRTY])
        ddls.note(connection, JOB.id, DDL)
        progress.save_views(connection, JOB.id, [VIEW])


def fill_service(store: Store) -> None:
    """What a service writes."""
    with store.write() as connection:
        row = {"id": PROJECT, "name": "default"}
        connection.execute(tables.projects.insert().values(**row))
        user = {"id": "0" * 31 + "1", "name": "admin", "domain": "default", "project_id": PROJECT}
        password = identity.hash_password("a password of then")
        connection.execute(tables.users.insert().values(**user, password=password))
        key = {"id": "ACCESSKEY", "user_id": user["id"], "sealed": "v1.sealed"}
        connection.execute(tables.access_keys.insert().values(**key))
        token = {"digest": identity.digest(TOKEN), "user_id": user["id"], "issued_at": AT}
        connection.execute(tables.tokens.insert().values(**token, expires_at=AT + timedelta(hours=24)))
        jobs.add(connection, SERVED, "Nightly-2", SERVICE)
        jobs.change(connection, SERVED.id, prechecked=True, state=State.PAUSED.value)
        jobs.seal_secret(connection, SERVED.id, "source_password", "v1.sealed")
        actions.ask(connection, SERVED.id, Kind.CREATE, "admin", revision=0, status="success")
        key_ = actions.ask(connection, SERVED.id, Kind.PRECHECK, "admin", revision=1, status="waiting")
        actions.take(connection, RUNNER)
        actions.finish(connection, key_, RUNNER, result={"passed": True, "findings": []})
        parameters.note(connection, SERVED.id, "admin", {"read_task_num": ("4", "6")})
        speeds.save(connection, SERVED.id, [WINDOW])
        compare_keys.replace(connection, SERVED.id, KEYS)


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
