"""Figures, the table that shows them, and the file that keeps them."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from confluent_kafka import libversion

from benchmarks import changes, servers
from benchmarks.measure import Outcome
from benchmarks.publish_stage import PublishStage
from benchmarks.stage import PLACE, ROOT, Stage, say
from tests.harness import Server

RESULTS: Final = PLACE / "results.json"
HEADINGS: Final = ("figure", "OpenDRS", "reference", "ratio", "target", "met")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a figure has to be.

    of     the ratio to the reference, or the value itself
    """

    at_least: float | None = None
    at_most: float | None = None
    of: Literal["ratio", "value"] = "value"

    def met_by(self, figure: float) -> bool:
        above = self.at_least is None or figure >= self.at_least
        return above and (self.at_most is None or figure <= self.at_most)

    def __str__(self) -> str:
        sign, limit = (">=", self.at_least) if self.at_least is not None else ("<=", self.at_most)
        shown = "" if limit is None else _number(limit)
        return f"{sign} {shown}{' x' if self.of == 'ratio' else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the report. A value None: it could not be measured, and the note says why."""

    name: str
    unit: str
    value: float | None
    reference: float | None = None
    target: Target | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.value / self.reference if self.value is not None and self.reference else None

    @property
    def met(self) -> bool | None:
        figure = self.ratio if self.target is not None and self.target.of == "ratio" else self.value
        return None if self.target is None or figure is None else self.target.met_by(figure)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio, "met": self.met}


@dataclass(slots=True)
class Report:
    """What one run found.

    outcome  every single run, and every error
    """

    figures: list[Figure] = field(default_factory=list)
    outcome: Outcome = field(default_factory=Outcome)

    def add(self, figures: Sequence[Figure], outcome: Outcome) -> None:
        self.figures += figures
        self.outcome.add(outcome)

    def show(self, facts: Mapping[str, Any]) -> None:
        rows = [HEADINGS, *(_row(figure) for figure in self.figures)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
        say("")
        for number, row in enumerate(rows):
            cells = [
                cell.ljust(width) if i == 0 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            say("  ".join(cells))
            if number == 0:
                say("  ".join("-" * width for width in widths))
        notes = [f"  {figure.name}: {figure.note}" for figure in self.figures if figure.note]
        if notes:
            say("\nNotes")
            say("\n".join(notes))
        for name, error in self.outcome.errors.items():
            say(f"\n{name} FAILED: {error}")
        say("\nMachine and settings")
        for name, fact in facts.items():
            say(f"  {name:10} {fact}")

    def save(self, facts: Mapping[str, Any], path: Path) -> None:
        found = {
            "facts": dict(facts),
            "figures": [figure.to_json() for figure in self.figures],
            "samples": {
                name: [sample.to_json() for sample in samples] for name, samples in self.outcome.samples.items()
            },
            "errors": self.outcome.errors,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=1))
        say(f"\nkept in {path}")


def division(above: float | None, below: float | None) -> float | None:
    """None where there is nothing to divide, for want of a sample."""
    return above / below if above is not None and below else None


def _row(figure: Figure) -> tuple[str, ...]:
    met = figure.met
    return (
        f"{figure.name} [{figure.unit}]",
        _number(figure.value),
        _number(figure.reference),
        "" if figure.ratio is None else f"{figure.ratio:.2f}",
        "" if figure.target is None else str(figure.target),
        "" if figure.target is None else "?" if met is None else "yes" if met else "NO",
    )


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return (
        f"{value:,.0f}"
        if abs(value) >= 1000
        else f"{value:.3g}"
        if abs(value) < 1
        else f"{value:.2f}".rstrip("0").rstrip(".")
    )


def machine() -> dict[str, Any]:
    """Where and when."""
    processors = f"{_processor()}, {os.cpu_count()} processors shared by all that runs"
    return {
        "at": time.strftime("%Y-%m-%d %H:%M:%S %z"),
        "machine": f"{processors}, {_memory()}, Linux {platform.release()}",
        "load": f"{os.getloadavg()[0]:.2f} (mean of the last minute, at the end)",
        "commit": _commit(),
    }


def facts(stage: Stage) -> dict[str, Any]:
    """The versions, and how the servers were set up."""
    changes_ = stage.logs[changes.LARGE].changes
    target = tuple(stage.target.execute(f"SHOW {name}")[0][0] for name in servers.target_settings())
    return {
        "source": _source(stage.source),
        "target": f"{stage.target.name} {stage.target.version}: {_shown(servers.target_settings(), target)}",
        "durability": "a commit is handed to the system, and is on the disk about a second later; those of OpenDRS in "
        "the target wait for the disk; loopback, no TLS",
        "reference": stage.binaries.compiler,
        "workload": f"scale {stage.scale:g}: {stage.rows:,} rows a table, {changes_:,} row changes a log",
        "runs": f"{stage.runs} of each contender, by turns; medians",
    }


def publish_facts(stage: PublishStage) -> dict[str, Any]:
    """Of publishing: its source may be another than that of the rest, but is set up alike."""
    broker = stage.broker
    log = stage.logs[changes.LARGE]
    return {
        "source": _source(stage.source),
        "broker": f"{broker.name} {broker.version}: {_shown(broker.settings, tuple(broker.settings.values()))}"
        f" heap={servers.BROKER_HEAP_MIB}m, one broker, one replica, acks=all; what it acknowledges was handed to the"
        " system and is on the disk when that likes, but where flushing is measured; loopback, no TLS",
        "publish": f"scale {stage.scale:g}: {log.changes:,} row changes of W2 a log; {stage.runs} runs of each"
        " contender, by turns; medians",
        "librdkafka": f"{libversion()[0]}; {stage.compiler}",
    }


def _source(source: Server) -> str:
    """As the server itself says it is set up."""
    wanted = servers.source_settings()
    shown = source.execute(f"SELECT {', '.join(f'@@global.{name}' for name in wanted)}")[0]
    return f"{source.name} {source.version}: {_shown(wanted, shown)}"


def _shown(names: Iterable[str], values: Sequence[Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in zip(names, values, strict=True))


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"


def _commit() -> str:
    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    changed = " with uncommitted changes" if git("status", "--porcelain") else ""
    return (git("rev-parse", "--short=12", "HEAD") or "unknown") + changed
