"""The shape of a table in the target, as the compiled writers take it and as it is persisted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from opendrs.engines.postgres.layout import Layout, layouts
from opendrs.model.catalog import Table, TableName
from opendrs.model.job import Policy
from opendrs.model.rules import EVERY_DML
from opendrs.model.selection import Selection

Target = dict[str, Any]
"""JSON form of rust/postgres/src/target_table.rs, TargetTable."""


def targets(tables: Iterable[Table], selection: Selection, policy: Policy) -> dict[TableName, Target]:
    """The shapes of all tables of a job, made from their definitions."""
    known = list(tables)
    found = layouts(known, selection.target, rule=selection.rule, invalid_dates=policy.invalid_dates)
    acted_on = {key.referenced for table in known for key in table.foreign_keys if key.acts}
    return {
        t.name: _shaped(t, found[t.name], policy, acted_on=t.name in acted_on) | _partial(t.name, selection, policy)
        for t in known
    }


def _shaped(table: Table, layout: Layout, policy: Policy, *, acted_on: bool) -> Target:
    """The shape of one table. `acted_on`: foreign keys with actions refer to it."""
    carried = {place.source.lower() for place in layout.columns}

    def names(columns: Iterable[str]) -> list[str]:
        return [layout.place(column).name for column in columns]

    unique = [index for index in (table.primary, *table.indexes) if index is not None and index.unique]
    seen = [index for index in unique if index.columns and {column.lower() for column in index.columns} <= carried]
    apart = list(layout.apart)
    uniques = [[*names(index.columns), *apart] for index in seen]
    key = [*names(table.key), *apart] if table.key else []
    return {
        "source": {"schema": table.name.schema, "table": table.name.table},
        "schema": layout.schema,
        "table": layout.table,
        "columns": [
            {
                "source": place.source,
                "name": place.name,
                "type": place.type,
                "binary": True,
                "not_null": place.not_null,
            }
            for place in layout.columns
        ]
        + [
            {"name": extra.name, "type": extra.type, "constant": extra.constant, "binary": True}
            for extra in layout.extras
            if extra.constant is not None
        ],
        "skipped": [column.name for column in table.columns if column.name.lower() not in carried],
        "key": key,
        "uniques": [columns for columns in uniques if columns != key],
        "opaque_uniques": len(uniques) < len(unique),
        "referenced_with_actions": acted_on,
        "acted_on": any(key.acts for key in table.foreign_keys),
        "policies": _policies(policy),
        **_extras(layout),
    }


def _extras(layout: Layout) -> dict[str, Any]:
    """Additional columns: what UPDATE sets, and what the layout is made of again."""
    if not layout.extras:
        return {}
    touched = [{"name": extra.name, "sql": extra.touch} for extra in layout.extras if extra.touch]
    return {"touched": touched, "extras": [asdict(extra) for extra in layout.extras]}


def _policies(policy: Policy) -> dict[str, str]:
    return {"impossible_date": policy.invalid_dates, "nul_in_text": policy.nul_in_text}


def judged(name: TableName, target: Target, selection: Selection, policy: Policy) -> Target:
    """The shape with what the policy says of values that the target cannot hold, and of changes that do not come."""
    return {**target, "policies": _policies(policy), **_partial(name, selection, policy)}


def _partial(name: TableName, selection: Selection, policy: Policy) -> dict[str, bool]:
    return {"partial": policy.carries(selection.rule(name)) != EVERY_DML}


def layout_of(target: Mapping[str, Any]) -> Layout:
    """The layout that a persisted shape holds."""
    return Layout.of(target)
