"""Runs the migrations. Loaded only when there is something to do: Alembic is slow to import."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from opendrs.errors import DrsError, Fault

FOLDER: Final = Path(__file__).with_name("migrations")


def configuration() -> Config:
    """Alembic's view of our migrations; there is no ini file."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def revisions() -> list[str]:
    """Every revision there has been, oldest first."""
    script = ScriptDirectory.from_config(configuration())
    return [revision.revision for revision in script.walk_revisions()][::-1]


def upgrade(connection: Connection, found: str | None, to: str = "head") -> None:
    """Brings the store from the revision found to another, inside the connection's transaction.

    Raises SETTING_INVALID if the revision found is not one of ours.
    """
    if found is not None and found not in revisions():
        reason = f"it was changed by a newer release of OpenDRS (revision {found}); use that release"
        raise DrsError(Fault.SETTING_INVALID, name="--state", reason=reason)
    config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, to)
    if connection.dialect.name == "sqlite":
        # They were not enforced meanwhile.
        broken = connection.execute(text("PRAGMA foreign_key_check")).all()
        if broken:
            raise DrsError(Fault.INTERNAL, reason=f"the migration of the state store would lose rows: {broken[:3]}")
