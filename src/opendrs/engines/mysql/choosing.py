"""Whether the rules of a selection fit the tables that they are about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

from opendrs.engines.mysql.filtering import condition_of
from opendrs.engines.mysql.filters import why
from opendrs.engines.mysql.guarding import of_key
from opendrs.errors import DrsError
from opendrs.model.catalog import ForeignKey, Table, TableName
from opendrs.model.rules import TableRule
from opendrs.model.selection import Selection

Problem = tuple[TableName, str]


def rule_problems(selection: Selection, tables: Iterable[Table], views: Collection[TableName]) -> Iterator[Problem]:
    """What is wrong with rules, by table. `tables`, `views`: what the selection covers."""
    known = {table.name: table for table in tables}
    for name, rule in sorted(selection.rules.items(), key=lambda pair: pair[0]):
        if name in known:
            yield from ((name, reason) for reason in _of_table(selection, known[name], rule, known))
        elif name not in views:
            yield name, "something is said of it, and it is not there or not selected"


def _of_table(selection: Selection, table: Table, rule: TableRule, tables: Mapping[TableName, Table]) -> Iterator[str]:
    names = {column.name.lower() for column in table.columns if not column.hidden}
    for column in rule.columns:
        if column.lower() not in names:
            yield f"it has no column {column}"
    arriving = [name for column in names if (name := rule.arrives(column)) is not None]
    if not arriving:
        yield "no column of it is left"
    counts = Counter(name.lower() for name in [*arriving, *(extra.name for extra in rule.extras)])
    yield from (f"two columns would arrive as {name}" for name, count in counts.items() if count > 1)
    yield from of_key(table, rule)
    if rule.filter:
        try:
            condition_of(selection, table)
        except DrsError as error:
            yield f"its filter: {why(error)}"
    yield from _of_foreign_keys(table, rule, selection, tables)


def _of_foreign_keys(
    table: Table, rule: TableRule, selection: Selection, tables: Mapping[TableName, Table]
) -> Iterator[str]:
    """What foreign keys do to other rows is not in every log: the target does it, and needs to see the same rows."""
    apart = any(extra.names_source for extra in rule.extras)
    for key in _acting(table, tables):
        for column in key.columns:
            if rule.arrives(column) is None:
                yield f"the column {column} is left out, and the foreign key {key.name} acts by it"
        for column in key.referenced_columns:
            if selection.rule(key.referenced).arrives(column) is None:
                yield f"the foreign key {key.name} acts by {key.referenced}.{column}, which is left out"
        if apart or any(extra.names_source for extra in selection.rule(key.referenced).extras):
            yield f"the foreign key {key.name} would act on rows of other sources, which an additional column names"


def _acting(table: Table, tables: Mapping[TableName, Table]) -> Iterator[ForeignKey]:
    return (key for key in table.foreign_keys if key.acts and key.referenced in tables)


def filtered_actions(selection: Selection, tables: Iterable[Table]) -> Iterator[tuple[Table, ForeignKey, str]]:
    """Foreign keys whose actions would not reach the same rows in the target as at the source, where the log does not
    carry them: what the parents' filter leaves out takes nothing along, and a child may cross the border of its own."""
    known = {table.name: table for table in tables}
    for table in known.values():
        condition = condition_of(selection, table)
        filtered = {column.lower() for column in condition.columns} if condition else set()
        for key in _acting(table, known):
            if selection.rule(key.referenced).filter:
                yield table, key, f"rows of {key.referenced} that its filter leaves out take theirs along at the source"
            elif filtered & {column.lower() for column in key.columns}:
                yield table, key, "it changes what the filter of the table is about"
