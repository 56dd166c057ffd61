"""What sealed secrets are bound to, so that none can be put in another's place."""

from __future__ import annotations

from opendrs.model.endpoint import Side


def password_name(side: Side) -> str:
    return f"{side}_password"


def key_name(side: Side) -> str:
    """Of the private key with which we show at that side who we are."""
    return f"{side}_key"


def about_secret(job_id: str, name: str) -> str:
    return f"job/{job_id}/{name}"


def about_password(job_id: str, side: Side) -> str:
    return about_secret(job_id, password_name(side))


def about_action(job_id: str) -> str:
    """The secrets of an action of the job; it has no id yet when they are sealed."""
    return f"job/{job_id}/action"
