"""What is said of single tables, through the SDK, while the test plays the workers: every way that a rule comes is shown
by every view, and what is wrong is refused with its code and said by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import huaweicloudsdkdrs.v3 as v3
import huaweicloudsdkdrs.v5 as v5
import pytest

from opendrs.model.catalog import TableName
from opendrs.model.checkpoint import Phase
from opendrs.model.lifecycle import ALLOWED, State, Verb
from opendrs.model.selection import Selection
from opendrs.store import checkpoints, jobs
from tests.integration.api.jobs import chosen, creation
from tests.integration.api.ruling import (
    EMPTY,
    INVALID,
    SAVING,
    UNSUPPORTED,
    Ruled,
    column,
    common,
    content,
    content_v3,
    general,
    scope,
    select_v3,
    table_id,
    transform_v3,
)
from tests.integration.api.test_kafka_policy import kafka
from tests.integration.api.test_orders import brought_to
from tests.integration.api.world import World, open_world

ORDERS, LINES = TableName("shop", "orders"), TableName("shop", "lines")
UNKNOWN = "00000000-0000-0000-0000-000000000000"
NO_QUERY, NO_JOB, NO_JOB_3, FIXED, EXISTS = "DRS.M00303", "DRS.10000010", "DRS.M05003", "DRS.M00401", "DRS.M07000"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One whose errands are done as they come."""
    with open_world(tmp_path_factory.mktemp("rules"), patience_s=60) as world, world.runners():
        yield world


@pytest.fixture
def job(world: World, request: pytest.FixtureRequest) -> Ruled:
    """A job to PostgreSQL that has chosen the database shop."""
    return made(world, request, creation)


def made(world: World, request: pytest.FixtureRequest, how: Callable[[str], Any]) -> Ruled:
    sdk = world.sdk()
    name = f"j-{abs(hash(request.node.nodeid))}"[:40]
    found = Ruled(sdk, str(sdk.call("create_job", body=how(name)).id))
    world.step()
    found.choose(chosen("shop"))
    return found


@pytest.fixture
def publisher(world: World, request: pytest.FixtureRequest) -> Ruled:
    """The same to Kafka."""
    return made(world, request, lambda name: creation(name, target=kafka(), engine_type="mysql-to-kafka"))


def selection(world: World, job: Ruled) -> Selection:
    with world.store.read() as connection:
        return jobs.selection_of(connection, job.job)


def orders(**facts: Any) -> v5.DataProcessInfo:
    return v5.DataProcessInfo(db_object=scope("shop", "orders"), **facts)


def mapping(*columns: v5.ColumnInfo, table: TableName = ORDERS) -> v5.ModifyColumnInfoReq:
    return v5.ModifyColumnInfoReq([v5.ColumnMappingInfo(table_id(*_parts(table)), list(columns))])


def _parts(name: TableName) -> tuple[str, str]:
    return name.schema, name.table


def begin(world: World, job: Ruled) -> None:
    """The job follows, and has what it has chosen."""
    with world.store.write() as connection:
        checkpoints.save(connection, job.job, epoch=1, phase=Phase.FOLLOWING, position=None)
        jobs.change(connection, job.job, state=State.INCREMENTAL.value)


# --- every way in, every view ------------------------------------------------------------------------


