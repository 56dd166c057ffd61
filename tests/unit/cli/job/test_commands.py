"""Commands: what they ask of the service, and how they end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from opendrs.cli.job import logs, verbs, watch
from tests.unit.cli.job.conftest import Run, Serve
from tests.unit.cli.job.fake import ID, Fake, job, jobs

ENDS = ("mysql://me:secret-of-source@db1", "postgresql://me:secret-of-target@db2/w")
ITEM = {"item": "srcBinlogFormatCheck", "group": "db_params", "result": "PASSED"}
PASSED = {"precheck_result": {"process": "100%", "result": True, "precheck_results": [
    {**ITEM, "data": json.dumps({"message": "rows", "remedy": ""})}]}}  # fmt: skip
FAILED = {"precheck_result": {"process": "100%", "result": False, "precheck_results": [
    {**ITEM, "result": "FAILED", "failed_reason": "statements", "data": json.dumps(
        {"message": "statements", "remedy": "SET GLOBAL binlog_format = 'ROW';"})}]}}  # fmt: skip
REACHED = {"network_results": [{"ip": ip, "success": True, "result": "1.0"} for ip in ("db1", "db2")]}
UNREACHED = {"network_results": [REACHED["network_results"][0], {
    "ip": "db2", "success": False, "error_code": "DRS.10050002", "error_msg": "cannot be reached"}]}  # fmt: skip


def creating(network: Any = REACHED, precheck: Any = PASSED) -> dict[str, Any]:
    """A service at which one creates a job; its first looks come too early."""
    early = {"network": {"network_results": []}, "precheck": {"precheck_result": {"process": "0%"}}}
    seen: set[str] = set()

    def detail(query: dict[str, str]) -> Any:
        kind = query["type"]
        first, _ = kind not in seen, seen.add(kind)
        views = {"network": network, "precheck": precheck, "overview": {"status": "CONFIGURATION"}}
        early["overview"] = {"status": "CREATING"}
        return {"job": (early if first else views)[kind]}

    return {
        "POST /jobs": {"id": ID, "name": "shop"},
        f"GET /jobs/{ID}": detail,
        f"POST /jobs/{ID}/action": {"query_id": "q"},
        f"PUT /jobs/{ID}": {"query_id": "q"},
        f"POST /jobs/{ID}/db-objects/collect": {"id": "q"},
        f"GET /jobs/{ID}/db-objects/collection-status": [
            {"status": "pending"},
            {"status": "success", "object_info": {"shop": {"total_table_num": 1, "tables": {"t": {"type": "table"}}}}},
        ],
        f"GET /jobs/{ID}/db-objects/saving-status": {"status": "success"},
    }


def asked(fake: Fake) -> list[str]:
    """The actions and updates, in order."""
    found = [body["job"] for method in ("POST", "PUT") for body in fake.bodies(method)]
    return [one.get("action_name") or one.get("type") or "create" for one in found]


def test_a_creation_that_goes_through(serve: Serve, run: Run) -> None:
    fake = serve(creating())
    ran = run("job", "create", "shop", *ENDS, "--tables", "shop.t?", "--tables", "shop.t", "--skip-ddl", "drop_table")
    assert ran.exit_code == 2 and "no table shop.t?" in ran.stderr  # of which the job knows nothing
    fake = serve(creating())
    ran = run(
        "job", "create", "shop", *ENDS, "--tables", "shop.t*", "--task", "full", "--skip-ddl", "drop_table", "--start"
    )
    assert ran.exit_code == 0, ran.output
    assert asked(fake) == ["create", "network", "precheck", "start", "policy", "db_object"]
    created = fake.bodies("POST")[0]["job"]
    assert created["base_info"]["engine_type"] == "mysql-to-pgl" and created["base_info"]["task_type"] == "FULL_TRANS"
    assert created["source_endpoint"][0]["endpoint"]["db_password"] == "secret-of-source"
    policy, objects = (body["job"]["params"] for body in fake.bodies("PUT"))
    assert objects["db_object"]["object_info"]["shop"]["tables"] == {"t": {"name": "t", "type": "table"}}
    assert "DROP_TABLE" not in policy["policy_config"]["support_ddl_info"]
    assert "secret-of" not in ran.output and "PASSED  srcBinlogFormatCheck" in ran.stdout


def beginning(*results: Any) -> dict[str, Any]:
    """The same for a job that begins at a place."""
    return creating() | {
        f"POST /jobs/{ID}/collect-db-position": (202, {"id": "found"}),
        f"PUT /jobs/{ID}/start-position": {"id": ID, "query_id": "looked"},
        f"GET /jobs/{ID}/db-position": list(results),
    }


PENDING = {"status": "pending"}
THERE = {"status": "success", "position": "b.000007:805", "gtid_set": "0-1-2", "time": "2026-11-30T07:00:00Z"}


def test_a_creation_of_a_job_that_begins_at_a_time(serve: Serve, run: Run) -> None:
    """The place is found, and set with its GTIDs; a set that is too long for that is left out."""
    for gtids in ("0-1-2", ",".join(["0-1-2"] * 400)):
        fake = serve(beginning(PENDING, {**THERE, "gtid_set": gtids}, PENDING, {**THERE, "gtid_set": gtids}))
        ran = run(
            "job", "create", "shop", *ENDS, "--databases", "shop", "--task", "incremental",
            "--from-time", "2026-11-30T08:00+01:00",
        )  # fmt: skip
        assert ran.exit_code == 0, ran.output
        assert {"reset_position_time": "2026-11-30T07:00:00Z"} in fake.bodies("POST")
        said = {"file_and_position": "b.000007:805", **({"gtid_set": gtids} if len(gtids) < 2048 else {})}
        assert fake.bodies("PUT")[-1] == said
        assert "position   begins at b.000007:805, in front of a transaction of 2026-11-30T07:00:00Z\n" in ran.stdout


def test_a_creation_of_a_job_that_begins_at_a_place(serve: Serve, run: Run) -> None:
    fake = serve(beginning(PENDING, {**THERE, "time": ""}))
    words = ("job", "create", "shop", *ENDS, "--databases", "shop", "--from-position", "b.000007:805")
    assert run(*words).exit_code == 2, "it loads"
    ran = run(*words, "--task", "incremental")
    assert ran.exit_code == 0, ran.output
    assert fake.bodies("PUT")[-1] == {"file_and_position": "b.000007:805"}
    assert "position   begins at b.000007:805\n" in ran.stdout
    refused = {"status": "failed", "error_code": "DRS.10050082", "error_msg": "it does not reach"}
    serve(beginning(refused))
    ran = run(*words, "--task", "incremental")
    assert ran.exit_code == 1 and "it does not reach [DRS.10050082]" in ran.stderr
    assert f"kept as far as it is: {ID}" in ran.stderr


RULES = (
    "--exclude", "shop.old*", "--rename", "shop.t=crm.all_t", "--filter", "shop.t:id IN (SELECT id FROM u)",
    "--columns", "shop.t:v=value,-secret", "--add-column", "shop.t:origin expression varchar(256)", "--dml", "shop.t:iu",
    "--many-to-one",
)  # fmt: skip


def test_a_creation_with_rules(serve: Serve, run: Run) -> None:
    fake = serve(creating())
    ran = run("job", "create", "shop", *ENDS, "--databases", "shop", *RULES)
    assert ran.exit_code == 0, ran.output
    assert asked(fake)[-2:] == ["policy", "db_object"], "whether tables may arrive as one is known first"
    policy, objects = (body["job"]["params"] for body in fake.bodies("PUT"))
    assert policy["policy_config"]["data_sync_topology_type"] == "many2one"
    tree = objects["db_object"]
    assert tree["excluded"] == ["shop.old*"] and tree["object_info"]["shop"]["all"] is True
    assert tree["object_info"]["shop"]["tables"] == {
        "t": {
            "name": "all_t", "type": "table", "all": False, "db_alias_name": "crm", "dml": "i,u",
            "filtered": True, "filter_conditions": ["id IN (SELECT id FROM u)"],
            "columns": {
                "v": {"name": "value", "filtered": True}, "secret": {"name": "secret", "filtered": False},
                "origin": {
                    "name": "origin", "type": "varchar(256)", "additional": True, "value": "",
                    "operation_type": "ADDITIONALCOLUMN,expression",
                },
            },
        }
    }  # fmt: skip
    line = "shop.*, shop.t -> crm.all_t (filtered, columns, added columns, only i,u), without shop.old*"
    assert f"objects    {line}\n" in ran.stdout
    strange = run("job", "create", "shop", *ENDS, "--tables", "shop.other", "--dml", "shop.t:i")
    assert strange.exit_code == 2 and "it is not chosen" in strange.stderr
    fake = serve(creating())
    assert run("job", "create", "shop", *ENDS, "--dml", "shop.t:-").exit_code == 0
    (tree,) = [body["job"]["params"]["db_object"] for body in fake.bodies("PUT") if body["job"]["type"] == "db_object"]
    assert tree["object_scope"] == "all" and tree["object_info"]["shop"]["tables"]["t"]["dml"] == ""


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (creating(network=UNREACHED), ["[DRS.10050002]", "cannot be reached"]),
        (creating(precheck=FAILED), ["[DRS.10050050]", "srcBinlogFormatCheck", "`opendrs job precheck shop`"]),
        (creating() | {f"GET /jobs/{ID}/db-objects/saving-status": {"status": "failed", "error_code": "DRS.10030015",
            "error_msg": "no table"}}, ["[DRS.10030015]", "no table"]),
        (creating() | {f"PUT /jobs/{ID}": (400, {"error_code": "DRS.M00304", "error_msg": "not now"})}, ["DRS.M00304"]),
    ],
)  # fmt: skip
def test_a_creation_that_stops_halfway(answers: dict[str, Any], words: list[str], serve: Serve, run: Run) -> None:
    fake = serve(answers)
    ran = run("job", "create", "shop", *ENDS, "--tables", "shop.t", "--start")
    assert ran.exit_code == 1 and all(word in ran.stderr for word in words), ran.stderr
    assert f"kept as far as it is: {ID}" in ran.stderr and "start" not in asked(fake)
    assert "secret-of" not in ran.output


def test_a_creation_for_programs(serve: Serve, run: Run) -> None:
    serve(creating())
    ran = run("job", "create", "shop", *ENDS, "--databases", "shop", "--json")
    document = json.loads(ran.stdout)
    assert document["job"] == {"id": ID, "name": "shop", "status": "CONFIGURATION", "state": "configuring"}
    assert document["findings"][0]["message"] == "rows" and ran.stderr.startswith("created    shop ")


KAFKA = "kafka://me:secret-of-target@b1:9093,b2:9093/changes?sasl=SCRAM-SHA-256&format=canal-json&ddl_topic=ddl"


def test_a_creation_of_a_job_to_kafka(serve: Serve, run: Run) -> None:
    fake = serve(creating())
    ran = run("job", "create", "shop", ENDS[0], KAFKA, "--tables", "shop.t", "--topic", "shop.t=own")
    assert ran.exit_code == 0, ran.output
    created = fake.bodies("POST")[0]["job"]
    assert created["base_info"]["engine_type"] == "mysql-to-kafka"
    (target,) = created["target_endpoint"]
    assert target["endpoint"]["ip"] == "b1:9093,b2:9093" and target["endpoint"]["db_password"] == "secret-of-target"
    assert target["kafka_security"] == {"type": "SASL_PLAINTEXT", "sasl_mechanism": "SCRAM-SHA-256"}
    policy, objects = (body["job"]["params"] for body in fake.bodies("PUT"))
    assert objects["db_object"]["object_info"]["shop"]["tables"]["t"]["name"] == "own"
    found = policy["policy_config"]
    assert {"apply_mode", "index_trans"}.isdisjoint(found) and found["ddl_trans"] is True
    assert (found["topic_policy"], found["topic"], found["kafka_data_format"]) == ("0", "changes", "canal-json")
    assert (
        "canal-json messages, topic changes, partitions by table, exactly-once, schema changes published to ddl"
        in ran.output
    )
    assert "secret-of" not in ran.output and "shop.t -> own" in ran.output
    fake = serve(creating())
    assert run("job", "create", "shop", ENDS[0], "kafka://b1/", "--tables", "shop.t").exit_code == 0
    assert fake.bodies("PUT")[0]["job"]["params"]["policy_config"]["ddl_trans"] is False


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("kafka://b1/t?format=xml",), "format"),
        (("kafka://b1/t?nonsense=1",), "nonsense"),
        (("kafka://b1/?topic_policy=0",), "topic"),
        (("kafka://b1/", "--no-index"), "--no-index"),
        (("kafka://b1/", "--apply", "merged"), "--apply"),
        (("kafka://b1/", "--map", "shop=store"), "--map"),
        (("kafka://b1/", "--topic", "shop=a b"), "--topic"),
        (("kafka://b1/?tls=verify-ca",), "tls_ca"),
        ((ENDS[1], "--topic", "shop=store"), "--topic"),
    ],
)
def test_what_means_nothing_to_the_target(words: tuple[str, ...], told: str, serve: Serve, run: Run) -> None:
    fake = serve({})
    ran = run("job", "create", "shop", ENDS[0], *words)
    assert ran.exit_code in (1, 2) and told in ran.stderr and not fake.requests


def test_a_selection_of_a_job_to_kafka(serve: Serve, run: Run) -> None:
    kinds = {"mysql-to-kafka": ("--map", "shop=store"), "mysql-to-pgl": ("--topic", "shop=changes")}
    for kind, words in kinds.items():
        base = {"status": "CONFIGURATION", "base_info": {"engine_type": kind}}
        fake = serve({f"GET /jobs/{ID}": {"job": base}})
        ran = run("job", "select", ID, "--databases", "shop", *words)
        assert ran.exit_code == 2 and words[0] in ran.stderr and not fake.bodies("PUT")
    base = {"status": "CONFIGURATION", "base_info": {"engine_type": "taurus-to-kafka"}}
    fake = serve({**creating(), f"GET /jobs/{ID}": {"job": base}})
    ran = run("job", "select", ID, "--databases", "shop", "--topic", "shop=changes")
    assert ran.exit_code == 0 and "shop.* -> changes" in ran.stdout


def test_a_creation_that_cannot_be(serve: Serve, run: Run) -> None:
    fake = serve({})
    for words in (
        ("postgresql://me@a/b", ENDS[1]),
        (ENDS[0] + "?socket=/s", ENDS[1]),
        (*ENDS, "--tables", "shop"),
        (*ENDS, "--skip-ddl", "nonsense"),
    ):
        assert run("job", "create", "shop", *words).exit_code in (1, 2), words
    assert not fake.requests


@pytest.mark.parametrize("command", ["reset", "end", "delete", "terminate"])
def test_what_cannot_be_undone_is_asked_for(
    command: str, serve: Serve, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {f"POST /jobs/{ID}/action": {"query_id": "q"}, f"DELETE /jobs/{ID}": {}, **ended()}
    fake = serve(answers)
    ran = run("job", command, ID)
    assert ran.exit_code == 2 and "--yes" in ran.stderr and not fake.requests
    monkeypatch.setattr(verbs, "asks", lambda: True)
    ran = run("job", command, ID, input="n\n")
    assert ran.exit_code == 1 and "Nothing was done." in ran.stderr and not fake.requests
    assert run("job", command, ID, input="y\n").exit_code == 0 and fake.requests
    assert run("job", command, ID, "--yes").exit_code == 0


def ended() -> dict[str, Any]:
    return {
        f"GET /jobs/{ID}/actions": {"job_action": {"current_action": ""}},
        f"GET /jobs/{ID}": {"job": {"status": "RELEASE_RESOURCE_COMPLETE"}},
    }


def test_force(serve: Serve, run: Run) -> None:
    fake = serve({f"POST /jobs/{ID}/action": {"query_id": "q"}, **ended()})
    assert run("job", "end", ID, "--yes", "--force").exit_code == 0
    assert fake.bodies("POST")[0]["job"]["action_params"] == {"force_delete": True}


def test_part_of_a_name_is_not_enough_to_change_a_job(serve: Serve, run: Run) -> None:
    fake = serve({"GET /jobs": jobs(job("shop-1"))})
    ran = run("job", "stop", "shop")
    assert ran.exit_code == 1 and "there is shop-1" in ran.stderr
    assert all(one.method == "GET" for one in fake.requests)


def test_findings_decide_the_exit_code(serve: Serve, run: Run) -> None:
    serve(creating(precheck=FAILED))
    ran = run("job", "precheck", ID)
    assert ran.exit_code == 1 and "> SET GLOBAL binlog_format = 'ROW';" in ran.stdout
    serve(creating(network=UNREACHED))
    ran = run("job", "network", ID)
    assert ran.exit_code == 1 and ran.stdout == "source db1: 1.0\ntarget db2: no connection\n"
    ran = run("job", "network", ID, "--json")
    assert ran.exit_code == 1 and len(json.loads(ran.stdout)["ends"]) == 2


def test_nobody_is_logged_in(serve: Serve, run: Run, home: Path) -> None:
    (home / ".config" / "opendrs" / "login.json").unlink()
    ran = run("job", "list")
    assert ran.exit_code == 1 and "opendrs login URL" in ran.stderr


def following(status: str, **more: Any) -> dict[str, Any]:
    overview = [{"type": "TABLE", "src_count": "1", "dst_count": "1"}]
    info = {"incr_trans_delay_millis": "250", "progress_map": {"data": {"completed": "100%"}}, "apply_rows_rate": 7}
    return {
        "status": status,
        "progress_info": {**info, "task_mode": "FULL_INCR_TRANS", **more},
        "migration_object_progress_info": {"migration_object_overview": overview},
    }


def watched(*looks: Any) -> dict[str, Any]:
    """Looks at a job, one after the other; its log grows by a line with each."""
    left = list(looks)
    count = 0

    def detail(query: dict[str, str]) -> Any:
        nonlocal count
        if query["type"] == "log":
            rows = [{"id": n, "create_time": "2026-11-29T08:00:00Z", "level": "Info", "message": f"line {n}"}
                    for n in range(count, 0, -1)]  # fmt: skip
            return {"job": {"logs": rows[: int(query["limit"])]}}
        look = left.pop(0)
        count += 1
        if isinstance(look, Exception):
            raise look
        return {"job": look}

    return {f"GET /jobs/{ID}": detail}


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "PERIOD_S", 0.0)
    monkeypatch.setattr(logs, "FOLLOW_S", 0.0)


@pytest.mark.usefixtures("hurried")
def test_a_service_that_is_away_is_waited_for_while_one_watches(serve: Serve, run: Run) -> None:
    away = httpx.ConnectError("away")
    looks = (
        following("INCRE_TRANSFER_STARTED"),
        away,
        away,
        following("PAUSING"),
        following("RELEASE_RESOURCE_COMPLETE"),
    )
    serve(watched(*looks))
    ran = run("job", "watch", ID)
    assert ran.exit_code == 0, ran.output
    said = [line.partition(" ")[2] for line in ran.stdout.splitlines()]
    assert [line for line in said if line.startswith("event=")] == [
        f'event=log level=info message="line {n}"' for n in (1, 2, 3, 4, 5)
    ]
    assert "phase=following state=INCRE_TRANSFER_STARTED lag_s=0.25 rows_per_s=7 bytes_per_s=0" in said
    assert ran.stdout.count("it is tried again") == 1 and ran.stdout.endswith(f"{ID} is ended.\n")
    serve(watched(*looks))
    ran = run("job", "watch", ID, "--json")
    assert [json.loads(line)["state"] for line in ran.stdout.splitlines()] == ["following", "paused", "ended"]


@pytest.mark.usefixtures("hurried")
def test_a_job_that_fails_while_it_is_watched(serve: Serve, run: Run) -> None:
    serve(watched(following("INCRE_TRANSFER_STARTED"), following("INCRE_TRANSFER_FAILED")))
    ran = run("job", "watch", ID)
    assert ran.exit_code == 1 and "[DRS.10050076]" in ran.stderr and "line 2" in ran.stderr


@pytest.mark.usefixtures("hurried")
def test_a_log_is_followed_without_a_line_twice(serve: Serve, run: Run) -> None:
    rows = [{"id": n, "create_time": "2026-11-29T08:00:00Z", "level": "Info", "message": f"line {n}"} for n in range(9)]
    looks = [{"job": {"logs": rows[:n][::-1]}} for n in (2, 2, 5, 5, 9)]
    serve({f"GET /jobs/{ID}": [*looks, KeyboardInterrupt()]})
    ran = run("job", "logs", ID, "--follow", "--json")
    assert ran.exit_code == 130 and [json.loads(line)["id"] for line in ran.stdout.splitlines()] == list(range(9))


def test_an_edit_is_waited_for(serve: Serve, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def timeline(*words: str) -> dict[str, Any]:
        rows = [{"name": "edit_db_object", "status": word} for word in words]
        return {"count": 9, "timelines": [{"name": "precheck", "status": "success"}, *rows]}

    paths = {f"POST /jobs/{ID}/action": {"query_id": "q"}}
    fake = serve(paths | {f"GET /jobs/{ID}/timelines": [timeline("running", "failed"), timeline("success", "failed")]})
    ran = run("job", "edit", ID)
    assert (ran.exit_code, ran.stdout) == (0, f"{ID} replicates what was chosen.\n")
    assert fake.bodies("POST") == [{"job": {"action_name": "start", "action_params": {"is_sync_re_edit": True}}}]
    said = {"job": {"logs": [{"message": "the selection stays as it was: no key"}]}}
    serve(paths | {f"GET /jobs/{ID}/timelines": timeline("failed", "success"), f"GET /jobs/{ID}": said})
    ran = run("job", "edit", ID)
    assert ran.exit_code == 1 and "The edit" in ran.stderr and "no key" in ran.stderr
    serve(paths)
    ran = run("job", "edit", ID, "--no-wait")
    assert ran.exit_code == 0 and ran.stdout.startswith(f"{ID} is being edited.")
