"""New jobs: what is asked for is looked at, and written down; a worker builds the rest."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from opendrs.control.asking import Asking, shown
from opendrs.errors import DrsError, Fault
from opendrs.model.action import Kind
from opendrs.model.endpoint import SIDES, Endpoint, Secret, Side
from opendrs.model.job import Job, Task
from opendrs.model.links import JOB_TYPE_DIGITS, Link
from opendrs.store import actions, jobs
from opendrs.store.jobs import Head, Service

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{3,49}")
_NOT_IN_DESCRIPTION: Final = "!<>&'\"\\"
DESCRIPTION_MAX: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """What is asked for. `places` and `facts` as in store.jobs.Service; `keys`: our own private keys, PEM."""

    name: str
    description: str
    job_type: str
    link: Link
    job_direction: str
    net_type: str
    task: Task
    source: Endpoint
    target: Endpoint
    places: tuple[str, ...]
    facts: Mapping[str, Any]
    starts_at: datetime | None = None
    keys: Mapping[Side, Secret] = field(default_factory=dict)


def create(asking: Asking, new: NewJob) -> Head:
    """Writes a job down. Raises PARAMETER_INVALID, NAME_EXISTS."""
    demand_name(new.name)
    demand_description(new.description)
    job = Job(id=job_id(new.job_type, new.link), source=new.source, target=new.target, task=new.task)
    service = Service(
        project_id=asking.caller.project_id,
        description=new.description,
        job_type=new.job_type,
        engine_type=new.link.engine_type,
        job_direction=new.job_direction,
        net_type=new.net_type,
        places=new.places,
        facts=new.facts,
        starts_at=new.starts_at,
    )
    with asking.store.write() as connection:
        jobs.add(connection, job, new.name, service)
        for side, endpoint in zip(SIDES, (new.source, new.target), strict=True):
            key = new.keys.get(side, Secret(""))
            jobs.keep_secrets(connection, asking.seal, job.id, side, password=endpoint.password, key=key)
        actions.ask(connection, job.id, Kind.CREATE, asking.caller.user_name, revision=0)
        head = jobs.head(connection, asking.caller.project_id, job.id)
    assert head is not None, "a job that was just written is not there"
    return head


def job_id(job_type: str, link: Link) -> str:
    """A new id in the published shape: a UUID whose end is cut for `jb`, the kind of the job and the flow."""
    return f"{str(uuid.uuid4())[:31]}jb{JOB_TYPE_DIGITS[job_type]}{link.code}"


def demand_name(name: str) -> None:
    """Raises PARAMETER_EMPTY, PARAMETER_INVALID."""
    if not name:
        raise DrsError(Fault.PARAMETER_EMPTY, name="name")
    if not _NAME.fullmatch(name):
        reason = f"{shown(name)!r} is not 4 to 50 letters, digits, - and _ that begin with a letter"
        raise DrsError(Fault.PARAMETER_INVALID, name="name", reason=reason)


def demand_description(text: str) -> None:
    """Raises PARAMETER_INVALID."""
    if len(text) > DESCRIPTION_MAX:
        reason = f"it has {len(text)} characters, and {DESCRIPTION_MAX} are allowed"
        raise DrsError(Fault.PARAMETER_INVALID, name="description", reason=reason)
    for character in text:
        if character in _NOT_IN_DESCRIPTION or (not character.isprintable() and character not in "\n\t"):
            reason = f"{character!r} is not allowed in it"
            raise DrsError(Fault.PARAMETER_INVALID, name="description", reason=reason)
