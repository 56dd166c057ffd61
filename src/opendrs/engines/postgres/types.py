"""The published type map: what every logical type becomes in PostgreSQL, and what may get lost on the way.

A row is exact unless it names losses. A loss is declared: it has an identifier, a precheck counts the rows
it concerns at the source (engines/mysql/types.py, COUNTING), and a policy of the job says what becomes of
them. docs/reference/types.md is generated from the tables below.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final, NamedTuple

from opendrs.model.catalog import Column, Table, TableName

Narrowed = frozenset[tuple[TableName, str]]
"""Columns (table, name in lower case) of 64 unsigned bits that are `bigint` and not `numeric(20,0)`."""


class Loss(NamedTuple):
    """A way in which a value, or what can be done with it, does not arrive as it was.

    id        for ever: prechecks, reports and policies name it
    text      for a person
    policies  settings of the job (model.job.Policy) that say what becomes of such a value; none: it concerns
              no single value, and nothing stops
    """

    id: str
    text: str
    policies: tuple[str, ...] = ()


LOSSES: Final[dict[str, Loss]] = {
    loss.id: loss
    for loss in (
        Loss("impossible-date", "dates that no calendar has (0000-00-00, 2024-00-10, 2024-02-31)", ("invalid_dates",)),
        Loss("zero-timestamp", "the zero timestamp 0000-00-00 00:00:00", ("invalid_dates",)),
        Loss("nul-in-text", "NUL characters, which PostgreSQL's text cannot hold", ("nul_in_text",)),
        Loss("no-unicode", "codes that Unicode has no character for: such a row stops its table"),
        Loss("beyond-bigint", "numbers above 9223372036854775807: such a row stops its table"),
        Loss("lax-json", "documents that only MariaDB takes for JSON (`1.`, `\\q`): such a row stops its table"),
        Loss("geometry-functions", "bytes arrive exactly (SRID, then WKB); spatial functions need PostGIS"),
    )
}


class Row(NamedTuple):
    """One line of the map.

    target  SQL of the target's type; the braces are facts of the source's type
    copy    name of the type whose binary form is written
    losses  identifiers of LOSSES
    note    for the documentation
    """

    target: str
    copy: str
    losses: tuple[str, ...] = ()
    note: str = ""


# What a logical type, as it prints without its facts, becomes. Three of them have two rows.
TYPE_MAP: Final[dict[str, Row]] = {
    "int8": Row("smallint", "int2", note="TINYINT, also TINYINT(1) and BOOL: MySQL's holds -128 to 127"),
    "uint8": Row("smallint", "int2"),
    "int16": Row("smallint", "int2"),
    "uint16": Row("integer", "int4"),
    "int24": Row("integer", "int4"),
    "uint24": Row("integer", "int4"),
    "int32": Row("integer", "int4"),
    "uint32": Row("bigint", "int8"),
    "int64": Row("bigint", "int8"),
    "uint64": Row("numeric(20,0)", "numeric"),
    "uint64 that numbers rows": Row(
        "bigint",
        "int8",
        ("beyond-bigint",),
        "AUTO_INCREMENT, and every uint64 column that foreign keys tie to such a column",
    ),
    "decimal": Row("numeric({precision},{scale})", "numeric"),
    "float32": Row("real", "float4", note="the same bits"),
    "float64": Row("double precision", "float8", note="the same bits"),
    "year": Row("smallint", "int2"),
    "bits": Row("bit({length})", "bit"),
    "date": Row("date", "date", ("impossible-date",)),
    "time": Row("interval({fraction})", "interval", note="-838:59:59 to 838:59:59; it prints the same"),
    "datetime": Row("timestamp({fraction}) without time zone", "timestamp", ("impossible-date",)),
    "timestamp": Row("timestamp({fraction}) with time zone", "timestamptz", ("zero-timestamp",)),
    "text with a length": Row("varchar({length})", "varchar", ("nul-in-text", "no-unicode"), "CHAR and VARCHAR"),
    "text": Row("text", "text", ("nul-in-text", "no-unicode")),
    "enum": Row("varchar({longest})", "varchar", note="as long as the longest member"),
    "set": Row("varchar({longest})", "varchar", note="as long as all members together"),
    "json": Row("json", "json", note="the text as the source prints it; \\u0000 stays an escape"),
    "json that is text": Row("json", "json", ("lax-json",), "the text as it was written"),
    "binary": Row("bytea", "bytea"),
    "geometry": Row("bytea", "bytea", ("geometry-functions",)),
    "vector": Row("real[]", "float4[]"),
    "uuid": Row("uuid", "uuid"),
    "inet4": Row("inet", "inet"),
    "inet6": Row("inet", "inet"),
}


class TargetType(NamedTuple):
    """A type of the target: its SQL, and the name of the type whose binary form is written."""

    sql: str
    copy: str


def row_of(column: Column, narrowed: bool = False) -> Row:
    """The line of the map for a column."""
    kind = column.type.kind
    if kind == "int":
        key = str(column.type)
        return TYPE_MAP["uint64 that numbers rows" if narrowed and key == "uint64" else key]
    if kind == "text" and column.length is not None:
        return TYPE_MAP["text with a length"]
    if kind == "json" and column.native.startswith("longtext"):
        return TYPE_MAP["json that is text"]
    return TYPE_MAP[kind]


def target_type(column: Column, narrowed: bool = False) -> TargetType:
    """What the column becomes. `narrowed`: the column is among `narrowed_columns`."""
    row, logical = row_of(column, narrowed), column.type
    sql = row.target.format(
        precision=logical.precision,
        scale=logical.scale,
        fraction=logical.fraction,
        # PostgreSQL has no varchar(0); an empty text fits a varchar(1).
        length=logical.length if logical.kind == "bits" else max(column.length or 0, 1),
        longest=max(_longest(column), 1),
    )
    return TargetType(sql, row.copy)


def _longest(column: Column) -> int:
    """Characters of the longest value of an enum or set."""
    lengths = [len(member) for member in column.members]
    if column.type.kind == "set":
        return sum(lengths) + max(len(lengths) - 1, 0)  # all of them, with commas between
    return max(lengths, default=0)


def losses(column: Column, narrowed: bool = False) -> tuple[Loss, ...]:
    """What may get lost of the column's values."""
    found = row_of(column, narrowed).losses
    return tuple(LOSSES[loss] for loss in found if loss != "no-unicode" or column.beyond_unicode)


def narrowed_columns(tables: Iterable[Table]) -> Narrowed:
    """Columns of 64 unsigned bits that become `bigint`: those that number rows, and those tied to them.

    PostgreSQL numbers rows in `bigint` at most, and a foreign key needs one type on both sides. So every
    such column takes along what its foreign keys reach, in either direction, over any number of tables.
    """
    known = {table.name: table for table in tables}
    wide = {
        (table.name, column.name.lower()): column.auto
        for table in known.values()
        for column in table.columns
        if str(column.type) == "uint64"
    }
    ties: dict[tuple[TableName, str], set[tuple[TableName, str]]] = defaultdict(set)
    for table in known.values():
        for key in table.foreign_keys:
            for own, other in zip(key.columns, key.referenced_columns, strict=True):
                ends = (table.name, own.lower()), (key.referenced, other.lower())
                if all(end in wide for end in ends):
                    ties[ends[0]].add(ends[1])
                    ties[ends[1]].add(ends[0])
    reached: set[tuple[TableName, str]] = set()
    waiting = [end for end, auto in wide.items() if auto]
    while waiting:
        end = waiting.pop()
        if end not in reached:
            reached.add(end)
            waiting += ties[end]
    return frozenset(reached)
