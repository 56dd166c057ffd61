"""Which rows of the log a selection's rules keep: evaluated here, asked of the server where only it can say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from opendrs._core import RecordBatch, RowFilter
from opendrs.engines.mysql.connect import Session
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import Column, Table, TableName
from opendrs.model.event import TableChanges
from opendrs.model.rules import EVERY_DML, carried_dml
from opendrs.model.selection import Selection

if TYPE_CHECKING:
    from opendrs.engines.mysql.filters import Compiled, TextTest

ASKED_AT_ONCE: Final = 500


def condition_of(selection: Selection, table: Table) -> Compiled | None:
    """The condition on the table's rows; None if all are wanted. Raises FILTER_UNSUPPORTED."""
    text = selection.rule(table.name).filter
    if not text:
        return None
    from opendrs.engines.mysql.filters import compiled  # its parser is heavy, and most jobs have no filter

    return compiled(text, table)


def where(selection: Selection, table: Table) -> str:
    """The condition as SQL; empty if there is none."""
    found = condition_of(selection, table)
    return found.sql if found else ""


class Filtering:
    """The rules of the tables of a stream, in their present shape. Not for several threads at a time.

    dml   as of `model.rules.carried_dml`
    """

    def __init__(self, selection: Selection, dml: str, session: Callable[[], Session]) -> None:
        self._selection = selection
        self._dml = dml
        self._open = session
        self._session: Session | None = None
        self._known: dict[TableName, tuple[RowFilter, Compiled | None]] = {}

    def reselect(self, selection: Selection) -> None:
        """Of the tables that are known already, nothing else is said."""
        self._selection = selection

    def know(self, table: Table) -> None:
        """The table is defined so from now on. Raises FILTER_UNSUPPORTED."""
        rule = self._selection.rule(table.name)
        self.forget(table.name)
        dml = carried_dml(rule, self._dml)
        if not rule.filter and dml == EVERY_DML:
            return
        condition = condition_of(self._selection, table)
        node = None if condition is None else json.dumps(condition.node)
        try:
            core = RowFilter(json.dumps(table.to_json()), node, "".join(dml))
        except ValueError as error:
            raise DrsError(Fault.FILTER_UNSUPPORTED, table=table.name, reason=str(error)) from error
        self._known[table.name] = core, condition

    def forget(self, name: TableName) -> None:
        self._known.pop(name, None)

    def wanted(self, tables: Iterable[TableChanges]) -> list[TableChanges]:
        """The changes that the rules keep. An update of which only one image is kept is an insertion or a deletion."""
        kept = []
        for changes in tables:
            batch = self._wanted(changes.table, changes.batch)
            if batch.num_rows:
                kept.append(replace(changes, batch=batch))
        return kept

    def _wanted(self, name: TableName, batch: object) -> RecordBatch:
        assert isinstance(batch, RecordBatch)
        if name not in self._known:
            return batch
        core, condition = self._known[name]
        if condition is not None and condition.tests and (texts := core.undecided(batch)):
            for (number, text), verdict in self._asked(condition, texts).items():
                core.teach(number, text, verdict)
        return core.changes(batch)

    def _asked(self, condition: Compiled, texts: list[tuple[int, str]]) -> Answers:
        if self._session is None:
            self._session = self._open()
        try:
            return answers(self._session, condition, texts)
        except DrsError:
            self.close()
            raise

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None


Answers = dict[tuple[int, str], bool | None]
"""What a server says of texts, each with the number of the test."""


def answers(session: Session, condition: Compiled, texts: Sequence[tuple[int, str]]) -> Answers:
    found: Answers = {}
    for start in range(0, len(texts), ASKED_AT_ONCE):
        some = texts[start : start + ASKED_AT_ONCE]
        looks = (_question(condition.tests[number], text) for number, text in some)
        (row,) = session.query("SELECT " + ", ".join(f"{look} AS c{place}" for place, look in enumerate(looks)))
        found.update((asked, _answer(row, f"c{place}")) for place, asked in enumerate(some))
    return found


def _question(test: TextTest, text: str) -> str:
    return f"({test.sql.replace('{}', value_of(test.column, text), 1)})"


def _answer(row: Mapping[str, str | None], name: str) -> bool | None:
    value = row[name]
    return None if value is None else value != "0"


def value_of(column: Column, text: str) -> str:
    """The text as a value of the column's: in its character set, under its collation."""
    plain = f"_utf8mb4 x'{text.encode().hex()}'"
    return f"CONVERT({plain} USING {column.charset}) COLLATE {column.collation}"
