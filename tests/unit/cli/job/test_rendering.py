"""What people and programs get to see."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from opendrs.cli.display import fields
from opendrs.cli.job.listing import TITLES, cells
from opendrs.cli.job.watch import over, view
from opendrs.cli.printing import clean, lines, print_columns
from opendrs.model.lifecycle import State
from tests.unit.cli.job.conftest import Run, Serve
from tests.unit.cli.job.fake import ID, job, jobs

EXPECTED = Path(__file__).with_name("expected")

DETAIL: dict[str, Any] = {
    "id": ID,
    "status": "FULL_TRANSFER_FAILED",
    "base_info": {"name": "shop", "task_type": "FULL_INCR_TRANS", "description": "for\x1b[31m people"},
    "create_time": "2026-11-29T08:00:00Z",
    "source_endpoint": [{"db_type": "mysql", "endpoint": {"ip": "db1", "db_port": "3306", "db_user": "me"}}],
    "target_endpoint": [
        {
            "db_type": "postgresql",
            "endpoint": {"ip": "db2", "db_port": "5432", "db_user": "me", "db_name": "w"},
            "ssl": {"ssl_link": True, "ssl_cert_key": "PEM"},
        }
    ],
    "policy_config": {"apply_mode": "merged", "index_trans": False, "ddl_trans": True},
    "speed_limit": [
        {"begin": "01:00", "end": "05:59", "speed": "10", "is_utc": True},
        {"begin": "22:00", "end": "00:59", "speed": "5", "is_utc": False},
    ],
}
PROGRESS: dict[str, Any] = {
    "id": ID,
    "status": "FULL_TRANSFER_FAILED",
    "progress_info": {
        "progress": "43",
        "incr_trans_delay": "-1",
        "incr_trans_delay_millis": "-1",
        "task_mode": "FULL_INCR_TRANS",
        "progress_map": {
            "struct": {"completed": "100%"},
            "data": {"completed": "43%"},
            "index": {"completed": "0%"},
        },
        "apply_rows_rate": 12,
        "apply_bytes_rate": 3456,
        "dirty_rows": 1,
        "ddl_alarms": 2,
    },
    "migration_object_progress_info": {
        "migration_object_overview": [{"type": "TABLE", "src_count": "3", "dst_count": "1", "status": "TRANSFERING"}]
    },
}
LOGS = [
    {"id": 2, "create_time": "2026-11-29T08:00:02Z", "level": "Error", "message": "no room\nmake some"},
    {"id": 1, "create_time": "2026-11-29T08:00:01Z", "level": "Info", "message": "it begins"},
]
TABLES = [
    {"src_db": "shop", "src_tb": name, "dst_db": "shop", "dst_tb": name, "progress": done}
    for name, done in (("a", 100), ("b", 60), ("c", 3))
]


def detail(query: dict[str, str]) -> Any:
    views = {"detail": DETAIL, "progress": PROGRESS, "log": {"logs": LOGS[: int(query.get("limit", 10))]}}
    return {"job": views[query["type"]]}


ANSWERS = {
    "GET /jobs": jobs(job("shop", 1), job("a-job-of-another-name", 2, "PAUSING"), job("old", 3, source="", target="")),
    f"GET /jobs/{ID}": detail,
    f"GET /jobs/{ID}/actions": {
        "job_action": {"available_actions": ["PRE_CHECK", "RETRY", "FREE_RESOURCE"], "current_action": "PAUSE"}
    },
    f"GET /jobs/{ID}/db-objects": {
        "object_scope": "table",
        "object_info": {"shop": {"name": "store", "tables": {name: {"name": name} for name in "abc"}}},
    },
    f"GET /jobs/{ID}/progress-data/table": {"count": 3, "flow_compare_data": TABLES},
}


@pytest.mark.golden
@pytest.mark.parametrize(
    "words",
    [("list",), ("list", "--json"), ("show", ID), ("show", ID, "--json"), ("logs", ID), ("logs", ID, "--json")],
    ids=lambda words: "-".join(word.strip("-") for word in words if word != ID),
)
def test_what_is_printed(words: tuple[str, ...], serve: Serve, run: Run, request: pytest.FixtureRequest) -> None:
    serve(ANSWERS)
    ran = run("job", *words)
    assert ran.exit_code == 0, ran.output
    name = "-".join(word.strip("-") for word in words if word != ID)
    expected = EXPECTED / f"{name}.{'json' if '--json' in words else 'txt'}"
    if os.environ.get("OPENDRS_GOLDEN") == "rewrite":
        expected.write_text(ran.stdout)
    assert ran.stdout == expected.read_text()
    if "--json" in words:
        assert json.loads(ran.stdout)["version"] == 1


def test_a_list_that_is_longer_than_asked_for_says_so(serve: Serve, run: Run) -> None:
    fake = serve(ANSWERS)
    ran = run("job", "list", "--limit", "2", "--state", "following")
    assert len(ran.stdout.splitlines()) == 3 and ran.stderr == "2 of 3 jobs; --all shows all.\n"
    assert {one.url.params["status"] for one in fake.requests} == {"INCRE_TRANSFER_STARTED"}
    assert not run("job", "list", "--all").stderr


def test_a_terminal_cuts_lines_where_it_ends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "60"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    print_columns(TITLES, [cells(job("shop"))])
    shown = capsys.readouterr().out.splitlines()
    assert shown[1].startswith(f"shop  {job('shop')['id']}  following") and shown[1].endswith("…")


def test_columns_are_as_wide_as_they_need_to_be() -> None:
    assert lines(("A", "B"), [("数据", "x"), ("a", "")]) == ["A     B", "数据  x", "a"]
    assert clean("a\x1b[31m\n\x07ü") == "a�[31m\n�ü"


def test_a_view_has_no_more_than_the_service_says() -> None:
    found = view(PROGRESS, LOGS[::-1])
    assert found.state is State.FULL_FAILED and [one.id for one in found.events] == [1, 2]
    assert {name: value for name, value in fields(found, None).items() if value is not None} == {
        "phase": "loading",
        "state": "FULL_TRANSFER_FAILED",
        "done": "43.0%",
        "tables": "1/3",
        "rows_per_s": 12,
        "bytes_per_s": 3456,
        "dirty_rows": 1,
        "ddl_alarms": 2,
    }
    paused = view({**PROGRESS, "status": "PAUSING"}, [])
    assert paused.phase == "paused" and fields(paused, None)["lag_s"] is None


@pytest.mark.parametrize(
    ("status", "task", "ends"),
    [
        ("FULL_TRANSFER_STARTED", "FULL_TRANS", False),
        ("FULL_TRANSFER_COMPLETE", "FULL_TRANS", True),
        ("FULL_TRANSFER_COMPLETE", "FULL_INCR_TRANS", False),
        ("PAUSING", "FULL_TRANS", False),
        ("INCRE_TRANSFER_FAILED", "FULL_INCR_TRANS", True),
        ("RELEASE_RESOURCE_COMPLETE", "FULL_INCR_TRANS", True),
    ],
)
def test_when_there_is_nothing_more_to_watch(status: str, task: str, ends: bool) -> None:
    assert (over({"status": status, "progress_info": {"task_mode": task}}) is not None) is ends
