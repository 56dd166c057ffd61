"""The processes that do errands: started when there are some, ended when one takes too long, followed when one dies."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from opendrs.errors import DrsError, Fault
from opendrs.model.action import Action
from opendrs.model.failure import Failure
from opendrs.store import actions
from opendrs.store.database import Store
from opendrs.store.leases import Holder
from opendrs.telemetry import context
from opendrs.worker import process
from opendrs.worker.document import Document
from opendrs.worker.errands import LIMIT_S, terminate
from opendrs.worker.starting import without_secrets

ATTEMPTS_MAX: Final = 3
LOOK_S: Final = 2.0  # how often to look whether those that are at an errand live

log = logging.getLogger("opendrs.attendant")

Spawn = Callable[[Document], "subprocess.Popen[bytes]"]


def spawn(document: Document) -> subprocess.Popen[bytes]:
    """A process that does errands; the pipe to it stays open for as long as we live."""
    argv = [sys.executable, "-P", "-m", "opendrs.worker.runner"]
    popen = subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=without_secrets(os.environ), start_new_session=True
    )
    assert popen.stdin is not None
    try:
        popen.stdin.write(document.line())
        popen.stdin.flush()
    except BrokenPipeError:
        pass  # it ended at once, and that is seen
    return popen


@dataclass(slots=True, kw_only=True)
class Runners:
    """As many as the document says, at most. `step` looks once and never waits."""

    store: Store
    document: Document
    spawn: Spawn = spawn
    alive: Callable[[Holder], bool | None] = process.alive
    clock: Callable[[], float] = time.monotonic
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _since: dict[tuple[str, int], float] = field(default_factory=dict)
    _looked_at: float = -LOOK_S

    def step(self) -> None:
        """Raises StoreError."""
        self._running = [popen for popen in self._running if popen.poll() is None]
        with self.store.read() as connection:
            waiting = actions.waiting(connection)
        if self.clock() >= self._looked_at + LOOK_S:
            self._looked_at = self.clock()
            self._look()
        # One more at a time: a process that is just starting will take what waits.
        if waiting and len(self._running) < self.document.runners:
            try:
                self._running.append(self.spawn(self.document))
            except OSError as error:  # the machine has no room for one now
                log.warning("a process for errands cannot be started", extra=context("", reason=str(error)))

    def close(self) -> None:
        """Ends them all; what they were at is done again by others."""
        for popen in self._running:
            popen.kill()
            popen.communicate()
        self._running.clear()

    def _look(self) -> None:
        with self.store.read() as connection:
            held = actions.held(connection)
        now = self.clock()
        since = {(action.id, holder.pid): self._since.get((action.id, holder.pid), now) for action, holder in held}
        self._since = since
        for action, holder in held:
            late = now > since[action.id, holder.pid] + LIMIT_S[action.kind]
            if late:
                process.send(holder, signal.SIGKILL)
            if late or self._gone(holder):
                self._lost(action, holder, late=late)

    def _gone(self, holder: Holder) -> bool:
        """Whether nobody is at it any more. A store in a file has one service, and whoever seems to be on another
        machine was in this one's container, or before its last start."""
        alive = self.alive(holder)
        return alive is False or (alive is None and self.store.engine.dialect.name == "sqlite")

    def _lost(self, action: Action, holder: Holder, *, late: bool) -> None:
        """The process that was at it is gone. A few times it is done again."""
        log.warning("an errand was lost", extra=context("", job=action.job_id, kind=action.kind.value, late=late))
        with self.store.write() as connection:
            if not late and action.attempts < ATTEMPTS_MAX:
                actions.put_back(connection, action.id, holder)
                return
            how = f"it took more than {LIMIT_S[action.kind]:.0f} s" if late else "its process died again and again"
            failure = Failure.of(DrsError(Fault.WORKER_CRASHED, reason=how))
            if actions.held_by(connection, action.id) != holder:
                return
            left = terminate.failed(connection, action, failure)
            result = {"left": failure.message} if left is None else None
            actions.finish(connection, action.id, holder, result=result, failure=left)
