"""Proofs of a running job: one when the load is over, and whenever somebody asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opendrs.engines.postgres.sink import Sink
from opendrs.model.comparison import TableProof
from opendrs.model.job import Job
from opendrs.store import proofs
from opendrs.telemetry import context
from opendrs.worker.hooks import Hooks
from opendrs.worker.proving import Prover


@contextmanager
def proving(job: Job, sink: Sink, hooks: Hooks) -> Iterator[Prover]:
    """The prover of a job; what it finds is kept in the store."""
    with hooks.store.read() as connection:
        if not proofs.load(connection, job.id):
            hooks.proof.set()

    def found(proof: TableProof | None) -> None:
        if proof is None:
            hooks.log.info("the proof has ended", extra=context("proof.ended"))
            return
        with hooks.store.write() as connection:
            proofs.save(connection, job.id, [proof])
        if proof.verdict != "equal":
            facts = {"table": str(proof.name), "verdict": proof.verdict, "reason": proof.reason}
            hooks.log.warning("a table is not proven equal", extra=context("proof.table", **facts))

    prover = Prover(job, sink.control, asked=hooks.proof, tables=sink.known, found=found)
    try:
        yield prover
    finally:
        prover.close()
