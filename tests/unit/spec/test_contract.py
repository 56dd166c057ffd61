"""The data in spec/ against the installed SDK: a difference fails, so the contract cannot drift."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from functools import cache
from importlib import metadata
from typing import Any

import pytest

from opendrs import spec
from opendrs.spec.contract import FOLDER, SCALARS, SDK_VERSION, VERSIONS, Type, parsed
from tools import spec as tool


@cache
def told(version: str) -> dict[str, Any]:
    return tool.read(version)


def facts(field: spec.Field) -> dict[str, Any]:
    """What the SDK says of a field: its constants are values, and we may know more of those."""
    return {"type": str(field.type), **({"required": True} if field.required else {})}


@pytest.mark.parametrize("version", VERSIONS)
def test_operations_are_those_of_the_client(version: str) -> None:
    ours = {operation.name: operation for operation in spec.operations() if operation.version == version}
    theirs = told(version)["operations"]
    assert set(ours) == set(theirs)
    for name, operation in ours.items():
        known = theirs[name]
        assert (operation.method, operation.path) == (known["method"], known["path"]), name
        assert (operation.stream, operation.multipart) == (known["stream"], known["multipart"]), name
        assert operation.response == known["response"], name
        assert (str(operation.body) if operation.body else None) == known.get("body"), name
        assert operation.unusual_body == ("body" in known and known["method"] in ("GET", "DELETE")), name


@pytest.mark.parametrize("version", VERSIONS)
def test_parameters_are_those_that_the_client_sends(version: str) -> None:
    for operation in spec.operations():
        if operation.version == version:
            ours = {p.name: (p.place, p.multi, facts(p.field)) for p in operation.parameters}
            known = told(version)["operations"][operation.name]["parameters"]
            assert ours == {
                name: (p["in"], p.get("multi", ""), {k: v for k, v in p.items() if k in ("type", "required")})
                for name, p in known.items()
            }, operation.name


@pytest.mark.parametrize("version", VERSIONS)
def test_models_are_those_of_the_sdk(version: str) -> None:
    known = told(version)["models"]
    assert set(spec.models(version)) == set(known)
    for name, fields in known.items():
        ours = {field.name: facts(field) for field in spec.model(version, name).fields}
        assert ours == {
            wire: {k: v for k, v in field.items() if k in ("type", "required")} for wire, field in fields.items()
        }, name


@pytest.mark.parametrize("version", VERSIONS)
def test_the_files_are_what_the_tool_writes(version: str) -> None:
    # Constants of the SDK are among the values, and the layout is the one that a diff can be read in.
    file = FOLDER / f"models_{version}.json"
    assert file.read_text() == tool.text(tool.merged(version, json.loads(file.read_text()))), "python -m tools.spec"


def test_the_table_is_what_the_tool_writes() -> None:
    file = FOLDER / "operations.toml"
    groups = tomllib.loads(file.read_text())["group"]
    assert file.read_text() == tool.table(groups, {version: told(version) for version in VERSIONS})
    assert tool.NEW not in {group["name"] for group in groups}, "put new operations into a group"


def test_the_tool_keeps_judgements_and_notices_what_is_new() -> None:
    groups = [{"name": "Jobs", "operations": [row("list_jobs", "done")]}]
    known = {"list_jobs": fact("/v5/jobs"), "show_moon": fact("/v5/moon")}
    written = tomllib.loads(tool.table(groups, {"v3": {"operations": {}}, "v5": {"operations": known}}))["group"]
    assert [(group["name"], [o["name"] for o in group["operations"]]) for group in written] == [
        ("Jobs", ["list_jobs"]),
        (tool.NEW, ["show_moon"]),
    ]
    assert written[0]["operations"][0] == {**row("list_jobs", "done"), "method": "GET", "path": "/v5/jobs"}


def row(name: str, state: str) -> dict[str, Any]:
    return {"version": "v5", "name": name, "tier": "T1", "state": state}


def fact(path: str) -> dict[str, Any]:
    return {"method": "GET", "path": path, "stream": False, "multipart": False}


def test_there_are_as_many_as_the_sdk_has() -> None:
    assert Counter(operation.version for operation in spec.operations()) == {"v3": 53, "v5": 137}
    assert len(spec.operations()) == 190
    assert metadata.version("huaweicloudsdkdrs") == SDK_VERSION


def test_every_operation_has_a_state_and_never_has_a_reason() -> None:
    for operation in spec.operations():
        assert operation.state in ("done", "planned", "never"), operation.name
        assert operation.tier in ("T1", "T2", "T3", "T4"), operation.name
        assert (operation.state == "never") == bool(operation.why) == (operation.tier == "T4"), operation.name


def test_a_call_has_one_path() -> None:
    names = Counter((o.method, re.sub(r"{\w+}", "{}", o.path)) for o in spec.operations())
    assert [call for call, times in names.items() if times > 1] == []


def test_path_parameters_are_in_the_path() -> None:
    for operation in spec.operations():
        declared = {p.name for p in operation.parameters if p.place == "path"} | {"project_id"}
        assert declared == set(re.findall(r"{(\w+)}", operation.path)), operation.name


@pytest.mark.parametrize("version", VERSIONS)
def test_types_name_models_that_there_are(version: str) -> None:
    def names(kind: Type) -> set[str]:
        return names(kind.of) if kind.of else {kind.name} - {""}

    known = set(spec.models(version))
    for name in known:
        for field in spec.model(version, name).fields:
            assert names(field.type) <= known, (name, field.name)
    for operation in spec.operations():
        if operation.version == version:
            assert operation.response in known
            assert operation.body is None or names(operation.body) <= known


@pytest.mark.parametrize("version", VERSIONS)
def test_judgements_fit_their_fields(version: str) -> None:
    models = [spec.model(version, name) for name in spec.models(version)]
    fields = [field for model in models for field in model.fields]
    fields += [p.field for operation in spec.operations() if operation.version == version for p in operation.parameters]
    for field in fields:
        number = (field.type.of or field.type).kind == "int"
        assert all(isinstance(value, int if number else str) for value in field.values), field
        assert field.type.kind != "bool" or not field.values, field
        assert field.range is None or field.range[0] < field.range[1], field
        assert field.range is None or field.type.kind in ("int", "str"), field
        assert field.length is None or field.type.kind in ("str", "list"), field
        if field.default is not None:
            assert type(field.default) is {"int": int, "bool": bool, "str": str}[field.type.kind], field


@pytest.mark.parametrize("text", ["str", "list[JobInfo]", "dict(str, list[TableObject])", "object"])
def test_types_are_read_and_written_alike(text: str) -> None:
    assert str(parsed(text)) == text


@pytest.mark.parametrize("text", ["", "string", "list[", "dict(int, str)", "list[]"])
def test_what_is_no_type_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="no type"):
        parsed(text)


def test_what_is_not_there_is_a_key_error() -> None:
    for ask in (
        lambda: spec.operation("v4", "list_jobs"),
        lambda: spec.operation("v3", "list_jobs"),
        lambda: spec.model("v4", "JobInfo"),
        lambda: spec.model("v5", "Nothing"),
    ):
        with pytest.raises(KeyError):
            ask()


def test_scalars_are_scalars() -> None:
    assert all(parsed(name) == Type(name) for name in SCALARS)
