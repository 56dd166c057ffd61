"""What cannot be said of single tables, or not now, or not by this caller: refused with its code, and said by name."""

from __future__ import annotations

from typing import Any

import huaweicloudsdkdrs.v3 as v3
import huaweicloudsdkdrs.v5 as v5
import pytest

from opendrs.model.catalog import TableName
from opendrs.model.lifecycle import ALLOWED, State, Verb
from opendrs.model.selection import Selection
from opendrs.store import jobs
from tests.integration.api.jobs import creation
from tests.integration.api.ruling import (
    EMPTY,
    EXISTS,
    FIXED,
    INVALID,
    LINES,
    NO_JOB,
    NO_JOB_3,
    NO_QUERY,
    ORDERS,
    SAVING,
    UNKNOWN,
    UNSUPPORTED,
    WAYS,
    Ruled,
    begin,
    column,
    common,
    content,
    content_v3,
    general,
    mapping,
    orders,
    scope,
    select_v3,
    selection,
    table_id,
    transform_v3,
)
from tests.integration.api.test_orders import brought_to
from tests.integration.api.world import World, open_world


@pytest.fixture
def world(ruled_world: World) -> World:
    return ruled_world


@pytest.fixture
def job(ruled_job: Ruled) -> Ruled:
    return ruled_job


# --- what is refused ---------------------------------------------------------------------------------


