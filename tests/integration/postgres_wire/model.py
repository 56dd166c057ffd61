"""What a target comes to that others write to as well: change by change, on rows in memory.

It says how a conflict is resolved, and shares nothing with the statements of the apply.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from tests.integration.postgres_wire.history import Change, replaced
from tests.integration.postgres_wire.tables import Constant, Row, Table

OnConflict = Literal["ignore", "overwrite"]
Record = tuple[str, int]
"""What was done, and 0, or the number of the row that had to go for it."""


@dataclass
class Model:
    """The rows of each table of the target, by its name; columns as the target has them."""

    on_conflict: OnConflict
    rows: dict[str, list[Row]] = field(default_factory=dict)

    def load(self, table: Table, rows: list[Row]) -> None:
        self.rows.setdefault(table.name, []).extend(whole(table, row) for row in rows)

    def apply(self, table: Table, change: Change) -> list[Record]:
        """Returns the conflict and the rows that went for it; nothing if there was none."""
        return _Applying(self, table, change).done()


class _Applying:
    def __init__(self, model: Model, table: Table, change: Change) -> None:
        self.rows = model.rows.setdefault(table.name, [])
        self.table = table
        self.wins = model.on_conflict == "overwrite"
        self.before = None if change.before is None else whole(table, change.before)
        self.after = None if change.after is None else whole(table, change.after)

    def done(self) -> list[Record]:
        if self.after is None:
            return self._delete()
        return self._insert(self.after) if self.before is None else self._update(self.before, self.after)

    def _delete(self) -> list[Record]:
        assert self.before is not None
        home = self._home(self.before)
        if home is None:
            return [] if self.table.partial else [("delete", 0)]
        del self.rows[home]
        return []

    def _insert(self, row: Row) -> list[Record]:
        home = self._home(row) if self.table.key else None
        if self._holders(row, home) or (home is not None and not self.table.partial):
            return self._conflict("insert", row, home)
        self._put(row, home)
        return []

    def _update(self, before: Row, after: Row) -> list[Record]:
        home = self._home(before)
        if home is None:
            if self.table.partial:
                return []
            return self._conflict("update", after, self._home(after) if self.table.key else None)
        if self.table.partial:
            # Whoever has the new key was deleted at the source, and nobody told.
            stale = self._home(after) if self.table.key else None
            others = [at for at in self._holders(after, home) if at != stale]
            if others:
                return self._conflict("update", after, home)
            self._put(after, home)
            if stale is not None and stale != home:
                del self.rows[stale]
            return []
        new = self.rows[home]
        for at, (old, value) in enumerate(zip(before, after, strict=True)):
            if old != value:
                new = replaced(new, at, value)
        if self._holders(new, home):
            return self._conflict("update", after, home)
        self._put(new, home)
        return []

    def _conflict(self, op: str, row: Row, home: int | None) -> list[Record]:
        told = [(op, 0)]
        if self.wins:
            gone = self._holders(row, home)
            self._put(row, home)
            for at in sorted(gone, reverse=True):
                del self.rows[at]
            told += [("delete", part) for part in range(1, len(gone) + 1)]
        return told

    def _put(self, row: Row, home: int | None) -> None:
        if home is None:
            self.rows.append(row)
        else:
            self.rows[home] = row

    def _home(self, row: Row) -> int | None:
        """The row that is meant: by its key, or by all of it."""
        names = self.table.key or tuple(column.name for column in self.table.written)
        wanted = self._values(row, names)
        return next((at for at, other in enumerate(self.rows) if self._values(other, names) == wanted), None)

    def _holders(self, row: Row, home: int | None) -> list[int]:
        """Other rows that have a value of the row in a unique index."""
        found = []
        for unique in (self.table.key, *self.table.uniques):
            value = self._values(row, unique)
            if not unique or None in value:
                continue
            for at, other in enumerate(self.rows):
                if at != home and at not in found and self._values(other, unique) == value:
                    found.append(at)
        return found

    def _values(self, row: Row, names: tuple[str, ...]) -> Row:
        places = {column.name: at for at, column in enumerate(self.table.written)}
        return tuple(row[places[name]] for name in names)


def whole(table: Table, row: Row) -> Row:
    """The row as the target has it, with its constants. (All values of these tables are whole numbers.)"""
    given = iter(row)
    return tuple(int(c.value) if isinstance(c, Constant) else next(given) for c in table.written)
