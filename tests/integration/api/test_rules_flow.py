"""Jobs whose tables are chosen, filtered and renamed by operations of the API alone, on real servers: the target is
what SQL makes of the source, after the load and after changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import huaweicloudsdkdrs.v3 as v3
import huaweicloudsdkdrs.v5 as v5
import pytest
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException

from opendrs.model.catalog import TableName
from opendrs.store import jobs
from opendrs.store.database import open_store
from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.harness.service import Service, eventually
from tests.integration.api.ruling import (
    SAVING,
    UNREAD,
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


def test_one_database_arrives_in_many_schemas_of_another_database(
    service: Service, mariadb: FamilyServer, postgres: Postgres, database: NewDatabase
) -> None:
    """One to many: each table may say its own home, and all of them arrive in the database of `target_root_db`."""
    source, there, root = made(mariadb, database), database(postgres), database(postgres)
    job = ruled(service.sdk(), "one-to-many", mariadb, postgres, source, there)
    homes = {
        "customers": v5.TableObject(name="clients", type="table", db_alias_name="crm"),
        "orders": v5.TableObject(name="orders", type="table", schema_alias_name="sales"),
        "lines_1": v5.TableObject(name="lines_1", type="table"),
    }
    info = {source: v5.DatabaseObject(name="shop", all=False, tables=homes)}

    def choose(name: str) -> None:
        home = v5.TargetRootDb(db_name=name)
        job.choose(v5.DbObject(object_scope="table", target_root_db=home, object_info=info))
        assert job.modified()["target_root_db"]["db_name"] == name

    choose("not_there")
    assert any("not_there" in str(row) for row in job.failed_checks())
    choose(root)
    job.start()
    for statement in CHANGES:
        mariadb.execute(statement.format(source))
    arrivals = {"crm.clients": "customers", "sales.orders": "orders", "shop.lines_1": "lines_1"}
    for home, table in arrivals.items():
        here = rows(mariadb, f"SELECT * FROM `{source}`.{table}")
        eventually(lambda home=home, here=here: rows(postgres, f"SELECT * FROM {home}", database=root) == here)
    schemas = "SELECT nspname::text FROM pg_namespace WHERE nspname IN ('crm', 'sales', 'shop')"
    assert rows(postgres, schemas, database=there) == []


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
    job.process(v5.DataProcessInfo(db_object=scope(source, **one), process_rule_level="combinations"))
    (finding,) = job.failed_checks()  # it may still be declared that their rows need not be told apart
    assert "all_lines" in str(finding)
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


# --- what the source says ----------------------------------------------------------------------------


@pytest.fixture(params=["mariadb", "mysql"])
def source(request: pytest.FixtureRequest) -> FamilyServer:
    server = request.getfixturevalue(request.param)
    assert isinstance(server, FamilyServer)
    return server


def test_columns_as_the_source_prints_them(
    service: Service, source: FamilyServer, postgres: Postgres, database: NewDatabase
) -> None:
    home, there = database(source), database(postgres)
    source.execute(
        f"CREATE TABLE `{home}`.t (a INT NOT NULL, b VARCHAR(20), c DECIMAL(10,2), e ENUM('x','y'), g INT AS (a + 1),"
        f" PRIMARY KEY (a), UNIQUE u (b, c), KEY k (e));"
        f"CREATE VIEW `{home}`.v AS SELECT a, b FROM `{home}`.t; CREATE TABLE `{home}`.keyless (x INT)"
    )
    job = ruled(service.sdk(), f"columns-{source.port}", source, postgres, home, there)
    job.process(
        v5.DataProcessInfo(
            db_object_column_info=v5.DbObjectColumnInfo(
                db_name=home, table_name="t", column_infos=[column("e", "kind"), column("c", left_out=True)]
            )
        )
    )

    def collect(*tables: str) -> str:
        named = [v5.SelectDbTableObjectInfo(db_name=home, table_name=table) for table in tables]
        return str(job.call("collect_columns", body=v5.QueryColumnReq(db_object_infos=named)).id)

    query = collect("t", "v", "keyless")
    found = eventually(
        lambda: (one := job.call("show_column_info_result", query_id=query)).total_count == 3 and one.results
    )
    table, view, keyless = found
    rows_ = [
        (one.column_name, one.primary_key_or_unique_index, one.column_mapped_name, one.is_filtered)
        for one in table.column_infos
    ]
    assert rows_ == [
        ("a", "PRI", "a", False), ("b", "UNI", "b", False), ("c", "UNI", "c", True), ("e", "", "kind", False),
        ("g", "", "g", False),
    ]  # fmt: skip
    printed = {one.column_name: one.column_type for one in table.column_infos}
    assert printed["b"] == "varchar(20)" and printed["c"] == "decimal(10,2)" and printed["e"] == "enum('x','y')"
    assert printed["a"] in ("int(11)", "int")
    assert (table.table_name, table.total_count, view.total_count, keyless.total_count) == ("t", 5, 2, 1)
    assert not any(one.primary_key_or_unique_index for one in view.column_infos)
    (page,) = job.call("show_column_info_result", query_id=query, limit=1, offset=2).results
    assert page.table_name == "keyless"

    query = collect("t", "missing", "gone")

    def over() -> str | None:
        try:
            job.call("show_column_info_result", query_id=query)
        except ClientRequestException as error:
            return f"{error.error_code} {error.error_msg}"
        return None

    told = eventually(over)
    assert told.startswith(UNREAD) and f"{home}.missing" in told and f"{home}.gone" in told
    # What was never read is read when it is asked for.
    ids = v5.ShowColumnInfoReq(object_ids=[table_id(home, "keyless"), home], refresh=True)
    mapped = job.call("show_column_infos", body=ids)
    assert [one.object_id for one in mapped.column_map_infos] == [table_id(home, "keyless"), table_id(home, "t")]
    statuses = {
        one.column_name: (one.column_mapped_name, one.status) for one in mapped.column_map_infos[1].column_info_lists
    }
    assert statuses["c"] == ("c", True) and statuses["e"] == ("kind", False)
    nodes = job.call("show_object_column_info", object_id=home, is_refresh=True).object_with_column_infos
    assert [(node.name, node.has_column_info, node.is_sent) for node in nodes] == [
        ("keyless", False, False), ("t", True, False),
    ]  # fmt: skip


def test_filters_are_held_against_the_source(
    service: Service, source: FamilyServer, postgres: Postgres, database: NewDatabase
) -> None:
    home, there = made(source, database), database(postgres)
    source.execute(f"CREATE TABLE `{home}`.texts (id INT PRIMARY KEY, body TEXT, at DATETIME)")
    job = ruled(service.sdk(), f"checks-{source.port}", source, postgres, home, there)
    checks = {
        "orders": ("amount BETWEEN 1 AND 9.5 OR note LIKE 'x%'", ""),
        "customers": ("nothing = 1", "has no column nothing"),
        "texts": ("body = 'x'", "large objects"),
        "lines_1": ("v = 5", "write 5 in quotes"),
        "lines_2": ("v = UPPER('x')", "UPPER"),
        "missing": ("id > 1", "does not have the table"),
    }
    infos = [
        v5.DataProcessInfo(db_object=scope(home, table), filter_conditions=content(condition))
        for table, (condition, _) in checks.items()
    ]
    found = job.check(*infos)
    assert found.keys() == {f"{home}.{table}" for table in checks}
    for table, (_, words) in checks.items():
        told = found[f"{home}.{table}"]
        assert (told == "") is (words == "") and words in told, told
    rules = [general(condition, (home, table)) for table, (condition, _) in checks.items()]
    query = job.call("check_data_filter_rules", body=common(*rules)).id
    assert job.checked(query) == found
    whole = v5.DataProcessInfo(db_object=scope(home), is_batch_process=True, filter_conditions=content("id IN (1, 2)"))
    assert set(job.check(whole).values()) == {""} and len(job.check(whole)) == 5

    def subquery(query_: str) -> str:
        info = v5.DataProcessInfo(db_object=scope(home, "orders"), filter_conditions=content(f"customer IN ({query_})"))
        return job.check(info)[f"{home}.orders"]

    assert subquery("SELECT id FROM customers WHERE region = 'EU'") == ""
    assert "does not have the table" in subquery("SELECT id FROM elsewhere")
    assert "has no column x" in subquery("SELECT x FROM customers")
    assert "and nothing else" in subquery("SELECT id FROM customers ORDER BY id LIMIT 1")
    told = job.process_fails(*infos)
    assert f"{home}.customers" in told or f"{home}.missing" in told
    whole_text = " ".join(job.sdk.logs(job.job))  # an error message has 512 characters at most
    for table, (_, words) in checks.items():
        assert words == "" or f"{home}.{table}: " in whole_text or f"table {home}.{table}" in whole_text, whole_text
    assert job.rules() == []


def test_settings_of_joined_tables_are_held_against_the_source(
    service: Service, mariadb: FamilyServer, postgres: Postgres, database: NewDatabase
) -> None:
    home, there = made(mariadb, database), database(postgres)
    job = ruled(service.sdk(), "joined", mariadb, postgres, home, there)

    def setting(table: str, columns: str, key: str, indexes: str = "", values: str = "") -> v5.DataFilterRuleReq:
        one = v5.DataFilteringAdvancedSetting(home, table, columns, key, indexes, values)
        return v5.DataFilterRuleReq(advanced_setting_list=[one], source="job", data_filter_type="config")

    good = setting("customers", "id,region", "id", "region", "region = 'EU'")
    bad = {
        "has no column nothing": setting("customers", "nothing", "id"),
        "neither its primary key nor a unique one": setting("customers", "id", "region"),
        "has no column absent": setting("customers", "id", "id", "absent"),
        "does not have": setting("missing", "id", "id"),
        "region is a text": setting("customers", "id", "id", values="region = 5"),
    }
    for words, body in bad.items():
        (told,) = job.checked(job.call("check_data_filter_rules", body=body).id).values()
        assert words in told, told
        code, text = job.refused("save_data_filter_rules", body=body)
        assert code == SAVING and words in text, text
    assert [*job.checked(job.call("check_data_filter_rules", body=good).id).values()] == [""]
    job.call("save_data_filter_rules", body=good)
    assert job.filters("config").rules[0].advanced_setting_resp.values == "region = 'EU'"


def test_what_is_looked_up_is_looked_up_again_at_every_saving(
    service: Service, mariadb: FamilyServer, postgres: Postgres, database: NewDatabase
) -> None:
    home, there = made(mariadb, database), database(postgres)
    job = ruled(service.sdk(), "looked-up", mariadb, postgres, home, there)
    condition = "customer IN (SELECT id FROM customers WHERE region = 'EU')"
    job.process(v5.DataProcessInfo(db_object=scope(home, "orders"), filter_conditions=content(condition)))

    def stored() -> str:
        store = open_store(service.state)
        try:
            with store.read() as connection:
                return jobs.selection_of(connection, job.job).rules[TableName(home, "orders")].filter
        finally:
            store.close()

    assert stored() == "(`customer` IN (1, 3))"
    mariadb.execute(f"INSERT INTO `{home}`.customers VALUES (9, 'EU', 'x')")
    number = job.filters().rules[0].batch_id
    job.process(v5.DataProcessInfo(db_object=scope(home, "lines_1"), dml_operation="i"))
    assert stored() == "(`customer` IN (1, 3, 9))"
    (rule,) = job.filters().rules
    assert rule.filter_rules_resp.source_filter_condition == condition and rule.batch_id == number
    assert job.modified()["object_info"][home]["tables"]["orders"]["filter_conditions"] == [condition]


def test_an_unreachable_source_is_told_under_the_code_of_the_call(
    service: Service, mariadb: FamilyServer, postgres: Postgres, database: NewDatabase
) -> None:
    home, there = made(mariadb, database), database(postgres)
    job = ruled(service.sdk(), "unreachable", mariadb, postgres, home, there)
    job.call("save_data_filter_rules", body=common(general("id > 1", (home, "orders"))))
    mariadb.execute(f"DROP DATABASE `{home}`")
    code, told = job.refused("save_data_filter_rules", body=common(general("id > 2", (home, "orders"))))
    assert code == SAVING and f"{home}" in told
    assert job.filters().rules[0].filter_rules_resp.source_filter_condition == "id > 1"
    mariadb.execute(f"CREATE DATABASE `{home}`")
