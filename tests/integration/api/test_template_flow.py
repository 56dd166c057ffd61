"""Objects, columns and keys from files, through the official SDK, on a real service and a real source."""

from __future__ import annotations

import itertools
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from opendrs.model.catalog import TableName
from opendrs.store import compare_keys, jobs
from opendrs.store.database import open_store
from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.service import Sdk, Service, eventually
from tests.integration.api import workbooks
from tests.integration.api.jobs import creation, endpoint
from tests.integration.api.workbooks import COLUMNS, DATABASES, KEYS, TABLES, only, write

NUMBERS = itertools.count(1)


@dataclass
class Place:
    """A service, a source with some tables, and a folder for files."""

    service: Service
    sdk: Sdk
    source: FamilyServer
    database: str
    folder: Path

    def job(self, **base: Any) -> str:
        body = creation(f"job-{next(NUMBERS)}", endpoint("so", self.source), **base)
        made = str(self.sdk.call("create_job", body=body).id)
        self.sdk.until(made, "CONFIGURATION")
        return made

    def kafka_job(self) -> str:
        end = {"db_type": "kafka", "endpoint_type": "offline", "endpoint_role": "ta",
               "endpoint": {"endpoint_name": "kafka", "ip": "127.0.0.1:1", "db_user": "", "db_password": ""}}  # fmt: skip
        body = creation(f"job-{next(NUMBERS)}", endpoint("so", self.source), engine_type="mysql-to-kafka").to_dict()
        body["job"]["target_endpoint"] = [end]
        made = str(self.sdk.call("create_job", body=body).id)
        self.sdk.until(made, "CONFIGURATION")
        return made

    def imported(self, job: str, path: Path, *, kind: str | None = None, **query: Any) -> Any:
        """Uploads, and waits until it is over."""
        told = self.sdk.upload(job, path, **query)
        assert (told.send_success, told.process_status, told.parsed_success_number) == (True, "pending", "0")
        return self.over(job, kind)

    def over(self, job: str, kind: str | None = None) -> Any:
        def look() -> Any:
            found = self.sdk.call("show_db_object_template_progress", job_id=job, type=kind)
            return found if found.process_status != "pending" else None

        return eventually(look)

    def result(self, job: str, kind: str, **more: Any) -> tuple[str, bytes]:
        return only(self.sdk.download("show_db_object_template_result", job_id=job, type=kind, **more))

    def rows(self, job: str, kind: str, **more: Any) -> list[list[str]]:
        return workbooks.rows(*self.result(job, kind, **more))

    def chosen(self, job: str) -> dict[str, Any]:
        self.sdk.call("list_db_objects", job_id=job, type="modified")
        found = self.sdk.seen[0].json().get("object_info") or {}
        return {
            database: {
                "name": facts["name"],
                "all": facts.get("all"),
                "tables": {name: table for name, table in (facts.get("tables") or {}).items()},
            }
            for database, facts in found.items()
        }

    def row(self, *cells: object) -> list[object]:
        """A row of a table of the source's database."""
        return [self.database, "", *cells]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("service")) as service:
        yield service


@pytest.fixture
def place(running: Service, mariadb: FamilyServer, database: NewDatabase, tmp_path: Path) -> Place:
    name = database(mariadb)
    mariadb.execute(f"CREATE TABLE `{name}`.orders (id INT PRIMARY KEY, customer VARCHAR(20) NOT NULL, note TEXT,"
                    " price FLOAT, UNIQUE KEY by_customer (customer), KEY by_price (price))")  # fmt: skip
    mariadb.execute(f"CREATE TABLE `{name}`.`lines` (id INT PRIMARY KEY, v VARCHAR(20))")
    mariadb.execute(f"CREATE VIEW `{name}`.seen AS SELECT id FROM `{name}`.`lines`")
    return Place(running, running.sdk(), mariadb, name, tmp_path)


