"""What a statement of the log means for the selected tables: alterations, nothing, or a stop.

Unselected tables are read no further than their name. Of a selected one every token must be understood;
one that is not is an error, and never skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from opendrs.engines.mysql.alter import plan
from opendrs.engines.mysql.charsets import Charset
from opendrs.engines.mysql.clauses import Clauses, Drop, exchanged, read_clauses
from opendrs.engines.mysql.columns import at_charset, charset_name
from opendrs.engines.mysql.create import like, read_definition
from opendrs.engines.mysql.cursor import Cursor
from opendrs.engines.mysql.keys import if_not_exists, named_index
from opendrs.engines.mysql.naming import number_behind
from opendrs.engines.mysql.server import SYSTEM_DATABASES
from opendrs.engines.mysql.session import Scope, Session
from opendrs.engines.mysql.statement import Lexer, Mode, NotUnderstood
from opendrs.errors import DrsError, Fault
from opendrs.model.alteration import (
    Alteration,
    AlterTable,
    Change,
    ChangeViews,
    CreateDatabase,
    CreateTable,
    DropDatabase,
    DropTable,
    ForgetTable,
    RenameConstraint,
    RenameTable,
    TruncateTable,
    altered,
)
from opendrs.model.catalog import Table, TableName


@dataclass(frozen=True, slots=True)
class Ignored:
    """The statement does not concern the selected tables.

    database, charset   a database whose default character set is another from here on
    """

    reason: str
    database: str = ""
    charset: Charset | None = None


class _Logged(Exception):
    """Rows were changed by a statement that is logged as text."""

    def __init__(self, table: str) -> None:
        self.table = table


def parse(statement: str, session: Session, scope: Scope, *, position: str = "") -> list[Alteration] | Ignored:
    """What a statement of the log means.

    Transactions (BEGIN, COMMIT, SAVEPOINT, ROLLBACK, XA) are not read here: they are an error.
    `position` stands in the error only.
    Raises DrsError: DDL_UNSUPPORTED for what is not understood with certainty, STATEMENT_LOGGED for a
    change of rows that is logged as text.
    """
    lexer = Lexer(statement, session.flavour, session.mode)
    cursor = Cursor(lexer, session.database, lower_names=session.lower_names)
    try:
        return _statement(cursor, session, scope)
    except NotUnderstood as error:
        if error.also is not None:
            scope.table(error.also)
        raise DrsError(Fault.DDL_UNSUPPORTED, position=position, reason=error, statement=statement) from error
    except _Logged as error:
        raise DrsError(Fault.STATEMENT_LOGGED, table=error.table, position=position) from error


Handler = Callable[[Cursor, Session, Scope], "list[Alteration] | Ignored"]

# Statements by their first word that never concern rows or definitions of tables.
IGNORED: Final = frozenset(
    """ANALYZE BACKUP CHANGE CHECK CHECKSUM CLONE FLUSH GRANT INSTALL KILL OPTIMIZE PURGE REPAIR RESET RESTART
    REVOKE SET SHOW UNINSTALL""".split()  # noqa: SIM905  (a table of words)
)
# Objects of CREATE, ALTER and DROP that are no tables.
NO_TABLES: Final = (
    ("VIEW",),
    ("PROCEDURE",),
    ("FUNCTION",),
    ("TRIGGER",),
    ("EVENT",),
    ("USER",),
    ("ROLE",),
    ("SERVER",),
    ("SEQUENCE",),
    ("PACKAGE",),
    ("LIBRARY",),
    ("TABLESPACE",),
    ("UNDO", "TABLESPACE"),
    ("LOGFILE", "GROUP"),
    ("RESOURCE", "GROUP"),
    ("SPATIAL", "REFERENCE", "SYSTEM"),
    ("INSTANCE",),
    ("PREPARE",),
    ("JSON",),  # JSON DUALITY VIEW
)
CHANGES_ROWS: Final = frozenset(
    ("INSERT", "REPLACE", "UPDATE", "DELETE", "LOAD", "CALL", "DO", "EXECUTE", "SELECT", "WITH")
)


def _statement(cursor: Cursor, session: Session, scope: Scope) -> list[Alteration] | Ignored:
    verb = cursor.word()
    if verb in IGNORED:
        return Ignored(f"{verb} concerns no table's rows or definition")
    if verb in CHANGES_ROWS:
        return _changed_rows(verb, cursor, scope)
    handler = _HANDLERS.get(verb)
    if handler is None:
        raise NotUnderstood(f"{verb} is no statement that is known here")
    return handler(cursor, session, scope)


def _object(cursor: Cursor) -> str:
    """The kind of object of CREATE, ALTER and DROP, if it is no table: "VIEW"; empty if it may be one."""
    while cursor.at("ALGORITHM") or cursor.at("DEFINER") or cursor.at("SQL", "SECURITY") or cursor.at("AGGREGATE"):
        if cursor.accept("SQL", "SECURITY"):
            cursor.word()
        elif not cursor.accept("AGGREGATE"):
            definer = cursor.word() == "DEFINER"
            cursor.expect("=")
            _account(cursor) if definer else cursor.word()
    kind = next((" ".join(words) for words in NO_TABLES if cursor.at(*words)), "")
    # CREATE SPATIAL REFERENCE SYSTEM, not CREATE SPATIAL INDEX; ALTER SERVER, not a table of that name.
    return kind


def _account(cursor: Cursor) -> None:
    """user[@host] or CURRENT_USER[()]"""
    cursor.name_or_string()
    if cursor.peek().kind == "variable":  # @host as one token, or @ before a quoted host
        if cursor.take().text == "@":
            cursor.name_or_string()
    elif cursor.accept("("):
        cursor.expect(")")


# --- CREATE ---------------------------------------------------------------------------------------


def _create(cursor: Cursor, session: Session, scope: Scope) -> list[Alteration] | Ignored:
    replaced = cursor.accept("OR", "REPLACE")
    if kind := _object(cursor):
        return _view(cursor, scope) if kind == "VIEW" else Ignored(f"CREATE {kind}")
    if cursor.one_of("DATABASE", "SCHEMA"):
        return _create_database(cursor, session, scope, replaced)
    if cursor.accept("TEMPORARY"):
        return Ignored("a temporary table")
    if cursor.accept("TABLE"):
        return _create_table(cursor, session, scope, replaced)
    cursor.accept("ONLINE")
    cursor.accept("OFFLINE")
    if any(cursor.at(word) for word in ("UNIQUE", "INDEX", "FULLTEXT", "SPATIAL", "VECTOR")):
        return _create_index(cursor, session, scope, replaced)
    raise cursor.fail("a kind of object that is known")


def _create_database(cursor: Cursor, session: Session, scope: Scope, replaced: bool) -> list[Alteration] | Ignored:
    absent = if_not_exists(cursor)
    name = cursor.database()
    charset = _database_charset(cursor, session) or session.server_charset
    cursor.end()
    if not scope.wants_database(name):
        return Ignored("another database", name, charset)
    alterations: list[Alteration] = [DropDatabase(name, if_exists=True)] if replaced else []
    known = charset or Charset("", "")
    return [*alterations, CreateDatabase(name, known.charset, known.collation, absent)]


def _database_charset(cursor: Cursor, session: Session) -> Charset | None:
    """[DEFAULT] CHARACTER SET, COLLATE and ENCRYPTION of CREATE and ALTER DATABASE; None: none is said."""
    charset: str | None = None
    collation: str | None = None
    while not cursor.ended and not cursor.at(";"):
        cursor.accept("DEFAULT")
        if at_charset(cursor):
            charset = charset_name(cursor)
        elif cursor.accept("COLLATE"):
            cursor.accept("=")
            collation = cursor.name_or_string()
        elif cursor.accept("ENCRYPTION") or cursor.accept("COMMENT"):
            cursor.accept("=")
            cursor.string()
        elif cursor.accept("READ", "ONLY"):
            cursor.accept("=")
            if cursor.peek().kind == "number":
                cursor.take()
            else:
                cursor.word("DEFAULT")
        else:
            raise cursor.fail("an option of a database")
    if charset is None and collation is None:
        return None
    otherwise = session.server_charset or session.charsets.default("utf8mb4")
    return session.charsets.resolved(charset, collation, otherwise)


def _create_table(cursor: Cursor, session: Session, scope: Scope, replaced: bool) -> list[Alteration] | Ignored:
    absent = if_not_exists(cursor)
    name = cursor.table()
    if not scope.wants(name):
        return Ignored("another table")
    known = scope.table(name)
    _plain_grammar(session)
    if absent and known is not None:
        return Ignored("the table exists already")
    other = _like(cursor)
    table = _made_like(other, name, session, scope) if other else read_definition(cursor, name, session, scope)
    if table is None:
        return Ignored("a sequence")
    alterations: list[Alteration] = [DropTable(name, if_exists=True)] if replaced else []
    return [*alterations, CreateTable(table, absent, other)]


def _like(cursor: Cursor) -> TableName | None:
    """The other table of LIKE other, or (LIKE other); None if that is not what comes."""
    closing = cursor.accept("(", "LIKE")
    if not closing and not cursor.accept("LIKE"):
        return None
    other = cursor.table()
    if closing:
        cursor.expect(")")
    cursor.end()
    return other


def _made_like(other: TableName, name: TableName, session: Session, scope: Scope) -> Table:
    original = scope.table(other)
    if original is None:
        raise NotUnderstood(f"the definition of {other} is not known, for it is not selected")
    return like(original, name, session)


def _view(cursor: Cursor, scope: Scope) -> list[Alteration] | Ignored:
    """VIEW name ...: what it is now, only its definition in the catalog says."""
    cursor.expect("VIEW")
    if_not_exists(cursor)
    return _changed_views([cursor.table()], scope)


def _drop_views(cursor: Cursor, scope: Scope) -> list[Alteration] | Ignored:
    cursor.expect("VIEW")
    cursor.accept("IF", "EXISTS")
    return _changed_views(cursor.listed(cursor.table), scope)


def _changed_views(names: Iterable[TableName], scope: Scope) -> list[Alteration] | Ignored:
    wanted = tuple(name for name in names if scope.wants(name))
    return [ChangeViews(wanted)] if wanted else Ignored("other views")


def _create_index(cursor: Cursor, session: Session, scope: Scope, replaced: bool) -> list[Alteration] | Ignored:
    """CREATE [kind] INDEX name ON table (...) is ALTER TABLE table ADD [kind] INDEX name (...)"""
    kind = cursor.one_of("UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR")
    cursor.expect("INDEX")
    absent = if_not_exists(cursor)
    index = cursor.name()
    using = cursor.word("BTREE", "HASH", "RTREE").lower() if cursor.accept("USING") else ""
    cursor.expect("ON")
    name = cursor.table()
    if not scope.wants(name):
        return Ignored("another table")
    clauses = Clauses(drops=[Drop("index", index, if_exists=True)] if replaced else [])
    spec = named_index(cursor, session.flavour, kind, index)
    spec.using = spec.using or using
    spec.if_not_exists = absent
    clauses.keys.add(spec)
    _lock_words(cursor)
    cursor.end()
    return _altered(name, clauses, session, scope)


def _waiting(cursor: Cursor) -> None:
    """[WAIT n | NOWAIT]"""
    if cursor.accept("WAIT"):
        cursor.integer()
    else:
        cursor.accept("NOWAIT")


def _lock_words(cursor: Cursor) -> None:
    """[WAIT n | NOWAIT] [ALGORITHM = ...] [LOCK = ...]"""
    _waiting(cursor)
    while cursor.one_of("ALGORITHM", "LOCK"):
        cursor.accept("=")
        cursor.word()


# --- ALTER ----------------------------------------------------------------------------------------


def _alter(cursor: Cursor, session: Session, scope: Scope) -> list[Alteration] | Ignored:
    if kind := _object(cursor):
        return _view(cursor, scope) if kind == "VIEW" else Ignored(f"ALTER {kind}")
    if cursor.one_of("DATABASE", "SCHEMA"):
        return _alter_database(cursor, session)
    ignore = False
    while word := cursor.one_of("ONLINE", "OFFLINE", "IGNORE"):
        ignore = ignore or word == "IGNORE"
    cursor.expect("TABLE")
    exists = cursor.accept("IF", "EXISTS")
    name = cursor.table()
    if not scope.wants(name):
        return _altered_elsewhere(cursor, name, scope)
    _plain_grammar(session)
    if ignore:
        raise NotUnderstood("ALTER IGNORE TABLE removes rows that the log does not name")
    known = scope.table(name)
    if exists and known is None:
        return Ignored("there is no such table")
    _waiting(cursor)
    return _altered(name, read_clauses(cursor, session), session, scope)


def _alter_database(cursor: Cursor, session: Session) -> Ignored:
    options = ("CHARACTER", "CHARSET", "COLLATE", "DEFAULT", "ENCRYPTION", "READ", "COMMENT")
    unnamed = cursor.peek().kind == "word" and cursor.peek().text.upper() in options
    name = session.database if unnamed else cursor.database()
    if cursor.accept("UPGRADE", "DATA", "DIRECTORY", "NAME"):
        return Ignored("how a database is kept")
    charset = _database_charset(cursor, session)
    cursor.end()
    return Ignored("the default character set of a database", name, charset)


def _altered_elsewhere(cursor: Cursor, name: TableName, scope: Scope) -> Ignored:
    """An ALTER TABLE of a table that is not selected: nothing is understood but what concerns one that is."""
    depth, begins = 0, True
    while not cursor.ended:
        if begins and cursor.accept("RENAME") and not cursor.one_of("COLUMN", "INDEX", "KEY"):
            cursor.one_of("TO", "AS", "=")
            _comes_in(name, cursor.table(), scope)
        elif begins and (other := exchanged(cursor)) is not None and scope.wants(other):
            raise NotUnderstood(
                f"rows of {other} change places with a partition of {name}, and the log names none", other
            )
        token = cursor.take()
        depth += (token.text == "(") - (token.text == ")") if token.kind == "symbol" else 0
        begins = token.kind == "symbol" and token.text == "," and depth == 0
    return Ignored("another table")


def _comes_in(old: TableName, new: TableName, scope: Scope) -> None:
    """A table that is not selected gets a name that is: its rows were never read."""
    if scope.wants(new):
        raise NotUnderstood(
            f"{old} is not selected, and comes into the selection with rows that are not known here", new
        )


def _known(name: TableName, scope: Scope) -> Table:
    table = scope.table(name)
    if table is None:
        raise NotUnderstood(f"the definition of {name} is not known")
    return table


def _altered(name: TableName, clauses: Clauses, session: Session, scope: Scope) -> list[Alteration]:
    changes: list[Change] = plan(_known(name, scope), clauses, session, scope)
    alterations: list[Alteration] = [AlterTable(name, tuple(changes))] if changes else []
    if clauses.rename is not None and clauses.rename != name:
        alterations += _renamed(name, clauses.rename, _known(name, scope), session)
        if not scope.wants(clauses.rename):
            alterations.append(ForgetTable(clauses.rename))
    return alterations


def _renamed(old: TableName, new: TableName, table: Table | None, session: Session) -> list[Alteration]:
    """The renaming; names of constraints that were made up from the table's name follow it."""
    prefixes = ["_ibfk_"] if session.flavour.mariadb else ["_ibfk_", "_chk_"]
    names = [key.name for key in table.foreign_keys] + [check.name for check in table.checks] if table else []
    changes = [
        RenameConstraint(name, f"{new.table}{prefix}{number}")
        for prefix in prefixes
        for name in names
        if (number := number_behind(old.table + prefix, name)) is not None and old.table != new.table
    ]
    renaming: list[Alteration] = [RenameTable(old, new)]
    return [*renaming, AlterTable(new, tuple(changes))] if changes else renaming


