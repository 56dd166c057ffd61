"""Which objects of a source, and under which names they arrive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Self

from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import TableName


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Patterns `database.table` with `*` and `?`; no pattern at all: everything but the system's own.

    schemas   target schema by source database; a database that is not in here keeps its name
    """

    patterns: tuple[str, ...] = ()
    schemas: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for pattern in self.patterns:
            database, dot, table = pattern.partition(".")
            if not (database and dot and table):
                raise DrsError(Fault.SETTING_INVALID, name="--tables", reason=f"{pattern!r} is not `database.table`")

    def wants(self, name: TableName) -> bool:
        """Whether the table is selected, if it is not one of the system's own."""
        return not self.patterns or any(
            fnmatchcase(name.schema, database) and fnmatchcase(name.table, table)
            for database, _, table in (pattern.partition(".") for pattern in self.patterns)
        )

    def wants_database(self, name: str) -> bool:
        """Whether a table of the database may be selected."""
        return not self.patterns or any(fnmatchcase(name, p.partition(".")[0]) for p in self.patterns)

    def target(self, name: TableName) -> TableName:
        """Where the table arrives."""
        return TableName(self.schemas.get(name.schema, name.schema), name.table)

    def to_json(self) -> dict[str, Any]:
        return {"version": 1, "patterns": list(self.patterns), "schemas": dict(self.schemas)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        if data["version"] != 1:
            raise ValueError(f"a selection of version {data['version']} is not understood")
        return cls(patterns=tuple(data["patterns"]), schemas=dict(data["schemas"]))
