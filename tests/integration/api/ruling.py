"""Short words for what tests of the rules of tables do through the SDK all the time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import huaweicloudsdkdrs.v3 as v3
import huaweicloudsdkdrs.v5 as v5

from opendrs.model.catalog import TableName
from opendrs.model.checkpoint import Phase
from opendrs.model.lifecycle import State
from opendrs.model.selection import Selection
from opendrs.store import checkpoints, jobs
from tests.harness.mysql_family import FamilyServer
from tests.harness.server import Server
from tests.harness.service import Sdk, eventually
from tests.integration.api.jobs import chosen, creation, endpoint
from tests.integration.api.world import World

FOLLOWS = "INCRE_TRANSFER_STARTED"
ORDERS, LINES = TableName("shop", "orders"), TableName("shop", "lines")
UNKNOWN = "00000000-0000-0000-0000-000000000000"
NO_QUERY, NO_JOB, NO_JOB_3, FIXED, EXISTS = "DRS.M00303", "DRS.10000010", "DRS.M05003", "DRS.M00401", "DRS.M07000"
INVALID, EMPTY, UNSUPPORTED, SAVING, UNREAD = "DRS.M00202", "DRS.M00201", "DRS.10050044", "DRS.10030015", "DRS.10030016"


def table_id(database: str, table: str) -> str:
    return f"{database}-*-*-{table}"


def scope(database: str, *tables: str, **facts: v5.TableObject) -> v5.DbObject:
    """db_object of a DataProcessInfo: tables of a database, or all of it."""
    there = {table: v5.TableObject(type="table") for table in tables} | facts
    return v5.DbObject(
        object_scope="table" if there else "database",
        object_info={database: v5.DatabaseObject(all=not there, tables=there or None)},
    )


def content(condition: str) -> list[v5.DataFilteringCondition]:
    return [v5.DataFilteringCondition(filtering_type="contentConditionalFilter", value=condition)]


def column(name: str, mapped: str | None = None, *, left_out: bool | None = None) -> v5.QueryColumnInfo:
    return v5.QueryColumnInfo(column_name=name, column_mapped_name=mapped, is_filtered=left_out)


@dataclass
class Ruled:
    """A job that is being configured."""

    sdk: Sdk
    job: str

    def call(self, name: str, /, **parameters: Any) -> Any:
        return self.sdk.call(name, job_id=self.job, **parameters)

    def refused(self, name: str, /, **parameters: Any) -> tuple[str, str]:
        """Code and text with which a call is refused."""
        code = self.sdk.refusal(lambda: self.call(name, **parameters))
        return code, str(self.sdk.seen[-1].json()["error_msg"])

    # objects

    def choose(self, tree: v5.DbObject) -> None:
        saved = self.sdk.update(self.job, "db_object", db_object=tree)
        self.saved(saved.id)

    def saved(self, query: str, show: str = "show_update_object_saving_status") -> None:
        def there() -> bool:
            found = self.call(show, query_id=query)
            assert found.status != "failed", self.sdk.seen[-1].text
            return bool(found.status == "success")

        eventually(there)

    def modified(self) -> dict[str, Any]:
        """The tree of what is chosen, as it came."""
        self.call("list_db_objects", type="modified")
        found: dict[str, Any] = self.sdk.seen[-1].json()
        return found

    # rules

    def process(self, *infos: v5.DataProcessInfo) -> None:
        """Saves rules, which must be good."""
        query = self.asked(*infos)
        self.saved(query, "show_data_processing_rules_result")

    def asked(self, *infos: v5.DataProcessInfo) -> str:
        body = v5.DataProcessReq(data_process_info=list(infos))
        return str(self.call("update_data_progress", body=body).id)

    def process_fails(self, *infos: v5.DataProcessInfo) -> str:
        """Why rules that were taken are not saved in the end."""
        query = self.asked(*infos)
        show = "show_data_processing_rules_result"
        eventually(lambda: self.call(show, query_id=query).status == "failed")
        found = self.sdk.seen[-1].json()
        assert found["error_code"] == SAVING, found
        return str(found["error_msg"])

    def process_refused(self, *infos: v5.DataProcessInfo) -> tuple[str, str]:
        """Code and text with which rules are refused at once."""
        return self.refused("update_data_progress", body=v5.DataProcessReq(data_process_info=list(infos)))

    def rules(self) -> list[Any]:
        return list(self.call("show_data_progress", limit=1000).data_process_info)

    def check(self, *infos: v5.DataProcessInfo) -> Mapping[str, str]:
        """By table, why a filter is none; empty: it is one."""
        query = self.call("check_data_filter", body=v5.DataProcessReq(data_process_info=list(infos))).id
        return self.checked(query)

    def checked(self, query: str) -> Mapping[str, str]:
        def there() -> Any:
            found = self.call("show_data_filtering_result", query_id=query)
            return found if found.db_object_filtering_result is not None else None

        found = eventually(there)
        rows = found.db_object_filtering_result
        assert found.success_count == sum(row.is_success for row in rows)
        assert found.success_count + found.failed_count == len(rows)
        assert all(bool(row.message) is not row.is_success for row in rows)
        return {f"{row.db_name}.{row.table_name}": row.message or "" for row in rows}

    def filters(self, kind: str = "common", **more: Any) -> Any:
        body = v5.QueryDataFilterRuleReq(filter_type=kind, is_all_rules=True, **more)
        query = self.call("collect_data_filter_rules", body=body).id
        return self.call("show_data_filter_rules_result", query_id=query)

    def failed_checks(self) -> list[Any]:
        """The findings that are in the way of a start."""
        query = self.sdk.act(self.job, "precheck", precheck_mode="forStartJob")
        result = eventually(
            lambda: (
                (found := self.sdk.detail(self.job, "precheck", query_id=query).precheck_result).process == "100%"
                and found
            )
        )
        failed = [row for row in result.precheck_results if row.result == "FAILED"]
        assert (result.total_passed_rate == "100%") == (not failed)
        return failed

    def start(self) -> None:
        assert self.failed_checks() == []
        self.sdk.act(self.job, "start")
        self.sdk.until(self.job, FOLLOWS)


def ruled(sdk: Sdk, name: str, source: FamilyServer, target: Server, database: str, there: str) -> Ruled:
    """A job that has chosen a database."""
    made = sdk.call("create_job", body=creation(name, endpoint("so", source), endpoint("ta", target, database=there)))
    sdk.until(made.id, "CONFIGURATION")
    found = Ruled(sdk, made.id)
    found.choose(chosen(database))
    return found


def general(condition: str, *names: tuple[str, str]) -> v5.GeneralTransformationReq:
    """A filter of tables, as the newer operations have it."""
    objects = [
        v5.DataFilterObjectInfo(id=table_id(*name), parent_id=name[0], object_name=name[1], object_type="table")
        for name in names
    ]
    return v5.GeneralTransformationReq(filter_object_list=objects, source_filter_condition=condition)


def common(*general: v5.GeneralTransformationReq) -> v5.DataFilterRuleReq:
    return v5.DataFilterRuleReq(general_filtering_list=list(general), source="job", data_filter_type="common")


def select_v3(sdk: Sdk, *rows: v3.UpdateDatabaseObjectReq, **more: Any) -> Sequence[Any]:
    body = v3.BatchUpdateDatabaseObjectReq(jobs=list(rows))
    answer = sdk.call("batch_set_objects", version="v3", body=body, **more)
    assert sdk.seen[-1].status_code == 202
    assert answer.all_counts == len(answer.results) == len(rows)
    assert [row.job_id for row in answer.results] == [row.job_id for row in rows]
    return list(answer.results)


def transform_v3(sdk: Sdk, *rows: v3.CheckDataTransformationReq, **more: Any) -> Sequence[Any]:
    body = v3.BatchDataTransformationReq(jobs=list(rows))
    answer = sdk.call("batch_change_data", version="v3", body=body, **more)
    assert answer.count == len(answer.results) == len(rows)
    assert [row.id for row in answer.results] == [row.job_id for row in rows]
    return list(answer.results)


def content_v3(job: str, condition: str, *ids: str) -> v3.CheckDataTransformationReq:
    return v3.CheckDataTransformationReq(
        job_id=job,
        object_info=[v3.DatabaseObjectVO(id=one, select="true") for one in ids],
        transformation_info=v3.TransformationInfo(transformation_type="contentConditionalFilter", value=condition),
    )


# --- where the test plays the workers ---------------------------------------------------------------


def selection(world: World, job: Ruled) -> Selection:
    with world.store.read() as connection:
        return jobs.selection_of(connection, job.job)


def orders(**facts: Any) -> v5.DataProcessInfo:
    return v5.DataProcessInfo(db_object=scope("shop", "orders"), **facts)


def mapping(*columns: v5.ColumnInfo, table: TableName = ORDERS) -> v5.ModifyColumnInfoReq:
    return v5.ModifyColumnInfoReq([v5.ColumnMappingInfo(table_id(table.schema, table.table), list(columns))])


def begin(world: World, job: Ruled) -> None:
    """The job follows, and has what it has chosen."""
    with world.store.write() as connection:
        checkpoints.save(connection, job.job, epoch=1, phase=Phase.FOLLOWING, position=None)
        jobs.change(connection, job.job, state=State.INCREMENTAL.value)


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