def _plain_grammar(session: Session) -> None:
    if session.mode & Mode.ORACLE:
        raise NotUnderstood("the statement was written in sql_mode ORACLE")


# --- DROP, RENAME, TRUNCATE -----------------------------------------------------------------------


def _drop(cursor: Cursor, session: Session, scope: Scope) -> list[Alteration] | Ignored:
    if kind := _object(cursor):
        return _drop_views(cursor, scope) if kind == "VIEW" else Ignored(f"DROP {kind}")
    if cursor.one_of("DATABASE", "SCHEMA"):
        exists = cursor.accept("IF", "EXISTS")
        name = cursor.database()
        cursor.end()
        return [DropDatabase(name, exists)] if scope.wants_database(name) else Ignored("another database")
    if cursor.accept("TEMPORARY"):
        return Ignored("a temporary table")
    if cursor.one_of("TABLE", "TABLES"):
        return _drop_tables(cursor, scope)
    cursor.one_of("ONLINE", "OFFLINE")
    cursor.expect("INDEX")
    return _drop_index(cursor, session, scope)


def _drop_tables(cursor: Cursor, scope: Scope) -> list[Alteration] | Ignored:
    exists = cursor.accept("IF", "EXISTS")
    names = cursor.listed(cursor.table)
    _lock_words(cursor)
    cursor.one_of("RESTRICT", "CASCADE")  # read by the servers, and without meaning
    cursor.end()
    return [DropTable(name, exists) for name in names if scope.wants(name)] or Ignored("other tables")


