"""Tables of a test: how they are made in the target, described to the client, and carried as Arrow."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

Row = tuple[Any, ...]

LEADING = (("op", pa.int8()), ("seq", pa.uint32()), ("txn", pa.uint32()), ("flags", pa.uint8()))


def arrow_type(logical: dict[str, Any]) -> pa.DataType:
    """The Arrow type that carries a logical type: the contract of `rust/columns`."""
    kind, unsigned = logical["kind"], logical.get("unsigned", False)
    match kind:
        case "int":
            bits = {24: 32}.get(logical["bits"], logical["bits"])
            return getattr(pa, f"{'u' if unsigned else ''}int{bits}")()
        case "decimal" if logical["precision"] <= 38:
            return pa.decimal128(logical["precision"], logical["scale"])
        case "decimal":
            return pa.decimal256(logical["precision"], logical["scale"])
        case "uuid" | "inet6":
            return pa.binary(16)
        case "inet4":
            return pa.binary(4)
        case "binary" | "geometry" | "vector":
            return pa.binary()
    return {
        "float32": pa.float32(),
        "float64": pa.float64(),
        "year": pa.uint16(),
        "bits": pa.uint64(),
        "date": pa.date32(),
        "time": pa.duration("us"),
        "datetime": pa.timestamp("us"),
        "timestamp": pa.timestamp("us", "UTC"),
    }.get(kind, pa.string())


@dataclass(frozen=True, kw_only=True)
class Column:
    name: str
    logical: dict[str, Any]
    type: str  # in the target, as SQL
    binary: bool = True
    not_null: bool = False

    def field(self) -> pa.Field:
        return pa.field(self.name, arrow_type(self.logical), metadata={"opendrs.type": json.dumps(self.logical)})

    def array(self, values: Sequence[Any]) -> pa.Array:
        """Values as Python has them; dates and times as the whole numbers that Arrow carries."""
        kind = arrow_type(self.logical)
        if pa.types.is_date(kind):
            return pa.array(values, pa.int32()).cast(kind)
        if pa.types.is_temporal(kind):
            return pa.array(values, pa.int64()).cast(kind)
        return pa.array(values, kind)


@dataclass(frozen=True, kw_only=True)
class Constant:
    """A column of the target that the source does not have, with the same value in every row."""

    name: str
    type: str
    value: str
    binary: bool = True
    not_null: bool = True


@dataclass(frozen=True, kw_only=True)
class Touched:
    """A column of the target that nobody writes, but that every update of a row sets."""

    name: str
    sql: str
    type: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """`key` and `uniques` may name constants."""

    name: str
    columns: tuple[Column, ...]
    constants: tuple[Constant, ...] = ()
    touched: tuple[Touched, ...] = ()
    key: tuple[str, ...] = ()
    uniques: tuple[tuple[str, ...], ...] = ()
    referenced_with_actions: bool = False
    opaque_uniques: bool = False
    partial: bool = False
    policies: dict[str, str] = field(default_factory=dict)
    schema: str = "app"

    def described(self) -> str:
        """The JSON form of `opendrs_postgres::TargetTable`."""
        columns = [
            {"name": c.name, "type": c.type, "binary": c.binary, "not_null": c.not_null}
            | ({"source": c.name} if isinstance(c, Column) else {"constant": c.value})
            for c in self.written
        ]
        return json.dumps(
            {
                "source": {"schema": "source", "table": self.name},
                "schema": self.schema,
                "table": self.name,
                "columns": columns,
                "touched": [{"name": column.name, "sql": column.sql} for column in self.touched],
                "extras": [{"name": column.name} for column in (*self.constants, *self.touched)],
                "key": self.key,
                "uniques": self.uniques,
                "referenced_with_actions": self.referenced_with_actions,
                "opaque_uniques": self.opaque_uniques,
                "partial": self.partial,
                "policies": self.policies,
            }
        )

    def sql(self, *constraints: str) -> str:
        columns = [f'"{c.name}" {c.type}{" NOT NULL" if c.not_null else ""}' for c in self.written]
        columns += [f'"{column.name}" {column.type} DEFAULT {column.sql}' for column in self.touched]
        keys = [f"PRIMARY KEY ({names(self.key)})"] if self.key else []
        keys += [f"UNIQUE ({names(unique)})" for unique in self.uniques]
        return f'CREATE TABLE "{self.schema}"."{self.name}" ({", ".join([*columns, *keys, *constraints])})'

    @property
    def written(self) -> tuple[Column | Constant, ...]:
        """The columns of the target that are written, in its order: constants stand in the middle."""
        half = len(self.columns) // 2
        return (*self.columns[:half], *self.constants, *self.columns[half:])

    @property
    def qualified(self) -> str:
        return f'"{self.schema}"."{self.name}"'

    def batch(self, rows: Sequence[Row]) -> pa.RecordBatch:
        """Rows of a snapshot."""
        return pa.record_batch(self._arrays(rows), schema=pa.schema([c.field() for c in self.columns]))

    def changes(self, changes: Iterable[tuple[int, int, int, Row]]) -> pa.RecordBatch:
        """Rows of a window: (op, seq, flags, row); an update is two, op 2 and op 3."""
        listed = list(changes)
        leading = [
            pa.array([change[0] for change in listed], pa.int8()),
            pa.array([change[1] for change in listed], pa.uint32()),
            pa.array([0] * len(listed), pa.uint32()),
            pa.array([change[2] for change in listed], pa.uint8()),
        ]
        fields = [pa.field(name, kind, nullable=False) for name, kind in LEADING] + [c.field() for c in self.columns]
        return pa.record_batch(leading + self._arrays([change[3] for change in listed]), schema=pa.schema(fields))

    def _arrays(self, rows: Sequence[Row]) -> list[pa.Array]:
        return [column.array([row[at] for row in rows]) for at, column in enumerate(self.columns)]


def names(columns: Iterable[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)
