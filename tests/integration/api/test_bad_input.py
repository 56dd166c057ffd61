"""Whatever is sent, the answer is a published code in the published shape, and says what is wrong; on both kinds of
state store, for what one of them takes the other may refuse."""

from __future__ import annotations

import base64
import copy
import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from opendrs.spec import OperationSpec
from tests.harness.certificates import make
from tests.harness.service import PROJECT
from tests.integration.api.conftest import SECRETS
from tests.integration.api.raw import DONE, MULTIPART, NOT_DONE, Raw, multipart
from tests.integration.api.rule_bodies import RULES
from tests.integration.api.world import World

UNSUPPORTED, NO_JOB, EMPTY, INVALID, REQUEST = (
    "DRS.10050044", "DRS.10000010", "DRS.M00201", "DRS.M00202", "DRS.M00300",
)  # fmt: skip
SLOW = "DRS.M00004"  # it waits for a worker, and nobody works
NOBODYS = "00000000-0000-0000-0000-0000000jb201"
LONG = "x" * 100_000
numbers = itertools.count(1)
WITH_BODY = [operation for operation in DONE if operation.body is not None and not operation.multipart]
OF_A_JOB = [operation for operation in DONE if "{job_id}" in operation.path]


def end(role: str, **inner: Any) -> dict[str, Any]:
    source = role == "so"
    return {
        "db_type": "mysql" if source else "postgresql",
        "endpoint_type": "offline",
        "endpoint_role": role,
        "endpoint": {
            "endpoint_name": "here",
            "ip": "127.0.0.1",
            "db_port": "1",
            "db_user": "nobody",
            "db_password": SECRETS[0] if source else SECRETS[1],
            **({} if source else {"db_name": "postgres"}),
            **inner,
        },
    }


def creation(name: str = "", **base: Any) -> dict[str, Any]:
    info = {
        "name": name or f"bad-input-{next(numbers)}",
        "engine_type": "mysql-to-pgl",
        "job_type": "sync",
        "task_type": "FULL_INCR_TRANS",
        **base,
    }
    job = {
        "base_info": info,
        "source_endpoint": [end("so")],
        "target_endpoint": [end("ta")],
        "node_info": {"spec": {"node_type": "micro"}},
    }
    return {"job": job}


