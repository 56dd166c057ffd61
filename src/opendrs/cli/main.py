"""The front door: `opendrs COMMAND`. Each command is a file beside this one, named as the command."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from opendrs.cli import check, login, passwords, position, proof, run, serve
from opendrs.cli.exits import MEANINGS
from opendrs.cli.job.app import app as job

EPILOG = "Exit codes: " + "; ".join(f"{code.value} {meaning}" for code, meaning in MEANINGS.items()) + "."

# Pretty exceptions show the values of variables, and some of those are passwords.
app = typer.Typer(
    name="opendrs",
    help="A self-hosted data replication service: loads, follows and proves.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# Every command is registered here, in the order of the help.
app.command("check", epilog=EPILOG)(check.check)
app.command("run", epilog=EPILOG)(run.run)
app.command("proof", epilog=EPILOG)(proof.proof)
app.command("position", epilog=EPILOG)(position.position)
app.command("serve", epilog=EPILOG)(serve.serve)
app.command("login", epilog=EPILOG)(login.login)
app.command("logout", epilog=EPILOG)(login.logout)
app.add_typer(job, name="job", epilog=EPILOG)


def _version(wanted: bool) -> None:
    if not wanted:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version("opendrs")
    except PackageNotFoundError:
        found = "unknown (not installed)"
    typer.echo(f"opendrs {found}")
    raise typer.Exit


@app.callback()
def opendrs(
    show: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A self-hosted data replication service: loads, follows and proves."""


def main(argv: Sequence[str] | None = None) -> None:
    """The entry point of the installed command. Ends the process with an exit code of `exits.Code`."""
    words = sys.argv[1:] if argv is None else list(argv)
    passwords.conceal(words)
    app(args=words)


if __name__ == "__main__":
    main()
