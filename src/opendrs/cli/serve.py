"""`opendrs serve`: the service: its API, and the workers behind it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from opendrs.cli import options
from opendrs.cli.exits import told
from opendrs.settings import ServiceState
from opendrs.telemetry import Mask

LISTEN = "127.0.0.1:8920"


def serve(
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", envvar="OPENDRS_LISTEN", help="Where the API listens; port 0: any free.")
    ] = LISTEN,
    data: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", envvar="OPENDRS_DATA", help="State, logs and spools of all jobs."),
    ] = None,
    state: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The state store, if not an SQLite file in the data folder: postgresql://..."),
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Serve HTTPS with this certificate (PEM, with its chain).")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="The key of the certificate (PEM).")] = None,
    runners: Annotated[
        int, typer.Option(min=1, max=64, help="Processes for connection tests, prechecks and listings.")
    ] = 2,
    debug: options.Debug = False,
) -> None:
    """Serve the DRS API, and work at the jobs that it is given.

    The first start prints the access key and the password that it has made, once; OPENDRS_ACCESS_KEY,
    OPENDRS_SECRET_KEY, OPENDRS_USER, OPENDRS_PASSWORD and OPENDRS_PROJECT_ID give others.
    """
    with told(Mask(), debug=debug):
        place = ServiceState.read(data, state)
        from opendrs.cli import serving  # heavy

        raise typer.Exit(serving.execute(place, listen, runners=runners, tls=serving.tls(tls_cert, tls_key)))
