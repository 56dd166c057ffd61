"""Views: their definitions as PostgreSQL's SQL, in an order in which each finds what it is made of.

sqlglot translates. A view counts as carried over when the target has accepted it: the caller runs each
candidate inside a savepoint, and tries those that failed again as long as any other succeeds, for a view
may stand on another. Acceptance is no proof of equal results; that is said of every view.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from opendrs.engines.postgres.layout import Layout
from opendrs.engines.postgres.names import column_name, qualified, quote, schema_name, table_name
from opendrs.engines.postgres.rendered import Rendered, reported
from opendrs.model.catalog import TableName, View

Place = Callable[[TableName], TableName]
Attempt = Callable[[str], str | None]
"""Runs a statement inside a savepoint; the error if the target refuses it, None if it took it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A view that may be tried: its statement, and which other views it is made of."""

    name: TableName
    statement: str
    needs: frozenset[TableName]


def candidates(
    views: Iterable[View], targets: Mapping[TableName, Layout | Mapping[str, Any]], place: Place
) -> tuple[list[Candidate], Rendered]:
    """Views that translate, each behind those that it needs; and reports of the others."""
    known = {view.name: view for view in views}
    layouts = {name: Layout.of(target) for name, target in targets.items()}
    found: dict[TableName, Candidate] = {}
    reports: list[Rendered] = []
    for view in known.values():
        try:
            found[view.name] = _candidate(view, layouts, known, place)
        except (SqlglotError, _Untranslated, RecursionError) as error:
            reports.append(reported("view", view.name, str(error).partition("\n")[0]))
    return _ordered(found), Rendered.joined(reports)


class _Untranslated(Exception):
    """The view speaks of something that is not in the target, or that sqlglot does not understand."""


def _candidate(
    view: View, layouts: Mapping[TableName, Layout], views: Mapping[TableName, View], place: Place
) -> Candidate:
    if not view.definition:
        raise _Untranslated("The account may not read its definition.")
    select = sqlglot.parse_one(view.definition, read="mysql")
    if not isinstance(select, exp.Query) or list(select.find_all(exp.Command)):
        raise _Untranslated("It is not understood.")
    if any("?" in text.name for text in select.find_all(exp.Literal)):
        raise _Untranslated("A text in it may hold characters that the source's catalog cannot list.")
    needs = _put_in_place(select, view, layouts, views, place)
    text = select.sql(dialect="postgres", identify=True, unsupported_level=sqlglot.ErrorLevel.RAISE)
    columns = ", ".join(quote(column_name(column)) for column in view.columns)
    own = place(view.name)
    name = qualified(schema_name(own.schema), table_name(own.table))
    header = f"CREATE OR REPLACE VIEW {name}" + (f" ({columns})" if columns else "")
    return Candidate(view.name, f"{header} AS {text}", needs)


def _put_in_place(
    select: exp.Query, view: View, layouts: Mapping[TableName, Layout], views: Mapping[TableName, View], place: Place
) -> frozenset[TableName]:
    """Gives every table and column its name in the target; returns the views that are spoken of."""
    needs = set()
    within = {cte.alias for cte in select.find_all(exp.CTE)}
    for table in list(select.find_all(exp.Table)):
        if not table.db and table.name in within:
            continue
        source = TableName(table.db or view.name.schema, table.name)
        layout = layouts.get(source)
        if layout is not None:
            schema, name = layout.schema, layout.table
        elif source in views:
            needs.add(source)
            there = place(source)
            schema, name = schema_name(there.schema), table_name(there.table)
        else:
            raise _Untranslated(f"It reads {source}, which is not selected.")
        table.set("this", exp.to_identifier(name, quoted=True))
        table.set("db", exp.to_identifier(schema, quoted=True))
        if not table.alias and name != source.table:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(source.table, quoted=True)))
    for column in select.find_all(exp.Column):
        # MySQL writes `table`.`column` and may put the database in front, which PostgreSQL takes for a schema.
        column.set("db", None)
        column.set("catalog", None)
        if isinstance(column.this, exp.Identifier):
            column.set("this", exp.to_identifier(column_name(column.name), quoted=True))
    return frozenset(needs - {view.name})


def _ordered(found: dict[TableName, Candidate]) -> list[Candidate]:
    """Each behind what it needs, as far as that is possible."""
    done: dict[TableName, Candidate] = {}

    def visit(name: TableName, above: frozenset[TableName]) -> None:
        if name in done or name in above or name not in found:
            return
        for need in sorted(found[name].needs):
            visit(need, above | {name})
        done[name] = found[name]

    for name in sorted(found):
        visit(name, frozenset())
    return list(done.values())


def create(wanted: Sequence[Candidate], attempt: Attempt) -> tuple[list[TableName], Rendered]:
    """Tries the views, again and again while any succeeds; (views that are there, reports of the others)."""
    made: list[TableName] = []
    waiting, errors = list(wanted), dict[TableName, str]()
    while waiting:
        refused = []
        for candidate in waiting:
            error = attempt(candidate.statement)
            if error is None:
                made.append(candidate.name)
            else:
                errors[candidate.name] = error
                refused.append(candidate)
        if len(refused) == len(waiting):
            break
        waiting = refused
    else:
        return made, Rendered()
    failed = (reported("view", candidate.name, errors[candidate.name].partition("\n")[0]) for candidate in waiting)
    return made, Rendered.joined(failed)
