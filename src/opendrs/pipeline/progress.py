"""What the pipeline tells about itself while it runs: facts for people, never for correctness."""

from __future__ import annotations

from typing import Protocol

from opendrs.model.catalog import TableName
from opendrs.model.checkpoint import Phase, TableProgress
from opendrs.model.event import Event


class Progress(Protocol):
    """Told by the pipeline, on whichever thread the fact arises; must return at once."""

    def phase(self, phase: Phase) -> None: ...

    def table(self, progress: TableProgress) -> None:
        """A table was planned, finished or made anew."""

    def forgotten(self, name: TableName) -> None: ...

    def copied(self, name: TableName, rows: int, nbytes: int) -> None:
        """Rows of a chunk were written, not yet committed; negative when they are taken back."""

    def applied(self, event: Event) -> None:
        """An event is durable in the target."""


class Silent:
    """Tells nobody."""

    def phase(self, phase: Phase) -> None:
        return

    def table(self, progress: TableProgress) -> None:
        return

    def forgotten(self, name: TableName) -> None:
        return

    def copied(self, name: TableName, rows: int, nbytes: int) -> None:
        return

    def applied(self, event: Event) -> None:
        return
