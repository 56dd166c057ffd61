"""The source's binary log as its own tool prints it: what really happened, told by somebody who is not us."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tests.harness.mysql_family import FamilyServer

Op = Literal["insert", "update", "delete"]
_EVENT = re.compile(r"^### (INSERT INTO|UPDATE|DELETE FROM) `((?:[^`]|``)+)`\.`((?:[^`]|``)+)`")
_VALUE = re.compile(r"^###   @(\d+)=(.*?)(?: /\* [A-Z0-9_]+(?:\(.*?\))? meta=.*\*/)?$")
_OPS: dict[str, Op] = {"INSERT INTO": "insert", "UPDATE": "update", "DELETE FROM": "delete"}


@dataclass(frozen=True, slots=True)
class LoggedChange:
    """One row change. Images by the number of the column, from 1, as the tool prints values."""

    table: tuple[str, str]
    op: Op
    before: dict[int, str]
    after: dict[int, str]


def logged_changes(server: FamilyServer) -> Iterator[LoggedChange]:
    """All row changes of all files of the log that are there, in order."""
    names = [row[0] for row in server.execute("SHOW BINARY LOGS")]
    yield from parse(_printed(server, names))


def _printed(server: FamilyServer, names: Sequence[str]) -> Iterator[str]:
    tool = server.programs.path("mariadb-binlog", "mysqlbinlog")
    folder = server.execute("SELECT @@datadir")[0][0]
    files = [f"{folder}/{name}" for name in names]
    command = [str(tool), "--no-defaults", "--base64-output=DECODE-ROWS", "-vv", *files]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace") as process:
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
