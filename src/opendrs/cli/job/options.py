"""Options that more than one `opendrs job` command has."""

from __future__ import annotations

from typing import Annotated

import typer

Job = Annotated[str, typer.Argument(metavar="NAME_OR_ID", help="The job: its name, or its id.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ExactTables = Annotated[
    list[str] | None,
    typer.Option(
        metavar="DB.TABLE", help="A table, or a pattern with * and ? of those there are now; repeatable. Default: all."
    ),
]
Databases = Annotated[
    list[str] | None,
    typer.Option(metavar="DB", help="A whole database, with the tables that are made in it later; repeatable."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Timeout = Annotated[float, typer.Option(metavar="SECONDS", min=1, help="The longest to wait.")]
