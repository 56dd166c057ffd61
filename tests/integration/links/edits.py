"""What users ask of a job that follows: other tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opendrs.model.action import Kind
from opendrs.model.catalog import TableName
from opendrs.model.job import Job
from opendrs.model.selection import Selection
from opendrs.store import actions, jobs
from opendrs.store.database import open_store


@dataclass(slots=True)
class Editing:
    """Edits of a job, asked for in the store that its worker has.

    folder   of the story, or tale, that plays it
    """

    job: Job
    folder: Path

    def ask(self, selection: Selection, *, narrows: bool = False) -> str:
        store = open_store(f"sqlite:///{self.folder / 'state.db'}")
        try:
            with store.write() as connection:
                jobs.create(connection, self.job)
                return actions.ask(
                    connection, self.job.id, Kind.EDIT, "somebody", revision=0,
                    params={"selection": selection.to_json(), "narrows": narrows},
                )  # fmt: skip
        finally:
            store.close()

    def outcome(self, key: str) -> Any:
        store = open_store(f"sqlite:///{self.folder / 'state.db'}")
        try:
            with store.read() as connection:
                found = actions.find(connection, self.job.id, key)
                assert found is not None
                return found
        finally:
            store.close()


def named(name: str, *tables: str) -> Selection:
    return Selection(tables=frozenset(TableName(name, table) for table in tables))