def _drop_index(cursor: Cursor, session: Session, scope: Scope) -> list[Alteration] | Ignored:
    exists = cursor.accept("IF", "EXISTS")
    index = cursor.name()
    cursor.expect("ON")
    name = cursor.table()
    if not scope.wants(name):
        return Ignored("another table")
    _lock_words(cursor)
    cursor.end()
    return _altered(name, Clauses(drops=[Drop("index", index, exists)]), session, scope)


def _rename(cursor: Cursor, session: Session, scope: Scope) -> list[Alteration] | Ignored:
    if cursor.at("USER") and not cursor.at("USER", "."):
        return Ignored("RENAME USER")
    if not cursor.one_of("TABLE", "TABLES"):
        raise cursor.fail("TABLE")
    exists = cursor.accept("IF", "EXISTS")

    def pair() -> tuple[TableName, TableName]:
        old = cursor.table()
        _lock_words(cursor)
        cursor.expect("TO")
        return old, cursor.table()

    pairs = cursor.listed(pair)
    cursor.end()
    known = {name: scope.table(name) for names in pairs for name in names if scope.wants(name)}
    alterations: list[Alteration] = []
    moved: dict[TableName, Table | None] = {}  # what stands under a name within the statement
    for number, (old, new) in enumerate(pairs, 1):
        if old not in moved and not scope.wants(old):
            _comes_in(old, new, scope)
            continue
        table = moved.pop(old) if old in moved else known[old]
        if exists and table is None:
            continue
        renaming = _renamed(old, new, table, session)
        moved[new] = _following(table, renaming)
        if table is not None and not scope.wants(new) and new not in (name for name, _ in pairs[number:]):
            renaming.append(ForgetTable(new))
        alterations.extend(renaming)
    return alterations or Ignored("other tables")


