"""Called by Alembic: runs the migrations on the connection that `migrating.upgrade` gives, in its transaction."""

from __future__ import annotations

from alembic import context

from opendrs.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite can change a table only by making it anew.
    render_as_batch=True,
)
context.run_migrations()
