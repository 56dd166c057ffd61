"""What exists in a database: tables, columns, keys, views. Values, never connections."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Literal, Self

from opendrs.model.types import Logical

Action = Literal["NO ACTION", "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT"]


@dataclass(frozen=True, slots=True, order=True)
class TableName:
    """Name of a table or view. `schema` is MySQL's database, PostgreSQL's schema."""

    schema: str
    table: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}"


@dataclass(frozen=True, slots=True)
class Default:
    """Default of a column: a `literal` (its plain value, unquoted) or an `expression` (SQL of the source).

    The plain value of bits are binary digits ("101"), of bytes hexadecimal digits ("6100"), of a timestamp
    the wall clock of UTC.
    """

    kind: Literal["literal", "expression"]
    text: str


@dataclass(frozen=True, slots=True)
class Generated:
    """A generated column: SQL of the source, and whether the value is stored there.

    logged   whether the log carries the value when a row is updated
    """

    expression: str
    stored: bool
    logged: bool = True


# Character sets whose every code, or every code that a server stores, is a character of Unicode (asked of
# MariaDB 10.11, code by code).
WITHIN_UNICODE: Final = frozenset(
    {
        *("utf8", "utf8mb3", "utf8mb4", "utf16", "utf16le", "utf32", "latin1", "latin2", "latin5", "latin7"),
        *("cp850", "cp852", "cp866", "koi8r", "koi8u", "armscii8", "keybcs2", "macce", "macroman", "tis620"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column.

    type       what the values mean
    native     the type as the source prints it: "int(10) unsigned"
    length     declared length in characters (text kinds) or bytes (binary), None if unbounded
    charset    character set of text kinds, as the source names it
    members    members of an enum or set, in order
    auto       the server numbers new rows (AUTO_INCREMENT, identity)
    on_update  expression of MySQL's ON UPDATE clause
    invisible  left out by SELECT *
    hidden     carried by the log, and no query can name it: neither read by a snapshot nor carried over
    """

    name: str
    type: Logical
    native: str
    nullable: bool = True
    length: int | None = None
    charset: str | None = None
    collation: str | None = None
    members: tuple[str, ...] = ()
    default: Default | None = None
    generated: Generated | None = None
    auto: bool = False
    on_update: str | None = None
    invisible: bool = False
    comment: str = ""
    hidden: bool = False

    @property
    def beyond_unicode(self) -> bool:
        """Whether its character set has, or may have, codes that Unicode has no character for."""
        return self.charset is not None and self.charset not in WITHIN_UNICODE


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPart:
    """One part of an index: a column, or an expression (then `column` is empty)."""

    column: str = ""
    expression: str = ""
    prefix: int | None = None  # MySQL's column(10): characters or bytes that count
    descending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An index. `kind` is btree, hash, fulltext, spatial or vector."""

    name: str
    parts: tuple[IndexPart, ...]
    unique: bool = False
    kind: str = "btree"
    comment: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns, if the index consists of whole columns only; else empty."""
        if any(part.expression or part.prefix is not None for part in self.parts):
            return ()
        return tuple(part.column for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKey:
    """A foreign key from `columns` to `referenced_columns` of `referenced`."""

    name: str
    columns: tuple[str, ...]
    referenced: TableName
    referenced_columns: tuple[str, ...]
    on_delete: Action = "NO ACTION"
    on_update: Action = "NO ACTION"

    @property
    def acts(self) -> bool:
        """Whether a change of the referenced row changes rows of this table."""
        return bool({self.on_delete, self.on_update} & {"CASCADE", "SET NULL", "SET DEFAULT"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A CHECK constraint, its expression in the SQL of the source. Not `enforced`: it is only written down."""

    name: str
    expression: str
    enforced: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table: every column that the log carries, in table order."""

    name: TableName
    columns: tuple[Column, ...]
    primary: Index | None = None
    indexes: tuple[Index, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    checks: tuple[Check, ...] = ()
    charset: str = ""
    collation: str = ""
    engine: str = ""
    comment: str = ""
    next_auto: int | None = None  # the next value of the numbering column
    rows_estimate: int = 0
    bytes_estimate: int = 0

    def column(self, name: str) -> Column:
        """The column of that name; names are compared as MySQL does, without case. KeyError if absent."""
        for column in self.columns:
            if column.name.lower() == name.lower():
                return column
        raise KeyError(name)

    @property
    def key(self) -> tuple[str, ...]:
        """Columns that identify a row: the primary key, else the first unique key without NULLs; empty: none.

        A key over values that the log does not carry identifies nothing.
        """
        unique = [index for index in self.indexes if index.unique]
        for index in [self.primary, *unique] if self.primary else unique:
            columns = [self.column(name) for name in index.columns]
            if columns and all(_identifies(column, index is self.primary) for column in columns):
                return index.columns
        return ()

    def defined_as(self, other: Table) -> bool:
        """Whether both are the same definition, whatever has been counted and estimated since."""
        counted = replace(other, next_auto=self.next_auto, rows_estimate=self.rows_estimate)
        return self == replace(counted, bytes_estimate=self.bytes_estimate)

    def to_json(self) -> dict[str, Any]:
        """The persisted form. `type` and `key` are what Rust's TableSpec reads."""
        data = asdict(self)
        for column, own in zip(data["columns"], self.columns, strict=True):
            column["type"] = own.type.to_json()
        return {"version": 1, "key": list(self.key), **data}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        if data["version"] != 1:
            raise ValueError(f"a table definition of version {data['version']} is not understood")
        facts = {name: value for name, value in data.items() if name not in ("version", "key")}
        facts["name"] = TableName(**facts["name"])
        facts["columns"] = tuple(_column(column) for column in facts["columns"])
        facts["primary"] = _index(facts["primary"]) if facts["primary"] else None
        facts["indexes"] = tuple(_index(index) for index in facts["indexes"])
        facts["foreign_keys"] = tuple(_foreign_key(key) for key in facts["foreign_keys"])
        facts["checks"] = tuple(Check(**check) for check in facts["checks"])
        return cls(**facts)

    def with_column(self, name: str, /, **changes: Any) -> Self:
        """The table with one column changed."""
        changed = replace(self.column(name), **changes)
        return replace(self, columns=tuple(changed if c.name.lower() == name.lower() else c for c in self.columns))


def _identifies(column: Column, primary: bool) -> bool:
    return (primary or not column.nullable) and (column.generated is None or column.generated.logged)


def _column(data: dict[str, Any]) -> Column:
    return Column(
        **{
            **data,
            "type": Logical.from_json(data["type"]),
            "members": tuple(data["members"]),
            "default": Default(**data["default"]) if data["default"] else None,
            "generated": Generated(**data["generated"]) if data["generated"] else None,
        }
    )


def _index(data: dict[str, Any]) -> Index:
    return Index(**{**data, "parts": tuple(IndexPart(**part) for part in data["parts"])})


def _foreign_key(data: dict[str, Any]) -> ForeignKey:
    lists = {name: tuple(data[name]) for name in ("columns", "referenced_columns")}
    return ForeignKey(**{**data, **lists, "referenced": TableName(**data["referenced"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A view; `definition` is the SELECT in the SQL of the source."""

    name: TableName
    definition: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """What a selection covers at one moment."""

    tables: tuple[Table, ...] = ()
    views: tuple[View, ...] = ()
    others: tuple[tuple[str, TableName], ...] = field(default=())  # (kind, name): routines, triggers, events

    def table(self, name: TableName) -> Table:
        """The table of that name; KeyError if absent."""
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(str(name))
