"""Rows of which the target alone cannot say whether they are still there at the source.

A load without locks shows its tables at different moments, and what a foreign key did to other rows in between is
not in every log. Whoever knows both sides asks the source about such rows when the log is caught up with.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Protocol

from opendrs.model.catalog import TableName


class Judge(Protocol):
    """Called when the log is caught up with, on the thread that writes, between two commits."""

    def __call__(self, reloaded: Container[TableName]) -> bool:
        """Puts right what the source tells; False if there was nothing to ask. What the source told may be newer
        than the target: the log must be caught up with again, up to where it stands then.

        reloaded  tables whose load was begun anew since the job's own began
        Raises SchemaChanged if only a new load of a table can tell.
        """


class NoJudge:
    """For sides that have no such rows."""

    def __call__(self, reloaded: Container[TableName]) -> bool:
        del reloaded
        return False
