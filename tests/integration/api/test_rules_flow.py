"""Jobs whose tables are chosen, filtered and renamed by operations of the API alone, on real servers: the target is
what SQL makes of the source, after the load and after changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import huaweicloudsdkdrs.v3 as v3
import huaweicloudsdkdrs.v5 as v5
import pytest

from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.harness.service import Service, eventually
from tests.integration.api.ruling import (
    Ruled,
    column,
    common,
    content,
    content_v3,
    general,
    ruled,
    scope,
    select_v3,
    table_id,
    transform_v3,
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("rules")) as service:
        yield service


def made(source: FamilyServer, database: NewDatabase) -> str:
    name = database(source)
    source.execute(
        f"CREATE TABLE `{name}`.customers (id INT PRIMARY KEY, region VARCHAR(10), secret VARCHAR(20));"
        f"CREATE TABLE `{name}`.orders (id INT PRIMARY KEY, customer INT, amount DECIMAL(10,2), note VARCHAR(40));"
        f"CREATE TABLE `{name}`.lines_1 (id INT PRIMARY KEY, v VARCHAR(10));"
        f"CREATE TABLE `{name}`.lines_2 (id INT PRIMARY KEY, v VARCHAR(10));"
        f"INSERT INTO `{name}`.customers VALUES (1, 'EU', 'a'), (2, 'US', 'b'), (3, 'EU', 'c');"
        f"INSERT INTO `{name}`.orders VALUES (1, 1, 10, 'x'), (2, 2, 20, 'y'), (3, 3, 30, 'z'), (4, 1, 1, 'w');"
        f"INSERT INTO `{name}`.lines_1 VALUES (1, 'one'), (2, 'two'); INSERT INTO `{name}`.lines_2 VALUES (1, 'ONE')"
    )
    return name


CHANGES = (
    "INSERT INTO `{0}`.customers VALUES (4, 'EU', 'd'), (5, 'US', 'e')",
    "UPDATE `{0}`.customers SET region = 'US' WHERE id = 3",
    "UPDATE `{0}`.customers SET region = 'EU' WHERE id = 2",
    "INSERT INTO `{0}`.orders VALUES (5, 3, 50, 'v'), (6, 2, 60, 'u')",
    "UPDATE `{0}`.orders SET amount = 100 WHERE id = 4",
    "UPDATE `{0}`.orders SET amount = 2 WHERE id = 1",
    "DELETE FROM `{0}`.orders WHERE id = 3",
    "INSERT INTO `{0}`.lines_1 VALUES (3, 'three')",
    "INSERT INTO `{0}`.lines_2 VALUES (2, 'TWO'), (3, 'THREE')",
    "DELETE FROM `{0}`.lines_2 WHERE id = 1",
)


def rows(server: Any, sql: str, **more: Any) -> list[tuple[Any, ...]]:
    return sorted((tuple(row) for row in server.execute(sql, **more)), key=repr)


def test_rules_by_the_operations_of_version_5(
    service: Service, mariadb: FamilyServer, postgres: Postgres, database: NewDatabase
) -> None:
    source, there = made(mariadb, database), database(postgres)
    job = ruled(service.sdk(), "processed", mariadb, postgres, source, there)
    assert job.rules() == [] and job.modified()["object_info"] == {source: {"name": source, "all": True}}
    region = "region = 'EU'"
    assert job.check(v5.DataProcessInfo(db_object=scope(source, "customers"), filter_conditions=content(region))) == {
        f"{source}.customers": ""
    }
    subquery = f"customer IN (SELECT id FROM {source}.customers WHERE {region}) AND amount >= 10"
    job.process(
        v5.DataProcessInfo(
            db_object=scope(source, customers=v5.TableObject(name="clients", db_alias_name="crm")),
            filter_conditions=content(region),
            db_object_column_info=v5.DbObjectColumnInfo(
                db_name=source, table_name="customers",
                column_infos=[column("region", "area"), column("secret", left_out=True), column("id")],
            ),
        ),
        v5.DataProcessInfo(db_object=scope(source, "orders"), filter_conditions=content(subquery), dml_operation="iu"),
    )  # fmt: skip
    by_table = {next(iter(info.db_object.object_info[source].tables)): info for info in job.rules()}
    assert set(by_table) == {"customers", "orders"}
    assert by_table["orders"].filter_conditions[0].value == subquery and by_table["orders"].dml_operation == "i,u"
    job.start()
    for statement in CHANGES:
        mariadb.execute(statement.format(source))

    def clients() -> list[tuple[Any, ...]]:
        return rows(postgres, "SELECT id, area FROM crm.clients", database=there)

    eventually(lambda: clients() == rows(mariadb, f"SELECT id, region FROM `{source}`.customers WHERE {region}"))
    # Of customers 1 and 3, as it was when the rule was saved. The deletion of order 3 is not taken over; the update of
    # order 1 is, which makes it cease to match.
    orders = f'SELECT id, customer, amount::int FROM "{source}".orders'
    wanted = [(3, 3, 30), (4, 1, 100), (5, 3, 50)]
    eventually(
        lambda: rows(postgres, orders, database=there) == wanted,
        why=lambda: str(rows(postgres, orders, database=there)),
    )
    columns = rows(
        postgres, "SELECT column_name FROM information_schema.columns WHERE table_name = 'clients'", database=there
    )
    assert columns == [("area",), ("id",)]


def test_several_tables_arrive_as_one_with_a_column_that_tells_them_apart(
    service: Service, mariadb: FamilyServer, postgres: Postgres, database: NewDatabase
) -> None:
    source, there = made(mariadb, database), database(postgres)
    job = ruled(service.sdk(), "many-to-one", mariadb, postgres, source, there)
    one = {"lines_1": v5.TableObject(name="all_lines"), "lines_2": v5.TableObject(name="all_lines")}
    told = job.process_fails(v5.DataProcessInfo(db_object=scope(source, **one), process_rule_level="combinations"))
    assert "all_lines" in told
    extra = v5.AddColumnInfo("expression", "origin", data_type="varchar(256)")
    job.process(
        v5.DataProcessInfo(db_object=scope(source, **one), process_rule_level="combinations", add_columns=[extra])
    )
    (row,) = job.call("list_extra_columns").column_process_objects
    assert row.object_source_names == [f"{source}.lines_1", f"{source}.lines_2"]
    assert (row.object_alias_name, row.is_sent) == (f"{source}.all_lines", False)
    job.start()
    for statement in CHANGES:
        mariadb.execute(statement.format(source))
    lines = " UNION ALL ".join(f"SELECT id, v, '{source}@{t}' FROM `{source}`.{t}" for t in ("lines_1", "lines_2"))
    found = f'SELECT id, v, origin FROM "{source}".all_lines'
    eventually(lambda: rows(postgres, found, database=there) == rows(mariadb, lines))
    assert job.call("list_extra_columns", is_only_show_sent=True).total_count == 1


@pytest.mark.parametrize("version", ["newer", "v3"])
def test_rules_by_other_operations(
    service: Service, mariadb: FamilyServer, postgres: Postgres, database: NewDatabase, version: str
) -> None:
    source, there = made(mariadb, database), database(postgres)
    sdk = service.sdk()
    job = ruled(sdk, f"filtered-{version}", mariadb, postgres, source, there)
    condition = "id % 2 = 1"
    if version == "newer":
        job.call("save_data_filter_rules", body=common(general(condition, (source, "orders"), (source, "lines_1"))))
        mapping = v5.ColumnMappingInfo(
            object_id=table_id(source, "orders"),
            column_info_lists=[
                v5.ColumnInfo(column_name="note", column_mapped_name="remark"),
                v5.ColumnInfo(column_name="amount", status=True),
            ],
        )
        answer = job.call("modify_column_infos", body=v5.ModifyColumnInfoReq([mapping]))
        assert answer.modify_result is True
    else:
        tables = [
            v3.DatabaseInfo(id=source, object_type="database", object_name=source, select="partial",
                            object_alias_name=source),
            *(
                v3.DatabaseInfo(id=table_id(source, name), parent_id=source, object_type="table", object_name=name,
                                object_alias_name=name, select="true")
                for name in ("orders", "lines_1")
            ),
        ]  # fmt: skip
        (row,) = select_v3(sdk, v3.UpdateDatabaseObjectReq(job_id=job.job, selected=True, job=tables))
        assert row.status is True, row
        ids = [table_id(source, name) for name in ("orders", "lines_1")]
        (row,) = transform_v3(sdk, content_v3(job.job, condition, *ids))
        assert row.status == "success", row
    job.start()
    for statement in CHANGES:
        mariadb.execute(statement.format(source))
    mariadb.execute(
        f"UPDATE `{source}`.orders SET id = 7 WHERE id = 6; UPDATE `{source}`.orders SET id = 8 WHERE id = 5"
    )
    ours, theirs = ("id, customer, remark", "id, customer, note") if version == "newer" else ("*", "*")
    for table, names in (("orders", (ours, theirs)), ("lines_1", ("*", "*"))):
        wanted = rows(mariadb, f"SELECT {names[1]} FROM `{source}`.{table} WHERE {condition}")
        eventually(
            lambda table=table, names=names, wanted=wanted: (
                rows(postgres, f'SELECT {names[0]} FROM "{source}".{table}', database=there) == wanted
            )
        )
    if version == "v3":
        there_are = rows(postgres, f"SELECT tablename FROM pg_tables WHERE schemaname = '{source}'", database=there)
        assert there_are == [("lines_1",), ("orders",)]
    refused_because_it_runs(job, source)


def refused_because_it_runs(job: Ruled, source: str) -> None:
    """Whatever way a rule comes, a table that is replicated keeps its own."""
    changes: dict[str, Any] = {
        "update_data_progress": v5.DataProcessReq(
            [v5.DataProcessInfo(db_object=scope(source, "orders"), filter_conditions=content("id = 1"))]
        ),
        "save_data_filter_rules": common(general("id = 1", (source, "orders"))),
        "modify_column_infos": v5.ModifyColumnInfoReq(
            [v5.ColumnMappingInfo(table_id(source, "orders"), [v5.ColumnInfo("customer", column_mapped_name="c")])]
        ),
    }
    for name, body in changes.items():
        code, text = job.refused(name, body=body)
        assert code == "DRS.M00401" and f"{source}.orders" in text, (name, code, text)
    number = job.filters().rules[0].batch_id
    assert job.filters().rules[0].filter_object_list[0].is_synchronized is True
    code, _ = job.refused("delete_data_filter_rules", body=v5.DeleteDataFilterRuleReq([number], "common"))
    assert code == "DRS.M00401"
    (row,) = transform_v3(job.sdk, content_v3(job.job, "id = 1", table_id(source, "orders")))
    assert (row.status, row.error_code) == ("failed", "DRS.M00401")