@pytest.mark.parametrize("ending", ["xlsx", "xls"])
def test_tables(place: Place, ending: str) -> None:
    job = place.job()
    archive = workbooks.unpacked(place.sdk.download("download_db_object_template", job_id=job))
    assert set(archive) == {"import-table.xlsx", "import-table.xls"}
    assert workbooks.rows(f".{ending}", archive[f"import-table.{ending}"]) == [list(TABLES)]
    path = write(
        place.folder / f"my tables (1).{ending}", TABLES, place.row("orders"), place.row("lines"), place.row("seen")
    )
    found = place.imported(job, path)
    assert (found.process_status, found.parsed_success_number) == ("success", "3"), found
    tree = place.chosen(job)[place.database]
    assert {name: table["type"] for name, table in tree["tables"].items()} == {
        "orders": "table", "lines": "table", "seen": "view",
    }  # fmt: skip
    assert place.result(job, "detail") == (path.name, path.read_bytes())
    facts = place.sdk.call("show_support_object_type", job_id=job)
    assert (facts.previous_select, facts.import_level, facts.is_import_cloumn) == ("srcImportObject", "table", False)
    page = place.sdk.call("show_object_mapping", job_id=job, body={"table_name": "ORD"})
    assert page.count == 1 and page.object_mapping_list[0].source_table_name == "orders"


@pytest.mark.parametrize("ending", ["xlsx", "xls"])
def test_nothing_is_taken_unless_all_is_good(place: Place, ending: str) -> None:
    job = place.job()
    path = write(
        place.folder / f"mixed.{ending}", TABLES, place.row("orders"), place.row("nowhere"),
        place.row("Orders"), place.row("lines", "", "", 'a"b'), place.row("orders"), ["nodb", "", "t"],
    )  # fmt: skip
    found = place.imported(job, path)
    assert (found.process_status, found.parsed_success_number) == ("failed", "1"), found
    assert place.chosen(job) == {}
    titles, *rows = place.rows(job, "detail")
    assert titles == [*TABLES, "Error"]
    told = {row[2]: row[6] if len(row) > 6 else "" for row in rows[:4]}
    db = place.database
    assert told == {
        "orders": "",
        "nowhere": f"the source has no table {db}.nowhere",
        "Orders": f"the source has no table {db}.Orders (it has orders)",
        "lines": 'Target table: " is not allowed in names of such a file',
    }
    assert rows[4][6] == "row 2 names the same" and rows[5][6] == "the source has no database nodb"
    # What is annotated can be mended, and sent again as it is.
    name, content = place.result(job, "detail")
    again = place.folder / name
    again.write_bytes(content)
    assert place.imported(job, again).process_status == "failed"
    assert place.rows(job, "detail")[0] == [*TABLES, "Error"]
    mended = write(
        place.folder / f"mended.{ending}", [*TABLES, "Error"], [*rows[0][:6], "", "", "", "", "it was wrong"]
    )
    assert place.imported(job, mended).process_status == "success"
    assert list(place.chosen(job)[db]["tables"]) == ["orders"]
    assert place.sdk.call("show_timeline", job_id=job, x_language="en-us").timelines[0].name == "update_db_object"


def test_databases(place: Place) -> None:
    job = place.job()
    path = write(place.folder / "all.xlsx", DATABASES, [place.database, "", "store"])
    found = place.imported(job, path, file_import_db_level="database")
    assert found.process_status == "success", found
    assert place.chosen(job) == {place.database: {"name": "store", "all": True, "tables": {}}}
    assert place.sdk.call("show_support_object_type", job_id=job).import_level == "database"
    (row,) = place.sdk.call("show_object_mapping", job_id=job, body={}).object_mapping_list
    assert (row.object_name, row.target_schema_name, row.target_db_name) == (place.database, "store", "postgres")


