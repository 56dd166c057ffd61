"""From what is written to what the catalog holds: columns, indexes, foreign keys, checks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from opendrs.engines.mysql.charsets import Charset, bytes_per_character
from opendrs.engines.mysql.columns import ROW_END, ROW_START, ColumnSpec
from opendrs.engines.mysql.keys import KeySpec
from opendrs.engines.mysql.literals import Written, default, moment_literal
from opendrs.engines.mysql.session import Session
from opendrs.engines.mysql.statement import NotUnderstood
from opendrs.engines.mysql.types import TYPES, resolve
from opendrs.model.catalog import Column, Default, ForeignKey, Generated, Index, IndexPart
from opendrs.model.types import Logical

# The most bytes of a key: what is longer is cut in an ordinary index, and hashed in MariaDB's unique one.
KEY_BYTES_MAX: Final = {"INNODB": 3072, "MYISAM": 1000, "ARIA": 2000}
PREFIXED: Final = ("text", "binary", "json", "geometry")  # kinds of which an index can take a part
POINT_BYTES: Final = 25
ZERO: Final = Written("string", "0000-00-00 00:00:00")


def make_column(
    spec: ColumnSpec, charset: Charset, session: Session, *, first_timestamp: bool = False, convert: bool = False
) -> Column:
    """The column.

    charset          the default of the table
    first_timestamp  no TIMESTAMP stands before it
    convert          the statement converts the table to `charset`: it counts even where the column says another
    """
    declared = spec.type.declared(session.charsets, charset)
    if convert and declared.charset is not None and declared.charset.charset != "binary":
        declared = replace(declared, charset=charset)
    meaning = resolve(declared, session.flavour)
    spec = _implicit_timestamp(spec, session, first_timestamp)
    if session.flavour.mariadb and meaning.type.kind in ("datetime", "timestamp"):
        spec = _fitted_moments(spec, meaning.type.fraction)
    # JSON is bytes of UTF-8 to whoever reads the log; in another character set it stays text.
    json = (meaning.charset is not None and meaning.charset.charset == "utf8mb4") and is_json(spec)
    written = None if spec.default is None or spec.generated else spec.default
    return Column(
        name=spec.name,
        type=Logical(kind="json") if json else meaning.type,
        native=meaning.native,
        nullable=spec.nullable is not False and not spec.auto,
        length=meaning.length,
        charset=meaning.charset.charset if meaning.charset and not json else None,
        collation=meaning.charset.collation if meaning.charset and not json else None,
        members=meaning.members,
        default=default(written, meaning, session.zone) if written else None,
        generated=spec.generated,
        auto=spec.auto,
        on_update=spec.on_update,
        invisible=spec.invisible,
        comment=spec.comment,
    )


def is_json(spec: ColumnSpec) -> bool:
    """Whether a LONGTEXT column has the check that makes it MariaDB's JSON. JSON brings it if it has no other."""
    valid = any(valid_json(spec.name, check.expression) for check in spec.checks)
    return spec.type.name == "longtext" and (valid or (spec.json and not spec.checks))


def valid_json(column: str, expression: str) -> bool:
    """Whether a check says json_valid(column) and nothing else."""
    quoted = "`" + column.replace("`", "``") + "`"
    return expression.replace(" ", "").lower() in (f"json_valid({quoted})".lower(), f"json_valid({column})".lower())


def _implicit_timestamp(spec: ColumnSpec, session: Session, first: bool) -> ColumnSpec:
    """Without explicit_defaults_for_timestamp, TIMESTAMP is NOT NULL and has a default of its own."""
    if spec.type.name != "timestamp" or session.explicit_timestamps or spec.nullable or spec.generated:
        return spec
    if spec.default is None and spec.on_update is None and first:
        digits = f"({spec.type.numbers[0]})" if spec.type.numbers and spec.type.numbers[0] else ""
        moment = f"CURRENT_TIMESTAMP{digits}"
        return replace(spec, nullable=False, default=Written("now", moment), on_update=moment)
    return replace(spec, nullable=False, default=ZERO if spec.default is None else spec.default)


