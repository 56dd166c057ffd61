"""`opendrs job create`: a job from its endpoints to the prechecks, and on if they pass."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from opendrs.cli import options
from opendrs.cli.ends import demand_sense, endpoint
from opendrs.cli.ends import target as target_of
from opendrs.cli.exits import Code, Refused, told
from opendrs.cli.job import ends, steps, words
from opendrs.cli.job.options import AsJson, Databases, ExactTables
from opendrs.cli.job.selecting import Choice, choice_of
from opendrs.cli.job.show import policy_line
from opendrs.cli.ruling import Words
from opendrs.cli.run import skippable
from opendrs.cli.session import session
from opendrs.cli.starts import start_of
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import Endpoint
from opendrs.model.job import SKIPPABLE, ApplyMode, ConflictPolicy, Policy, SkippableDdl, Topology
from opendrs.model.job import Task as JobTask
from opendrs.model.links import LINKS, TASK_WORDS
from opendrs.model.publishing import Publishing
from opendrs.model.start import StartPosition
from opendrs.telemetry import Mask

if TYPE_CHECKING:
    from opendrs.cli.service import Service

STEP_WIDTH: Final = 10


def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="4 to 50 letters, digits, - and _; no other job has it.")],
    source_url: options.SourceUrl,
    target_url: options.TargetUrl,
    tables: ExactTables = None,
    databases: Databases = None,
    mapped: options.Mapped = None,
    topic: options.Topics = None,
    exclude: options.Excluded = None,
    rename: options.Renamed = None,
    filters: options.Filters = None,
    columns: options.Columns = None,
    add_column: options.AddedColumns = None,
    dml: options.Changes = None,
    many_to_one: options.ManyToOne = False,
    task: options.Task = "full+incremental",
    from_time: options.FromTime = None,
    from_position: options.FromPosition = None,
    description: Annotated[str, typer.Option(help="For people.")] = "",
    apply: Annotated[
        ApplyMode, typer.Option(help="As of `opendrs run`: source transactions as they were, or merged windows.")
    ] = "transactional",
    conflict: options.Conflict = "stop",
    index: Annotated[
        bool, typer.Option("--index/--no-index", help="Make all indexes, or only primary and unique keys.")
    ] = True,
    ddl: Annotated[bool, typer.Option("--ddl/--no-ddl", help="Carry schema changes over, or none.")] = True,
    skip_ddl: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND", help=f"Carry over no schema change of this kind: {', '.join(SKIPPABLE)}."),
    ] = None,
    start: Annotated[bool, typer.Option("--start", help="Start the job if its prechecks pass.")] = False,
    as_json: AsJson = False,
    debug: options.Debug = False,
) -> None:
    """Create a job, test its endpoints, save what it replicates, and run its prechecks.

    Hosts are those that the service sees, which may not be those of this machine. What has been done stays if a
    later step fails, and one goes on with `opendrs job network`, `select` and `precheck`.

    --tables takes exact names. A pattern with * or ? is taken apart here, against what the source has now: tables
    that are made later do not belong to the job. Only db.* is a whole database, now and later.

    How a job publishes to Kafka stands behind the question mark of its URL, as of `opendrs run`. Files of
    certificates and keys that it names are read here, and sent to the service.
    """
    mask = Mask()
    with told(mask, debug=debug):
        source, (target, publishing) = endpoint(source_url, "SOURCE"), target_of(target_url)
        mask = Mask(side.password.reveal() for side in (source, target))
    with told(mask, debug=debug):
        words = Words(rename=rename, filter=filters, columns=columns, add_column=add_column, dml=dml)
        choice = choice_of(tables, databases, mapped, topic, exclude, words)
        topology: Topology = "many2one" if many_to_one else "one2one"
        demand_sense(
            target.engine,
            choice.selection,
            Policy(apply=apply, conflict=conflict, indexes="all" if index else "unique", topology=topology),
        )
        skipped = skippable(skip_ddl or [])
        wanted = Wanted(
            name=name,
            description=description,
            source=source,
            target=target,
            task=task,
            choice=choice,
            policy=(
                publishing_policy(publishing, ddl=ddl, skipped=skipped)
                if target.engine == "kafka"
                else policy(apply, conflict, topology, index=index, ddl=ddl, skipped=skipped)
            ),
            begin=start_of(task, from_time, from_position),
            start=start,
        )
        body = creation(wanted)
    with session(source.password.reveal(), target.password.reveal(), debug=debug) as service:
        raise typer.Exit(_perform(service, wanted, body, as_json=as_json))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was asked for. `policy`: PolicyConfig; `begin`: where in the log, None: nowhere in particular."""

    name: str
    description: str
    source: Endpoint
    target: Endpoint
    task: JobTask
    choice: Choice
    policy: dict[str, Any]
    begin: StartPosition | None
    start: bool


