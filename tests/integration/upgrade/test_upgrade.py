"""Every schema that was ever released, with rows in it, becomes today's, and loses nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, select, text

from opendrs.model.action import Kind
from opendrs.model.checkpoint import Phase
from opendrs.model.lifecycle import Intent, State
from opendrs.store import (
    actions,
    checkpoints,
    commands,
    compare_keys,
    database,
    ddls,
    dirty,
    events,
    identity,
    jobs,
    leases,
    migrating,
    parameters,
    progress,
    proofs,
    speeds,
)
from opendrs.store.database import Store, open_store
from opendrs.store.tables import REVISION, metadata
from tests.harness.server import USER
from tests.integration.state_fixtures import store, url
from tests.integration.upgrade import dump

__all__ = ["store", "url"]

RELEASED = sorted(path.name for path in dump.FOLDER.iterdir() if (path / "sqlite.sql").exists())


@pytest.fixture(params=RELEASED)
def released(request: pytest.FixtureRequest, url: str, tmp_path: Path) -> Iterator[Store]:
    """A store of an earlier release, opened by this one."""
    folder = dump.FOLDER / request.param
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(tmp_path / "state.db")) as connection:
            connection.executescript((folder / "sqlite.sql").read_text())
    else:
        server = request.getfixturevalue("postgres")
        with server.connect(url.rpartition("/")[2], user=USER) as connection:
            connection.execute((folder / "postgresql.sql").read_text())
    opened = open_store(url)
    yield opened
    opened.close()


def test_there_is_a_dump_of_every_revision() -> None:
    assert migrating.revisions() == RELEASED, "python -m tests.integration.upgrade.dump writes that of the newest"


def test_every_row_is_still_there(released: Store) -> None:
    with released.write() as connection:
        job = jobs.find(connection, "nightly")
        assert job is not None
        assert (job.id, job.task, job.selection, job.policy) == (
            dump.JOB.id, dump.JOB.task, dump.JOB.selection, dump.JOB.policy,
        )  # fmt: skip
        assert (job.source, job.target) == (str(dump.JOB.source), str(dump.JOB.target))
        assert (job.state, job.failure) == (State.INCREMENTAL_FAILED, dump.FAILURE)
        lease = leases.current(connection, job.id)
        assert lease is not None and (lease.epoch, lease.holder) == (5, dump.HOLDER)
        assert lease.outcome is not None and lease.outcome["exit"] == "FAILED"
        assert leases.claim(connection, job.id, dump.HOLDER, {}) == 6
        saved = checkpoints.load(connection, job.id)
        assert saved is not None and (saved.phase, saved.position) == (Phase.FOLLOWING, '{"version": 1}')
        told = progress.load(connection, job.id)
        assert told is not None and told.counters["metrics"] == {"apply_latency": None}
        assert progress.tables(connection, job.id) == [dump.COUNTS]
        assert commands.take(connection, job.id) == ["proof"]
        (event,) = events.after(connection, job.id)
        assert (event.event.name, event.event.at, event.event.fields) == ("network.lost", dump.AT, {"n": 1})
        assert proofs.load(connection, job.id) == [dump.PROOF]
        assert (job.intent, job.revision, job.project_id) == (Intent.REST, 0, None)
        events.append(connection, job.id, [event.event])  # numbering goes on
        assert len(events.after(connection, job.id, event.id)) == 1


def test_what_the_service_has_written_is_still_there(released: Store) -> None:
    """Since 0002."""
    with released.read() as connection:
        head = jobs.head(connection, dump.PROJECT, dump.SERVED.id)
        if head is None:
            assert not [record for record in jobs.every(connection) if record.project_id]
            pytest.skip("there was no service then")
        assert (head.name, head.state, head.intent, head.revision) == ("Nightly-2", State.PAUSED, Intent.REST, 1)
        assert (head.engine_type, head.facts) == ("mysql-to-pgl", dump.SERVICE.facts)
        assert jobs.sealed_secrets(connection, head.id) == {"source_password": "v1.sealed"}
        found, total = actions.page(connection, head.id, limit=10, offset=0)
        assert total == 2 and {action.kind for action in found} == {Kind.CREATE, Kind.PRECHECK}
        checked = actions.latest(connection, head.id, Kind.PRECHECK)
        assert checked is not None and checked.result == {"passed": True, "findings": []}
        login = identity.find_login(connection, "admin")
        assert login is not None and identity.matches(login, "a password of then")
        assert identity.caller_of_token(connection, dump.TOKEN, dump.AT) is not None
        key = identity.key(connection, "ACCESSKEY")
        assert key is not None and key[1].project_id == dump.PROJECT


def test_what_needs_attention_is_still_there(released: Store) -> None:
    """Since 0003; what is older has none of it."""
    with released.write() as connection:
        found, total = dirty.page(connection, dump.JOB.id, "incremental", limit=10, offset=0)
        if not found:
            assert (total, dirty.counts(connection, dump.JOB.id)) == (0, {})
            assert ddls.page(connection, dump.JOB.id, limit=10, offset=0) == ([], 0)
            assert progress.page_views(connection, dump.JOB.id, limit=10, offset=0) == ([], 0)
            assert speeds.load(connection, dump.SERVED.id) == ()
            return
        assert [replace(saved.row, key=dump.DIRTY.key) for saved in found] == [dump.DIRTY]
        assert dirty.counts(connection, dump.JOB.id) == {("incremental", "ignored"): 1}
        assert dirty.save(connection, dump.JOB.id, [dump.DIRTY]) == 0, "the same row once more"
        ((statement,), _) = ddls.page(connection, dump.JOB.id, limit=10, offset=0)
        assert (statement.seqno, statement.statement, statement.at) == (1, dump.DDL.statement, dump.AT)
        assert statement.alarm and not statement.durable and statement.reason == "drop_index"
        ddls.note(connection, dump.JOB.id, dump.DDL)  # met once more
        assert ddls.page(connection, dump.JOB.id, limit=10, offset=0)[1] == 1
        assert progress.page_views(connection, dump.JOB.id, limit=10, offset=0) == ([dump.VIEW], 1)
        assert speeds.load(connection, dump.SERVED.id) == (dump.WINDOW,)
        assert parameters.waiting(connection, dump.SERVED.id) == {"read_task_num": "6"}
        parameters.apply(connection, dump.SERVED.id)
        assert jobs.policy_of(connection, dump.SERVED.id).readers == 6


def test_keys_for_comparison_are_still_there(released: Store, request: pytest.FixtureRequest) -> None:
    """Since 0004."""
    there = request.node.callspec.params["released"] >= "0004"
    with released.read() as connection:
        assert compare_keys.load(connection, dump.SERVED.id) == (dump.KEYS if there else {})


def test_the_schema_becomes_today_s(released: Store) -> None:
    assert _differences(released) == []


def test_a_new_store_is_what_the_code_expects(store: Store) -> None:
    assert _differences(store) == []


def test_a_new_store_and_an_upgraded_one_are_the_same(released: Store, tmp_path: Path) -> None:
    if released.engine.dialect.name != "sqlite":
        pytest.skip("one database is enough: the other's schema is compared with the models")
    new = open_store(f"sqlite:///{tmp_path / 'new.db'}")
    found = []
    for one in (released, new):
        with one.read() as connection:
            found.append(_shape(connection))
    new.close()
    assert found[0] == found[1]


def _shape(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Columns in their order, indexes and references of every table, as SQLite itself tells them: a column that was
    added stands elsewhere in the text of the definition."""

    def told(pragma: str, name: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in connection.execute(text(f"PRAGMA {pragma}('{name}')"))]

    tables = connection.execute(
        text("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    )
    shape = {}
    for table in sorted(row.name for row in tables):
        indexes = sorted(row[1:] for row in told("index_list", table))
        parts = [(index[0], *part) for index in indexes for part in told("index_xinfo", index[0])]
        shape[table] = [*told("table_xinfo", table), *told("foreign_key_list", table), *indexes, *parts]
    return shape


def test_a_new_store_that_fails_on_the_way_is_none(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def create(connection: Connection) -> None:
        real(connection)
        raise RuntimeError("the power fails")

    real = database._create
    monkeypatch.setattr(database, "_create", create)
    with pytest.raises(RuntimeError):
        open_store(url)
    monkeypatch.setattr(database, "_create", real)
    opened = open_store(url)
    with opened.read() as connection:
        assert connection.execute(select(metadata.tables["jobs"])).all() == []
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == REVISION
    opened.close()


def _differences(opened: Store) -> list[Any]:
    with opened.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        found = list(compare_metadata(context, metadata))
        names = inspect(connection).get_table_names()
    assert set(names) == {*metadata.tables, "alembic_version"}
    return found
