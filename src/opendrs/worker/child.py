"""The process of a worker: `python -m opendrs.worker.child JOB REPLICATE`, with its order on the standard input.

The first argument is for people who list processes; what the second names is loaded while the order is awaited.
The work runs in a thread of its own, so that the main one can take signals at any time, whatever the work is
waiting for.
"""

from __future__ import annotations

import gc
import importlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NoReturn, cast

import psutil

from opendrs.errors import DrsError, Fault
from opendrs.pipeline.limiting import Debt
from opendrs.pipeline.snapshotting import Stopped
from opendrs.store import checkpoints, commands, leases, progress, speeds
from opendrs.store.database import Store, StoreError, open_store, reason
from opendrs.telemetry import Mask, context, log_to
from opendrs.worker import killing, process
from opendrs.worker.heart import Heart, LeaseLost
from opendrs.worker.hooks import Hooks, Replicate
from opendrs.worker.journal import Journal
from opendrs.worker.ledger import Ledger
from opendrs.worker.left_out import left_out
from opendrs.worker.memory import Thrift
from opendrs.worker.order import Order
from opendrs.worker.outcome import Exit, Outcome
from opendrs.worker.report import Report, usage
from opendrs.worker.retrying import Retrying
from opendrs.worker.starting import LOG
from opendrs.worker.timing import Backoff

SWITCH_S: Final = 0.0005  # Python's own is 5 ms
SIGNAL_S: Final = 0.2  # a signal is noticed within so long

log = logging.getLogger("opendrs.worker")


def main() -> NoReturn:
    """Works, and ends with a status of `Exit`."""
    stop = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stop.set())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for name in sys.argv[2:]:
        with suppress(ImportError, AttributeError):  # the job hears of it when it is needed
            named(name)
    document = sys.stdin.buffer.read()
    if not document:
        leave(Exit.DONE)  # nobody needed us, or whoever started us is gone
    order, epoch = Order.read(document)
    # The pipe, and whoever holds its other end, must not matter any more.
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    mask = Mask(order.secrets)
    log_to(order.folder / LOG, mask, job=order.job.id)
    leave(work(order, epoch, stop, mask))


def _report(order: Order, stop: threading.Event, mask: Mask) -> Report:
    job, nudge = order.job, threading.Event()
    return Report(
        usage=usage(psutil.Process()),
        nudge=nudge,
        ledger=Ledger(nudge=nudge, stop=stop),
        left_out=lambda change: left_out(change, job),
        mask=mask,
    )


