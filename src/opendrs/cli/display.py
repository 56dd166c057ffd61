"""Shows how a job gets on: a picture on a terminal, plain lines anywhere else."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Protocol, Self, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from opendrs.cli.view import View, attention
from opendrs.model.checkpoint import Phase
from opendrs.model.lifecycle import State
from opendrs.store.events import PRECHECK_FINDING, Event
from opendrs.worker.pace import Pace

EVENTS_SHOWN: Final = 5
BAR_WIDTH: Final = 30
PICTURE_S: Final = 0.25
LINES_S: Final = 5.0

_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_PHASES: Final = {
    "": "starting",
    Phase.LOADING: "loading",
    Phase.CATCHING_UP: "catching up",
    Phase.FOLLOWING: "following",
    Phase.DONE: "done",
}


class Display(Protocol):
    """Opened as a context manager; shown a view every `period_s`."""

    period_s: float

    def show(self, view: View) -> None: ...

    def say(self, words: str) -> None:
        """One line that stays."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def choose(title: str, *, plain: bool = False) -> Display:
    """A picture if somebody can see it; colours only if they are wanted (NO_COLOR)."""
    console = Console(highlight=False)
    if plain or not console.is_terminal or console.is_dumb_terminal:
        return Unbreakable(Lines(sys.stdout))
    return Unbreakable(Picture(console, title))


class Unbreakable:
    """A display whose reader may go away: a closed terminal, a pipe that nobody reads. The job does not care."""

    def __init__(self, display: Display) -> None:
        self.period_s = display.period_s
        self._display = display
        self._blind = False

    def __enter__(self) -> Self:
        self._try(self._display.__enter__)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._try(lambda: self._display.__exit__(kind, error, trace))

    def show(self, view: View) -> None:
        self._try(lambda: self._display.show(view))

    def say(self, words: str) -> None:
        self._try(lambda: self._display.say(words))

    def _try(self, action: Callable[[], object]) -> None:
        if self._blind:
            return
        try:
            action()
        except OSError:
            self._blind = True
            # What is still in a buffer goes nowhere, instead of failing once more when Python ends.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)


class Lines:
    """One line every few seconds and at every change: `phase=following rows=120 lag_s=0.1`."""

    def __init__(self, out: TextIO, *, clock: Callable[[], float] = time.monotonic, every_s: float = LINES_S) -> None:
        self.period_s = PICTURE_S
        self._out = out
        self._clock = clock
        self._every_s = every_s
        self._pace = Pace()
        self._shown: tuple[str, State, bool] | None = None
        self._shown_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def show(self, view: View) -> None:
        for saved in view.events:
            self._write(event_fields(saved.event))
        now = self._clock()
        left_s = self._pace.left_s(now, view.done)
        facts = (view.phase, view.state, view.trouble is not None)
        if facts == self._shown and now < self._shown_at + self._every_s:
            return
        self._shown, self._shown_at = facts, now
        self._write(fields(view, left_s))

    def say(self, words: str) -> None:
        self._out.write(f"{words}\n")
        self._out.flush()

    def _write(self, facts: dict[str, Any]) -> None:
        stamp = datetime.now(UTC).isoformat(timespec="seconds").removesuffix("+00:00") + "Z"
        words = " ".join(f"{name}={_word(value)}" for name, value in facts.items() if value not in (None, ""))
        self.say(f"{stamp} {words}")


def fields(view: View, left_s: float | None) -> dict[str, Any]:
    """What a line says; the names are for ever, because people grep for them."""
    load, metrics = view.load, view.metrics
    facts: dict[str, Any] = {"phase": view.phase or "starting", "state": view.state.value}
    if view.phase in ("", Phase.LOADING, Phase.DONE):
        facts |= {
            "done": f"{view.done:.1%}",
            "tables": f"{load.get('loaded', 0)}/{load.get('tables', 0)}",
            "rows": load.get("rows"),
            "bytes": load.get("bytes"),
            "eta_s": None if left_s is None else round(left_s),
        }
    else:
        facts |= {
            "rows": metrics.get("apply_changes_total"),
            "transactions": metrics.get("apply_transactions_total"),
            "lag_s": metrics.get("apply_latency"),
        }
    facts |= {
        "rows_per_s": round(metrics.get("apply_rows_rate", 0)),
        "bytes_per_s": round(metrics.get("apply_bytes_rate", 0)),
    }
    # What is not there needs no word.
    facts |= {"dirty_rows": view.dirty or None, "ddl_alarms": view.alarms or None}
    if view.trouble is not None:
        facts |= {"trouble": view.trouble["message"], "attempts": view.trouble["attempts"]}
    return facts


def event_fields(event: Event) -> dict[str, Any]:
    return {"event": event.name, "level": event.level, "message": event.message, **event.fields}


def _word(value: Any) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if not text or set(text) & set(' "=\n\t') else text


