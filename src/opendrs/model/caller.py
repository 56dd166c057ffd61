"""Who calls the API, and who is to be able to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from opendrs.model.endpoint import Secret

# What stands in a path of the API where others have the project: no project can have such an id.
NOT_PROJECTS: Final = ("auth", "projects")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A user who has proven to be one, with the project that the user works in."""

    user_id: str
    user_name: str
    domain: str
    project_id: str
    project_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the environment says of the first identity. None: it says nothing, and what is stored stays."""

    project_id: str | None = None
    user_name: str | None = None
    password: Secret | None = None
    access_key: str | None = None
    secret_key: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The first identity when something of it was just generated: the only time that it can be shown.

    password, secret_key   None: not generated now
    """

    caller: Caller
    access_key: str
    password: Secret | None
    secret_key: Secret | None
