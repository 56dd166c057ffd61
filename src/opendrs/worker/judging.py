"""Asks the source about children whose parents may have taken them along while the tables were loaded.

Which rows those are, `engines/postgres/cascade.py` says. A row that the source has no more, or that no longer refers
to what it refers to here, gets what the deletion of its parent does; what the source did after the moment of the
question comes with the log, and is applied by key.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from contextlib import ExitStack

from opendrs.engines.mysql import connect as mysql
from opendrs.engines.mysql.keyset import qualified
from opendrs.engines.postgres.cascade import Texts
from opendrs.engines.postgres.sink import Sink, Suspects
from opendrs.model.catalog import Column, Table, TableName
from opendrs.model.endpoint import Endpoint
from opendrs.model.engine import SchemaChanged

# Kinds that PostgreSQL prints just as MySQL reads them between quotes; moments are in UTC on both sides.
QUOTED = frozenset({"date", "time", "datetime", "timestamp", "text", "enum", "set", "uuid", "inet4", "inet6"})
BARE = frozenset({"int", "decimal", "year", "float32", "float64"})


def literal(column: Column, text: str) -> str:
    """What PostgreSQL prints as the source's SQL. Raises KeyError for kinds that no key has."""
    kind = column.type.kind
    if kind == "binary":
        return f"x'{text.removeprefix(chr(92) + 'x')}'"
    if kind == "bits":
        return f"b'{text}'"
    if kind in BARE:
        return text
    if kind in QUOTED:
        return mysql.quote_text(text.removesuffix("+00") if kind == "timestamp" else text)
    raise KeyError(kind)


class Judge:
    """A pipeline.judge.Judge for MySQL and PostgreSQL."""

    def __init__(self, source: Endpoint, sink: Sink) -> None:
        self._endpoint = source
        self._sink = sink

    def __call__(self, reloaded: Container[TableName]) -> bool:
        asked = False
        with ExitStack() as stack:
            session = None
            for suspects in self._sink.suspects():
                session = session or stack.enter_context(mysql.Session(self._endpoint))
                asked = True
                if suspects.child.key:
                    self._sink.settle(suspects, self._gone(session, suspects))
                elif suspects.child.name not in reloaded:
                    self._count(session, suspects)
        return asked

    def _gone(self, session: mysql.Session, suspects: Suspects) -> list[tuple[Texts, Texts]]:
        """Those that are not at the source as they are here."""
        child, key = suspects.child, suspects.key
        columns = [child.column(name) for name in (*child.key, *key.columns)]
        conditions = (_equal(columns, (*own, *refers)) for own, refers in suspects.rows)
        answers = ", ".join(
            f"EXISTS (SELECT 1 FROM {qualified(child)} WHERE {condition}) AS a{number}"
            for number, condition in enumerate(conditions)
        )
        (row,) = session.query(f"SELECT {answers}")
        return [pair for number, pair in enumerate(suspects.rows) if row[f"a{number}"] == "0"]

    def _count(self, session: mysql.Session, suspects: Suspects) -> None:
        """Rows without a key cannot be told apart: if they are not as many as here, only a new load helps."""
        child: Table = suspects.child
        columns = [child.column(name) for name in suspects.key.columns]
        for refers in dict.fromkeys(refers for _, refers in suspects.rows):
            there = session.value(f"SELECT COUNT(*) FROM {qualified(child)} WHERE {_equal(columns, refers)}")
            if int(there or 0) != self._sink.count(suspects, refers):
                raise SchemaChanged(child.name, "rows without a key may have gone with their parent")


def _equal(columns: Sequence[Column], values: Iterable[str]) -> str:
    pairs = zip(columns, values, strict=True)
    return " AND ".join(f"{mysql.quote_name(column.name)} = {literal(column, value)}" for column, value in pairs)
