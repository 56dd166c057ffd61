"""What the log since a place says of the definitions of tables: whether they are now what they were there.

Definitions are read as they are now. A job that begins earlier in the log would read older rows by them, and without
binlog_row_metadata=FULL nothing in a row tells that two columns have changed places since. So the statements of the
log from there to now are looked through before the first row is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import assert_never

from opendrs.engines.mysql.position import LogEnd, LogPosition, own
from opendrs.engines.mysql.stream import Stream
from opendrs.errors import DrsError, Fault
from opendrs.model.alteration import (
    Alteration,
    AlterTable,
    ChangeViews,
    CreateDatabase,
    CreateTable,
    DropDatabase,
    DropTable,
    ForgetTable,
    RenameTable,
    SetComment,
    SetNextAuto,
    TruncateTable,
)
from opendrs.model.catalog import TableName
from opendrs.model.event import SchemaChange
from opendrs.model.precheck import named
from opendrs.model.selection import Selection

POLL_S = 0.5
STATEMENT_MAX = 200  # characters of it that are told


@dataclass(slots=True)
class Since:
    """What has happened to the selected tables since a place in the log.

    made      tables that were made since, by the names that they have now: they were not there, and the log makes them
    changed   tables that were there, and were altered, renamed or dropped since
    through   how far the log was looked through; None: nothing was read
    whole     that is as far as it was to be
    last      the last statement that changed something, and the place behind it
    """

    selection: Selection
    made: set[TableName] = field(default_factory=set)
    databases: set[str] = field(default_factory=set)
    changed: dict[str, None] = field(default_factory=dict)
    through: LogPosition | None = None
    whole: bool = False
    last: str = ""
    place: str = ""

    def take(self, change: SchemaChange) -> None:
        """Takes note of a statement. Raises what it means, if that cannot be said."""
        found = set(self._changed(change))
        if found:
            self.changed.update((name, None) for name in sorted(found))
            self.last, self.place = change.statement, ""

    def reach(self, position: LogPosition) -> None:
        """The log was looked through up to there."""
        self.through = position
        if self.last and not self.place:
            self.place = place_of(position)

    def demand_unchanged(self) -> None:
        """Raises DEFINITION_CHANGED."""
        if self.changed:
            cut = self.last[:STATEMENT_MAX] + ("..." if len(self.last) > STATEMENT_MAX else "")
            raise DrsError(
                Fault.DEFINITION_CHANGED, tables=named(list(self.changed)), position=self.place, statement=cut
            )

    def _changed(self, change: SchemaChange) -> Iterator[str]:
        """Names of what was there, and is another now."""
        if change.failure is not None:
            if not change.concerns:
                raise change.failure
            concerned = (name for name in change.concerns if self.selection.wants(name))
            yield from (str(name) for name in concerned if name not in self.made)
        for alteration in change.alterations:
            yield from self._altered(alteration)

    def _altered(self, alteration: Alteration) -> Iterator[str]:
        # Tables for online changes are told of as well, which trade names with one that is selected.
        made, wants = self.made, self.selection.wants
        match alteration:
            case CreateTable(table, if_not_exists):
                if not if_not_exists:
                    made.add(table.name)
            case RenameTable(old, new):
                if old in made:
                    made.remove(old)
                    made.add(new)
                elif wants(old) or wants(new):
                    yield str(old)
            case DropTable(name) | ForgetTable(name):
                if name in made:
                    made.remove(name)
                elif wants(name):
                    yield str(name)
            case AlterTable(name, changes):
                # A comment and the next number of AUTO_INCREMENT mean nothing to the rows of the log.
                harmless = all(isinstance(one, SetComment | SetNextAuto) for one in changes)
                if name not in made and wants(name) and not harmless:
                    yield str(name)
            case CreateDatabase(name, if_not_exists=if_not_exists):
                if not if_not_exists:
                    self.databases.add(name)
            case DropDatabase(name):
                made -= {one for one in made if one.schema == name}
                if name in self.databases:
                    self.databases.remove(name)
                else:
                    yield f"the database {name}"
            case TruncateTable() | ChangeViews():
                pass
            case _:
                assert_never(alteration)


def look_through(stream: Stream, since: Since, until: LogEnd, stop: Callable[[], bool]) -> None:
    """Looks through the statements of a stream without rows, up to a mark, or until it is to stop."""
    while since.through is None or not until.reached(since.through):
        if stop():
            return
        event = stream.next(POLL_S)
        if event is None:
            continue
        if isinstance(event, SchemaChange):
            since.take(event)
            stream.resume({})
        if event.position is not None:
            since.reach(own(event.position))
    since.whole = True


def place_of(position: LogPosition) -> str:
    """File and offset; else whatever there is."""
    file = position.facts.get("file")
    return f"{file['file']}:{file['pos']}" if file else str(position)
