"""`opendrs job list`: the jobs of the project, newest first."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from opendrs.cli import options
from opendrs.cli.exits import told
from opendrs.cli.job import words
from opendrs.cli.job.options import AsJson
from opendrs.cli.session import session
from opendrs.telemetry import Mask

TITLES: Final = ("NAME", "ID", "STATE", "TASK", "CREATED (UTC)", "SOURCE -> TARGET")


def list_jobs(
    state: Annotated[
        str | None,
        typer.Option(metavar="STATE", help=f"Only jobs in this state: {words.named(words.STATES.values())}."),
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="PART", help="Only jobs with this in their name.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    everything: Annotated[bool, typer.Option("--all", help="As many as there are.")] = False,
    as_json: AsJson = False,
    debug: options.Debug = False,
) -> None:
    """List jobs, newest first."""
    published = ""
    with told(Mask(), debug=debug):
        published = words.published_state(state) if state else ""
    with session(debug=debug) as service:
        from opendrs.cli.printing import print_columns, print_json

        most = None if everything else limit
        rows, total = service.jobs(name=name or "", state=published, most=most)
        if as_json:
            print_json({"jobs": [{**row, "state": words.state(row["status"])} for row in rows], "total": total})
            return
        if rows:
            print_columns(TITLES, [cells(row) for row in rows])
        elif not (state or name):
            typer.echo("There are no jobs yet. `opendrs job create` makes one.", err=True)
        else:
            typer.echo("No job fits.", err=True)
        if total > len(rows):
            sys.stderr.write(f"{len(rows)} of {total} jobs; --all shows all.\n")


def cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    """One row of the table."""
    known = [row.get("source"), row.get("target")]
    places = " -> ".join(str(place or "?") for place in known) if any(known) else ""
    return (
        str(row["name"]),
        str(row["id"]),
        words.state(str(row["status"])),
        words.task(str(row["task_type"])),
        words.when(str(row["create_time"])),
        places,
    )
