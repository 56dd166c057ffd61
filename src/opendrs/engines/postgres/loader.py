"""One lane of the load: rows by COPY, each chunk in a transaction of its own with the record that it is there."""

from __future__ import annotations

from collections.abc import Mapping

from opendrs._core import PgCopy
from opendrs.engines.postgres.connect import Session
from opendrs.engines.postgres.control import Control
from opendrs.engines.postgres.shape import Target
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import Table, TableName
from opendrs.model.checkpoint import Chunk, LoadedChunk
from opendrs.model.event import Batch


class Loader:
    """One lane of the load, on a session of its own."""

    def __init__(self, session: Session, control: Control, targets: Mapping[TableName, Target]) -> None:
        self._session = session
        self._control = control
        self._targets = targets
        self._copy: PgCopy | None = None
        self._what = ""

    def begin(self, table: Table, chunk: Chunk) -> None:
        del chunk
        self._what = f"copy rows into {table.name}"
        self._session.execute("BEGIN")
        self._copy = self._session.copy_in(self._targets[table.name])

    def write(self, batch: Batch) -> None:
        assert self._copy is not None
        with self._session.translated(self._what):
            self._copy.write(batch)

    def commit(self, loaded: LoadedChunk) -> None:
        assert self._copy is not None
        with self._session.translated(self._what):
            written = self._copy.finish()
        self._copy = None
        if written != loaded.rows:
            raise DrsError(
                Fault.TARGET_REFUSED, what=self._what, reason=f"it took {written} of {loaded.rows} rows (a trigger?)"
            )
        self._control.guard(self._session)
        self._control.add_chunk(self._session, loaded)
        self._session.execute("COMMIT")

    def rollback(self) -> bool:
        if self._copy is not None:
            copy, self._copy = self._copy, None
            try:
                with self._session.translated(self._what):
                    copy.abort()
            except DrsError:
                self._session.close()  # nothing of the transaction survives its connection
                return False
        self._session.rollback()
        return False
