"""Flows on the wire."""

from __future__ import annotations

from typing import Final

from opendrs.model.links import LINKS, Link

JOB_TYPES: Final = ("migration", "sync", "cloudDataGuard", "replay", "verify", "cdc")


def offered(job_type: str) -> list[Link]:
    """The flows that a kind of job can have."""
    return [link for link in LINKS if job_type in link.job_types]