class Picture:
    """Bars, rates and the last events, drawn in place."""

    def __init__(self, console: Console, title: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.period_s = PICTURE_S
        self._console = console
        self._title = title
        self._clock = clock
        self._pace = Pace()
        self._events: deque[Event] = deque(maxlen=EVENTS_SHOWN)
        self._began = clock()
        self._live = Live(console=console, auto_refresh=False, transient=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, view: View) -> None:
        for saved in view.events:
            if saved.event.name == PRECHECK_FINDING:
                self._console.print(_finding(saved.event))  # which stays, above the picture
            else:
                self._events.append(saved.event)
        self._live.update(self.draw(view), refresh=True)

    def say(self, words: str) -> None:
        self._console.print(Text(words))

    def draw(self, view: View) -> RenderableType:
        """The picture of one look."""
        left_s = self._pace.left_s(self._clock(), view.done)
        parts: list[RenderableType] = [self._head(view)]
        if view.phase in ("", Phase.LOADING):
            parts += [self._load(view, left_s), _rates(view)]
        else:
            parts.append(_following(view))
        if words := attention(view.dirty, view.alarms):
            parts.append(Text(f"! {words}", style="yellow"))
        if view.trouble is not None:
            parts.append(Text(f"! {view.trouble['message']} ({view.trouble['attempts']} attempts)", style="yellow"))
        if self._events:
            parts.append(_log(self._events))
        return Group(*parts)

    def _head(self, view: View) -> Text:
        word = _PHASES.get(view.phase, view.phase)
        took = duration(self._clock() - self._began)
        return Text.assemble((word, "bold cyan"), "  ", self._title, "  ", (took, "dim"), overflow="ellipsis")

    def _load(self, view: View, left_s: float | None) -> Table:
        grid = Table.grid(padding=(0, 1))
        grid.add_column(overflow="ellipsis", max_width=40, no_wrap=True)
        grid.add_column(width=BAR_WIDTH)
        grid.add_column(justify="right")
        grid.add_column(justify="right")
        tables = f"{view.load.get('loaded', 0)} of {view.load.get('tables', 0)} tables"
        left = "" if left_s is None else f"{duration(left_s)} left"
        grid.add_row(Text(tables, style="bold"), _bar(view.done), f"{view.done:.0%}", left)
        for table in view.tables:
            if table.state == "loading":
                grid.add_row(str(table.name), _bar(table.done), f"{table.done:.0%}", f"{table.rows:,} rows")
        return grid


def _bar(done: float) -> ProgressBar:
    return ProgressBar(total=1.0, completed=done, width=BAR_WIDTH)


def _rates(view: View) -> Text:
    load = view.load
    loaded = [f"{load['rows']:,} rows", size(load.get("bytes", 0))] if "rows" in load else []
    return Text("   ".join([*loaded, *_speeds(view.metrics, ("rows", "bytes", "memory"))]))


def _following(view: View) -> Text:
    metrics = view.metrics
    lag_s = metrics.get("apply_latency")
    facts = ["lag unknown" if lag_s is None else f"lag {lag_s:,.1f} s"]
    if "apply_changes_total" in metrics:
        changes, transactions = metrics["apply_changes_total"], metrics.get("apply_transactions_total", 0)
        facts.append(f"{changes:,} changes in {transactions:,} transactions")
    return Text("   ".join([*facts, *_speeds(metrics, ("rows", "transactions", "bytes", "memory"))]))


def _speeds(metrics: Mapping[str, Any], wanted: Sequence[str]) -> list[str]:
    """Those that are known: a service tells less than a worker."""
    said: dict[str, tuple[str, Callable[[float], str]]] = {
        "rows": ("apply_rows_rate", lambda value: f"{value:,.0f} rows/s"),
        "transactions": ("apply_transactions_rate", lambda value: f"{value:,.0f} transactions/s"),
        "bytes": ("apply_bytes_rate", lambda value: f"{size(value)}/s"),
        "memory": ("mem_bytes", lambda value: f"memory {size(value)}"),
    }
    return [word(metrics[name]) for name, word in (said[one] for one in wanted) if name in metrics]


def _finding(event: Event) -> Text:
    """A precheck's finding with its remedy, as `opendrs check` shows it."""
    facts = event.fields
    result = str(facts.get("result", ""))
    style = "bold red" if result == "FAILED" else "yellow"
    remedy = "".join(f"\n{' ' * 8}{line}" for line in str(facts.get("remedy", "")).splitlines())
    return Text.assemble((f"{result:<8}", style), f"{facts.get('reason')}", (f"  {facts.get('item')}", "dim"), remedy)


def _log(events: deque[Event]) -> Table:
    grid = Table.grid(padding=(0, 1))
    for event in events:
        style = {"warning": "yellow", "error": "red"}.get(event.level, "dim")
        said = event.message + "".join(
            f"  {name}={_word(value)}" for name, value in event.fields.items() if value not in (None, "")
        )
        grid.add_row(Text(event.at.astimezone().strftime("%H:%M:%S"), style="dim"), Text(said, style=style))
    return grid


def size(nbytes: float) -> str:
    """1536 -> 1.5 KiB."""
    for unit in _UNITS[:-1]:
        if nbytes < 1024:
            return f"{nbytes:.0f} {unit}" if unit == "B" else f"{nbytes:.1f} {unit}"
        nbytes /= 1024
    return f"{nbytes:.1f} {_UNITS[-1]}"


def duration(seconds: float) -> str:
    """3725 -> 1:02:05."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
