"""`opendrs proof`: whether both sides of a job hold the same rows, with the evidence.

Exit codes: 0 every table is proven equal, 1 one is not (or no proof could be had), 2 the command line is
wrong.
"""

from __future__ import annotations

from typing import Annotated

import typer

from opendrs.cli import options
from opendrs.cli.exits import Code, told
from opendrs.cli.run import endpoint, mappings
from opendrs.model.job import job_id
from opendrs.model.selection import Selection
from opendrs.settings import State
from opendrs.telemetry import Mask


def proof(
    source_url: Annotated[str, typer.Argument(metavar="SOURCE_URL", help="As given to `opendrs run`.")],
    target_url: Annotated[str, typer.Argument(metavar="TARGET_URL", help="As given to `opendrs run`.")],
    tables: Annotated[
        list[str] | None, typer.Option(metavar="PATTERN", help="As given to `opendrs run`; may be repeated.")
    ] = None,
    mapped: Annotated[
        list[str] | None, typer.Option("--map", metavar="DB=SCHEMA", help="As given to `opendrs run`.")
    ] = None,
    state: Annotated[str | None, typer.Option(metavar="PATH_OR_URL", help="As given to `opendrs run`.")] = None,
    name: Annotated[str, typer.Option(help="As given to `opendrs run`.")] = "",
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
    """
    mask = Mask()
    with told(mask, debug=debug):
        source, target = endpoint(source_url, "SOURCE"), endpoint(target_url, "TARGET")
        mask = Mask(side.password.reveal() for side in (source, target))
        selection = Selection(patterns=tuple(tables or ()), schemas=mappings(mapped or []))
        identity = job_id(source, target, selection, name)
        place = State.read(state)
        place.prepare()
    with told(mask, state=place, debug=debug):
        from opendrs.cli import evidence  # heavy: not to be loaded for the help

        found = evidence.gather(source, target, selection, identity, place, timeout_s=timeout if renew else None)
        (evidence.print_json if as_json else evidence.print_table)(found)
        proven = bool(found) and all(one.verdict == "equal" for one in found)
        raise typer.Exit(Code.DONE if proven else Code.FAILED)
