"""What is special about one table of a selection: its name in the target, which of its rows, which of its columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, Self, get_args

from opendrs.model.catalog import TableName

ExtraKind = Literal["default_value", "create_time", "update_time", "expression", "server_database_table"]
"""Where the values of an additional column come from, in the published words."""
ExtraType = Literal["int", "long", "varchar(256)", "varchar(191)", "datetime", "timestamp"]
"""Its type, in the published words."""
Dml = Literal["i", "u", "d"]

EXTRA_KINDS: Final[tuple[ExtraKind, ...]] = get_args(ExtraKind)
EXTRA_TYPES: Final[tuple[ExtraType, ...]] = get_args(ExtraType)
EVERY_DML: Final[frozenset[Dml]] = frozenset(get_args(Dml))
# The types that values of each kind can have. Source: the official SDK's text of ColumnObject.type.
TYPES_OF: Final[dict[ExtraKind, frozenset[ExtraType]]] = {
    "default_value": frozenset(EXTRA_TYPES),
    "create_time": frozenset({"long", "datetime", "timestamp"}),
    "update_time": frozenset({"long", "datetime", "timestamp"}),
    "expression": frozenset({"varchar(256)", "varchar(191)"}),
    "server_database_table": frozenset({"varchar(256)", "varchar(191)"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraColumn:
    """A column that the target has and the source has not.

    default_value          `value` in every row
    create_time            when the row came into the target
    update_time            when it was written there last
    expression             `database@table` of the source
    server_database_table  `value@database@table` of the source
    """

    name: str
    kind: ExtraKind
    type: ExtraType
    value: str = ""

    @property
    def names_source(self) -> bool:
        """Whether the values tell rows of different source tables apart."""
        return self.kind in ("expression", "server_database_table")

    def of(self, name: TableName) -> str:
        """The value in rows of a table, of a column that names the source."""
        whole = f"{name.schema}@{name.table}"
        return whole if self.kind == "expression" else f"{self.value}@{whole}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRule:
    """Everything that is said of one table; what is empty says nothing.

    schema   target schema, if not the one of its database
    table    name in the target, if not its own
    filter   SQL of the source: rows for which it is true are replicated
    asked    the filter as it was written, if lists stand in it now for subqueries
    batch    number of the filter, by which it can be taken back; several tables may have got it together
    columns  by name at the source: the name in the target; None: the column is left out
    extras   additional columns, in order
    dml      which changes of rows are carried over from the log; None: those that the job's policy says
    """

    schema: str = ""
    table: str = ""
    filter: str = ""
    asked: str = ""
    batch: int = 0
    columns: Mapping[str, str | None] = field(default_factory=dict)
    extras: tuple[ExtraColumn, ...] = ()
    dml: frozenset[Dml] | None = None
    _columns: Mapping[str, str | None] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        lowered = {name.lower(): target for name, target in self.columns.items()}
        if len(lowered) < len(self.columns):
            raise ValueError("two rules of one table name the same column")
        object.__setattr__(self, "_columns", lowered)

    def names(self, column: str) -> bool:
        """Whether the rule says anything of a column; names are compared as MySQL does, without case."""
        return column.lower() in self._columns

    def arrives(self, column: str) -> str | None:
        """Under which name a column arrives; None: it is left out."""
        return self._columns.get(column.lower(), column)

    @property
    def written(self) -> str:
        """The filter as its author knows it."""
        return self.asked or self.filter

    @property
    def of_rows(self) -> tuple[Any, ...]:
        """What decides about rows and values, whatever the table is called."""
        return self.filter, dict(self._columns), self.extras, self.dml

    def to_json(self) -> dict[str, Any]:
        """Only what says something."""
        extras = [{"name": e.name, "kind": e.kind, "type": e.type, "value": e.value} for e in self.extras]
        facts = {
            "schema": self.schema,
            "table": self.table,
            "filter": self.filter,
            "asked": self.asked,
            "batch": self.batch,
            "columns": [[name, target] for name, target in sorted(self.columns.items())],
            "extras": extras,
            "dml": "" if self.dml is None else "".join(sorted(self.dml)) or "-",
        }
        return {name: fact for name, fact in facts.items() if fact}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        dml = data.get("dml", "")
        return cls(
            schema=data.get("schema", ""),
            table=data.get("table", ""),
            filter=data.get("filter", ""),
            asked=data.get("asked", ""),
            batch=data.get("batch", 0),
            columns=dict(data.get("columns", [])),
            extras=tuple(ExtraColumn(**extra) for extra in data.get("extras", [])),
            dml=frozenset(letter for letter in EVERY_DML if letter in dml) if dml else None,
        )


NO_RULE: Final = TableRule()


def carried_dml(rule: TableRule, usual: str) -> frozenset[Dml]:
    """Which changes of a table's rows are carried over. usual: of tables of which nothing is said, some of `iud`."""
    return rule.dml if rule.dml is not None else frozenset(letter for letter in EVERY_DML if letter in usual)


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedTable:
    """A table that filters of others look something up in, as the published API wants it to be declared. A filter
    names what it needs itself: this is held against the source, kept and shown.

    columns    that are looked up
    key        columns of its primary key, or of a unique one
    indexes    columns that the look-up goes by
    condition  which of its rows; empty: all
    batch      as of a filter
    """

    columns: tuple[str, ...]
    key: tuple[str, ...]
    indexes: tuple[str, ...] = ()
    condition: str = ""
    batch: int = 0

    def to_json(self) -> dict[str, Any]:
        return {
            "columns": list(self.columns),
            "key": list(self.key),
            "indexes": list(self.indexes),
            "condition": self.condition,
            "batch": self.batch,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            columns=tuple(data["columns"]),
            key=tuple(data["key"]),
            indexes=tuple(data["indexes"]),
            condition=data["condition"],
            batch=data["batch"],
        )


