"""Every test here runs on SQLite and on PostgreSQL."""

from tests.integration.state_fixtures import job, store, url

__all__ = ["job", "store", "url"]
