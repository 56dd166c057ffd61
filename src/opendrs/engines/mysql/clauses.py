"""The grammar of ALTER TABLE: its clauses as they are written.

Source: the manuals' ALTER TABLE pages, `alter_list_item` in sql/sql_yacc.yy of both servers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from opendrs.engines.mysql.assembly import Keys
from opendrs.engines.mysql.columns import ColumnSpec, at_charset, charset_name, column
from opendrs.engines.mysql.create import read_elements
from opendrs.engines.mysql.cursor import Cursor
from opendrs.engines.mysql.keys import at_key, if_not_exists, key
from opendrs.engines.mysql.literals import Written, read_default
from opendrs.engines.mysql.options import Options, partitioning, partitions, table_option
from opendrs.engines.mysql.session import Session
from opendrs.engines.mysql.statement import NotUnderstood
from opendrs.model.catalog import TableName

Dropped = Literal["column", "index", "foreign key", "check", "constraint"]


@dataclass(slots=True)
class Added:
    """ADD COLUMN. `after`: None = not said, "" = FIRST."""

    spec: ColumnSpec
    after: str | None = None
    if_not_exists: bool = False


@dataclass(slots=True)
class Changed:
    """CHANGE and MODIFY."""

    old: str
    spec: ColumnSpec
    after: str | None = None
    if_exists: bool = False


@dataclass(slots=True)
class Drop:
    kind: Dropped
    name: str
    if_exists: bool = False


@dataclass(slots=True)
class Renamed:
    old: str
    new: str
    if_exists: bool = False


@dataclass(slots=True)
class Altered:
    """ALTER COLUMN: a new default (`drop`: none any more), or whether SELECT * shows the column."""

    name: str
    default: Written | None = None
    drop: bool = False
    invisible: bool | None = None
    if_exists: bool = False


@dataclass(slots=True)
class Clauses:
    """Everything an ALTER TABLE says, by kind, in the order of the statement.

    placed     columns that are added, changed or moved, in order
    enforced   checks by name: ALTER CHECK ... [NOT] ENFORCED
    convert    CONVERT TO CHARACTER SET: (character set, or None for DEFAULT; collation)
    versioned  ADD or DROP SYSTEM VERSIONING
    """

    placed: list[Added | Changed] = field(default_factory=list)
    drops: list[Drop] = field(default_factory=list)
    columns_renamed: list[Renamed] = field(default_factory=list)
    indexes_renamed: list[Renamed] = field(default_factory=list)
    altered: list[Altered] = field(default_factory=list)
    keys: Keys = field(default_factory=Keys)
    enforced: dict[str, bool] = field(default_factory=dict)
    convert: tuple[str | None, str | None] | None = None
    options: Options = field(default_factory=Options)
    versioned: bool | None = None
    rename: TableName | None = None


def read_clauses(cursor: Cursor, session: Session) -> Clauses:
    """All clauses, up to the end of the statement."""
    clauses = Clauses()
    while not cursor.ended and not cursor.at(";"):
        _clause(cursor, clauses, session)
        # A partition clause, and options among themselves, follow without a comma.
        cursor.accept(",")
    cursor.end()
    return clauses


def _clause(cursor: Cursor, clauses: Clauses, session: Session) -> None:
    if not (
        (cursor.accept("ADD") and _add(cursor, clauses, session))
        or (cursor.accept("DROP") and _drop(cursor, clauses))
        or _change(cursor, clauses, session)
        or (cursor.accept("ALTER") and _alter(cursor, clauses, session))
        or (cursor.accept("RENAME") and _rename(cursor, clauses))
        or (cursor.accept("CONVERT") and _convert(cursor, clauses))
        or _partition_clause(cursor)
        or _indifferent(cursor)
        or table_option(cursor, clauses.options)
    ):
        raise cursor.fail("a clause of ALTER TABLE")


def _add(cursor: Cursor, clauses: Clauses, session: Session) -> bool:
    if cursor.accept("PARTITION"):
        if_not_exists(cursor)
        cursor.one_of("NO_WRITE_TO_BINLOG", "LOCAL")
        if cursor.accept("PARTITIONS"):
            cursor.integer()
        elif cursor.at("("):
            partitions(cursor)
    elif cursor.accept("SYSTEM", "VERSIONING"):
        clauses.versioned = True
    elif at_key(cursor):
        clauses.keys.add(key(cursor, session.flavour))
    else:
        _add_columns(cursor, clauses, session)
    return True


def _add_columns(cursor: Cursor, clauses: Clauses, session: Session) -> None:
    cursor.accept("COLUMN")
    absent = if_not_exists(cursor)
    if cursor.at("("):
        elements = read_elements(cursor, session)
        clauses.placed += [Added(spec, None, absent) for spec in elements.columns]
        clauses.keys.keys += elements.keys.keys
        clauses.keys.checks += elements.keys.checks
        clauses.keys.periods += elements.keys.periods
        return
    spec = column(cursor, session.charsets, session.mode)
    clauses.placed.append(Added(spec, _place(cursor), absent))
    clauses.keys.add_inline(spec, session)


def _place(cursor: Cursor) -> str | None:
    if cursor.accept("FIRST"):
        return ""
    return cursor.name() if cursor.accept("AFTER") else None


def _if_exists(cursor: Cursor) -> bool:
    return cursor.accept("IF", "EXISTS")


def _drop(cursor: Cursor, clauses: Clauses) -> bool:
    if cursor.accept("PARTITION"):
        raise NotUnderstood("DROP PARTITION removes rows that the log does not name")
    if cursor.accept("SYSTEM", "VERSIONING"):
        clauses.versioned = False
        return True
    if cursor.accept("PRIMARY", "KEY"):
        clauses.drops.append(Drop("index", "PRIMARY"))
        return True
    kind: Dropped = "column"
    if cursor.accept("FOREIGN", "KEY"):
        kind = "foreign key"
    elif cursor.one_of("INDEX", "KEY"):
        kind = "index"
    elif cursor.accept("CONSTRAINT"):
        kind = "constraint"
    elif cursor.accept("CHECK"):
        kind = "check"
    elif cursor.at("PERIOD", "FOR"):
        raise NotUnderstood("DROP PERIOD")
    else:
        cursor.accept("COLUMN")
    exists = _if_exists(cursor)
    clauses.drops.append(Drop(kind, cursor.name(), exists))
    cursor.one_of("RESTRICT", "CASCADE")
    return True


def _change(cursor: Cursor, clauses: Clauses, session: Session) -> bool:
    verb = cursor.one_of("CHANGE", "MODIFY")
    if not verb:
        return False
    cursor.accept("COLUMN")
    exists = _if_exists(cursor)
    old = cursor.name() if verb == "CHANGE" else cursor.peek().text
    spec = column(cursor, session.charsets, session.mode)
    clauses.placed.append(Changed(old, spec, _place(cursor), exists))
    clauses.keys.add_inline(spec, session)
    return True


def _alter(cursor: Cursor, clauses: Clauses, session: Session) -> bool:
    if cursor.one_of("INDEX", "KEY"):  # whether the optimizer looks at it
        _if_exists(cursor)
        cursor.name()
        if not cursor.accept("NOT", "IGNORED"):
            cursor.word("VISIBLE", "INVISIBLE", "IGNORED")
        return True
    if cursor.one_of("CHECK", "CONSTRAINT"):
        name = cursor.name()
        clauses.enforced[name] = not cursor.accept("NOT")
        cursor.expect("ENFORCED")
        return True
    cursor.accept("COLUMN")
    exists = _if_exists(cursor)
    altered = Altered(cursor.name(), if_exists=exists)
    if cursor.accept("DROP", "DEFAULT"):
        altered.drop = True
    elif cursor.accept("SET", "DEFAULT"):
        altered.default = read_default(cursor, session.flavour)
    else:
        cursor.expect("SET")
        altered.invisible = cursor.word("VISIBLE", "INVISIBLE") == "INVISIBLE"
    clauses.altered.append(altered)
    return True


def _rename(cursor: Cursor, clauses: Clauses) -> bool:
    renamed = clauses.columns_renamed if cursor.accept("COLUMN") else None
    if renamed is None and cursor.one_of("INDEX", "KEY"):
        renamed = clauses.indexes_renamed
    if renamed is None:
        cursor.one_of("TO", "AS", "=")
        clauses.rename = cursor.table()
        return True
    exists = _if_exists(cursor)
    old = cursor.name()
    cursor.expect("TO")
    renamed.append(Renamed(old, cursor.name(), exists))
    return True


def _convert(cursor: Cursor, clauses: Clauses) -> bool:
    if kind := cursor.one_of("PARTITION", "TABLE"):
        other = cursor.table() if kind == "TABLE" else _split_off(cursor)
        raise NotUnderstood("CONVERT moves rows that the log does not name", other)
    cursor.expect("TO")
    if not at_charset(cursor):
        raise cursor.fail("CHARACTER SET")
    charset = charset_name(cursor)
    collation = None
    if cursor.accept("COLLATE"):
        collation = None if cursor.accept("DEFAULT") else cursor.name_or_string()
    clauses.convert = (charset, collation)
    return True


def _partition_clause(cursor: Cursor) -> bool:
    """Where rows lie. What removes rows without naming them cannot be followed."""
    verb = cursor.peek().text.upper()
    if cursor.at("PARTITION", "BY"):
        partitioning(cursor)
        return True
    if cursor.accept("REMOVE", "PARTITIONING"):
        return True
    if not cursor.accept(verb, "PARTITION"):
        return False
    if verb in ("TRUNCATE", "EXCHANGE", "DISCARD", "IMPORT"):
        reason = f"{verb} PARTITION changes rows that the log does not name"
        raise NotUnderstood(reason, _exchanged(cursor) if verb == "EXCHANGE" else None)
    cursor.one_of("NO_WRITE_TO_BINLOG", "LOCAL")
    match verb:
        case "REORGANIZE":
            if not cursor.ended:
                cursor.listed(cursor.name)
                cursor.expect("INTO")
                partitions(cursor)
        case "COALESCE":
            cursor.integer()
        case "ANALYZE" | "CHECK" | "OPTIMIZE" | "REBUILD" | "REPAIR":
            if not cursor.accept("ALL"):
                cursor.listed(cursor.name)
            while cursor.one_of("QUICK", "FAST", "MEDIUM", "EXTENDED", "CHANGED", "USE_FRM"):
                pass
        case _:
            raise NotUnderstood(f"{verb} PARTITION")
    return True


def exchanged(cursor: Cursor) -> TableName | None:
    """The table whose rows become those of a partition, or the other way round; None if that is not what comes."""
    if cursor.accept("EXCHANGE", "PARTITION"):
        return _exchanged(cursor)
    if cursor.accept("CONVERT", "TABLE"):
        return cursor.table()
    return _split_off(cursor) if cursor.accept("CONVERT", "PARTITION") else None


def _exchanged(cursor: Cursor) -> TableName:
    """partition WITH TABLE name"""
    cursor.name()
    cursor.expect("WITH", "TABLE")
    return cursor.table()


def _split_off(cursor: Cursor) -> TableName:
    """partition TO TABLE name"""
    cursor.name()
    cursor.expect("TO", "TABLE")
    return cursor.table()


def _indifferent(cursor: Cursor) -> bool:
    """Clauses that change neither rows nor definition."""
    if cursor.accept("ORDER", "BY"):
        _order(cursor)
    elif cursor.one_of("ALGORITHM", "LOCK"):
        cursor.accept("=")
        cursor.word()
    elif cursor.one_of("ENABLE", "DISABLE"):
        cursor.expect("KEYS")
    elif cursor.one_of("DISCARD", "IMPORT"):
        raise NotUnderstood("DISCARD and IMPORT TABLESPACE change rows that the log does not name")
    else:
        return (
            cursor.accept("FORCE")
            or cursor.accept("WITH", "VALIDATION")
            or cursor.accept("WITHOUT", "VALIDATION")
            or bool(cursor.one_of("SECONDARY_LOAD", "SECONDARY_UNLOAD"))
        )
    return True


def _order(cursor: Cursor) -> None:
    """ORDER BY column, ...: the order in which the rows are written down once."""
    while True:
        cursor.name()
        while cursor.accept("."):
            cursor.name()
        cursor.one_of("ASC", "DESC")
        behind = cursor.peek(2)
        directed = behind.kind == "word" and behind.text.upper() in ("ASC", "DESC")
        more = behind.kind == "end" or (behind.kind == "symbol" and behind.text in ",;.") or directed
        if not (cursor.at(",") and more):
            return
        cursor.accept(",")
