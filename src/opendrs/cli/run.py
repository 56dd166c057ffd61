"""`opendrs run`: one job, from the command line to its end. `attending` is what it does meanwhile."""

from __future__ import annotations

from typing import Annotated

import typer

from opendrs.cli import ends, options
from opendrs.cli.exits import told
from opendrs.cli.ruling import Words, demand_lasting, demand_selected, rules
from opendrs.cli.starts import start_of
from opendrs.errors import DrsError, Fault
from opendrs.model.job import SKIPPABLE, ApplyMode, Job, Policy, SkippableDdl, job_id
from opendrs.model.selection import Selection
from opendrs.settings import State
from opendrs.telemetry import Mask
from opendrs.worker.order import REPLICATE, Options, Order, Until
from opendrs.worker.starting import Early
from opendrs.worker.timing import Timing

# What does the work, and how long it waits: other values are for tests of this command.
replicate = REPLICATE
timing = Timing()


def run(
    source_url: options.SourceUrl,
    target_url: options.TargetUrl,
    tables: options.Tables = None,
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
    apply: Annotated[
        ApplyMode,
        typer.Option(help="Source transactions whole and in order, or merged into one final image a key and window."),
    ] = "transactional",
    readers: options.Readers = 2,
    consistent: options.Consistent = False,
    invalid_dates: options.InvalidDates = "stop",
    nul_in_text: options.NulInText = "stop",
    conflict: options.Conflict = "stop",
    skip_ddl: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND", help=f"Do not carry over schema changes of this kind: {', '.join(SKIPPABLE)}."),
    ] = None,
    server_id: options.ServerId = 0,
    state: Annotated[
        str | None,
        typer.Option(metavar="PATH_OR_URL", help="Where jobs are remembered: an SQLite file, or postgresql://..."),
    ] = None,
    name: options.Name = "",
    until: Annotated[
        Until, typer.Option(help="Follow for ever, or end when all that happened during the load is there.")
    ] = "never",
    accept: Annotated[
        list[str] | None,
        typer.Option(metavar="ITEM", help="Take a FAILED precheck of this item upon you, where that is possible."),
    ] = None,
    check: Annotated[bool, typer.Option("--check/--no-check", help="Look for obstacles before a job begins.")] = True,
    plain: Annotated[bool, typer.Option("--plain", help="Plain lines even on a terminal.")] = False,
    debug: options.Debug = False,
) -> None:
    """Copy the tables of a source into a target, and follow what changes.

    Ctrl-C pauses: the worker finishes what it holds and ends. The same command resumes where it stopped, also one
    that says where the job begins: that counts until it has.
    A second Ctrl-C leaves at once; nothing is lost.
    """
    mask, place = Mask(), None
    with told(mask, debug=debug):
        source, (target, publishing) = ends.endpoint(source_url, "SOURCE"), ends.target(target_url)
        mask = Mask((source.password.reveal(), target.password.reveal()))
        words = Words(rename=rename, filter=filters, columns=columns, add_column=add_column, dml=dml)
        selection = selected(tables, exclude, mapped, topic, words)
        policy = Policy(
            apply=apply, readers=readers, consistent=consistent, invalid_dates=invalid_dates,
            nul_in_text=nul_in_text, conflict=conflict, skipped_ddl=skippable(skip_ddl or []), server_id=server_id,
            publishing=publishing, topology="many2one" if many_to_one else "one2one",
            start=start_of(task, from_time, from_position),
        )  # fmt: skip
        ends.demand_sense(target.engine, selection, policy)
        identity = job_id(source, target, selection, name)
        job = Job(id=identity, source=source, target=target, task=task, selection=selection, policy=policy)
        place = State.read(state)
        place.prepare()
    with told(mask, folder=place.folder, debug=debug):
        chosen = Options(until=until, check=check, accepted=tuple(accept or ()))
        order = Order(
            job=job, state=place.url, folder=place.folder_of(job.id), options=chosen, timing=timing,
            replicate=replicate,
        )  # fmt: skip
        early = Early(order)
        try:
            from opendrs.cli import attending  # heavy, and the worker's process loads its own at the same time

            raise typer.Exit(attending.execute(order, name, early, mask=mask, plain=plain))
        finally:
            early.close()


def selected(
    tables: list[str] | None, exclude: list[str] | None, mapped: list[str] | None, topic: list[str] | None, words: Words
) -> Selection:
    """The selection of a job of `opendrs run`. Raises SETTING_INVALID."""
    found = Selection(
        patterns=tuple(tables or ()),
        excluded=tuple(exclude or ()),
        schemas=mappings(mapped or []),
        topics=ends.topics(topic or []),
        rules=rules(words),
    )
    demand_selected(found)
    demand_lasting(found)
    return found


def mappings(words: list[str]) -> dict[str, str]:
    """`db=schema` words as a mapping. Raises SETTING_INVALID."""
    found: dict[str, str] = {}
    for word in words:
        database, equals, schema = word.partition("=")
        if not (database and equals and schema):
            raise DrsError(Fault.SETTING_INVALID, name="--map", reason=f"{word!r} is not DB=SCHEMA")
        if database in found:
            raise DrsError(Fault.SETTING_INVALID, name="--map", reason=f"{database!r} is mapped twice")
        found[database] = schema
    return found


def skippable(words: list[str]) -> tuple[SkippableDdl, ...]:
    """Kinds of schema changes. Raises SETTING_INVALID."""
    found = tuple(kind for kind in SKIPPABLE if kind in words)
    for word in words:
        if word not in SKIPPABLE:
            raise DrsError(
                Fault.SETTING_INVALID, name="--skip-ddl", reason=f"{word!r} is none of {', '.join(SKIPPABLE)}"
            )
    return found
