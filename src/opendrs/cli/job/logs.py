"""`opendrs job logs`: what happened to a job, oldest first."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from opendrs.cli import options
from opendrs.cli.job import words
from opendrs.cli.job.options import Job
from opendrs.cli.job.resolving import resolve
from opendrs.cli.session import session
from opendrs.errors import DrsError, Fault

if TYPE_CHECKING:
    from opendrs.cli.service import Facts, Service

Level = Literal["info", "warn", "error"]
FOLLOW_S: Final = 1.0
AT_ONCE: Final = 200
INDENT: Final = " " * 26  # of what belongs to the line above


def logs(
    job: Job,
    level: Annotated[Level | None, typer.Option(help="Only lines of this level.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="The last so many lines.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new lines until interrupted.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; with --follow, one line each.")] = False,
    debug: options.Debug = False,
) -> None:
    """Show the log of a job, oldest first. Ctrl-C ends --follow; the job does not mind."""
    with session(debug=debug) as service:
        from opendrs.cli.printing import print_json, print_json_line

        job_id = resolve(service, job).id
        rows = read(service, job_id, level, limit)
        if as_json and not follow:
            print_json({"logs": rows})
            return
        show = print_json_line if as_json else _print
        for row in rows:
            show(row)
        if follow:
            for row in news(service, job_id, level, rows):
                show(row)


def read(service: Service, job_id: str, level: Level | None, limit: int) -> list[Facts]:
    """The last lines, oldest first."""
    query = {"log_level": level.capitalize()} if level else {}
    rows: list[Facts] = service.detail(job_id, "log", limit=limit, **query)["logs"]
    return rows[::-1]


def news(service: Service, job_id: str, level: Level | None, seen: Sequence[Mapping[str, Any]]) -> Iterator[Facts]:
    """What comes behind the lines that were seen, for ever."""
    last = newest(seen)
    while True:
        time.sleep(FOLLOW_S)
        try:
            rows = read(service, job_id, level, AT_ONCE)
        except DrsError as error:
            if error.fault is not Fault.SERVICE_UNREACHABLE:
                raise
            continue  # it is followed as well when it is there again
        yield from behind(rows, last)
        last = max(last, newest(rows))


def newest(rows: Sequence[Mapping[str, Any]]) -> int:
    return max((int(row["id"]) for row in rows), default=0)


def behind(rows: Sequence[Facts], last: int) -> list[Facts]:
    return [row for row in rows if int(row["id"]) > last]


def _print(row: Mapping[str, Any]) -> None:
    from opendrs.cli.printing import clean

    typer.echo(clean(line(row)))


def line(row: Mapping[str, Any]) -> str:
    """`2026-11-29 08:00:00 WARN  text`, the time in UTC."""
    message = str(row["message"]).replace("\n", "\n" + INDENT)
    return f"{words.when(str(row['create_time']))} {str(row['level']).upper():<5} {message}"
