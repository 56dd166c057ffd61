"""What sealed secrets are bound to, so that none can be put in another's place."""

from __future__ import annotations

from opendrs.model.endpoint import Side


def password_name(side: Side) -> str:
    return f"{side}_password"


def about_password(job_id: str, side: Side) -> str:
    return f"job/{job_id}/{password_name(side)}"


def about_action(job_id: str) -> str:
    """The secrets of an action of the job; it has no id yet when they are sealed."""
    return f"job/{job_id}/action"
