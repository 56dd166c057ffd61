"""Filters that another table decides: `customer IN (SELECT id FROM crm.customers WHERE region = 'EU')`.

What the other table holds is looked up when the selection is saved, and the filter is from then on one with a list: so
the load and the log mean the same by it, however often either begins anew. What changes in the other table later
changes nothing, until the selection is saved again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from sqlglot import exp
from sqlglot.errors import SqlglotError

from opendrs.engines.mysql.catalog import read_session, read_tables
from opendrs.engines.mysql.choosing import Problem
from opendrs.engines.mysql.connect import Session, quote_name, quote_text
from opendrs.engines.mysql.filters import Refused, compiled, parsed_condition, why
from opendrs.engines.mysql.keyset import quoted
from opendrs.errors import DrsError
from opendrs.model.catalog import Column, Table, TableName
from opendrs.model.rules import JoinedTable, TableRule
from opendrs.model.selection import Selection

VALUES_MAX: Final = 10_000
_BARE: Final = frozenset({"int", "year", "decimal"})  # values that stand without quotes
_QUOTED: Final = frozenset({"text", "enum", "date", "datetime", "timestamp", "time"})


def resolved(session: Session, selection: Selection) -> tuple[Selection, list[Problem]]:
    """The selection with lists in place of subqueries; and what is wrong with these, by table."""
    rules: dict[TableName, TableRule] = {}
    problems: list[Problem] = []
    for name, rule in selection.rules.items():
        try:
            rules[name] = _with_lists(session, name, rule) if rule.written else rule
        except Refused as refused:
            problems.append((name, f"its filter: {refused}"))
            rules[name] = replace(rule, filter="", asked="")  # what else is wrong with it is told as well
        except DrsError as error:
            problems.append((name, f"its filter: {why(error)}"))
            rules[name] = replace(rule, filter="", asked="")
    return replace(selection, rules=rules), problems


def found_nothing(rule: TableRule) -> bool:
    """Whether a subquery of the filter had no value when it was looked up: what it decides is decided for every row."""
    return bool(rule.asked) and _hopeless(rule.filter) > _hopeless(rule.asked)


def _hopeless(text: str) -> int:
    """How many parts of a condition are true of no value."""
    parts = parsed_condition(text).find_all(exp.Boolean, exp.In)
    return sum(1 for part in parts if _finds_none(part))


def _finds_none(part: exp.Expression) -> bool:
    if isinstance(part, exp.Boolean):
        return not part.this
    return part.args.get("query") is None and all(isinstance(value, exp.Null) for value in part.expressions)


def _with_lists(session: Session, name: TableName, rule: TableRule) -> TableRule:
    """Whatever was looked up before is looked up anew."""
    found = with_lists(session, name, rule.written)
    return replace(rule, filter=found, asked=rule.written if found != rule.written else "")


def declared_problems(session: Session, selection: Selection) -> list[Problem]:
    """What is wrong with tables that were declared as looked into."""
    if not selection.joined:
        return []
    flavour = read_session(session.query).flavour
    tables = {table.name: table for table in read_tables(session.query, list(selection.joined), flavour)}
    problems: list[Problem] = []
    for name, joined in sorted(selection.joined.items(), key=lambda pair: pair[0]):
        if name in tables:
            problems += [(name, reason) for reason in declared_problems_of(tables[name], joined)]
        else:
            problems.append((name, "the source does not have the table"))
    return problems


def declared_problems_of(table: Table, joined: JoinedTable) -> Iterator[str]:
    names = {column.name.lower() for column in table.columns if not column.hidden}
    for column in dict.fromkeys((*joined.columns, *joined.key, *joined.indexes)):
        if column.lower() not in names:
            yield f"it has no column {column}"
    wanted = {column.lower() for column in joined.key}
    unique = [index for index in (table.primary, *table.indexes) if index is not None and index.unique]
    if wanted <= names and wanted not in [{str(part.column).lower() for part in index.parts} for index in unique]:
        yield f"{', '.join(joined.key) or 'nothing'} is neither its primary key nor a unique one"
    if joined.condition:
        try:
            compiled(joined.condition, table)
        except DrsError as error:
            yield f"its condition: {why(error)}"


def looks_elsewhere(text: str) -> bool:
    """Whether a filter has a subquery. What cannot be read is for whoever compiles it."""
    try:
        return parsed_condition(text).find(exp.Query) is not None
    except (Refused, SqlglotError, ValueError, RecursionError):
        return False


def with_lists(session: Session, name: TableName, text: str) -> str:
    """A filter of the table with lists in place of subqueries. Raises Refused, FILTER_UNSUPPORTED."""
    try:
        parsed = parsed_condition(text)
    except (SqlglotError, ValueError, RecursionError):
        return text  # whoever compiles it says what is wrong
    queries = [node for node in parsed.find_all(exp.In) if node.args.get("query") is not None]
    if not queries:
        return text
    for node in queries:
        listed = _listed(session, name, node.args["query"])
        column = node.this.sql(dialect="mysql", identify=True)
        replacement = f"({column} IN ({', '.join(listed)}))" if listed else "FALSE"
        parsed = _with(parsed, node, parsed_condition(replacement))
    return _written(parsed)


def _with(whole: exp.Expression, node: exp.Expression, other: exp.Expression) -> exp.Expression:
    if node is whole:
        return other
    node.replace(other)
    return whole


def _written(node: exp.Expression) -> str:
    """The condition as text again. Texts are quoted by our own rules."""

    def own(part: exp.Expression) -> exp.Expression:
        if isinstance(part, exp.Literal) and part.is_string:
            return exp.Var(this=quote_text(str(part.this)))
        return part

    return node.transform(own).sql(dialect="mysql", identify=True)


def _listed(session: Session, owner: TableName, query: exp.Expression) -> list[str]:
    """The values of a subquery, as SQL."""
    select = query.this if isinstance(query, exp.Subquery) else query
    if not isinstance(select, exp.Select) or len(select.expressions) != 1:
        raise Refused("the subquery must be SELECT column FROM database.table WHERE ...")
    extra = [
        key for key, part in select.args.items() if part and key not in ("expressions", "from_", "where", "distinct")
    ]
    source = select.args.get("from_")
    column = select.expressions[0]
    if extra or source is None or not isinstance(source.this, exp.Table) or not isinstance(column, exp.Column):
        raise Refused("the subquery must be SELECT column FROM database.table WHERE ..., and nothing else")
    name = TableName(source.this.db or owner.schema, source.this.name)
    flavour = read_session(session.query).flavour
    tables = read_tables(session.query, [name], flavour)
    if not tables:
        raise Refused(f"the source does not have the table {name}")
    return _values(session, tables[0], column.name, select.args.get("where"))


def _values(session: Session, table: Table, column_name: str, where: exp.Expression | None) -> list[str]:
    try:
        column = table.column(column_name)
    except KeyError:
        raise Refused(f"{table.name} has no column {column_name}") from None
    if column.type.kind not in _BARE | _QUOTED:
        raise Refused(f"{table.name}.{column.name} ({column.native}) cannot be in a list")
    condition = ""
    if where is not None:
        condition = f" WHERE {compiled(_written(where.this), table).sql}"
    own = quote_name(column.name)
    sql = f"SELECT DISTINCT {own} AS v FROM {quoted(table.name)}{condition} ORDER BY 1 LIMIT {VALUES_MAX + 1}"
    rows = session.query(sql)
    if len(rows) > VALUES_MAX:
        raise Refused(f"the subquery has more than {VALUES_MAX} values")
    return [_constant(column, row) for row in rows]


def _constant(column: Column, row: Mapping[str, str | None]) -> str:
    value = row["v"]
    if value is None:
        return "NULL"
    return value if column.type.kind in _BARE else quote_text(value)
