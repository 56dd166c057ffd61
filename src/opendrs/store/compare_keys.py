"""By which columns a user wants tables to be compared, where that is not the key that they have anyway.

Written by the import of keys (worker.errands.keys), which has looked whether the source has such keys at that time; a
comparison that finds a table changed since then must not go by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, delete, select

from opendrs.model.catalog import TableName
from opendrs.store.tables import compare_keys

CompareKeys = Mapping[TableName, tuple[str, ...]]


def replace(connection: Connection, job_id: str, keys: Mapping[TableName, Sequence[str]]) -> None:
    """Keeps these, and no others, of a job."""
    connection.execute(delete(compare_keys).where(compare_keys.c.job_id == job_id))
    rows = [
        {"job_id": job_id, "schema_name": name.schema, "table_name": name.table, "columns": list(columns)}
        for name, columns in keys.items()
    ]
    if rows:
        connection.execute(compare_keys.insert(), rows)


def load(connection: Connection, job_id: str) -> CompareKeys:
    """The columns of each table, by the name that it has at the source."""
    query = select(compare_keys).where(compare_keys.c.job_id == job_id)
    query = query.order_by(compare_keys.c.schema_name, compare_keys.c.table_name)
    return {TableName(row.schema_name, row.table_name): tuple(row.columns) for row in connection.execute(query)}
