"""What reads files of objects, when it is killed in the middle, when it finds a job that replicates already, and when there
is much to read."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import huaweicloudsdkdrs.v5 as v5
import psutil
import pytest

from opendrs.model.action import Kind
from opendrs.model.catalog import TableName
from opendrs.store import actions, jobs, progress
from opendrs.store.progress import TableCounts
from opendrs.worker.errands import filing
from opendrs.worker.runner import Runner
from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.harness.service import PASSWORD, PROJECT, USER, Sdk, Service, eventually
from tests.integration.api import workbooks
from tests.integration.api.jobs import creation, endpoint
from tests.integration.api.raw import MULTIPART
from tests.integration.api.ruling import Ruled, begin, content, scope
from tests.integration.api.workbooks import COLUMNS, TABLES, only, write
from tests.integration.api.world import RUNNER, World, open_world
from tests.unit.templates.making import inline, packed, parts

RUNNER_MODULE = "opendrs.worker.runner"


# in one process: the errands are done when the test says so


@dataclass
class Place:
    """A played service whose job has a real source."""

    world: World
    sdk: Sdk
    job: str
    database: str
    folder: Path

    def run(self) -> None:
        """Does what waits."""
        runner = Runner(place=self.world.attendant.place, me=RUNNER)
        while runner.once():
            pass

    def upload(self, *rows: Any, name: str = "a.xlsx", **query: Any) -> None:
        self.sdk.upload(self.job, write(self.folder / name, TABLES, *rows), **query)

    def row(self, *cells: object) -> list[object]:
        return [self.database, "", *cells]

    def status(self) -> Any:
        return self.sdk.call("show_db_object_template_progress", job_id=self.job)

    def told(self) -> list[str]:
        """What is wrong with each row of the last file."""
        archive = self.sdk.download("show_db_object_template_result", job_id=self.job, type="detail")
        return [row[6] if len(row) > 6 else "" for row in workbooks.rows(*only(archive))[1:]]

    def savings(self) -> list[Any]:
        with self.world.store.read() as connection:
            found, _ = actions.page(connection, self.job, limit=100, offset=0)
        return [action for action in found if action.kind is Kind.OBJECTS]

    def loaded(self, *tables: str) -> None:
        """These are replicated already."""
        rows = [
            TableCounts(
                name=TableName(self.database, table),
                state="loaded",
                rows=1,
                nbytes=1,
                rows_estimate=1,
                bytes_estimate=1,
            )
            for table in tables
        ]
        with self.world.store.write() as connection:
            progress.save_tables(connection, self.job, rows)


@pytest.fixture
def place(mariadb: FamilyServer, database: NewDatabase, tmp_path: Path) -> Iterator[Place]:
    name = database(mariadb)
    for table in ("orders", "lines", "seen"):
        mariadb.execute(f"CREATE TABLE `{name}`.`{table}` (id INT PRIMARY KEY, v VARCHAR(20))")
    (tmp_path / "world").mkdir()
    with open_world(tmp_path / "world") as world:
        sdk = world.sdk()
        job = str(sdk.call("create_job", body=creation("a-job", endpoint("so", mariadb))).id)
        world.step()
        yield Place(world, sdk, job, name, tmp_path)


def test_whoever_dies_behind_the_asking_is_followed_by_one_who_does_not_ask_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dead(BaseException):
        pass

    def die(*_: Any, **__: Any) -> None:
        raise Dead

    place.upload(place.row("orders"))
    with monkeypatch.context() as patch:
        patch.setattr(actions, "finish", die)
        with pytest.raises(Dead):
            place.run()
    (asked,) = place.savings()
    assert (place.status().process_status, asked.status) == ("pending", "waiting")
    with place.world.store.write() as connection:
        actions.let_go(connection, RUNNER)
    place.run()
    assert (place.status().process_status, place.status().parsed_success_number) == ("success", "1")
    assert [action.id for action in place.savings()] == [asked.id]


def test_a_job_that_begins_meanwhile(place: Place) -> None:
    place.upload(place.row("orders"))
    with place.world.store.write() as connection:
        jobs.change(connection, place.job, state="FULL_TRANSFER_STARTED")
    place.run()
    found = place.status()
    assert found.process_status == "failed" and not place.savings()
    assert place.sdk.seen[0].json()["error_code"] in ("DRS.M00304", "DRS.10050044")


def test_a_file_that_is_not_on_this_machine(place: Place) -> None:
    place.upload(place.row("orders"))
    (upload,) = place.world.attendant.place.folder_of(place.job).rglob("upload.xlsx")
    upload.unlink()
    place.run()
    assert place.status().process_status == "failed"
    assert "upload it again" in place.sdk.seen[0].json()["error_msg"]


def test_what_is_replicated_keeps_its_name_and_a_file_is_the_whole_list(place: Place) -> None:
    place.upload(place.row("orders", "", "store", "bought"), place.row("lines", "", "store"))
    place.run()
    assert place.status().process_status == "success"
    place.loaded("orders", "lines")
    assert place.sdk.refused("show_db_object_template_result", job_id=place.job, type="compare") == "DRS.10030008"
    rows = workbooks.rows(
        *only(place.sdk.download("show_db_object_template_result", job_id=place.job, type="synchronized"))
    )
    db = place.database
    assert rows == [list(TABLES), [db, "", "lines", "", "store", "lines"], [db, "", "orders", "", "store", "bought"]]
    place.upload(place.row("orders", "", "store", "orders"), place.row("seen"), name="b.xls")
    place.run()
    assert place.status().process_status == "failed"
    assert place.told() == ["it is replicated already, as store.bought, and keeps that name", ""]
    place.upload(place.row("orders"), place.row("seen"), name="c.xls")  # nothing is said of its name: it stays
    place.run()
    assert place.status().process_status == "success"
    with place.world.store.read() as connection:
        selection = jobs.selection_of(connection, place.job)
    assert selection.tables == {TableName(db, "orders"), TableName(db, "seen")}
    assert selection.target(TableName(db, "orders")) == TableName("store", "bought")
    name, content = only(place.sdk.download("show_db_object_template_result", job_id=place.job, type="change"))
    assert name == "change.xls"  # as the last file
    found = workbooks.rows(name, content)[1:]
    assert [(*row[:3], row[6]) for row in found] == [(db, "", "seen", "added"), (db, "", "lines", "removed")]


def test_a_list_that_a_replicated_table_goes_by_stays(place: Place, mariadb: FamilyServer) -> None:
    """A file of tables says nothing of rows: the job is edited by it although the list would be another one now."""
    db = place.database
    mariadb.execute(f"CREATE TABLE `{db}`.wanted (v VARCHAR(20))")
    place.upload(place.row("orders", "", "store", "bought"))
    place.run()
    rules = v5.DataProcessInfo(
        filter_conditions=content(f"v IN (SELECT v FROM {db}.wanted)"), db_object=scope(db, "orders")
    )
    place.sdk.call("update_data_progress", job_id=place.job, body=v5.DataProcessReq(data_process_info=[rules]))
    place.run()
    place.loaded("orders")
    begin(place.world, Ruled(place.sdk, place.job))
    mariadb.execute(f"INSERT INTO `{db}`.wanted VALUES ('x')")
    place.upload(place.row("orders", "", "store", "bought"), place.row("seen"), name="b.xlsx")
    place.run()
    assert place.status().process_status == "success", place.told()
    with place.world.store.read() as connection:
        chosen = jobs.chosen_of(connection, place.job)
    assert chosen.wants(TableName(db, "seen")) and chosen.rule(TableName(db, "orders")).filter == "FALSE"


def test_rows_that_were_read_are_told_while_it_goes_on(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[int] = []
    monkeypatch.setattr(filing, "NOTE_S", 0.0)
    monkeypatch.setattr(filing, "LOOK_ROWS", 1)
    real = filing.Filed.note
    monkeypatch.setattr(filing.Filed, "note", lambda self, rows: (noted.append(rows), real(self, rows))[1])
    place.upload(place.row("orders"), place.row("nowhere"), place.row("lines"))
    place.run()
    assert noted == [1, 1, 2, 2]  # rows that are good so far; and what it came to


# processes that are killed


def runners(service: Service) -> list[psutil.Process]:
    """The processes that do errands."""
    found = []
    for process in psutil.Process(service.pid).children(recursive=True):
        try:
            if RUNNER_MODULE in process.cmdline():
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_a_process_that_is_killed_in_the_middle_of_a_file(
    service: Service, mariadb: FamilyServer, database: NewDatabase, tmp_path: Path
) -> None:
    name, sdk = database(mariadb), service.sdk()
    tables, width = 24, 500
    columns = ", ".join(f"c{number} INT" for number in range(1, width))
    for table in range(tables):
        mariadb.execute(f"CREATE TABLE `{name}`.t{table} (c0 INT PRIMARY KEY, {columns})")
    job = str(sdk.call("create_job", body=creation("killed", endpoint("so", mariadb))).id)
    sdk.until(job, "CONFIGURATION")

    def over(kind: str | None) -> Any:
        found = sdk.call("show_db_object_template_progress", job_id=job, type=kind)
        return None if found.process_status == "pending" else found

    sdk.upload(job, write(tmp_path / "tables.xlsx", TABLES, *([name, "", f"t{table}"] for table in range(tables))))
    assert eventually(lambda: over(None)).process_status == "success"
    many = [[name, "", f"t{table}", "", "", "", f"c{n}", f"d{n}"] for table in range(tables) for n in range(width)]
    sheet = "".join(inline(*row, number=number) for number, row in enumerate([COLUMNS, *many], 1))
    path = packed(tmp_path / "columns.xlsx", parts(sheet))
    sdk.upload(job, path, file_import_db_level="column")

    def reads() -> bool:
        found = sdk.call("show_db_object_template_progress", job_id=job, type="column")
        return found.process_status == "pending" and 0 < int(found.parsed_success_number) < tables * width

    eventually(reads)
    for process in runners(service):
        process.kill()
    found = eventually(lambda: over("column"))
    assert (found.process_status, found.parsed_success_number) == ("success", str(tables * width))
    history = sdk.call("show_timeline", job_id=job, x_language="en-us", limit=100).timelines
    assert [row.name for row in history] == [
        "update_db_object",
        "import_column",
        "update_db_object",
        "import_db_object",
        "create",
    ]
    assert {row.status for row in history} == {"success"}
    sdk.call("list_db_objects", job_id=job, type="modified")
    tree = sdk.seen[0].json()["object_info"][name]["tables"]
    assert tree["t7"]["columns"]["c3"]["name"] == "d3" and len(tree) == tables


def test_a_service_that_is_killed_while_a_file_comes_in(service: Service, tmp_path: Path) -> None:
    sdk = service.sdk()
    job = str(sdk.call("create_job", body=creation("cut-short")).id)
    sdk.until(job, "CONFIGURATION")
    proof = {"methods": ["password"], "password": {"user": {"name": USER, "password": PASSWORD}}}
    token = httpx.post(f"{service.url}/v3/auth/tokens", json={"auth": {"identity": proof}}).headers["X-Subject-Token"]
    head = (
        f"POST /v5/{PROJECT}/jobs/{job}/db-object/template HTTP/1.1\r\nHost: here\r\nX-Auth-Token: {token}\r\n"
        f"Content-Type: {MULTIPART}\r\nContent-Length: 1000000\r\n\r\n"
    )
    uploads = service.folder / "data" / "uploads"
    with socket.create_connection(("127.0.0.1", service.port)) as connection:
        connection.sendall(head.encode() + b"x" * 100_000)
        eventually(lambda: uploads.exists() and list(uploads.iterdir()))
        service.kill()
    assert list(uploads.iterdir())
    service.start()
    assert not list(uploads.iterdir())
    assert not (service.folder / "data" / "jobs" / job / "imports").exists()


# from the file to the rows


def test_a_job_from_a_file_to_its_end(
    service: Service, mariadb: FamilyServer, postgres: Postgres, database: NewDatabase, tmp_path: Path
) -> None:
    source, target, sdk = database(mariadb), database(postgres), service.sdk()
    mariadb.execute(f"CREATE TABLE `{source}`.t (id INT PRIMARY KEY, v VARCHAR(20), w INT)")
    mariadb.execute(f"INSERT INTO `{source}`.t VALUES (1, 'one', 11), (2, 'two', 22)")
    mariadb.execute(f"CREATE TABLE `{source}`.other (id INT PRIMARY KEY)")
    job = str(
        sdk.call(
            "create_job", body=creation("imported", endpoint("so", mariadb), endpoint("ta", postgres, database=target))
        ).id
    )
    sdk.until(job, "CONFIGURATION")

    def imported(path: Path, kind: str | None = None, **query: Any) -> str:
        sdk.upload(job, path, **query)

        def over() -> Any:
            found = sdk.call("show_db_object_template_progress", job_id=job, type=kind)
            return None if found.process_status == "pending" else found.process_status

        return str(eventually(over))

    assert imported(write(tmp_path / "a.xls", TABLES, [source, "", "t", "", "store", "kept"])) == "success"
    rows = [source, "", "t", "", "", "", "v", "text"], [source, "", "t", "", "", "", "w", "", "no"]
    assert imported(write(tmp_path / "b.xlsx", COLUMNS, *rows), "column", file_import_db_level="column") == "success"
    query = sdk.act(job, "precheck", precheck_mode="forStartJob")
    result = eventually(
        lambda: (found := sdk.detail(job, "precheck", query_id=query).precheck_result).process == "100%" and found
    )
    assert result.total_passed_rate == "100%", [r for r in result.precheck_results if r.result == "FAILED"]
    sdk.act(job, "start")
    sdk.until(job, "INCRE_TRANSFER_STARTED")
    assert postgres.execute("SELECT id, text FROM store.kept ORDER BY 1", database=target) == [(1, "one"), (2, "two")]
    found = workbooks.rows(*only(sdk.download("show_db_object_template_result", job_id=job, type="synchronized")))
    assert found[1:] == [[source, "", "t", "", "store", "kept"]]
    assert workbooks.rows(*only(sdk.download("show_db_object_template_result", job_id=job, type="change")))[1:] == []
    page = sdk.call("show_object_mapping", job_id=job, body={}).object_mapping_list
    assert [(row.target_table_name, row.has_column_info) for row in page] == [("kept", True)]
    # Edited while it follows: the whole list again, and what is there keeps its name.
    assert imported(write(tmp_path / "c.xlsx", TABLES, [source, "", "t", "", "store", "t"])) == "failed"
    _, (*_, told) = workbooks.rows(*only(sdk.download("show_db_object_template_result", job_id=job, type="detail")))
    assert told == "it is replicated already, as store.kept, and keeps that name"
    again = write(tmp_path / "d.xlsx", TABLES, [source, "", "t"], [source, "", "other", "", "store"])
    assert imported(again) == "success"
    found = workbooks.rows(*only(sdk.download("show_db_object_template_result", job_id=job, type="change")))
    assert found[1:] == [[source, "", "other", "", "store", "other", "added"]]
    sdk.act(job, "terminate")
    sdk.until(job, "RELEASE_RESOURCE_COMPLETE")
    assert not (service.folder / "data" / "jobs" / job).exists()
    assert sdk.refused("show_db_object_template_result", job_id=job, type="detail") == "DRS.10030008"
