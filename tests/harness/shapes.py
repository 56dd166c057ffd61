"""Holds an answer of the service against the contract, deeply.

    assert deviations("v5", "list_jobs", response.status_code, response.json()) == []

The SDK forgives nearly everything in an answer; other clients do not, and this does not either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from opendrs.spec import Field, Type, absences, extras, model, operation
from opendrs.spec.contract import parsed

CODE = re.compile(r"DRS\.(\d{8}|M\d{5}|KE\d{4})|APIGW\.\d{4}")
ERROR_TEXT_MAX = 512

# Declared type -> whether a JSON value is one. True is an int in Python, and must not be one here.
FITS: dict[str, Callable[[Any], bool]] = {
    "str": lambda value: isinstance(value, str),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "bool": lambda value: isinstance(value, bool),
    "date": lambda value: isinstance(value, str),
    "list": lambda value: isinstance(value, list),
    "dict": lambda value: isinstance(value, dict),
    "model": lambda value: isinstance(value, dict),
    "object": lambda value: True,
    "file": lambda value: False,
}


def deviations(version: str, name: str, status: int, body: Any) -> list[str]:
    """What is wrong with an answer, a line each; nothing is wrong if there is none.

    version, name  the operation: `v5`, `list_jobs`
    body           the parsed JSON; None for an empty answer, bytes for a file
    """
    spec = operation(version, name)
    if status >= 400:
        return list(_error(body))
    if not 200 <= status < 300:
        return [f"status {status} is neither good nor an error"]
    if spec.stream:
        return [] if isinstance(body, bytes) else [f"a file was declared, not {_shown(body)}"]
    answer = model(version, spec.response)
    if answer.whole is not None:
        whole = answer.whole.type
        return [] if whole.kind == "object" else list(_value(version, whole, body, "body"))
    if not _known(version, answer.name):
        return [] if body in (None, "", {}) else [f"an empty answer was declared, not {_shown(body)}"]
    return list(_value(version, parsed(answer.name), body, ""))


def _error(body: Any) -> Iterator[str]:
    if not isinstance(body, dict):
        yield f"an error must be an object, not {_shown(body)}"
        return
    code, text = body.get("error_code"), body.get("error_msg")
    if not isinstance(code, str) or not CODE.fullmatch(code):
        yield f"error_code: {_shown(code)} is no code"
    if not isinstance(text, str) or not 1 <= len(text) <= ERROR_TEXT_MAX:
        yield f"error_msg: {_shown(text)} is no text of 1 to {ERROR_TEXT_MAX} characters"
    gateway = isinstance(code, str) and code.startswith("APIGW.")
    if gateway and not isinstance(body.get("request_id"), str):
        yield "request_id: missing beside a code of the gateway"
    expected = {"error_code", "error_msg"} | ({"request_id"} if gateway else set())
    yield from (f"{name}: not declared in an error" for name in sorted(set(body) - expected))


def _value(version: str, kind: Type, value: Any, path: str) -> Iterator[str]:
    if not FITS[kind.kind](value):
        yield f"{path or 'the answer'}: {kind} was declared, not {_shown(value)}"
    elif kind.kind == "model":
        yield from _object(version, kind.name, value, path)
    elif kind.kind == "list" and kind.of is not None:
        for index, item in enumerate(value):
            yield from _value(version, kind.of, item, f"{path}[{index}]")
    elif kind.kind == "dict" and kind.of is not None:
        for key, item in value.items():
            yield from _value(version, kind.of, item, f"{path}[{key!r}]")


def _object(version: str, name: str, value: dict[str, Any], path: str) -> Iterator[str]:
    known = _known(version, name)
    optional = {
        field for row in absences() if (row.version, row.model) == (version, name) for field in row.fields
    }  # fmt: skip
    for wire, field in known.items():
        if value.get(wire) is None:
            if field.required and wire not in optional:
                yield f"{_at(path, wire)}: {'null' if wire in value else 'missing'}, but required in {name}"
        else:
            yield from _value(version, field.type, value[wire], _at(path, wire))
    yield from (f"{_at(path, wire)}: not declared in {name}" for wire in sorted(set(value) - set(known)))


def _known(version: str, name: str) -> dict[str, Field]:
    fields = {field.name: field for field in model(version, name).fields}
    ours = (row for row in extras() if (row.version, row.model) == (version, name))
    return fields | {row.field: Field(row.field, parsed(row.type)) for row in ours}


def _at(path: str, wire: str) -> str:
    return f"{path}.{wire}" if path else wire


def _shown(value: Any) -> str:
    return f"{type(value).__name__} {value!r}"[:80]