def test_json_for_kafka(place: Place) -> None:
    job = place.kafka_job()
    name, content = only(place.sdk.download("download_db_object_template", job_id=job))
    assert name == "import-table.json"
    template = json.loads(content)
    tables = {"orders": {"name": "orders-topic", "type": "table"}, "lines": {"name": "lines", "type": "table"}}
    objects = {
        "object_scope": "table",
        "object_info": {place.database: {"name": place.database, "all": False, "tables": tables}},
    }
    template["job"]["params"]["db_object"] = objects
    for ending, text in (("json", json.dumps(template)), ("txt", "\ufeff" + json.dumps(objects))):
        path = place.folder / f"objects.{ending}"
        path.write_text(text)
        found = place.imported(job, path, file_import_mapping_type="topic_mapping")
        assert (found.process_status, found.parsed_success_number) == ("success", "2"), found
        assert place.result(job, "detail") == (path.name, path.read_bytes())
    assert place.chosen(job)[place.database]["tables"]["orders"]["name"] == "orders-topic"
    objects["object_info"][place.database]["tables"] |= {"nowhere": {"name": "nowhere"}, "odd": {"name": "no topic!"}}
    path.write_text(json.dumps(template))
    found = place.imported(job, path)
    assert (found.process_status, found.parsed_success_number) == ("failed", "3")
    name, content = place.result(job, "detail")
    told = {row["object"]: row["reason"] for row in json.loads(content)["error"]}
    assert list(told) == [f"{place.database}.odd"] and "no topic" in told[f"{place.database}.odd"]
    path.write_bytes(content)  # it can be sent again as it is
    assert place.imported(job, path).process_status == "failed"


def test_other_names(place: Place) -> None:
    job, db = place.job(), place.database
    path = write(
        place.folder / "a.xlsx", TABLES, place.row("orders", "", "store", "bought"), place.row("lines", "", "other"),
    )  # fmt: skip
    found = place.imported(job, path, file_import_mapping_type="table_mapping")
    assert (found.process_status, found.parsed_success_number) == ("failed", "1")
    assert place.rows(job, "detail")[2][6] == "its name at the target is missing, and the file is one with other names"
    assert place.imported(job, path).process_status == "success"
    page = place.sdk.call("show_object_mapping", job_id=job, body={}).object_mapping_list
    assert [(row.source_table_name, row.target_schema_name, row.target_table_name) for row in page] == [
        ("lines", "other", "lines"), ("orders", "store", "bought"),
    ]  # fmt: skip
    old = write(
        place.folder / "old.xls", ["Source object", "Target object"], [f"{db}.orders", "store.bought"], [f"{db}.lines"]
    )
    assert place.imported(job, old).process_status == "success"
    assert place.chosen(job)[db]["tables"]["orders"]["db_alias_name"] == "store"
    bare = write(place.folder / "bare.xlsx", [f"{db}.orders", "store.bought"], [f"{db}.lines", "store.lines"])
    assert place.imported(job, bare, file_import_mapping_type="table_mapping").process_status == "success"
    assert place.chosen(job)[db]["name"] == "store"


def test_what_cannot_be_saved_is_told_beside_its_row(place: Place) -> None:
    """Whatever the saving of objects itself finds wrong: here two tables that cannot arrive as one."""
    job = place.job()
    path = write(place.folder / "a.xlsx", TABLES, place.row("orders", "", "", "one"), place.row("lines", "", "", "one"))
    found = place.imported(job, path)
    assert found.process_status == "failed", found
    rows = place.rows(job, "detail")
    assert any(len(row) > 6 and row[6] for row in rows[1:]), rows
    assert place.chosen(job) == {}


