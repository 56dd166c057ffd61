"""What an ALTER TABLE makes of one column that was there already."""

from __future__ import annotations

from dataclasses import replace

from opendrs.engines.mysql.charsets import Charset, bytes_per_character
from opendrs.engines.mysql.clauses import Altered, Changed, Clauses
from opendrs.engines.mysql.columns import column_type
from opendrs.engines.mysql.cursor import Cursor
from opendrs.engines.mysql.definition import make_column, type_takes_charset
from opendrs.engines.mysql.literals import default
from opendrs.engines.mysql.session import Session
from opendrs.engines.mysql.statement import Lexer
from opendrs.engines.mysql.types import TEXTS, TYPES, Declared, Meaning, holding, resolve
from opendrs.model.catalog import Column, Table


def recolumned(column: Column, clauses: Clauses, charset: Charset, table: Table, session: Session) -> Column:
    """The column behind the statement; the same if no clause concerns it."""
    name = column.name.lower()
    changed = next((c for c in clauses.placed if isinstance(c, Changed) and c.old.lower() == name), None)
    if changed is not None:
        others = (c for c in table.columns if c.type.kind == "timestamp" and c.name.lower() != name)
        convert = clauses.convert is not None
        new = make_column(changed.spec, charset, session, first_timestamp=not any(others), convert=convert)
        primary = {part.column.lower() for part in (table.primary.parts if table.primary else ())}
        return replace(new, nullable=False) if name in primary else new
    if clauses.convert is not None:
        column = _converted(column, charset, session)
    for renamed in clauses.columns_renamed:
        if renamed.old.lower() == name:
            column = replace(column, name=renamed.new)
    for altered in clauses.altered:
        if altered.name.lower() == name:
            column = _altered(column, altered, session)
    return column


def _altered(column: Column, altered: Altered, session: Session) -> Column:
    if altered.invisible is not None:
        return replace(column, invisible=altered.invisible)
    if altered.default is None:
        return replace(column, default=None)
    return replace(column, default=default(altered.default, meaning_of(column), session.zone))


def meaning_of(column: Column) -> Meaning:
    """The type of a column that exists."""
    charset = Charset(column.charset, column.collation or "") if column.charset else None
    inner = column.native.partition("(")[2].partition(")")[0].split(",")
    real = column.type.kind in ("float32", "float64") and len(inner) == 2
    return Meaning(
        type=column.type,
        native=column.native,
        length=column.length,
        members=column.members,
        charset=charset,
        decimals=int(inner[1]) if real else None,
    )


def _converted(column: Column, charset: Charset, session: Session) -> Column:
    """CONVERT TO CHARACTER SET: the character set, and a larger text type where characters take more bytes."""
    if not type_takes_charset(column) or column.charset == "binary":
        return column
    spec = column_type(Cursor(Lexer(column.native, session.flavour)))
    declared = replace(spec.declared(session.charsets, charset), charset=charset)
    declared = _enlarged(declared, column.charset or "utf8mb4", charset.charset)
    meaning = resolve(declared, session.flavour)
    if column.type.kind == "json" and charset.charset == "utf8mb4":
        return column
    kept = meaning.charset or Charset("", "")
    return replace(
        column,
        type=meaning.type,
        native=meaning.native,
        length=meaning.length,
        charset=kept.charset or None,
        collation=kept.collation or None,
    )


def _enlarged(declared: Declared, old: str, new: str) -> Declared:
    """A text type that holds as many characters in the new character set as in the old."""
    if declared.name not in TEXTS or bytes_per_character(new) <= bytes_per_character(old):
        return declared
    characters = TYPES[declared.name].size // bytes_per_character(old)
    wanted = min(characters * bytes_per_character(new), TYPES["longtext"].size)
    return replace(declared, name=holding("text", wanted))
