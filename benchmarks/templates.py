"""Files of 100,000 rows that choose columns: how long it takes to read one and how much memory, beside openpyxl in its
mode for large files; and a whole import through the service, from the upload until it is saved.

Reading is what a process of the service does row by row. What is then held against the source and saved is all that
was said, at once: that takes memory for each row.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import openpyxl

from benchmarks.measure import Measured, Outcome, Running, Sample, ToolFailed, Watch, run_function
from benchmarks.report import Figure, Target
from benchmarks.stage import PLACE, say
from opendrs.templates import bundles, sheets
from opendrs.templates.layout import columns
from tests.harness import Server, create
from tests.harness.server import PASSWORD as DATABASE_PASSWORD
from tests.harness.server import USER as DATABASE_USER
from tests.harness.service import OPENDRS, PASSWORD, USER, Service

TABLES, COLUMNS = 1000, 100
FEW: Final = TABLES // 10
DATABASE: Final = "wide"
MB: Final = 1e6


def measure(runs: int) -> tuple[list[Figure], Outcome]:
    PLACE.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=PLACE) as scratch,
        create("mariadb") as source,
        create("postgres18") as target,
        Service(Path(scratch)) as service,
    ):
        folder = Path(scratch)
        say(f"templates: a source of {TABLES:,} tables with {COLUMNS} columns each")
        _fill(source)
        target.create_database(DATABASE)
        file, small = (_file(folder / f"columns-{tables}.xlsx", tables) for tables in (TABLES, FEW))
        pair = (source, target)
        ours, peer = [], []
        for _ in range(runs):
            ours.append(_read(read, file, pair, folder))
            peer.append(_read(read_by_openpyxl, file, pair, folder))
        few = _read(read, small, pair, folder)
        shell = _Shell(service, folder)
        imports = [shell.imports(source, target, file, number) for number in range(runs)]
    return list(_figures(ours, peer, few, imports)), Outcome()


def _figures(
    ours: Sequence[Sample], peer: Sequence[Sample], few: Sample, imports: Sequence[tuple[float, int]]
) -> Iterator[Figure]:
    rows = TABLES * COLUMNS
    yield Figure(
        name="template of columns, read",
        unit="rows/s",
        value=rows / statistics.median(one.facts["seconds"] for one in ours),
        reference=rows / statistics.median(one.facts["seconds"] for one in peer),
        target=Target(at_least=1.0, of="ratio"),
        note=f"{rows:,} rows of {len(columns('column', 'table_mapping'))} columns; the reference is openpyxl, "
        "read-only, without looking at what the cells say",
    )
    yield Figure(
        name="template of columns, memory",
        unit="MB",
        value=statistics.median(one.peak_bytes for one in ours) / MB,
        reference=few.peak_bytes / MB,
        target=Target(at_most=1.3, of="ratio"),
        note=f"of the whole process; the reference is a tenth of the rows. openpyxl: "
        f"{statistics.median(one.peak_bytes for one in peer) / MB:.0f} MB",
    )
    yield Figure(
        name="template of columns, imported",
        unit="s",
        value=statistics.median(seconds for seconds, _ in imports),
        note=f"from the upload until it is saved: read, held against {TABLES:,} tables of the source, saved as if "
        f"update_job had asked for it; the service's processes together take up to "
        f"{statistics.median(peak for _, peak in imports) / MB:.0f} MB",
    )


# --- reading alone ----------------------------------------------------------------------------


def read(path: str) -> dict[str, Any]:
    """Every row, and what is wrong with it by itself."""
    began = time.monotonic()
    rows = sheets.read(bundles.rows_of(Path(path), "xlsx"), "column", "table_mapping")
    good = sum(1 for row in rows if not row.problem)
    return {"rows": good, "seconds": time.monotonic() - began}


def read_by_openpyxl(path: str) -> dict[str, Any]:
    began = time.monotonic()
    sheet = openpyxl.load_workbook(path, read_only=True).worksheets[0]
    count = sum(1 for row in sheet.iter_rows(values_only=True) if row[0]) - 1
    return {"rows": count, "seconds": time.monotonic() - began}


def _read(function: Any, file: Path, servers: tuple[Measured, Measured], folder: Path) -> Sample:
    found = run_function(function, servers, folder / "read.log", path=str(file))
    expected = int(file.stem.rpartition("-")[2]) * COLUMNS
    if found.facts["rows"] != expected:
        raise ToolFailed(f"{found.facts['rows']} of {expected} rows were read by {function.__name__}")
    say(f"  {function.__name__}: {expected:,} rows, {found.facts['seconds']:.1f} s, {found.peak_bytes / MB:.0f} MB")
    return found


def _file(path: Path, tables: int) -> Path:
    """Every column of some tables, each under another name."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Objects")
    sheet.append([heading.title for heading in columns("column", "table_mapping")])
    for table in range(tables):
        for column in range(COLUMNS):
            sheet.append([DATABASE, None, f"t{table}", None, None, None, f"c{column}", f"renamed_{column}", "yes"])
    book.save(path)
    return path


# --- all of it --------------------------------------------------------------------------------


def _fill(source: Server) -> None:
    source.create_database(DATABASE)
    words = ", ".join(f"c{number} {'INT PRIMARY KEY' if not number else 'INT'}" for number in range(COLUMNS))
    source.execute(f"CREATE TABLE t0 ({words})", database=DATABASE)
    for number in range(1, TABLES):
        source.execute(f"CREATE TABLE t{number} LIKE t0", database=DATABASE)


class _Shell:
    """Somebody at the shell who has logged in."""

    def __init__(self, service: Service, folder: Path) -> None:
        self._service = service
        self._folder = folder
        self._environment = {
            **os.environ,
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder),
            "OPENDRS_PASSWORD": PASSWORD,
        }

    def imports(self, source: Server, target: Server, file: Path, number: int) -> tuple[float, int]:
        """Seconds, and the most bytes of memory that the service has taken."""
        name, pair = f"import-{number}", (source, target)
        self._run(pair, "login", self._service.url, "--user", USER)
        login = f"{DATABASE_USER}:{DATABASE_PASSWORD}@127.0.0.1"
        ends = (f"mysql://{login}:{source.port}", f"postgresql://{login}:{target.port}/{DATABASE}")
        self._run(pair, "job", "create", name, *ends, "--databases", DATABASE, ends=(0, 1))  # prechecks may say no
        watch = Watch(self._service.pid)
        watch.start()
        took = self._run(pair, "job", "import", name, str(file), "--level", "column")
        watch.stop()
        say(f"  imported: {took.wall_s:.1f} s, {watch.peak_bytes / MB:.0f} MB")
        return took.wall_s, watch.peak_bytes

    def _run(self, servers: tuple[Measured, Measured], *words: str, ends: tuple[int, ...] = (0,)) -> Sample:
        log = self._folder / "shell.log"
        with Running([OPENDRS, *words], servers, environment=self._environment, log=log) as running:
            return running.finish(ends=ends)
