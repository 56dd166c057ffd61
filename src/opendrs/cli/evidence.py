"""What `opendrs proof` does: gets the evidence that both sides are equal, and prints it."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table as Grid

from opendrs.errors import DrsError, Fault
from opendrs.model.comparison import TableProof
from opendrs.model.job import Job
from opendrs.settings import ServiceState
from opendrs.store import commands, events, jobs, leases, proofs, sealing
from opendrs.store.database import Store, StoreError, open_store, reason
from opendrs.store.jobs import JobRecord
from opendrs.store.sealing import Seal
from opendrs.worker import process
from opendrs.worker.assembly import Place, job_of

LINE_MAX: Final = 1000  # where no terminal says how wide it is, nothing is cut
POLL_S: Final = 0.2
HISTORY: Final = "what is in Kafka is a history and not a state; only whoever reads all of it can tell what it comes to"
SUCCESSOR_S: Final = 10.0  # how long a worker may be gone before nobody is expected to follow it


def gather(
    url: str, identity: str, job: Callable[[JobRecord], Job], *, where: Path, timeout_s: float | None
) -> list[TableProof]:
    """The evidence for the job of that id.

    url        of the state store
    job        with its passwords, made of what the store knows of it
    where      the store is, for people
    timeout_s  the longest to wait for new evidence; None: what was found last
    Raises JOB_UNKNOWN, NO_PROOF.
    """
    store = open_store(url)
    try:
        with store.read() as connection:
            record = jobs.find(connection, identity)
        if record is None:
            raise DrsError(Fault.JOB_UNKNOWN, state=where)
        asked = job(record)
        if asked.target.engine == "kafka":
            raise DrsError(Fault.NO_PROOF, reason=HISTORY)
        if timeout_s is not None:
            _renew(store, asked, timeout_s)
        with store.read() as connection:
            return proofs.load(connection, identity)
    except StoreError as error:
        raise DrsError(Fault.SETTING_INVALID, name="--state", reason=reason(error)) from error
    finally:
        store.close()


def job_of_service(place: ServiceState, name: str) -> Job:
    """The job of that id or name of the service that has its data there, with its passwords.

    Raises SETTING_INVALID, JOB_UNKNOWN, SEAL_BROKEN. Makes nothing.
    """
    sealed_by = os.environ.get(sealing.VARIABLE) or (place.folder / sealing.FILE).exists()
    if not sealed_by:
        raise DrsError(Fault.SETTING_INVALID, name="--data", reason=f"{place.folder} is not the folder of a service")
    store = open_store(place.url)
    try:
        with store.read() as connection:
            record = jobs.find_of_service(connection, name)
            if record is None:
                raise DrsError(Fault.JOB_UNKNOWN, state=place.folder)
            sealed = jobs.sealed_secrets(connection, record.id)
        return job_of(Place(store=store, seal=Seal.of(place.folder), folder=place.folder), record, sealed)
    except StoreError as error:
        raise DrsError(Fault.SETTING_INVALID, name="--state", reason=reason(error)) from error
    finally:
        store.close()


def _renew(store: Store, job: Job, timeout_s: float) -> None:
    """Asks the worker if one runs, else looks at both sides as they are."""
    asked = 0  # the worker's epoch that was asked
    with store.read() as connection:
        last = events.newest(connection, job.id)
    gone_at = 0.0
    deadline = time.monotonic() + timeout_s
    for _ in _ticks(deadline):
        with store.read() as connection:
            lease = leases.current(connection, job.id)
            news = [saved.event for saved in events.after(connection, job.id, last)]
        if asked and any(event.name == events.PROOF_ENDED for event in news):
            return
        failed = next((event for event in news if event.name == events.PROOF_FAILED), None)
        if asked and failed is not None:
            raise DrsError(Fault.NO_PROOF, reason=failed.fields["reason"])
        ended = lease is None or lease.outcome is not None
        if lease is None or ended or process.alive(lease.holder) is False:
            gone_at = gone_at or time.monotonic()
            if ended or time.monotonic() > gone_at + SUCCESSOR_S:
                _prove_here(store, job)
                return
            continue
        gone_at = 0.0
        if lease.epoch != asked:  # the first, or the successor of one that may have died with the question
            with store.write() as connection:
                commands.withdraw(connection, job.id, "proof")
                commands.ask(connection, job.id, "proof")
            asked = lease.epoch
    raise DrsError(Fault.NO_PROOF, reason=f"the worker did not answer within {timeout_s:.0f} s")


def _ticks(deadline: float) -> Iterator[None]:
    while time.monotonic() < deadline:
        yield
        time.sleep(POLL_S)


def _prove_here(store: Store, job: Job) -> None:
    """Nobody works at the job: both sides are looked at as they are."""
    from opendrs.worker.proving import prove_paused  # heavy, and only needed here

    found = list(prove_paused(job))
    with store.write() as connection:
        proofs.clear(connection, job.id)
        proofs.save(connection, job.id, found)


def print_json(found: Sequence[TableProof]) -> None:
    rows = [{**asdict(one), "taken_at": one.taken_at.isoformat()} for one in found]
    sys.stdout.write(json.dumps({"version": 1, "tables": rows}, ensure_ascii=False, indent=2) + "\n")


def print_table(found: Sequence[TableProof]) -> None:
    console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console = Console(file=sys.stdout, highlight=False, soft_wrap=True, width=LINE_MAX)
    if not found:
        console.print("No proof has been made yet. Without --stored, one is made now.")
        return
    grid = Grid(box=None, pad_edge=False, header_style="bold")
    for title in ("table", "rows here", "rows there", "checksum here", "checksum there", "verdict"):
        grid.add_column(title, no_wrap=True, justify="right" if title.startswith("rows") else "left")
    for one in found:
        grid.add_row(
            str(one.name),
            _number(one.source_rows),
            _number(one.target_rows),
            (one.source_checksum or "")[:16],
            (one.target_checksum or "")[:16],
            one.verdict + (f" ({one.reason})" if one.reason else ""),
        )
    console.print(grid)
    equal = sum(one.verdict == "equal" for one in found)
    rows = sum(one.source_rows or 0 for one in found)
    positions = sorted({one.position for one in found if one.position})
    at = f", at position {positions[-1]}" if positions else ""
    console.print(f"{equal} of {len(found)} tables are proven equal, {rows:,} rows at the source{at}.")


def _number(rows: int | None) -> str:
    return "" if rows is None else f"{rows:,}"
