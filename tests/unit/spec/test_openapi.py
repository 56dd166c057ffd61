"""The OpenAPI document is valid, whole, and says of the wire what is so."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import jsonschema_rs
import schemathesis

from opendrs import spec
from opendrs.spec.openapi import document

URL = "http://127.0.0.1:8080"


@cache
def made() -> dict[str, Any]:
    return document(URL)


def test_it_is_valid() -> None:
    # Holds it against the meta schema of OpenAPI 3.1 and raises what is wrong.
    schemathesis.openapi.from_dict(made()).validate()


def test_schemathesis_can_make_calls_of_every_operation() -> None:
    found = list(schemathesis.openapi.from_dict(made()).get_all_operations())
    assert [result.err() for result in found if not hasattr(result, "ok") or result.ok() is None] == []
    assert len(found) == 193


def test_every_operation_is_there_once() -> None:
    operations = [call for item in made()["paths"].values() for call in item.values()]
    names = [call["operationId"] for call in operations]
    assert len(names) == len(set(names)) == 193
    assert {f"{o.version}.{o.name}" for o in spec.operations()} < set(names)
    assert {call["x-opendrs-state"] for call in operations} == {"done", "planned", "never"}
    assert {tag for call in operations for tag in call["tags"]} == {tag["name"] for tag in made()["tags"]}


def test_paths_do_not_hide_each_other() -> None:
    plain = [re.sub(r"{\w+}", "{}", path) for path in made()["paths"]]
    assert len(plain) == len(set(plain))


def test_every_reference_leads_somewhere() -> None:
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(made())))
    assert names == set(made()["components"]["schemas"])


def test_a_token_is_had_without_one() -> None:
    paths = made()["paths"]
    assert paths["/v3/auth/tokens"]["post"]["security"] == []
    assert {"/v3/projects", "/v3/auth/projects"} < set(paths)
    assert made()["security"] == [{"token": []}, {"signature": []}]


def schema(name: str) -> jsonschema_rs.Validator:
    whole = {"$ref": f"#/components/schemas/{name}", "components": made()["components"]}
    return jsonschema_rs.Draft202012Validator(whole)


def test_numbers_may_be_asked_in_digits_and_are_answered_as_numbers() -> None:
    period = {"period_type": "2", "period_num": 1}
    assert schema("v5.ask.PeriodOrderInfo").is_valid(period)
    assert not schema("v5.ask.PeriodOrderInfo").is_valid(period | {"period_num": "many"})
    assert not schema("v5.answer.PeriodOrderInfo").is_valid(period)
    assert schema("v5.answer.PeriodOrderInfo").is_valid({"period_type": 2, "period_num": 1})


def test_dicts_hold_what_they_declare() -> None:
    answer = schema("v5.answer.ListDbObjectsResponse")
    assert answer.is_valid({"object_info": {"shop": {"name": "shop", "all": True}}})
    assert not answer.is_valid({"object_info": {"shop": {"name": "shop", "all": "yes"}}})
    assert not answer.is_valid({"object_info": ["shop"]})


def test_what_we_add_and_leave_out_is_said() -> None:
    schemas = made()["components"]["schemas"]
    assert "query_id" in schemas["v5.answer.UpdateJobResponse"]["properties"]
    assert "error_code" not in schemas["v5.answer.UpdateJobResponse"]["required"]
    assert "db_password" in schemas["v5.ask.BaseEndpoint"]["required"]
    assert "db_password" not in schemas["v5.answer.BaseEndpoint"]["required"]


def test_parameters_are_as_they_are_sent() -> None:
    call = made()["paths"]["/v5/{project_id}/jobs"]["get"]
    parameters = {parameter["name"]: parameter for parameter in call["parameters"]}
    assert parameters["instance_ids"]["schema"]["type"] == "array" and parameters["instance_ids"]["explode"]
    assert parameters["job_type"]["required"] and "examples" in parameters["job_type"]["schema"]
    timeline = made()["paths"]["/v5/{project_id}/jobs/{job_id}/timelines"]["get"]["parameters"]
    limits = {p["name"]: p["schema"] for p in timeline}
    assert limits["limit"] == {"type": "integer", "minimum": 1, "maximum": 1000, "default": 10}
    assert not next(p for p in timeline if p["name"] == "X-Language")["required"]


def test_known_values_are_examples_of_what_they_are_values_of() -> None:
    schemas = made()["components"]["schemas"]
    assert "START" in schemas["v5.answer.JobActions"]["properties"]["available_actions"]["items"]["examples"]
    assert "precheck" in schemas["v5.ask.ActionReq"]["properties"]["action_name"]["examples"]
    assert "enum" not in json.dumps(made())


def test_errors_are_declared_for_every_operation() -> None:
    for path, item in made()["paths"].items():
        for call in item.values():
            declared = call["responses"]["4XX"]["content"]["application/json"]["schema"]
            if call["operationId"].startswith("iam."):  # has the shape of Keystone as well
                assert {"error", "error_code", "error_msg"} <= set(declared["properties"]), path
            else:
                assert declared == {"$ref": "#/components/schemas/Error"}, path
    assert not schema("Error").is_valid({"error_code": "DRS.10000001", "error_msg": ""})
    assert schema("Error").is_valid({"error_code": "DRS.10000001", "error_msg": "No."})