def leave(status: Exit) -> NoReturn:
    """Ends the process at once: a thread that waits for a server must not keep it."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def work(order: Order, epoch: int, stop: threading.Event, mask: Mask) -> Exit:
    """Takes the lease, works until there is an end, and leaves the last word in the lease."""
    job, me = order.job, process.myself("worker")
    report, limit = _report(order, stop, mask), Debt()
    try:
        store = open_store(order.state)
        with store.write() as connection:
            taken = leases.take(connection, job.id, epoch, me)
            saved = checkpoints.load(connection, job.id)
            told = progress.load(connection, job.id)
            limit.set(speeds.load(connection, job.id))
    except (DrsError, *StoreError) as error:
        log.error("the state store cannot be used", extra=context("", reason=reason(error)))
        return Exit.NETWORK
    if not taken:
        log.warning("overtaken before it began", extra=context("worker.fenced", epoch=epoch))
        return Exit.FENCED
    if saved is not None and not order.options.reset:
        report.resumed_in(saved.phase, told.counters.get("components") if told else None)
    journal = Journal(mask)
    logging.getLogger("opendrs").addHandler(journal)
    timing = order.timing
    asked: dict[commands.Name, threading.Event] = {
        "pause": stop,
        "proof": threading.Event(),
        "edit": threading.Event(),
    }
    heart = Heart(
        store, job.id, epoch, me=me, report=report, journal=journal, timing=timing,
        lost=_fenced, obey=lambda name: asked[name].set(), speed=limit.set,
    )  # fmt: skip
    turn = Turn(
        order=order,
        epoch=epoch,
        store=store,
        stop=stop,
        proof=asked["proof"],
        edited=asked["edit"],
        report=report,
        limit=limit,
        heart=heart,
        mask=mask,
    )
    log.info("the worker begins", extra=context("worker.began", epoch=epoch, pid=os.getpid()))
    with heart:
        outcome = _aside(turn.run)
        _tell(outcome)
        try:
            heart.close(outcome)
        except LeaseLost:
            _overtaken()
            return Exit.FENCED
    return outcome.exit


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One worker's turn at a job."""

    order: Order
    epoch: int
    store: Store
    stop: threading.Event
    proof: threading.Event
    edited: threading.Event
    report: Report
    limit: Debt
    heart: Heart
    mask: Mask

    def run(self) -> Outcome:
        """Does the work; every way it can end is an outcome."""
        try:
            return self._work()
        except Stopped:
            return Outcome(exit=Exit.PAUSED, phase=self._phase())
        except LeaseLost:
            return Outcome(exit=Exit.FENCED)
        except DrsError as error:
            return Outcome.of(error, self.mask, phase=self._phase())
        except BaseException as error:
            # Whatever it is, the job must hear of it.
            log.exception("something went wrong inside", extra=context("worker.failed"))
            reason = f"{type(error).__name__}: {error}; {self.order.folder / LOG} has the details"
            return Outcome.of(DrsError(Fault.INTERNAL, reason=reason), self.mask, phase=self._phase())

    def _work(self) -> Outcome:
        order, report = self.order, self.report
        hooks = Hooks(
            stop=self.stop,
            progress=report,
            checkpoints=report,
            objects=report,
            dirty=report.ledger,
            limit=self.limit,
            proof=self.proof,
            faults=killing.faults(),
            log=logging.getLogger("opendrs.job"),
            folder=order.folder,
            options=order.options,
            store=self.store,
            edited=self.edited,
        )
        if order.options.reset:
            hooks.reset.set()
        replicate = named(order.replicate)
        # A transaction that arrives must not wait for the collector to look at all modules once more, nor long
        # for the thread that beats.
        gc.freeze()
        sys.setswitchinterval(SWITCH_S)
        retrying = Retrying(stop=self.stop, report=report, backoff=Backoff(order.timing), mask=self.mask)
        phase = retrying.run(lambda epoch: replicate(order.job, epoch, hooks), self.epoch, self.heart.advance)
        report.phase(phase)
        return Outcome(exit=Exit.DONE, phase=phase)

    def _phase(self) -> str:
        return self.report.reached() or ""


def named(name: str) -> Replicate:
    """The function `module:function`."""
    module, _, function = name.partition(":")
    return cast(Replicate, getattr(importlib.import_module(module), function))


def _fenced() -> NoReturn:
    """Nothing more may be written, and nothing more would be accepted."""
    _overtaken()
    leave(Exit.FENCED)


def _overtaken() -> None:
    log.warning("a newer worker has taken over", extra=context("worker.fenced"))


def _aside(task: Callable[[], Outcome]) -> Outcome:
    """Runs the work in a thread, so that this one is free for signals: Python handles them nowhere else."""
    ends: list[Outcome] = []
    thread = threading.Thread(target=lambda: ends.append(task()), name="replicate", daemon=True)
    thread.start()
    thrift = Thrift()
    while thread.is_alive():
        # In turns: a signal that another thread received would not wake this one.
        thread.join(SIGNAL_S)
        thrift.look()
    return ends[0]


def _tell(outcome: Outcome) -> None:
    fields: dict[str, object] = {"exit": outcome.exit.name.lower(), "phase": outcome.phase}
    if outcome.failure is None:
        log.info("the worker ends", extra=context("worker.ended", **fields))
        return
    fields |= {"code": outcome.failure.code, "reason": outcome.failure.message}
    log.error("the worker ends with a fault", extra=context("worker.ended", **fields))


if __name__ == "__main__":
    main()
