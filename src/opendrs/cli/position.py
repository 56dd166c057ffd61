"""`opendrs position`: the place in a source's log that belongs to a time."""

from __future__ import annotations

from typing import Annotated

import typer

from opendrs.cli import ends, options
from opendrs.cli.exits import told
from opendrs.cli.starts import time_of
from opendrs.model.start import StartPosition
from opendrs.telemetry import Mask


def position(
    source_url: options.SourceUrl,
    time: Annotated[str, typer.Option(metavar="TIME", help="As in 2026-11-30T07:00:00Z; without a zone it is UTC.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    debug: options.Debug = False,
) -> None:
    """Find where in the log of a source a time is: in front of the first transaction at or after it.

    A few files of the log are opened, and one is read to the place. What is printed first is what --from-position of
    `opendrs run` takes.
    """
    mask = Mask()
    with told(mask, debug=debug):
        source = ends.endpoint(source_url, "SOURCE")
        mask = Mask([source.password.reveal()])
        start = StartPosition(time=time_of("--time", time))
    with told(mask, debug=debug):
        from opendrs.cli.printing import print_facts, print_json
        from opendrs.engines.mysql.connect import Session
        from opendrs.engines.mysql.locating import time_of as written
        from opendrs.engines.mysql.starting import resolve
        from opendrs.errors import DrsError, Fault

        if source.engine != "mysql":
            raise DrsError(Fault.UNSUPPORTED, what=f"A position of {source.engine}")
        with Session(source) as session:
            found = resolve(session, start)
        behind = "" if found.moment_us is None else written(found.moment_us)
        if as_json:
            print_json({"position": found.place, "gtid_set": found.gtid_set, "time": behind or None})
            return
        print_facts(
            [
                ("Position", found.place),
                ("GTIDs before", found.gtid_set or "none"),
                ("Behind it", f"a transaction of {behind}" if behind else "nothing yet: the log ends there"),
            ]
        )