def changed(body: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The same with another value at `job.source_endpoint.0.endpoint.ip`."""
    body = copy.deepcopy(body)
    inner: Any = body
    *way, last = path.split(".")
    for word in way:
        inner = inner[int(word)] if isinstance(inner, list) else inner.setdefault(word, {})
    if isinstance(inner, list):
        inner[int(last)] = value
    else:
        inner[last] = value
    return body


GOOD_BODIES: dict[str, Any] = {
    "create_job": creation(),
    "update_job": {"job": {"type": "description", "params": {"base_info": {"description": "good"}}}},
    "execute_job_action": {"job": {"action_name": "network", "action_params": {}}},
    "stop_job_action": {"is_force_stop": False},
    "validate_job_name": {"name": "a-good-name"},
    "collect_db_objects_info": {"type": "source"},
    "collect_position_async": {"reset_position_time": "2026-11-30T07:00:00Z"},
    "update_start_position": {"file_and_position": "mysql-bin.000277:805", "gtid_set": "0-1-2"},
    "show_object_mapping": {"limit": 10},
    "batch_set_policy": {"jobs": [{"job_id": NOBODYS, "ddl_trans": False, "conflict_policy": "stop"}]},
    "batch_set_definer": {"jobs": [{"job_id": NOBODYS, "replace_definer": True}]},
    "batch_set_speed": {
        "speed_limits": [
            {"job_id": NOBODYS, "speed_limit": [{"begin": "01:00", "end": "05:59", "speed": "10", "is_utc": True}]}
        ]
    },
    "batch_list_progresses": {"jobs": [NOBODYS]},
    "update_tuning_params": {"full_sync": {"read_task_num": "4"}, "incre_apply": {}, "recovery": True},
    "update_job_configurations": {"values": [{"parameter_name": "read_task_num", "parameter_value": "4"}]},
    **RULES,
}


def place(operation: OperationSpec, job: str = NOBODYS, kind: str = "table") -> str:
    return operation.path.format(project_id=PROJECT, job_id=job, type=kind, alarm_id="1")


def missing(operation: OperationSpec) -> str:
    """The code of a job that there is not: version 3 has another one, and so has one operation of version 5."""
    return "DRS.M05003" if operation.version == "v3" or operation.name == "show_progress_data" else NO_JOB


KINDS = {"show_job_detail": "overview", "show_db_object_template_result": "detail"}
NEEDED = {"type": "overview", "job_type": "sync", "query_id": NOBODYS}


def query(operation: OperationSpec) -> dict[str, str]:
    """What the operation needs of a query."""
    kind = {"type": KINDS.get(operation.name, "source")}
    needed = {parameter.name for parameter in operation.parameters if parameter.place == "query"}
    needed -= {"type"} if operation.name == "show_db_object_template_progress" else set()
    return {name: value for name, value in (NEEDED | kind).items() if name in needed}


def sent(operation: OperationSpec) -> dict[str, Any]:
    """What the operation needs of a body, as `Raw.ask` takes it."""
    if operation.multipart:
        return {"content": multipart("a.xlsx", b"PK\3\4"), "headers": {"Content-Type": MULTIPART}}
    return {"body": GOOD_BODIES.get(operation.name)}


@pytest.fixture
def job(shared_world: World, raw: Raw) -> str:
    found = raw.good("POST", "jobs", creation())["id"]
    shared_world.step()
    return str(found)


# bodies


@pytest.mark.parametrize(
    "content",
    [
        b"", b" ", b"null", b"[]", b"[{}]", b'"text"', b"1", b"true", b"{", b"{]", b"\xff\xfe", b'{"job": "\xff"}',
        b'{"job": "\\ud800"}', b'{"job": "\x00"}', b'{"job": "\x07"}', b"{'job': 1}", b'{"job": 1,}', b"NaN",
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000, b"[" * 10_000, b'{"job": ' + b"1" * 5000 + b"}", b"<job/>",
        b'{"x": NaN}', b'{"x": -Infinity}', b'{"x": 1e999}', b'{"x": "a\\u0000b"}', b'{"\\u0000": 1}',
        b'{"x": 123456789012345678901234567890}',
    ],
    ids=lambda content: repr(content[:20]),
)  # fmt: skip
def test_a_body_that_is_no_object_of_json(raw: Raw, content: bytes) -> None:
    for operation in WITH_BODY:
        raw.refused(REQUEST, operation.method, place(operation), content=content)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e400", '"a\\u0000b"', "9" * 40], ids=str)
@pytest.mark.parametrize("where", ["job.node_info.spec.node_type", "job.base_info.description", "job.unknown"])
def test_values_that_no_store_takes(raw: Raw, value: str, where: str) -> None:
    text = json.dumps(changed(creation(), where, "HERE")).replace('"HERE"', value)
    raw.refused(REQUEST, "POST", "jobs", content=text.encode())


def test_what_only_looks_like_a_nul_is_taken(raw: Raw) -> None:
    body = changed(creation(), "job.source_endpoint.0.endpoint.db_user", "a\\u0000")
    raw.good("POST", "jobs", body)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "multipart/form-data; boundary=x", "x", "a/" + "b" * 999]
)
def test_a_body_of_another_type(raw: Raw, kind: str) -> None:
    for operation in WITH_BODY:
        body = json.dumps(GOOD_BODIES[operation.name]).encode()
        raw.refused(
            REQUEST, operation.method, place(operation), content=body, headers={"Content-Type": kind}, status=415
        )


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/merge-patch+json"]
)
def test_types_that_are_json(raw: Raw, kind: str) -> None:
    content = json.dumps(GOOD_BODIES["validate_job_name"]).encode()
    assert raw.good("POST", "jobs/name-validation", content=content, headers={"Content-Type": kind})["is_valid"]


def test_null_is_what_was_left_out(raw: Raw) -> None:
    body = changed(creation(), "job.base_info.description", None)
    body = changed(body, "job.period_order", None)
    body = changed(body, "job.source_endpoint.0.endpoint.instance_id", None)
    raw.good("POST", "jobs", body)
    raw.refused(EMPTY, "POST", "jobs", changed(creation(), "job.base_info.engine_type", None))


def leaves(value: Any, path: str = "") -> list[str]:
    """Paths of everything in a body."""
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in items:
        found += leaves(inner, f"{path}.{name}" if path else str(name))
    return found


WRONG = [None, [], {}, True, 0, -1, 1.5, 10**15, "", " ", "\n", "x", LONG, "中文", [[]], [{}], {"": ""}, "a\u202eb"]


@pytest.mark.parametrize("name", GOOD_BODIES)
def test_every_field_with_every_type(raw: Raw, job: str, name: str) -> None:
    (operation,) = [operation for operation in WITH_BODY if operation.name == name]
    good = GOOD_BODIES[name]
    if name == "create_job":
        ssl = {"ssl_link": True, "ssl_cert_key": "x", "ssl_cert_name": "x", "ssl_cert_password": SECRETS[2]}
        good = changed(good, "job.source_endpoint.0.ssl", ssl)
        good = changed(good, "job.source_endpoint.0.cloud", {"region": "here", "project_id": "x", "az_code": "y"})
        good = changed(good, "job.base_info.tags", [{"key": "k", "value": "v"}])
    for path in leaves(good):
        for value in WRONG:
            answer = raw.ask(operation.method, place(operation, job), changed(good, path, value))
            assert answer.status_code in (200, 202, 400, 422), (path, value, answer.text[:300])
            if answer.status_code >= 400:
                code = answer.json()["error_code"]
                assert code in {EMPTY, INVALID, UNSUPPORTED, REQUEST, SLOW, "DRS.M00304", "DRS.M00277"}, (
                    path,
                    value,
                    code,
                )
    if name != "create_job":
        return
    # Whatever of these was taken is shown in the declared shape.
    for row in raw.good("GET", "jobs", job_type="sync", limit="100")["jobs"]:
        found = raw.good("GET", f"jobs/{row['id']}", type="detail")
        assert fits("show_job_detail", found) == []


def fits(name: str, body: Any) -> list[str]:
    from tests.harness.shapes import deviations

    return deviations("v5", name, 200, body)


@pytest.mark.parametrize(
    "where, value",
    [
        ("job.node_info", {"spec": {"node_type": ["micro"]}}),
        ("job.node_info", {"spec": {"node_type": LONG}}),
        ("job.public_ip_list", [{"id": 1, "public_ip": {}, "type": "x"}]),
        ("job.period_order", {"period_num": "many", "period_type": 2}),
        ("job.base_info.tags", [{"key": {}}]),
        ("job.base_info.tags", [{"key": str(n)} for n in range(21)]),
        ("job.source_endpoint.0.cloud", {"region": [], "project_id": "p"}),
        ("job.source_endpoint.0.config", {"node_num": "x"}),
        ("job.source_endpoint.0.config", {"is_target_readonly": 7}),
        ("job.source_endpoint.0.vpc", {"vpc_id": {"a": 1}, "subnet_id": "s"}),
        ("job.source_endpoint.0.ssl", {"ssl_link": "perhaps"}),
        ("job.source_endpoint.0.endpoint.source_sharding", "x"),
        ("job.source_endpoint.0.endpoint.db_user", "x" * 1025),
        ("job.source_endpoint.0.ssl", {"ssl_cert_name": LONG}),
        ("job.base_info.enterprise_project_id", LONG),
        ("job.base_info.charging_mode", LONG),
    ],
)
def test_parts_that_are_only_kept_are_looked_at_as_well(raw: Raw, where: str, value: Any) -> None:
    raw.refused(INVALID, "POST", "jobs", changed(creation(), where, value))


@pytest.mark.parametrize(
    "where, value",
    [("job.node_info", {}), ("job.public_ip_list", [{}]), ("job.source_endpoint.0.cloud", {"region": "r"})],
)
def test_parts_that_lack_what_they_need(raw: Raw, where: str, value: Any) -> None:
    raw.refused(EMPTY, "POST", "jobs", changed(creation(), where, value))


def test_numbers_as_text_and_text_as_numbers_are_shown_as_declared(raw: Raw) -> None:
    body = changed(creation(), "job.period_order", {"period_num": "3", "period_type": 2, "unknown": 1})
    body = changed(body, "job.source_endpoint.0.config", {"node_num": "2", "is_target_readonly": "true"})
    body = changed(body, "job.source_endpoint.0.endpoint", {**end("so")["endpoint"], "db_port": 3306})
    del body["job"]["source_endpoint"][0]["endpoint"]["endpoint_name"]
    made = raw.good("POST", "jobs", body)
    found = raw.good("GET", f"jobs/{made['id']}", type="detail")
    assert fits("show_job_detail", found) == []
    assert found["job"]["period_order"] == {"period_num": 3, "period_type": 2}
    assert found["job"]["source_endpoint"][0]["config"] == {"node_num": 2, "is_target_readonly": True}
    assert found["job"]["source_endpoint"][0]["endpoint"]["db_port"] == "3306"


# what a job is made of


@pytest.mark.parametrize(
    "name",
    [
        "abc",
        "1abc",
        "-abc",
        "a bc",
        "a.bcd",
        "täst",
        "中文中文",
        "a" * 51,
        "a\nbcd",
        "abcd\n",
        "ａｂｃｄ",
        "a'bc",
        "abc\u0000",
    ],
)
def test_names(raw: Raw, name: str) -> None:
    code = REQUEST if "\0" in name else INVALID
    raw.refused(code, "POST", "jobs", creation(name))
    if code is INVALID:
        found = raw.good("POST", "jobs/name-validation", {"name": name})
        assert (found["is_valid"], found["error_code"]) == (False, INVALID)


def test_a_name_is_taken_once_in_a_project(raw: Raw) -> None:
    raw.good("POST", "jobs", creation("Taken"))
    raw.refused("DRS.M00277", "POST", "jobs", creation("tAKEN"), status=422)
    assert raw.good("POST", "jobs/name-validation", {"name": "TAKEN"})["error_code"] == "DRS.M00277"


@pytest.mark.parametrize("text", ["a!b", "<", ">", "&", "'", '"', "\\", "\x07", "\u202e", "x" * 257, "\u2028"])
def test_descriptions(raw: Raw, job: str, text: str) -> None:
    raw.refused(INVALID, "POST", "jobs", creation(description=text))
    body = {"job": {"type": "description", "params": {"base_info": {"description": text}}}}
    raw.refused(INVALID, "PUT", f"jobs/{job}", body)


@pytest.mark.parametrize("port", ["0", "65536", "-1", "1.5", "http", "٣٣", "1e3", "0x10", "9" * 50, " 1 2"])
def test_ports(raw: Raw, port: str) -> None:
    raw.refused(INVALID, "POST", "jobs", changed(creation(), "job.source_endpoint.0.endpoint.db_port", port))


@pytest.mark.parametrize(
    "ip", ["a b", "http://here", "here/db", "user@here", "-x", "x-", "1.2.3.4:x", "x" * 256, "[::1", "?", "a,b", "中"]
)
def test_addresses(raw: Raw, ip: str) -> None:
    body = changed(creation(), "job.source_endpoint.0.endpoint.ip", ip)
    body = changed(body, "job.source_endpoint.0.endpoint.db_port", "" if ":x" in ip else "1")
    raw.refused(INVALID, "POST", "jobs", body)


def test_a_missing_address_or_account(raw: Raw) -> None:
    for field in ("ip", "db_user"):
        raw.refused(EMPTY, "POST", "jobs", changed(creation(), f"job.source_endpoint.0.endpoint.{field}", ""))
    raw.refused(EMPTY, "POST", "jobs", changed(creation(), "job.target_endpoint.0.endpoint.db_name", ""))
    by_id = changed(creation(), "job.source_endpoint.0.endpoint", {"instance_id": "i-1", "db_user": "u"})
    raw.refused(UNSUPPORTED, "POST", "jobs", by_id)


def test_certificates(raw: Raw, tmp_path: Path) -> None:
    files = make(tmp_path / "tls")
    pem, key = files.ca.read_text(), files.server_key.read_text()
    where = "job.source_endpoint.0.ssl"
    broken = pem.replace("\n", "\nA", 3)
    for bad in (
        "x",
        "-----BEGIN CERTIFICATE-----",
        broken,
        key,
        base64.b64encode(b"\xff").decode(),
        "-----BEGIN",
        "中",
    ):
        raw.refused(INVALID, "POST", "jobs", changed(creation(), where, {"ssl_link": True, "ssl_cert_key": bad}))
    for number, good in enumerate((pem, base64.b64encode(pem.encode()).decode(), f"{key}{pem}")):
        ssl = {"ssl_link": True, "ssl_cert_key": good, "ssl_cert_password": SECRETS[2]}
        made = raw.good("POST", "jobs", changed(creation(f"with-ca-{number}"), where, ssl))
        found = raw.good("GET", f"jobs/{made['id']}", type="detail")["job"]["source_endpoint"][0]["ssl"]
        assert found["ssl_cert_key"].strip() == pem.strip()
        assert "PRIVATE" not in json.dumps(found)
    # Nobody looks at one that is not used, so it is not kept either.
    made = raw.good("POST", "jobs", changed(creation("no-tls"), where, {"ssl_link": False, "ssl_cert_key": key}))
    assert "PRIVATE" not in json.dumps(raw.good("GET", f"jobs/{made['id']}", type="detail"))


@pytest.mark.parametrize(
    "engine", ["oracle-to-gaussdbv5", "mongodb", "postgresql-to-postgresql", "", "中", LONG, "redis-to-gaussredis"]
)
def test_flows_that_are_not_offered(raw: Raw, engine: str) -> None:
    text = raw.refused(UNSUPPORTED, "POST", "jobs", creation(engine_type=engine))
    assert "mysql-to-pgl" in text


def test_kinds_of_jobs_and_directions(raw: Raw) -> None:
    for word in ("migration", "cloudDataGuard"):
        assert raw.ask("POST", "jobs", creation(job_type=word)).json()["error_code"] in (UNSUPPORTED, INVALID)
    for field in ("job_type", "job_direction", "net_type", "task_type", "expired_days", "start_time"):
        raw.refused(INVALID, "POST", "jobs", creation(**{field: "nonsense"}))
    for days in ("13", "101", "-14", "14.5", "１４"):
        raw.refused(INVALID, "POST", "jobs", creation(expired_days=days))


def test_ends(raw: Raw) -> None:
    for side in ("source_endpoint", "target_endpoint"):
        raw.refused(EMPTY, "POST", "jobs", changed(creation(), f"job.{side}", []))
    two = changed(creation(), "job.source_endpoint", [end("so"), end("so")])
    raw.refused(UNSUPPORTED, "POST", "jobs", two)
    swapped = changed(creation(), "job.source_endpoint.0", end("ta"))
    raw.refused(INVALID, "POST", "jobs", changed(swapped, "job.target_endpoint.0", end("so")))
    for field in ("endpoint_role", "endpoint_type", "db_type"):
        raw.refused(INVALID, "POST", "jobs", changed(creation(), f"job.source_endpoint.0.{field}", "nonsense"))
    sharded = changed(creation(), "job.source_endpoint.0.endpoint.source_sharding", [{"ip": "a"}])
    raw.refused(UNSUPPORTED, "POST", "jobs", sharded)


@pytest.mark.parametrize(
    "text",
    ["tomorrow", "2026-13-01", "2026-02-30T00:00:00Z", "99999999999999999999", "1" * 17, "-1", "2026", "1e12", "٢٠٢٦",
     "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "253402300799000", "中"],
)  # fmt: skip
def test_times_that_are_none_or_too_far_ahead(shared_world: World, raw: Raw, job: str, text: str) -> None:
    prepare(shared_world, raw, job)
    raw.refused(INVALID, "POST", "jobs", creation(start_time=text))
    body = {"job": {"action_name": "start", "action_params": {"start_time": text}}}
    raw.refused(INVALID, "POST", f"jobs/{job}/action", body)


def test_a_time_that_is_over_means_now(shared_world: World, raw: Raw, job: str) -> None:
    prepare(shared_world, raw, job)
    body = {"job": {"action_name": "start", "action_params": {"start_time": "2020-01-01T00:00:00Z"}}}
    raw.good("POST", f"jobs/{job}/action", body)
    assert raw.good("GET", f"jobs/{job}", type="overview")["job"]["status"] == "STARTJOBING"


def prepare(world: World, raw: Raw, job: str) -> None:
    raw.good("POST", f"jobs/{job}/action", {"job": {"action_name": "precheck"}})
    world.run_errands()


def test_objects(raw: Raw, job: str) -> None:
    def refused(code: str, **db_object: Any) -> None:
        body = {"job": {"type": "db_object", "params": {"db_object": db_object}}}
        raw.refused(code, "PUT", f"jobs/{job}", body)

    refused(INVALID, object_scope="world")
    refused(EMPTY, object_scope="table")
    refused(INVALID, object_scope="all", object_info={"a": {"all": True}})
    refused(INVALID, object_scope="all", object_info={"a": {"all": False, "name": "b"}})
    refused(INVALID, object_scope="all", target_root_db={"db_name": "x\ny"})
    refused(INVALID, object_scope="all", excluded=["shop"])
    for name in ("", "x" * 65, "a\nb", "a\u202eb"):
        refused(INVALID, object_scope="database", object_info={name: {"all": True}})
        refused(INVALID, object_scope="table", object_info={"a": {"tables": {name: {}}}})
        if name:
            refused(INVALID, object_scope="database", object_info={"a": {"all": True, "name": name}})
    refused(INVALID, object_scope="table", object_info={"a": {}})
    refused(INVALID, object_scope="table", object_info={"a": {"schemas": {"s": {}}}})
    refused(INVALID, object_scope="table", object_info={"a": {"tables": {"t": {"type": "nonsense"}}}})
    refused(INVALID, object_scope="table", object_info={"a": {"tables": {"t": 1}}})
    for rule in (
        {"type": "procedure"},
        {"type": "view", "filter_conditions": ["id > 1"]},
        {"filtered": True},
        {"filtered": True, "filter_conditions": [" "]},
        {"filter_conditions": ["id > 1", "id < 9"]},
        {"filter_conditions": ["x" * 513]},
        {"columns": {"c": {}, "C": {}}},
        {"columns": {"c": {"name": "x" * 65}}},
        {"columns": {"c": {"name": "x"}, "d": {"name": "X"}}},
        {"columns": {"c": {"additional": True}}},
        {"columns": {"c": {"additional": True, "operation_type": "ADDITIONALCOLUMN,create_time", "type": "int"}}},
        {"columns": {"c": {"additional": True, "operation_type": "ADDITIONALCOLUMN,default_value", "type": "int"}}},
        {"db_alias_name": "one", "schema_alias_name": "two"},
        {"dml": "ix"},
        {"sync_type": "config"},
        {"sync_type": "other"},
        {"config_conditions": ["x" * 513]},
    ):
        refused(INVALID, object_scope="table", object_info={"a": {"tables": {"t": rule}}})


def test_policies(raw: Raw, job: str) -> None:
    def refused(code: str, **policy: Any) -> None:
        raw.refused(code, "PUT", f"jobs/{job}", {"job": {"type": "policy", "params": {"policy_config": policy}}})

    for field in (
        "conflict_policy",
        "filter_ddl_policy",
        "support_ddl_info",
        "dml_types",
        "apply_mode",
        "sync_type_policy",
    ):
        refused(INVALID, **{field: "nonsense"})
    refused(INVALID, support_ddl_info='["DROP_TABLE"]')
    refused(INVALID, support_ddl_info="[" * 100_000)
    refused(INVALID, dml_types="i,x")
    refused(UNSUPPORTED, is_create_table_with_index=True)
    refused(INVALID, increment_read_mode="logminer")


def test_kinds_of_changes_and_actions(raw: Raw, job: str) -> None:
    for kind in ("", "nonsense", "中", LONG):
        raw.refused(INVALID, "PUT", f"jobs/{job}", {"job": {"type": kind, "params": {}}})
        raw.refused(INVALID, "POST", f"jobs/{job}/action", {"job": {"action_name": kind}})
    for kind in ("name", "description", "policy", "db_object"):
        raw.refused(EMPTY, "PUT", f"jobs/{job}", {"job": {"type": kind, "params": {}}})
    raw.refused(UNSUPPORTED, "PUT", f"jobs/{job}", {"job": {"type": "notify", "params": {}}})
    raw.refused(UNSUPPORTED, "POST", f"jobs/{job}/action", {"job": {"action_name": "create_compare"}})
    bad = {"job": {"action_name": "precheck", "action_params": {"precheck_mode": "nonsense"}}}
    raw.refused(INVALID, "POST", f"jobs/{job}/action", bad)
    twice = {"job": {"action_name": "network", "action_params": {"endpoints": [end("so"), end("so")]}}}
    raw.refused(INVALID, "POST", f"jobs/{job}/action", twice)


# queries


@pytest.mark.parametrize(
    "operation", [one for one in DONE if any(p.name == "limit" for p in one.parameters)], ids=lambda one: one.name
)
def test_pages(raw: Raw, job: str, operation: OperationSpec) -> None:
    words = query(operation)
    if operation.name == "show_job_detail":
        words["type"] = "log"
    for name, texts in {
        "limit": ["0", "-1", "1001", "1.5", "ten", "9" * 30, "+5", "1_0", "٣", " 1", "0x1", "\x01", "NaN", "\x00"],
        "offset": ["-1", "10000001", "1.5", "ten", "9" * 30, "+5", "\x00"],
    }.items():
        for text in texts:
            raw.refused(INVALID, operation.method, place(operation, job), **(words | {name: text}))


@pytest.mark.parametrize("operation", DONE, ids=lambda one: one.name)
def test_queries_that_cannot_be_read(raw: Raw, job: str, operation: OperationSpec) -> None:
    body = json.dumps(GOOD_BODIES.get(operation.name, {}))
    for text in ("type=%ff", "type=%ed%a0%80", "&".join(f"a{n}=1" for n in range(300))):
        target = f"{place(operation, job)}?{text}"
        if operation.method == "GET":
            status, found = raw.get(target)
            assert (status, found["error_code"]) == (400, REQUEST), (text, found)
        else:
            assert body


@pytest.mark.parametrize(
    "operation", [one for one in DONE if query(one) or one.name == "list_jobs"], ids=lambda one: one.name
)
def test_parameters_that_are_missing_doubled_or_nonsense(raw: Raw, job: str, operation: OperationSpec) -> None:
    words = query(operation)
    target = place(operation, job)
    for name in words:
        if (operation.name, name) == ("show_job_detail", "query_id"):
            continue  # some of its views have none
        rest = {other: value for other, value in words.items() if other != name}
        raw.refused(EMPTY, operation.method, target, **rest)
        raw.refused(EMPTY, operation.method, target, **(rest | {name: ""}))
        raw.refused(INVALID, operation.method, target, **(rest | {name: [words[name], words[name]]}))
        for text in ("nonsense", "中", "a\x00b", "x" * 5000, "'; DROP TABLE jobs; --", "%"):
            code = raw.ask(operation.method, target, **(rest | {name: text})).json()["error_code"]
            assert code in (
                {INVALID, "DRS.M00303", "DRS.10030014", "DRS.10030015"} if name == "query_id" else {INVALID}
            ), (name, text)


def test_filters_of_lists_that_no_store_can_do(raw: Raw) -> None:
    raw.good("GET", "jobs", job_type="sync", name="%_\\'\"")
    for name in ("name", "instance_ip", "engine_type", "instance_ids"):
        raw.good("GET", "jobs", job_type="sync", **{name: "中"})
        for text in ("a\x00b", "x" * 55_000):
            raw.refused(INVALID, "GET", "jobs", job_type="sync", **{name: text})
    raw.refused(INVALID, "GET", "jobs", job_type="sync", instance_ids=",".join(str(n) for n in range(3000)))
    for name in ("status", "net_type", "sort_key", "sort_dir"):
        raw.refused(INVALID, "GET", f"jobs?job_type=sync&{name}=nonsense")


def test_names_of_databases_to_list(raw: Raw, job: str) -> None:
    for names in (["a\x00b"], ["x" * 65], [f"d{n}" for n in range(2000)], ["\n"]):
        body = {"type": "source", "db_names": names}
        code = REQUEST if "\0" in names[0] else INVALID
        raw.refused(code, "POST", f"/v5.1/{PROJECT}/jobs/{job}/db-objects/collect", body)
    raw.refused(INVALID, "POST", f"jobs/{job}/db-objects/collect", type="source", db_names="a\x00b")


def test_nobody_fills_the_queue_with_listings(raw: Raw, job: str) -> None:
    codes = [
        raw.ask("POST", f"jobs/{job}/db-objects/collect", type="source", db_names=f"d{n}").json().get("error_code", "")
        for n in range(40)
    ]
    assert codes[0] == "" and codes[-1] == "DRS.M00304"


def test_search_words_of_progress(raw: Raw, job: str) -> None:
    for kind in ("table", "database", "table_indexes"):
        raw.good("GET", f"jobs/{job}/progress-data/{kind}", search_name="%_\\")
        raw.refused(INVALID, "GET", f"jobs/{job}/progress-data/{kind}", search_name="a\x00b")
        raw.refused(INVALID, "GET", f"jobs/{job}/progress-data/{kind}", search_name="x" * 55_000)
    raw.refused(INVALID, "GET", f"jobs/{job}/progress-data/nonsense")
    raw.refused(INVALID, "GET", f"jobs/{job}/progress-data/%00")


# ids


@pytest.mark.parametrize("operation", OF_A_JOB, ids=lambda one: one.name)
def test_jobs_that_there_are_not(raw: Raw, operation: OperationSpec) -> None:
    code = missing(operation)
    for job in (
        NOBODYS,
        "x",
        "x" * 5000,
        "%00",
        "a%00b",
        "%ff",
        "%2F",
        "..%2f..",
        "中",
        "a%20b",
        "%27%20OR%201=1",
        "%0d%0aX:%201",
    ):
        raw.refused(code, operation.method, place(operation, job), **sent(operation), **query(operation))


def test_query_ids_of_others(shared_world: World, raw: Raw, job: str) -> None:
    other = raw.good("POST", "jobs", creation())["id"]
    shared_world.step()
    asked = {
        name: raw.good("POST", f"jobs/{job}/action", {"job": {"action_name": name}})["query_id"]
        for name in ("network", "precheck")
    }
    collected = raw.good("POST", f"jobs/{job}/db-objects/collect", type="source")["id"]
    saved = {"job": {"type": "db_object", "params": {"db_object": {"object_scope": "all"}}}}
    saving = raw.good("PUT", f"jobs/{job}", saved)["query_id"]
    ids = {**asked, "collect": collected, "saving": saving, "job": job, "nobody": NOBODYS}
    for name, key in ids.items():
        for view in ("network", "precheck"):
            if view != name:
                raw.refused("DRS.M00303", "GET", f"jobs/{job}", type=view, query_id=key)
            raw.refused("DRS.M00303", "GET", f"jobs/{other}", type=view, query_id=key)
        if name != "collect":
            raw.refused("DRS.M00303", "GET", f"jobs/{job}/db-objects/collection-status", query_id=key)
        raw.refused("DRS.M00303", "GET", f"jobs/{other}/db-objects/collection-status", query_id=key)
        if name not in ("saving", "job"):
            raw.refused("DRS.10030015", "GET", f"jobs/{job}/db-objects/saving-status", query_id=key)
        raw.refused("DRS.10030015", "GET", f"jobs/{other}/db-objects/saving-status", query_id=key)
    shared_world.run_errands(well=False)
    for path, words in {
        f"jobs/{job}": {"type": "precheck", "query_id": asked["precheck"]},
        f"jobs/{job}/db-objects/collection-status": {"query_id": collected},
        f"jobs/{job}/db-objects/saving-status": {"query_id": saving},
    }.items():
        raw.good("GET", path, **words)


# methods and paths


def test_operations_that_are_not_there_yet(raw: Raw) -> None:
    assert len(NOT_DONE) + len(DONE) == 190
    for operation in NOT_DONE:
        # The values are no words that stand in paths of other operations.
        path = operation.path.replace("{project_id}", PROJECT)
        while "{" in path:
            path = f"{path[: path.index('{')]}x-1{path[path.index('}') + 1 :]}"
        text = raw.refused(UNSUPPORTED, operation.method, path)
        assert operation.name in text
        raw.refused("APIGW.0301", operation.method, path, token=None, status=401)
        raw.refused("DRS.M00100", operation.method, path, token="x" * 100, status=403)


@pytest.mark.parametrize("operation", DONE, ids=lambda one: one.name)
def test_nobody_is_told_anything(raw: Raw, operation: OperationSpec) -> None:
    for token, code, status in (
        (None, "APIGW.0301", 401),
        ("nonsense", "DRS.M00100", 403),
    ):
        raw.refused(code, operation.method, place(operation), **sent(operation), token=token, status=status)
    elsewhere = place(operation).replace(PROJECT, "f" * 32)
    raw.refused("DRS.M00261", operation.method, elsewhere, **sent(operation), status=403)


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PATCH", "PROPFIND", "LINK"])
def test_methods_that_there_are_not(raw: Raw, method: str) -> None:
    for path in ("jobs", f"jobs/{NOBODYS}", "/healthz", "/v3/auth/tokens", "/"):
        raw.refused("APIGW.0101", method, path, status=404)


@pytest.mark.parametrize("method", ["HEAD"])
def test_head_has_no_body(raw: Raw, method: str) -> None:
    for path, status in {"/healthz": 200, "/metrics": 200, "/openapi.json": 200, f"/v5/{PROJECT}/jobs": 404}.items():
        answer = raw.ask(method, path)
        assert (answer.status_code, answer.content) == (status, b"")


@pytest.mark.parametrize(
    "line",
    [
        "NONSENSE / HTTP/1.1",
        "get / HTTP/1.1",
        "GET",
        "GET /",
        "GET / HTTP/9.9",
        "PRI * HTTP/2.0",
        "\x00\x01",
        "GET /\x00 HTTP/1.1",
        "GET /\xff HTTP/1.1",
        "GET http:// HTTP/1.1",
        "CONNECT here:1 HTTP/1.1",
    ],
)
def test_what_is_no_http(raw: Raw, line: str) -> None:
    answer = raw.send(f"{line}\r\nHost: x\r\nConnection: close\r\n\r\n\r\n".encode("latin-1"))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 404 ")), answer
    assert json.loads(body)["error_code"] in (REQUEST, "APIGW.0101")
    assert raw.ask("GET", "/healthz").status_code == 200


def test_paths(raw: Raw) -> None:
    jobs = f"/v5/{PROJECT}/jobs?job_type=sync"
    assert raw.get(jobs)[0] == 200
    assert raw.get(f"/v5/{PROJECT}/jobs/?job_type=sync")[0] == 200
    assert raw.get(f"http://elsewhere{jobs}")[0] == 200
    for target in (
        f"//v5/{PROJECT}/jobs", f"/v5//{PROJECT}/jobs", f"/v5/{PROJECT}//jobs", f"/v5/{PROJECT}/jobs//",
        f"/v5/{PROJECT}/../{PROJECT}/jobs", f"/v5/x/../{PROJECT}/jobs/x/..", "/", "/..", "/%00", "/%2e%2e/etc/passwd",
        f"/v5%2F{PROJECT}%2Fjobs", f"/V5/{PROJECT}/jobs", "/v4/x/jobs", f"/v5/{PROJECT}/JOBS", "/" * 5000,
        "/healthz/", "/openapi.json%00", "/%ff%fe", "/;x=1", "*",
    ):  # fmt: skip
        status, found = raw.get(target)
        assert status in (400, 403, 404), target
        assert found["error_code"] in ("APIGW.0101", "DRS.M00261", NO_JOB, EMPTY), (target, found)
    status, found = raw.get(f"/v5/{PROJECT}/jobs/{'x' * 60_000}")
    assert status == 400 and found["error_code"] == EMPTY  # the id has not been looked at yet


def test_projects_in_disguise(raw: Raw) -> None:
    for project in ("%00", "%2F", "..", f"{PROJECT}%00", f"{PROJECT}x", PROJECT.upper(), "%20", "*"):
        status, found = raw.get(f"/v5/{project}/jobs?job_type=sync")
        assert status in (403, 404), project
        assert found["error_code"] in ("DRS.M00261", "APIGW.0101")
    # A project that hides another behind a slash of its own is still the caller's.
    assert raw.get(f"/v5/{PROJECT}%2Fjobs/jobs?job_type=sync")[0] in (200, 403, 404)


@pytest.mark.parametrize("language", ["zh-cn", "ZH-CN"])
def test_chinese(raw: Raw, language: str) -> None:
    headers = {"X-Language": language, "Content-Type": "application/json"}
    for words in (("GET", f"jobs/{NOBODYS}/actions"), ("GET", "jobs"), ("POST", "jobs"), ("GET", "/nowhere")):
        text = raw.ask(*words, headers=headers).json()["error_msg"]
        assert any("\u4e00" <= character <= "\u9fff" for character in text), text
    assert raw.ask("GET", "jobs", headers={"X-Language": "x" * 9999}).json()["error_msg"].isascii()


def test_a_failure_that_is_told_later_is_cut_as_well(shared_world: World, raw: Raw, job: str) -> None:
    from opendrs.errors import DrsError, Fault
    from opendrs.model.failure import Failure
    from opendrs.store import actions
    from tests.integration.api.world import RUNNER

    shared_world.run_errands()
    key = raw.good("POST", f"jobs/{job}/db-objects/collect", type="source", is_refresh="true")["id"]
    action = shared_world.take()
    assert action is not None
    failure = Failure.of(DrsError(Fault.SOURCE_UNREACHABLE, endpoint="there", reason="r" * 2000))
    with shared_world.store.write() as connection:
        actions.finish(connection, action.id, RUNNER, failure=failure)
    found = raw.good("GET", f"jobs/{job}/db-objects/collection-status", query_id=key)
    assert found["error_code"] == "DRS.10050001" and len(found["error_msg"]) == 512


def test_the_identity_service(raw: Raw) -> None:
    path = "/v3/auth/tokens"
    user = {"name": "x", "password": "y", "domain": {"name": "z"}}
    good = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}
    wrong = [None, [], 1, "x", {}, True, "\x00", [[[]]], "中", {"a": "b"}]
    for where in leaves(good):
        for value in wrong:
            answer = raw.client.post(path, json=changed(good, where, value))
            raw.seen.append(answer.text)
            assert answer.status_code in (400, 401, 403, 429), (where, value, answer.text)
            found = answer.json()
            assert found["error_code"] and 1 <= len(found["error_msg"]) <= 512 and found["error"]["message"]
    for content in (b"", b"[", b"\xff", b"[" * 100_000, b'{"auth": ' + b"1" * 9999 + b"}", b"NaN"):
        answer = raw.client.post(path, content=content)
        assert answer.status_code == 400 and answer.json()["error_code"] == INVALID
    surrogate = json.dumps(changed(good, "auth.identity.password.user.password", "\ud800")).encode()
    assert raw.client.post(path, content=surrogate).status_code == 401
    nested = json.dumps(good).replace('["password"]', "[" * 500 + "]" * 500)
    assert raw.client.post(path, content=nested.encode()).status_code in (400, 401)
    raw.refused("APIGW.0301", "GET", "/v3/projects", token=None, status=401)