@pytest.mark.parametrize("ending", ["xlsx", "xls"])
def test_columns(place: Place, ending: str) -> None:
    job, db = place.job(), place.database
    tables = write(
        place.folder / f"tables.{ending}", TABLES, place.row("orders", "", "store"), place.row("lines", "", "store")
    )
    columns = write(
        place.folder / f"columns.{ending}", COLUMNS,
        place.row("orders", "", "", "", "note", "", "no"), place.row("orders", "", "", "", "customer", "client", "yes"),
        place.row("lines", "", "store", "lines", "", "since", "", "create_time", "datetime"),
    )  # fmt: skip
    found = place.imported(job, columns, kind="column", file_import_db_level="column")
    assert (found.process_status, found.parsed_success_number) == ("failed", "0")
    assert place.imported(job, tables).process_status == "success"
    found = place.imported(job, columns, kind="column", file_import_db_level="column")
    assert (found.process_status, found.parsed_success_number) == ("success", "3"), found
    tree = place.chosen(job)[db]["tables"]
    assert tree["orders"]["columns"]["note"]["filtered"] is False
    assert tree["orders"]["columns"]["customer"]["name"] == "client" and "id" not in tree["orders"]["columns"]
    assert tree["lines"]["all"] is True and tree["lines"]["columns"]["since"]["additional"]
    with open_store(place.service.state).read() as connection:
        rules = jobs.selection_of(connection, job).rules
    assert rules[TableName(db, "orders")].columns == {"note": None, "customer": "client"}
    assert [extra.name for extra in rules[TableName(db, "lines")].extras] == ["since"]
    facts = place.sdk.call("show_support_object_type", job_id=job)
    assert facts.is_import_cloumn and facts.previous_select == "srcImportObject"
    assert place.result(job, "detail", file_export_object_level="column") == (columns.name, columns.read_bytes())
    assert place.result(job, "detail")[0] == tables.name
    assert place.sdk.call("show_object_mapping", job_id=job, body={"has_column_info": True}).count == 2

    wrong = write(
        place.folder / f"wrong.{ending}", COLUMNS, place.row("orders", "", "", "", "nothing"),
        place.row("orders", "", "", "", "id", "", "no"), place.row("lines", "", "", "", "v", "w"),
    )  # fmt: skip
    found = place.imported(job, wrong, kind="column", file_import_db_level="column")
    assert (found.process_status, found.parsed_success_number) == ("failed", "2")
    rows = place.rows(job, "detail", file_export_object_level="column")
    assert [row[12] if len(row) > 12 else "" for row in rows[1:]] == [f"{db}.orders has no column nothing", "", ""]
    wrong = write(place.folder / f"key.{ending}", COLUMNS, place.row("orders", "", "", "", "id", "", "no"))
    found = place.imported(job, wrong, kind="column", file_import_db_level="column")
    assert found.process_status == "failed"  # a column of the key, which the saving itself refuses
    assert place.rows(job, "detail", file_export_object_level="column")[1][12]
    assert place.chosen(job)[db]["tables"]["orders"]["columns"]["customer"]["name"] == "client"


@pytest.mark.parametrize("ending", ["xlsx", "xls"])
def test_keys(place: Place, ending: str) -> None:
    job, db = place.job(), place.database
    tables = write(place.folder / "tables.xlsx", TABLES, place.row("orders"), place.row("lines"))
    assert place.imported(job, tables).process_status == "success"
    good = write(place.folder / f"keys.{ending}", KEYS, place.row("orders", "customer"), place.row("lines", "id"))
    found = place.imported(job, good, file_import_db_level="compare_key")
    assert (found.process_status, found.parsed_success_number) == ("success", "2"), found
    assert place.result(job, "compare_key_detail") == (good.name, good.read_bytes())
    assert place.rows(job, "compare") == [list(KEYS), [db, "", "lines", "id"], [db, "", "orders", "customer"]]
    with open_store(place.service.state).read() as connection:
        assert compare_keys.load(connection, job) == {
            TableName(db, "lines"): ("id",), TableName(db, "orders"): ("customer",),
        }  # fmt: skip
    assert place.sdk.call("show_support_object_type", job_id=job).is_import_unique_key
    bad = write(
        place.folder / f"bad.{ending}", KEYS, place.row("orders", "price"), place.row("lines", "v"),
        place.row("seen", "id"), place.row("orders", "id"),
    )  # fmt: skip
    found = place.imported(job, bad, file_import_db_level="compare_key")
    assert (found.process_status, found.parsed_success_number) == ("failed", "1"), found
    rows = place.rows(job, "compare_key_detail")
    assert [row[4] if len(row) > 4 else "" for row in rows] == [
        "Error",
        "price is a float: such values cannot be compared as keys",
        f"v is no primary key and no unique index without NULLs of {db}.lines: there are id",
        f"{db}.seen is not replicated by this job",
        "",
    ]
    assert len(place.rows(job, "compare")) == 3  # what was taken before stays


