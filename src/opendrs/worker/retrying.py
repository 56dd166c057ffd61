"""A network that is away is waited for, inside the worker: as long as it takes, supervised or not."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from opendrs.errors import DrsError
from opendrs.model.checkpoint import Phase
from opendrs.pipeline.snapshotting import Stopped
from opendrs.store.database import StoreError, reason
from opendrs.telemetry import Mask, context
from opendrs.worker.outcome import kept
from opendrs.worker.report import Report
from opendrs.worker.timing import Backoff

log = logging.getLogger(__name__)


class Retrying:
    """Calls an attempt until it returns, or raises something that waiting for a server does not mend."""

    def __init__(self, *, stop: threading.Event, report: Report, backoff: Backoff, mask: Mask) -> None:
        self._stop = stop
        self._report = report
        self._backoff = backoff
        self._mask = mask
        self._told = ""

    def run(self, attempt: Callable[[int], Phase], epoch: int, advance: Callable[[], int]) -> Phase:
        """Each further attempt has an epoch of its own: what a connection that broke in the middle of a commit
        still carries is then refused by the target, instead of arriving behind the new attempt's first look.

        attempt   is given its epoch
        advance   takes the next epoch
        Raises Stopped if asked to pause meanwhile.
        """
        while True:
            self._report.begins()
            try:
                return attempt(epoch)
            except DrsError as error:
                if error.retry != "network":
                    raise
                self._note(error)
            epoch = self._next(advance)

    def _note(self, error: DrsError) -> None:
        failure = kept(error, self._mask)
        trouble = self._report.interrupted(failure)
        if trouble.attempts == 1:
            self._backoff.reset()
            self._told = ""
        # People are told once of each trouble; the log has every attempt.
        event = "network.lost" if self._told != failure.fault else ""
        self._told = failure.fault
        fields = {"code": failure.code, "reason": failure.message, "attempts": trouble.attempts}
        log.warning("nobody answers; trying again", extra=context(event, **fields))

    def _next(self, advance: Callable[[], int]) -> int:
        while not self._stop.wait(self._backoff.next()):
            try:
                return advance()
            except StoreError as error:
                log.warning("the state store is away too", extra=context("", reason=reason(error)))
        raise Stopped