WAYS: dict[str, Callable[[Ruled], None]] = {
    "tree": lambda job: job.choose(
        v5.DbObject(
            object_scope="database",
            object_info={
                "shop": v5.DatabaseObject(
                    all=True,
                    tables={
                        "orders": v5.TableObject(
                            filter_conditions=["id > 1"], filtered=True, columns={"note": v5.ColumnObject(name="remark")}
                        )
                    },
                )
            },
        )
    ),
    "processing": lambda job: job.process(
        orders(
            filter_conditions=content("id > 1"),
            db_object_column_info=v5.DbObjectColumnInfo(
                db_name="shop", table_name="orders", column_infos=[column("note", "remark")]
            ),
        )
    ),
    "processing inside db_object": lambda job: job.process(
        v5.DataProcessInfo(
            db_object=scope(
                "shop",
                orders=v5.TableObject(
                    filter_conditions=["id > 1"], columns={"note": v5.ColumnObject(name="remark", filtered=True)}
                ),
            )
        )
    ),
    "rules and columns": lambda job: (
        job.call("save_data_filter_rules", body=common(general("id > 1", ("shop", "orders")))),
        job.call("modify_column_infos", body=mapping(v5.ColumnInfo("note", column_mapped_name="remark"))),
    ),
    "version 3 and columns": lambda job: (
        transform_v3(job.sdk, content_v3(job.job, "id > 1", "shop-*-*-orders")),
        job.call("modify_column_infos", body=mapping(v5.ColumnInfo("note", column_mapped_name="remark", status=False))),
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_whatever_way_a_rule_comes_every_view_shows_it(world: World, job: Ruled, way: str) -> None:
    WAYS[way](job)
    shown = job.modified()["object_info"]["shop"]
    assert shown["all"] is True
    table = shown["tables"]["orders"]
    assert (table["filtered"], table["filter_conditions"], table["all"]) == (True, ["id > 1"], False)
    assert table["columns"] == {"note": {"name": "remark", "filtered": True}} and table["is_synchronized"] is False
    assert job.call("show_db_objects_list", type="modified").object_info["shop"].tables["orders"].filtered is True
    (info,) = job.rules()
    assert (info.filter_conditions[0].filtering_type, info.filter_conditions[0].value) == (
        "contentConditionalFilter", "id > 1",
    )  # fmt: skip
    (one,) = info.db_object_column_info.column_infos
    assert (one.column_name, one.column_mapped_name, one.is_filtered) == ("note", "remark", False)
    assert info.dml_operation == "i,u,d" and info.is_synchronized is False and info.source == "job"
    found = job.filters()
    (rule,) = found.rules
    assert (found.total_count, found.status) == (1, "success")
    assert rule.filter_rules_resp.source_filter_condition == "id > 1" and rule.batch_id > 0
    (item,) = rule.filter_object_list
    assert (item.id, item.parent_id, item.object_name, item.batch_id) == (
        "shop-*-*-orders", "shop", "orders", rule.batch_id,
    )  # fmt: skip
    (columns,) = job.call("show_column_infos", body=v5.ShowColumnInfoReq(refresh=False)).column_map_infos
    assert columns.object_id == "shop-*-*-orders"
    assert [(one.column_name, one.column_mapped_name, one.status) for one in columns.column_info_lists] == [
        ("id", "id", False), ("note", "remark", False),
    ]  # fmt: skip
    (node,) = job.call("show_object_column_info").object_with_column_infos
    assert (node.id, node.type, node.has_column_info, node.is_support_expand) == ("shop", "database", True, True)
    nodes = job.call("show_object_column_info", object_id="shop").object_with_column_infos
    assert [(node.name, node.has_column_info) for node in nodes] == [("lines", False), ("orders", True)]


@pytest.mark.parametrize("way", WAYS)
def test_what_is_shown_can_be_sent_again(world: World, job: Ruled, way: str) -> None:
    WAYS[way](job)
    before = selection(world, job)
    (info,) = job.rules()
    job.process(info)
    tree = {key: value for key, value in job.modified().items() if key in ("object_scope", "object_info")}
    body = {"job": {"type": "db_object", "params": {"db_object": tree}}}
    job.saved(job.call("update_job", body=body).id)
    after = selection(world, job)
    assert after.rules[ORDERS].of_rows == before.rules[ORDERS].of_rows
    assert (after.databases, after.tables, after.schemas) == (before.databases, before.tables, before.schemas)


def test_parts_that_are_not_named_stay(world: World, job: Ruled) -> None:
    WAYS["processing"](job)
    job.process(orders(dml_operation="i"))
    job.call("modify_column_infos", body=mapping(v5.ColumnInfo("id", column_mapped_name="key")))
    rule = selection(world, job).rules[ORDERS]
    assert rule.filter == "id > 1" and rule.columns == {"note": "remark", "id": "key"} and rule.dml == {"i"}
    job.process(orders(filter_conditions=[], dml_operation="i,u,d"))
    job.call("modify_column_infos", body=mapping(v5.ColumnInfo("id"), v5.ColumnInfo("note", status=True)))
    rule = selection(world, job).rules[ORDERS]
    assert rule.filter == "" and rule.columns == {"note": None} and job.filters().total_count == 0
    body = v5.DeleteColumnInfoReq(table_ids=[], schema_ids=[], db_ids=["shop"])
    assert job.call("delete_column_infos", body=body).delete_result is True
    assert selection(world, job).rules == {} and job.rules() == []
    assert job.call("delete_column_infos", body=body).delete_result is True


def test_names_and_additional_columns(world: World, job: Ruled) -> None:
    extra = v5.AddColumnInfo("server_database_table", "origin", "here", "varchar(256)")
    job.process(
        v5.DataProcessInfo(
            db_object=scope("shop"), is_batch_process=True, add_columns=[extra],
            db_or_table_rename_rule=v5.DbOrTableRenameRule("eu_", None, "prefixAndSuffix"),
        ),
        v5.DataProcessInfo(
            db_object=scope("shop", "orders", "lines"), process_rule_level="combinations",
            db_or_table_rename_rule=v5.DbOrTableRenameRule("t_", "_x", "prefixAndSuffix"),
        ),
    )  # fmt: skip
    found = selection(world, job)
    assert found.schemas == {"shop": "eu_shop"}
    assert found.target(ORDERS) == TableName("eu_shop", "t_orders_x")
    listed = job.call("list_extra_columns", fetch_all=True)
    assert listed.total_count == 2
    assert [row.object_source_names for row in listed.column_process_objects] == [["shop.lines"], ["shop.orders"]]
    (one,) = listed.column_process_objects[1].extra_column_infos
    assert (one.column_type, one.column_name, one.column_value, one.data_type) == (
        "server_database_table", "origin", "here", "varchar(256)",
    )  # fmt: skip
    assert len(job.call("list_extra_columns", limit=1, offset=1).column_process_objects) == 1
    assert job.call("list_extra_columns", is_only_show_sent=True).total_count == 0
    first, *tables = job.rules()
    assert first.db_object.object_info["shop"].name == "eu_shop" and first.is_batch_process is True
    assert [next(iter(info.db_object.object_info["shop"].tables.values())).name for info in tables] == [
        "t_lines_x", "t_orders_x",
    ]  # fmt: skip
    assert job.call("show_data_progress", limit=1, offset=2).count == 3
    job.process(first, *tables)
    assert selection(world, job) == found
    job.process(v5.DataProcessInfo(db_object=scope("shop"), is_batch_process=True, add_columns=[]))
    assert job.call("list_extra_columns").total_count == 0


def test_names_of_topics(world: World, publisher: Ruled) -> None:
    rename = v5.DbOrTableRenameRule(None, ".v2", "prefixAndSuffix")
    publisher.process(
        v5.DataProcessInfo(db_object=scope("shop"), is_batch_process=True, db_or_table_rename_rule=rename),
        v5.DataProcessInfo(db_object=scope("shop", orders=v5.TableObject(name="of-orders"))),
    )
    found = selection(world, publisher)
    assert found.topics == {TableName("shop", ""): "shop.v2", ORDERS: "of-orders"} and not found.schemas
    tree = publisher.modified()["object_info"]["shop"]
    assert (tree["name"], tree["tables"]["orders"]["name"]) == ("shop.v2", "of-orders")
    publisher.process(v5.DataProcessInfo(db_object=scope("shop", orders=v5.TableObject(name="orders"))))
    assert selection(world, publisher).topics == {TableName("shop", ""): "shop.v2"}
    told = publisher.process_fails(v5.DataProcessInfo(db_object=scope("shop", orders=v5.TableObject(name="a b"))))
    assert "is no name of a topic" in told
    extra = v5.AddColumnInfo("create_time", "at", data_type="datetime")
    code, told = refused(publisher, orders(add_columns=[extra]))
    assert code == INVALID and "a message has times of its own" in told


def test_every_table_with_scope_all(world: World, job: Ruled) -> None:
    job.choose(v5.DbObject(object_scope="all"))
    job.process(orders(dml_operation="u"))
    tree = {key: value for key, value in job.modified().items() if key in ("object_scope", "object_info")}
    assert tree["object_scope"] == "all" and tree["object_info"]["shop"]["tables"]["orders"]["dml"] == "u"
    before = selection(world, job)
    body = {"job": {"type": "db_object", "params": {"db_object": tree}}}
    job.saved(job.call("update_job", body=body).id)
    assert selection(world, job) == before and before.everything


# --- numbers of filters ------------------------------------------------------------------------------


def test_numbers_stay_and_take_back(world: World, job: Ruled) -> None:
    job.call("save_data_filter_rules", body=common(general("id > 1", ("shop", "orders"), ("shop", "lines"))))
    (rule,) = job.filters().rules
    assert len(rule.filter_object_list) == 2
    job.process(v5.DataProcessInfo(db_object=scope("shop", "lines"), filter_conditions=content("id > 2")))
    first, second = job.filters().rules
    assert first.batch_id == rule.batch_id and second.batch_id > first.batch_id
    assert job.filters(limit=1, offset=1).rules[0].batch_id == second.batch_id
    job.process(orders(dml_operation="i"))
    assert [one.batch_id for one in job.filters().rules] == [first.batch_id, second.batch_id]

    code, told = job.refused(
        "delete_data_filter_rules", body=v5.DeleteDataFilterRuleReq([second.batch_id, 99], "common")
    )
    assert code == INVALID and "there is no rule 99" in told
    assert job.refused("delete_data_filter_rules", body=v5.DeleteDataFilterRuleReq([99], "config"))[0] == INVALID
    assert job.refused("delete_data_filter_rules", body=v5.DeleteDataFilterRuleReq([], "common"))[0] == EMPTY
    assert job.refused("delete_data_filter_rules", body=v5.DeleteDataFilterRuleReq([1], "other"))[0] == INVALID
    job.call("delete_data_filter_rules", body=v5.DeleteDataFilterRuleReq([first.batch_id], "common"))
    assert [one.batch_id for one in job.filters().rules] == [second.batch_id]
    assert selection(world, job).rules[ORDERS].filter == ""


def test_advanced_settings_are_kept_and_shown(world: World, job: Ruled) -> None:
    setting = v5.DataFilteringAdvancedSetting("shop", "lines", "id, note", "id", "note", "id > 5")
    body = v5.DataFilterRuleReq(advanced_setting_list=[setting], source="job", data_filter_type="config")
    job.call("save_data_filter_rules", body=body)
    (rule,) = job.filters("config").rules
    kept = rule.advanced_setting_resp
    assert (kept.table_name, kept.col_names, kept.prim_key_or_indexes, kept.indexes, kept.values) == (
        "lines", "id,note", "id", "note", "id > 5",
    )  # fmt: skip
    tree = job.modified()["object_info"]["shop"]["tables"]["lines"]
    assert tree["config_conditions"] == ["id > 5"] and tree["columns"]["id"] == {
        "name": "id", "sync_type": "config", "primary_key_for_data_filtering": "id",
    }  # fmt: skip
    before = selection(world, job).joined
    shown = {key: value for key, value in job.modified().items() if key in ("object_scope", "object_info")}
    job.saved(job.call("update_job", body={"job": {"type": "db_object", "params": {"db_object": shown}}}).id)
    assert selection(world, job).joined == before
    (row,) = transform_v3(
        job.sdk,
        v3.CheckDataTransformationReq(
            job_id=job.job,
            transformation_info=v3.TransformationInfo("configConditionalFilter", "config"),
            config_transformation=v3.ConfigTransformationVo(
                "shop.lines", "shop", "lines", "id,note", "id", "note", "id > 5"
            ),
        ),
    )
    assert (row.status, row.error_code) == ("failed", EXISTS)
    for bad in (
        v5.DataFilteringAdvancedSetting("shop", "lines", "", "id", "", ""),
        v5.DataFilteringAdvancedSetting("shop", "lines", "id", " , ", "", ""),
        v5.DataFilteringAdvancedSetting("shop", "lines", "id", "id", "", "x" * 513),
        v5.DataFilteringAdvancedSetting("", "lines", "id", "id", "", ""),
    ):
        body = v5.DataFilterRuleReq(advanced_setting_list=[bad], source="job", data_filter_type="config")
        assert job.refused("save_data_filter_rules", body=body)[0] == INVALID
        assert job.refused("check_data_filter_rules", body=body)[0] == INVALID
    body = v5.DataFilterRuleReq(source="job", data_filter_type="config")
    assert job.refused("save_data_filter_rules", body=body)[0] == EMPTY
    number = rule.batch_id
    job.call("delete_data_filter_rules", body=v5.DeleteDataFilterRuleReq([number], "config"))
    assert selection(world, job).joined == {}


def test_a_table_that_is_only_looked_into_is_not_chosen(world: World, job: Ruled) -> None:
    looked = v5.TableObject(
        sync_type="config", config_conditions=["id > 5"],
        columns={"id": v5.ColumnObject(sync_type="config", primary_key_for_data_filtering="id")},
    )  # fmt: skip
    info = {
        "shop": v5.DatabaseObject(all=False, tables={"orders": v5.TableObject(type="table"), "lines": looked}),
        "crm": v5.DatabaseObject(sync_type="config", tables={"customers": looked}),
    }
    job.choose(v5.DbObject(object_scope="table", object_info=info))
    found = selection(world, job)
    assert found.tables == {ORDERS} and set(found.joined) == {LINES, TableName("crm", "customers")}
    tree = job.modified()["object_info"]
    assert tree["crm"]["sync_type"] == "config" and tree["shop"]["tables"]["lines"]["sync_type"] == "config"
    more = v5.DataProcessInfo(
        db_object=v5.DbObject(object_scope="table", object_info={"crm": info["crm"]}),
        filter_conditions=[v5.DataFilteringCondition(filtering_type="configConditionalFilter", value="config")],
    )
    job.process(more)
    assert selection(world, job).joined.keys() == found.joined.keys()


# --- schema changes ----------------------------------------------------------------------------------


def ddl(job: Ruled) -> str:
    return str(job.sdk.detail(job.job).policy_config.support_ddl_info)


def test_schema_changes_are_chosen_for_the_whole_job(world: World, job: Ruled) -> None:
    every = "CREATE TABLE, ALTER TABLE,DROP TABLE,RENAME TABLE"
    whole = scope("shop")

    def info(tree: v5.DbObject, **choice: str) -> v5.DataProcessInfo:
        return v5.DataProcessInfo(db_object=tree, is_batch_process=True, ddl_operation=choice)

    job.process(info(scope("shop", "orders"), table=every))  # as it is
    code, told = refused(job, info(scope("shop", "orders"), table="CREATE TABLE,ALTER TABLE,RENAME TABLE"))
    assert code == UNSUPPORTED and "for all of its tables" in told
    assert "DROP_TABLE" in ddl(job)
    job.process(info(whole, table="create table,alter table, rename  table"))
    assert "DROP_TABLE" not in ddl(job) and "TRUNCATE_TABLE" in ddl(job)
    job.process(orders(dml_operation="u"))
    assert job.rules()[0].ddl_operation == {"table": "CREATE TABLE,ALTER TABLE,RENAME TABLE,TRUNCATE TABLE"}
    job.process(info(v5.DbObject(object_scope="all"), table=f"{every},TRUNCATE TABLE"))
    assert "DROP_TABLE" in ddl(job)
    job.process(info(whole))
    assert job.sdk.detail(job.job).policy_config.ddl_trans is False
    assert not job.rules()[0].ddl_operation
    for choice, word in (
        ({"table": "CREATE TABLE"}, "ALTER TABLE, RENAME TABLE cannot be left out"),
        ({"table": f"{every},DROP VIEW"}, "DROP VIEW"),
        ({"index": "ADD INDEX"}, "index"),
    ):
        code, told = refused(job, info(whole, **choice))
        assert code == INVALID and word in told
    code, told = refused(job, info(whole, table=every), info(scope("shop", "orders"), table=""))
    assert code == INVALID and "not the same everywhere" in told


def test_schema_changes_to_kafka_want_a_topic(publisher: Ruled) -> None:
    every = {"table": "CREATE TABLE,ALTER TABLE,RENAME TABLE,DROP TABLE"}
    whole = v5.DataProcessInfo(db_object=scope("shop"), is_batch_process=True, ddl_operation=every)
    code, told = refused(publisher, whole)
    assert code == INVALID and "ddl_topic" in told
    asked = v3.SyncPolicyReq(job_id=publisher.job, ddl_trans=True, ddl_topic="ddl")
    publisher.sdk.call("batch_set_policy", version="v3", body=v3.BatchSetupSyncPolicyReq([asked]))
    publisher.process(whole)


# --- what is refused ---------------------------------------------------------------------------------


def refused(job: Ruled, *infos: v5.DataProcessInfo) -> tuple[str, str]:
    return job.refused("update_data_progress", body=v5.DataProcessReq(data_process_info=list(infos)))


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
    found, told = refused(job, info)
    assert (found, words in told) == (code, True), told
    if code == INVALID and "data_process_info" in told:
        found, told = refused(job, orders(dml_operation="x"), info)
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
    assert refused(job, batch)[0] == FIXED
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
