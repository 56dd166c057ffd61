"""`opendrs check`: everything that stands in the way of a job, with what to do about it, all at once.

Exit codes: 0 nothing FAILED, 1 something did (or the check itself could not be made), 2 the command line is
wrong. ALARM should be known, and does not block.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Final

import typer

from opendrs.cli import ends, options
from opendrs.cli.exits import Code, told
from opendrs.cli.ruling import Words
from opendrs.cli.run import selected
from opendrs.cli.starts import start_of
from opendrs.model.finding import Finding, Result
from opendrs.model.job import Policy, job_id, replica_id
from opendrs.model.precheck import GROUPS
from opendrs.model.publishing import Publishing
from opendrs.telemetry import Mask

BIG_ROWS: Final = 1_000_000  # a larger table is left out by --no-count
STYLES: Final[dict[Result, str]] = {"FAILED": "bold red", "ALARM": "yellow", "PASSED": "green"}
INDENT: Final = " " * 10


def check(
    source_url: options.SourceUrl,
    target_url: Annotated[
        str | None,
        typer.Argument(metavar="TARGET_URL", help="postgresql://... or kafka://...; may be left out"),
    ] = None,
    tables: options.Tables = None,
    mapped: options.Mapped = None,
    topic: options.Topics = None,
    exclude: options.Excluded = None,
    rename: options.Renamed = None,
    filters: options.Filters = None,
    columns: options.Columns = None,
    add_column: options.AddedColumns = None,
    dml: options.Changes = None,
    many_to_one: options.ManyToOne = False,
    task: options.Task = "full+incremental",
    from_time: options.FromTime = None,
    from_position: options.FromPosition = None,
    readers: options.Readers = 2,
    consistent: options.Consistent = False,
    invalid_dates: options.InvalidDates = "stop",
    nul_in_text: options.NulInText = "stop",
    server_id: options.ServerId = 0,
    name: options.Name = "",
    accept: Annotated[
        list[str] | None,
        typer.Option(metavar="ITEM", help="Take a FAILED of this item upon you, where that is possible; repeatable."),
    ] = None,
    count: Annotated[
        bool, typer.Option("--count/--no-count", help=f"Count values in tables of more than {BIG_ROWS:,} rows too.")
    ] = True,
    count_timeout: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="The longest that counting in one table may take.")
    ] = 600.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    debug: options.Debug = False,
) -> None:
    """Look for everything that stands in the way of a job, without changing anything.

    Prints every finding with what to do about it. Exit code 1 if something FAILED; an ALARM does not block.
    """
    # The engines and their parsers are heavy, and only this command needs them at once.
    from opendrs.worker import checking
    from opendrs.worker.checking import Counting, Options

    mask = Mask()
    with told(mask, debug=debug):
        source = ends.endpoint(source_url, "SOURCE")
        target, publishing = ends.target(target_url) if target_url else (None, Publishing())
        mask = Mask(side.password.reveal() for side in (source, target) if side)
        words = Words(rename=rename, filter=filters, columns=columns, add_column=add_column, dml=dml)
        selection = selected(tables, exclude, mapped, topic, words)
        policy = Policy(
            readers=readers, consistent=consistent, invalid_dates=invalid_dates, nul_in_text=nul_in_text,
            server_id=server_id, publishing=publishing, topology="many2one" if many_to_one else "one2one",
            start=start_of(task, from_time, from_position),
        )  # fmt: skip
        if target is not None:
            ends.demand_sense(target.engine, selection, policy)
        chosen = Options(
            server_id=replica_id(policy, job_id(source, target, selection, name)) if target else server_id,
            accepted=checking.acceptable(accept or ()),
            counting=Counting(rows_max=None if count else BIG_ROWS, timeout_s=count_timeout),
        )
    with told(mask, debug=debug):
        found = checking.by_weight(checking.check(source, target, selection, policy, task, chosen))
        (print_json if as_json else print_findings)(found)
        raise typer.Exit(Code.FAILED if any(finding.result == "FAILED" for finding in found) else Code.DONE)


def print_json(found: Sequence[Finding]) -> None:
    counts = Counter(finding.result for finding in found)
    document = {
        "version": 1,
        "findings": [asdict(finding) for finding in found],
        "counts": {result: counts[result] for result in STYLES},
    }
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def print_findings(found: Sequence[Finding]) -> None:
    """Lines are not broken: a statement is there to be copied."""
    from rich.console import Console
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    group = ""
    for finding in found:
        if finding.group != group:
            group = finding.group
            console.print(Text(f"\n{GROUPS[group]}", style="bold"))
        console.print(Text(f"  {finding.result:<8}", style=STYLES[finding.result]) + Text(finding.item))
        console.print(Text(INDENT + finding.message))
        for line in finding.remedy.splitlines():
            console.print(Text(f"{INDENT}> {line}", style="cyan"))
    counts = Counter(finding.result for finding in found)
    summary = ", ".join(f"{counts[result]} {result}" for result in STYLES)
    console.print(Text(f"\n{len(found)} findings: {summary}", style="bold"))
