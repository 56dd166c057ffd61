"""Names in PostgreSQL: what becomes of the source's.

The published rule. Names keep their spelling and are always quoted. A name that PostgreSQL cannot have is
cut, at a character, to 54 bytes of UTF-8, and gets `_` and the first 8 hexadecimal digits of SHA-256 of
the whole name. PostgreSQL cannot have: more than 63 bytes; schemas that begin with `pg_` or are called
like its own (which get `db_` in front as well); columns called like its system columns.

Index names are unique in a schema, not in a table as MySQL's: an index `email` of the table `users` is
called `users__email`, the primary key `users__primary`. Where that could be said of two indexes (a name has
`__` in it, or the table's ends or the index's begins with `_`), and where it is too long, it is cut and
hashed as above, over table and index. So a name depends on nothing but the names it is made of, and a
later statement finds the index again.
"""

from __future__ import annotations

import hashlib
from typing import Final

NAME_BYTES_MAX: Final = 63
HASH_DIGITS: Final = 8
PRIMARY: Final = "primary"  # no index of MySQL may be called so
OWN_SCHEMAS: Final = frozenset({"information_schema", "_opendrs"})
SYSTEM_COLUMNS: Final = frozenset({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})


def quote(name: str) -> str:
    """The name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string as SQL, with standard_conforming_strings on."""
    return "'" + text.replace("'", "''") + "'"


def block(body: str) -> str:
    """A block of PL/pgSQL as one statement."""
    return f"DO {body_literal(f' BEGIN {body} END ')}"


def body_literal(body: str) -> str:
    """The body of a function as a string. No name in it can end it."""
    tag = "opendrs"
    while f"${tag}$" in body:
        tag += "_"
    return f"${tag}${body}${tag}$"


def qualified(schema: str, name: str) -> str:
    """Schema and name, each quoted, as SQL."""
    return f"{quote(schema)}.{quote(name)}"


def schema_name(database: str) -> str:
    """The schema of a source database, unless it is mapped otherwise."""
    taken = database.startswith("pg_") or database in OWN_SCHEMAS
    return _hashed(f"db_{database}", database) if taken else _fitted(database)


def table_name(table: str) -> str:
    return _fitted(table)


def column_name(column: str) -> str:
    return _hashed(column, column) if column in SYSTEM_COLUMNS else _fitted(column)


def constraint_name(name: str) -> str:
    """Of a foreign key or check, whose names are unique in their table."""
    return _fitted(name)


def index_name(table: str, index: str) -> str:
    """The name of an index; `table` is the target's name of its table, `index` the source's, or PRIMARY."""
    if index.upper() == "PRIMARY":
        index = PRIMARY
    name = f"{table}__{index}"
    ambiguous = "__" in table or "__" in index or table.endswith("_") or index.startswith("_")
    return _hashed(name, f"{table}\0{index}") if ambiguous or _too_long(name) else name


def _too_long(name: str) -> bool:
    return len(name.encode()) > NAME_BYTES_MAX


def _fitted(name: str) -> str:
    return _hashed(name, name) if _too_long(name) else name


def _hashed(name: str, identity: str) -> str:
    """The beginning of the name, and a hash of what it stands for."""
    kept = name.encode()[: NAME_BYTES_MAX - HASH_DIGITS - 1].decode(errors="ignore")
    return f"{kept}_{hashlib.sha256(identity.encode()).hexdigest()[:HASH_DIGITS]}"
