"""The judge of answers finds what is wrong with them, and nothing in what is right."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.shapes import deviations

JOB: dict[str, Any] = {
    "billing_tag": False,
    "charging_mode": "on_demand",
    "create_time": "2026-01-01T00:00:00Z",
    "description": "",
    "engine_type": "mysql",
    "enterprise_project_id": "0",
    "id": "4f2e0c1a-0000-4000-8000-0000001jb201",
    "is_multi_az": False,
    "job_action": {"available_actions": ["START"], "unavailable_actions": [], "current_action": ""},
    "job_direction": "non-dbs",
    "job_mode": "single",
    "job_mode_role": "master",
    "job_type": "sync",
    "name": "warehouse",
    "net_type": "eip",
    "node_new_framework": True,
    "node_role": "",
    "status": "CONFIGURATION",
    "task_type": "FULL_INCR_TRANS",
}
ERROR = {"error_code": "DRS.10000010", "error_msg": "There is no such job."}
METRICS = {"job": {"metrics": {"time_stamp": "2026-01-01T00:00:00Z"}}}


def jobs(**changes: Any) -> dict[str, Any]:
    return {"total_count": 1, "jobs": [JOB | changes]}


GOOD: list[tuple[str, int, Any]] = [
    ("list_jobs", 200, jobs()),
    ("list_jobs", 200, {"total_count": 0, "jobs": []}),
    ("list_jobs", 200, jobs(children=None)),
    ("create_job", 202, {"id": "1", "name": "a", "status": "CREATING", "job": {"id": "1"}}),
    ("execute_job_action", 202, {"query_id": "q", "id": "1", "name": "a", "status": "CONFIGURATION"}),
    ("update_job", 200, {"id": "1", "name": "a", "status": "success", "query_id": "q"}),
    ("update_job", 200, {"id": "1", "name": "a", "status": "failed", **ERROR}),
    ("delete_job", 200, None),
    ("delete_job", 200, {}),
    ("list_db_objects", 200, {"object_info": {"shop": {"tables": {"orders": {"name": "orders", "all": True}}}}}),
    ("list_support_links", 200, [{"total_count": 1, "support_links": []}]),
    ("show_job_detail", 200, METRICS),
    ("show_job_detail", 200, {"job": {"policy_config": {"apply_mode": "merged", "ddl_trans": True}}}),
    ("download_file", 200, b"PK"),
    ("clean_alarms", 200, {"anything": ["goes"]}),
    ("list_jobs", 400, ERROR),
    ("list_jobs", 400, {"error_code": "DRS.M05003", "error_msg": "x" * 512}),
    ("list_jobs", 401, {"error_code": "APIGW.0301", "error_msg": "No.", "request_id": "r"}),
    ("download_file", 400, ERROR),
]


@pytest.mark.parametrize(("name", "status", "body"), GOOD)
def test_nothing_is_found_in_good_answers(name: str, status: int, body: Any) -> None:
    assert deviations("v5", name, status, body) == []


BAD: list[tuple[str, int, Any, str]] = [
    ("list_jobs", 200, jobs() | {"total_count": "1"}, "total_count: int was declared, not str '1'"),
    ("list_jobs", 200, jobs() | {"total_count": True}, "total_count: int was declared, not bool True"),
    ("list_jobs", 200, jobs() | {"total_count": 1.0}, "total_count: int was declared, not float 1.0"),
    ("list_jobs", 200, jobs() | {"total_count": ""}, "total_count: int was declared, not str ''"),
    ("list_jobs", 200, jobs(is_multi_az="false"), "jobs[0].is_multi_az: bool was declared, not str 'false'"),
    ("list_jobs", 200, jobs(is_multi_az=0), "jobs[0].is_multi_az: bool was declared, not int 0"),
    ("list_jobs", 200, jobs(name=5), "jobs[0].name: str was declared, not int 5"),
    ("list_jobs", 200, jobs(colour="red"), "jobs[0].colour: not declared in JobListResp"),
    ("list_jobs", 200, jobs(children=JOB), "jobs[0].children: list[ChildrenJobListResp] was declared, not dict {"),
    ("list_jobs", 200, jobs(status=None), "jobs[0].status: null, but required in JobListResp"),
    ("list_jobs", 200, {"jobs": []}, "total_count: missing, but required in ListJobsResponse"),
    ("list_jobs", 200, {"total_count": 1, "jobs": [None]}, "jobs[0]: JobListResp was declared, not NoneType None"),
    ("list_jobs", 200, [], "the answer: ListJobsResponse was declared, not list []"),
    ("list_jobs", 200, None, "the answer: ListJobsResponse was declared, not NoneType None"),
    ("list_jobs", 302, None, "status 302 is neither good nor an error"),
    ("update_job", 200, {"id": "1", "name": "a"}, "status: missing, but required in UpdateJobResponse"),
    ("create_job", 202, {"job": {"id": 1}}, "job.id: str was declared, not int 1"),
    ("delete_job", 200, {"id": "1"}, "an empty answer was declared, not dict {'id': '1'}"),
    (
        "list_db_objects",
        200,
        {"object_info": {"shop": {"tables": {"orders": {"all": 1}}}}},
        "object_info['shop'].tables['orders'].all: bool was declared, not int 1",
    ),
    ("list_db_objects", 200, {"object_info": []}, "object_info: dict(str, DatabaseObject) was declared, not list []"),
    ("list_support_links", 200, {"total_count": 0}, "body: list[SupportLinksResp] was declared, not dict {"),
    (
        "show_job_detail",
        200,
        {"job": {"metrics": {"time_stamp": 1700000000}}},
        "job.metrics.time_stamp: date was declared, not int 1700000000",
    ),
    ("download_file", 200, {"file": "x"}, "a file was declared, not dict {'file': 'x'}"),
    ("list_jobs", 400, ERROR | {"detail": "x"}, "detail: not declared in an error"),
    ("list_jobs", 400, ERROR | {"request_id": "r"}, "request_id: not declared in an error"),
    ("list_jobs", 400, {"error_msg": "x"}, "error_code: NoneType None is no code"),
    ("list_jobs", 400, ERROR | {"error_code": "400"}, "error_code: str '400' is no code"),
    ("list_jobs", 400, ERROR | {"error_msg": ""}, "error_msg: str '' is no text of 1 to 512 characters"),
    ("list_jobs", 400, ERROR | {"error_msg": "x" * 513}, "error_msg: str 'xxx"),
    ("list_jobs", 401, {"error_code": "APIGW.0301", "error_msg": "No."}, "request_id: missing beside"),
    ("list_jobs", 500, "Internal Server Error", "an error must be an object, not str 'Internal Server Error'"),
]


@pytest.mark.parametrize(("name", "status", "body", "found"), BAD, ids=[f"{n}-{f[:40]}" for n, _, _, f in BAD])
def test_what_is_wrong_is_found(name: str, status: int, body: Any, found: str) -> None:
    lines = deviations("v5", name, status, body)
    assert len(lines) == 1
    assert lines[0].startswith(found)


def test_everything_that_is_wrong_is_found_at_once() -> None:
    assert len(deviations("v5", "list_jobs", 200, {"jobs": [{}]})) == 1 + len(JOB)
