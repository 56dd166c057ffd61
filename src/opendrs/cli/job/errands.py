"""`opendrs job network`, `select` and `precheck`: the steps of `create`, for going on by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from opendrs.cli import options
from opendrs.cli.ends import demand_sense
from opendrs.cli.exits import Code, told
from opendrs.cli.job import steps
from opendrs.cli.job.options import AsJson, Databases, ExactTables, Job
from opendrs.cli.job.resolving import Found, resolve
from opendrs.cli.job.selecting import Choice, choice_of
from opendrs.cli.ruling import Words
from opendrs.cli.session import session
from opendrs.model.job import Policy
from opendrs.model.lifecycle import ALLOWED, State, Verb
from opendrs.model.links import link_of
from opendrs.model.selection import Selection
from opendrs.telemetry import Mask

if TYPE_CHECKING:
    from opendrs.cli.service import Service


def network(job: Job, as_json: AsJson = False, debug: options.Debug = False) -> None:
    """Test the connections of a job to its source and its target."""
    with session(debug=debug) as service:
        from opendrs.cli.printing import print_json

        rows = steps.network(service, resolve(service, job).id)
        if as_json:
            print_json({"ends": rows})
        else:
            typer.echo("\n".join(steps.network_lines(rows)))
            for row in rows:
                steps.demand_reached(row)
        raise typer.Exit(Code.DONE if all(row["success"] for row in rows) else Code.FAILED)


def select(
    job: Job,
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
    debug: options.Debug = False,
) -> None:
    """Choose anew what a job replicates, and what is special about single tables: what is not said is no more.

    A job that has begun keeps what it has until it is edited, and what is said of tables that it replicates already.
    """
    choice = Choice()
    with told(Mask(), debug=debug):
        words = Words(rename=rename, filter=filters, columns=columns, add_column=add_column, dml=dml)
        choice = choice_of(tables, databases, mapped, topic, exclude, words)
    with session(debug=debug) as service:
        found = resolve(service, job, whole=True)
        if choice.selection != Selection() or many_to_one:
            link = link_of(str(service.detail(found.id, "overview")["base_info"]["engine_type"]))
            if link is not None:
                policy = Policy(topology="many2one" if many_to_one else "one2one")
                demand_sense(link.target, choice.selection, policy)
        if many_to_one:
            service.update(found.id, "policy", policy_config={"data_sync_topology_type": "many2one"})
        notes, summary = steps.select(service, found.id, choice)
        for note in notes:
            typer.echo(f"note: {note}")
        typer.echo(saved(service, found, summary))


def saved(service: Service, found: Found, summary: str) -> str:
    """What is said of objects that were saved, and what is to be done next."""
    if State(str(service.detail(found.id, "overview")["status"])) in ALLOWED[Verb.EDIT]:
        return (
            f"{found.name} is to replicate {summary}. Next: opendrs job precheck {found.name},"
            f" then opendrs job edit {found.name}"
        )
    return f"{found.name} replicates {summary}. Next: opendrs job precheck {found.name}"


def precheck(job: Job, as_json: AsJson = False, debug: options.Debug = False) -> None:
    """Run the prechecks of a job, and show every finding with what to do about it.

    Exit code 1 if something FAILED; an ALARM does not block.
    """
    with session(debug=debug) as service:
        from opendrs.cli.check import print_findings
        from opendrs.cli.check import print_json as print_findings_json

        outcome = steps.precheck(service, resolve(service, job).id)
        (print_findings_json if as_json else print_findings)(outcome.findings)
        raise typer.Exit(Code.DONE if outcome.passed else Code.FAILED)