def policy(
    apply: ApplyMode,
    conflict: ConflictPolicy,
    topology: Topology,
    *,
    index: bool,
    ddl: bool,
    skipped: tuple[SkippableDdl, ...],
) -> dict[str, Any]:
    """PolicyConfig."""
    facts: dict[str, Any] = {"apply_mode": apply, "conflict_policy": conflict, "index_trans": index, "ddl_trans": ddl}
    if topology != "one2one":
        facts["data_sync_topology_type"] = topology
    return {**facts, **_skipping(skipped)}


def publishing_policy(publishing: Publishing, *, ddl: bool, skipped: tuple[SkippableDdl, ...]) -> dict[str, Any]:
    """The same for Kafka: schema changes are carried over where there is a topic for them."""
    from opendrs.api.wire.publishing import shown_publishing

    carried = ddl and bool(publishing.ddl_topic)
    return {"ddl_trans": carried, **_skipping(skipped), **shown_publishing(publishing)}


def _skipping(skipped: tuple[SkippableDdl, ...]) -> dict[str, Any]:
    from opendrs.api.wire.policy import LEAVABLE, NEEDED

    allowed = [*NEEDED, *(word for word, kind in LEAVABLE.items() if kind not in skipped)]
    return {
        "support_ddl_info": ",".join(allowed),
        "filter_ddl_policy": "drop_database" if "drop_database" in skipped else "",
    }


def creation(wanted: Wanted) -> dict[str, Any]:
    """CreateJobReq. Raises ENDPOINT_INVALID, UNSUPPORTED."""
    source, target = wanted.source, wanted.target
    link = next((one for one in LINKS if (one.source, one.target) == (source.engine, target.engine)), None)
    if link is None:
        raise DrsError(Fault.UNSUPPORTED, what=f"A job from {source.engine} to {target.engine}")
    return {
        "base_info": {
            "name": wanted.name,
            "description": wanted.description,
            "engine_type": link.engine_type,
            "job_type": link.job_types[0],
            "job_direction": "non-dbs",
            "net_type": "vpc",
            "task_type": TASK_WORDS[wanted.task],
        },
        "source_endpoint": [ends.wire(source, "source")],
        "target_endpoint": [ends.wire(target, "target")],
    }


def _perform(service: Service, wanted: Wanted, body: dict[str, Any], *, as_json: bool) -> Code:
    """The steps, one line each: on the standard error where the output is for programs."""
    from opendrs.cli.check import print_findings
    from opendrs.cli.printing import print_json

    out = sys.stderr if as_json else sys.stdout

    def say(step: str, what: str) -> None:
        out.write(f"{step:<{STEP_WIDTH}} {what}\n")
        out.flush()

    job_id = str(service.create(body)["id"])
    say("created", f"{wanted.name} {job_id}")
    findings = []
    try:
        _configure(service, job_id, wanted, say)
        outcome = steps.precheck(service, job_id)
        findings = list(outcome.findings)
        if not as_json:
            print_findings(outcome.findings)
        steps.demand_passed(outcome, wanted.name)
        say("prechecks", "passed")
        if wanted.start:
            service.act(job_id, "start")
            say("started", f"`opendrs job watch {wanted.name}` shows how it gets on")
        else:
            say("next", f"opendrs job start {wanted.name}")
    except (DrsError, Refused, KeyboardInterrupt):
        sys.stderr.write(f"The job {wanted.name} is kept as far as it is: {job_id}\n")
        raise
    if as_json:
        state = str(service.detail(job_id, "overview")["status"])
        document = {"id": job_id, "name": wanted.name, "status": state, "state": words.state(state)}
        print_json({"job": document, "findings": [steps.as_json(finding) for finding in findings]})
    return Code.DONE


def _configure(service: Service, job_id: str, wanted: Wanted, say: Callable[[str, str], None]) -> None:
    steps.built(service, job_id)
    say("built", "to be configured")
    rows = steps.network(service, job_id)
    for line in steps.network_lines(rows):
        say("network", line)
    for row in rows:
        steps.demand_reached(row)
    if wanted.source.database and not (wanted.choice.tables or wanted.choice.databases):
        say("note", f"the URL's database chooses nothing; --databases {wanted.source.database} would")
    # Before the objects: whether tables may arrive as one depends on it.
    service.update(job_id, "policy", policy_config=wanted.policy)
    say("policy", policy_line(wanted.policy))
    notes, summary = steps.select(service, job_id, wanted.choice)
    for note in notes:
        say("note", note)
    say("objects", summary)
    if wanted.begin is not None:
        say("position", steps.begin_at(service, job_id, wanted.begin))
