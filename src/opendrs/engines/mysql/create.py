"""CREATE TABLE: from the statement to the definition that the catalog would list."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from opendrs.engines.mysql.assembly import Keys, assemble, with_not_null
from opendrs.engines.mysql.charsets import Charset
from opendrs.engines.mysql.columns import ROW_START, ColumnSpec, column
from opendrs.engines.mysql.cursor import Cursor
from opendrs.engines.mysql.definition import make_column, row_hashes, row_times
from opendrs.engines.mysql.keys import at_key, key
from opendrs.engines.mysql.naming import check_name
from opendrs.engines.mysql.options import KEEPING, Options, partitioning, table_option
from opendrs.engines.mysql.session import Scope, Session
from opendrs.engines.mysql.statement import NotUnderstood
from opendrs.model.catalog import Column, Table, TableName


@dataclass(slots=True)
class Elements:
    """What stands in the parentheses of a CREATE TABLE."""

    columns: list[ColumnSpec] = field(default_factory=list)
    keys: Keys = field(default_factory=Keys)


def read_elements(cursor: Cursor, session: Session) -> Elements:
    """(column, key, check, ...)"""
    elements = Elements()

    def element() -> None:
        if at_key(cursor):
            elements.keys.add(key(cursor, session.flavour))
            return
        spec = column(cursor, session.charsets, session.mode)
        elements.columns.append(spec)
        elements.keys.add_inline(spec, session)

    cursor.in_parentheses(element)
    return elements


def read_definition(cursor: Cursor, name: TableName, session: Session, scope: Scope) -> Table | None:
    """What follows the name of a CREATE TABLE, up to the end; None: it makes a sequence."""
    if cursor.at("SELECT") or cursor.at("AS") or cursor.at("LIKE") or not cursor.at("("):
        raise NotUnderstood("CREATE TABLE without columns")
    if cursor.peek(1).kind == "word" and cursor.peek(1).text.upper() == "SELECT":
        raise NotUnderstood("CREATE TABLE ... SELECT was logged as a statement, not as rows")
    elements = read_elements(cursor, session)
    options = Options()
    while table_option(cursor, options):
        cursor.accept(",")
    if cursor.at("PARTITION", "BY"):
        partitioning(cursor)
    for word in ("IGNORE", "REPLACE", "AS", "SELECT", "WITH", "(", "VALUES"):
        if cursor.at(word):
            raise NotUnderstood("CREATE TABLE ... SELECT was logged as a statement, not as rows")
    cursor.end()
    return None if options.sequence else build(name, elements, options, session, scope)


def build(name: TableName, elements: Elements, options: Options, session: Session, scope: Scope) -> Table:
    """The definition of a new table."""
    engine = canonical_engine(options.engine or "InnoDB")
    charset = table_charset(name, options, session, scope)
    columns: list[Column] = []
    for spec in elements.columns:
        first = not any(other.type.kind == "timestamp" for other in columns)
        columns.append(make_column(spec, charset, session, first_timestamp=first))
    if options.versioned and not any(c.generated and c.generated.expression == ROW_START for c in columns):
        columns.extend(row_times())
    table = Table(
        name=name,
        columns=tuple(columns),
        charset=charset.charset,
        collation=charset.collation,
        engine=engine,
        comment=options.comment or "",
        next_auto=max(options.next_auto or 1, 1) if any(c.auto for c in columns) else None,
    )
    made = assemble(elements.keys, table, session, scope.table)
    return replace(
        table,
        columns=(*with_not_null(table.columns, made.not_null), *row_hashes(made.indexes, engine)),
        primary=made.primary,
        indexes=made.indexes,
        foreign_keys=made.foreign_keys,
        checks=made.checks,
    )


def table_charset(name: TableName, options: Options, session: Session, scope: Scope) -> Charset:
    """What the options say, else the default of the database, else that of the server."""
    otherwise = scope.database(name.schema) or session.server_charset
    if otherwise is None:
        if not options.charset and not options.collation:
            raise NotUnderstood(f"the default character set of the database {name.schema} is not known")
        otherwise = session.charsets.default("utf8mb4")
    return session.charsets.resolved(options.charset or None, options.collation, otherwise)


_SPELT = ("InnoDB", "MyISAM", "Aria", "MEMORY", "ARCHIVE", "CSV", "ROCKSDB", "ndbcluster")
ENGINES = {name.upper(): name for name in _SPELT}


def canonical_engine(name: str) -> str:
    """The engine as the servers list it. Raises NotUnderstood if it does not keep the rows it is given."""
    if name.upper() not in KEEPING:
        raise NotUnderstood(f"the engine {name}")
    return ENGINES.get({"HEAP": "MEMORY", "NDB": "NDBCLUSTER"}.get(name.upper(), name.upper()), name)


def like(original: Table, name: TableName, session: Session) -> Table:
    """The definition that CREATE TABLE name LIKE original makes: no foreign keys, numbering from 1."""
    checks = original.checks
    if not session.flavour.mariadb:  # names of checks are unique in a database, so all are made up anew
        checks = tuple(sorted(checks, key=lambda check: check.name.lower()))
        names: list[str] = []
        for _ in checks:
            names.append(check_name(name.table, names, session.flavour))
        checks = tuple(replace(check, name=new) for check, new in zip(checks, names, strict=True))
    return replace(
        original,
        name=name,
        foreign_keys=(),
        checks=checks,
        next_auto=None if original.next_auto is None else 1,
        rows_estimate=0,
        bytes_estimate=0,
    )
