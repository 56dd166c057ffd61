"""Decoding: the binary log from the socket to Arrow windows in Python's hands, against reference/binlog.c.

Ours is the source of the product itself (`opendrs.engines.mysql.source`), and a loop that takes windows until the end
position; nothing is done with them. Both begin with a session at the server and end with the last row change.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks import changes, job
from benchmarks.changes import ChangeLog
from benchmarks.measure import Contender, Outcome, Sample, ToolFailed, alternate, run, run_function
from benchmarks.report import Figure, Target, division
from benchmarks.stage import Stage, say

RATIO: Final = Target(at_least=0.5, of="ratio")
MEMORY: Final = Target(at_most=200)
REPLICA_ID: Final = 4802
WAIT_S: Final = 5.0


def measure(stage: Stage) -> tuple[list[Figure], Outcome]:
    figures: list[Figure] = []
    outcome = Outcome()
    for name in changes.NAMES:
        log = stage.logs[name]
        say(f"decoding {name.upper()}: {log.changes:,} row changes in {log.transactions:,} transactions")
        found = alternate(_contenders(stage, log), stage.runs, say)
        figures += _figures(log, found)
        outcome.add(found)
    return figures, outcome


def _contenders(stage: Stage, log: ChangeLog) -> list[Contender]:
    def check(sample: Sample) -> None:
        if sample.facts.get("changes") != log.changes:
            raise ToolFailed(f"{log.name} has {log.changes} row changes, {dict(sample.facts)} were found")

    def reference() -> Sample:
        words: list[str | Path] = [stage.binaries.binlog, log.end.file, str(log.end.offset)]
        return run(words, stage.pair, environment=stage.login.environment(), log=stage.log_of("reference-binlog"))

    def ours() -> Sample:
        folder = stage.scratch / "decode"
        folder.mkdir(exist_ok=True)
        return run_function(
            take_windows,
            stage.pair,
            stage.log_of("opendrs-decode"),
            url=stage.source.url(),
            start=job.position_text(log.start),
            end=job.position_text(log.end),
            database=log.database,
            folder=str(folder),
        )

    nothing = tuple
    return [
        Contender(f"{log.name} reference", nothing, reference, check),
        Contender(f"{log.name} opendrs", nothing, ours, check),
    ]


def take_windows(*, url: str, start: str, end: str, database: str, folder: str) -> Mapping[str, Any]:
    """Runs in a process of its own: decodes from `start` to `end`."""
    # Not before: only this process is to carry the product, and the references must run without it.
    from opendrs.engines.mysql.position import parse_position
    from opendrs.engines.mysql.source import Source
    from opendrs.engines.mysql.stream import StreamSettings
    from opendrs.model.checkpoint import TableProgress
    from opendrs.model.endpoint import Endpoint
    from opendrs.model.event import Window
    from opendrs.model.selection import Selection

    settings = StreamSettings(server_id=REPLICA_ID, name="bench", folder=Path(folder), spool_bytes=10 << 30)
    selection = Selection(patterns=(f"{database}.*",))
    source = Source(Endpoint.parse(url), selection, settings, readers=1)
    known = {table.name: TableProgress(table=table, loaded=True) for table in source.catalog().tables}
    last = parse_position(end)
    windows = found = nbytes = 0
    began = time.monotonic()
    with source.stream(parse_position(start)) as stream:
        stream.resume(known)
        stream.stop_at(last)
        while True:
            event = stream.next(WAIT_S)
            if event is None:
                raise TimeoutError(f"nothing came for {WAIT_S} s, after {found} row changes")
            if isinstance(event, Window):
                windows, found, nbytes = windows + 1, found + event.changes, nbytes + event.nbytes
            if event.position is not None:
                position = parse_position(event.position.dump())
                if position.covers(last):
                    break
                stream.acknowledge(position)
        seconds = time.monotonic() - began
    return {"changes": found, "windows": windows, "bytes": nbytes, "seconds": seconds}


def _figures(log: ChangeLog, found: Outcome) -> list[Figure]:
    label = log.name.upper()
    reference, ours = f"{log.name} reference", f"{log.name} opendrs"
    windows = found.median(ours, lambda sample: sample.facts["windows"])
    note = found.reason(ours)
    if windows:
        note = (
            f"from the opening of the stream to the last row change; {windows:,.0f} windows; processor"
            f" {found.cpu_s(ours):.2f} s with Python's start, the reference {found.cpu_s(reference) or 0:.2f} s"
        )
    return [
        Figure(
            name=f"decode {label}",
            unit="row changes/s",
            value=division(log.changes, found.median(ours, lambda sample: sample.facts["seconds"])),
            reference=division(log.changes, found.median(reference, lambda sample: sample.wall_s)),
            target=RATIO,
            note=note,
        ),
        Figure(
            name=f"decode {label}, memory",
            unit="MB",
            value=found.peak_mb(ours),
            reference=found.peak_mb(reference),
            target=MEMORY,
        ),
    ]
