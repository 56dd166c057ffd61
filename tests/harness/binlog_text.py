"""The source's binary log as its own tool prints it: what really happened, told by somebody who is not us."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from tests.harness.mysql_family import FamilyServer

Op = Literal["insert", "update", "delete"]
_EVENT = re.compile(r"^### (INSERT INTO|UPDATE|DELETE FROM) `((?:[^`]|``)+)`\.`((?:[^`]|``)+)`")
_VALUE = re.compile(r"^###   @(\d+)=(.*?)(?: /\* [A-Z0-9_]+(?:\(.*?\))? meta=.*\*/)?$")
_HEAD = re.compile(r"^#(\d{6}) +(\d+:\d\d:\d\d) server id \d+ +end_log_pos (\d+).*?\t(.*)")
_GTID_HEAD = re.compile(r"^#(\d{6}) +(\d+:\d\d:\d\d) server id \d+ +end_log_pos (\d+).*?\tGTID")
_GTID = re.compile(r"(?:SESSION.GTID_NEXT= ?'|\tGTID )([0-9a-f-]{36}:\d+|\d+-\d+-\d+)")
_COMMIT = re.compile(r"^# original_commit_timestamp=(\d+)")
_AT = re.compile(r"^# at (\d+)$")
_BEGINS = re.compile(r"^#(\d{6}) +(\d+:\d\d:\d\d) server id \d+ +end_log_pos \d+.*?\t(?:Anonymous_)?GTID")
_COMMITTED = re.compile(r"\bimmediate_commit_timestamp=(\d+)")
_OPS: dict[str, Op] = {"INSERT INTO": "insert", "UPDATE": "update", "DELETE FROM": "delete"}


@dataclass(frozen=True, slots=True)
class LoggedChange:
    """One row change. Images by the number of the column, from 1, as the tool prints values."""

    table: tuple[str, str]
    op: Op
    before: dict[int, str]
    after: dict[int, str]


@dataclass(frozen=True, slots=True)
class LoggedTransaction:
    """`pos` is the place behind the event that begins it, `moment_ms` when it was committed (MariaDB: in whole
    seconds), in milliseconds since 1970."""

    gtid: str
    file: str
    pos: int
    moment_ms: int
    changes: tuple[LoggedChange, ...]


@dataclass(frozen=True, slots=True)
class LoggedBegin:
    """Where a transaction begins, and its time in microseconds since 1970: its commit (`exact`), or the second in which
    the statement began that committed it."""

    file: str
    pos: int
    moment_us: int
    exact: bool


def logged_begins(server: FamilyServer) -> Iterator[LoggedBegin]:
    """All transactions of all files of the log that are there, in order."""
    for file, *_ in server.execute("SHOW BINARY LOGS"):
        pos = 0
        for line in _printed(server, [file]):
            if found := _AT.match(line):
                pos = int(found[1])
            elif found := _BEGINS.match(line):
                second = datetime.strptime(f"{found[1]} {found[2]}", "%y%m%d %H:%M:%S").replace(tzinfo=UTC)
                commit = _COMMITTED.search(line)
                moment_us = int(commit[1]) if commit else int(second.timestamp()) * 1_000_000
                yield LoggedBegin(file, pos, moment_us, exact=commit is not None)


def next_second(server: FamilyServer) -> None:
    """Returns in another second of the server's clock: MariaDB's log has whole ones."""
    now = server.execute("SELECT UNIX_TIMESTAMP()")
    while server.execute("SELECT UNIX_TIMESTAMP()") == now:
        pass


def logged_changes(server: FamilyServer) -> Iterator[LoggedChange]:
    """All row changes of all files of the log that are there, in order."""
    names = [row[0] for row in server.execute("SHOW BINARY LOGS")]
    yield from parse(_printed(server, names))


def logged_transactions(server: FamilyServer, file: str) -> Iterator[LoggedTransaction]:
    """Those that a file of the log has, of a server with GTIDs."""
    lines: list[str] = []
    for line in _printed(server, [file]):
        if _GTID_HEAD.match(line) and lines:
            yield from _transaction(file, lines)
            lines = []
        lines.append(line)
    yield from _transaction(file, lines)


def _transaction(file: str, lines: Sequence[str]) -> Iterator[LoggedTransaction]:
    head = _GTID_HEAD.match(lines[0])
    names = [found[1] for line in lines if (found := _GTID.search(line))]
    if head is None or not names:
        return  # what stands before the first one
    stamps = [int(found[1]) // 1000 for line in lines if (found := _COMMIT.match(line))]
    ends = [found for line in lines if (found := _HEAD.match(line)) and found[4].startswith(("Xid", "Query"))]
    moment = datetime.strptime(f"{ends[-1][1]} {ends[-1][2]}", "%y%m%d %H:%M:%S").replace(tzinfo=UTC)
    moment_ms = stamps[0] if stamps else int(moment.timestamp()) * 1000
    yield LoggedTransaction(names[0], file, int(head[3]), moment_ms, tuple(parse(iter(lines))))


def _printed(server: FamilyServer, names: Sequence[str]) -> Iterator[str]:
    tool = server.programs.path("mariadb-binlog", "mysqlbinlog")
    folder = server.execute("SELECT @@datadir")[0][0]
    files = [f"{folder}/{name}" for name in names]
    command = [str(tool), "--no-defaults", "--base64-output=DECODE-ROWS", "-vv", *files]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, errors="replace", env={**os.environ, "TZ": "UTC"}
    ) as process:
        assert process.stdout is not None
        yield from process.stdout
        process.stdout.close()
    assert process.returncode == 0, f"{tool} ended with {process.returncode}"


def parse(lines: Iterator[str]) -> Iterator[LoggedChange]:
    table: tuple[str, str] | None = None
    op: Op = "insert"
    images: dict[str, dict[int, str]] = {}
    part = ""
    for line in lines:
        if found := _EVENT.match(line):
            if table is not None:
                yield _change(table, op, images)
            op, table = _OPS[found[1]], (found[2].replace("``", "`"), found[3].replace("``", "`"))
            images = {"WHERE": {}, "SET": {}}
        elif line.startswith(("### WHERE", "### SET")):
            part = line.split()[1]
        elif table is not None and (value := _VALUE.match(line.rstrip("\n"))):
            images[part][int(value[1])] = value[2]
        elif table is not None and not line.startswith("###"):
            yield _change(table, op, images)
            table = None
    if table is not None:
        yield _change(table, op, images)


def _change(table: tuple[str, str], op: Op, images: dict[str, dict[int, str]]) -> LoggedChange:
    return LoggedChange(table, op, images["WHERE"], images["SET"])
