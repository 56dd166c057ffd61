"""Watches over jobs: as many as it is told, a thread each.

A supervisor may die at any time. Its workers go on, and the next supervisor that is told of a job finds its
worker by the lease.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from types import TracebackType
from typing import Final, Self

from opendrs.errors import DrsError, Fault
from opendrs.model.failure import Failure
from opendrs.store.database import Store
from opendrs.telemetry import context
from opendrs.worker import process
from opendrs.worker.order import Order
from opendrs.worker.outcome import Exit, Outcome
from opendrs.worker.watch import Launch, Watch

ENDED_S: Final = 0.01  # how often to look whether a killed process is gone

log = logging.getLogger("opendrs.supervisor")


class _Job:
    """A watch, and the thread that steps it."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.ended = threading.Event()
        self._wake = threading.Event()
        name = f"watch-{watch.order.job.id[:8]}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def wake(self) -> None:
        self._wake.set()

    def _run(self) -> None:
        try:
            while self.watch.outcome is None:
                self._wake.clear()
                self._wake.wait(self.watch.step())
        except Exception as error:  # a fault of ours must not look like a job that runs
            failure = Failure.of(DrsError(Fault.INTERNAL, reason=f"{type(error).__name__}: {error}"))
            self.watch.outcome = Outcome(exit=Exit.FAILED, failure=failure, told=False)
            log.exception("the watch of a job failed", extra=context("", job=self.watch.order.job.id))
        finally:
            self.ended.set()


class Supervisor:
    """Starts, adopts, restarts and stops workers. All methods may be called from any thread.

    As a context manager it ends in order: at the end every job is paused.
    """

    def __init__(self, store: Store, *, launch: Launch = process.start) -> None:
        self._store = store
        self._launch = launch
        self._jobs: dict[str, _Job] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ensure(self, order: Order, *, pausing: bool = False) -> None:
        """Sees to it that the job is worked at: by the worker that is there, else by a new one.

        The job must be in the store. Watched already, and not ended: nothing changes.
        pausing   the other way round: the worker that is there comes to rest, and no new one is started
        """
        with self._lock:
            job = self._jobs.get(order.job.id)
            if job is None or job.ended.is_set():
                watch = Watch(store=self._store, order=order, launch=self._launch)
                if pausing:
                    watch.pause()
                self._jobs[order.job.id] = _Job(watch)

    def watched(self, job_id: str) -> bool:
        """Whether the job is watched, and has not ended."""
        job = self._jobs.get(job_id)
        return job is not None and not job.ended.is_set()

    def take_outcome(self, job_id: str) -> Outcome | None:
        """How a job has ended that was watched; it is forgotten with that. None: it has not ended, or never was."""
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None or not job.ended.is_set() or job.watch.overtaken:
                return None
            del self._jobs[job_id]
            return job.watch.outcome

    def wait(self, job_id: str, timeout_s: float | None = None) -> Outcome | None:
        """How the job ended; None if it has not within the time. KeyError if it was never ensured."""
        job = self._jobs[job_id]
        return job.watch.outcome if job.ended.wait(timeout_s) else None

    def pause(self, job_id: str) -> None:
        """Asks the job's worker to flush and end; after the grace time it is killed. Returns at once."""
        job = self._jobs[job_id]
        job.watch.pause()
        job.wake()

    def kill(self, job_id: str) -> None:
        """Kills the job's worker. The job can be resumed. Returns at once."""
        job = self._jobs[job_id]
        job.watch.kill()
        job.wake()

    def close(self, *, wait_s: float | None = None) -> None:
        """Pauses every job, waits for each, and kills what does not end in its grace time.

        wait_s   wait no longer than this; what has not ended then goes on by itself
        """
        with self._lock:
            jobs = list(self._jobs.values())
        for job in jobs:
            job.watch.pause()
            job.wake()
        for job in jobs:
            if not job.ended.wait(wait_s):
                continue
            # Nothing is lost with them: the target refuses whatever they would still write.
            for worker in job.watch.overtaken:
                worker.send(signal.SIGKILL)
                while worker.running():
                    time.sleep(ENDED_S)
