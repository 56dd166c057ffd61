"""Options that more than one command has: the same word, the same meaning, the same help."""

from __future__ import annotations

from typing import Annotated

import typer

from opendrs.model.job import ConflictPolicy
from opendrs.model.job import InvalidDates as InvalidDatesPolicy
from opendrs.model.job import NulInText as NulInTextPolicy
from opendrs.model.job import Task as JobTask
from opendrs.model.rules import EXTRA_KINDS, EXTRA_TYPES

SourceUrl = Annotated[str, typer.Argument(metavar="SOURCE_URL", help="mysql://user:password@host:port")]
TargetUrl = Annotated[
    str,
    typer.Argument(
        metavar="TARGET_URL",
        help="postgresql://user:password@host:port/database or kafka://user:password@host:port/topic?format=...",
    ),
]
Tables = Annotated[
    list[str] | None,
    typer.Option(metavar="PATTERN", help="Tables as database.table, with * and ?; may be repeated. Default: all."),
]
Mapped = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="DB=SCHEMA", help="Let a source database arrive as another schema."),
]
Excluded = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude", metavar="PATTERN", help="Tables to leave out, as database.table with * and ?; may be repeated."
    ),
]
Renamed = Annotated[
    list[str] | None,
    typer.Option(
        "--rename", metavar="DB.TABLE=[SCHEMA.]NAME", help="Let a table arrive under another name; may be repeated."
    ),
]
Filters = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        metavar="DB.TABLE:CONDITION",
        help="Only rows for which a condition is true, as behind WHERE; may be repeated.",
    ),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        metavar="DB.TABLE:A=B,-C",
        help="Let a column arrive under another name, or leave it out; may be repeated.",
    ),
]
AddedColumns = Annotated[
    list[str] | None,
    typer.Option(
        "--add-column",
        metavar='"DB.TABLE:NAME KIND TYPE [VALUE]"',
        help=f"A column that the source has not. Kinds: {', '.join(EXTRA_KINDS)}; types: {', '.join(EXTRA_TYPES)}.",
    ),
]
Changes = Annotated[
    list[str] | None,
    typer.Option("--dml", metavar="DB.TABLE:iud", help="Carry over only some changes of a table's rows; - for none."),
]
ManyToOne = Annotated[
    bool,
    typer.Option("--many-to-one", help="Let tables arrive as one although only their keys tell their rows apart."),
]
Topics = Annotated[
    list[str] | None,
    typer.Option(
        "--topic", metavar="DB[.TABLE]=TOPIC", help="For Kafka: the topic of a table, or of a whole database."
    ),
]
Task = Annotated[JobTask, typer.Option(help="What to do: the load, the log, or both.")]
FromTime = Annotated[
    str | None,
    typer.Option(
        "--from-time",
        metavar="TIME",
        help="With --task incremental: begin in front of the first transaction at or after a time, as in "
        "2026-11-30T07:00:00Z.",
    ),
]
FromPosition = Annotated[
    str | None,
    typer.Option(
        "--from-position",
        metavar="FILE:OFFSET|GTIDS",
        help="With --task incremental: begin at a place in the source's log, as in mysql-bin.000277:805, or behind a "
        "set of GTIDs.",
    ),
]
Readers = Annotated[int, typer.Option(min=1, max=64, help="Lanes of the load.")]
Consistent = Annotated[
    bool, typer.Option("--consistent", help="The load shows one moment, by a short lock at the source.")
]
InvalidDates = Annotated[InvalidDatesPolicy, typer.Option(help="What becomes of dates no calendar has.")]
NulInText = Annotated[NulInTextPolicy, typer.Option(help="What becomes of NUL characters in text.")]
Conflict = Annotated[
    ConflictPolicy,
    typer.Option(
        help="What becomes of a change that finds the target otherwise than it presupposes, because others write there "
        "too: the job stops, the target's rows stay, or the source's win."
    ),
]
ServerId = Annotated[
    int, typer.Option(min=0, max=2**32 - 1, help="Our id as a replica of the source; 0: made from the job.")
]
Name = Annotated[str, typer.Option(help="Tells two jobs of the same endpoints and tables apart.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the trace of an unexpected fault.")]
