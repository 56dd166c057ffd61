"""What is said of single tables, through the SDK, while the test plays the workers: every way that a rule comes is shown
by every view, and what is wrong is refused with its code and said by name."""

from __future__ import annotations

import huaweicloudsdkdrs.v3 as v3
import huaweicloudsdkdrs.v5 as v5
import pytest

from opendrs.model.catalog import TableName
from opendrs.model.rules import EVERY_DML, TableRule
from tests.integration.api.ruling import (
    EMPTY,
    EXISTS,
    INVALID,
    LINES,
    ORDERS,
    UNSUPPORTED,
    WAYS,
    Ruled,
    common,
    content,
    general,
    mapping,
    orders,
    scope,
    selection,
    transform_v3,
)
from tests.integration.api.world import World


@pytest.fixture
def world(ruled_world: World) -> World:
    return ruled_world


@pytest.fixture
def job(ruled_job: Ruled) -> Ruled:
    return ruled_job


# --- every way in, every view ------------------------------------------------------------------------


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
    assert info.dml_operation is None and info.is_synchronized is False and info.source == "job"
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
    assert selection(world, job).rules == {ORDERS: TableRule(dml=EVERY_DML)}, "all that was said is kept"
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


def test_names_of_topics(world: World, ruled_publisher: Ruled) -> None:
    rename = v5.DbOrTableRenameRule(None, ".v2", "prefixAndSuffix")
    ruled_publisher.process(
        v5.DataProcessInfo(db_object=scope("shop"), is_batch_process=True, db_or_table_rename_rule=rename),
        v5.DataProcessInfo(db_object=scope("shop", orders=v5.TableObject(name="of-orders"))),
    )
    found = selection(world, ruled_publisher)
    assert found.topics == {TableName("shop", ""): "shop.v2", ORDERS: "of-orders"} and not found.schemas
    tree = ruled_publisher.modified()["object_info"]["shop"]
    assert (tree["name"], tree["tables"]["orders"]["name"]) == ("shop.v2", "of-orders")
    ruled_publisher.process(v5.DataProcessInfo(db_object=scope("shop", orders=v5.TableObject(name="orders"))))
    assert selection(world, ruled_publisher).topics == {TableName("shop", ""): "shop.v2"}
    told = ruled_publisher.process_fails(v5.DataProcessInfo(db_object=scope("shop", orders=v5.TableObject(name="a b"))))
    assert "is no name of a topic" in told
    extra = v5.AddColumnInfo("create_time", "at", data_type="datetime")
    code, told = ruled_publisher.process_refused(orders(add_columns=[extra]))
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
    code, told = job.process_refused(info(scope("shop", "orders"), table="CREATE TABLE,ALTER TABLE,RENAME TABLE"))
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
        code, told = job.process_refused(info(whole, **choice))
        assert code == INVALID and word in told
    code, told = job.process_refused(info(whole, table=every), info(scope("shop", "orders"), table=""))
    assert code == INVALID and "not the same everywhere" in told


def test_schema_changes_to_kafka_want_a_topic(ruled_publisher: Ruled) -> None:
    every = {"table": "CREATE TABLE,ALTER TABLE,RENAME TABLE,DROP TABLE"}
    whole = v5.DataProcessInfo(db_object=scope("shop"), is_batch_process=True, ddl_operation=every)
    code, told = ruled_publisher.process_refused(whole)
    assert code == INVALID and "ddl_topic" in told
    asked = v3.SyncPolicyReq(job_id=ruled_publisher.job, ddl_trans=True, ddl_topic="ddl")
    ruled_publisher.sdk.call("batch_set_policy", version="v3", body=v3.BatchSetupSyncPolicyReq([asked]))
    ruled_publisher.process(whole)
