"""Words for people and for grep."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from opendrs.cli.display import Lines, Picture, Unbreakable, choose, duration, size
from opendrs.cli.run import mappings
from opendrs.cli.view import View, attention
from opendrs.errors import DrsError
from opendrs.model.catalog import TableName
from opendrs.model.lifecycle import State
from opendrs.store.events import Event, SavedEvent
from opendrs.store.progress import TableCounts
from opendrs.worker.pace import Pace

LOADING = View(
    state=State.FULL,
    phase="loading",
    load={"tables": 8, "loaded": 3, "rows": 1234, "bytes": 5678, "done": 0.43},
    metrics={"apply_rows_rate": 99.6, "apply_bytes_rate": 1000.0, "mem_bytes": 50 << 20},
    trouble=None,
    tables=(
        TableCounts(name=TableName("s", "big"), state="loading", rows=30, scanned=30, rows_estimate=100),
        TableCounts(name=TableName("s", "small"), state="waiting", rows_estimate=100),
    ),
    events=(),
)
FOLLOWING = replace(
    LOADING,
    state=State.INCREMENTAL,
    phase="following",
    metrics={"apply_latency": 0.25, "apply_changes_total": 42, "apply_transactions_total": 7, "apply_rows_rate": 3},
)
TROUBLE = {"message": "The source x cannot be reached: refused", "attempts": 4}


class Clock:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def lines(clock: Clock, *views: tuple[float, View]) -> list[str]:
    out = io.StringIO()
    display = Lines(out, clock=clock)
    for at, view in views:
        clock.at = at
        display.show(view)
    return [line.partition(" ")[2] for line in out.getvalue().splitlines()]


def test_a_line_comes_every_few_seconds_and_at_every_change() -> None:
    views = [(n * 0.25, LOADING) for n in range(41)] + [(10.3, FOLLOWING), (10.4, replace(FOLLOWING, trouble=TROUBLE))]
    found = lines(Clock(), *views)
    assert len(found) == 5
    assert found[0] == (
        "phase=loading state=FULL_TRANSFER_STARTED done=43.0% tables=3/8 rows=1234 bytes=5678 rows_per_s=100"
        " bytes_per_s=1000"
    )
    assert found[3] == (
        "phase=following state=INCRE_TRANSFER_STARTED rows=42 transactions=7 lag_s=0.25 rows_per_s=3 bytes_per_s=0"
    )
    assert found[4].endswith('trouble="The source x cannot be reached: refused" attempts=4')


def test_events_are_lines_of_their_own() -> None:
    event = Event(
        name="network.lost", message="nobody answers", level="warning", fields={"a": 'x "y"', "b": None, "c": 1}
    )
    (first, _) = lines(Clock(), (0.0, replace(LOADING, events=(SavedEvent(id=1, event=event),))))
    assert first == r'event=network.lost level=warning message="nobody answers" a="x \"y\"" c=1'


def test_a_job_that_has_not_said_anything_is_starting() -> None:
    empty = View(state=State.STARTING, phase="", load={}, metrics={}, trouble=None, tables=(), events=())
    (line,) = lines(Clock(), (0.0, empty))
    assert line.startswith("phase=starting state=STARTJOBING done=0.0% tables=0/0")


@pytest.mark.parametrize("phase", ["", "loading", "catching_up", "following", "done"])
@pytest.mark.parametrize("width", [40, 120])
def test_the_picture_can_always_be_drawn(phase: str, width: int) -> None:
    console = Console(file=io.StringIO(), width=width, force_terminal=True)
    empty: dict[str, Any] = {}
    for view in (
        replace(LOADING, phase=phase),
        replace(
            LOADING, phase=phase, trouble=TROUBLE, events=(SavedEvent(id=1, event=Event(name="e", message="[m]")),)
        ),
        View(state=State.STARTING, phase=phase, load=empty, metrics=empty, trouble=None, tables=(), events=()),
    ):
        picture = Picture(console, "a -> b", clock=Clock())
        with picture:
            picture.show(view)
            picture.say("[not markup]")
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "[not markup]" in text and "[m]" in text


def test_what_needs_attention_is_said_and_nothing_else() -> None:
    assert attention(0, 0) == ""
    assert attention(1, 0) == "1 row did not arrive as it was"
    assert attention(1234, 1) == "1,234 rows did not arrive as they were; 1 statement was left out or has failed"
    assert attention(0, 2) == "2 statements were left out or have failed"
    (quiet,) = lines(Clock(), (0, FOLLOWING))
    assert "dirty" not in quiet and "alarm" not in quiet
    (line,) = lines(Clock(), (0, replace(FOLLOWING, dirty=3, alarms=1)))
    assert "dirty_rows=3" in line and "ddl_alarms=1" in line
    console = Console(file=io.StringIO(), width=120)
    console.print(Picture(console, "t", clock=Clock()).draw(replace(FOLLOWING, dirty=3)))
    assert "3 rows did not arrive as they were" in console.file.getvalue()  # type: ignore[attr-defined]


def test_only_tables_that_are_being_loaded_have_a_bar() -> None:
    console = Console(file=io.StringIO(), width=120)
    console.print(Picture(console, "t", clock=Clock()).draw(LOADING))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "s.big" in text and "s.small" not in text and "3 of 8 tables" in text


def test_without_a_terminal_there_are_lines(capsys: pytest.CaptureFixture[str]) -> None:
    display = choose("t")
    assert isinstance(display, Unbreakable) and isinstance(display._display, Lines)
    with display:
        display.say("hello")
    assert capsys.readouterr().out == "hello\n"


def test_the_time_left_comes_from_the_last_seconds() -> None:
    pace = Pace()
    assert pace.left_s(0.0, 0.0) is None
    assert pace.left_s(10.0, 0.1) == pytest.approx(90.0)
    for second in range(11, 71):
        left_s = pace.left_s(float(second), 0.1 + (second - 10) * 0.001)
    assert left_s == pytest.approx((1 - 0.16) / 0.001, rel=0.01)
    assert pace.left_s(71.0, 1.0) is None


def test_a_load_that_begins_anew_has_no_time_left_yet() -> None:
    pace = Pace()
    pace.left_s(0.0, 0.5)
    assert pace.left_s(1.0, 0.2) is None
    assert pace.left_s(2.0, 0.3) == pytest.approx(7.0)


def test_a_load_that_stands_has_no_time_left() -> None:
    pace = Pace()
    for second in range(100):
        left_s = pace.left_s(float(second), 0.5)
    assert left_s is None


def test_sizes_and_durations() -> None:
    assert [size(n) for n in (0, 1023, 1536, 5 << 30, 1 << 60)] == ["0 B", "1023 B", "1.5 KiB", "5.0 GiB", "1024.0 PiB"]
    assert [duration(s) for s in (0, 59.6, 61, 3725)] == ["0:00", "1:00", "1:01", "1:02:05"]


def test_mappings() -> None:
    assert mappings(["a=b", "c=d=e"]) == {"a": "b", "c": "d=e"}
    for wrong in (["a"], ["=b"], ["a="], ["a=b", "a=c"]):
        with pytest.raises(DrsError):
            mappings(wrong)
