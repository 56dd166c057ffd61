"""`opendrs proof`: whether both sides of a job hold the same rows, with the evidence.

Exit codes: 0 every table is proven equal, 1 one is not (or no proof could be had), 2 the command line is
wrong.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table as Grid

from opendrs.cli import options
from opendrs.cli.exits import Code, told
from opendrs.cli.run import endpoint, mappings
from opendrs.errors import DrsError, Fault
from opendrs.model.comparison import TableProof
from opendrs.model.job import Job, job_id
from opendrs.model.selection import Selection
from opendrs.settings import State
from opendrs.store import commands, events, jobs, leases, proofs
from opendrs.store.database import Store, open_store
from opendrs.telemetry import Mask
from opendrs.worker import process

LINE_MAX: Final = 1000  # where no terminal says how wide it is, nothing is cut
POLL_S: Final = 0.2
SUCCESSOR_S: Final = 10.0  # how long a worker may be gone before nobody is expected to follow it


def proof(
    source_url: Annotated[str, typer.Argument(metavar="SOURCE_URL", help="As given to `opendrs run`.")],
    target_url: Annotated[str, typer.Argument(metavar="TARGET_URL", help="As given to `opendrs run`.")],
    tables: Annotated[
        list[str] | None, typer.Option(metavar="PATTERN", help="As given to `opendrs run`; may be repeated.")
    ] = None,
    mapped: Annotated[
        list[str] | None, typer.Option("--map", metavar="DB=SCHEMA", help="As given to `opendrs run`.")
    ] = None,
    state: Annotated[str | None, typer.Option(metavar="PATH_OR_URL", help="As given to `opendrs run`.")] = None,
    name: Annotated[str, typer.Option(help="As given to `opendrs run`.")] = "",
    renew: Annotated[
        bool, typer.Option("--renew/--stored", help="Look at both sides now, or show what was found last.")
    ] = True,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", min=1, help="The longest to wait.")] = 3600.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    debug: options.Debug = False,
) -> None:
    """Prove that both sides of a job hold the same rows: counts and checksums, made where the data is.

    While the job runs, both sides are looked at as of one position of the source. When it is paused they are
    looked at as they are, and whatever changed at the source since makes a difference.
    """
    mask = Mask()
    with told(mask, debug=debug):
        source, target = endpoint(source_url, "SOURCE"), endpoint(target_url, "TARGET")
        mask = Mask(side.password.reveal() for side in (source, target))
        selection = Selection(patterns=tuple(tables or ()), schemas=mappings(mapped or []))
        identity = job_id(source, target, selection, name)
        place = State.read(state)
        place.prepare()
    with told(mask, state=place, debug=debug):
        store = open_store(place.url)
        try:
            with store.read() as connection:
                record = jobs.find(connection, identity)
            if record is None:
                raise DrsError(Fault.JOB_UNKNOWN, state=place.folder)
            job = Job(id=identity, source=source, target=target, task=record.task, selection=selection,
                      policy=record.policy)  # fmt: skip
            if renew:
                _renew(store, job, timeout)
            with store.read() as connection:
                found = proofs.load(connection, identity)
        finally:
            store.close()
        (_print_json if as_json else _print)(found)
        proven = bool(found) and all(one.verdict == "equal" for one in found)
        raise typer.Exit(Code.DONE if proven else Code.FAILED)


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


def _print_json(found: Sequence[TableProof]) -> None:
    rows = [{**asdict(one), "taken_at": one.taken_at.isoformat()} for one in found]
    sys.stdout.write(json.dumps({"version": 1, "tables": rows}, ensure_ascii=False, indent=2) + "\n")


def _print(found: Sequence[TableProof]) -> None:
    console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console = Console(file=sys.stdout, highlight=False, soft_wrap=True, width=LINE_MAX)
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
