"""Where a job begins, as a command line says it."""

from __future__ import annotations

import pytest

from opendrs.cli.starts import start_of
from opendrs.errors import DrsError, Fault
from opendrs.model.start import StartPosition

GTIDS = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5"


@pytest.mark.parametrize(
    ("time", "position", "expected"),
    [
        (None, None, None),
        ("2026-11-30T07:00:00Z", None, StartPosition(time="2026-11-30T07:00:00Z")),
        ("2026-11-30 08:00:00.25+01:00", None, StartPosition(time="2026-11-30T07:00:00.250000Z")),
        ("2026-11-30T07:00", None, StartPosition(time="2026-11-30T07:00:00Z")),
        (None, "mysql-bin.000277:805", StartPosition(file_and_position="mysql-bin.000277:805")),
        (None, GTIDS, StartPosition(gtid_set=GTIDS)),
        (None, f" {GTIDS},\n {GTIDS} ", StartPosition(gtid_set=f"{GTIDS},{GTIDS}")),
        (None, "0-1-100", StartPosition(gtid_set="0-1-100")),
        (None, "0-1-100,2-3-4", StartPosition(gtid_set="0-1-100,2-3-4")),
    ],
)
def test_what_is_understood(time: str | None, position: str | None, expected: StartPosition | None) -> None:
    assert start_of("incremental", time, position) == expected


@pytest.mark.parametrize(
    ("task", "time", "position", "words"),
    [
        ("full", "2026-11-30T07:00:00Z", None, "--from-time: a job that loads begins where its load does"),
        ("full+incremental", None, "mysql-bin.000277:805", "--from-position: a job that loads"),
        ("incremental", "2026-11-30T07:00:00Z", GTIDS, "--from-time: it says where the job begins, and so does"),
        ("incremental", "yesterday", None, "--from-time: 'yesterday' is no time as in 2026-11-30T07:00:00Z"),
        ("incremental", "20261130", None, "--from-time"),
        ("incremental", "", None, "--from-time"),
        ("incremental", None, "", "--from-position: '' is no set of GTIDs, and no place"),
        ("incremental", None, "mysql-bin.000277", "--from-position: 'mysql-bin.000277' is no set"),
        ("incremental", None, "mysql-bin.000277:3", "the first event of a file stands at 4"),
        ("incremental", None, f"{GTIDS},'", "--from-position: it has characters"),
    ],
)
def test_what_is_not(task: str, time: str | None, position: str | None, words: str) -> None:
    with pytest.raises(DrsError) as raised:
        start_of(task, time, position)  # type: ignore[arg-type]
    assert raised.value.fault is Fault.SETTING_INVALID
    assert words in raised.value.message
