"""Full load: `opendrs run --task full` against reference/load.c, both into a table that ends with its primary key.

The reference has two streams, divided at the middle of the key, and COPY's binary format; it is run with the key
made before the rows come, and once more with the key made after them, which is the faster way on PostgreSQL.
What is compared is the load itself; what the command needs before it begins, and for the proof behind it, is stated.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks import job
from benchmarks.measure import Contender, Outcome, Sample, ToolFailed, alternate, run
from benchmarks.report import Figure, Target, division
from benchmarks.servers import TARGET_DATABASE
from benchmarks.stage import Stage, say
from benchmarks.workloads import SOURCE_DATABASE, W1, WORKLOADS, Digest, Workload, source_digest, target_digest
from tests.harness.server import USER

RATIO: Final = Target(at_least=0.85, of="ratio")
CPU: Final = Target(at_most=0.8)
MEMORY: Final = Target(at_most=300)
REFERENCE_SCHEMA: Final = "reference"
KEY_COLUMNS: Final = """
    SELECT array_agg(a.attname::text ORDER BY k.place)
    FROM pg_constraint c, unnest(c.conkey) WITH ORDINALITY k (number, place), pg_attribute a
    WHERE c.contype = 'p' AND c.conrelid = %s::regclass AND a.attrelid = c.conrelid AND a.attnum = k.number
"""


def measure(stage: Stage) -> tuple[list[Figure], Outcome]:
    figures: list[Figure] = []
    outcome = Outcome()
    for workload in WORKLOADS:
        say(f"full load of {workload.name.upper()}, {stage.rows:,} rows")
        found = alternate(_contenders(stage, workload), stage.runs, say)
        figures += _figures(stage, workload, found)
        outcome.add(found)
    job.forget(stage, SOURCE_DATABASE, REFERENCE_SCHEMA)
    return figures, outcome


def _names(workload: Workload) -> tuple[str, str, str]:
    """Of the contenders, in the order of their turns."""
    return f"{workload.name} reference", f"{workload.name} opendrs", f"{workload.name} reference, key last"


def _contenders(stage: Stage, workload: Workload) -> list[Contender]:
    expected = source_digest(stage.source, workload, SOURCE_DATABASE)
    reference, ours, reference_last = _names(workload)

    def check(schema: str, _: Sample) -> None:
        _check_table(stage, workload, schema, expected)

    def referring(name: str, *, keyed: bool) -> Contender:
        return Contender(
            name,
            partial(_prepare_reference, stage, workload, keyed=keyed),
            partial(_run_reference, stage, workload, keyed=keyed),
            partial(check, REFERENCE_SCHEMA),
        )

    return [
        referring(reference, keyed=True),
        Contender(
            ours,
            partial(_prepare_job, stage),
            partial(job.full_load, stage, f"{SOURCE_DATABASE}.{workload.name}"),
            partial(check, SOURCE_DATABASE),
        ),
        referring(reference_last, keyed=False),
    ]


def _prepare_job(stage: Stage) -> None:
    job.forget(stage, SOURCE_DATABASE)
    stage.in_target("CHECKPOINT")


def _prepare_reference(stage: Stage, workload: Workload, *, keyed: bool) -> None:
    table = f"{REFERENCE_SCHEMA}.{workload.name}"
    stage.in_target(f"DROP SCHEMA IF EXISTS {REFERENCE_SCHEMA} CASCADE; CREATE SCHEMA {REFERENCE_SCHEMA}")
    stage.in_target(f"{workload.definition(table, keyed=keyed)}; ALTER TABLE {table} OWNER TO {USER}")
    stage.in_target(f"GRANT ALL ON SCHEMA {REFERENCE_SCHEMA} TO {USER}")
    stage.in_target("CHECKPOINT")


def _run_reference(stage: Stage, workload: Workload, *, keyed: bool) -> Sample:
    table = f"{REFERENCE_SCHEMA}.{workload.name}"
    split = workload.split
    middle = stage.source.execute(
        f"SELECT {split} FROM {SOURCE_DATABASE}.{workload.name} ORDER BY {split} LIMIT 1 OFFSET {stage.rows // 2}"
    )[0][0]
    halves = [f"SELECT * FROM {workload.name} WHERE {split} {side} {middle}" for side in ("<", ">=")]
    words: list[str | Path] = [stage.binaries.load, table, *halves]
    environment = stage.login.environment(SOURCE_DATABASE)
    sample = run(words, stage.pair, environment=environment, log=stage.log_of("reference-load"))
    if sample.facts.get("rows") != stage.rows:
        raise ToolFailed(f"the reference loaded {json.dumps(dict(sample.facts))} of {stage.rows}")
    if keyed:
        return sample
    began = time.monotonic()
    stage.in_target(f"ALTER TABLE {table} ADD {workload.primary_key}")
    return replace(sample, wall_s=sample.wall_s + time.monotonic() - began)


def _check_table(stage: Stage, workload: Workload, schema: str, expected: Digest) -> None:
    table = f"{schema}.{workload.name}"
    keys = stage.in_target(KEY_COLUMNS, (table,))[0][0]
    if tuple(keys or ()) != workload.key:
        raise ToolFailed(f"{table} has the key {keys}, not {workload.key}")
    found = target_digest(stage.target, workload, schema, TARGET_DATABASE)
    if found != expected:
        raise ToolFailed(f"{table} holds {found}, not {expected}")


def _figures(stage: Stage, workload: Workload, found: Outcome) -> list[Figure]:
    label, millions = workload.name.upper(), stage.rows / 1e6
    reference, ours, reference_last = _names(workload)
    load_s = found.median(ours, lambda sample: sample.facts["load_s"])
    start_s = found.median(ours, lambda sample: sample.facts["start_s"])
    rest_s = found.median(ours, lambda sample: sample.facts["rest_s"])
    last_s = found.median(reference_last, lambda sample: sample.wall_s)
    note = found.reason(ours)
    if load_s and start_s and rest_s:
        note = (
            f"the load itself; the command takes {start_s:.2f} s before it"
            f" ({stage.rows / (start_s + load_s):,.0f} rows/s with them) and {rest_s:.2f} s after it, with the proof"
        )
    if last_s:
        note += f"; the reference with the key made last: {stage.rows / last_s:,.0f} rows/s"
    return [
        Figure(
            name=f"full load {label}",
            unit="rows/s",
            value=division(stage.rows, load_s),
            reference=division(stage.rows, found.median(reference, lambda sample: sample.wall_s)),
            target=RATIO,
            note=note,
        ),
        Figure(
            name=f"full load {label}, own processor",
            unit="s/million rows",
            value=division(found.median(ours, lambda sample: sample.facts["cpu_s"]), millions),
            reference=division(found.cpu_s(reference), millions),
            target=CPU if workload is W1 else None,
            note=f"within the load; of the whole command, in all: {found.cpu_s(ours) or 0:.2f} s",
        ),
        Figure(
            name=f"full load {label}, memory",
            unit="MB",
            value=found.peak_mb(ours),
            reference=found.peak_mb(reference),
            target=MEMORY,
        ),
    ]