def _following(table: Table | None, renaming: list[Alteration]) -> Table | None:
    """The table with its constraints renamed, for a statement that renames it again."""
    for alteration in renaming:
        if table is not None and isinstance(alteration, AlterTable):
            for change in alteration.changes:
                table = altered(table, change)
    return table


def _truncate(cursor: Cursor, session: Session, scope: Scope) -> list[Alteration] | Ignored:
    cursor.accept("TABLE")
    name = cursor.table()
    _lock_words(cursor)
    cursor.end()
    return [TruncateTable(name)] if scope.wants(name) else Ignored("another table")


def _changed_rows(verb: str, cursor: Cursor, scope: Scope) -> list[Alteration] | Ignored:
    """Rows changed by text. A restarted server empties MEMORY tables with a bare DELETE FROM."""
    while cursor.one_of("LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE", "QUICK", "INTO", "FROM"):
        pass
    if cursor.peek().kind not in ("word", "name") or verb not in ("INSERT", "REPLACE", "UPDATE", "DELETE"):
        raise _Logged("a table")
    name = cursor.table()
    if name.schema.lower() in SYSTEM_DATABASES:
        return Ignored("a table of the system")
    table = scope.table(name)
    cursor.accept(";")
    if verb == "DELETE" and cursor.ended and table is not None and table.engine.upper() == "MEMORY":
        return [TruncateTable(name)]
    raise _Logged(str(name))


_HANDLERS: Final[dict[str, Handler]] = {
    "CREATE": _create,
    "ALTER": _alter,
    "DROP": _drop,
    "RENAME": _rename,
    "TRUNCATE": _truncate,
}
