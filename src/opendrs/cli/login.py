"""`opendrs login` and `opendrs logout`: which service `opendrs job` talks to, and as whom."""

from __future__ import annotations

import os
import sys
from datetime import UTC
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from opendrs.cli import logins, options
from opendrs.cli.exits import told
from opendrs.cli.logins import Login
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import Secret
from opendrs.telemetry import Mask

USER = "admin"  # as the service calls its first user


def login(
    url: Annotated[
        str | None,
        typer.Argument(metavar="URL", help="The service: http(s)://host:port. Default: that of the last login."),
    ] = None,
    user: Annotated[
        str | None, typer.Option(envvar="OPENDRS_USER", help=f"Who logs in. Default: as last, or {USER}.")
    ] = None,
    project: Annotated[str | None, typer.Option(metavar="ID", help="The project to work in; default: the user's.")] = (
        None
    ),
    access_key: Annotated[
        str | None, typer.Option(metavar="AK", help="Sign requests by this access key, instead of a password.")
    ] = None,
    ca: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The authority that the service's certificate is from, PEM.")
    ] = None,
    debug: options.Debug = False,
) -> None:
    """Log in to a service, for the `opendrs job` commands.

    Asks for the password, or the secret key; OPENDRS_PASSWORD and OPENDRS_SECRET_KEY answer instead. A token (good
    for a day), or the key pair, is kept in ~/.config/opendrs/login.json; the password is not kept.
    """
    mask = Mask()
    with told(mask, debug=debug):
        file = logins.path()
        last = _last(file)
        where = _where(url, last)
        same = last if last is not None and last.url == where else None
        authority = str(ca.expanduser().absolute()) if ca else (same.ca if same else "")
        key = access_key or (same.access_key if same and not user and not same.user else "")
        name = "" if key else user or (same.user if same else "") or USER
        secret = _secret("secret key", "OPENDRS_SECRET_KEY") if key else _secret(f"password of {name}")
        mask = Mask([secret.reveal()])
    with told(mask, debug=debug):
        wanted = Login(url=where, project_id=project or "", user=name, access_key=key, ca=authority)
        found = _by_key(wanted, secret) if key else _by_password(wanted, secret)
        logins.keep(found, file)
        _report(found)


def logout(debug: options.Debug = False) -> None:
    """Forget the login. A token that somebody has copied stays good until it expires."""
    with told(Mask(), debug=debug):
        typer.echo("Logged out." if logins.forget(logins.path()) else "Nobody was logged in.")


def _last(file: Path) -> Login | None:
    """What is broken is about to be replaced."""
    try:
        return logins.load(file)
    except DrsError:
        return None


def _where(given: str | None, last: Login | None) -> str:
    if given:
        return logins.address(given)
    if last is not None:
        return last.url
    if os.environ.get("OPENDRS_URL"):
        return logins.address(os.environ["OPENDRS_URL"], "OPENDRS_URL")
    raise DrsError(Fault.SETTING_INVALID, name="URL", reason="give the service's, as in http://127.0.0.1:8920")


def _secret(what: str, variable: str = "OPENDRS_PASSWORD") -> Secret:
    """Of the environment, else of the person at the terminal, who does not see it."""
    found = os.environ.get(variable)
    if found:
        return Secret(found)
    if not sys.stdin.isatty():
        reason = f"there is no terminal to ask for the {what}: set it"
        raise DrsError(Fault.SETTING_INVALID, name=variable, reason=reason)
    from getpass import getpass

    return Secret(getpass(f"The {what}: "))


def _by_password(wanted: Login, password: Secret) -> Login:
    from opendrs.cli.client import Client

    with Client(wanted) as client:
        got = client.log_in(wanted.user, password, wanted.project_id)
    return Login(
        url=wanted.url, project_id=got.project_id, user=got.user, token=got.token, expires_at=got.expires_at,
        ca=wanted.ca,
    )  # fmt: skip


def _by_key(wanted: Login, secret_key: Secret) -> Login:
    from opendrs.cli.client import Client

    keyed = Login(
        url=wanted.url, project_id=wanted.project_id, access_key=wanted.access_key, secret_key=secret_key, ca=wanted.ca
    )
    with Client(keyed) as client:
        project_id = client.project()
    return Login(url=keyed.url, project_id=project_id, access_key=keyed.access_key, secret_key=secret_key, ca=keyed.ca)


def _report(found: Login) -> None:
    until = ""
    if found.expires_at is not None:
        until = f", until {found.expires_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    typer.echo(f"Logged in to {found}{until}. Project {found.project_id}.")
    parts = urlsplit(found.url)
    if parts.scheme == "http" and not logins.local(parts.hostname or ""):
        what = "the password and the token go" if found.token else "what is sent goes"
        typer.echo(f"Note: the URL is http://, so {what} over the network unencrypted.", err=True)
    if os.environ.get("OPENDRS_URL"):
        typer.echo("Note: OPENDRS_URL is set, and wins over this login.", err=True)
