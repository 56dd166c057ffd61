"""`opendrs proof`: whether both sides of a job hold the same rows, with the evidence.

Exit codes: 0 every table is proven equal, 1 one is not (or no proof could be had), 2 the command line is
wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from opendrs.cli import ends, options
from opendrs.cli.exits import Code, told
from opendrs.cli.ruling import Words
from opendrs.cli.run import selected
from opendrs.errors import DrsError, Fault
from opendrs.model.job import Job, job_id
from opendrs.model.selection import Selection
from opendrs.settings import ServiceState, State
from opendrs.telemetry import Mask

if TYPE_CHECKING:
    from opendrs.store.jobs import JobRecord


AS_GIVEN: Final = "As given to `opendrs run`; may be repeated."


def proof(
    source_url: Annotated[
        str, typer.Argument(metavar="SOURCE_URL", help="As given to `opendrs run`; left out with --job.")
    ] = "",
    target_url: Annotated[
        str, typer.Argument(metavar="TARGET_URL", help="As given to `opendrs run`; left out with --job.")
    ] = "",
    tables: Annotated[
        list[str] | None, typer.Option(metavar="PATTERN", help="As given to `opendrs run`; may be repeated.")
    ] = None,
    mapped: Annotated[
        list[str] | None, typer.Option("--map", metavar="DB=SCHEMA", help="As given to `opendrs run`.")
    ] = None,
    exclude: Annotated[list[str] | None, typer.Option("--exclude", metavar="...", help=AS_GIVEN)] = None,
    rename: Annotated[list[str] | None, typer.Option("--rename", metavar="...", help=AS_GIVEN)] = None,
    filters: Annotated[list[str] | None, typer.Option("--filter", metavar="...", help=AS_GIVEN)] = None,
    columns: Annotated[list[str] | None, typer.Option("--columns", metavar="...", help=AS_GIVEN)] = None,
    add_column: Annotated[list[str] | None, typer.Option("--add-column", metavar="...", help=AS_GIVEN)] = None,
    dml: Annotated[list[str] | None, typer.Option("--dml", metavar="...", help=AS_GIVEN)] = None,
    state: Annotated[
        str | None, typer.Option(metavar="PATH_OR_URL", help="As given to `opendrs run` or `opendrs serve`.")
    ] = None,
    name: Annotated[str, typer.Option(help="As given to `opendrs run`.")] = "",
    job: Annotated[
        str,
        typer.Option(metavar="NAME_OR_ID", help="A job of the service, instead of the URLs and what goes with them."),
    ] = "",
    data: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", envvar="OPENDRS_DATA", help="With --job: as given to `opendrs serve`."),
    ] = None,
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

    A job of the service is named by --job; on the machine of the service, whose folder holds the key of its passwords.
    """
    with told(Mask(), debug=debug):
        if bool(job) == bool(source_url or target_url) or bool(source_url) != bool(target_url):
            raise DrsError(Fault.SETTING_INVALID, name="--job", reason="either two URLs are given, or --job")
        words = Words(rename=rename, filter=filters, columns=columns, add_column=add_column, dml=dml)
        selection = selected(tables, exclude, mapped, None, words)
        asked = _of_service(job, data, state) if job else _of_run(source_url, target_url, selection, name, state)
    with told(asked.mask, folder=asked.folder, debug=debug):
        from opendrs.cli import evidence  # heavy: not to be loaded for the help

        wait_s = timeout if renew else None
        found = evidence.gather(asked.url, asked.identity, asked.job, where=asked.folder, timeout_s=wait_s)
        (evidence.print_json if as_json else evidence.print_table)(found)
        proven = bool(found) and all(one.verdict == "equal" for one in found)
        raise typer.Exit(Code.DONE if proven else Code.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """Which job is to be proven. `job` makes it of what the store, at `url`, knows of it."""

    url: str
    folder: Path
    identity: str
    job: Callable[[JobRecord], Job]
    mask: Mask


def _of_run(source_url: str, target_url: str, selection: Selection, name: str, state: str | None) -> _Asked:
    source, (target, _) = ends.endpoint(source_url, "SOURCE"), ends.target(target_url)
    identity = job_id(source, target, selection, name)
    place = State.read(state)
    place.prepare()

    def job(record: JobRecord) -> Job:
        return Job(
            id=identity, source=source, target=target, task=record.task, selection=selection, policy=record.policy
        )

    mask = Mask(side.password.reveal() for side in (source, target))
    return _Asked(url=place.url, folder=place.folder, identity=identity, job=job, mask=mask)


def _of_service(name: str, data: Path | None, state: str | None) -> _Asked:
    from opendrs.cli import evidence  # heavy

    place = ServiceState.read(data, state)
    job = evidence.job_of_service(place, name)
    mask = Mask(password for side in (job.source, job.target) if (password := side.password.reveal()))
    return _Asked(url=place.url, folder=place.folder, identity=job.id, job=lambda record: job, mask=mask)
