"""What the process of a worker offers to the code that does the work."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from opendrs.model.checkpoint import Phase
from opendrs.model.dirty import Dirty
from opendrs.model.engine import Checkpoints, Objects
from opendrs.model.job import Job
from opendrs.pipeline.faultpoints import Faults
from opendrs.pipeline.limiting import Limit
from opendrs.pipeline.progress import Progress
from opendrs.store.database import Store
from opendrs.worker.order import Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """Handed to `replicate`. Everything in here may be used from any thread, and returns at once unless it is said that
    it waits.

    stop         set when the run is to pause: flush, then raise pipeline.snapshotting.Stopped
    progress     told what the pipeline does
    checkpoints  told what is durable in the target
    objects      told what is made in the target beside tables and rows
    dirty        remembers rows that do not arrive as they are; waits until they are written down
    limit        how fast the load may read
    proof        set when somebody asks for a proof; whoever begins one clears it
    faults       where a test may kill this process
    log          to the job's log file; with `extra=telemetry.context("name", ...)` also to the job's events
    folder       of the job: the place for a spool
    options      of this run
    store        the state store, for what is neither progress nor checkpoint (proofs)
    reset        set when the job is to begin anew; whoever has done that clears it
    edited       set when the store has an edit of the selection to carry out; whoever looks clears it
    """

    stop: threading.Event
    progress: Progress
    checkpoints: Checkpoints
    objects: Objects
    dirty: Dirty
    limit: Limit
    proof: threading.Event
    faults: Faults
    log: logging.Logger
    folder: Path
    options: Options
    store: Store
    reset: threading.Event = field(default_factory=threading.Event)
    edited: threading.Event = field(default_factory=threading.Event)


# Works at a job as the worker of an epoch until there is nothing more to do, and returns the phase reached.
# Raises Stopped when paused, and DrsError. After a fault of retry "network" it is called again, by the same
# process and with the same epoch.
Replicate = Callable[[Job, int, Hooks], Phase]
