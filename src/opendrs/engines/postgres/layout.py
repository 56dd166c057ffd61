"""Where a table arrives: names and types in the target, column by column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from opendrs.engines.postgres import names
from opendrs.engines.postgres.extras import Extra, arriving_extra
from opendrs.engines.postgres.rendered import Rendered, reported
from opendrs.engines.postgres.types import losses, narrowed_columns, target_type
from opendrs.model.catalog import Column, Table, TableName
from opendrs.model.rules import NO_RULE, TableRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A column: its name at the source, and name, type and NOT NULL in the target."""

    source: str
    name: str
    type: str
    not_null: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A table in the target, with the columns that are written into it."""

    source: TableName
    schema: str
    table: str
    columns: tuple[Place, ...]
    extras: tuple[Extra, ...] = ()

    @property
    def sql(self) -> str:
        """The qualified name as SQL."""
        return names.qualified(self.schema, self.table)

    def find(self, column: str) -> Place | None:
        """The place of a source column; names are compared as MySQL does, without case."""
        return next((place for place in self.columns if place.source.lower() == column.lower()), None)

    def place(self, column: str) -> Place:
        """The place of a source column; KeyError if it is not carried over."""
        found = self.find(column)
        if found is None:
            raise KeyError(f"{self.source}.{column}")
        return found

    def column(self, column: str) -> str:
        """The quoted name of a source column."""
        return names.quote(self.place(column).name)

    def index(self, name: str) -> str:
        """The name of an index of the table."""
        return names.index_name(self.table, name)

    @property
    def apart(self) -> tuple[str, ...]:
        """Names of the additional columns that belong to every key."""
        return tuple(extra.name for extra in self.extras if extra.in_key)

    @classmethod
    def of(cls, target: Layout | Mapping[str, Any]) -> Layout:
        """From the persisted form, the one that the compiled writers take."""
        if isinstance(target, Layout):
            return target
        columns = (
            Place(source=c["source"], name=c["name"], type=c["type"], not_null=c.get("not_null", False))
            for c in target["columns"]
            if "source" in c
        )
        source = target["source"]
        return cls(
            source=TableName(source["schema"], source["table"]),
            schema=target["schema"],
            table=target["table"],
            columns=tuple(columns),
            extras=tuple(Extra(**extra) for extra in target.get("extras", [])),
        )


def carried(column: Column) -> bool:
    """Whether the column's values are written into the target."""
    return not column.hidden and (column.generated is None or column.generated.logged)


def no_rule(name: TableName) -> TableRule:
    """Of tables of which nothing is said."""
    del name
    return NO_RULE


def layouts(
    tables: Iterable[Table],
    place: Callable[[TableName], TableName],
    *,
    rule: Callable[[TableName], TableRule] = no_rule,
    invalid_dates: str = "stop",
) -> dict[TableName, Layout]:
    """Where the tables arrive. They must be all tables of the job: foreign keys decide about types.

    place          target schema and table of a source table, before PostgreSQL's rules for names
    rule           what is said of its columns
    invalid_dates  the job's policy: with `null`, a column that may hold such a date is not NOT NULL
    """
    known = list(tables)
    narrowed = narrowed_columns(known)
    found = {}
    for table in known:
        wanted, own = place(table.name), rule(table.name)
        places = (
            Place(
                source=column.name,
                name=names.column_name(arriving),
                type=target_type(column, (table.name, column.name.lower()) in narrowed).sql,
                not_null=not column.nullable and not (invalid_dates == "null" and _may_be_impossible(column)),
            )
            for column in table.columns
            if carried(column) and (arriving := own.arrives(column.name)) is not None
        )
        found[table.name] = Layout(
            source=table.name,
            schema=names.schema_name(wanted.schema),
            table=names.table_name(wanted.table),
            columns=tuple(places),
            extras=tuple(arriving_extra(extra, table.name) for extra in own.extras),
        )
    return found


def _may_be_impossible(column: Column) -> bool:
    return any("invalid_dates" in loss.policies for loss in losses(column))


def renamings(tables: Iterable[Table], targets: Mapping[TableName, Layout]) -> Rendered:
    """Reports of every name that is not the source's."""
    found = []
    for table in tables:
        layout = Layout.of(targets[table.name])
        pairs = [(str(table.name), table.name.table, layout.table)]
        pairs += [(f"{table.name}.{place.source}", place.source, place.name) for place in layout.columns]
        found += [reported("renamed", what, f"It is called {new!r}.") for what, old, new in pairs if old != new]
    return Rendered.joined(found)
