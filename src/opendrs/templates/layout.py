"""Which columns the sheet of each level has. docs/reference/templates.md is made from this table.

The vendor publishes neither titles nor an order of columns for its own files, only the rule that the first column is
the object at the source and the second the one at the target: such files are read as well (`OBJECT_TITLES`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from opendrs.model.rules import EXTRA_KINDS, EXTRA_TYPES

Level = Literal["database", "table", "column", "partition", "compare_key"]
Mapping = Literal["table_mapping", "topic_mapping"]
LEVELS: Final[tuple[Level, ...]] = get_args(Level)
MAPPINGS: Final[tuple[Mapping, ...]] = get_args(Mapping)
DEFAULT_LEVEL: Final[Level] = "table"

SHEET: Final = "Objects"
ERROR: Final = "Error"
CHANGE: Final = "Change"
OBJECT_TITLES: Final = ("Source object", "Target object")
YES, NO = "yes", "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A column of a sheet.

    needed   a row without it is wrong; what else must be there depends on the rest of the row
    example  of a filled cell
    """

    name: str
    title: str
    meaning: str
    example: str
    needed: bool = False


_HEADINGS: Final = {
    heading.name: heading
    for heading in (
        Heading(
            name="source_database",
            title="Source database",
            meaning="database at the source",
            example="shop",
            needed=True,
        ),
        Heading(
            name="source_schema",
            title="Source schema",
            meaning="stays empty, for sources that have no schemas (MySQL and its relatives)",
            example="",
        ),
        Heading(
            name="source_table",
            title="Source table",
            meaning="table or view at the source",
            example="orders",
            needed=True,
        ),
        Heading(
            name="target_database",
            title="Target database",
            meaning="database at the target that all arrive in; empty: the one of the job",
            example="",
        ),
        Heading(
            name="target_schema",
            title="Target schema",
            meaning="schema at the target; empty: the name of the source database",
            example="store",
        ),
        Heading(
            name="target_table",
            title="Target table",
            meaning="name at the target; empty: as at the source",
            example="orders",
        ),
        Heading(
            name="topic",
            title="Topic",
            meaning="topic of Kafka; empty: as the job's policy has it",
            example="shop-orders",
        ),
        Heading(
            name="source_column",
            title="Source column",
            meaning="column at the source; empty in a row of an additional column",
            example="customer",
        ),
        Heading(
            name="target_column",
            title="Target column",
            meaning="name at the target; empty: as at the source. Of an additional column: its name",
            example="client",
        ),
        Heading(
            name="replicated",
            title="Replicated",
            meaning=f"`{YES}`, or `{NO}` for a column that is left out; empty: {YES}",
            example=YES,
        ),
        Heading(
            name="extra_kind",
            title="Additional column",
            meaning=f"makes the row one of an additional column: {', '.join(EXTRA_KINDS)}",
            example="",
        ),
        Heading(
            name="extra_type",
            title="Type",
            meaning=f"of an additional column: {', '.join(EXTRA_TYPES)}",
            example="",
        ),
        Heading(
            name="extra_value",
            title="Value",
            meaning="of an additional column: the default, or the name of the server",
            example="",
        ),
        Heading(
            name="key_columns",
            title="Key columns",
            meaning="columns that tell rows apart, with commas between them: the primary key, or a unique index "
            "without NULLs",
            example="region, number",
            needed=True,
        ),
    )
}

_TABLE: Final = ("source_database", "source_schema", "source_table")
_TARGET: Final = ("target_database", "target_schema", "target_table")
_COLUMN: Final = ("source_column", "target_column", "replicated", "extra_kind", "extra_type", "extra_value")

_COLUMNS: Final[dict[tuple[Level, Mapping], tuple[str, ...]]] = {
    ("database", "table_mapping"): ("source_database", "target_database", "target_schema"),
    ("database", "topic_mapping"): ("source_database", "topic"),
    ("table", "table_mapping"): (*_TABLE, *_TARGET),
    ("table", "topic_mapping"): (*_TABLE, "topic"),
    ("column", "table_mapping"): (*_TABLE, *_TARGET, *_COLUMN),
    ("column", "topic_mapping"): (*_TABLE, "topic", *_COLUMN),
    ("compare_key", "table_mapping"): (*_TABLE, "key_columns"),
    ("compare_key", "topic_mapping"): (*_TABLE, "key_columns"),
}
# Why a level is refused. A selection names tables, and rows of a table can be chosen by a filter only.
NOT_TAKEN: Final[dict[Level, str]] = {
    "partition": "partitions cannot be chosen one by one: a table is replicated with all of them; a row filter "
    "chooses some of its rows",
}


def columns(level: Level, mapping: Mapping) -> tuple[Heading, ...]:
    """The columns of a sheet. KeyError for a level that is not taken."""
    return tuple(_HEADINGS[name] for name in _COLUMNS[level, mapping])


def heading(name: str) -> Heading:
    return _HEADINGS[name]