def test_files_that_are_broken_behind_a_good_head(place: Place) -> None:
    job = place.job()
    for name, content, why in (
        ("a.xlsx", b"PK\3\4" + b"\0" * 100, "it is no ZIP"),
        ("b.xls", bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600, "it is no workbook"),
    ):
        path = place.folder / name
        path.write_bytes(content)
        assert place.imported(job, path).process_status == "failed"
        assert why in place.sdk.seen[0].json()["error_msg"] and name in place.sdk.seen[0].json()["error_msg"]
        assert place.sdk.refused("show_db_object_template_result", job_id=job, type="detail") == "DRS.10030008"
        assert why in place.sdk.seen[0].json()["error_msg"]
    for rows in ([["nothing", "of", "the", "kind"]], [TABLES]):
        assert place.imported(job, write(place.folder / "c.xlsx", *rows)).process_status == "failed"
        assert "c.xlsx" in place.sdk.seen[0].json()["error_msg"]


def test_a_source_that_cannot_be_reached(place: Place) -> None:
    body = creation(f"job-{next(NUMBERS)}")  # nobody is there
    job = str(place.sdk.call("create_job", body=body).id)
    place.sdk.until(job, "CONFIGURATION")
    assert place.imported(job, write(place.folder / "a.xlsx", TABLES, place.row("orders"))).process_status == "failed"
    assert place.sdk.seen[0].json()["error_code"] == "DRS.10050001"


def test_json_in_a_zip_and_of_databases(place: Place) -> None:
    job, db = place.kafka_job(), place.database
    objects = {"object_scope": "database", "object_info": {db: {"name": "a-topic", "all": True}}}
    path = place.folder / "objects.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("inner.json", json.dumps(objects))
    found = place.imported(job, path, file_import_db_level="database")
    assert (found.process_status, found.parsed_success_number) == ("success", "1"), found
    assert place.result(job, "detail") == ("inner.json", json.dumps(objects).encode())
    assert place.chosen(job)[db]["name"] == "a-topic"
    objects["object_info"] = {db: {"all": False, "tables": {"orders": {"name": "orders"}}}, "none": {"all": True}}  # type: ignore[dict-item]
    objects["object_scope"] = "table"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("inner.json", json.dumps(objects))
    assert place.imported(job, path, file_import_db_level="database").process_status == "failed"
    name, content = place.result(job, "detail")
    told = {row["object"]: row["reason"] for row in json.loads(content)["error"]}
    assert name == "inner.json" and told == {"none": "the source does not have the database"}
    del objects["object_info"]["none"]  # type: ignore[attr-defined]
    one = place.folder / "one.json"
    one.write_text(json.dumps(objects))
    assert place.imported(job, one, file_import_db_level="database").process_status == "failed"
    assert "send it with the level table" in place.result(job, "detail")[1].decode()
    objects["object_info"][db]["tables"]["orders"]["name"] = "renamed"  # type: ignore[index]
    one.write_text(json.dumps(objects))
    assert place.imported(job, one, file_import_mapping_type="table_mapping").process_status == "failed"
    assert "that of a topic" in place.result(job, "detail")[1].decode()
    assert place.imported(job, one, file_import_mapping_type="topic_mapping").process_status == "success"


def test_columns_and_filters_in_json(place: Place) -> None:
    job, db = place.kafka_job(), place.database
    table = {
        "name": "orders", "type": "table", "all": False, "filtered": True, "filter_conditions": ["id > 5"],
        "columns": {"note": {"name": "note", "filtered": False}},
    }  # fmt: skip
    objects: dict[str, Any] = {
        "object_scope": "table",
        "object_info": {db: {"name": db, "all": False, "tables": {"orders": table}}},
    }
    path = place.folder / "columns.json"
    path.write_text(json.dumps(objects))
    found = place.imported(job, path, kind="column", file_import_db_level="column")
    assert (found.process_status, found.parsed_success_number) == ("success", "1"), found
    with open_store(place.service.state).read() as connection:
        rule = jobs.selection_of(connection, job).rules[TableName(db, "orders")]
    assert (rule.filter, rule.columns) == ("id > 5", {"note": None})
    table["filter_conditions"] = ["sleep(1) > nowhere"]
    path.write_text(json.dumps(objects))
    assert place.imported(job, path, kind="column", file_import_db_level="column").process_status == "failed"
    (wrong,) = json.loads(place.result(job, "detail", file_export_object_level="column")[1])["error"]
    assert wrong["object"] == f"{db}.orders" and wrong["reason"]
