"""One module a pair of engines: all that only somebody who knows both can do."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final, Protocol, cast

from opendrs.errors import DrsError, Fault
from opendrs.model.checkpoint import Phase
from opendrs.model.endpoint import EngineName
from opendrs.model.job import Job
from opendrs.pipeline.meeting import Meeting
from opendrs.worker.hooks import Hooks

Report = Callable[[str, str], None]
"""Told of what is not carried over, or not as it was at the source: (what, why)."""


class Flow(Protocol):
    """What a worker asks of the module of its job's pair."""

    def begun(self, job: Job) -> bool:
        """Whether the target knows the job. Raises DrsError if it cannot say."""

    def half_reset(self, job: Job) -> bool:
        """Whether a reset was begun and has not ended. Raises DrsError if the target cannot say."""

    def reset(self, job: Job, epoch: int, hooks: Hooks, forget: Callable[[], None]) -> None:
        """Takes what the job has made out of the target, as the worker of an epoch; `forget` is called when that is
        certain, before the target forgets as well. Raises FENCED."""

    def work(self, job: Job, epoch: int, hooks: Hooks, *, installed: bool) -> Phase:
        """Loads and follows. `installed`: the epoch is in the target already."""

    def last_edit(self, job: Job) -> str:
        """The last change of its selection that was carried out in the target. Raises DrsError if it cannot say."""

    def guest(self, job: Job, epoch: int, hooks: Hooks, meeting: Meeting) -> Phase:
        """Loads and follows tables that are to join another job (`worker/joining.py`)."""

    def drop_guest(self, job: Job, epoch: int) -> None:
        """Nothing of such a job stays in the target; tables that have joined are the other's. May be repeated."""

    def release(self, job: Job, epoch: int, report: Report) -> None:
        """Leaves the target without anything of ours. May be repeated. Raises FENCED."""


_MODULES: Final[dict[tuple[EngineName, EngineName], str]] = {
    ("mysql", "postgresql"): "mysql_postgres",
    ("mysql", "kafka"): "mysql_kafka",
}


def flow_of(job: Job) -> Flow:
    """Its drivers are loaded with it. Raises UNSUPPORTED."""
    pair = (job.source.engine, job.target.engine)
    if pair not in _MODULES:
        raise DrsError(Fault.UNSUPPORTED, what=f"{job.source.engine} to {job.target.engine}")
    return cast(Flow, import_module(f"{__name__}.{_MODULES[pair]}"))