def filling(column: Column, session: Session) -> Default | None:
    """What rows that are there get in a new column, where that is not its default but the moment of adding it."""
    own = column.default
    if own is None or own.kind != "expression" or not own.text.startswith("CURRENT_TIMESTAMP"):
        return None
    if session.moment is None or column.type.kind not in ("datetime", "timestamp"):
        return None
    try:
        zone = "UTC" if column.type.kind == "timestamp" else session.zone
        return Default("literal", moment_literal(session.moment, zone, column.type.fraction))
    except (KeyError, ValueError):
        return None


def _fitted_moments(spec: ColumnSpec, fraction: int) -> ColumnSpec:
    """MariaDB takes NOW() for a moment as precise as the column."""

    def fitted(text: str) -> str:
        given = int(text.partition("(")[2].rstrip(")") or 0)
        digits = given if 0 < given < fraction else fraction
        return f"CURRENT_TIMESTAMP({digits})" if digits else "CURRENT_TIMESTAMP"

    if spec.default is not None and spec.default.form == "now":
        spec = replace(spec, default=Written("now", fitted(spec.default.text)))
    return spec if spec.on_update is None else replace(spec, on_update=fitted(spec.on_update))


# --- indexes --------------------------------------------------------------------------------------


def make_index(spec: KeySpec, name: str, columns: Sequence[Column], engine: str, session: Session) -> Index:
    """The index; its columns must be among `columns`."""
    by_name = {column.name.lower(): column for column in columns}
    missing = [part.column for part in spec.parts if part.column and part.column.lower() not in by_name]
    if missing:
        raise NotUnderstood(f"the column {missing[0]!r} of the key {name!r} is not known")
    parts = tuple(_part(part, by_name, spec) for part in spec.parts)
    unique = spec.kind in ("primary", "unique")
    kind = _kind(spec, parts, by_name, engine, session)
    if (kind == "hash" and unique) or kind in ("fulltext", "spatial", "vector"):
        parts = tuple(replace(part, descending=False) for part in parts)
    elif kind == "btree" and not unique:
        parts = tuple(_cut(part, by_name, engine) for part in parts)
    return Index(name=name, parts=parts, unique=unique, kind=kind, comment=spec.comment)


def _part(part: IndexPart, columns: dict[str, Column], spec: KeySpec) -> IndexPart:
    """The column in the table's spelling; a prefix that is as long as the column is none."""
    if not part.column:
        return part
    column = columns[part.column.lower()]
    if column.native == "point" and spec.method == "btree":  # 4 bytes of SRID and 21 of WKB
        return replace(part, column=column.name, prefix=POINT_BYTES)
    whole = part.prefix is not None and column.length is not None and part.prefix >= column.length
    drop = whole or column.type.kind not in PREFIXED or spec.method in ("fulltext", "spatial", "vector")
    return replace(part, column=column.name, prefix=None if drop else part.prefix)


def whole_where_possible(index: Index, columns: Sequence[Column]) -> Index:
    """The index, without prefixes that are no shorter than their column."""
    lengths = {column.name: column.length for column in columns}

    def whole(part: IndexPart) -> bool:
        length = lengths.get(part.column)
        return part.prefix is not None and length is not None and part.prefix >= length

    return replace(index, parts=tuple(replace(p, prefix=None) if whole(p) else p for p in index.parts))


def part_bytes(part: IndexPart, columns: dict[str, Column]) -> int | None:
    """The most bytes of a part of text or bytes; None: no limit, or not text."""
    column = columns[part.column.lower()] if part.column else None
    if column is None or column.type.kind not in ("text", "binary", "json"):
        return 0
    length = part.prefix if part.prefix is not None else column.length
    return None if length is None else length * _per_character(column)


def _per_character(column: Column) -> int:
    """MariaDB's JSON is utf8mb4 and says no character set."""
    return bytes_per_character("utf8mb4" if column.type.kind == "json" else column.charset)