EXTRA = v5.AddColumnInfo("default_value", "x", "1", "int")
BAD_INFOS: dict[str, tuple[v5.DataProcessInfo, str, str]] = {
    "nothing": (v5.DataProcessInfo(), INVALID, "names no table"),
    "nothing said": (orders(), INVALID, "nothing is to be changed"),
    "two filters": (orders(filter_conditions=content("id > 1") + content("id < 9")), INVALID, "one filter"),
    "too long": (orders(filter_conditions=content("x" * 513)), INVALID, "513 characters"),
    "unknown type": (orders(filter_conditions=[v5.DataFilteringCondition(filtering_type="x", value="y")]), INVALID, "filtering_type"),
    "config without": (
        orders(filter_conditions=[v5.DataFilteringCondition(filtering_type="configConditionalFilter", value="config")]), INVALID, "sync_type",
    ),
    "two tables": (
        v5.DataProcessInfo(db_object=scope("shop", "orders", "lines"), dml_operation="i"), INVALID, "several tables",
    ),
    "database": (v5.DataProcessInfo(db_object=scope("shop"), dml_operation="i"), INVALID, "is_batch_process"),
    "all": (
        v5.DataProcessInfo(db_object=v5.DbObject("all"), dml_operation="i", is_batch_process=True), INVALID, "name each",
    ),
    "letters": (orders(dml_operation="x"), INVALID, "not some of i, u and d"),
    "kind": (orders(add_columns=[v5.AddColumnInfo("other", "x", "1", "int")]), INVALID, "'other'"),
    "data type": (orders(add_columns=[v5.AddColumnInfo("default_value", "x", "1", "float")]), INVALID, "'float'"),
    "value": (orders(add_columns=[v5.AddColumnInfo("default_value", "x", "one", "int")]), INVALID, "no whole number"),
    "twice": (orders(add_columns=[EXTRA, EXTRA]), INVALID, "two columns arrive as x"),
    "compare": (orders(filter_conditions=content("id > 1"), source="compare"), UNSUPPORTED, "compare"),
    "source": (orders(filter_conditions=content("id > 1"), source="other"), INVALID, "source"),
    "level": (orders(dml_operation="i", process_rule_level="other"), INVALID, "process_rule_level"),
    "rename": (orders(db_or_table_rename_rule=v5.DbOrTableRenameRule(type="prefixAndSuffix")), INVALID, "neither"),
    "rename type": (orders(db_or_table_rename_rule=v5.DbOrTableRenameRule("a", None, "regex")), INVALID, "'regex'"),
    "partition": (
        v5.DataProcessInfo(
            db_object_column_info=v5.DbObjectColumnInfo(
                db_name="shop", table_name="orders",
                column_infos=[v5.QueryColumnInfo(column_name="id", is_partition_key=True)],
            )
        ),
        UNSUPPORTED, "partition",
    ),
    "other table": (
        orders(db_object_column_info=v5.DbObjectColumnInfo(db_name="shop", table_name="lines", column_infos=[])),
        INVALID, "not about it alone",
    ),
    "schema": (
        v5.DataProcessInfo(
            db_object_column_info=v5.DbObjectColumnInfo(
                db_name="shop", schema_name="s", table_name="orders", column_infos=[column("id", "x")]
            )
        ),
        INVALID, "no schemas",
    ),
    "said twice": (
        v5.DataProcessInfo(
            db_object=scope("shop", orders=v5.TableObject(filter_conditions=["id > 1"])),
            filter_conditions=content("id > 2"),
        ),
        INVALID, "beside it",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_INFOS)
def test_rules_that_are_none(job: Ruled, name: str) -> None:
    info, code, words = BAD_INFOS[name]
    found, told = job.process_refused(info)
    assert (found, words in told) == (code, True), told
    if code == INVALID and "data_process_info" in told:
        found, told = job.process_refused(orders(dml_operation="x"), info)
        assert "not some of i, u and d" in told, "all that is wrong is told at once"


def test_nothing_at_all(job: Ruled) -> None:
    for name in ("update_data_progress", "check_data_filter"):
        assert job.refused(name, body=v5.DataProcessReq(data_process_info=[]))[0] == EMPTY
    assert job.refused("check_data_filter", body=v5.DataProcessReq([orders(dml_operation="i")]))[0] == EMPTY
    assert job.refused("modify_column_infos", body=v5.ModifyColumnInfoReq([]))[0] == EMPTY
    assert job.refused("delete_column_infos", body=v5.DeleteColumnInfoReq([], [], []))[0] == EMPTY
    assert job.refused("collect_columns", body=v5.QueryColumnReq(db_object_infos=[]))[0] == EMPTY
    for name in ("save_data_filter_rules", "check_data_filter_rules"):
        assert job.refused(name, body=v5.DataFilterRuleReq(source="job", data_filter_type="common"))[0] == EMPTY


def test_too_many_tables(job: Ruled) -> None:
    names = [f"t{number}" for number in range(501)]
    many = v5.DataProcessInfo(
        db_object=scope("shop", *names), is_batch_process=True, filter_conditions=content("id > 1")
    )
    for name in ("update_data_progress", "check_data_filter"):
        code, told = job.refused(name, body=v5.DataProcessReq([many]))
        assert code == INVALID and "500 are allowed" in told
    rules = common(general("id > 1", *(("shop", name) for name in names)))
    for name in ("save_data_filter_rules", "check_data_filter_rules"):
        code, told = job.refused(name, body=rules)
        assert code == INVALID and "500 are allowed" in told
    tables = [v5.SelectDbTableObjectInfo("shop", table_name=name) for name in names]
    code, told = job.refused("collect_columns", body=v5.QueryColumnReq(db_object_infos=tables))
    assert code == INVALID and "500 are allowed" in told


def test_ids_that_are_none(job: Ruled) -> None:
    mapped = v5.ColumnInfo("note", column_mapped_name="x")
    for bad in ("orders", "shop-*-*-", "a-*-*-b-*-*-c", "shop-*-*-x\ny", ""):
        body = v5.ModifyColumnInfoReq([v5.ColumnMappingInfo(bad, [mapped])])
        assert job.refused("modify_column_infos", body=body)[0] == INVALID
        body = v5.DeleteColumnInfoReq(table_ids=[bad], schema_ids=[], db_ids=[])
        assert job.refused("delete_column_infos", body=body)[0] == INVALID
        item = v5.DataFilterObjectInfo(id=bad, parent_id="shop", object_name="orders")
        rule = v5.GeneralTransformationReq([item], "id > 1")
        assert job.refused("save_data_filter_rules", body=common(rule))[0] == INVALID
    body = v5.DeleteColumnInfoReq(table_ids=[], schema_ids=["shop-*-*-s"], db_ids=[])
    assert job.refused("delete_column_infos", body=body)[0] == INVALID
    strange = "other-*-*-orders"
    code, told = job.refused("delete_column_infos", body=v5.DeleteColumnInfoReq([strange], [], ["nowhere"]))
    assert code == INVALID and "other.orders is not chosen; nowhere is not chosen" in told
    for bad in (strange, "nowhere"):
        body = v5.ShowColumnInfoReq(object_ids=[bad])
        assert job.refused("show_column_infos", body=body)[0] == INVALID
        assert job.refused("show_object_column_info", object_id=bad)[0] == INVALID
    body = v5.ModifyColumnInfoReq([v5.ColumnMappingInfo("shop-*-*-nothing", [mapped])])
    code, told = job.refused("modify_column_infos", body=body)
    assert code == SAVING and "does not have table shop.nothing" in told
    for item, word in (
        (v5.DataFilterObjectInfo(id="shop-*-*-orders", parent_id="crm", object_name="orders"), "its parent is shop"),
        (v5.DataFilterObjectInfo(id="shop-*-*-orders", parent_id="shop", object_name="lines"), "its name is orders"),
        (
            v5.DataFilterObjectInfo(
                id="shop-*-*-orders", parent_id="shop", object_name="orders", object_type="database"
            ),
            "rows of a table",
        ),
    ):
        code, told = job.refused("save_data_filter_rules", body=common(v5.GeneralTransformationReq([item], "id > 1")))
        assert code == INVALID and word in told


def test_columns_that_cannot_be_so(job: Ruled) -> None:
    for info, code in (
        (v5.ColumnInfo("note", desensitization_algorithm="EMAIL"), UNSUPPORTED),
        (v5.ColumnInfo("note", partition=True), UNSUPPORTED),
        (v5.ColumnInfo("note", column_mapped_name="x" * 65), INVALID),
        (v5.ColumnInfo("a\nb"), INVALID),
    ):
        assert job.refused("modify_column_infos", body=mapping(info))[0] == code
    code, told = job.refused("modify_column_infos", body=mapping(v5.ColumnInfo("note"), v5.ColumnInfo("NOTE")))
    assert code == INVALID and "more than once" in told
    for condition in ("", " ", "x" * 513):
        assert job.refused("save_data_filter_rules", body=common(general(condition, ("shop", "orders"))))[0] == INVALID
    body = v5.DataFilterRuleReq([general("id > 1", ("shop", "orders"))], None, "compare", "common")
    assert job.refused("save_data_filter_rules", body=body)[0] == UNSUPPORTED
    two = common(general("id > 1", ("shop", "orders")), general("id > 2", ("shop", "orders")))
    code, told = job.refused("save_data_filter_rules", body=two)
    assert code == SAVING and "a table has one filter" in told


def test_unknown_queries_and_those_of_others(world: World, job: Ruled) -> None:
    body = v5.QueryColumnReq(db_object_infos=[v5.SelectDbTableObjectInfo("shop", table_name="orders")])
    columns = job.call("collect_columns", body=body).id
    checked = job.call("check_data_filter_rules", body=common(general("id > 1", ("shop", "orders")))).id
    listed = job.call("collect_data_filter_rules", body=v5.QueryDataFilterRuleReq(filter_type="common")).id
    saved = job.asked(orders(dml_operation="i"))
    shows = {
        "show_column_info_result": columns,
        "show_data_filtering_result": checked,
        "show_data_filter_rules_result": listed,
        "show_data_processing_rules_result": saved,
    }
    for show, own in shows.items():
        job.call(show, query_id=own)
        for other in ({*shows.values()} - {own}) | {UNKNOWN, "中", "x" * 900}:
            assert job.refused(show, query_id=other)[0] == NO_QUERY, show
        assert Ruled(job.sdk, UNKNOWN).refused(show, query_id=own)[0] == NO_JOB
        if show != "show_data_filter_rules_result":
            assert job.refused(show)[0] == EMPTY
    assert job.call("show_data_filter_rules_result").status == "success"
    for bad in ({"limit": 0}, {"limit": 1001}, {"offset": -1}, {"filter_type": "x"}):
        body = v5.QueryDataFilterRuleReq(**{"filter_type": "common", **bad})
        assert job.refused("collect_data_filter_rules", body=body)[0] == INVALID


def test_columns_are_read_once_unless_asked_to(job: Ruled) -> None:
    def collect(*, refresh: bool) -> Any:
        body = v5.QueryColumnReq(
            db_object_infos=[v5.SelectDbTableObjectInfo("shop", table_name="orders")], is_force_refresh=refresh
        )
        return job.call("collect_columns", body=body)

    first = collect(refresh=False)
    while (found := job.call("show_column_info_result", query_id=first.id)).total_count == 0:
        assert job.sdk.seen[-1].json()["status"] == "pending"
    assert found.results[0].total_count == 2
    assert [(one.column_type, one.primary_key_or_unique_index) for one in found.results[0].column_infos] == [
        ("int(11)", "PRI"), ("varchar(20)", ""),
    ]  # fmt: skip
    assert job.call("show_column_info_result", query_id=first.id, offset=1).results == []
    assert (again := collect(refresh=False)).id == first.id and again.status == "success"
    assert collect(refresh=True).id != first.id


# --- version 3 ---------------------------------------------------------------------------------------


def row(kind: str, name: str, select: str, parent: str | None = None, alias: str | None = None) -> v3.DatabaseInfo:
    key = table_id(parent, name) if parent else name
    return v3.DatabaseInfo(
        id=key, parent_id=parent, object_type=kind, object_name=name, object_alias_name=alias, select=select
    )


def test_objects_of_version_3(world: World, job: Ruled) -> None:
    def select(*rows: v3.DatabaseInfo, selected: bool = True, **more: Any) -> Any:
        asked = v3.UpdateDatabaseObjectReq(job_id=job.job, selected=selected, job=list(rows) or None, **more)
        (answer,) = select_v3(job.sdk, asked)
        assert answer.status is (answer.error_code is None)
        return answer

    assert select(row("database", "shop", "true", alias="store")).status
    assert selection(world, job) == Selection(databases=frozenset({"shop"}), schemas={"shop": "store"})
    assert select(
        row("table", "orders", "true", "shop", alias="all_orders"), row("database", "shop", "partial"),
        row("table", "lines", "false", "shop"),
    ).status  # fmt: skip
    found = selection(world, job)
    assert found.tables == {ORDERS} and found.target(ORDERS) == TableName("shop", "all_orders")
    assert select(row("database", "shop", "true"), row("table", "lines", "false", "shop")).status
    found = selection(world, job)
    assert found.databases == {"shop"} and found.wants(ORDERS) and not found.wants(LINES)
    assert job.modified()["excluded"] == ["shop.lines"]
    assert select(selected=False).status and selection(world, job) == Selection()
    assert select(row("database", "shop", "true"), sync_database=True).status
    for rows, code, word in (
        ((), EMPTY, "job"),
        ((row("schema", "s", "true", "shop"),), INVALID, "schema"),
        ((row("database", "shop", "partial"),), INVALID, "in part"),
        ((row("database", "shop", "false"), row("table", "orders", "true", "shop")), INVALID, "its database is not"),
        ((row("database", "shop", "perhaps"),), INVALID, "select"),
        ((row("column", "shop", "true"),), INVALID, "object_type"),
        ((v3.DatabaseInfo(id="a-*-*-b-*-*-c", object_type="table", select="true"),), INVALID, "a schema"),
        ((v3.DatabaseInfo(id="shop-*-*-orders", parent_id="crm", object_type="table", select="true"),), INVALID, "crm"),
        ((v3.DatabaseInfo(object_name="orders", object_type="table", select="true"),), INVALID, "parent_id"),
        ((row("database", "shop", "true"), row("database", "shop", "true")), INVALID, "more than once"),
        ((row("table", "orders", "partial", "shop"),), INVALID, "nothing is chosen or all"),
        ((row("database", "shop", "false"),), EMPTY, "object_info"),
    ):
        answer = select(*rows)
        assert answer.error_code == code and word in answer.error_msg, answer
    assert select(row("table", "orders", "true", "shop"), sync_database=True).error_code == INVALID
    assert select(row("database", "shop", "true"), selected=False).error_code == INVALID
    assert selection(world, job).databases == {"shop"}


def test_one_job_s_failure_is_not_another_s(world: World, job: Ruled) -> None:
    runs = brought_to(world, job.sdk, State.FULL, f"runs-{job.job[:8]}")
    whole = [row("database", "shop", "true")]
    rows = select_v3(
        job.sdk,
        v3.UpdateDatabaseObjectReq(job_id=UNKNOWN, selected=True, job=whole),
        v3.UpdateDatabaseObjectReq(job_id=job.job, selected=True, job=whole),
        v3.UpdateDatabaseObjectReq(job_id=runs, selected=True, job=whole),
    )
    assert [(one.status, one.error_code) for one in rows] == [
        (False, NO_JOB_3), (True, None), (False, "DRS.M00304"),
    ]  # fmt: skip
    rows = transform_v3(
        job.sdk,
        content_v3(UNKNOWN, "id > 1", "shop-*-*-orders"),
        content_v3(job.job, "id > 1", "shop-*-*-orders"),
        content_v3(job.job, "id > 2", "shop-*-*-lines"),
        content_v3(job.job, "id > 2", "shop-*-*-nothing"),
        content_v3(job.job, "x" * 257, "shop-*-*-orders"),
        content_v3(job.job, "", "shop-*-*-orders"),
        content_v3(job.job, "id > 1"),
        content_v3(job.job, "id > 1", "orders"),
        content_v3(job.job, "id > 1", "a-*-*-b-*-*-c"),
        content_v3(job.job, "id > 1", *(f"shop-*-*-t{number}" for number in range(10_001))),
        v3.CheckDataTransformationReq(job.job, [], v3.TransformationInfo("other", "x")),
        v3.CheckDataTransformationReq(job.job, [], v3.TransformationInfo("configConditionalFilter", "config")),
    )
    assert [one.error_code for one in rows] == [
        NO_JOB_3, None, None, SAVING, INVALID, EMPTY, EMPTY, INVALID, INVALID, INVALID, INVALID, EMPTY,
    ]  # fmt: skip
    assert "256 are allowed" in rows[4].error_msg and "10000 are allowed" in rows[9].error_msg
    found = selection(world, job)
    assert {name: rule.filter for name, rule in found.rules.items()} == {ORDERS: "id > 1", LINES: "id > 2"}
    (again,) = transform_v3(job.sdk, content_v3(job.job, "id > 1", "shop-*-*-orders"), x_language="zh-cn")
    assert again.error_code == EXISTS and "shop.orders" in again.error_msg and "规则" in again.error_msg


# --- when -------------------------------------------------------------------------------------------


CHANGING: dict[str, Any] = {
    "update_data_progress": v5.DataProcessReq([orders(dml_operation="i")]),
    "modify_column_infos": mapping(v5.ColumnInfo("note", column_mapped_name="x")),
    "save_data_filter_rules": common(general("id > 7", ("shop", "orders"))),
}
READING: dict[str, Any] = {
    "collect_columns": v5.QueryColumnReq(db_object_infos=[v5.SelectDbTableObjectInfo("shop", table_name="orders")]),
    "check_data_filter": v5.DataProcessReq([orders(filter_conditions=content("id > 1"))]),
    "check_data_filter_rules": common(general("id > 7", ("shop", "orders"))),
    "collect_data_filter_rules": v5.QueryDataFilterRuleReq(filter_type="common"),
}


@pytest.mark.parametrize("state", State, ids=lambda state: state.name.lower())
def test_when_rules_can_be_changed(world: World, job: Ruled, state: State) -> None:
    with world.store.write() as connection:
        jobs.change(connection, job.job, state=state.value)
    for verb, bodies in ((Verb.OBJECTS, CHANGING), (Verb.COLLECT, READING)):
        for name, body in bodies.items():
            if state in ALLOWED[verb]:
                job.call(name, body=body)
            else:
                assert job.refused(name, body=body)[0] == "DRS.M00304", name
    job.modified()
    job.rules()
    world.forget(job.job)


def test_a_table_that_is_replicated_keeps_what_is_said_of_it(world: World, job: Ruled) -> None:
    WAYS["rules and columns"](job)
    before = selection(world, job)
    begin(world, job)
    for name, body in CHANGING.items():
        code, told = job.refused(name, body=body)
        assert code == FIXED and "shop.orders" in told, name
    number = job.filters().rules[0].batch_id
    assert job.refused("delete_data_filter_rules", body=v5.DeleteDataFilterRuleReq([number], "common"))[0] == FIXED
    body = v5.DeleteColumnInfoReq(table_ids=["shop-*-*-orders"], schema_ids=[], db_ids=[])
    assert job.refused("delete_column_infos", body=body)[0] == FIXED
    batch = v5.DataProcessInfo(db_object=scope("shop"), is_batch_process=True, dml_operation="i")
    assert job.process_refused(batch)[0] == FIXED
    (answer,) = transform_v3(job.sdk, content_v3(job.job, "id > 9", "shop-*-*-orders"))
    assert answer.error_code == FIXED
    assert selection(world, job) == before
    assert job.rules()[0].is_synchronized is True
    assert job.filters().rules[0].filter_object_list[0].is_synchronized is True
    query = v5.QueryDataFilterRuleReq(filter_type="common", is_all_rules=False)
    job.call("collect_data_filter_rules", body=query)
    assert job.call("show_data_filter_rules_result").total_count == 1
    world.forget(job.job)


def test_nobody_works(tmp_path: Any) -> None:
    """What waits for a worker says so, and it is done later all the same."""
    with open_world(tmp_path) as world:
        job = Ruled(world.sdk(), str(world.sdk().call("create_job", body=creation("waits")).id))
        world.step()
        for name, body in CHANGING.items():
            if name == "update_data_progress":
                assert job.call(name, body=body).status == "pending"
            else:
                assert job.refused(name, body=body)[0] == "DRS.M00004"
        (answer,) = transform_v3(job.sdk, content_v3(job.job, "id > 1", "shop-*-*-lines"))
        assert (answer.status, answer.error_code) == ("failed", "DRS.M00004")
        world.run_errands()
        rules = selection(world, job).rules
        assert (
            rules[ORDERS].filter == "id > 7" and rules[ORDERS].columns == {"note": "x"} and rules[ORDERS].dml == {"i"}
        )
        assert rules[LINES].filter == "id > 1"
        world.sdk()
        job.refused("modify_column_infos", body=mapping(v5.ColumnInfo("note")))
        world.run_errands(well=False)
        job.call("show_update_object_saving_status", query_id=job.job)
        assert job.sdk.seen[-1].json()["status"] == "failed"
