"""Proofs of a job: one when the load is over, and whenever somebody asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opendrs.engines.postgres.sink import Sink
from opendrs.errors import DrsError
from opendrs.model.comparison import TableProof
from opendrs.model.job import Job
from opendrs.pipeline.snapshotting import Stopped
from opendrs.store import events, proofs
from opendrs.telemetry import context
from opendrs.worker.hooks import Hooks
from opendrs.worker.proving import Prover, prove_paused


@contextmanager
def proving(job: Job, sink: Sink, hooks: Hooks) -> Iterator[Prover]:
    """The prover of a job; what it finds is kept in the store."""
    with hooks.store.read() as connection:
        if not proofs.load(connection, job.id):
            hooks.proof.set()

    fresh = True  # nothing was found since the last end

    def found(proof: TableProof) -> None:
        nonlocal fresh
        with hooks.store.write() as connection:
            if fresh:
                proofs.clear(connection, job.id)
            proofs.save(connection, job.id, [proof])
        fresh = False
        _tell(proof, hooks)

    def ended(reason: str) -> None:
        nonlocal fresh
        fresh = True
        # Whoever asked since it began waits for the next one, which shows what is there now.
        if reason or not hooks.proof.is_set():
            _end(reason, hooks)

    prover = Prover(job, sink.control, asked=hooks.proof, tables=sink.known, found=found, ended=ended)
    try:
        yield prover
    finally:
        prover.close()


def prove_loaded(job: Job, hooks: Hooks) -> None:
    """The proof of a job that is nothing but a load, once: nobody follows the log, so both sides are looked at as
    they are. Raises Stopped, and what waiting for a server mends."""
    with hooks.store.read() as connection:
        if proofs.load(connection, job.id):
            return
    try:
        found = list(prove_paused(job, hooks.stop))
    except DrsError as error:
        if error.retry == "network":
            raise
        _end(error.message, hooks)  # the rows are there all the same
        return
    if hooks.stop.is_set():
        raise Stopped
    with hooks.store.write() as connection:
        proofs.save(connection, job.id, found)
    for proof in found:
        _tell(proof, hooks)
    _end("", hooks)


def _tell(proof: TableProof, hooks: Hooks) -> None:
    if proof.verdict != "equal":
        facts = {"table": str(proof.name), "verdict": proof.verdict, "reason": proof.reason}
        hooks.log.warning("a table is not proven equal", extra=context("proof.table", **facts))


def _end(reason: str, hooks: Hooks) -> None:
    if reason:
        hooks.log.warning("no proof now", extra=context(events.PROOF_FAILED, reason=reason))
    else:
        hooks.log.info("the proof has ended", extra=context(events.PROOF_ENDED))
