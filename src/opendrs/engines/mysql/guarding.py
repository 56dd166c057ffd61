"""Changes of the schema that would leave a rule of the selection without what it names.

A rule is about a table and its columns by their names. Where a statement takes a name away, or gives it to something
else, nobody but the user can say what the rule means from then on: so the job stops before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from opendrs.engines.mysql.filtering import condition_of
from opendrs.errors import DrsError, Fault
from opendrs.model.alteration import (
    AddColumn,
    Alteration,
    AlterTable,
    Change,
    CreateTable,
    DropColumn,
    ModifyColumn,
    RenameColumn,
    RenameTable,
    altered,
)
from opendrs.model.catalog import Table, TableName
from opendrs.model.rules import NO_RULE, TableRule
from opendrs.model.selection import Selection

WAY_OUT = "take the table out of the job, or begin it anew with rules that fit"


def guarded(
    alterations: Iterable[Alteration],
    selection: Selection,
    table: Callable[[TableName], Table | None],
    position: str,
    statement: str,
) -> None:
    """Raises DDL_UNSUPPORTED if one of the alterations touches what a rule names."""
    if not selection.rules:
        return
    for reason in _reasons(alterations, selection, table):
        raise DrsError(Fault.DDL_UNSUPPORTED, position=position, reason=f"{reason}; {WAY_OUT}", statement=statement)


def _reasons(
    alterations: Iterable[Alteration], selection: Selection, table: Callable[[TableName], Table | None]
) -> Iterator[str]:
    for alteration in alterations:
        match alteration:
            case RenameTable(old, new):
                if selection.rule(old).of_rows != selection.rule(new).of_rows:
                    yield f"the rules of {old} are not those of {new}"
            case CreateTable(made):
                yield from of_key(made, selection.rule(made.name))
            case AlterTable(name, changes):
                rule, before = selection.rule(name), table(name)
                if rule is not NO_RULE and before is not None:
                    yield from _altered(before, changes, rule, selection)
            case _:
                pass


def _altered(before: Table, changes: Iterable[Change], rule: TableRule, selection: Selection) -> Iterator[str]:
    condition = condition_of(selection, before)
    filtered = {name.lower() for name in condition.columns} if condition else set()
    after = before
    for change in changes:
        match change:
            case DropColumn(name):
                if name.lower() in filtered:
                    yield f"the filter of {before.name} is about the column {name}"
            case RenameColumn(old, new) if old.lower() != new.lower():
                yield from _renamed(before, old, new, rule, filtered)
            case ModifyColumn(old, column) if old.lower() != column.name.lower():
                yield from _renamed(before, old, column.name, rule, filtered)
            case AddColumn(column) if not rule.names(column.name) and column.name.lower() in taken(rule):
                yield f"{before.name} arrives with a column {column.name} already"
            case _:
                pass
        try:
            after = altered(after, change)
        except (KeyError, ValueError):
            return  # whoever carries it out says what is wrong with it
    yield from of_key(after, rule)


def _renamed(table: Table, old: str, new: str, rule: TableRule, filtered: set[str]) -> Iterator[str]:
    for name in (old, new):
        if rule.names(name):
            yield f"a rule of {table.name} names the column {name}"
    if old.lower() in filtered:
        yield f"the filter of {table.name} is about the column {old}"
    if new.lower() in taken(rule):
        yield f"{table.name} arrives with a column {new} already"


def of_key(table: Table, rule: TableRule) -> Iterator[str]:
    """Columns of the key that do not arrive: without them no row is found again."""
    for column in table.key:
        if rule.arrives(column) is None:
            yield f"the column {column} of the key of {table.name} is left out"


def taken(rule: TableRule) -> set[str]:
    """Names of columns in the target that the rule gives away, in lower case."""
    return {name.lower() for name in rule.columns.values() if name} | {extra.name.lower() for extra in rule.extras}
