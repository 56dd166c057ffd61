"""Counting what the target cannot hold: one scan a table, for everything suspicious in it at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from opendrs.engines.mysql.filtering import where
from opendrs.engines.mysql.prechecks_server import INDEX_ENTRY, Objects, Suspect, qualified, quoted
from opendrs.engines.mysql.types import counting
from opendrs.errors import DrsError
from opendrs.model.catalog import Table, TableName
from opendrs.model.precheck import Verdict, alarm, failed, how_many, named, passed, steps

# ER_QUERY_TIMEOUT of MySQL, ER_STATEMENT_TIMEOUT of MariaDB.
TIMED_OUT: Final = re.compile(r"error (3024|1969):")
TEXTS: Final = ("text", "enum", "set", "json")


class Counted(NamedTuple):
    """A suspect, the condition that finds its rows, and their number; or why they were not counted."""

    table: TableName
    suspect: Suspect
    condition: str
    rows: int | str


def losses(objects: Objects) -> list[Verdict]:
    """A verdict for every column with values that the target cannot hold, and one for all without."""
    found = [one for one in _counted(objects) if one.suspect.loss != INDEX_ENTRY]
    return _verdicts(found, "values that the target cannot hold", "column")


def entries(objects: Objects) -> list[Verdict]:
    """The same for unique indexes with entries that are too long; others are shortened in the target."""
    found = [one for one in _counted(objects) if one.suspect.loss == INDEX_ENTRY]
    return _verdicts(found, "entries that are too long for an index of the target", "unique index")


def _verdicts(found: Sequence[Counted], what: str, place: str) -> list[Verdict]:
    verdicts = [_verdict(one) for one in found if isinstance(one.rows, int) and one.rows]
    uncounted = [f"{one.table}.{one.suspect.place} ({one.rows})" for one in found if isinstance(one.rows, str)]
    if uncounted:
        verdicts.append(
            alarm(
                f"Not counted: {what}, in {named(uncounted)}",
                "A job meeting one does what its policies say: it stops if they say nothing. Count without --no-count, "
                "or with a longer --count-timeout.",
            )
        )
    none = [one for one in found if one.rows == 0]
    if none or not verdicts:
        tables = len({one.table for one in none})
        counted = f"Counted: {how_many(len(none), place)} of {how_many(tables, 'table')} without"
        verdicts.append(passed(f"{counted} {what}" if none else f"No {place} had to be counted for {what}"))
    return verdicts


def _verdict(found: Counted) -> Verdict:
    assert isinstance(found.rows, int)
    suspect = found.suspect
    what = f"{found.table}.{suspect.place}: {how_many(found.rows, 'row')} with {suspect.meaning} ({suspect.loss})"
    look = f"SELECT * FROM {qualified(found.table)} WHERE {found.condition} LIMIT 10;"
    if suspect.tolerated is not None:
        return alarm(f"{what}; {suspect.tolerated}", steps("These are some of the rows:", look))
    return failed(f"{what}; the job would stop there", steps(f"{suspect.remedy} These are some of the rows:", look))


# --- counting ---------------------------------------------------------------------------------------


def _counted(objects: Objects) -> Iterator[Counted]:
    for table in objects.catalog.tables:
        conditions = [(one, condition(table, one)) for one in objects.suspects.get(table.name, ())]
        countable = [(one, sql) for one, sql in conditions if sql is not None]
        if not countable:
            continue
        if table.name not in objects.tally:
            objects.tally[table.name] = _count(objects, table, [sql for _, sql in countable])
        tally = objects.tally[table.name]
        for at, (suspect, sql) in enumerate(countable):
            yield Counted(table.name, suspect, sql, tally if isinstance(tally, str) else tally[at])


def condition(table: Table, suspect: Suspect) -> str | None:
    """SQL that is true for the rows that a suspect concerns; None if its loss concerns no single value."""
    if suspect.loss != INDEX_ENTRY:
        return counting(suspect.loss, table.column(suspect.place))
    sizes = [_size(table, column, prefix) for column, prefix in suspect.parts]
    return f"({' + '.join(sizes)} > {suspect.bytes_max})"


def _size(table: Table, column: str, prefix: int | None) -> str:
    name = quoted(column)
    value = name if prefix is None else f"LEFT({name}, {prefix})"
    in_utf8 = f"CONVERT({value} USING utf8mb4)" if table.column(column).type.kind in TEXTS else value
    return f"COALESCE(LENGTH({in_utf8}), 0)"


def _count(objects: Objects, table: Table, conditions: Sequence[str]) -> Sequence[int] | str:
    """How many rows meet each condition; or why that is not known."""
    limits = objects.counting
    if limits.rows_max is not None and table.rows_estimate > limits.rows_max:
        return f"about {table.rows_estimate} rows, and --no-count"
    counts = ", ".join(f"COUNT(CASE WHEN {one} THEN 1 END) AS c{n}" for n, one in enumerate(conditions))
    source = f"FROM {qualified(table.name)}"
    if wanted := where(objects.server.selection, table):
        source += f" WHERE {wanted}"
    if objects.server.flavour.mariadb:
        sql = f"SET STATEMENT max_statement_time = {limits.timeout_s:.3f} FOR SELECT {counts} {source}"
    else:
        sql = f"SELECT /*+ MAX_EXECUTION_TIME({int(limits.timeout_s * 1000)}) */ {counts} {source}"
    try:
        (row,) = objects.server.session.query(sql)
    except DrsError as error:
        timed_out = TIMED_OUT.search(error.message)
        return f"not done within {limits.timeout_s:.0f} s" if timed_out else error.message
    return [int(row[f"c{n}"] or 0) for n in range(len(conditions))]
