"""The process that does errands: `python -m opendrs.worker.runner`, with its document on the standard input.

One after the other, until there has been none for a while, or whoever started it is gone.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
import threading
from dataclasses import dataclass
from typing import Final

from opendrs.errors import DrsError, Fault
from opendrs.model.action import Action, Kind
from opendrs.model.failure import Failure
from opendrs.model.sealed import about_action
from opendrs.store import actions, events, jobs
from opendrs.store.database import StoreError, reason
from opendrs.store.events import Event
from opendrs.store.leases import Holder
from opendrs.telemetry import Mask, context, log_to
from opendrs.worker import errands, process
from opendrs.worker.assembly import Place, job_of
from opendrs.worker.document import Document
from opendrs.worker.errands import Errand, Result, terminate
from opendrs.worker.outcome import kept

IDLE_S: Final = 10.0
LOOK_S: Final = 0.1
LOG: Final = "errands.jsonl"

log = logging.getLogger("opendrs.runner")


@dataclass(slots=True, kw_only=True)
class Runner:
    place: Place
    me: Holder
    _unsure: bool = False  # the store may say that we are at an errand that we are not at

    def run(self, gone: threading.Event, *, idle_s: float = IDLE_S) -> None:
        """Takes errands until none has come for so long, or `gone` is set."""
        waited_s = 0.0
        while waited_s < idle_s and not gone.is_set():
            try:
                busy = self.once()
            except StoreError as error:
                log.warning("the state store does not answer", extra=context("", reason=reason(error)))
                busy, self._unsure = False, True
            waited_s = 0.0 if busy else waited_s + LOOK_S
            if not busy:
                gone.wait(LOOK_S)

    def once(self) -> bool:
        """Does one errand; False: there is none. Raises StoreError: what it was at is done again."""
        if self._unsure:
            with self.place.store.write() as connection:
                actions.let_go(connection, self.me)
            self._unsure = False
        with self.place.store.read() as connection:
            if not actions.waiting(connection):
                return False
        with self.place.store.write() as connection:
            action = actions.take(connection, self.me)
        if action is None:
            return False
        mask, result, failure = Mask(), None, None
        try:
            errand, mask = self._prepare(action)
            result = errands.function(action.kind)(errand)
        except DrsError as error:
            failure = kept(error, mask)
        except StoreError:
            raise
        except Exception as error:
            log.exception("an errand broke", extra=context("errand.broke", kind=action.kind, job=action.job_id))
            failure = kept(DrsError(Fault.INTERNAL, reason=f"{type(error).__name__}: {error}"), mask)
        self._finish(action, mask.deep(result), failure)
        return True

    def _prepare(self, action: Action) -> tuple[Errand, Mask]:
        with self.place.store.read() as connection:
            record = jobs.find(connection, action.job_id)
            sealed = jobs.sealed_secrets(connection, action.job_id)
        if record is None:
            raise DrsError(Fault.JOB_NOT_FOUND, job_id=action.job_id)
        job = job_of(self.place, record, sealed)
        secrets = json.loads(self.place.seal.open(action.sealed, about_action(action.job_id))) if action.sealed else {}
        words = [job.source.password.reveal(), job.target.password.reveal(), *_texts(secrets)]
        errand = Errand(place=self.place, action=action, record=record, job=job, secrets=secrets)
        return errand, Mask(word for word in words if word)

    def _finish(self, action: Action, result: Result | None, failure: Failure | None) -> None:
        fields = {"kind": action.kind.value}
        with self.place.store.write() as connection:
            if actions.held_by(connection, action.id) != self.me:
                return
            if failure is not None:
                left, failure = failure, terminate.failed(connection, action, failure)
                result = {"left": left.message} if failure is None else None
            actions.finish(connection, action.id, self.me, result=result, failure=failure)
            if failure is not None:
                fields |= {"code": failure.code, "reason": failure.message}
            name = "errand.done" if failure is None else "errand.failed"
            message = f"{action.kind.value} is done" if failure is None else f"{action.kind.value} has failed"
            level = "info" if failure is None else "error"
            events.append(connection, action.job_id, [Event(name=name, message=message, level=level, fields=fields)])
        if action.kind is Kind.TERMINATE and failure is None:
            shutil.rmtree(self.place.folder_of(action.job_id), ignore_errors=True)


def _texts(value: object) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [text for inner in value.values() for text in _texts(inner)]
        case list():
            return [text for inner in value for text in _texts(inner)]
        case _:
            return []


def _until_alone(gone: threading.Event) -> None:
    sys.stdin.buffer.read()
    gone.set()


def main() -> None:
    document = Document.read(sys.stdin.buffer)
    if document is None:
        return
    gone = threading.Event()
    threading.Thread(target=_until_alone, args=(gone,), daemon=True, name="parent").start()
    place = document.place()
    log_to(place.folder / LOG, document.mask())
    Runner(place=place, me=process.myself("worker")).run(gone)
    logging.shutdown()
    os._exit(0)  # a thread that waits for a server must not keep it


if __name__ == "__main__":
    main()