def problems_of(rule: TableRule, *, kafka: bool) -> list[str]:
    """What is wrong with a rule, whatever its table is. `kafka`: it arrives in messages."""
    found = []
    arriving = [name.lower() for name in rule.columns.values() if name] + [extra.name.lower() for extra in rule.extras]
    twice = sorted({name for name in arriving if arriving.count(name) > 1})
    found += [f"two columns arrive as {name}" for name in twice]
    for extra in rule.extras:
        if extra.type not in TYPES_OF[extra.kind]:
            words = ", ".join(word for word in EXTRA_TYPES if word in TYPES_OF[extra.kind])
            found.append(f"the additional column {extra.name} ({extra.kind}) is one of {words}, not {extra.type}")
        elif kafka and extra.kind in ("create_time", "update_time"):
            found.append(f"{extra.name}: a message has times of its own (es, ts), and none of its row")
        elif reason := _value_problem(extra):
            found.append(f"the additional column {extra.name}: {reason}")
    if len([extra for extra in rule.extras if extra.names_source]) > 1:
        found.append("one additional column is enough to tell where a row is from")
    return found


def _value_problem(extra: ExtraColumn) -> str:
    """Why the value does not fit; empty: it does."""
    if extra.kind == "server_database_table":
        return "" if extra.value else "it has no value: the name of the server"
    if extra.kind != "default_value":
        return ""
    match extra.type:
        case "int" | "long":
            bits = 31 if extra.type == "int" else 63
            whole = re.fullmatch(r"-?\d{1,19}", extra.value)
            fits = whole and -(1 << bits) <= int(extra.value) < 1 << bits
            return "" if fits else f"{extra.value!r} is no whole number of {bits + 1} bits"
        case "datetime" | "timestamp":
            form = re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?", extra.value)
            return "" if form and _is_moment(extra.value) else f"{extra.value!r} is not like 2024-02-29 23:59:59"
        case "varchar(256)" | "varchar(191)":
            most = int(extra.type[8:-1])
            return "" if len(extra.value) <= most and "\0" not in extra.value else f"it has more than {most} characters"


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text.replace(" ", "T"))
    except ValueError:
        return False
    return True
