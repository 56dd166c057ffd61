"""How fast the loads of jobs may be. A worker looks about once a second: no restart is needed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, select

from opendrs.model.speed import SpeedWindow
from opendrs.store.tables import speed_limits
from opendrs.store.upsert import upsert


def save(connection: Connection, job_id: str, windows: Sequence[SpeedWindow]) -> None:
    """These count from now on; without any the load is as fast as it can be."""
    if not windows:
        connection.execute(delete(speed_limits).where(speed_limits.c.job_id == job_id))
        return
    row = {
        "job_id": job_id,
        "windows": [window.to_json() for window in windows],
        "changed_at": datetime.now(UTC),
    }
    upsert(connection, speed_limits, row)


def load(connection: Connection, job_id: str) -> tuple[SpeedWindow, ...]:
    query = select(speed_limits.c.windows).where(speed_limits.c.job_id == job_id)
    return tuple(SpeedWindow.from_json(window) for window in connection.execute(query).scalar() or ())
