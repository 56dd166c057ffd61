"""Asks the source about children whose parents may have taken them along while the tables were loaded.

Which rows those are, `engines/postgres/cascade.py` says. A row that the source has no more, or that no longer refers
to what it refers to here, gets what the deletion of its parent does; what the source did after the moment of the
question comes with the log, and is applied by key.
"""

from __future__ import annotations

import struct
from collections.abc import Container, Iterable, Sequence
from contextlib import ExitStack

from opendrs.engines.mysql import connect as mysql
from opendrs.engines.mysql.keyset import qualified
from opendrs.engines.postgres.cascade import Texts
from opendrs.engines.postgres.sink import Sink, Suspects
from opendrs.model.catalog import Column, Table, TableName
from opendrs.model.endpoint import Endpoint
from opendrs.model.engine import SchemaChanged
from opendrs.model.job import Policy

# Kinds that PostgreSQL prints just as MySQL reads them between quotes.
QUOTED = frozenset({"time", "text", "enum", "set", "uuid", "inet4", "inet6"})
BARE = frozenset({"int", "decimal", "year"})
MOMENTS = frozenset({"date", "datetime", "timestamp"})


def literal(column: Column, text: str, policy: Policy) -> str | None:
    """What PostgreSQL prints as the source's SQL; None if the source's value may be another one."""
    kind = column.type.kind
    match kind:
        case "binary":
            return f"x'{text.removeprefix(chr(92) + 'x')}'"
        case "bits":
            return f"b'{text}'"
        case "float32" | "float64":
            number = float(text)
            if kind == "float32":  # MySQL compares with the double that it stands for
                (number,) = struct.unpack("f", struct.pack("f", number))
            return f"{number:.17e}"
    if kind in BARE:
        return text
    if kind in MOMENTS:
        return _moment(text)
    if kind in QUOTED and (kind != "text" or policy.nul_in_text == "stop"):
        return mysql.quote_text(text)
    return None


def _moment(text: str) -> str | None:
    """Dates and times; both sides are in UTC. Year 0 is 1 BC to PostgreSQL; no date is what a policy may have made."""
    if "infinity" in text:
        return None
    plain = text.removesuffix(" BC")
    if plain != text:
        plain = plain.replace("0001", "0000", 1)
    return f"'{plain.removesuffix('+00')}'"


class Judge:
    """A pipeline.judge.Judge for MySQL and PostgreSQL."""

    def __init__(self, source: Endpoint, sink: Sink, policy: Policy) -> None:
        self._endpoint = source
        self._sink = sink
        self._policy = policy

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
        """Those that are not at the source as they are here. Of which it cannot be asked, that is not said."""
        child, key = suspects.child, suspects.key
        columns = [child.column(name) for name in (*child.key, *key.columns)]
        asked = {
            number: condition
            for number, (own, refers) in enumerate(suspects.rows)
            if (condition := self._equal(columns, (*own, *refers))) is not None
        }
        if not asked:
            return []
        answers = ", ".join(
            f"EXISTS (SELECT 1 FROM {qualified(child)} WHERE {condition}) AS a{number}"
            for number, condition in asked.items()
        )
        (row,) = session.query(f"SELECT {answers}")
        return [suspects.rows[number] for number in asked if row[f"a{number}"] == "0"]

    def _count(self, session: mysql.Session, suspects: Suspects) -> None:
        """Rows without a key cannot be told apart: if they are not as many as here, only a new load helps."""
        child: Table = suspects.child
        columns = [child.column(name) for name in suspects.key.columns]
        for refers in dict.fromkeys(refers for _, refers in suspects.rows):
            condition = self._equal(columns, refers)
            if condition is None:
                continue
            there = session.value(f"SELECT COUNT(*) FROM {qualified(child)} WHERE {condition}")
            if int(there or 0) != self._sink.count(suspects, refers):
                raise SchemaChanged(child.name, "rows without a key may have gone with their parent")

    def _equal(self, columns: Sequence[Column], values: Iterable[str]) -> str | None:
        """The condition that columns have the values; None if that cannot be said for sure."""
        parts = []
        for column, value in zip(columns, values, strict=True):
            wanted = literal(column, value, self._policy)
            if wanted is None:
                return None
            parts.append(f"{mysql.quote_name(column.name)} = {wanted}")
        return " AND ".join(parts)
