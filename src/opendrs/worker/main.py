"""The workers' side of the service: `python -m opendrs.worker.main`, with its document on the standard input.

It looks after the jobs of the store until it is asked to end (SIGTERM: every worker finishes what it holds, and the
jobs go on with the next service) or is alone (the pipe has ended: it goes at once; the workers go on, and the next
service finds them).
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from typing import Final

from opendrs.errors import DrsError
from opendrs.store.database import StoreError, reason
from opendrs.telemetry import context, log_to_stream
from opendrs.worker.assembly import Place
from opendrs.worker.attending import Attendant
from opendrs.worker.document import Document
from opendrs.worker.runners import Runners
from opendrs.worker.supervisor import Supervisor

TICK_S: Final = 0.1
STORE_RETRY_S: Final = 1.0

log = logging.getLogger("opendrs.attendant")


def attend(place: Place, document: Document, stop: threading.Event) -> None:
    """Looks after everything until `stop` is set, and ends in order."""
    supervisor = Supervisor(place.store)
    attendant = Attendant(place=place, supervisor=supervisor)
    runners = Runners(store=place.store, document=document)
    try:
        while not stop.wait(TICK_S):
            try:
                attendant.step()
                runners.step()
            except StoreError as error:
                log.warning("the state store does not answer", extra=context("", reason=reason(error)))
                stop.wait(STORE_RETRY_S)
    finally:
        runners.close()
        supervisor.close()


def main() -> None:
    """Ends with status 0 when asked to, 1 if it could not begin."""
    stop = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stop.set())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    document = Document.read(sys.stdin.buffer)
    if document is None:
        return
    log_to_stream(sys.stderr, document.mask(), part="workers")
    threading.Thread(target=_alone, daemon=True, name="parent").start()
    try:
        place = document.place()
    except DrsError as error:
        log.error("the state store cannot be used", extra=context("", reason=error.message))
        sys.exit(1)
    log.info("the workers are looked after", extra=context("attendant.began", pid=os.getpid()))
    attend(place, document, stop)
    log.info("every worker has come to rest", extra=context("attendant.ended"))
    logging.shutdown()


def _alone() -> None:
    """Ends this process when whoever started it is gone, whatever it is doing."""
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
