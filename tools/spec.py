"""Refreshes src/opendrs/spec from the installed SDK: `python -m tools.spec`, then `git diff`.

What the SDK's classes say (methods, paths, parameters, models, fields, types, what is required, constants) is
read anew. What its classes do not say and somebody has judged (known values, ranges, lengths, defaults, groups,
tiers, states) is kept as it stands in the files. tests/unit/spec holds the files against `read`.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from huaweicloudsdkcore.sdk_stream_response import SdkStreamResponse

ROOT: Final = Path(__file__).parents[1] / "src" / "opendrs" / "spec"
VERSIONS: Final = ("v3", "v5")
# What is judged by people and not read from the SDK, per field and per row of operations.toml.
JUDGED: Final = ("values", "range", "length", "default")
NEW: Final = "New in the SDK"


def read(version: str) -> dict[str, Any]:
    """Everything the installed SDK says of one version, in the layout of models_<version>.json.

    Beside that, each operation has `method`, `path`, `stream` and `multipart`, which operations.toml holds.
    """
    package = importlib.import_module(f"huaweicloudsdkdrs.{version}")
    module = importlib.import_module(f"huaweicloudsdkdrs.{version}.model")
    operations = {name: _operation(package, name) for name in _names(package.DrsClient)}
    requests = {_class_name(name) + "Request" for name in operations}
    models = {
        name: _fields(kind)
        for name, kind in sorted(vars(module).items())
        if inspect.isclass(kind) and hasattr(kind, "openapi_types") and name not in requests
    }
    return {"operations": operations, "models": models}


def _names(client: type) -> list[str]:
    # Every operation has a class method that says what will be sent.
    return sorted(name[1 : -len("_http_info")] for name in vars(client) if name.endswith("_http_info"))


def _class_name(operation: str) -> str:
    return "".join(word.capitalize() for word in operation.split("_"))


class _Echo:
    """A request whose every attribute is its own name: where a name turns up is where the SDK sends it."""

    def __init__(self, kind: Any) -> None:
        self.attribute_map = kind.attribute_map
        for name in kind.attribute_map:
            setattr(self, name, name)


def _operation(package: Any, name: str) -> dict[str, Any]:
    kind = getattr(package, _class_name(name) + "Request")
    sent = getattr(package.DrsClient, f"_{name}_http_info")(_Echo(kind))
    fields = _fields(kind)
    where = {
        "path": sent["path_params"],
        "query": dict(sent["query_params"]),
        "header": {wire: attr for wire, attr in sent["header_params"].items() if wire != "Content-Type"},
    }
    known = {"method": sent["method"], "path": sent["resource_path"]}
    known["stream"] = issubclass(getattr(package, sent["response_type"]), SdkStreamResponse)
    known["multipart"] = sent["header_params"]["Content-Type"] == "multipart/form-data"
    known["response"] = sent["response_type"]
    if sent["body"]:
        known["body"] = kind.openapi_types["body"]
    known["parameters"] = {
        wire: {"in": place, **fields[wire], **_multi(sent, wire)}
        for place, found in where.items()
        for wire in sorted(found)
    }
    return known


def _multi(sent: dict[str, Any], wire: str) -> dict[str, str]:
    return {"multi": sent["collection_formats"][wire]} if wire in sent["collection_formats"] else {}


def _fields(kind: Any) -> dict[str, dict[str, Any]]:
    """Wire name -> type, required, and the values that the class has constants for."""
    required = _required(kind)
    found = {}
    for attr, text in sorted(kind.openapi_types.items(), key=lambda item: kind.attribute_map[item[0]]):
        field: dict[str, Any] = {"type": text}
        if attr in required:
            field["required"] = True
        if values := _constants(kind, attr):
            field["values"] = values
        found[kind.attribute_map[attr]] = field
    return found


def _required(kind: Any) -> set[str]:
    """The constructor sets what is required without asking whether it was given."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind.__init__)))
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    targets = (node.targets[0] for node in function.body if isinstance(node, ast.Assign))
    return {
        target.attr for target in targets if isinstance(target, ast.Attribute) and target.attr in kind.openapi_types
    }


def _constants(kind: Any, attr: str) -> list[str]:
    prefix = attr.upper() + "_"
    # Constants of `status` and of `status_code` would begin alike: the longest attribute that fits has them.
    longer = [other.upper() + "_" for other in kind.openapi_types if other.upper().startswith(prefix)]
    names = (name for name in vars(kind) if name.startswith(prefix) and not name.startswith(tuple(longer)))
    return [value for name in names if isinstance(value := vars(kind)[name], str)]