def _kind(
    spec: KeySpec, parts: tuple[IndexPart, ...], columns: dict[str, Column], engine: str, session: Session
) -> str:
    if spec.method != "btree":
        return spec.method
    if engine.upper() in ("MEMORY", "HEAP"):
        return "btree" if spec.using == "btree" else "hash"
    if spec.kind != "unique" or not session.flavour.has("row_hash"):
        return "btree"
    return "hash" if spec.using == "hash" or _too_long(parts, columns, engine) else "btree"


def _too_long(parts: tuple[IndexPart, ...], columns: dict[str, Column], engine: str) -> bool:
    """Whether MariaDB makes UNIQUE from a hash of the values, in a hidden column: a B-tree could not hold them."""
    sizes = [part_bytes(part, columns) for part in parts]
    longest = KEY_BYTES_MAX.get(engine.upper(), KEY_BYTES_MAX["INNODB"])
    return None in sizes or sum(size or 0 for size in sizes) > longest


def unique_kind(index: Index, columns: Sequence[Column], engine: str) -> str:
    """What MariaDB makes a unique key at each ALTER TABLE, whatever it was before."""
    by_name = {column.name.lower(): column for column in columns}
    return "hash" if _too_long(index.parts, by_name, engine) else "btree"


def _cut(part: IndexPart, columns: dict[str, Column], engine: str) -> IndexPart:
    """Without a strict sql_mode a part that is too long is cut to what the engine can; in one it is refused."""
    size, longest = part_bytes(part, columns), KEY_BYTES_MAX.get(engine.upper(), KEY_BYTES_MAX["INNODB"])
    if size is not None and size <= longest:
        return part
    column = columns[part.column.lower()]
    longest //= _per_character(column)
    capacity = TYPES[column.native.partition("(")[0].partition(" ")[0]].size
    return replace(part, prefix=min(longest, capacity) if size is None else longest)


def make_foreign_key(spec: KeySpec, name: str, columns: Sequence[Column]) -> ForeignKey:
    by_name = {column.name.lower(): column.name for column in columns}
    assert spec.referenced is not None
    return ForeignKey(
        name=name,
        columns=tuple(by_name.get(part.column.lower(), part.column) for part in spec.parts),
        referenced=spec.referenced,
        referenced_columns=spec.referenced_columns,
        on_delete=spec.on_delete,
        on_update=spec.on_update,
    )


# --- columns that nobody declares -----------------------------------------------------------------


def row_times() -> tuple[Column, Column]:
    """The columns that MariaDB adds to a table WITH SYSTEM VERSIONING which declares none."""
    stamp = Logical(kind="timestamp", fraction=6)
    start = Column(
        name="row_start",
        type=stamp,
        native="timestamp(6)",
        nullable=False,
        generated=Generated(ROW_START, stored=True),
        invisible=True,
    )
    return start, replace(start, name="row_end", generated=Generated(ROW_END, stored=True))


def row_hashes(indexes: Iterable[Index], engine: str) -> tuple[Column, ...]:
    """The hidden columns of MariaDB's hashed unique keys; the log carries them, no query can name them."""
    if engine.upper() in ("MEMORY", "HEAP"):
        return ()
    hashed = [index for index in indexes if index.unique and index.kind == "hash"]
    return tuple(
        Column(
            name=f"DB_ROW_HASH_{number}",
            type=Logical(kind="int", bits=64, unsigned=True),
            native="bigint(20) unsigned",
            # The hash is NULL where a column of the key is.
            generated=Generated("hash", stored=False),
            invisible=True,
            hidden=True,
        )
        for number, _ in enumerate(hashed, 1)
    )


def added_by_server(column: Column) -> bool:
    """Whether the column is one of those that nobody declared; they stay behind all others."""
    times = column.invisible and column.generated is not None and column.generated.expression in (ROW_START, ROW_END)
    return column.hidden or times


def type_takes_charset(column: Column) -> bool:
    """Whether a change of the character set concerns the column."""
    name = column.native.partition("(")[0].partition(" ")[0].lower()
    return name in TYPES and TYPES[name].text
