"""Work that a test scripts: what `replicate` does, call by call, across processes.

The script lies in the job's folder, a JSON list of acts; the n-th call plays the n-th act, and those behind the
last play the last. An act is a dict:

    do       what to do at the end: done, wait (until paused), hang (deaf to everything), kill (itself, -9),
             exit (status), raise (fault, details), break (an exception of ours), hold (stops itself, -STOP, in the
             middle of writing to the store)
    phase    told first; and saved as a checkpoint with `position` if there is one
    rows     so many rows are copied first
    dirty    keys of rows that are recorded first, as such that did not arrive as they are
    applied  so many transactions are applied first
    for_s    how long it takes before the end
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import Column, Table, TableName
from opendrs.model.checkpoint import Phase, TableProgress
from opendrs.model.dirty import DirtyRow
from opendrs.model.event import Window
from opendrs.model.job import Job
from opendrs.model.types import Logical
from opendrs.pipeline.snapshotting import Stopped
from opendrs.store import leases
from opendrs.telemetry import context
from opendrs.worker.hooks import Hooks

REPLICATE = f"{__name__}:replicate"
SCRIPT = "script.json"
CALLS = "calls"


@dataclass(frozen=True)
class Place:
    """A position for people."""

    text: str

    def dump(self) -> str:
        return self.text

    def covers(self, other: Self) -> bool:
        return self.text >= other.text

    def brief(self) -> str:
        return self.text


def write_script(folder: Path, *acts: dict[str, Any]) -> None:
    (folder / SCRIPT).write_text(json.dumps(acts))


def calls(folder: Path) -> list[tuple[int, int]]:
    """Epoch and process of every call so far."""
    path = folder / CALLS
    lines = path.read_text().splitlines() if path.exists() else []
    return [(int(epoch), int(pid)) for epoch, pid in (line.split() for line in lines)]


def a_table(name: str = "orders", rows: int = 1000) -> Table:
    column = Column(name="id", type=Logical(kind="int", bits=64), native="bigint")
    return Table(name=TableName("shop", name), columns=(column,), rows_estimate=rows, bytes_estimate=rows * 100)


def replicate(job: Job, epoch: int, hooks: Hooks) -> Phase:
    with (hooks.folder / CALLS).open("a") as file:
        file.write(f"{epoch} {os.getpid()}\n")
    acts = json.loads(_filled_in((hooks.folder / SCRIPT).read_text(), job))
    act = acts[min(len(calls(hooks.folder)), len(acts)) - 1]
    phase = Phase(act.get("phase", "following"))
    hooks.progress.phase(phase)
    if (rows := act.get("rows")) is not None:
        table = a_table()
        hooks.progress.table(TableProgress(table=table))
        hooks.progress.copied(table.name, rows, rows * 100)
    for number in range(act.get("applied", 0)):
        window = Window(tables=(), position=Place(str(number)), changes=3, nbytes=300, last_commit_s=time.time())
        hooks.progress.applied(window)
    hooks.dirty.record([_dirty(key) for key in act.get("dirty", ())])
    if "position" in act:
        hooks.checkpoints.save(Place(act["position"]), phase)
    if "log" in act:
        hooks.log.info(act["log"], extra=context("fake.said", text=act["log"]))
    for place in act.get("places", ()):
        hooks.faults.here(place)
    hooks.stop.wait(act.get("for_s", 0.0))
    return _end(act, job, epoch, hooks, phase)


def _dirty(key: str) -> DirtyRow:
    return DirtyRow(
        key=key, table=a_table().name, op="insert", kind="conflict", reason=f"row {key}", statement=f"INSERT {key}",
        resolved="ignored", at=datetime.now(UTC),
    )  # fmt: skip


def _filled_in(script: str, job: Job) -> str:
    """A script must not hold secrets, and a test wants them said."""
    for side, endpoint in (("SOURCE", job.source), ("TARGET", job.target)):
        script = script.replace(f"<{side}_URL>", endpoint.url())
        script = script.replace(f"<{side}_PASSWORD>", endpoint.password.reveal())
    return script


def _end(act: dict[str, Any], job: Job, epoch: int, hooks: Hooks, phase: Phase) -> Phase:
    match act["do"]:
        case "done":
            return phase
        case "wait":
            hooks.stop.wait()
            raise Stopped
        case "hang":
            while True:
                time.sleep(60)
        case "hold":
            with hooks.store.write() as connection:
                leases.renew(connection, job.id, epoch)
                os.kill(os.getpid(), signal.SIGSTOP)
                time.sleep(0.1)  # another thread may be the one that is stopped first
            hooks.stop.wait()
            raise Stopped
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "exit":
            os._exit(act["status"])
        case "raise":
            raise DrsError(Fault[act["fault"]], **act.get("details", {}))
        case "break":
            raise RuntimeError(act.get("message", "broken"))
    sys.exit("no such act")
