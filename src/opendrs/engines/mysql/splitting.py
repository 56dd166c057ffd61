"""Where a table is cut into chunks: by asking the optimizer if the key begins with a number, else by counting.

The optimizer's estimate of a range costs the source a look at a few pages of the index; to count is to scan all
keys of the chunk. Where the cuts are matters to nobody's correctness: every key lies in exactly one chunk.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from opendrs._core import MysqlError
from opendrs.engines.mysql.connect import Session, quote_name
from opendrs.engines.mysql.errors import reading
from opendrs.engines.mysql.keyset import condition, key_index, order, qualified, range_columns, to_key
from opendrs.model.catalog import Column, Table
from opendrs.model.checkpoint import Key

CHUNK_BYTES: Final = 64 << 20
STEPS_MAX: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Portions:
    """How much is read at a time.

    batch_rows, batch_bytes   from the server, at most; one row more may be read
    chunk_rows                between two keys, about; fewer if they are large
    """

    batch_rows: int = 16_384
    batch_bytes: int = 2 << 20
    chunk_rows: int = 200_000


def next_bound(session: Session, table: Table, after: Key | None, upper: Key, *, rows: int) -> Key:
    """The key at which the chunk behind `after` ends, with so many rows, about; at the latest `upper`."""
    columns = range_columns(table)
    # Behind a longer key, some rows of the same number are still to come: how many, only counting tells.
    if columns[0].type.kind == "int" and (after is None or len(after) == 1):
        bound = _estimated(session, table, quote_name(columns[0].name), after, upper, rows)
        if bound is not None:
            return bound
    return _counted(session, table, columns, after, upper, rows)


def chunk_rows(table: Table, most: int) -> int:
    """How many rows a chunk should have: fewer, if they are large. What a chunk is written in must end in time."""
    mean = table.bytes_estimate // max(table.rows_estimate, 1)
    return max(min(most, CHUNK_BYTES // max(mean, 1)), 1)


def _counted(
    session: Session, table: Table, columns: tuple[Column, ...], after: Key | None, upper: Key, wanted: int
) -> Key:
    where, params = condition(columns, after, upper)
    sql = (
        f"SELECT {order(columns)} FROM {qualified(table)} FORCE INDEX ({quote_name(key_index(table))})"
        f" WHERE {where} ORDER BY {order(columns)} LIMIT 1 OFFSET {wanted - 1}"
    )
    key = read_key(session, table, columns, sql, params)
    return upper if key is None else key


def _estimated(session: Session, table: Table, name: str, after: Key | None, upper: Key, wanted: int) -> Key | None:
    """A value of the first column; None if there is none that makes a chunk of a decent size."""
    first = _number(after) if after else _below_smallest(session, table, name)
    last = _number(upper)
    if first is None or last is None:
        return None
    low, high, guess = first, last + 1, last  # up to `low` it is too small, up to `high` too large
    for step in range(STEPS_MAX):
        rows = _rows(session, table, name, first, guess)
        if rows > 2 * wanted:
            high = guess
        elif rows < wanted // 2 and guess < last:
            low = guess
        else:
            return upper if guess == last else _key(guess)
        if high - low <= 1:
            break
        # In proportion; now and then by halves, for keys with holes in them.
        guess = (low + high) // 2 if step % 3 == 2 else first + (guess - first) * wanted // max(rows, 1)
        guess = min(max(guess, low + 1), high - 1)
    return _key(low) if low > first else None


def _number(key: Key) -> int | None:
    value = json.loads(key[0]) if key and key[0] is not None else {}
    return next((int(value[kind]) for kind in ("int", "uint") if kind in value), None)


def _key(number: int) -> Key:
    return (json.dumps({"int" if number < 2**63 else "uint": number}, separators=(",", ":")),)


def _below_smallest(session: Session, table: Table, name: str) -> int | None:
    found = session.value(f"SELECT MIN({name}) FROM {qualified(table)}")
    return None if found is None else int(found) - 1


def _rows(session: Session, table: Table, name: str, above: int, to: int) -> int:
    """The optimizer's estimate of the rows in a range of the first column."""
    explain = "EXPLAIN" if session.mariadb else "EXPLAIN FORMAT=TRADITIONAL"
    index = quote_name(key_index(table))
    where = f"{name} > {above} AND {name} <= {to}"
    # Not FORCE INDEX: told what to use, MySQL does not look into it.
    (row,) = session.query(f"{explain} SELECT {name} FROM {qualified(table)} USE INDEX ({index}) WHERE {where}")
    return int(row["rows"] or 0)


def read_key(session: Session, table: Table, columns: Sequence[Column], sql: str, params: list[object]) -> Key | None:
    """The key that a statement selects, None if it selects no row."""
    names = [column.name for column in columns]
    by_name = {column["name"]: column for column in table.to_json()["columns"]}
    name = {"schema": table.name.schema, "table": table.name.table}
    facts = {"name": name, "columns": [by_name[name] for name in names], "key": names}
    try:
        reader = session.read(sql, params, json.dumps(facts))
        if reader.next_batch(1, 1) is None:
            return None
        key = reader.last_key()
        while reader.next_batch(1, 1) is not None:
            pass
    except MysqlError as error:
        raise reading(error, table.name, session.endpoint) from error
    return to_key(key) if key else None


def bound(session: Session, table: Table) -> Key | None:
    """The largest key; None for a table that is empty, or has no key."""
    if not table.key:
        return None
    columns = range_columns(table)
    if not columns:
        rows = session.query(f"SELECT 1 FROM {qualified(table)} LIMIT 1")
        return () if rows else None
    sql = (
        f"SELECT {order(columns)} FROM {qualified(table)} FORCE INDEX ({quote_name(key_index(table))})"
        f" ORDER BY {order(columns, descending=True)} LIMIT 1"
    )
    return read_key(session, table, columns, sql, [])
