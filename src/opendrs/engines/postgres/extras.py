"""Additional columns: what they are in PostgreSQL, and where their values come from.

A constant is written with every row. A time is the target's own: when a row came by the column's default, when it was
changed by what every UPDATE sets.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from opendrs.engines.postgres.names import column_name, literal
from opendrs.model.catalog import TableName
from opendrs.model.rules import ExtraColumn, ExtraType

TYPES: Final[dict[ExtraType, str]] = {
    "int": "integer",
    "long": "bigint",
    "varchar(256)": "character varying(256)",
    "varchar(191)": "character varying(191)",
    "datetime": "timestamp without time zone",
    "timestamp": "timestamp with time zone",
}
# The moment of the transaction. A `long` counts milliseconds since 1970.
NOW: Final[dict[ExtraType, str]] = {
    "long": "(pg_catalog.date_part('epoch', pg_catalog.now()) * 1000)::bigint",
    "datetime": "pg_catalog.timezone('UTC', pg_catalog.now())",
    "timestamp": "pg_catalog.now()",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """An additional column, that the source does not have.

    constant   its value in every row that is written; None: the target gives it
    default    SQL for rows that are written without it; empty: there are none
    touch      SQL of its value whenever a row is updated; empty: it stays
    in_key     it tells rows of different source tables apart
    """

    name: str
    type: str
    constant: str | None = None
    default: str = ""
    touch: str = ""
    in_key: bool = False


def arriving_extra(extra: ExtraColumn, name: TableName) -> Extra:
    """An additional column of a table of the source."""
    own = Extra(name=column_name(extra.name), type=TYPES[extra.type])
    match extra.kind:
        case "default_value":
            return replace(own, constant=extra.value, default=f"{literal(extra.value)}::{own.type}")
        case "create_time":
            return replace(own, default=NOW[extra.type])
        case "update_time":
            return replace(own, default=NOW[extra.type], touch=NOW[extra.type])
        case "expression" | "server_database_table":
            return replace(own, constant=extra.of(name), in_key=True)
