"""Edits of a job's selection as the store has them: actions that are not over."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace

from opendrs.errors import DrsError
from opendrs.model.action import Kind
from opendrs.model.failure import Failure
from opendrs.model.job import Job
from opendrs.model.selection import Selection
from opendrs.store import actions, ddls, jobs, progress
from opendrs.store.database import Store
from opendrs.worker.flows import Flow
from opendrs.worker.hooks import Hooks


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A selection that a job is to have.

    id        of its action
    narrows   it adds nothing to what the job has
    """

    id: str
    selection: Selection
    narrows: bool


def pending(store: Store, job_id: str) -> Edit | None:
    """The edit that is to be carried out. Raises StoreError."""
    with store.read() as connection:
        found = actions.pending(connection, job_id, {Kind.EDIT})
    if not found:
        return None
    params = found[-1].params
    return Edit(
        id=found[-1].id, selection=Selection.from_json(params["selection"]), narrows=bool(params.get("narrows"))
    )


def brought_up(flow: Flow, job: Job, epoch: int, hooks: Hooks) -> Job:
    """The job with the selection that its target has: a worker may have died between the edit and its note. One that
    begins anew has the edited selection from its begin on."""
    edit = pending(hooks.store, job.id)
    if edit is None or not (hooks.reset.is_set() or flow.last_edit(job) == edit.id):
        return job
    flow.drop_guest(guest_of(job, edit), epoch)
    carried_out(hooks.store, job.id, edit)
    return replace(job, selection=edit.selection)


def guest_id(job_id: str, edit: Edit) -> str:
    """The same for whoever carries the edit out."""
    return hashlib.sha256(json.dumps([job_id, edit.id]).encode()).hexdigest()[:32]


def guest_of(job: Job, edit: Edit) -> Job:
    """The job that loads what an edit adds, unless the job itself was begun without a load."""
    # Two replicas of one id at one source would throw each other out; and nobody has said where this one begins.
    policy = replace(job.policy, server_id=0, start=None)
    return replace(
        job,
        id=guest_id(job.id, edit),
        task="incremental" if job.task == "incremental" else "full+incremental",
        policy=policy,
        selection=replace(edit.selection, apart=job.selection),
    )


def carried_out(store: Store, job_id: str, edit: Edit) -> None:
    """The job has the selection from now on. May be repeated. Raises StoreError."""
    with store.write() as connection:
        jobs.change(connection, job_id, selection=edit.selection.to_json())
        progress.forget_views(connection, job_id, kept=edit.selection.wants)
        ddls.joined(connection, job_id, guest_id(job_id, edit))
        actions.close(connection, edit.id)


def failed(store: Store, job: Job, edit: Edit, error: DrsError) -> None:
    """The job keeps the selection that it has. Raises StoreError."""
    with store.write() as connection:
        progress.forget_views(connection, job.id, kept=job.selection.wants)
        ddls.gone(connection, job.id, guest_id(job.id, edit))
        actions.close(connection, edit.id, "failed", Failure.of(error))
