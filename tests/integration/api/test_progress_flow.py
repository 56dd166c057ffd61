"""What is told of a job while real workers do it, are killed, and are limited: it is true whenever somebody looks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import huaweicloudsdkdrs.v3 as v3
import huaweicloudsdkdrs.v5 as v5
import pytest

from opendrs.model.speed import MEGABYTE
from opendrs.store import events, progress
from opendrs.store.database import open_store
from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.harness.service import Sdk, Service, eventually
from tests.integration.api.jobs import chosen, creation, endpoint

FOLLOWS = "INCRE_TRANSFER_STARTED"
ROWS = 4000


@dataclass
class Stage:
    """One job of a service whose workers die where `faults` says, each at the next place."""

    folder: Path
    source: FamilyServer
    target: Postgres
    database: str
    there: str
    faults: str = ""
    policy: dict[str, Any] = field(default_factory=dict)
    job: str = ""

    @contextmanager
    def open(self) -> Iterator[Sdk]:
        with Service(self.folder, environment={"OPENDRS_FAULT": self.faults}) as self.service:
            yield self.service.sdk()

    def ready(self, sdk: Sdk, **base: Any) -> str:
        ends = endpoint("so", self.source), endpoint("ta", self.target, database=self.there)
        self.job = str(sdk.call("create_job", body=creation("progress", *ends, **base)).id)
        sdk.until(self.job, "CONFIGURATION")
        sdk.update(self.job, "db_object", db_object=chosen(self.database))
        eventually(
            lambda: sdk.call("show_update_object_saving_status", job_id=self.job, query_id=self.job).status == "success"
        )
        if self.policy:
            sdk.update(self.job, "policy", policy_config=v5.PolicyConfig(**self.policy))
        query = sdk.act(self.job, "precheck", precheck_mode="forStartJob")
        found = eventually(
            lambda: (one := sdk.detail(self.job, "precheck", query_id=query).precheck_result).process == "100%" and one
        )
        assert found.total_passed_rate == "100%", [row for row in found.precheck_results if row.result == "FAILED"]
        return self.job

    def at_source(self, *statements: str) -> None:
        with self.source.connect(self.database) as connection, connection.cursor() as cursor:
            connection.autocommit(True)
            for statement in statements:
                cursor.execute(statement)

    def at_target(self, sql: str) -> list[tuple[Any, ...]]:
        return list(self.target.execute(sql, database=self.there))

    def workers(self) -> int:
        """How many workers there have been."""
        store = open_store(self.service.state)
        try:
            with store.read() as connection:
                found = events.after(connection, self.job, limit=events.KEPT)
        finally:
            store.close()
        return sum(saved.event.name == "worker.started" for saved in found)

    def rows(self, table: str) -> int:
        return int(self.at_target(f'SELECT count(*) FROM "{self.database}"."{table}"')[0][0])


Make = Callable[..., Stage]


@pytest.fixture
def stage(tmp_path: Path, mariadb: FamilyServer, postgres: Postgres, database: NewDatabase) -> Make:
    def make(**more: Any) -> Stage:
        return Stage(tmp_path, mariadb, postgres, database(mariadb), database(postgres), **more)

    return make


def shares(sdk: Sdk, job: str, kind: str) -> dict[str, int]:
    found = sdk.call("show_progress_data", job_id=job, type=kind, limit=1000)
    assert found.count == len(found.flow_compare_data)
    return {row.src_tb or row.src_db: row.progress for row in found.flow_compare_data}


# every object, whenever somebody looks

OBJECTS = (
    "CREATE TABLE orders (id INT PRIMARY KEY, v VARCHAR(100), w INT, KEY (v), UNIQUE (w))",
    f"INSERT INTO orders SELECT seq, REPEAT('x', 100), seq FROM seq_1_to_{ROWS}",
    "CREATE TABLE `lines` (id INT PRIMARY KEY, order_id INT, KEY (order_id), FOREIGN KEY (order_id) REFERENCES orders (id))",
    f"INSERT INTO `lines` SELECT seq, seq FROM seq_1_to_{ROWS}",
    "CREATE TABLE log (at INT, what VARCHAR(20))",  # no key, no index
    f"INSERT INTO log SELECT seq, 'something' FROM seq_1_to_{ROWS}",
    "CREATE TABLE empty (id INT PRIMARY KEY)",
    "CREATE VIEW dear AS SELECT id, w FROM orders WHERE w > 5",
    "CREATE VIEW odd AS SELECT id, SUBSTRING_INDEX(v, 'x', 2) AS part FROM orders",
    "CREATE PROCEDURE p() SELECT 1",
    "CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 1",
    "CREATE TRIGGER t BEFORE INSERT ON log FOR EACH ROW SET NEW.at = NEW.at",
    "CREATE EVENT e ON SCHEDULE EVERY 1 YEAR DO SET @a = 1",
)
DEATHS = "chunk.written,chunk.committed,table.finished,load.loaded,schema.constrained"


class Witness(threading.Thread):
    """Looks all the time, and holds what is told against the target. What is there stays there, so the target is asked
    behind the service."""

    def __init__(self, stage: Stage, sdk: Sdk) -> None:
        super().__init__(name="witness", daemon=True)
        self.stage, self.sdk = stage, sdk
        self.lies: list[str] = []
        self.told: dict[str, set[int]] = {}
        self.over = threading.Event()

    def run(self) -> None:
        try:
            while not self.over.wait(0.05):  # to leave the others something of the machine
                for kind in ("table", "table_indexs", "view", "table_structure", "database"):
                    self._look(kind)
        except BaseException as error:  # noqa: BLE001  the test must hear of it
            self.lies.append(f"{type(error).__name__}: {error}")

    def _look(self, kind: str) -> None:
        for name, share in shares(self.sdk, self.stage.job, kind).items():
            self.told.setdefault(kind, set()).add(share)
            if share == 100 and not self._there(kind, name):
                self.lies.append(f"{kind} {name} is told to be there")

    def _there(self, kind: str, name: str) -> bool:
        at, schema = self.stage.at_target, self.stage.database
        relation = f"""to_regclass('"{schema}"."{name}"')"""
        match kind:
            case "table":
                (loaded,) = at(f"SELECT loaded FROM _opendrs.tables WHERE source_table = '{name}'")[0]
                wanted = 0 if name == "empty" else ROWS
                return bool(loaded) and self.stage.rows(name) >= wanted and (name == "log" or self._indexes(name) > 0)
            case "table_indexs":
                return self._indexes(name) >= {"orders": 3, "lines": 2, "log": 0, "empty": 1}[name]
            case "view" | "table_structure":
                return at(f"SELECT {relation}")[0][0] is not None
            case _:
                return all(loaded for (loaded,) in at("SELECT loaded FROM _opendrs.tables"))

    def _indexes(self, name: str) -> int:
        where = f"schemaname = '{self.stage.database}' AND tablename = '{name}'"
        return int(self.stage.at_target(f"SELECT count(*) FROM pg_indexes WHERE {where}")[0][0])


def test_nothing_is_told_to_be_there_before_it_is(stage: Make) -> None:
    """While a worker dies at every place there is, one after the other."""
    here = stage(faults=DEATHS)
    here.at_source(*OBJECTS)
    with here.open() as sdk:
        job = here.ready(sdk)
        assert shares(sdk, job, "table") == {}
        witness = Witness(here, here.service.sdk())
        witness.start()
        try:
            sdk.act(job, "start")
            sdk.until(job, FOLLOWS)
            here.at_source("INSERT INTO orders VALUES (100001, 'new', 100001)")
            eventually(lambda: here.rows("orders") == ROWS + 1)
            eventually(lambda: here.workers() == len(DEATHS.split(",")) + 1)
            every = {"table": 4, "table_structure": 4, "table_indexs": 4}
            for kind, number in every.items():
                eventually(lambda kind=kind: set(found := shares(sdk, job, kind).values()) == {100} and found)
                assert len(shares(sdk, job, kind)) == number
        finally:
            witness.over.set()
            witness.join()
        assert witness.lies == []
        assert witness.told["table"] >= {100} and len(witness.told["table"]) > 1, "it was not looked at in the middle"
        assert shares(sdk, job, "view") == {"dear": 100, "odd": 0}, sdk.logs(job)
        assert shares(sdk, job, "database") == {here.database: 100}
        for kind in ("procedure", "function", "trigger", "event"):
            assert shares(sdk, job, kind) == {}
        overview = sdk.detail(job, "progress").migration_object_progress_info.migration_object_overview
        rows = {row.type: (row.src_count, row.dst_count, row.status) for row in overview}
        assert rows["VIEW"] == ("2", "1", "FAILED") and rows["TABLE_INDEX"] == ("4", "4", "COMPLETED")


def test_objects_that_come_and_go_while_it_follows(stage: Make) -> None:
    here = stage()
    here.at_source(*OBJECTS[:8])
    with here.open() as sdk:
        job = here.ready(sdk)
        sdk.act(job, "start")
        sdk.until(job, FOLLOWS)
        eventually(lambda: shares(sdk, job, "view") == {"dear": 100})
        here.at_source(
            "CREATE TABLE late (id INT PRIMARY KEY)",
            "CREATE VIEW later AS SELECT id FROM late",
            "CREATE OR REPLACE VIEW dear AS SELECT id FROM orders",
            "DROP TABLE log",
        )
        eventually(lambda: set(shares(sdk, job, "table")) == {"orders", "lines", "empty", "late"})
        eventually(lambda: shares(sdk, job, "view") == {"dear": 100, "later": 100})
        here.at_source("DROP VIEW later")
        eventually(lambda: shares(sdk, job, "view") == {"dear": 100})
        assert set(shares(sdk, job, "table").values()) == {100}


# how fast


def test_a_speed_limit_takes_effect_at_once_and_is_kept(stage: Make) -> None:
    """The load never reads more than is allowed, whatever the machine is worth; and without the limit it ends."""
    here = stage()
    here.at_source(
        "CREATE TABLE big (id INT PRIMARY KEY, v VARBINARY(2000))",
        "INSERT INTO big SELECT seq, REPEAT('x', 1900) FROM seq_1_to_20000",
    )
    with here.open() as sdk:
        job = here.ready(sdk)
        limit(sdk, job, 1)
        began = time.monotonic()
        sdk.act(job, "start")

        def read() -> int:
            """Bytes, as the worker has told; it was started no earlier than asked to."""
            return int(counters(here)["load"]["bytes"]) if counters(here) else 0

        batch = 3 * MEGABYTE  # of a lane, at most: two megabytes, and rows that are larger in memory
        for wanted in (1, 4 * MEGABYTE, 6 * MEGABYTE):
            found = eventually(lambda wanted=wanted: amount if (amount := read()) >= wanted else None)
            assert found <= (time.monotonic() - began) * MEGABYTE + 2 * batch
        assert 0 < shares(sdk, job, "table")["big"] < 100
        assert sdk.status(job) == "FULL_TRANSFER_STARTED"
        left = v3.BatchQueryProgressReq([job])
        (row,) = sdk.call("batch_list_progresses", version="v3", body=left).results
        assert int(row.remaining_time) > 0 and row.progress_map["data"].remaining_time == row.remaining_time
        worker = here.service.workers()[job].pid
        limit(sdk, job, None)
        sdk.until(job, FOLLOWS)
        assert here.service.workers()[job].pid == worker, "no restart was needed"
        assert here.rows("big") == 20000


def limit(sdk: Sdk, job: str, megabytes: int | None) -> None:
    windows = [] if megabytes is None else [v3.SpeedLimitInfo(begin="00:00", end="23:59", speed=str(megabytes))]
    body = v3.BatchLimitSpeedReq([v3.LimitSpeedReq(job_id=job, speed_limit=windows)])
    assert sdk.call("batch_set_speed", version="v3", body=body).results[0].status == "success"


def counters(stage: Stage) -> dict[str, Any]:
    store = open_store(stage.service.state)
    try:
        with store.read() as connection:
            saved = progress.load(connection, stage.job)
        return dict(saved.counters) if saved else {}
    finally:
        store.close()


# capture and apply


def test_capture_and_apply_are_where_the_servers_say(stage: Make) -> None:
    here = stage()
    here.at_source("CREATE TABLE t (id INT PRIMARY KEY)")
    with here.open() as sdk:
        job = here.ready(sdk)
        sdk.act(job, "start")
        sdk.until(job, FOLLOWS)

        def halves() -> dict[str, Any]:
            found = sdk.call("show_increment_components_detail", job_id=job).increment_components_list
            return {one.type: one for one in found}

        started = eventually(lambda: found if (found := halves())["apply"].start_point else None)
        here.at_source(*(f"INSERT INTO t VALUES ({n})" for n in range(20)))
        (file, offset, *_), *_ = here.source.execute("SHOW MASTER STATUS")
        end = f"{file}:{offset}"

        # Others write to this server as well, so it is passed and not only reached.
        def passed() -> dict[str, Any] | None:
            found = halves()
            return found if all(at(one) >= at_text(end) for one in found.values()) else None

        found = eventually(passed)
        assert at_text(started["capture"].start_point) <= at_text(started["apply"].current_point)
        for one in found.values():
            assert one.status == "STARTED" and one.resolution_time and int(one.delay) >= 0
            assert at_text(one.start_point) < at_text(one.current_point)
        assert here.rows("t") == 20, "what is told to be applied is there"
        sdk.act(job, "stop")
        sdk.until(job, "PAUSING")
        rested = halves()
        assert {one.status for one in rested.values()} == {"STOPPED"}
        here.at_source("INSERT INTO t VALUES (100)")
        assert at(halves()["apply"]) == at(rested["apply"])
        sdk.act(job, "restart")
        sdk.until(job, FOLLOWS)
        eventually(lambda: at(halves()["apply"]) > at(rested["apply"]) and here.rows("t") == 21)


def at(component: Any) -> tuple[int, int]:
    return at_text(component.current_point)


def at_text(point: str) -> tuple[int, int]:
    file, _, offset = point.rpartition(":")
    return int(file.rpartition(".")[2]), int(offset)


# statements


def ddls(sdk: Sdk, job: str, **query: Any) -> list[Any]:
    sdk.call("list_job_ddls", job_id=job, limit=1000, **query)
    found: list[Any] = sdk.seen[-1].json()["ddl_list"]
    return found


CHANGES = (
    "ALTER TABLE t ADD a INT",
    "ALTER TABLE t ADD INDEX i (a)",
    "CREATE TABLE u (id INT PRIMARY KEY)",
    "ALTER TABLE t MODIFY a BIGINT",
    "ALTER TABLE t DROP INDEX i",
    "CREATE TABLE made (id INT PRIMARY KEY) SELECT id FROM t",
    "DROP TABLE made",
    "ALTER TABLE t DROP a",
    "DROP TABLE u",
)


def test_every_statement_stands_in_the_list_once_whoever_is_killed(stage: Make) -> None:
    faults = (
        "schema.altered,window.flushed:6,schema.altered:2,checkpoint.saved:6,source.acknowledged:6,schema.altered:3,"
        "window.flushed:7,schema.altered:2"
    )
    here = stage(faults=faults, policy={"support_ddl_info": LEFT_OUT})
    here.at_source("CREATE TABLE t (id INT PRIMARY KEY)", "CREATE TABLE other (id INT PRIMARY KEY)")
    with here.open() as sdk:
        job = here.ready(sdk)
        sdk.act(job, "start")
        sdk.until(job, FOLLOWS)
        wanted = []
        for number, change in enumerate(CHANGES * 2):
            here.at_source(f"INSERT INTO t (id) VALUES ({number})", change)
            wanted.append(change)
        here.at_source("GRANT SELECT ON *.* TO CURRENT_USER()", "INSERT INTO t (id) VALUES (1000)")
        eventually(lambda: here.at_target(f'SELECT 1 FROM "{here.database}".t WHERE id = 1000'))

        def settled() -> list[Any] | None:
            rows = ddls(sdk, job)
            return None if any(row["outcome"] == "running" for row in rows) else rows

        found = eventually(settled)
        assert here.workers() >= 5, "it was too gentle"
        assert [squeezed(row["ddl_text"]) for row in found] == [logged(change) for change in wanted]
        assert [row["seqno"] for row in found] == list(range(1, len(wanted) + 1))
        for row, change in zip(found, wanted, strict=True):
            left = "INDEX" in change
            assert (row["outcome"], row["exe_result"], row["status"]) == (
                ("left_out", False, 1) if left else ("executed", True, 0)
            ), row
            assert row.get("reason") == (("drop_index" if "DROP" in change else "add_index") if left else None)
            assert abs(row["ddl_timestamp"] - row["record_time"]) < 600_000
        points = [at_text(row["checkpoint"]) for row in found if row["checkpoint"]]
        assert points == sorted(points) and len(points) >= len(wanted) - 2, "those inside a transaction have none"
        alarms = ddls(sdk, job, status=1)
        assert len(alarms) == 4
        for row in alarms:
            sdk.call("clean_alarms", job_id=job, alarm_id=str(row["seqno"]))
        assert ddls(sdk, job, status=1) == []


LEFT_OUT = '["CREATE_TABLE","ADD_COLUMN","MODIFY_COLUMN","CHANGE_COLUMN","RENAME_INDEX","DROP_COLUMN","DROP_TABLE","TRUNCATE_TABLE"]'


def squeezed(statement: str) -> str:
    """Of a statement that the server wrote itself, what it is about."""
    return (
        statement.split("(", maxsplit=1)[0].replace("`", "").strip()
        if statement.startswith("CREATE TABLE `made`")
        else statement
    )


def logged(change: str) -> str:
    """As MariaDB logs it."""
    if change.startswith("CREATE TABLE made"):
        return "CREATE TABLE made"
    return f"DROP TABLE `{change[11:]}` /* generated by server */" if change.startswith("DROP TABLE ") else change


def test_a_statement_that_fails_is_an_alarm_until_it_is_mended(stage: Make) -> None:
    here = stage()
    here.at_source("CREATE TABLE t (id INT PRIMARY KEY, v INT)", "INSERT INTO t VALUES (1, 1)")
    with here.open() as sdk:
        job = here.ready(sdk)
        sdk.act(job, "start")
        sdk.until(job, FOLLOWS)
        # Somebody else's view is in the way.
        here.at_target(f'CREATE SCHEMA others; CREATE VIEW others.v AS SELECT v FROM "{here.database}".t')
        here.at_source("ALTER TABLE t MODIFY v BIGINT")
        sdk.until(job, "INCRE_TRANSFER_FAILED")
        (row,) = ddls(sdk, job)
        assert (row["outcome"], row["exe_result"], row["status"]) == ("failed", False, 1)
        assert "v" in row["reason"] and row["ddl_text"] == "ALTER TABLE t MODIFY v BIGINT"
        body = v3.BatchQueryProgressReq([job])
        (of_job,) = sdk.call("batch_list_progresses", version="v3", body=body).results
        assert of_job.error_code and of_job.error_msg and of_job.transfer_status == "INCRE_TRANSFER_FAILED"
        sdk.call("clean_alarms", job_id=job, alarm_id="1")
        assert ddls(sdk, job)[0]["status"] == 0
        here.at_target("DROP SCHEMA others CASCADE")
        sdk.act(job, "restart")
        sdk.until(job, FOLLOWS)
        (row,) = eventually(lambda: found if (found := ddls(sdk, job))[0]["exe_result"] else None)
        assert (row["outcome"], row["status"], row["seqno"]) == ("executed", 0, 1) and "reason" not in row


# parameters that act


def test_parameters_act_from_the_next_start_on(stage: Make) -> None:
    here = stage()
    here.at_source(
        "SET sql_mode = ''",
        "CREATE TABLE t (id INT PRIMARY KEY, d DATE, v TEXT)",
        "INSERT INTO t SELECT seq, '2026-11-30', 'x' FROM seq_1_to_500",
    )
    with here.open() as sdk:
        job = here.ready(sdk)
        values = {"shard_length": "1000", "datamove_fetchsize": "10", "read_task_num": "3"}
        asked = [v5.ParameterInfo(name, value) for name, value in values.items()]
        sdk.call("update_job_configurations", job_id=job, body=v5.ModifyParameterReq(asked))
        query = sdk.act(job, "precheck", precheck_mode="forStartJob")
        eventually(lambda: sdk.detail(job, "precheck", query_id=query).precheck_result.process == "100%")
        sdk.act(job, "start")
        sdk.until(job, FOLLOWS)
        assert here.rows("t") == 500
        here.at_source("SET sql_mode = ''", "INSERT INTO t VALUES (501, '2026-02-30', CONCAT('a', CHAR(0), 'b'))")
        sdk.until(job, "INCRE_TRANSFER_FAILED")
        for name in ("replace_invalid_time", "replace_0x00"):
            body = v5.ModifyParameterReq([v5.ParameterInfo(name, "true")])
            sdk.call("update_job_configurations", job_id=job, body=body)
        sdk.act(job, "restart")
        sdk.until(job, FOLLOWS)
        found = eventually(lambda: here.at_target(f'SELECT d::text, v FROM "{here.database}".t WHERE id = 501'))
        assert found == [("1970-01-01", "a\u2400b")]
        worker = here.service.workers()[job].pid
        sdk.call(
            "update_job_configurations",
            job_id=job,
            body=v5.ModifyParameterReq([v5.ParameterInfo("read_task_num", "4")]),
        )
        # The service is killed, and finds the worker: which runs with what it was started with.
        here.service.kill()
        here.service.start()
        eventually(lambda: any("a worker is at it already" in line for line in sdk.logs(job)))
        assert sdk.status(job) == FOLLOWS and here.service.workers()[job].pid == worker
        rows = sdk.call("list_job_history_parameters", job_id=job, limit=100).parameter_history_config_list
        assert [(row.name, row.is_applied) for row in rows[:3]] == [
            ("read_task_num", False), ("replace_0x00", True), ("replace_invalid_time", True),
        ]  # fmt: skip
