"""The operations and models of the API as typed values, loaded from the data files beside this module.

The operations are loaded in one go (they are needed to route); a model is made when it is asked for.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

Version = Literal["v3", "v5"]
Place = Literal["path", "query", "header"]
State = Literal["done", "planned", "never"]

VERSIONS: Final[tuple[Version, ...]] = ("v3", "v5")
FOLDER: Final = Path(__file__).parent
# The release of the official SDK (huaweicloudsdkdrs) that the data states.
SDK_VERSION: Final = "3.1.219"
SCALARS: Final = frozenset({"str", "int", "float", "bool", "date", "file", "object"})


@dataclass(frozen=True, slots=True)
class Type:
    """A declared type.

    kind  one of SCALARS, or list, dict (from strings), model
    name  the model's name, if kind is model
    of    what a list or dict holds
    """

    kind: str
    name: str = ""
    of: Type | None = None

    def __str__(self) -> str:
        if self.of is None:
            return self.name or self.kind
        return f"list[{self.of}]" if self.kind == "list" else f"dict(str, {self.of})"


@cache
def parsed(text: str) -> Type:
    """The type that the SDK writes as `text`: str, list[JobInfo], dict(str, TableObject).

    Raises:
        ValueError: this is not how the SDK writes types.
    """
    if text in SCALARS:
        return Type(text)
    if found := re.fullmatch(r"list\[(.+)\]", text):
        return Type("list", of=parsed(found[1]))
    if found := re.fullmatch(r"dict\(str, ?(.+)\)", text):
        return Type("dict", of=parsed(found[1]))
    if re.fullmatch(r"[A-Z]\w*", text):
        return Type("model", name=text)
    raise ValueError(f"no type of the contract: {text}")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a model, under its name on the wire.

    required  by the SDK's word; what a good answer may leave out all the same is in extras.toml
    values    known values; never exhaustive, as the sources name them by example
    range     smallest and largest number, also of a number that is written as a string
    length    shortest and longest text, or fewest and most items of a list
    """

    name: str
    type: Type
    required: bool = False
    values: tuple[str | int, ...] = ()
    range: tuple[int, int] | None = None
    length: tuple[int, int] | None = None
    default: str | int | bool | None = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter outside the body. `multi` says how the vendor's documents write a list in a query: csv."""

    place: Place
    field: Field
    multi: str = ""

    @property
    def name(self) -> str:
        return self.field.name


@dataclass(frozen=True, slots=True)
class Model:
    """A JSON object. The fields are in the order of their names."""

    version: Version
    name: str
    fields: tuple[Field, ...]

    @property
    def whole(self) -> Field | None:
        """The field that stands for the whole JSON value, if this answer is no object with names: the SDK
        calls it `body`. An `object` there means that nothing is known of the answer.
        """
        return self.fields[0] if len(self.fields) == 1 and self.fields[0].name == "body" else None


@dataclass(frozen=True, slots=True)
class OperationSpec:
    """One operation of the API.

    name          of the SDK's method
    group         heading on the reference page
    tier          T1 (first) to T4 (out of scope)
    why           reason, if state is never
    status        HTTP status of a good answer
    stream        the answer is a file, not JSON
    multipart     the body is an upload: one part named `file`
    unusual_body  a GET or DELETE with a body
    body          type of the JSON body, None without one
    response      name of the answer's model
    """

    version: Version
    name: str
    method: str
    path: str
    group: str
    tier: str
    state: State
    why: str
    status: int
    stream: bool
    multipart: bool
    unusual_body: bool
    parameters: tuple[Parameter, ...]
    body: Type | None
    response: str


@cache
def operations() -> tuple[OperationSpec, ...]:
    """All of them, in the order of the reference page."""
    groups = tomllib.loads(_text("operations.toml"))["group"]
    return tuple(_operation(group, row) for group in groups for row in group["operations"])


def operation(version: str, name: str) -> OperationSpec:
    """One of them.

    Raises:
        KeyError: there is none of this name.
    """
    return _by_name()[version, name]


@cache
def model(version: str, name: str) -> Model:
    """A model of one version's client; one that only the other version has is that (our additions use such).

    Raises:
        KeyError: there is none of this name.
    """
    held = _data(version)["models"]
    if name not in held:
        held = _data(next(other for other in VERSIONS if other != version))["models"]
    fields = (_field(wire, facts) for wire, facts in held[name].items())
    return Model("v3" if version == "v3" else "v5", name, tuple(fields))


def models(version: str) -> tuple[str, ...]:
    """The names of all models of a version."""
    return tuple(_data(version)["models"])


@cache
def _by_name() -> dict[tuple[str, str], OperationSpec]:
    return {(operation.version, operation.name): operation for operation in operations()}


def _operation(group: dict[str, Any], row: dict[str, Any]) -> OperationSpec:
    signature = _data(row["version"])["operations"][row["name"]]
    return OperationSpec(
        version=row["version"],
        name=row["name"],
        method=row["method"],
        path=row["path"],
        group=group["name"],
        tier=row["tier"],
        state=row["state"],
        why=group["why"] if row["state"] == "never" else "",
        status=row.get("status", 200),
        stream=row.get("stream", False),
        multipart=row.get("multipart", False),
        unusual_body=row.get("unusual_body", False),
        parameters=tuple(_parameter(wire, facts) for wire, facts in signature["parameters"].items()),
        body=parsed(signature["body"]) if signature["body"] else None,
        response=signature["response"],
    )


def _parameter(wire: str, facts: dict[str, Any]) -> Parameter:
    return Parameter(facts["in"], _field(wire, facts), facts.get("multi", ""))


def _field(wire: str, facts: dict[str, Any]) -> Field:
    return Field(
        name=wire,
        type=parsed(facts["type"]),
        required=facts.get("required", False),
        values=tuple(facts.get("values", ())),
        range=_pair(facts.get("range")),
        length=_pair(facts.get("length")),
        default=facts.get("default"),
    )


def _pair(pair: list[int] | None) -> tuple[int, int] | None:
    return (pair[0], pair[1]) if pair else None


@cache
def _data(version: str) -> dict[str, Any]:
    if version not in VERSIONS:
        raise KeyError(version)
    data: dict[str, Any] = json.loads(_text(f"models_{version}.json"))
    return data


def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