def merged(version: str, judged: dict[str, Any]) -> dict[str, Any]:
    """What models_<version>.json has to hold: the SDK's facts, with what `judged` adds to them."""
    told = read(version)
    for name, operation in told["operations"].items():
        for fact in ("method", "path", "stream", "multipart"):
            del operation[fact]
        _keep(operation["parameters"], judged.get("operations", {}).get(name, {}).get("parameters", {}))
    for name, fields in told["models"].items():
        _keep(fields, judged.get("models", {}).get(name, {}))
    return told


def _keep(fields: dict[str, Any], judged: dict[str, Any]) -> None:
    for name, field in fields.items():
        old = judged.get(name, {})
        constants = field.get("values", [])
        kept = {fact: old[fact] for fact in JUDGED if fact in old}
        if missing := [value for value in constants if value not in kept.get("values", [])]:
            kept["values"] = [*kept.get("values", []), *missing]
        field.update(kept)


def text(data: dict[str, Any]) -> str:
    """The data as JSON with one field a line, so that a difference can be read."""
    return "{\n" + ",\n".join(_sections(data)) + "\n}\n"


def _sections(data: dict[str, Any]) -> Iterator[str]:
    operations = (
        f' {_json(name)}: {{"response": {_json(operation["response"])}, "body": {_json(operation.get("body"))}, '
        f'"parameters": {_rows(operation["parameters"])}}}'
        for name, operation in data["operations"].items()
    )
    models = (f" {_json(name)}: {_rows(fields)}" for name, fields in data["models"].items())
    yield '"operations": {\n' + ",\n".join(operations) + "\n}"
    yield '"models": {\n' + ",\n".join(models) + "\n}"


def _rows(fields: dict[str, Any]) -> str:
    if not fields:
        return "{}"
    return "{\n" + ",\n".join(f"  {_json(name)}: {_json(field)}" for name, field in fields.items()) + "\n }"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def table(groups: list[dict[str, Any]], told: dict[str, dict[str, Any]]) -> str:
    """operations.toml: the groups as they are, with methods and paths from the SDK, and rows for what is new."""
    rows = {(row["version"], row["name"]) for group in groups for row in group["operations"]}
    new = [
        {"version": version, "name": name, "tier": "T3", "state": "planned"}
        for version in VERSIONS
        for name in told[version]["operations"]
        if (version, name) not in rows
    ]
    lines = [HEAD]
    for group in [*groups, *([{"name": NEW, "operations": new}] if new else [])]:
        lines += ["", "[[group]]", f"name = {_json(group['name'])}"]
        lines += [f"{word} = {_json(group[word])}" for word in ("why",) if word in group]
        lines.append("operations = [")
        for row in group["operations"]:
            known = told[row["version"]]["operations"].get(row["name"])
            if known is not None:  # what the SDK no longer has goes
                lines.append(f"  {{ {', '.join(_pairs(row, known))} }},")
        lines.append("]")
    return "\n".join(lines) + "\n"


HEAD: Final = """\
# The operations, in the order of the reference page. Methods, paths, `stream`, `multipart` and `unusual_body` are the
# SDK's; `tier`, `state`, `status` and `why` are ours. `python -m tools.spec` renews the former and keeps the latter."""


def _pairs(row: dict[str, Any], known: dict[str, Any]) -> Iterator[str]:
    unusual = "body" in known and known["method"] in ("GET", "DELETE")
    facts = {"stream": known["stream"], "multipart": known["multipart"], "unusual_body": unusual}
    whole = {
        "version": row["version"],
        "name": row["name"],
        "method": known["method"],
        "path": known["path"],
        "tier": row["tier"],
        "state": row["state"],
        **({"status": row["status"]} if "status" in row else {}),
        **{fact: True for fact, holds in facts.items() if holds},
    }
    return (f"{word} = {_json(value)}" for word, value in whole.items())


def main() -> None:
    told = {version: read(version) for version in VERSIONS}
    operations = ROOT / "operations.toml"
    groups = tomllib.loads(operations.read_text())["group"]
    operations.write_text(table(groups, told))
    for version in VERSIONS:
        file = ROOT / f"models_{version}.json"
        file.write_text(text(merged(version, json.loads(file.read_text()))))
    sys.stdout.write("Look at `git diff` now: what is new has no group, no values and no judgement yet.\n")


if __name__ == "__main__":
    main()
