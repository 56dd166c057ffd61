"""Applying: the binary log to PostgreSQL, end to end, by `opendrs run --task incremental`.

Before each run the target's tables are put into the state before the workload, and the job to the workload's start
position. The time runs from the commit by which the worker takes hold of the target to the commit after which the
checkpoint is at the end position; what the process needs before is stated. Behind it both sides are compared.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final

from benchmarks import changes
from benchmarks.changes import ChangeLog, state_file
from benchmarks.job import MODES, PAUSED, Follower, Mode, forget, make_tables
from benchmarks.measure import Contender, Outcome, Sample, ToolFailed, alternate
from benchmarks.report import Figure, Target, division
from benchmarks.servers import TARGET_DATABASE
from benchmarks.stage import Stage, say
from benchmarks.workloads import WORKLOADS, target_digest

TARGETS: Final[dict[Mode, Target]] = {"merged": Target(at_least=90_000), "transactional": Target(at_least=40_000)}
SLOWEST: Final = 2_000  # row changes a second: whoever is slower has failed


def measure(stage: Stage) -> tuple[list[Figure], Outcome]:
    figures: list[Figure] = []
    outcome = Outcome()
    for mode in MODES:
        for name in changes.NAMES:
            log = stage.logs[name]
            say(f"applying {name.upper()}, {mode}: {log.changes:,} row changes in {log.transactions:,} transactions")
            found = alternate([_contender(stage, log, mode)], stage.runs, say)
            figures.append(_figure(log, mode, found))
            outcome.add(found)
            forget(stage, log.database)
    return figures, outcome


def _contender(stage: Stage, log: ChangeLog, mode: Mode) -> Contender:
    follower = Follower(stage, f"apply-{log.name}-{mode}", [f"{log.database}.*"], mode)

    def prepare() -> None:
        if not follower.exists:
            make_tables(stage, log.database)
            follower.create()
        _fill(stage, log)
        follower.put_back(log.start)
        stage.in_target("CHECKPOINT")

    def run() -> Sample:
        began = time.time()
        with follower.start() as running:
            applied = follower.wait_until_applied(running, log.end, 60 + log.changes / SLOWEST)
            running.ask_to_end()
            sample = running.finish(ends=PAUSED)
        facts = {
            "start_s": applied.taken - began,
            "apply_s": applied.reached - applied.taken,
            "cpu_s": running.cpu_s_between(applied.taken, applied.reached),
        }
        return replace(sample, facts=facts)

    def check(_: Sample) -> None:
        for workload in WORKLOADS:
            found = target_digest(stage.target, workload, log.database, TARGET_DATABASE)
            if found != log.after[workload.name]:
                raise ToolFailed(f"{log.database}.{workload.name} holds {found}, not {log.after[workload.name]}")

    return Contender(_name(log, mode), prepare, run, check)


def _fill(stage: Stage, log: ChangeLog) -> None:
    """Puts the target's tables into the state that the source's were in before the workload."""
    with stage.target.connect(TARGET_DATABASE) as connection, connection.cursor() as cursor:
        for workload in WORKLOADS:
            table = f"{log.database}.{workload.name}"
            cursor.execute(f"TRUNCATE {table}")
            with (
                cursor.copy(f"COPY {table} FROM STDIN") as copy,
                state_file(stage.states, log.name, workload).open("rb") as file,
            ):
                while block := file.read(1 << 20):
                    copy.write(block)
            cursor.execute(f"VACUUM ANALYZE {table}")


def _name(log: ChangeLog, mode: Mode) -> str:
    return f"apply {log.name} {mode}"


def _figure(log: ChangeLog, mode: Mode, found: Outcome) -> Figure:
    name = _name(log, mode)
    start_s = found.median(name, lambda sample: sample.facts["start_s"])
    apply_s = found.median(name, lambda sample: sample.facts["apply_s"])
    note = found.reason(name)
    if start_s and apply_s:
        own_s = found.median(name, lambda sample: sample.facts["cpu_s"])
        source_s = found.median(name, lambda sample: sample.source_cpu_s)
        target_s = found.median(name, lambda sample: sample.target_cpu_s)
        note = (
            f"with the {start_s:.2f} s of the process's start {log.changes / (start_s + apply_s):,.0f}; processor"
            f" {own_s:.2f} s, source {source_s:.2f} s, target {target_s:.2f} s; memory {found.peak_mb(name):.0f} MB"
        )
    return Figure(
        name=f"apply {log.name.upper()}, {mode}",
        unit="row changes/s",
        value=division(log.changes, apply_s),
        target=TARGETS[mode],
        note=note,
    )
