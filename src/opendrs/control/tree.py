"""The tree of objects, as it is sent and as it is shown: databases, tables, columns."""

from __future__ import annotations

from typing import Any

from opendrs.control.reading import Wire


class ColumnObject(Wire):
    """What is said of a column.

    name            under which it arrives
    filtered        false: it is left out
    additional      the source does not have it; `operation_type`, `type` and `value` say what it holds
    sync_type       config: it only serves a filter of another table
    """

    name: str | None = None
    type: str | None = None
    filtered: bool | None = None
    additional: bool | None = None
    operation_type: str | None = None
    value: str | None = None
    sync_type: str | None = None
    primary_key_for_column_filtering: str | None = None
    primary_key_for_data_filtering: str | None = None
    index_for_data_filtering: str | None = None


class TableObject(Wire):
    """What is chosen of a table.

    name                               under which it arrives; for Kafka, its topic
    db_alias_name, schema_alias_name   where it arrives, if not where its database does
    filter_conditions                  of its rows; one at most
    config_conditions                  of a table that only serves a filter of another (`sync_type` config)
    dml                                ours: letters of the changes that are carried over
    """

    name: str | None = None
    type: str = "table"
    all: bool | None = None
    db_alias_name: str | None = None
    schema_alias_name: str | None = None
    filtered: bool | None = None
    filter_conditions: list[str] | None = None
    config_conditions: list[str] | None = None
    columns: dict[str, ColumnObject] | None = None
    sync_type: str | None = None
    is_synchronized: bool | None = None
    dml: str | None = None


class DatabaseObject(Wire):
    """What is chosen of a database. `all`: everything in it, now and later; then `tables` are those of which something
    is said."""

    name: str | None = None
    all: bool | None = None
    schemas: dict[str, dict[str, Any]] | None = None
    tables: dict[str, TableObject] | None = None
    sync_type: str | None = None
    is_synchronized: bool | None = None
    total_table_num: int | None = None


class RootDb(Wire):
    """The database of the target that all arrives in."""

    db_name: str | None = None
    db_encoding: str | None = None


class DbObject(Wire):
    """What is chosen of a server. With the scope all, `object_info` is only what is said of parts of it.

    excluded   ours: patterns `database.table` of tables that are left out
    """

    object_scope: str
    target_root_db: RootDb | None = None
    object_info: dict[str, DatabaseObject] | None = None
    excluded: list[str] | None = None
