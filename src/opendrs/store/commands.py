"""What a running worker is asked to do, by whoever cannot reach its process. It looks about once a second."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import Connection, delete, insert, select

from opendrs.store.tables import commands

# pause: flush and end. proof: prove the tables equal, at a common position. edit: look for an edit of the selection.
Name = Literal["pause", "proof", "edit"]


def ask(connection: Connection, job_id: str, name: Name) -> None:
    """Leaves a command for the job's worker; one that starts later finds it too."""
    connection.execute(insert(commands).values(job_id=job_id, name=name, asked_at=datetime.now(UTC)))


def take(connection: Connection, job_id: str) -> list[Name]:
    """The commands that wait, oldest first; they are gone with this. Only under a lease that was just renewed."""
    query = select(commands.c.id, commands.c.name).where(commands.c.job_id == job_id).order_by(commands.c.id)
    found = connection.execute(query).all()
    if found:
        connection.execute(delete(commands).where(commands.c.id.in_([row.id for row in found])))
    return [row.name for row in found]


def withdraw(connection: Connection, job_id: str, name: Name) -> None:
    """Forgets commands of that name: those who should have obeyed are gone."""
    connection.execute(delete(commands).where(commands.c.job_id == job_id, commands.c.name == name))
