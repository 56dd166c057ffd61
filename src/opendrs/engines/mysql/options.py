"""The grammar of table options and partitions. Most say where and how rows are kept, and not which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from opendrs.engines.mysql.columns import at_charset, charset_name
from opendrs.engines.mysql.cursor import Cursor
from opendrs.engines.mysql.statement import NotUnderstood

# Engines whose tables hold the rows that are written into them, and log them.
KEEPING: Final = frozenset(
    {"INNODB", "MYISAM", "ARIA", "MEMORY", "HEAP", "ARCHIVE", "CSV", "ROCKSDB", "NDB", "NDBCLUSTER", "TOKUDB"}
)

# Options and what follows them: a number, a string, a name, or one of these words.
_NUMBERS: Final = (
    "AVG_ROW_LENGTH",
    "CHECKSUM",
    "DELAY_KEY_WRITE",
    "KEY_BLOCK_SIZE",
    "MAX_ROWS",
    "MIN_ROWS",
    "PACK_KEYS",
    "STATS_AUTO_RECALC",
    "STATS_PERSISTENT",
    "STATS_SAMPLE_PAGES",
    "TABLE_CHECKSUM",
    "PAGE_CHECKSUM",
    "TRANSACTIONAL",
    "AUTOEXTEND_SIZE",
    "ENCRYPTION_KEY_ID",
    "PAGE_COMPRESSION_LEVEL",
    "PAGE_COMPRESSED",
)
_STRINGS: Final = (
    "COMPRESSION",
    "CONNECTION",
    "ENCRYPTION",
    "ENCRYPTED",
    "ENGINE_ATTRIBUTE",
    "PASSWORD",
    "SECONDARY_ENGINE",
    "SECONDARY_ENGINE_ATTRIBUTE",
    "IETF_QUOTES",
)
_ROW_FORMATS: Final = ("DEFAULT", "FIXED", "DYNAMIC", "COMPRESSED", "REDUNDANT", "COMPACT", "PAGE")


@dataclass(slots=True)
class Options:
    """Table options that mean something to us. None: not said. `charset` "": DEFAULT."""

    charset: str | None = None
    collation: str | None = None
    engine: str | None = None
    comment: str | None = None
    next_auto: int | None = None
    versioned: bool | None = None
    sequence: bool = False
    others: bool = False  # options were read that change nothing


def table_option(cursor: Cursor, options: Options) -> bool:
    """Reads one option into `options`; False if none comes next."""
    if _meaningful(cursor, options):
        return True
    word = cursor.peek().text.upper() if cursor.peek().kind in ("word", "name") else ""
    if word in _NUMBERS or word in _STRINGS:
        cursor.take()
        cursor.accept("=")
        _any_value(cursor)
    elif cursor.accept("ROW_FORMAT"):
        cursor.accept("=")
        cursor.word(*_ROW_FORMATS)
    elif cursor.accept("INSERT_METHOD"):
        cursor.accept("=")
        cursor.word("NO", "FIRST", "LAST")
    elif cursor.accept("DATA", "DIRECTORY") or cursor.accept("INDEX", "DIRECTORY"):
        cursor.accept("=")
        cursor.string()
    elif cursor.accept("TABLESPACE"):
        cursor.accept("=")
        cursor.name_or_string()
    elif cursor.accept("STORAGE"):
        cursor.word("DISK", "MEMORY")
    elif not cursor.accept("START", "TRANSACTION"):  # CREATE TABLE ... SELECT, as MySQL logs it
        return False
    options.others = True
    return True


def _any_value(cursor: Cursor) -> None:
    if cursor.peek().kind == "number":
        cursor.take()  # perhaps with a unit: AUTOEXTEND_SIZE = 4M is a word
    else:
        cursor.name_or_string()


def _meaningful(cursor: Cursor, options: Options) -> bool:
    begin_default = cursor.at("DEFAULT") and (
        cursor.peek(1).text.upper() in ("CHARSET", "CHARACTER", "CHAR", "COLLATE") and cursor.peek(1).kind == "word"
    )
    if begin_default:
        cursor.accept("DEFAULT")
    if at_charset(cursor):
        options.charset = charset_name(cursor) or ""
    elif cursor.accept("COLLATE"):
        cursor.accept("=")
        options.collation = None if cursor.accept("DEFAULT") else cursor.name_or_string()
    elif cursor.accept("ENGINE") or cursor.accept("TYPE"):
        cursor.accept("=")
        options.engine = cursor.name_or_string()
    elif cursor.accept("COMMENT"):
        cursor.accept("=")
        options.comment = cursor.string()
    elif cursor.accept("AUTO_INCREMENT"):
        cursor.accept("=")
        options.next_auto = cursor.integer()
    elif cursor.accept("WITH", "SYSTEM", "VERSIONING"):
        options.versioned = True
    elif cursor.accept("SEQUENCE"):
        cursor.accept("=")
        options.sequence = cursor.peek().text.upper() in ("1", "YES")
        _any_value(cursor)
    elif cursor.at("UNION"):
        raise NotUnderstood("UNION: a table of the engine MERGE")
    else:
        return False
    return True


# --- partitions -----------------------------------------------------------------------------------


def partitioning(cursor: Cursor) -> None:
    """PARTITION BY ... with its partitions: where rows lie, and not which there are."""
    cursor.expect("PARTITION", "BY")
    _method(cursor)
    if cursor.accept("PARTITIONS"):
        cursor.integer()
    if cursor.accept("SUBPARTITION", "BY"):
        _method(cursor)
        if cursor.accept("SUBPARTITIONS"):
            cursor.integer()
    if cursor.at("("):
        partitions(cursor)


def _method(cursor: Cursor) -> None:
    cursor.accept("LINEAR")
    method = cursor.word("HASH", "KEY", "RANGE", "LIST", "SYSTEM_TIME")
    if method == "SYSTEM_TIME":
        _history(cursor)
        return
    if method == "KEY" and cursor.accept("ALGORITHM"):
        cursor.expect("=")
        cursor.integer()
    cursor.accept("COLUMNS")
    cursor.expression()


def _history(cursor: Cursor) -> None:
    """MariaDB: BY SYSTEM_TIME [INTERVAL n unit | LIMIT n] [STARTS ...] [AUTO]"""
    if cursor.accept("INTERVAL"):
        _any_value(cursor)
        cursor.word()
    elif cursor.accept("LIMIT"):
        cursor.integer()
    if cursor.accept("STARTS"):
        cursor.accept("TIMESTAMP")
        _any_value(cursor)
    cursor.accept("AUTO")


def partitions(cursor: Cursor) -> None:
    """(PARTITION name [VALUES ...] [options] [(subpartitions)], ...)"""
    cursor.in_parentheses(lambda: _partition(cursor))


def _partition(cursor: Cursor) -> None:
    cursor.expect("PARTITION")
    cursor.name()
    if cursor.accept("VALUES", "LESS", "THAN"):
        if not cursor.accept("MAXVALUE"):
            cursor.expression()
    elif cursor.accept("VALUES", "IN"):
        cursor.expression()
    else:
        cursor.one_of("DEFAULT", "CURRENT", "HISTORY")
    _partition_options(cursor)
    if cursor.at("("):
        cursor.in_parentheses(lambda: _subpartition(cursor))


def _subpartition(cursor: Cursor) -> None:
    cursor.expect("SUBPARTITION")
    cursor.name_or_string()
    _partition_options(cursor)


def _partition_options(cursor: Cursor) -> None:
    while True:
        if cursor.accept("STORAGE", "ENGINE") or cursor.one_of("ENGINE", "TABLESPACE", "CONNECTION", "COMMENT"):
            cursor.accept("=")
            cursor.name_or_string()
        elif cursor.one_of("NODEGROUP", "MAX_ROWS", "MIN_ROWS"):
            cursor.accept("=")
            cursor.integer()
        elif cursor.accept("DATA", "DIRECTORY") or cursor.accept("INDEX", "DIRECTORY"):
            cursor.accept("=")
            cursor.string()
        else:
            return
